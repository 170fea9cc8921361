"""Activations, losses, metrics, regularizers and initializers against real Keras."""

import numpy as np
import pytest

import brisknet as bn
from brisknet import ops
from tests.golden import function_cases as cases
from tests.golden.compare import Golden, close, mode, run_traced, weighted_sum  # noqa: F401

GOLDEN = Golden("keras_functions")
RTOL = {"float64": 1e-14, "float32": 2e-6}


# ---- activations ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_activation(name, mode):  # noqa: F811
    fn, soft = cases.ACTIVATIONS[name](bn), name.startswith("softmax")
    x = GOLDEN["matrix" if soft else "grid"]
    y_want, dx_want = GOLDEN[f"activation/{name}/y"], GOLDEN[f"activation/{name}/dx"]
    weight = GOLDEN["matrix_weight"] if soft else np.ones_like(x)

    def step(t):
        y = fn(t)
        return [y], weighted_sum(y, weight)

    y, dx = run_traced(step, [x], mode[1])
    if soft:
        close(y, y_want, RTOL[mode[1]], "value")
        close(dx, dx_want, RTOL[mode[1]], "derivative")
        return
    limit, eps = np.finfo(mode[1]).max, EPS[mode[1]]
    # A derivative is a difference of numbers near 1, gelu's value one of numbers near x and elu's in Keras exp(x) - 1;
    # the other values are accurate to the last digits wherever they are (below 1e-30 float32 may flush to zero).
    slack = np.abs(x) if name.startswith("gelu") else np.full_like(x, name.startswith("elu"))
    # gelu by tanh multiplies such a difference, 1 - tanh^2, by up to 30.
    steep = np.full_like(x, 8.0 if name == "gelu_tanh" else 1.0)
    for got, want, near, what in ((y, y_want, slack, "value"), (dx, dx_want, steep, "derivative")):
        for g, w, a, at in zip(got, want, near, x, strict=True):
            if what == "derivative" and at in kinks(name):
                continue
            if abs(w) > limit:
                assert np.isinf(g), f"{what} at {at}: {g}, Keras has {w}"
            else:
                assert abs(g - w) <= eps * (10 * abs(w) + 4 * a) + 1e-30, f"{what} at {at}: {g}, Keras has {w}"


EPS = {"float64": 2.3e-16, "float32": 1.2e-7}


def kinks(name):
    """Where a function has no derivative, and Keras' backends choose different ones."""
    return (-1.0, 0.0, 1.0, 2.0, 5.0, 6.0) if name.startswith(("relu", "leaky_relu", "elu")) else ()


def test_derivatives_at_the_kink():
    """As Keras has them on TensorFlow, where backends differ."""
    at = lambda f: float(bn.activations.derivative(f)(np.zeros(1))[0])  # noqa: E731
    assert at("relu") == 0.0
    assert at("leaky_relu") == 0.2
    assert at("elu") == 1.0
    assert at(lambda x: bn.activations.elu(x, alpha=0.5)) == 0.5
    assert at(lambda x: bn.activations.relu(x, negative_slope=0.1, max_value=2.0)) == 0.0


@pytest.mark.parametrize("name", [n for n in cases.ACTIVATIONS if not n.startswith("softmax")])
def test_derivative(name):
    prime = bn.activations.derivative(cases.ACTIVATIONS[name](bn))
    x, want = GOLDEN["grid"].astype(np.float64), GOLDEN[f"activation/{name}/dx"]
    smooth = ~np.isin(x, kinks(name))
    assert np.allclose(prime(x)[smooth], want[smooth], rtol=1e-14, atol=1e-14 if name == "gelu_tanh" else 1e-15)


# ---- losses -----------------------------------------------------------------------------------------------------------
def loss_arrays(t_kind, p_kind):
    key = f"data/pred/{p_kind}"
    return GOLDEN[f"data/{t_kind}"], GOLDEN[key if key in GOLDEN else f"data/{p_kind}"]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("reduction", cases.REDUCTIONS)
@pytest.mark.parametrize("name", cases.LOSSES)
def test_loss(name, reduction, weighted, mode):  # noqa: F811
    make, t_kind, p_kind = cases.LOSSES[name]
    target, pred = loss_arrays(t_kind, p_kind)
    weight = [GOLDEN["data/weight6x4" if pred.ndim == 3 else "data/weight"]] if weighted else []
    loss = make(bn, reduction=reduction)
    key = f"{mode[1]}/loss/{name}/{reduction}{'/w' if weighted else ''}"
    want, rtol = GOLDEN[key], RTOL[mode[1]]

    def step(p, *w):
        value = loss(target, p, *w)
        return [value], value if f"{key}/grad" in GOLDEN else None

    value, *grads = run_traced(step, [pred, *weight], mode[1])
    close(value, want, rtol, "value")
    if grads:
        close(grads[0], GOLDEN[f"{key}/grad"], rtol, "gradient")
    eager = loss(target, pred.astype(mode[1]), *weight)
    close(eager, want, rtol, "value on arrays")


@pytest.mark.parametrize("name", cases.LOSS_FUNCTIONS)
def test_loss_function(name, mode):  # noqa: F811
    call, t_kind, p_kind = cases.LOSS_FUNCTIONS[name]
    target, pred = loss_arrays(t_kind, p_kind)

    def step(p):
        value = call(bn, target, p)
        return [value], ops.sum(value)

    value, grad = run_traced(step, [pred], mode[1])
    key, rtol = f"{mode[1]}/function/{name}", RTOL[mode[1]]
    close(value, GOLDEN[key], rtol, "value")
    close(grad, GOLDEN[f"{key}/grad"], rtol, "gradient")
    close(call(bn, target, pred.astype(mode[1])), GOLDEN[key], rtol, "value on arrays")


# ---- metrics ----------------------------------------------------------------------------------------------------------
PARTS = (slice(0, 4), slice(4, 5), slice(5, None))


@pytest.mark.parametrize("traced", [False, True], ids=["arrays", "traced"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", cases.METRICS)
def test_metric(name, weighted, traced, mode):  # noqa: F811
    make, t_kind, p_kind = cases.METRICS[name]
    target, pred = loss_arrays(t_kind, p_kind)
    weight = GOLDEN["data/weight6" if pred.ndim == 3 else "data/weight"]
    metric, seen = make(bn), []
    for part in PARTS:
        arrays = [pred[part].astype(mode[1]), *([weight[part]] if weighted else [])]
        if traced:

            def step(p, *w, part=part):
                metric.update_state(target[part], p, *w)
                return [p], None

            run_traced(step, arrays, mode[1])
        else:
            metric.update_state(target[part], *arrays)
        seen.append(metric.result())
    metric.reset_state()
    seen.append(metric.result())
    want = GOLDEN[f"metric/{name}{'/w' if weighted else ''}"]
    assert np.allclose(seen, want, rtol=RTOL[mode[1]], atol=0), (seen, want)


@pytest.mark.parametrize("name", cases.MEANS)
def test_mean_and_sum(name):
    metric, seen = cases.MEANS[name](bn), []
    v, w = GOLDEN["data/real"].astype(np.float64), GOLDEN["data/weight"]
    for x, weight in ((v[0], None), (v[1], w[:5]), (v[2, 0], 2.0), (v[3:6], None), (v[6:9], w[:3])):
        metric.update_state(x, weight)
        seen.append(metric.result())
    assert np.allclose(seen, GOLDEN[f"metric/{name}"], rtol=1e-6, atol=0)


# ---- regularizers and initializers ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", cases.REGULARIZERS)
def test_regularizer(name, mode):  # noqa: F811
    penalty, w = cases.REGULARIZERS[name](bn), GOLDEN["regularizer/w"]

    def step(t):
        value = penalty(t)
        return [value], value

    value, grad = run_traced(step, [w], mode[1])
    close(value, GOLDEN[f"regularizer/{name}"], RTOL[mode[1]], "value")
    close(grad, GOLDEN[f"regularizer/{name}/grad"], RTOL[mode[1]], "gradient")


@pytest.mark.parametrize("name", cases.DRAWS)
def test_drawing_initializer(name):
    for i, shape in enumerate(cases.DRAW_SHAPES):
        x = cases.DRAWS[name](bn, 5)(shape, dtype="float64")
        mean, std, low, high = GOLDEN[f"initializer/{name}/{i}"]
        assert x.shape == shape
        # n values: the error of a mean is std / sqrt(n), of a spread about std / sqrt(2 n); four of them, twice
        n = np.sqrt(x.size)
        assert abs(x.mean() - mean) <= 8 * std / n
        assert abs(x.std() - std) <= 6 * std / n
        if "uniform" in name or "truncated" in name or "lecun" in name or name in ("scaling", "scaling_out", "scaling_axes"):
            assert np.allclose([x.min(), x.max()], [low, high], rtol=0, atol=2e-3 * (high - low))


@pytest.mark.parametrize("name", cases.FIXED)
def test_fixed_initializer(name):
    make, shape = cases.FIXED[name]
    assert np.array_equal(make(bn)(shape, dtype="float64"), GOLDEN[f"initializer/{name}"])
