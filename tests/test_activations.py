"""Activations: against real Keras, by name and in configs, as layers, their table as a picture."""

import json

import numpy as np
import pytest

import brisknet as bn
from brisknet import activations, ops
from brisknet.layers import Activation, Dense, Input
from brisknet.models import Sequential, clone_model
from brisknet.saving import register_serializable
from tests.golden import activation_cases as cases
from tests.golden.compare import HERE, Golden, close, mode, run_traced, weighted_sum  # noqa: F401

GOLDEN = Golden("keras_activations")
NOTES = json.loads((HERE / "keras_losses.json").read_text())
EPS = {"float64": 2.3e-16, "float32": 1.2e-7}


# ---- values and derivatives ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_element_wise(name, mode):  # noqa: F811
    fn, x, eps = cases.ACTIVATIONS[name](bn), GOLDEN["grid"], EPS[mode[1]]

    def step(t):
        y = fn(t)
        return [y], ops.sum(y)

    y, dx = run_traced(step, [x], mode[1])
    # Keras takes differences of numbers near x, or near 1: its own error is of that size. Derivatives are such differences.
    near_x, near_1 = name.startswith(("squareplus", "tanh_shrink", "mish")), name.startswith(("selu", "celu"))
    slack = np.abs(x) if near_x else np.full_like(x, near_1)
    steep = np.abs(x).clip(1) if name == "mish" else np.ones_like(x)  # Keras has x (1 - tanh^2)
    checks = (y, GOLDEN[f"{name}/y"], slack, "value"), (dx, GOLDEN[f"{name}/dx"], steep, "derivative")
    for got, want, near, what in checks:
        for g, w, a, at in zip(got, want, near, x, strict=True):
            if what == "derivative" and at in cases.KINKS.get(name, ()):
                continue
            assert abs(g - w) <= eps * (10 * abs(w) + 4 * a) + 1e-30, f"{what} at {at}: {g}, Keras has {w}"
    with np.errstate(under="ignore"):
        on_arrays = fn(x.astype(mode[1]))
    assert np.all(np.abs(on_arrays - y) <= eps * (20 * np.abs(y) + 4 * slack) + 1e-30)


@pytest.mark.parametrize("name", cases.ROWS)
def test_rows(name, mode):  # noqa: F811
    fn, x = cases.ROWS[name](bn), GOLDEN["matrix"]

    def step(t):
        y = fn(t)
        return [y], weighted_sum(y, GOLDEN["weight"].ravel()[: y.size].reshape(y.shape))

    rtol = {"float64": 1e-14, "float32": 2e-6}[mode[1]]
    y, dx = run_traced(step, [x], mode[1])
    close(y, GOLDEN[f"{name}/y"], rtol, "value")
    close(dx, GOLDEN[f"{name}/dx"], rtol, "derivative")
    close(fn(x.astype(mode[1])), GOLDEN[f"{name}/y"], rtol, "value on arrays")


def test_derivatives_at_kinks_are_those_of_keras_on_tensorflow():
    at = lambda f, x: float(activations.derivative(f)(np.array([x]))[0])  # noqa: E731
    assert [at("relu6", x) for x in (0.0, 6.0)] == [0.0, 0.0]
    assert [at("hard_sigmoid", x) for x in (-3.0, 3.0)] == [0.0, 0.0]
    assert [at("hard_tanh", x) for x in (-1.0, 1.0)] == [1.0, 1.0]
    assert [at("sparse_sigmoid", x) for x in (-1.0, 1.0)] == [0.0, 0.0]
    assert [at("hard_silu", x) for x in (-3.0, 3.0)] == [0.0, 1.0]
    assert [at("soft_shrink", x) for x in (-0.5, 0.5)] == [0.0, 0.0]
    assert at("selu", 0.0) == pytest.approx(1.0507009873554805)
    assert at("celu", 0.0) == 1.0


def projected(x):
    """The nearest point of the simplex by bisection: another way to tau."""
    low, high = x.max() - 1, x.max()
    for _ in range(100):
        tau = (low + high) / 2
        low, high = (tau, high) if np.maximum(x - tau, 0).sum() > 1 else (low, tau)
    return np.maximum(x - tau, 0)


def test_sparsemax_is_the_projection_of_the_paper():
    x = np.random.default_rng(2).normal(size=(6, 9)) * 0.7
    np.testing.assert_allclose(activations.sparsemax(x), [projected(row) for row in x], atol=1e-14)
    np.testing.assert_allclose(activations.sparsemax(x, axis=0).T, [projected(row) for row in x.T], atol=1e-14)
    np.testing.assert_array_equal(activations.sparsemax([[1.0, 2.0, 3.0]]), [[0, 0, 1]])


def test_sparsemax_is_a_distribution_with_zeros(backend):
    x = np.random.default_rng(0).normal(size=(50, 37)).astype("float32") * 3
    x[3] = 5.0  # all equal
    x[4] = -1e6
    x[4, 7] = 0
    model = Sequential([Input((37,)), Activation("sparsemax")])
    y = model.predict(x, verbose=0)
    np.testing.assert_allclose(y.sum(1), 1, rtol=2e-6)
    assert y.min() == 0 < (y == 0).mean()
    np.testing.assert_allclose(y[3], 1 / 37, rtol=1e-5)
    assert y[4, 7] == 1
    np.testing.assert_allclose(y, activations.sparsemax(x.astype("float64")), atol=2e-6)


# ---- names and configs ----------------------------------------------------------------------------------------------------
NAMES = NOTES["activation_names"]


@pytest.mark.parametrize("name", NAMES)
def test_name(name):
    fn = activations.get(name)
    assert getattr(activations, name) is fn
    assert activations.serialize(fn) == NOTES["serialized"][name]
    assert activations.deserialize(activations.serialize(fn)) is fn


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("threshold", "glu")])
def test_in_layers(name, backend):
    """A Dense layer with the activation, and an Activation layer behind one, train alike."""
    x = np.random.default_rng(1).normal(size=(16, 4)).astype("float32")
    fused = Sequential([Input((4,)), Dense(6, activation=name), Dense(1)])
    apart = Sequential([Input((4,)), Dense(6), Activation(name), Dense(1)])
    apart.set_weights(fused.get_weights())
    start = fused.get_weights()
    losses = []
    for model in (fused, apart):
        model.compile(bn.optimizers.SGD(0.01), "mse")
        losses.append(model.fit(x, x[:, :1], epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    kernel, end = start[0], fused.get_weights()
    assert all(np.isfinite(w).all() for w in end)
    assert not np.array_equal(kernel, end[0])
    again = clone_model(fused)
    assert again.layers[0].activation is activations.get(name)


def test_glu_halves_an_axis(backend):
    model = Sequential([Input((3,)), Dense(8, activation="glu"), Dense(1)])
    x = np.ones((5, 3), "float32")
    assert model.layers[0](x).shape == (5, 4)
    assert model.layers[1].kernel.shape == (4, 1)
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(x, x[:, :1], verbose=0).history["loss"][0])


def bent(x):
    return ops.add(x, ops.multiply(ops.sin(x), 0.5))


def test_custom_function(backend):
    x = np.linspace(-2, 2, 24, dtype="float32").reshape(6, 4)
    model = Sequential([Input((4,)), Dense(3, activation=bent), Activation(lambda t: ops.square(t)), Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(x, x[:, :1], verbose=0).history["loss"][0])
    np.testing.assert_allclose(activations.derivative(bent)(x), 1 + 0.5 * np.cos(x), rtol=1e-6)
    with pytest.raises(ValueError, match="register_serializable"):
        activations.serialize(bent)


def test_registered_function_in_a_config():
    @register_serializable(package="bends")
    def curved(x):
        return ops.multiply(x, x)

    config = activations.serialize(curved)
    assert config == {"class_name": "function", "config": "bends>curved"}
    assert activations.deserialize(config) is curved
    assert activations.get(config) is curved
    layer = Dense(2, activation=curved)
    assert Dense.from_config(layer.get_config()).activation is curved
    other = activations.deserialize({"class_name": "function", "config": "f"}, custom_objects={"f": bent})
    assert other is bent


def test_a_layer_as_activation():
    layer = Dense(3, activation=bn.layers.LeakyReLU(0.1))
    config = layer.get_config()["activation"]
    assert config["class_name"] == "LeakyReLU"
    assert Dense.from_config(layer.get_config()).activation.negative_slope == 0.1


def test_ops_of_the_same_names():
    x = np.linspace(-4, 4, 8)
    for name in NAMES:
        if hasattr(ops, name) and name not in ("threshold", "gelu", "linear"):
            np.testing.assert_array_equal(getattr(ops, name)(x), getattr(activations, name)(x), err_msg=name)


# ---- the picture ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def lines_of(figure):
    return {p.get_title(): {line.get_label(): line.get_xydata() for line in p.lines} for p in figure.axes if p.get_visible()}


def test_plot_shows_function_and_derivative(plt):
    drawn = lines_of(activations.plot())
    assert list(drawn) == list(activations.PLOTTED)
    x, y = drawn["tanh"]["f(x)"].T
    np.testing.assert_allclose(y, np.tanh(x))
    np.testing.assert_allclose(drawn["tanh"]["f'(x)"][:, 1], 1 - np.tanh(x) ** 2)
    assert "f'(x)" not in drawn["step"]


def test_plot_of_some_and_of_all(plt, tmp_path):
    assert list(lines_of(activations.plot("relu"))) == ["relu"]
    assert list(lines_of(activations.plot(["mish", bent], limit=2))) == ["mish", "bent"]
    assert {"sparse_plus", "celu", "hard_shrink"} < set(lines_of(activations.plot("all")))
    for end in ("png", "svg"):
        activations.plot(["selu", "step"], path=tmp_path / f"a.{end}")
        assert (tmp_path / f"a.{end}").stat().st_size > 1000


def test_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"brisknet\[plot\]"):
        activations.plot("relu")


@pytest.mark.parametrize(("call", "message"), [
    (lambda: activations.plot("rleu"), "did you mean 'relu'"),
    (lambda: activations.plot("softmax"), "'softmax' is no function of one number"),
    (lambda: activations.plot([]), "at least one activation"),
    (lambda: activations.plot("relu", limit=-1), "limit must be a positive number, got -1"),
    (lambda: activations.plot(lambda x: x.sum()), "is not element-wise"),
])  # fmt: skip
def test_plot_called_badly(call, message, plt):
    with pytest.raises(ValueError, match=message):
        call()
