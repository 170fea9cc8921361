"""Losses in training: every one on both executors, reductions, masks, dtypes, functions and classes of one's own."""

import warnings

import numpy as np
import pytest

import brisknet as bn
from brisknet import losses, ops
from brisknet.layers import Dense, Input
from brisknet.losses.loss import reduce
from brisknet.models import Sequential
from brisknet.saving import register_serializable

X = np.random.default_rng(0).normal(size=(24, 5)).astype("float32")
LABEL = (np.arange(24) * 7 % 3).astype("int32")
ONEHOT = np.eye(3, dtype="float32")[LABEL]


def trained(loss, y, last="linear", epochs=3, learning_rate=0.05, **fit):
    bn.utils.set_random_seed(3)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), Dense(3, activation=last)])
    model.compile(bn.optimizers.SGD(learning_rate), loss)
    history = model.fit(X, y, epochs=epochs, batch_size=8, shuffle=False, verbose=0, **fit).history["loss"]
    return model, history


# ---- every loss -----------------------------------------------------------------------------------------------------------
REGRESSION = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "cosine_similarity",
              "mean_absolute_percentage_error", "hinge", "squared_hinge", "categorical_hinge")  # fmt: skip
POSITIVE = ("mean_squared_logarithmic_error", "poisson")
PROBABILITIES = ("binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "kl_divergence",
                 "categorical_focal_crossentropy", "dice", "tversky")  # fmt: skip
SPARSE = ("sparse_categorical_crossentropy", "circle", losses.CategoricalGeneralizedCrossEntropy())
CASES = [
    *((n, X[:, :3] + 3, "linear") for n in REGRESSION), *((n, np.abs(X[:, :3]), "softplus") for n in POSITIVE),
    *((n, ONEHOT, "softmax") for n in PROBABILITIES), *((n, LABEL, "softmax") for n in SPARSE),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "y", "last"), CASES, ids=[c[0] if isinstance(c[0], str) else c[0].name for c in CASES])
def test_every_loss_trains_alike_on_both_executors(loss, y, last):
    """And natively without a fallback, which would warn."""
    before, seen = bn.config.backend(), []
    small = 1e-3 if loss in ("mean_absolute_percentage_error", "circle") else 0.05
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("numpy", "native") if bn.config.native_available() else ("numpy",):
            bn.config.set_backend(name)
            seen.append(trained(loss, y, last, learning_rate=small)[1])
    bn.config.set_backend(before)
    assert seen[0][-1] < seen[0][0]
    np.testing.assert_allclose(seen[-1], seen[0], rtol=5e-5, atol=1e-6)


def test_ctc_learns_an_alignment(backend):
    bn.utils.set_random_seed(1)
    y = np.array([[1, 2], [2, 1], [3, 0], [2, 2]], "int32")
    x = np.eye(4, dtype="float32")[:, None, :] * np.linspace(-1, 1, 6, dtype="float32")[:, None] + 0.1
    model = Sequential([Input((6, 4)), Dense(16, activation="tanh"), Dense(4)])
    model.compile(bn.optimizers.Adam(0.05), losses.CTC())
    history = model.fit(x, y, epochs=120, verbose=0).history["loss"]
    assert history[-1] < 0.2 < 2 < history[0]
    best = model.predict(x, verbose=0).argmax(-1)
    for row, wanted in zip(best, y, strict=True):
        kept = [k for i, k in enumerate(row) if k and (i == 0 or k != row[i - 1])]
        assert kept == [k for k in wanted if k]


def test_ctc_of_labels_that_are_longer_than_the_frames_is_large_not_infinite(backend):
    model = Sequential([Input((2, 3)), Dense(3)])
    model.compile("sgd", "ctc")
    value = model.evaluate(np.ones((2, 2, 3)), np.array([[1, 2, 1], [1, 0, 0]]), verbose=0)
    assert 1e4 < value < 1e6


# ---- reductions -------------------------------------------------------------------------------------------------------------
def test_sum_is_the_mean_times_the_rows(backend):
    y = X[:, :3]
    _, mean = trained(losses.MeanSquaredError(), y, epochs=1, learning_rate=0.0)
    _, total = trained(losses.MeanSquaredError(reduction="sum"), y, epochs=1, learning_rate=0.0)
    np.testing.assert_allclose(total[0], 8 * mean[0], rtol=1e-6)
    by_sum, _ = trained(losses.CategoricalCrossentropy(reduction="sum"), ONEHOT, "softmax", learning_rate=0.01)
    by_mean, _ = trained(losses.CategoricalCrossentropy(), ONEHOT, "softmax", learning_rate=0.08)
    for a, b in zip(by_sum.get_weights(), by_mean.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


def test_mean_with_sample_weight_divides_by_the_weights(backend):
    w = np.linspace(0.1, 3, 24).astype("float32")
    model, _ = trained("mse", X[:, :3], epochs=1)
    errors = ((model.predict(X, verbose=0) - X[:, :3]) ** 2).mean(1)
    for reduction, wanted in {"mean_with_sample_weight": (errors * w).sum() / w.sum(), "mean": (errors * w).mean(),
                              "sum": (errors * w).sum()}.items():  # fmt: skip
        model.compile("sgd", losses.MeanSquaredError(reduction=reduction))
        value = model.evaluate(X, X[:, :3], sample_weight=w, batch_size=24, verbose=0)
        np.testing.assert_allclose(value, wanted, rtol=1e-5)


# ---- masks ------------------------------------------------------------------------------------------------------------------
def test_ignored_labels_count_as_if_they_were_not_there(backend):
    void = np.where(np.arange(24) % 4 == 1, -1, LABEL)
    model, _ = trained(losses.SparseCategoricalCrossentropy(ignore_class=-1), void, "softmax")
    kept = void >= 0
    value = model.evaluate(X, void, batch_size=24, verbose=0)
    model.compile("sgd", losses.SparseCategoricalCrossentropy())
    np.testing.assert_allclose(value, model.evaluate(X[kept], void[kept], batch_size=24, verbose=0), rtol=1e-5)


def test_a_mask_of_values():
    values, mask = np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False])
    w = np.array([1.0, 1.0, 0.5, 1.0])
    assert reduce(values, None, "mean", mask) == 2.0  # (1 + 3) / 2
    assert reduce(values, None, "sum", mask) == 4.0
    assert reduce(values, w, "sum_over_batch_size", mask) == 1.25  # (1 + 1.5) / 2
    assert reduce(values, w, "mean_with_sample_weight", mask) == pytest.approx(2.5 / 1.5)
    np.testing.assert_array_equal(reduce(values, None, "none", mask), [1, 0, 3, 0])
    assert reduce(values, None, "mean", np.zeros(4, bool)) == 0.0


# ---- types and epsilon --------------------------------------------------------------------------------------------------------
def test_dtype_casts_targets_and_predictions():
    y, p = np.array([[0.1], [0.7]]), np.array([[0.3], [0.2]])
    assert losses.MeanSquaredError(dtype="float32")(y, p).dtype == np.float32
    assert losses.MeanSquaredError(dtype="float64")(y.astype("float32"), p.astype("float32")).dtype == np.float64
    assert losses.KLDivergence(dtype="float64").dtype == "float64"
    assert losses.KLDivergence().dtype == bn.config.floatx()


def test_another_epsilon_reaches_the_traced_loss(backend):
    before = bn.config.epsilon()
    try:
        bn.config.set_epsilon(0.1)
        model = Sequential([Input((5,)), Dense(3, activation="hard_sigmoid", kernel_initializer="zeros", bias_initializer="ones")])
        model.layers[0].bias.assign([9.0, 9.0, 9.0])
        model.compile("sgd", "binary_crossentropy")
        value = model.evaluate(X, np.zeros((24, 3)), verbose=0)
        np.testing.assert_allclose(value, -np.log(0.1), rtol=1e-5)
    finally:
        bn.config.set_epsilon(before)


# ---- one's own ------------------------------------------------------------------------------------------------------------------
def cubic(y_true, y_pred):
    e = ops.abs(ops.subtract(y_true, y_pred))
    return ops.mean(ops.multiply(e, ops.square(e)), axis=-1)


class Weighted(losses.Loss):
    """Squared errors times a factor; its config says which."""

    def __init__(self, factor=2.0, name="weighted", reduction="sum_over_batch_size"):
        super().__init__(name, reduction)
        self.factor = factor

    def call(self, y_true, y_pred):
        return ops.multiply(ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1), self.factor)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def test_a_function_and_a_class_of_ones_own(backend):
    model, history = trained(cubic, X[:, :3])
    assert history[-1] < history[0]
    p = model.predict(X, verbose=0)
    np.testing.assert_allclose(model.evaluate(X, X[:, :3], verbose=0), (np.abs(p - X[:, :3]) ** 3).mean(), rtol=1e-5)
    a, b = trained(Weighted(3.0), X[:, :3])[1], trained("mse", X[:, :3], learning_rate=0.15)[1]
    np.testing.assert_allclose(a, 3 * np.array(b), rtol=1e-5)


def test_ones_own_in_configs():
    made = register_serializable(package="mine")(Weighted)
    config = losses.serialize(made(4.0))
    assert config == {"class_name": "mine>Weighted", "config": {"name": "weighted", "reduction": "sum_over_batch_size", "factor": 4.0}}
    assert losses.deserialize(config).factor == 4.0
    assert losses.get({"class_name": "Weighted", "config": {}}).factor == 2.0

    @register_serializable(package="mine")
    def quartic(y_true, y_pred):
        return ops.mean(ops.square(ops.square(ops.subtract(y_true, y_pred))), axis=-1)

    wrapped = losses.LossFunctionWrapper(quartic, reduction="sum")
    again = losses.deserialize(losses.serialize(wrapped))
    assert (again.fn, again.reduction) == (quartic, "sum")
    assert losses.deserialize("f", custom_objects={"f": cubic}) is cubic
    with pytest.raises(ValueError, match="register_serializable"):
        losses.serialize(cubic)


def test_wrapper_with_arguments(backend):
    wrapped = losses.LossFunctionWrapper(losses.huber, delta=0.3, name="tight")
    a, b = trained(wrapped, X[:, :3])[1], trained(losses.Huber(0.3), X[:, :3])[1]
    np.testing.assert_allclose(a, b, rtol=1e-5)
    assert wrapped.get_config() == {"name": "tight", "reduction": "sum_over_batch_size", "fn": "huber", "delta": 0.3}
