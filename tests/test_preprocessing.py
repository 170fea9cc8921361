"""Preprocessing layers: against real Keras, inside models on both back ends, saved and copied, and in a real job."""

import copy
import json
import os
from pathlib import Path

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers import (
    CategoryEncoding, Concatenate, Dense, Discretization, Hashing, Input, IntegerLookup, Normalization, StringLookup,
)  # fmt: skip
from brisknet.layers.preprocessing.fingerprints import fingerprint64, siphash
from brisknet.models import Model, Sequential, clone_model
from tests.golden.preprocessing_cases import CASES, INTS, LETTERS, NUMBERS, REAL

GOLDEN = json.loads((Path(__file__).parent / "golden" / "keras_preprocessing.json").read_text(encoding="utf-8"))


# ---- against Keras ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CASES)
def test_keras_gives_the_same(name):
    make, adapt, inputs = CASES[name]
    layer, wanted = make(bn), GOLDEN[name]
    if adapt is not None:
        layer.adapt(adapt)
    got = np.asarray(layer(inputs))
    if got.dtype.kind == "U":
        assert got.tolist() == wanted["y"] and wanted["dtype"] == "string"
    else:
        assert got.dtype.name == wanted["dtype"]
        np.testing.assert_allclose(got, np.asarray(wanted["y"], got.dtype), rtol=2e-6, atol=2e-6)
    if "vocabulary" in wanted:
        assert layer.get_vocabulary() == wanted["vocabulary"] and layer.vocabulary_size() == wanted["size"]
    if "boundaries" in wanted:
        np.testing.assert_allclose(layer.bin_boundaries, wanted["boundaries"], rtol=1e-6, atol=1e-7)
    if "mean" in wanted:
        np.testing.assert_allclose(layer.mean, wanted["mean"], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(layer.variance, wanted["variance"], rtol=1e-5, atol=1e-7)


def test_published_vectors_of_siphash():
    key = tuple(int.from_bytes(bytes(range(8 * i, 8 * i + 8)), "little") for i in range(2))
    assert siphash(bytes(range(15)), key) == 0xA129CA6149BE45E5  # Aumasson and Bernstein 2012, appendix A
    assert fingerprint64(b"") == 0x9AE16A3B2F90404F


# ---- inside models --------------------------------------------------------------------------------------------------
IN_MODELS = {
    "normalization": (lambda: Normalization(), REAL, "float32"),
    "normalization_all": (lambda: Normalization(axis=None), REAL, "float32"),
    "normalization_invert": (lambda: Normalization(invert=True), REAL, "float32"),
    "normalization_given": (lambda: Normalization(mean=[1, 2, 3, 4.0], variance=[1, 4, 0.5, 16.0]), REAL, "float32"),
    "bins": (lambda: Discretization([0.0, 1.0, 2.0]), REAL, "float32"),
    "bins_one_hot": (lambda: Discretization([0.0, 1.0, 2.0], output_mode="one_hot"), REAL, "float32"),
    "bins_count": (lambda: Discretization([0.0, 1.0, 2.0], output_mode="count"), REAL, "float32"),
    "encoding_one_hot": (lambda: CategoryEncoding(50, output_mode="one_hot"), INTS, "int32"),
    "encoding_multi_hot": (lambda: CategoryEncoding(50), INTS, "int32"),
    "encoding_count_of_floats": (lambda: CategoryEncoding(50, output_mode="count"), INTS.astype("float32"), "float32"),
    **{f"lookup_{mode}": (lambda m=mode: IntegerLookup(vocabulary=NUMBERS, output_mode=m), INTS, "int32")
       for mode in ("int", "one_hot", "multi_hot", "count")},
    "lookup_mask": (lambda: IntegerLookup(vocabulary=NUMBERS, mask_token=0, num_oov_indices=3), INTS, "int32"),
    "lookup_mask_count": (lambda: IntegerLookup(vocabulary=NUMBERS, mask_token=0, output_mode="count"), INTS, "int32"),
    "lookup_tf_idf": (lambda: IntegerLookup(vocabulary=NUMBERS, idf_weights=[0.25, 0.75, 0.6, 0.4], output_mode="tf_idf"),
                      INTS, "int32"),
    "lookup_invert": (lambda: IntegerLookup(vocabulary=NUMBERS, invert=True), np.array([[1, 3, 4], [4, 0, 9]]), "int32"),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_MODELS)
def test_a_layer_in_a_model_gives_what_it_gives_alone(backend, name):
    make, x, dtype = IN_MODELS[name]
    layer = make()
    if isinstance(layer, Normalization) and layer.input_mean is None:
        layer.adapt(x)
    model = Sequential([Input(x.shape[1:], dtype=dtype), layer])
    got, wanted = model.predict(x, verbose=0), np.asarray(layer(x))
    assert model.output_shape[1:] == wanted.shape[1:] == got.shape[1:]
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)
    assert backend != "native" or model._program("predict", model._signature(([x], (), ()), len(x))).executor == "native"


def test_weighted_counts_have_gradients(backend):
    x, w = np.array([[0, 1, 1], [3, 3, 9]], "int32"), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")
    tokens, weights = Input((3,), dtype="int32", name="t"), Input((3,), name="w")
    y = CategoryEncoding(4, output_mode="count")(tokens, count_weights=weights)
    model = Model([tokens, weights], y)
    assert np.allclose(model.predict([x, w], verbose=0), [[1, 5, 0, 0], [0, 0, 0, 9]])
    assert np.allclose(CategoryEncoding(4, output_mode="count")(x, count_weights=w), [[1, 5, 0, 0], [0, 0, 0, 9]])
    dense = Model([tokens, weights], CategoryEncoding(4, output_mode="count")(tokens, count_weights=Dense(3)(weights)))
    dense.compile("sgd", "mse")
    before = dense.get_weights()[0]
    dense.fit([x, w], np.zeros((2, 4)), verbose=0)
    assert not np.allclose(before, dense.get_weights()[0])


def test_training_behind_preprocessing(backend):
    rng = np.random.default_rng(0)
    x, code = rng.normal(50, 9, (256, 3)).astype("float32"), rng.integers(0, 5, (256, 1)) * 7
    y = ((x[:, 0] > 50) ^ (code[:, 0] > 13)).astype("float32")
    scale, lookup = Normalization(), IntegerLookup(output_mode="one_hot")
    scale.adapt(x)
    lookup.adapt(code)
    a, b = Input((3,), name="a"), Input((1,), dtype="int32", name="b")
    h = Dense(16, activation="relu")(Concatenate()([scale(a), lookup(b)]))
    model = Model([a, b], Dense(1, activation="sigmoid")(h))
    model.compile(bn.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    model.fit({"a": x, "b": code}, y, epochs=40, verbose=0)
    assert model.evaluate({"a": x, "b": code}, y, verbose=0, return_dict=True)["accuracy"] > 0.9
    assert [w.shape for w in scale.trainable_weights] == [] and len(model.trainable_weights) == 4


@pytest.mark.parametrize("make", [lambda: Normalization(), lambda: Discretization(num_bins=3), lambda: IntegerLookup()])
def test_adapting_again_reaches_a_model_that_has_run(backend, make):
    layer = make()
    x, other = INTS[:2].astype("float32"), INTS[1:].astype("float32")
    ints = isinstance(layer, IntegerLookup)
    x, other = (x.astype("int32"), other.astype("int32")) if ints else (x, other)
    layer.adapt(x)
    model = Sequential([Input((4,), dtype=x.dtype.name), layer])
    first = model.predict(x, verbose=0), model(x[:1])
    layer.adapt(other)
    assert np.allclose(model.predict(x, verbose=0), layer(x)) and np.allclose(model(x[:1]), layer(x[:1]))
    assert not np.allclose(first[0], layer(x))


def test_inputs_declared_as_other_ints(backend):
    lookup = IntegerLookup(vocabulary=NUMBERS)
    for dtype in ("int64", "uint8", "int16"):
        model = Sequential([Input((4,), dtype=dtype), lookup])
        assert np.array_equal(model.predict(INTS.astype("int64"), verbose=0), lookup(INTS))
        with pytest.raises(ValueError, match="x: integers that int32 holds expected, got 4294967296"):
            model.predict(np.array([[12, 2**32, 0, 0]]), verbose=0)


# ---- adapt ------------------------------------------------------------------------------------------------------------
class Batches(bn.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return self.x[i::3], np.zeros(len(self.x[i::3]))


def test_adapt_takes_arrays_frames_datasets_and_generators():
    pd = pytest.importorskip("pandas")
    x = np.random.default_rng(1).normal(5, 2, (31, 4)).astype("float32")
    layers = []
    for source in (x, x.tolist(), pd.DataFrame(x), Batches(x), (x[i::3] for i in range(3)), [x[:10], x[10:]]):
        layers.append(Normalization())
        layers[-1].adapt(source)
        assert np.allclose(layers[-1].mean, x.mean(axis=0), rtol=1e-5)
        assert np.allclose(layers[-1].variance, x.var(axis=0), rtol=1e-4)
    words = pd.Series(["x", "y", "x", "z"])
    for source in (words, words.tolist(), words.to_numpy(), words.astype("category"), iter([["x", "y"], ["x", "z"]])):
        layer = StringLookup()
        layer.adapt(source)
        assert layer.get_vocabulary() == ["[UNK]", "x", "z", "y"]
    layer.adapt(iter([["x", "y"], ["x", "z"]]), steps=1)
    assert layer.get_vocabulary() == ["[UNK]", "y", "x"]


def test_variances_far_from_zero_are_exact():
    x = (1e6 + np.arange(1000.0)).astype("float64").reshape(-1, 1)
    layer = Normalization()
    layer.adapt(iter([x[:300], x[300:]]))
    assert np.allclose(layer.variance, x.var(), rtol=1e-6)


def test_vocabulary_from_a_file_and_with_special_tokens(tmp_path):
    (tmp_path / "v.txt").write_text("b\na\n", encoding="utf-8")
    assert StringLookup(vocabulary=str(tmp_path / "v.txt")).get_vocabulary() == ["[UNK]", "b", "a"]
    layer = StringLookup(mask_token="", vocabulary=["", "[UNK]", "b", "a"])
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "a"] and layer.get_vocabulary(False) == ["b", "a"]
    layer = StringLookup(output_mode="tf_idf")
    layer.set_vocabulary(["[UNK]", "a", "b"], idf_weights=[0.9, 0.25, 0.75])
    assert np.allclose(layer([["a", "q", "q"]]), [[1.8, 0.25, 0.0]])


# ---- configs and copies -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["bins_learnt", "hashing_words_salt", "crossing", "StringLookup_tf_idf", "encoding_count_rows",
                                  "StringLookup_int_learnt", "IntegerLookup_tf_idf_learnt", "normalization_given_each"])  # fmt: skip
def test_config_rebuilds_the_layer(name):
    make, adapt, inputs = CASES[name]
    layer = make(bn)
    if adapt is not None:
        layer.adapt(adapt)
    new = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert np.allclose(new(inputs), layer(inputs)) and new.get_config() == layer.get_config()
    if adapt is not None:
        new.adapt(adapt)


def test_copies_of_a_model_keep_what_was_learnt(backend):
    scale, bins, lookup = Normalization(), Discretization(num_bins=3, output_mode="one_hot"), IntegerLookup(output_mode="count")
    scale.adapt(REAL)
    bins.adapt(REAL)
    lookup.adapt(INTS)
    a, b = Input((4,)), Input((4,), dtype="int32")
    model = Model([a, b], [scale(a), bins(a), lookup(b)])
    wanted = model.predict([REAL, INTS], verbose=0)
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (copy.deepcopy(model), clone):
        for p, q in zip(other.predict([REAL, INTS], verbose=0), wanted, strict=True):
            assert np.allclose(p, q)


# ---- a real job: the census data, mixed columns ---------------------------------------------------------------------------
NUMERIC, TARGET = [0, 2, 4, 10, 11, 12], 14


def census(part):
    """(numbers [rows, 6], {column: strings}, label) of the adult income data, if it is there."""
    folder = os.environ.get("BRISKNET_DATA", "")
    path = Path(folder, f"adult-{part}.csv")
    if not folder or not path.exists():
        pytest.skip("BRISKNET_DATA does not name a folder with the adult income data")
    lines = [line for line in path.read_text().splitlines() if line.count(",") == 14][:10000]
    table = np.array([[cell.strip() for cell in line.split(",")] for line in lines])
    words = {i: table[:, i] for i in range(14) if i not in NUMERIC}
    return table[:, NUMERIC].astype("float32"), words, np.char.startswith(table[:, TARGET], ">50K").astype("float32")


def test_census_income(backend):
    numbers, words, y = census("train")
    scale = Normalization()
    scale.adapt(numbers)
    age = Discretization(num_bins=10, output_mode="one_hot")
    age.adapt(numbers[:, :1])
    lookups = {i: StringLookup(output_mode="one_hot") for i in words}
    for i, layer in lookups.items():
        layer.adapt(words[i])
    crossed = Hashing(64, output_mode="one_hot")

    def features(words):
        pairs = np.char.add(words[6], words[7])
        return np.concatenate([*(layer(words[i]) for i, layer in lookups.items()), crossed(pairs)], axis=1).astype("uint8")

    a, b = Input((6,), name="numbers"), Input((features({i: w[:1] for i, w in words.items()}).shape[1],), name="words")
    h = Dense(32, activation="relu")(Concatenate()([scale(a), age(a[:, :1]), b]))
    model = Model([a, b], Dense(1, activation="sigmoid")(h))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit([numbers, features(words)], y, batch_size=256, epochs=3, verbose=0)
    numbers, words, y = census("test")
    assert model.evaluate([numbers, features(words)], y, verbose=0, return_dict=True)["accuracy"] > 0.84


def test_text_in_lists_and_arrays():
    layer = StringLookup(vocabulary=["a", "b", "c", "d"])
    for x in (LETTERS, np.array(LETTERS), np.array(LETTERS, object), np.array(LETTERS).astype("S")):
        assert np.array_equal(layer(x), layer(LETTERS))
