"""brisknet.function, grad and its kin, custom_gradient, gradcheck, host_call: against JAX, finite differences, plain NumPy."""

import gc
import json
import pathlib
import warnings

import numpy as np
import pytest

import brisknet
from brisknet import GradientTape, Variable, config, layers, ops
from tests.golden.autograd_cases import ARRAYS, SCALARS

GOLDEN = json.loads((pathlib.Path(__file__).parent / "golden" / "autograd.json").read_text())


def close(got, expected, rtol=2e-4):
    """Nested lists of arrays, to the precision of float32."""
    if isinstance(got, (list, tuple)):
        return len(got) == len(expected) and all(close(g, e, rtol) for g, e in zip(got, expected, strict=True))
    expected = np.asarray(expected)
    return got.shape == expected.shape and np.allclose(got, expected, rtol=rtol, atol=rtol * max(1e-3, np.abs(expected).max()))


# ---- derivatives of functions ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SCALARS)
def test_grad_and_hessian_are_jaxs(name, backend):
    fn, arrays = SCALARS[name]
    f, every = (lambda *a: fn(ops, *a)), tuple(range(len(arrays)))
    value, grads = brisknet.value_and_grad(f, argnums=every)(*arrays)
    expected = GOLDEN["scalars"][name]
    assert np.isclose(value, expected["value"], rtol=1e-5) and value.dtype == np.float32
    assert close(grads, expected["grads"]) and close(brisknet.grad(f)(*arrays), expected["grads"][0])
    assert close(brisknet.hessian(f)(*arrays), expected["hessian"], 1e-3)


@pytest.mark.parametrize("name", ARRAYS)
def test_jacobian_is_jaxs(name, backend):
    fn, arrays = ARRAYS[name]
    assert close(brisknet.jacobian(lambda *a: fn(ops, *a))(*arrays), GOLDEN["arrays"][name])


def test_jacobians_of_many_elements_are_a_few_calls_of_one_program(backend):
    rng, traced = np.random.default_rng(0), []
    w, x = rng.normal(size=(41, 5)), rng.normal(size=5)

    def fn(x):
        traced.append(1)
        return {"a": ops.tanh(ops.matmul(w.astype("float32"), x)), "none": ops.zeros((0,)) * x[0]}

    jacobian = brisknet.jacobian(fn)
    for _ in range(2):
        found = jacobian(x)
        assert np.allclose(found["a"], (1 - np.tanh(w @ x) ** 2)[:, None] * w, atol=1e-5) and found["none"].shape == (0, 5)
    assert len(traced) == 2  # the values, and a program of several rows of the Jacobian
    both = brisknet.jacobian(brisknet.jacobian(lambda x: ops.sin(x)))(x)
    assert np.allclose([both[i, i, i] for i in range(5)], -np.sin(x), atol=1e-5) and np.count_nonzero(np.abs(both) > 1e-6) == 5


def test_structures_aux_and_nesting(backend):
    def loss(p, x):
        y = ops.matmul(x, p["w"]) + p["b"][0]
        return ops.sum(y * y), {"y": y}

    p, x = {"w": np.ones((3, 2)), "b": [np.ones(2)]}, np.arange(6.0).reshape(2, 3)
    (value, aux), grads = brisknet.value_and_grad(loss, has_aux=True)(p, x)
    y = x @ p["w"] + 1
    assert np.allclose(aux["y"], y) and np.isclose(value, (y * y).sum())
    assert np.allclose(grads["w"], x.T @ (2 * y)) and np.allclose(grads["b"][0], 2 * y.sum(0))
    assert brisknet.grad(loss, has_aux=True)(p, x)[1]["y"].shape == (2, 2)
    cube = brisknet.grad(brisknet.grad(lambda x: x**3))
    assert np.isclose(cube(2.0), 12.0) and np.isclose(brisknet.grad(lambda a: a * 3.0)(np.float64(2)), 3.0)
    assert np.isclose(brisknet.grad(lambda a: brisknet.grad(lambda b: a * b * b)(a))(3.0), 12.0)
    jacobian = brisknet.jacobian(lambda v: {"double": 2.0 * v, "sum": ops.sum(v)})(np.ones(2))
    assert np.allclose(jacobian["double"], 2 * np.eye(2)) and np.allclose(jacobian["sum"], np.ones(2))
    assert np.allclose(brisknet.grad(lambda a, b: ops.sum(b))(np.ones(2), np.ones(2)), 0)


def test_float64_is_a_setting():
    before = config.floatx()
    config.set_floatx("float64")
    try:
        g = brisknet.grad(lambda x: ops.sum(ops.sin(x)))(np.array([0.3, 1.0]))
        assert g.dtype == np.float64 and np.allclose(g, np.cos([0.3, 1.0]), atol=1e-14)
    finally:
        config.set_floatx(before)


def test_a_function_eagerly_is_the_compiled_one():
    g = brisknet.grad(lambda x: ops.sum(x * x) if float(ops.sum(x)) > 0 else ops.sum(-x))
    with pytest.raises(TypeError, match=r"run_eagerly = True"):
        g(np.ones(2))
    g.run_eagerly = True
    assert np.allclose(g(np.ones(2)), 2) and np.allclose(g(-np.ones(2)), -1)


# ---- brisknet.function ----------------------------------------------------------------------------------------------------
def test_traced_once_a_form_of_arguments(backend):
    seen = []

    @brisknet.function
    def f(x, scale=1.0, *, power=2, flags=()):
        seen.append((x.shape, x.dtype))
        return {"y": scale * x**power, "n": power, "sum": (ops.sum(x), None)}

    x = np.arange(4.0)
    assert np.allclose(f(x)["y"], x**2) and np.allclose(f(x, 3.0)["y"], 3 * x**2)
    assert np.allclose(f(x.astype("float32"), 5.0)["y"], 5 * x**2)  # arrays and floats are inputs, float32 and float64 alike
    assert np.allclose(f(x, power=3)["y"], x**3) and f(x, power=3)["n"] == 3
    assert f(x)["sum"][1] is None and np.isclose(f(x)["sum"][0], 6)
    assert f(np.arange(3))["y"].dtype == np.int32 or f(np.arange(3))["y"].dtype == np.float32
    assert len(seen) == f.traces == 4 and "4 traces" in repr(f)
    assert np.allclose(f([x, x][0])["y"], x**2)


def test_state_lives_on(backend):
    total, log = Variable(0.0), []

    @brisknet.function
    def add(x):
        log.append(1)
        total.assign(total + ops.sum(x))
        return total, total * 2.0

    for i in range(3):
        held, doubled = add(np.full(2, i, "float32"))
    assert float(total) == 6.0 == float(held) and float(doubled) == 12.0 and len(log) == 1
    total.assign(1.0)
    assert float(add(np.zeros(2, "float32"))[0]) == 1.0


def test_methods_have_programs_of_their_own(backend):
    class Scaler:
        def __init__(self, k):
            self.k = k

        @brisknet.function
        def scale(self, x):
            return x * self.k

    a, b = Scaler(2.0), Scaler(3.0)
    assert np.allclose([a.scale(np.ones(1)), b.scale(np.ones(1)), a.scale(np.ones(1))], [[2], [3], [2]])
    import weakref

    gone = weakref.ref(b)
    del b
    gc.collect()
    assert gone() is None


def test_a_step_of_ones_own_follows_trainable_flags_and_learning_rates(backend):
    model = brisknet.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(1)])
    optimizer = brisknet.optimizers.SGD(0.1)
    mean = brisknet.metrics.Mean()

    @brisknet.function
    def step(x, y):
        with GradientTape() as tape:
            loss = ops.mean(ops.square(y - model(x, training=True)))
        optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
        mean.update_state(loss)
        return {"loss": loss, "mean": mean.result()}

    x, y = np.ones((5, 3)), np.ones((5, 1))
    losses = [step(x, y) for _ in range(3)]
    assert losses[0]["loss"] > losses[-1]["loss"]
    assert np.isclose(losses[-1]["mean"], np.mean([r["loss"] for r in losses]), rtol=1e-5)
    model.layers[0].trainable = False
    before = model.get_weights()
    step(x, y)
    assert np.array_equal(before[0], model.get_weights()[0]) and not np.array_equal(before[2], model.get_weights()[2])
    model.layers[0].trainable = True
    traces = step.traces
    step(x, y)
    assert step.traces == traces == 2, "the first program is used again"
    optimizer.learning_rate = 0.0
    before = model.get_weights()
    step(x, y)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)) and step.traces == 2
    step.run_eagerly = True
    optimizer.learning_rate = 0.1
    assert np.isfinite(step(x, y)["loss"]) and not np.array_equal(before[0], model.get_weights()[0])


def test_why_a_function_cannot_be_traced():
    @brisknet.function
    def decides(x):
        if ops.sum(x) > 0:
            return x
        return -x

    with pytest.raises(TypeError) as caught:
        decides(np.ones(2))
    for part in ("decides", "if ops.sum(x) > 0:", "ops.where", "decides.run_eagerly = True"):
        assert part in str(caught.value)
    decides.run_eagerly = True
    assert np.allclose(decides(-np.ones(2)), 1)
    with pytest.raises(TypeError, match="another"):  # errors of the function itself stay what they are
        brisknet.function(lambda x: (_ for _ in ()).throw(TypeError("another")))(np.ones(1))
    with pytest.raises(TypeError, match="a Python function expected"):
        brisknet.function(3)
    with pytest.raises(TypeError, match="dtype"):
        brisknet.function(lambda x: x)(np.array(["a"]))


def test_storms_of_traces_are_told_once():
    f = brisknet.function(lambda batch, k=0: ops.sum(batch["x"]) + float(k))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(1, 15):
            f({"x": np.ones((n, 2))})
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "batch['x'] changes" in message and "shape (3, 2)" in message and "run_eagerly" in message
    f = brisknet.function(lambda x, k: x * k)
    with pytest.warns(RuntimeWarning, match="k changes: .*int 5"):
        for k in range(9):
            f(np.ones(1), k)


# ---- gradients of one's own -----------------------------------------------------------------------------------------------
def test_custom_gradients(backend):
    @brisknet.custom_gradient
    def clipped(x, scale):
        return x * scale, lambda g: (ops.clip(g, -1.0, 1.0), None)

    f = brisknet.grad(lambda x: ops.sum(5.0 * clipped(x, 2.0)))
    assert np.allclose(f(np.ones(3)), 1.0)
    v = Variable([1.0, -2.0])
    with GradientTape() as tape:
        y = ops.sum(5.0 * clipped(v, np.array([2.0, 3.0], "float32")))
    assert float(y) == 5 * (2 - 6) and np.allclose(tape.gradient(y, v), 1.0)
    assert np.allclose(clipped(np.ones(2), 3.0), 3.0)  # arrays at once


def test_custom_gradients_of_variables():
    w = Variable(3.0)

    @brisknet.custom_gradient
    def times(x):
        return x * w, lambda g, variables: (g * 100.0, [g * 7.0])

    with GradientTape() as tape:
        x = tape.watch(np.array(2.0, "float32"))
        y = times(x)
    dx, dw = tape.gradient(y, [x, w])
    assert (float(y), float(dx), float(dw)) == (6.0, 100.0, 7.0)

    @brisknet.custom_gradient
    def forgets(x):
        return x * w, lambda g: g

    with pytest.raises(TypeError, match="variables="), GradientTape() as tape:
        forgets(tape.watch(np.array(2.0, "float32")))


def test_bad_custom_gradients():
    with pytest.raises(TypeError, match="must return"):
        brisknet.custom_gradient(lambda x: x)(np.ones(1))
    with pytest.raises(TypeError, match="a function expected"):
        brisknet.custom_gradient(1)
    for rule, message in ((lambda g: (g, g), "one gradient for each of the 1"), (lambda g: np.ones(7), "shape (7,)")):
        f = brisknet.grad(brisknet.custom_gradient(lambda x, rule=rule: (ops.sum(x), rule)))
        with pytest.raises(ValueError) as caught:
            f(np.ones(2))
        assert message in str(caught.value)


# ---- gradcheck ------------------------------------------------------------------------------------------------------------
def test_gradcheck_finds_a_wrong_gradient():
    @brisknet.custom_gradient
    def wrong(x):
        return ops.square(x), lambda g: g * x  # a factor of 2 is missing

    with pytest.raises(brisknet.autograd.GradcheckError, match=r"input 0 is off in 2 of 2 elements, most at \(1,\): 3 where .* 6"):
        weights = np.random.default_rng(123).uniform(0.5, 1.5, 2)  # those that gradcheck gives the two outputs
        brisknet.gradcheck(lambda x: wrong(x) / weights, np.array([1.0, 3.0]))
    assert not brisknet.gradcheck(wrong, np.array([1.0, 3.0]), raise_exception=False)


def test_gradcheck_of_models():
    model = brisknet.Sequential([
        layers.Input((6, 5, 2)), layers.Conv2D(3, 3, activation="gelu"), layers.BatchNormalization(), layers.Flatten(),
        layers.Dropout(0.3), layers.Dense(2, activation="softplus"),
    ])  # fmt: skip
    weights, x = model.get_weights(), np.random.default_rng(0).normal(size=(2, 6, 5, 2))
    assert brisknet.gradcheck(model, x) and brisknet.gradcheck(model, x, training=True)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    assert brisknet.gradcheck(layers.Dense(3, activation="tanh"), x[0, 0])
    assert brisknet.gradcheck(lambda a, b: {"y": a["u"] * b}, ({"u": x}, x))
    with pytest.raises(TypeError, match="a model, a layer or a function"):
        brisknet.gradcheck(3, x)
    with pytest.raises(TypeError, match="got none"):
        brisknet.gradcheck(lambda i: i, np.arange(3))


# ---- Python inside a step -------------------------------------------------------------------------------------------------
def test_host_calls(backend):
    calls = []

    def reverse(a):
        calls.append(a.dtype)
        return a[::-1] * 2

    f = brisknet.function(lambda x: ops.host_call(reverse, ops.tanh(x)) + 1.0)
    x = np.arange(3, dtype="float32")
    assert np.allclose(f(x), np.tanh(x)[::-1] * 2 + 1) and np.allclose(f(2 * x), np.tanh(2 * x)[::-1] * 2 + 1)
    assert calls == [np.dtype("float32")] * 2
    two = brisknet.function(
        lambda x: ops.host_call(lambda a: (np.sort(a), np.argsort(a) > 0), x, shape=[(3,), (3,)], dtype=["float32", "bool"])
    )
    values, order = two(np.array([3.0, 1.0, 2.0], "float32"))
    assert np.allclose(values, [1, 2, 3]) and order.tolist() == [True, True, False] and order.dtype == bool
    total = ops.host_call(lambda a: a.sum(0), np.ones((2, 3)), shape=lambda s: s[1:])
    assert np.allclose(total, 2) and total.dtype == np.float32


def test_host_calls_train_in_a_lambda(backend):
    def layer(x):
        return ops.host_call(np.tanh, x, gradient=lambda g, x: g * (1 - np.tanh(x) ** 2))

    ends = []
    for middle in (layers.Lambda(layer), layers.Activation("tanh")):
        brisknet.utils.set_random_seed(1)
        model = brisknet.Sequential([layers.Input((4,)), layers.Dense(8), middle, layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(np.ones((70, 4)) * np.arange(70)[:, None] / 70, np.ones(70), epochs=3, verbose=0, shuffle=False)
        ends.append(model.get_weights())
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(*ends, strict=True))


@pytest.mark.skipif(not config.native_available(), reason="threads are the native executor's")
def test_host_calls_with_several_threads():
    threads = config.num_threads()
    config.set_num_threads(2)
    try:
        w = Variable(np.random.default_rng(0).normal(size=(512, 512)) / 20)
        f = brisknet.function(lambda x: ops.matmul(ops.host_call(np.sin, ops.matmul(x, w)), w))
        x = np.ones((256, 512), "float32")
        expected = np.sin(x @ w.numpy()) @ w.numpy()
        for _ in range(20):
            assert np.allclose(f(x), expected, atol=1e-3)
    finally:
        config.set_num_threads(threads)


def test_what_fails_in_a_host_call_changes_nothing(backend):
    fail = []

    def picky(a):
        if fail:
            raise KeyError("picky")
        return a

    model = brisknet.Sequential([
        layers.Input((4,)), layers.Dense(2), layers.Lambda(lambda x: ops.host_call(picky, x, gradient=lambda g, x: g))
    ])  # fmt: skip
    model.compile("adam", "mse")
    x, y = np.ones((8, 4)), np.ones((8, 2))
    model.fit(x, y, verbose=0)
    before = model.get_weights()
    fail.append(1)
    for call in (lambda: model.fit(x, y, verbose=0), lambda: model.predict(x, verbose=0), lambda: model.train_on_batch(x, y)):
        with pytest.raises(KeyError, match="picky"):
            call()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    fail.clear()
    model.fit(x, y, verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])


BAD_HOST_CALLS = {
    "shape": (lambda x: ops.host_call(lambda a: a[:1], x), ValueError, "shape (3,), got (1,)"),
    "count": (lambda x: ops.host_call(lambda a: (a, a), x), ValueError, "1 arrays, got 2"),
    "words": (lambda x: ops.host_call(lambda a: np.array(["a"] * 3), x), TypeError, "numbers"),
    "no function": (lambda x: ops.host_call(x, x), TypeError, "a Python function expected"),
    "no input": (lambda x: ops.host_call(np.sin), ValueError, "at least one input"),
    "no gradient": (lambda x: brisknet.grad(lambda x: ops.sum(ops.host_call(np.sin, x)))(x), ValueError, "stop_gradient"),
    "dtypes": (lambda x: ops.host_call(np.sin, x, dtype=["float32", "bool"]), ValueError, "1 dtypes"),
    "symbolic": (lambda x: ops.host_call(np.sin, layers.Input((2,))), TypeError, "Lambda"),
    "gradient": (
        lambda x: brisknet.grad(lambda x: ops.sum(ops.host_call(np.sin, x, gradient=lambda g, x: [g, g])))(x), ValueError, "got 2"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_HOST_CALLS)
def test_bad_host_calls(name, backend):
    call, error, message = BAD_HOST_CALLS[name]
    with pytest.raises(error) as caught:
        call(np.ones(3, "float32"))
    assert message in str(caught.value)


BAD_GRADS = {
    "vector": (lambda: brisknet.grad(lambda x: x * 2.0)(np.ones(3)), TypeError, "brisknet.jacobian"),
    "int": (lambda: brisknet.grad(lambda x: x * x)(3), TypeError, "argument 0: floats expected, got 3"),
    "ints": (lambda: brisknet.grad(lambda x: ops.sum(x * x))(np.arange(3)), TypeError, "int32"),
    "no such argument": (lambda: brisknet.grad(lambda x: x, argnums=1)(1.0), TypeError, "argnums=1"),
    "argnums": (lambda: brisknet.grad(lambda x: x, argnums="x"), TypeError, "argnums must be"),
    "step": (lambda: brisknet.grad(lambda x: ops.sum(ops.step(x)))(np.ones(2)), ValueError, "sigmoid"),
    "comparison": (
        lambda: brisknet.grad(lambda x: ops.sum(ops.cast(x > 0.0, "float32")))(np.ones(2)), ValueError, "'greater'"
    ),
    "aux": (lambda: brisknet.grad(lambda x: ops.sum(x), has_aux=True)(np.ones(2)), TypeError, "has_aux=True"),
    "text": (lambda: brisknet.grad(lambda x: "loss")(np.ones(2)), TypeError, "must return a tensor"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_GRADS)
def test_bad_gradients_of_functions(name):
    call, error, message = BAD_GRADS[name]
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
