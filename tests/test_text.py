"""Text preparation: TextVectorization, padding, windows and folders of texts, against real Keras and in use."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import brisknet as bn
from brisknet import saving, utils
from brisknet.layers import Dense, Embedding, GlobalAveragePooling1D, Input, TextVectorization
from brisknet.models import Sequential
from tests.golden.text_cases import LAYERS, NEW, PADDED, SERIES, TEXTS

GOLDEN = json.loads((Path(__file__).parent / "golden" / "keras_text.json").read_text(encoding="utf-8"))


def check(got, wanted):
    got = np.asarray(got)
    assert got.dtype.name == wanted["dtype"] and list(got.shape) == wanted["shape"]
    np.testing.assert_allclose(got, np.asarray(wanted["y"], got.dtype).reshape(got.shape), rtol=2e-6, atol=0)


# ---- against Keras ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", LAYERS)
def test_keras_gives_the_same_indices(name):
    make, adapt, inputs = LAYERS[name]
    layer, wanted = make(bn), GOLDEN["layers"][name]
    if adapt is not None:
        layer.adapt(adapt)
    assert layer.get_vocabulary() == wanted["vocabulary"] and layer.vocabulary_size() == wanted["size"]
    check(layer(inputs), wanted)


@pytest.mark.parametrize("name", PADDED)
def test_keras_pads_the_same(name):
    check(PADDED[name](bn.keras), GOLDEN["padded"][name])


@pytest.mark.parametrize("name", [n for n in SERIES if n != "shuffled"])
def test_keras_cuts_the_same_windows(name):
    data, targets, kwargs = SERIES[name]
    dataset = utils.timeseries_dataset_from_array(data, targets, **kwargs)
    assert len(dataset) == len(GOLDEN["series"][name])
    for _ in range(2):
        for batch, wanted in zip(dataset, GOLDEN["series"][name], strict=True):
            for got, want in zip(batch if targets is not None else (batch,), wanted, strict=True):
                check(got, {**want, "dtype": np.asarray(got).dtype.name})  # dtypes stay those of the data


# ---- the layer --------------------------------------------------------------------------------------------------------
def halves(texts):
    """A split of one's own: every text in two."""
    return [[t[: len(t) // 2], t[len(t) // 2 :]] for t in texts]


@saving.register_keras_serializable("tests")
def shout(texts):
    return np.char.upper(texts)


def test_functions_standardise_and_split():
    layer = TextVectorization(standardize=shout, split=halves)
    layer.adapt(["abcd", "abxy"])
    assert layer.get_vocabulary() == ["", "[UNK]", "AB", "XY", "CD"]
    assert layer([["abcd"], ["xyq"]]).tolist() == [[2, 4], [1, 1]]
    assert TextVectorization(split=lambda x: np.char.split(x, "-"), standardize=None, vocabulary=["a"])(["a-b"]).tolist() == [[2, 1]]


@pytest.mark.parametrize("source", ["list", "column", "objects", "array", "bytes", "series", "batches", "dataset"])
def test_adapt_takes_texts_in_every_form(source):
    pd = pytest.importorskip("pandas")
    sources = {
        "list": TEXTS, "column": np.array(TEXTS)[:, None], "objects": np.array(TEXTS, object), "array": np.array(TEXTS),
        "bytes": np.array(TEXTS).astype("S"), "series": pd.Series(TEXTS), "batches": iter([TEXTS[:1], TEXTS[1:]]),
        "dataset": Texts(),
    }  # fmt: skip
    layer, wanted = TextVectorization(output_mode="tf_idf"), TextVectorization(output_mode="tf_idf")
    layer.adapt(sources[source], batch_size=2)
    wanted.adapt(TEXTS)
    assert layer.get_vocabulary() == wanted.get_vocabulary()
    np.testing.assert_array_equal(layer(NEW), wanted(NEW))


class Texts(utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return np.array(TEXTS[2 * i : 2 * i + 2], object), np.zeros(2)


def test_adapt_takes_so_many_batches():
    layer = TextVectorization()
    layer.adapt(iter([["a"], ["b"]]), steps=1)
    assert layer.get_vocabulary() == ["", "[UNK]", "a"]


@pytest.mark.parametrize("name", ["int_learnt", "tf_idf_ngrams", "tf_idf_given", "int_ngrams_(3, 1)", "count_characters",
                                  "length_3", "pad_count", "standardize_None"])  # fmt: skip
def test_configs_keep_what_was_learnt(name):
    make, adapt, inputs = LAYERS[name]
    layer = make(bn)
    if adapt is not None:
        layer.adapt(adapt)
    written = json.loads(json.dumps(saving.serialize_keras_object(layer)))
    assert written["module"] == "keras.layers"
    for new in (TextVectorization.from_config(json.loads(json.dumps(layer.get_config()))), saving.deserialize_keras_object(written)):
        assert new.get_config() == layer.get_config() and new.get_vocabulary() == layer.get_vocabulary()
        np.testing.assert_array_equal(new(inputs), layer(inputs))
        assert new.compute_output_shape((4,)) == layer.compute_output_shape((4,))
    if adapt is not None:
        new.adapt(adapt)  # as the first one, which has no vocabulary of its maker's


def test_registered_functions_are_written_by_name():
    layer = TextVectorization(standardize=shout, vocabulary=["A"])
    written = json.dumps(saving.serialize_keras_object(layer))
    assert "tests>shout" in written and "__lambda__" not in written
    new = saving.deserialize_keras_object(json.loads(written))
    assert new.standardize is shout and new(["a b"]).tolist() == [[2, 1]]


def test_output_shapes():
    layer = TextVectorization(vocabulary=["a", "b"], output_sequence_length=5)
    assert layer.compute_output_shape((None, 1)) == layer.compute_output_shape((None,)) == (None, 5)
    assert TextVectorization(vocabulary=["a"], output_mode="count").compute_output_shape((None, 1)) == (None, 2)


def test_a_long_text_beside_short_ones_costs_no_room():
    import tracemalloc

    texts = ["word"] * 2000 + ["word " * 20_000]  # as an array of fixed width: 800 MB
    layer = TextVectorization(vocabulary=["word"], output_mode="count")
    tracemalloc.start()
    assert layer(texts)[-1].tolist() == [0, 20_000]
    assert tracemalloc.get_traced_memory()[1] < 30e6
    tracemalloc.stop()


# ---- before a model ---------------------------------------------------------------------------------------------------
GOOD, BAD = ["a great film", "great fun and a joy", "what a joy", "fun"], ["a dull film", "boring and dull", "what a bore", "boring"]


def test_texts_in_a_pipeline_train_a_model(backend, tmp_path):
    for name, texts in (("bad", BAD), ("good", GOOD)):
        (tmp_path / name).mkdir()
        for i, text in enumerate(texts):
            (tmp_path / name / f"{i}.txt").write_text(text, encoding="utf-8")
    texts = utils.text_dataset_from_directory(tmp_path, batch_size=4, label_mode="binary", seed=1, verbose=False)
    vectorize = TextVectorization(output_sequence_length=6)
    vectorize.adapt(texts.map(lambda x, y: x))
    model = Sequential([
        Input((6,), dtype="int32"), Embedding(vectorize.vocabulary_size(), 8, mask_zero=True), GlobalAveragePooling1D(),
        Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(bn.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    ids = texts.map(lambda x, y: (vectorize(x), y), num_parallel_calls=4)
    model.fit(ids, epochs=30, verbose=0)
    assert model.evaluate(ids, verbose=0, return_dict=True)["accuracy"] == 1.0
    predicted = model.predict(vectorize(["great great joy", "dull and boring"]), verbose=0)
    assert predicted[0] > 0.7 and predicted[1] < 0.3


# ---- windows ----------------------------------------------------------------------------------------------------------
def test_shuffled_windows_are_all_there_in_another_order_each_pass():
    data, targets, kwargs = SERIES["shuffled"]
    dataset, again = (utils.timeseries_dataset_from_array(data, targets, **kwargs) for _ in range(2))
    wanted = sorted(v for batch in GOLDEN["series"]["shuffled"] for v in batch[1]["y"])
    passes = [[batch[1].tolist() for batch in dataset] for _ in range(2)]
    for found in passes:
        assert sorted(sum(found, [])) == wanted and [len(f) for f in found] == [4, 4, 4, 4, 1]
    assert passes[0] != passes[1] and passes == [[batch[1].tolist() for batch in again] for _ in range(2)]
    for x, y in dataset:
        np.testing.assert_array_equal(x[:, 0, 0], y)


def test_windows_train_evaluate_and_predict(backend):
    series = np.sin(np.arange(200) / 5).astype("float32")[:, None]
    train = utils.timeseries_dataset_from_array(series[:-1], series[10:], 10, batch_size=16, end_index=150)
    held = utils.timeseries_dataset_from_array(series[:-1], series[10:], 10, batch_size=16, start_index=150)
    model = Sequential([Input((10, 1)), bn.layers.Flatten(), Dense(1)])
    model.compile(bn.optimizers.Adam(0.02), "mse")
    history = model.fit(train, epochs=20, validation_data=held, verbose=0).history
    assert len(history["loss"]) == 20 and history["val_loss"][-1] < 0.02
    y = np.concatenate([y for _, y in held])
    out = model.predict(held.map(lambda x, y: x), verbose=0)
    np.testing.assert_allclose(np.mean((out - y) ** 2), model.evaluate(held, verbose=0), rtol=1e-4)


# ---- folders ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path):
    for name in ("b/1.txt", "a/2.txt", "a/deep/3.TXT", "a/4.md", "c/5.txt", ".hidden/6.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"text {name}", encoding="utf-8")
    return tmp_path


def test_folders_are_classes(folder, capsys):
    dataset = utils.text_dataset_from_directory(folder, batch_size=3, shuffle=False)
    assert capsys.readouterr().out == "Found 4 files belonging to 3 classes.\n"
    (x, y), (last, _) = dataset
    assert x.tolist() == ["text a/2.txt", "text a/deep/3.TXT", "text b/1.txt"] and last.tolist() == ["text c/5.txt"]
    assert y.tolist() == [0, 0, 1] and y.dtype == np.int32 and dataset.class_names == ["a", "b", "c"]
    one = utils.text_dataset_from_directory(
        folder, label_mode="categorical", class_names=["c", "a"], batch_size=None, max_length=6, shuffle=False, verbose=False
    )
    assert [(x, y.tolist()) for x, y in one] == [("text c", [1, 0]), ("text a", [0, 1]), ("text a", [0, 1])]
    alone = utils.text_dataset_from_directory(folder / "a", labels=None, shuffle=False, verbose=False)
    assert [b.tolist() for b in alone] == [["text a/2.txt", "text a/deep/3.TXT"]]
    given = utils.text_dataset_from_directory(folder / "a", labels=[5, 3], shuffle=False, verbose=False)
    assert next(iter(given))[1].tolist() == [5, 3] and given.class_names == ["3", "5"]


def test_parts_of_a_folder_do_not_overlap(folder):
    kwargs = {"validation_split": 0.5, "seed": 3, "verbose": False}
    train, held = utils.text_dataset_from_directory(folder, subset="both", **kwargs)
    assert len(train.file_paths) == len(held.file_paths) == 2 and not set(train.file_paths) & set(held.file_paths)
    for subset, part in (("training", train), ("validation", held)):
        alone = utils.text_dataset_from_directory(folder, subset=subset, **kwargs)
        assert alone.file_paths == part.file_paths and alone.labels.tolist() == part.labels.tolist()
        for path, label in zip(part.file_paths, part.labels, strict=True):
            assert Path(path).relative_to(folder).parts[0] == part.class_names[label]


def test_keras_names():
    from brisknet.keras.preprocessing.sequence import pad_sequences

    assert pad_sequences is utils.pad_sequences
    assert bn.keras.preprocessing.timeseries_dataset_from_array is utils.timeseries_dataset_from_array
    assert bn.keras.utils.text_dataset_from_directory is bn.preprocessing.text_dataset_from_directory


@pytest.mark.parametrize("line", [
    "from brisknet.utils import pad_sequences", "from brisknet.utils import PyDataset", "from brisknet.training import data",
    "from brisknet.keras.preprocessing.sequence import pad_sequences", "from brisknet import tokenizers; tokenizers.load",
])  # fmt: skip
def test_any_part_can_be_imported_first(line):
    subprocess.run([sys.executable, "-c", line], check=True, timeout=60)
