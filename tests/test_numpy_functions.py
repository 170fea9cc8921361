"""NumPy's functions, operators and indexing on traced tensors, symbolic tensors and variables."""

import numpy as np
import pytest

import brisknet as bn
from brisknet import ops
from brisknet.graph.trace import Trace, as_tensor
from brisknet.layers import Dense, Input, Lambda, Layer
from brisknet.models import Model, Sequential
from brisknet.passes.autodiff import gradients
from brisknet.runtime.program import compile_graph
from brisknet.variables import Variable

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 5)).astype("float32")
I = np.array([[1, -7, 3], [5, 2, 9]], np.int32)


def traced(fn, array):
    """The outputs of fn in a traced step, and the executor that computed them."""
    with Trace() as graph:
        out = fn(graph.add_input(array.shape, array.dtype.name))
        graph.outputs = [as_tensor(o, graph) for o in (out if isinstance(out, (list, tuple)) else [out])]
    program = compile_graph(graph)
    return program.run([array]), program.executor


FLOATS = {
    "tanh": np.tanh, "where": lambda a: np.where(a > 0, a, -a), "einsum": lambda a: np.einsum("ij,kj->ik", a, a),
    "slices": lambda a: a[::-1, 1:4:2][..., None], "gather": lambda a: a[[0, 2, -1]], "pairs": lambda a: a[np.array([0, 1]), [2, 3]],
    "mixed": lambda a: a[None, :, [1, 1]], "mask": lambda a: a[:, np.array([True, False, True, False, True])],
    "mean": lambda a: np.mean(a, axis=0), "std": lambda a: a.std(axis=1, keepdims=True), "var": np.var,
    "concatenate": lambda a: np.concatenate([a, a * 2], axis=1), "stack": lambda a: np.stack([a, a * 2]),
    "sum": lambda a: np.sum(a, axis=(0, 1)), "clip": lambda a: np.clip(a, -0.5, 0.5), "sort": lambda a: np.sort(a, axis=0),
    "median": lambda a: np.median(a, axis=1), "cumsum": lambda a: np.cumsum(a, 1), "argmax": np.argmax,
    "left matmul": lambda a: np.ones((2, 3), np.float32) @ a, "transpose": lambda a: np.transpose(a) @ np.ones((3, 2), np.float32),
    "pad": lambda a: np.pad(a, ((1, 1), (0, 2)), mode="reflect"), "norm": lambda a: np.linalg.norm(a, axis=1),
    "roll": lambda a: np.roll(a, 2, axis=1), "tile": lambda a: np.tile(a, (2, 2)), "outer": lambda a: np.outer(a, a),
    "any": lambda a: np.any(a > 1, axis=0), "split": lambda a: np.split(a, [2], axis=1), "diff": np.diff,
    "repeat": lambda a: np.repeat(a, 2, axis=0), "logaddexp": lambda a: np.logaddexp(a, 0.0), "reduce": lambda a: np.add.reduce(a, axis=1),
    "tensordot": lambda a: np.tensordot(a, a, axes=([1], [1])), "percentile": lambda a: np.percentile(a, [25, 50], axis=0),
    "take": lambda a: np.take(a, [1, 0], axis=1), "round": lambda a: np.round(a, 1), "tril": np.tril, "diag": lambda a: np.diag(a[0]),
    "trace": np.trace, "moveaxis": lambda a: np.moveaxis(a[None], 0, -1), "scalar": lambda a: np.float32(2) * a,
    "wide array": lambda a: np.arange(5.0) * a, "compare": lambda a: np.arange(5) > a, "reshape": lambda a: np.reshape(a, (5, 3)),
    "floor_divide": lambda a: np.floor_divide(a, 0.3), "methods": lambda a: a.T.reshape(3, 5).cumsum(axis=1).max(axis=0),
    "power": lambda a: np.abs(a) ** 1.5, "loop": lambda a: sum(row * k for k, row in enumerate(a)), "dtype": lambda a: np.sum(a > 0, axis=0),
}  # fmt: skip
INTEGERS = {
    "divide down": lambda a: a // 3, "remainder": lambda a: a % 4, "abs": lambda a: np.abs(a) + 2, "sum": lambda a: a.sum(axis=0),
    "max": lambda a: a.max(axis=1), "and": lambda a: (a > 2) & (a < 6), "not": lambda a: ~(a > 2), "square": lambda a: a**2,
    "product": lambda a: np.maximum(a, 2) * a - 1, "divmod": lambda a: divmod(a, 2), "shift": lambda a: (a << 2) ^ 5,
    "true divide": lambda a: a / 2, "where": lambda a: np.where(a > 2, a, 0), "negative": lambda a: -a, "clip": lambda a: np.clip(a, -2, 4),
    "array": lambda a: a + np.arange(3), "by zero": lambda a: a // np.array([0, 1, -1], np.int32),
}  # fmt: skip
CASES = [(n, f, X) for n, f in FLOATS.items()] + [(f"int {n}", f, I) for n, f in INTEGERS.items()]


@pytest.mark.parametrize(("fn", "array"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_the_same_as_numpy_on_arrays(fn, array, backend):
    want = fn(array)
    want = want if isinstance(want, (list, tuple)) else [want]
    got, executor = traced(fn, array)
    assert executor == backend
    for w, g in zip(want, got, strict=True):
        w = np.asarray(w)
        assert (g.shape, g.dtype.kind) == (w.shape, w.dtype.kind) and g.dtype.itemsize <= 4
        np.testing.assert_allclose(g, w, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("fn", [FLOATS[n] for n in FLOATS if n not in ("argmax", "any", "compare", "floor_divide", "dtype", "round")])
def test_gradients_are_finite_differences(fn):
    x = np.linspace(0.31, 2.87, 15)[RNG.permutation(15)].reshape(3, 5) * np.where(np.arange(15).reshape(3, 5) % 3, 1, -1)

    def scalar(a):
        out = fn(a)
        total = 0.0
        for k, part in enumerate(out if isinstance(out, (list, tuple)) else [out]):
            total = total + np.sum(part * np.cos(np.arange(np.prod(part.shape, dtype=int)) + k).reshape(part.shape))
        return total

    with Trace(floatx="float64") as graph:
        t = graph.add_input(x.shape, "float64")
        (g,) = gradients(scalar(t), [t])
        graph.outputs = [g]
    (analytic,) = compile_graph(graph).run([x])
    numeric = np.empty_like(x)
    for at in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[at] += 1e-6
        down[at] -= 1e-6
        numeric[at] = (scalar(up) - scalar(down)) / 2e-6
    np.testing.assert_allclose(analytic, numeric, rtol=1e-6, atol=1e-7)


def test_symbolic_tensors_make_layers_that_files_keep(backend, tmp_path):
    x = Input((4,))
    hot = np.where(x > 0, np.tanh(x), x[:, ::-1] * 2)
    out = np.concatenate([hot, x[:, [0, 2]], np.mean(x, axis=1, keepdims=True)], axis=-1)
    model = Model(x, ops.top_k(out, 3)[0] - np.ones(3, np.float32))
    a = RNG.normal(size=(5, 4)).astype("float32")
    joined = np.concatenate([np.where(a > 0, np.tanh(a), a[:, ::-1] * 2), a[:, [0, 2]], a.mean(axis=1, keepdims=True)], axis=-1)
    want = -np.sort(-joined, axis=1)[:, :3] - 1
    np.testing.assert_allclose(model.predict(a, verbose=0), want, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "model.npz")
    again = bn.saving.load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.predict(a, verbose=0), model.predict(a, verbose=0))


def test_variables_are_arrays_outside_of_steps_and_tensors_inside(backend):
    v = Variable(np.arange(3.0, dtype=np.float32))
    np.testing.assert_array_equal(np.tanh(v), np.tanh(v.numpy()))
    np.testing.assert_array_equal(np.ones(3) + v, [1, 2, 3])
    np.testing.assert_array_equal(np.concatenate([v, v]), [0, 1, 2, 0, 1, 2])

    class Scaled(Layer):
        def build(self, shape):
            self.scale = self.add_weight((shape[-1],), initializer="ones")

        def call(self, x):
            return np.exp(self.scale) * x + np.sum(self.scale)

    model = Sequential([Input((3,)), Scaled()])
    model.compile("sgd", "mse")
    x = np.ones((4, 3), np.float32)
    before = model.predict(x, verbose=0)
    model.fit(x, np.zeros((4, 3)), verbose=0)
    assert (model.predict(x, verbose=0) < before - 0.1).all(), "the weight is trained, and no constant"


def test_a_model_with_a_loss_and_a_layer_in_numpy(backend):
    def loss(y_true, y_pred):
        return np.mean(np.log(np.cosh(y_pred - y_true)), axis=-1)

    models = []
    for own in (loss, "log_cosh"):
        bn.utils.set_random_seed(1)
        model = Sequential([Input((4,)), Dense(5), Lambda(lambda t: np.maximum(t, 0.1 * t)), Dense(1)])
        model.compile("adam", own)
        x = np.random.default_rng(2).normal(size=(32, 4)).astype("float32")
        model.fit(x, x[:, :1], batch_size=8, epochs=3, verbose=0)
        models.append(model)
    for a, b in zip(*[m.get_weights() for m in models], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


def test_in_place_operators_on_arrays_give_tensors(backend):
    """As on Keras' tensors: the name on the left takes the new tensor; what else holds the array keeps it."""

    @bn.function
    def step(t):
        total = kept = ops.zeros((3,))  # an array: it depends on nothing that is traced
        total += t
        total *= 2
        scale = np.float32(2) * ops.ones((3,))
        scale -= t
        scale /= 2
        assert isinstance(kept, np.ndarray) and not kept.any()
        return total, scale

    t = np.array([1, 2, 4], "float32")
    total, scale = step(t)
    np.testing.assert_array_equal(total, 2 * t)
    np.testing.assert_array_equal(scale, (2 - t) / 2)


# ---- what is refused ----------------------------------------------------------------------------------------------------
def added_into(a):
    x = np.zeros((3, 5), np.float32)
    np.add(x, a, out=x)


def assigned(a):
    a[0] = 1.0


REFUSED = {
    "add into an array": (added_into, "or write x = x + y"),
    "out=": (lambda a: np.tanh(a, out=np.empty((3, 5), np.float32)), "write its result into an array"),
    "sum out=": (lambda a: np.sum(a, out=np.empty((), np.float32)), "write its result into an array"),
    "x[0] = 1": (assigned, "ops.slice_update"),
    "unknown": (np.spacing, "np.spacing can't be traced"),
    "unknown function": (np.unwrap, "np.unwrap can't be traced"),
    "near": (np.fft.fft, "np.fft.fft can't be traced"),
    "argument": (lambda a: np.sum(a, where=np.ones((3, 5), bool)), "the argument 'where' can't be traced"),
    "float index": (lambda a: a[np.array([0.5])], "integer indices expected"),
    "known arrays only": (ops.det, "known arrays only"),
    "data-dependent shape": (lambda a: ops.nonzero(a), "run_eagerly=True"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_way_out(name):
    fn, words = REFUSED[name]
    with Trace() as graph:
        t = graph.add_input((3, 5), "float32")
        with pytest.raises(TypeError) as caught:
            fn(t)
    assert words in str(caught.value)


def test_an_index_out_of_range(backend):
    with Trace() as graph, pytest.raises(IndexError, match="index 3 is out of range for an axis of size 3"):
        graph.add_input((3, 5), "float32")[[0, 3]]
    with pytest.raises(IndexError, match="index -6"):
        ops.take(X, [-6], axis=1)
    (out,), _ = traced(lambda i: ops.take(X, i[0], axis=1), I)  # known only as the step runs: NaN
    assert np.isnan(out[:, 1]).all() and (out[:, 0] == X[:, 1]).all()


# ---- loops and branches -------------------------------------------------------------------------------------------------
def test_a_loop_whose_condition_is_a_tensor(backend):
    def halve(a):
        return ops.while_loop(lambda t, n: ops.max(t) > 0.5, lambda t, n: (t / 2, n + 1), (a, np.int32(0)), maximum_iterations=6)

    (t, n), executor = traced(halve, np.array([3.0, 1.0], np.float32))
    assert executor == backend and n == 3
    np.testing.assert_array_equal(t, [0.375, 0.125])
    with Trace() as graph, pytest.raises(TypeError, match="give maximum_iterations"):
        a = graph.add_input((2,), "float32")
        ops.while_loop(lambda t: ops.max(t) > 0.5, lambda t: (t / 2,), (a,))


def test_branches_on_tensors_pick_and_may_not_assign(backend):
    (out,), _ = traced(lambda a: ops.cond(ops.sum(a) > 0, lambda: a * 2, lambda: a - 1), X)
    np.testing.assert_array_equal(out, X * 2 if X.sum() > 0 else X - 1)
    (out,), _ = traced(lambda a: ops.switch(a[0, 0], [lambda b: b, lambda b: b * 3], a), I)
    np.testing.assert_array_equal(out, I * 3)
    v = Variable(np.zeros(2, np.float32))
    with Trace() as graph, pytest.raises(TypeError, match="none may change a variable"):
        a = graph.add_input((2,), "float32")
        ops.cond(ops.sum(a) > 0, lambda: v.assign(a), lambda: a)
