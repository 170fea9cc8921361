"""Preprocessing layers as golden cases. `make(k)` builds one with `k` = keras or brisknet, so that both run the same program."""

import numpy as np

# name -> (make, what adapt() gets or None, what the layer is called on)
CASES = {}
VOCABULARY, NUMBERS = ["a", "b", "c", "d"], [12, 36, 1138, 42]
LETTERS = [["a", "c", "d", "d"], ["d", "z", "b", "z"], ["", "y", "a", "a"]]
INTS = np.array([[12, 1138, 42, 42], [42, 7, 36, -7], [0, 1001, 12, 12]])
REAL = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0], [2.0, -0.25, 7.0, 1.75]], "float32")
# Every length class of FarmHash and SipHash: up to 16, 32, 64, and longer, with characters of several bytes.
WORDS = ["", "a", "ab", "abc", "word", "naïve", "Fingerprint", "a sixteen-letter", "seventeen letters", "日本語の文字列",
         "one sentence of thirty-two bytes", "a longer sentence, of more than 32 bytes", "x" * 64, "y" * 65, "ab" * 64,
         "abc" * 43, "The quick brown fox jumps over the lazy dog. " * 6]  # fmt: skip


def case(name, make, inputs, adapt=None):
    CASES[name] = (make, adapt, inputs)


for _mode in ("one_hot", "multi_hot", "count"):
    for _what, _x in (("row", [3, 2, 0, 1, 1]), ("rows", [[0, 1], [0, 0], [1, 2], [3, 1]]), ("column", [[0], [3]]), ("one", 2)):
        case(f"encoding_{_mode}_{_what}", lambda k, m=_mode: k.layers.CategoryEncoding(4, output_mode=m), np.array(_x))
    case(f"encoding_{_mode}_rank3", lambda k, m=_mode: k.layers.CategoryEncoding(4, output_mode=m), np.zeros((2, 2, 2), "int64"))
case("encoding_out_of_range", lambda k: k.layers.CategoryEncoding(4, output_mode="one_hot"), np.array([5, -1, 0]))

_bins = [0.0, 1.0, 2.0]
case("bins", lambda k: k.layers.Discretization(_bins), np.array([[-1.5, 1.0, np.nan, 0.5], [0.0, np.inf, -np.inf, 2.0]]))
for _mode in ("one_hot", "multi_hot", "count"):
    case(f"bins_{_mode}", lambda k, m=_mode: k.layers.Discretization(_bins, output_mode=m), REAL)
    case(f"bins_{_mode}_column", lambda k, m=_mode: k.layers.Discretization(_bins, output_mode=m), REAL[:, :1])
case("bins_learnt", lambda k: k.layers.Discretization(num_bins=4), REAL, REAL)
_many = np.random.default_rng(5).gamma(2.0, size=(500, 3)).astype("float32")
for _epsilon in (0.01, 0.1):
    case(f"bins_learnt_{_epsilon}", lambda k, e=_epsilon: k.layers.Discretization(num_bins=7, epsilon=e), _many[:20], _many)
    case(f"bins_learnt_batches_{_epsilon}", lambda k, e=_epsilon: k.layers.Discretization(num_bins=7, epsilon=e), _many[:20],
         [_many[:100], _many[100:350], _many[350:]])  # fmt: skip

for _name, _args in (("plain", {}), ("salt", {"salt": [133, 137]}), ("one_salt", {"salt": 7}), ("mask", {"mask_value": "word"})):
    case(f"hashing_words_{_name}", lambda k, a=_args: k.layers.Hashing(1000003, **a), WORDS)
for _name, _args in (("plain", {}), ("salt", {"salt": 133}), ("mask", {"mask_value": 7})):
    case(f"hashing_ints_{_name}", lambda k, a=_args: k.layers.Hashing(1009, **a), INTS)
case("hashing_floats", lambda k: k.layers.Hashing(1009), np.array([1.7, -2.3, 0.0]))
for _mode in ("one_hot", "multi_hot", "count"):
    case(f"hashing_{_mode}", lambda k, m=_mode: k.layers.Hashing(5, output_mode=m), LETTERS)
    case(f"hashing_{_mode}_column", lambda k, m=_mode: k.layers.Hashing(5, output_mode=m), [["A"], ["C"]])
_a, _b = np.array(["A", "B", "A", "Bé"]), np.array([101, -101, 2**40, 0])
case("crossing", lambda k: k.layers.HashedCrossing(10007), (_a, _b))
case("crossing_three", lambda k: k.layers.HashedCrossing(10007), (_a, _b, _a[::-1].copy()))
case("crossing_column", lambda k: k.layers.HashedCrossing(10007), (_a[:, None], _b[:, None]))
case("crossing_one_hot", lambda k: k.layers.HashedCrossing(5, output_mode="one_hot"), (_a, _b))

for _layer, _vocabulary, _x, _mask in (("StringLookup", VOCABULARY, LETTERS, ""), ("IntegerLookup", NUMBERS, INTS, 0)):
    def _make(k, layer=_layer, **args):
        return getattr(k.layers, layer)(**args)

    for _mode in ("int", "one_hot", "multi_hot", "count"):
        case(f"{_layer}_{_mode}", lambda k, f=_make, v=_vocabulary, m=_mode: f(k, vocabulary=v, output_mode=m), _x)
        case(f"{_layer}_{_mode}_mask", lambda k, f=_make, v=_vocabulary, m=_mode, t=_mask: f(
            k, vocabulary=v, output_mode=m, mask_token=t, num_oov_indices=2), _x)  # fmt: skip
        case(f"{_layer}_{_mode}_learnt", lambda k, f=_make, m=_mode: f(k, output_mode=m), _x, _x)
        case(f"{_layer}_{_mode}_learnt_few", lambda k, f=_make, m=_mode, t=_mask: f(
            k, output_mode=m, max_tokens=4, mask_token=t), _x, _x)  # fmt: skip
    case(f"{_layer}_pad", lambda k, f=_make, v=_vocabulary: f(
        k, vocabulary=v, output_mode="count", max_tokens=9, pad_to_max_tokens=True), _x)  # fmt: skip
    case(f"{_layer}_invert", lambda k, f=_make, v=_vocabulary, t=_mask: f(k, vocabulary=v, invert=True, mask_token=t),
         np.array([[1, 3, 4], [9, 0, 2]]))  # fmt: skip
    case(f"{_layer}_tf_idf", lambda k, f=_make, v=_vocabulary: f(
        k, vocabulary=v, idf_weights=[0.25, 0.75, 0.6, 0.4], output_mode="tf_idf"), _x)  # fmt: skip
    case(f"{_layer}_tf_idf_learnt", lambda k, f=_make, t=_mask: f(
        k, output_mode="tf_idf", max_tokens=12, pad_to_max_tokens=True, mask_token=t), _x, _x)  # fmt: skip
    case(f"{_layer}_learnt_column", lambda k, f=_make: f(k), _x[0], _x[0])
case("StringLookup_oov_salt", lambda k: k.layers.StringLookup(vocabulary=VOCABULARY, num_oov_indices=50, salt=[3, 4]), LETTERS)
for _salt in (None, 9):
    case(f"IntegerLookup_farmhash_{_salt}", lambda k, s=_salt: k.layers.IntegerLookup(
        vocabulary=NUMBERS, num_oov_indices=50, oov_method="farmhash", salt=s), INTS)  # fmt: skip

_table = np.random.default_rng(6).normal(3.0, 2.0, (40, 3, 4)).astype("float32")
for _axis in (-1, None, 1, (1, 2)):
    case(f"normalization_{_axis}", lambda k, a=_axis: k.layers.Normalization(axis=a), _table[:5], _table)
case("normalization_batches", lambda k: k.layers.Normalization(), _table[:5], [_table[:7], _table[7:30], _table[30:]])
case("normalization_invert", lambda k: k.layers.Normalization(invert=True), _table[:5], _table)
case("normalization_given", lambda k: k.layers.Normalization(mean=3.0, variance=2.0), _table[:5])
case("normalization_given_each", lambda k: k.layers.Normalization(mean=[1, 2, 3, 4.0], variance=[1, 4, 0, 16.0]), _table[:5])
case("normalization_constant", lambda k: k.layers.Normalization(), np.ones((2, 3), "float32"), np.ones((6, 3), "float32"))
