"""Batches that come from elsewhere than arrays in memory: generators, data sets, iterables, arrays on disk."""

import threading
import time
import warnings

import numpy as np
import pytest

import brisknet as bn
from brisknet.callbacks import Callback
from brisknet.layers import Dense, Input
from brisknet.models import Model, Sequential
from brisknet.training.sources import find_source
from brisknet.training.sources.rows import SMALL_BYTES, RowsSource
from brisknet.utils import PyDataset
from tests.small_models import classifier, data

X, Y = data()  # 70 rows of 4 features, labels
CUTS = [(at, min(at + 16, 70)) for at in range(0, 70, 16)]  # the last batch has 6 rows


def batches(endless=False):
    while True:
        for a, b in CUTS:
            yield X[a:b], Y[a:b]
        if not endless:
            return


class Rows(PyDataset):
    """The same batches as a PyDataset; notes what is asked of it."""

    def __init__(self, weights=None, **kwargs):
        super().__init__(**kwargs)
        self.weights, self.log = weights, []

    def __len__(self):
        return len(CUTS)

    def __getitem__(self, i):
        self.log.append(i)
        a, b = CUTS[i]
        return (X[a:b], Y[a:b]) + (() if self.weights is None else (self.weights[a:b],))

    def on_epoch_begin(self):
        self.log.append("begin")

    def on_epoch_end(self):
        self.log.append("end")


class Loader:
    """What a DataLoader looks like: no __getitem__, a new pass for every iter()."""

    def __iter__(self):
        return ([a, b] for a, b in batches())

    def __len__(self):
        return len(CUTS)


class Steps(Callback):
    """The number of training steps of every epoch."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(0)

    def on_train_batch_end(self, batch, logs=None):
        assert batch == self.seen[-1]
        self.seen[-1] += 1


def fitted(*args, **kwargs):
    """(history, weights) of a fresh model after fit."""
    model = classifier()
    history = model.fit(*args, verbose=0, shuffle=False, **kwargs).history
    return history, model.get_weights()


def same(a, b):
    assert a[0].keys() == b[0].keys()
    for name in a[0]:
        assert np.allclose(a[0][name], b[0][name], rtol=1e-6), name
    for v, w in zip(a[1], b[1], strict=True):
        assert np.allclose(v, w, rtol=1e-5, atol=1e-7)


MAKERS = {
    "generator": lambda: batches(),
    "endless": lambda: batches(True),
    "iterator": lambda: iter(list(batches())),
    "loader": Loader,
    "dataset": Rows,
    "threads": lambda: Rows(workers=3, max_queue_size=2),
    "zip": lambda: zip([X[a:b] for a, b in CUTS], [Y[a:b] for a, b in CUTS], strict=True),
}


# ---- the same numbers as from arrays --------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", MAKERS)
def test_every_source_trains_as_the_arrays_do(backend, kind):
    steps = len(CUTS) if kind == "endless" else None
    wanted = fitted(X, Y, batch_size=16, epochs=1)
    same(fitted(MAKERS[kind](), epochs=1, steps_per_epoch=steps), wanted)
    model = classifier()
    assert np.allclose(model.evaluate(MAKERS[kind](), steps=steps, verbose=0), model.evaluate(X, Y, verbose=0), rtol=1e-6)
    assert np.allclose(model.predict(MAKERS[kind](), steps=steps, verbose=0), model.predict(X, verbose=0), atol=1e-6)


@pytest.mark.parametrize("kind", ["loader", "dataset", "threads"])
def test_sources_begin_anew_with_every_epoch(backend, kind):
    same(fitted(MAKERS[kind](), epochs=3), fitted(X, Y, batch_size=16, epochs=3))


def test_batch_hooks_and_the_hooks_of_a_dataset(backend):
    dataset, steps = Rows(), Steps()
    fitted(dataset, epochs=2, callbacks=[steps])
    one = ["begin", 0, 1, 2, 3, 4, "end"]
    assert dataset.log == [0, *one, *one] and steps.seen == [5, 5]


def test_weights_in_batches_and_class_weight(backend):
    weights = np.linspace(0.0, 2.0, 70).astype("float32")
    same(fitted(Rows(weights), epochs=2), fitted(X, Y, sample_weight=weights, batch_size=16, epochs=2))
    same(fitted(Rows(), epochs=2, class_weight={0: 3.0}), fitted(X, Y, class_weight={0: 3.0}, batch_size=16, epochs=2))
    with pytest.raises(ValueError, match="can't both be given"):
        fitted(Rows(weights), class_weight={0: 3.0})


def test_shuffle_changes_the_order_of_the_batches_of_a_dataset(backend):
    dataset = Rows()
    classifier().fit(dataset, epochs=3, verbose=0)
    orders = [tuple(dataset.log[i + 1 : i + 6]) for i, x in enumerate(dataset.log) if x == "begin"]
    assert all(sorted(o) == [0, 1, 2, 3, 4] for o in orders) and len(set(orders)) > 1


def test_several_inputs_and_outputs(backend):
    def make():
        bn.utils.set_random_seed(3)
        a, b = Input((3,), name="a"), Input((1,), name="b")
        model = Model({"a": a, "b": b}, [Dense(1, name="left")(a), Dense(2, name="right")(b)])
        model.compile("sgd", "mse")
        return model

    rng = np.random.default_rng(0)
    x = {"a": rng.normal(size=(20, 3)), "b": rng.normal(size=(20, 1))}
    y = [rng.normal(size=(20, 1)), rng.normal(size=(20, 2))]
    parts = [({k: v[i : i + 8] for k, v in x.items()}, [v[i : i + 8] for v in y]) for i in range(0, 20, 8)]
    one, other = make(), make()
    got = one.fit(iter(parts), verbose=0).history
    assert np.allclose(got["loss"], other.fit(x, y, batch_size=8, shuffle=False, verbose=0).history["loss"])
    for p, q in zip(one.predict((p[:1] for p in parts), verbose=0), other.predict(x, verbose=0), strict=True):
        assert np.allclose(p, q, atol=1e-6)


def test_a_model_without_shapes_is_built_from_the_first_batch(backend):
    model = Sequential([Dense(3, activation="relu"), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(batches(), verbose=0)
    assert model.layers[0].kernel.shape == (4, 3)


def test_validation_from_sources(backend):
    wanted = fitted(X, Y, batch_size=16, epochs=2, validation_data=(X, Y))
    for source in (Rows(), Loader()):
        same(fitted(X, Y, batch_size=16, epochs=2, validation_data=source), wanted)
    got = fitted(Rows(), epochs=4, validation_data=batches(True), validation_steps=5, validation_freq=2)
    assert np.allclose(got[0]["val_loss"], fitted(X, Y, batch_size=16, epochs=4, validation_data=(X, Y),
                                                  validation_freq=2)[0]["val_loss"])  # fmt: skip
    first = fitted(X, Y, batch_size=16, validation_data=(X, Y), validation_steps=2, validation_batch_size=10)
    assert np.allclose(first[0]["val_loss"], fitted(X, Y, batch_size=16, validation_data=(X[:20], Y[:20]))[0]["val_loss"])


def test_initial_epoch(backend):
    steps = Steps()
    history = classifier().fit(Rows(), initial_epoch=2, epochs=5, callbacks=[steps], verbose=0)
    assert history.epoch == [2, 3, 4] and steps.seen == [5, 5, 5]


# ---- steps_per_epoch, and sources that end (the same numbers of steps as real Keras 3.15) ------------------------------
def test_an_endless_generator_goes_on_from_epoch_to_epoch(backend):
    taken = []

    def numbered():
        for i, batch in enumerate(batches(True)):
            taken.append(i)
            yield batch

    steps = Steps()
    fitted(numbered(), epochs=3, steps_per_epoch=4, callbacks=[steps])
    assert steps.seen == [4, 4, 4] and taken == list(range(12))


def test_a_generator_that_ends_early_warns(backend):
    steps = Steps()
    with pytest.warns(UserWarning, match="after 1 of 2 steps"):
        fitted(batches(), epochs=3, steps_per_epoch=2, callbacks=[steps])
    assert steps.seen == [2, 2, 1]
    with pytest.warns(UserWarning, match="ran out of data before the last epoch"):
        history, _ = fitted(batches(), epochs=3)
    assert len(history["loss"]) == 1
    model = classifier()
    with pytest.warns(UserWarning, match="after 5 of 7 steps"):
        a = model.evaluate(batches(), steps=7, verbose=0)
    assert np.allclose(a, model.evaluate(X, Y, verbose=0))
    with pytest.warns(UserWarning, match="after 5 of 7 steps"):
        assert len(model.predict(batches(), steps=7, verbose=0)) == 70
    assert len(model.predict(batches(), steps=2, verbose=0)) == 32


def test_validation_data_that_are_used_up_leave_the_metrics_of_training(backend):
    with pytest.warns(UserWarning, match="ran out of data"):
        history, _ = fitted(X, Y, batch_size=16, epochs=3, validation_data=batches())
    assert len(history["loss"]) == 3 and len(history["val_loss"]) == 1
    wanted = fitted(X, Y, batch_size=16, validation_data=(X, Y))[0]
    assert np.allclose(history["val_loss"], wanted["val_loss"])


@pytest.mark.parametrize("make", [lambda: (Rows(),), lambda: (X, Y)], ids=["dataset", "arrays"])
def test_steps_per_epoch_of_what_has_a_length(backend, make):
    steps = Steps()
    with pytest.warns(UserWarning, match="after 2 of 3 steps"):
        fitted(*make(), batch_size=16, epochs=4, steps_per_epoch=3, callbacks=[steps])
    assert steps.seen == [3, 2, 3, 2]
    with pytest.warns(UserWarning, match="after 5 of 7 steps"):
        fitted(*make(), batch_size=16, epochs=2, steps_per_epoch=7, callbacks=[steps])
    assert steps.seen == [5, 5]


def test_training_stops_in_the_middle_of_an_epoch(backend):
    class Stop(Steps):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            self.model.stop_training = batch == 1

    steps, dataset = Stop(), Rows()
    fitted(dataset, epochs=3, callbacks=[steps])
    assert steps.seen == [2] and dataset.log[-1] == "end"


# ---- errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("workers", [1, 2])
def test_a_source_that_raises_leaves_the_model_usable(backend, workers):
    class Broken(Rows):
        def __getitem__(self, i):
            if i == 3:
                raise KeyError("batch 3 is missing")
            return super().__getitem__(i)

    model, dataset = classifier(), Broken(workers=workers)
    before = threading.active_count()
    with pytest.raises(KeyError, match="batch 3 is missing"):
        model.fit(dataset, shuffle=False, verbose=0)
    assert dataset.log[-1] == "end" and threading.active_count() == before
    with pytest.raises(KeyError):
        model.evaluate(dataset, verbose=0)
    assert len(model.fit(Rows(), epochs=2, verbose=0).history["loss"]) == 2
    assert np.isfinite(model.predict(X, verbose=0)).all()


def test_a_train_step_of_ones_own_gets_the_batches(backend):
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            return super().train_step(data)

    histories = []
    for fed in ((batches(True),), (X, Y)):
        bn.utils.set_random_seed(4)
        model = Own()
        model.compile("sgd", "mse")
        steps = len(CUTS) if len(fed) == 1 else None
        histories.append(model.fit(*fed, batch_size=16, epochs=3, steps_per_epoch=steps, shuffle=False, verbose=0).history)
    assert np.allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)


def test_a_bad_label_in_a_later_batch_is_told(backend):
    good, bad = (X[:8].copy(), np.ones(8)), (X[:8].copy(), np.full(8, np.nan))
    model = classifier()
    with pytest.raises(ValueError, match="y: numbers expected, got NaN in row 0"):
        model.fit(iter([good, good, good, bad]), verbose=0)


def test_a_bad_batch_names_the_trouble(backend):
    good = (X[:8], Y[:8])
    for bad, message in (((X[:8, :3], Y[:8]), "x: shape"), ((X[:8], Y[:7]), "same number of rows"),
                         ((X[:8],), "y: targets expected"), ((1, 2, 3, 4), "a batch: x")):  # fmt: skip
        model = classifier()
        with pytest.raises(ValueError, match=message):
            model.fit(iter([good, bad]), verbose=0)
        model.fit(iter([good, good]), verbose=0)


def test_a_dataset_that_forgets_its_base(backend):
    class Forgets(Rows):
        def __init__(self):
            self.weights, self.log = None, []

    with pytest.warns(UserWarning, match="super"):
        fitted(Forgets())


# ---- workers ----------------------------------------------------------------------------------------------------------
def test_workers_keep_the_order_and_the_limit(backend):
    begun, most = [], []

    class Slow(Rows):
        def __getitem__(self, i):
            begun.append(i)
            most.append(len(begun) - len(done))
            time.sleep(0.002 * (5 - i))
            return super().__getitem__(i)

    done = []
    source = find_source(Slow(workers=4, max_queue_size=3)).batches(0)
    for i, (x, _) in enumerate(source):
        assert np.array_equal(x, X[slice(*CUTS[i])])
        done.append(i)
    assert len(done) == 5 and max(most) <= 4


def test_worker_processes_keep_the_order(backend):
    same(fitted(Rows(workers=2, use_multiprocessing=True), epochs=2), fitted(X, Y, batch_size=16, epochs=2))


# ---- arrays on disk ---------------------------------------------------------------------------------------------------
def stored(path, x):
    out = np.memmap(path, x.dtype, "w+", shape=x.shape)
    out[:] = x
    out.flush()
    return np.memmap(path, x.dtype, "r", shape=x.shape)


class Store:
    """Looks like a data set of HDF5: rows by slice or by increasing numbers, and no array."""

    chunks = (8, 4)

    def __init__(self, x):
        self.x, self.shape, self.dtype, self.most = x, x.shape, x.dtype, 0

    def __len__(self):
        return len(self.x)

    def __getitem__(self, key):
        if not isinstance(key, slice):
            assert (np.diff(key) > 0).all()
        out = self.x[key]
        self.most = max(self.most, len(out))
        return out

    def __array__(self, *args, **kwargs):
        raise AssertionError("the whole data set was read")


def test_chunked_stores_are_read_batch_by_batch(backend):
    store = Store(X)
    same(fitted(store, Y, batch_size=16, epochs=2), fitted(X, Y, batch_size=16, epochs=2))
    model = classifier()
    assert np.allclose(model.predict(store, batch_size=16, verbose=0), model.predict(X, verbose=0), atol=1e-6)
    model.fit(store, Y.tolist(), batch_size=16, epochs=2, verbose=0)  # shuffled
    assert np.allclose(model.evaluate(store, Y, verbose=0, batch_size=16), model.evaluate(X, Y, verbose=0), rtol=1e-6)
    assert store.most == 16
    split = dict(batch_size=16, epochs=2, validation_split=0.2)
    same(fitted(store, Y, **split), fitted(X, Y, **split))


def test_rows_are_shuffled_and_all_of_them_come():
    source = RowsSource((Store(np.arange(50)), None, None), 8, shuffle_key=5)
    seen = [np.concatenate([b[0] for b in source.batches(e)]) for e in (0, 1, 0)]
    assert all(sorted(s.tolist()) == list(range(50)) for s in seen)
    assert np.array_equal(seen[0], seen[2]) and not np.array_equal(seen[0], seen[1])


def anonymous_kb():
    """Memory of this process that is no page of a file."""
    with open("/proc/self/status") as f:
        return int(next(line.split()[1] for line in f if line.startswith("RssAnon")))


@pytest.mark.parametrize("view", ["whole", "columns"])
def test_memory_mapped_arrays_are_not_copied(backend, tmp_path, view):
    try:
        anonymous_kb()
    except (OSError, StopIteration):
        pytest.skip("the process does not tell what memory it uses")
    rows = SMALL_BYTES // 4 // 64 * 4
    mapped = np.memmap(tmp_path / "x.bin", "float32", "w+", shape=(rows, 128))  # 32 MB
    mapped[:] = np.arange(128)
    x = mapped if view == "whole" else mapped[:, :64]
    y = (np.arange(rows) % 2).astype("float32")
    model = Sequential([Input((x.shape[1],)), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x[:256], y[:256], batch_size=256, verbose=0)
    model.evaluate(x[:256], y[:256], batch_size=256, verbose=0)
    before, most = anonymous_kb(), []

    class Watch(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch % 32 == 0:
                most.append(anonymous_kb())

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, batch_size=256, verbose=0, callbacks=[Watch()])
    model.evaluate(x, y, batch_size=256, verbose=0)
    assert x.nbytes >= 1 << 24
    assert max([*most, anonymous_kb()]) - before < x.nbytes / 1024 / 2
