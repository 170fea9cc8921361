"""Metrics in training and by themselves: streaming over batches, epochs in bulk, custom metrics, errors."""

import numpy as np
import pytest

import brisknet as bn
from brisknet import metrics, ops
from brisknet.callbacks import Callback
from brisknet.layers import Dense, Input
from brisknet.models import Sequential
from tests.small_models import data

RNG = np.random.default_rng(4)
X, Y = data(70)


def model(metrics=(), outputs=1, loss="binary_crossentropy", **options):
    net = Sequential([Input((4,)), Dense(5, activation="tanh"), Dense(outputs, activation="sigmoid")])
    net.compile("sgd", loss, metrics=list(metrics), **options)
    rng = np.random.default_rng(2)
    net.set_weights([rng.normal(size=w.shape).astype("float32") for w in net.get_weights()])
    return net


def all_metrics():
    """A metric of every kind that fits one output of probabilities."""
    return [
        "accuracy", "mse", metrics.Precision(name="p"), metrics.Recall(thresholds=[0.3, 0.6], name="r"), metrics.AUC(name="auc"),
        metrics.AUC(curve="PR", num_thresholds=30, name="pr"), metrics.AUC(multi_label=True, name="each"),
        metrics.F1Score(threshold=0.5, name="f1"), metrics.R2Score(name="r2"), metrics.BinaryIoU(name="iou"),
        metrics.SensitivityAtSpecificity(0.5, name="ss"), metrics.RootMeanSquaredError(name="rmse"),
        metrics.TruePositives(name="tp"), metrics.CosineSimilarity(name="cos"), metrics.PrecisionAtRecall(0.4, name="pa"),
        metrics.MeanMetricWrapper(lambda t, p: ops.mean(ops.abs(t - p), axis=-1), name="own"),
    ]  # fmt: skip


def same(a, b, tolerance=1e-6):
    assert sorted(a) == sorted(b)
    for k in a:
        np.testing.assert_allclose(np.asarray(a[k]), np.asarray(b[k]), rtol=tolerance, atol=tolerance, err_msg=k)


class Looks(Callback):
    """Makes fit return to Python at the end of every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.logs = dict(logs)


def test_epochs_in_bulk_are_those_one_by_one(backend):
    first, second = model(all_metrics()), model(all_metrics())
    bn.utils.set_random_seed(3)
    first._shuffle_key = second._shuffle_key
    looks = Looks()
    a = first.fit(X, Y[:, None].astype("float32"), epochs=12, batch_size=16, verbose=0)
    b = second.fit(X, Y[:, None].astype("float32"), epochs=12, batch_size=16, verbose=0, callbacks=[looks])
    same(a.history, b.history)
    same({k: [v[-1]] for k, v in a.history.items()}, {k: [looks.logs[k]] for k in a.history})
    same(first.get_metrics_result(), {k: v[-1] for k, v in a.history.items()})


def test_steps_stay_native_and_every_metric_streams_in_bulk():
    if not bn.config.native_available():
        pytest.skip("the pure-Python package has no kernels")
    from brisknet.training import bulk

    net = model(all_metrics())
    net.fit(X, Y[:, None].astype("float32"), epochs=1, batch_size=16, verbose=0)
    assert {p.executor for p in net._programs.values()} == {"native"}
    assert bulk.states(net._named_metrics("train")) is not None


def test_evaluate_is_the_metric_of_all_predictions_at_once(backend):
    net = model(all_metrics())
    y = Y[:, None].astype("float32")
    got = net.evaluate(X, y, batch_size=9, verbose=0, return_dict=True)
    pred = net.predict(X, verbose=0)
    for made in all_metrics()[2:]:
        made.update_state(y, pred)
        np.testing.assert_allclose(got[made.name], made.result(), rtol=2e-5, atol=1e-6, err_msg=made.name)


def test_weighted_metrics_in_a_model(backend):
    weight = RNG.uniform(0, 2, 70).astype("float32")
    kinds = [metrics.Precision, metrics.AUC, metrics.BinaryIoU, metrics.R2Score, metrics.F1Score, metrics.RootMeanSquaredError]
    net = model(weighted_metrics=[k(name=k.__name__) if k is not metrics.BinaryIoU else k(name="BinaryIoU", dtype="float32") for k in kinds])
    y = Y[:, None].astype("float32")
    got = net.evaluate(X, y, batch_size=32, sample_weight=weight, verbose=0, return_dict=True)
    pred = net.predict(X, verbose=0)
    for k in kinds:
        made = k(dtype="float32")
        made.update_state(y, pred, weight[:, None] if k is metrics.BinaryIoU else weight)
        np.testing.assert_allclose(got[k.__name__], made.result(), rtol=1e-4, atol=1e-6, err_msg=k.__name__)


def test_integer_targets_reach_the_kernels_as_they_are(backend):
    net = Sequential([Input((4,)), Dense(3, activation="softmax")])
    label = np.arange(70) % 3
    kinds = [metrics.SparseTopKCategoricalAccuracy(2, name="top"), metrics.MeanIoU(3, sparse_y_pred=False, name="iou"), "accuracy"]
    net.compile("sgd", "sparse_categorical_crossentropy", metrics=kinds)
    got = net.evaluate(X, label, verbose=0, return_dict=True)
    pred = net.predict(X, verbose=0)
    order = np.argsort(-pred, axis=1)
    assert got["top"] == pytest.approx(np.mean((order[:, :2] == label[:, None]).any(1)))
    guess, cm = order[:, 0], np.zeros((3, 3))
    np.add.at(cm, (label, guess), 1)
    hits = np.diag(cm)
    assert got["iou"] == pytest.approx(np.mean(hits / (cm.sum(0) + cm.sum(1) - hits)), rel=1e-5)


# ---- metrics of one's own -----------------------------------------------------------------------------------------------
class Largest(metrics.Metric):
    """The largest error, and how many batches there were."""

    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.most = self.add_variable((), "zeros", name="most")
        self.batches = self.add_weight(name="batches")
        self.errors = metrics.Mean("errors")

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = ops.abs(ops.reshape(y_true, (-1, 1)) - y_pred)
        self.most.assign(ops.maximum(self.most, ops.max(error)))
        self.batches.assign_add(1.0)
        self.errors.update_state(error)

    def result(self):
        return self.most + 0.0


class Last(metrics.Metric):
    """Starts at one, by a reset_state of its own."""

    def __init__(self, name="last"):
        super().__init__(name=name)
        self.value = self.add_variable((), "ones")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(self.value * 0.5)

    def result(self):
        return self.value

    def reset_state(self):
        self.value.assign(np.ones(()))


def test_custom_metrics_in_fit_and_evaluate(backend):
    net = model([Largest(), Last(), lambda t, p: ops.mean(ops.square(t - p), axis=-1)])
    y = Y[:, None].astype("float32")
    history = net.fit(X, y, epochs=2, batch_size=20, verbose=0).history
    assert history["last"] == [0.5**4] * 2
    got = net.evaluate(X, y, batch_size=20, verbose=0, return_dict=True)
    error = np.abs(y - net.predict(X, verbose=0))
    assert got["largest"] == pytest.approx(error.max(), rel=1e-5) and got["last"] == 0.5**4
    largest = next(m for m in net.metrics if m.name == "largest")
    assert float(largest.batches) == 4 and len(largest.variables) == 4
    assert largest.errors.result() == pytest.approx(error.mean(), rel=1e-5)
    if backend == "native":
        assert {p.executor for p in net._programs.values()} == {"native"}


def test_a_subclass_with_a_result_of_its_own_is_asked_for_it(backend):
    class Miss(metrics.Precision):
        def result(self):
            return 1 - super().result()

    net = model([Miss(name="miss"), metrics.Precision(name="p")])
    history = net.fit(X, Y, epochs=4, verbose=0).history
    np.testing.assert_allclose(np.add(history["miss"], history["p"]), 1, rtol=1e-6)


# ---- by themselves ------------------------------------------------------------------------------------------------------
def test_counts_are_readable_and_exact_over_many_batches():
    m = metrics.Precision(thresholds=[0.8, 0.2])
    for _ in range(3):
        m.update_state([1, 0, 1, 0], [0.9, 0.85, 0.5, 0.1])
    assert m.true_positives.tolist() == [3, 6] and m.false_positives.tolist() == [3, 3]
    assert m.true_negatives.tolist() == [3, 3] and m.false_negatives.tolist() == [3, 0]
    m._state.storage[...] = 2.0**26
    m.update_state([1], [0.9])
    assert m._state.array().sum() == 6 * 2.0**26 + 1, "float32 would lose it"


def test_nan_predictions_are_positive_nowhere(backend):
    pred, true = np.array([[np.nan], [0.7]], "float32"), np.array([[1.0], [1.0]], "float32")
    for m in (metrics.TruePositives(), metrics.TruePositives(thresholds=np.linspace(0, 1, 11).tolist()), metrics.AUC(num_thresholds=4)):
        m.update_state(true, pred)
        assert np.max(m.true_positives[1:] if len(m.true_positives) > 1 else m.true_positives) == 1


def test_stateless_methods_leave_the_metric_alone():
    m = metrics.Mean()
    m.update_state([1.0, 3.0])
    made = m.stateless_update_state(m.stateless_reset_state(), [6.0, 8.0])
    assert m.stateless_result(made) == 7.0 and m.result() == 2.0
    with pytest.raises(ValueError, match="one value for each of its 2 variables, got 1"):
        m.stateless_result(made[:1])


def test_a_metric_called_gives_the_result_so_far():
    m = metrics.Recall()
    assert m([1, 1], [0.9, 0.1]) == 0.5 and m([1, 1], [0.9, 0.9]) == 0.75
    assert metrics.F1Score().result() == 0 and metrics.AUC(multi_label=True).result() == 0
    assert np.isnan(metrics.R2Score().result())


def test_too_many_regressors_give_a_warning_and_the_plain_score():
    t, p = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.5], [3.0]])
    plain, adjusted = metrics.R2Score(), metrics.R2Score(num_regressors=2)
    plain.update_state(t, p), adjusted.update_state(t, p)
    with pytest.warns(UserWarning, match="2 regressors are too many for 3 values"):
        assert adjusted.result() == plain.result()
