"""Text preparation as golden cases: `make(k)` builds a layer, `call(k)` calls a function, with `k` = keras or brisknet."""

import numpy as np

# name -> (make, what adapt() gets or None, what the layer is called on)
LAYERS = {}
# name -> call: k.utils.pad_sequences(...)
PADDED = {}
# name -> (data, targets or None, other arguments) of timeseries_dataset_from_array
SERIES = {}

TEXTS = ["The quick  brown fox, the lazy dog!", "", "Don't panic: the dog isn't THE fox...", "a_b c-d (e) [f] {g} #h @i ~j `k` \\l|m"]
# Letters of other alphabets, capitals beyond ASCII, every kind of space, combining marks, signs of several bytes.
ODD = ["ÉCOLE Straße İstanbul ŒUVRE", "a\u00a0b\u3000c\x0bd\x0ce\x1cf\x85g\u2003h i\tj\r\nk", "e\u0301 é \U0001f600\U0001f600 «quoted» “so” ¿que? don’t",
       "日本語の 文字列 日本語", "   ", "\u200bzero width\ufeff"]  # fmt: skip
WORDS = ["the", "dog", "fox", "quick", "a"]
NEW = ["the dog and the cat", "fox", "", "quick quick the brown the the lazy"]


def layer(name, texts, adapt=None, **kwargs):
    LAYERS[name] = (lambda k: k.layers.TextVectorization(**kwargs), adapt, texts)


for _mode in ("int", "multi_hot", "count"):
    layer(f"{_mode}_given", NEW, vocabulary=WORDS, output_mode=_mode)
    layer(f"{_mode}_learnt", NEW, TEXTS, output_mode=_mode)
    layer(f"{_mode}_few", NEW, TEXTS, output_mode=_mode, max_tokens=4)
    layer(f"{_mode}_odd", ODD, ODD, output_mode=_mode)
    layer(f"{_mode}_characters", ODD, ODD, output_mode=_mode, split="character")
    layer(f"{_mode}_column", [[t] for t in NEW], [[t] for t in TEXTS], output_mode=_mode)
    layer(f"{_mode}_one_text", NEW[0], vocabulary=WORDS, output_mode=_mode)
    for _ngrams in (2, 3, (2,), (3, 1)):
        layer(f"{_mode}_ngrams_{_ngrams}", NEW, TEXTS, output_mode=_mode, ngrams=_ngrams)
    layer(f"{_mode}_unsplit", ["The dog", "fox", ""], ["fox", "The  dog", "fox"], output_mode=_mode, split=None)
    layer(f"{_mode}_unsplit_rows", [["a", "c"], ["b", "!z"]], [["a", "b"], ["B.", "a"]], output_mode=_mode, split=None)
    layer(f"{_mode}_unsplit_ngrams", [["a", "b", "a"]], [["a", "b", "a"]], output_mode=_mode, split=None, ngrams=2)
for _how in (None, "lower", "strip_punctuation", "lower_and_strip_punctuation"):
    layer(f"standardize_{_how}", TEXTS, TEXTS, standardize=_how)
    layer(f"standardize_{_how}_odd", ODD, ODD, standardize=_how)
for _length in (1, 3, 9):
    layer(f"length_{_length}", NEW, TEXTS, output_sequence_length=_length)
    layer(f"length_{_length}_unsplit", [["a", "b"]], vocabulary=["b"], split=None, output_sequence_length=_length)
layer("length_of_nothing", ["", ""], TEXTS)
layer("rank_3", [[[t] for t in NEW[:2]], [[t] for t in NEW[2:]]], TEXTS)
layer("pad_int", NEW, TEXTS, max_tokens=40, pad_to_max_tokens=True)
layer("pad_count", NEW, TEXTS, max_tokens=40, pad_to_max_tokens=True, output_mode="count")
layer("pad_tf_idf", NEW, TEXTS, max_tokens=40, pad_to_max_tokens=True, output_mode="tf_idf")
layer("tf_idf_given", NEW, vocabulary=WORDS, idf_weights=[0.5, 0.25, 1.0, 2.0, 0.75], output_mode="tf_idf")
layer("tf_idf_given_special", NEW, vocabulary=["[UNK]", *WORDS], idf_weights=[0.1, 0.5, 0.25, 1.0, 2.0, 0.75], output_mode="tf_idf")
layer("tf_idf_learnt", NEW, TEXTS, output_mode="tf_idf")
layer("tf_idf_ngrams", NEW, TEXTS, output_mode="tf_idf", ngrams=2, max_tokens=9)
layer("tf_idf_column", [[t] for t in NEW], [[t] for t in TEXTS], output_mode="tf_idf")
layer("tf_idf_unsplit", ["fox", "q"], ["fox", "dog", "fox"], output_mode="tf_idf", split=None)
layer("tf_idf_unsplit_rows", [["a", "c"]], [["a", "b"], ["B.", "a"]], output_mode="tf_idf", split=None)
layer("tf_idf_one_text", NEW[0], TEXTS, output_mode="tf_idf")

_ragged = [[1], [2, 3], [], [4, 5, 6]]
for _padding in ("pre", "post"):
    for _truncating in ("pre", "post"):
        for _maxlen in (None, 2, 5):
            PADDED[f"{_padding}_{_truncating}_{_maxlen}"] = lambda k, p=_padding, t=_truncating, m=_maxlen: (
                k.utils.pad_sequences(_ragged, m, padding=p, truncating=t)
            )
PADDED["value"] = lambda k: k.utils.pad_sequences(_ragged, value=-1)
PADDED["floats"] = lambda k: k.utils.pad_sequences([[0.5], [1.25, 2.5]], dtype="float32", value=0.1)
PADDED["cut_to_int"] = lambda k: k.utils.pad_sequences([[1.75], [2.5, -3.5]])
PADDED["vectors"] = lambda k: k.utils.pad_sequences([np.ones((1, 2)), 2 * np.ones((3, 2)), []], 2, dtype="float32")
PADDED["float16"] = lambda k: k.utils.pad_sequences([(1, 2), (3,)], dtype="float16", padding="post")

_rows = np.arange(40, dtype="float32").reshape(20, 2)
for _name, _targets, _args in (
    ("plain", None, {}), ("targets", _rows[3:, 0], {}), ("stride", None, {"sequence_stride": 3}),
    ("rate", _rows[:, 1], {"sampling_rate": 2}), ("both", _rows, {"sampling_rate": 2, "sequence_stride": 2}),
    ("from", _rows[:, 0], {"start_index": 4}), ("to", _rows[:, 0], {"end_index": 9}),
    ("from_to", _rows[:, 0], {"start_index": 3, "end_index": 15, "sequence_stride": 2}), ("batch_1", None, {"batch_size": 1}),
    ("unbatched", _rows[:, 0], {"batch_size": None}), ("few_targets", _rows[:5], {}),
):  # fmt: skip
    SERIES[_name] = (_rows, _targets, {"sequence_length": 4, "batch_size": 4, **_args})
SERIES["ints"] = (np.arange(12), None, {"sequence_length": 3, "batch_size": 4})
SERIES["lists"] = ([float(i) for i in range(9)], list(range(9)), {"sequence_length": 3, "batch_size": 4})
SERIES["shuffled"] = (_rows, _rows[:, 0], {"sequence_length": 4, "batch_size": 4, "shuffle": True, "seed": 7})
