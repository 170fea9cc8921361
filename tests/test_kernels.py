"""brisknet.kernels: both implementations against float64, on every instruction set; what they accept and refuse."""

import ctypes
import inspect
import mmap
import sys
import threading

import numpy as np
import pytest

from brisknet import config, kernels
from brisknet.kernels import checks, reference
from brisknet.ops.registry import get_op
from brisknet.runtime import philox

NATIVE = config.native_available()
if NATIVE:
    from brisknet import _core
    from brisknet.kernels import native
ISAS = _core.isas() if NATIVE else []
NAMES = [n for n in reference.__all__ if n != "PackedWeights"]
EPS = 2.0**-24
compiled = pytest.mark.skipif(not NATIVE, reason="the pure-Python package has no kernels")


@pytest.fixture(params=["reference", *ISAS])
def k(request):
    """Each implementation, the native one on each instruction set."""
    if request.param == "reference":
        yield reference
        return
    before = _core.isa()
    _core.set_isa(request.param)
    yield native
    _core.set_isa(before)


@pytest.fixture(params=["reference", *(["native"] if NATIVE else [])])
def either(request):
    """Each implementation once."""
    return getattr(kernels, request.param)


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def wide(*arrays):
    return [a.astype(np.float64) for a in arrays]


def within(got, want, bound):
    """|got - want| <= bound everywhere, NaN and infinities alike."""
    assert got.dtype == np.float32 and got.shape == want.shape
    np.testing.assert_array_less(np.abs(got - want), np.broadcast_to(bound, want.shape) + 1e-37)


# ---- the two implementations have one face ------------------------------------------------------------------------------
@compiled
@pytest.mark.parametrize("name", NAMES)
def test_signatures_and_docstrings_agree(name):
    functions = [getattr(module, name) for module in (kernels, native, reference)]
    assert len({inspect.signature(f) for f in functions}) == 1
    assert len({f.__doc__ for f in functions}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_tell_types_and_errors(name):
    doc = getattr(reference, name).__doc__
    assert "float32" in doc and "TypeError" in doc and "ValueError" in doc


@compiled
def test_modules_hold_the_same_names():
    assert native.__all__ == reference.__all__ and all(hasattr(native, n) for n in native.__all__)
    assert set(NAMES) <= set(kernels.__all__)


@compiled
def test_the_package_calls_the_implementation_in_use(monkeypatch):
    before = config.backend()
    monkeypatch.setattr(reference, "matmul", lambda *a, **k: "reference")
    monkeypatch.setattr(native, "matmul", lambda *a, **k: "native")
    try:
        for name in ("numpy", "native"):
            config.set_backend(name)
            assert kernels.matmul(normal(2, 2), normal(2, 2)) == {"numpy": "reference"}.get(name, name)
    finally:
        config.set_backend(before)


def test_a_missing_extension_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "brisknet.kernels.native", None)
    monkeypatch.delitem(vars(kernels), "native", raising=False)
    with pytest.raises(ImportError, match="not in this installation.*reinstall"):
        _ = kernels.native


# ---- products -----------------------------------------------------------------------------------------------------------
SIZES = [(1, 1, 1), (1, 7, 16), (2, 3, 1), (5, 1, 17), (6, 16, 16), (7, 33, 31), (13, 300, 47), (32, 10, 64), (150, 65, 33), (3, 513, 130)]


@pytest.mark.parametrize(("m", "depth", "n"), SIZES)
@pytest.mark.parametrize("layout", ["NN", "NT", "TN", "TT"])
def test_matmul(k, m, depth, n, layout):
    ta, tb = layout[0] == "T", layout[1] == "T"
    a, b = normal(*((depth, m) if ta else (m, depth))), normal(*((n, depth) if tb else (depth, n)), seed=1)
    left, right = wide(a.T if ta else a, b.T if tb else b)
    bound = 1.01 * depth * EPS * (np.abs(left) @ np.abs(right))
    out = np.full((m, n), np.nan, np.float32)
    assert k.matmul(a, b, ta, tb, out=out) is out
    within(out, left @ right, bound)
    np.testing.assert_array_equal(k.matmul(a, b, transpose_a=ta, transpose_b=tb), out)


ACTIVATIONS = [("linear", 0.0), ("relu", 0.0), ("leaky_relu", 0.2), ("elu", 0.7), ("sigmoid", 0.0), ("tanh", 0.0)]


def sums(x, w, b):
    """(x w + b in float64, a bound on what float32 makes of it)."""
    x, w, b = wide(x, w, b)
    return x @ w + b, 1.01 * (x.shape[1] + 1) * EPS * (np.abs(x) @ np.abs(w) + np.abs(b))


@pytest.mark.parametrize(("m", "depth", "n"), SIZES)
def test_dense_forward(k, m, depth, n):
    x, w, b = normal(m, depth), normal(depth, n, seed=1), normal(n, seed=2)
    want, bound = sums(x, w, b)
    within(k.dense_forward(x, w, b), want, bound)
    packed = k.pack_weights(w)
    np.testing.assert_array_equal(k.dense_forward(x, packed, b), k.dense_forward(x, w, b))
    within(k.dense_forward(x, packed), want - b, bound)
    np.testing.assert_array_equal(packed.unpack(), w)
    assert packed.shape == (depth, n)


@pytest.mark.parametrize(("kind", "alpha"), ACTIVATIONS)
@pytest.mark.parametrize(("m", "depth", "n"), [(1, 5, 20), (9, 40, 1), (37, 20, 35)])
def test_dense_forward_and_backward_by_activation(k, kind, alpha, m, depth, n):
    x, w, b, dy = normal(m, depth), normal(depth, n, seed=1), normal(n, seed=2), normal(m, n, seed=3)
    z, bound = sums(x, w, b)
    y = k.dense_forward(x, w, b, kind, alpha)
    # no activation here has a slope above 1; its own error is a few units in the last place of values up to 1 + |z|
    within(y, get_op("dense").reference(*wide(x, w, b), activation=kind, alpha=alpha), bound + 8 * EPS * (1 + np.abs(z)))
    dz = get_op("act_grad").reference(*wide(dy, y), kind=kind, alpha=alpha)
    off = 4 * EPS * np.abs(dz) + (4 * EPS * np.abs(dy) if kind in ("tanh", "elu") else 0)  # of dz, made from y
    for weights in (w, k.pack_weights(w)):
        dx, dw, db = k.dense_backward(dy, x, weights, y, kind, alpha)
        size, x64, w64 = np.abs(dz), *wide(x, w)
        within(dx, dz @ w64.T, 1.01 * n * EPS * (size @ np.abs(w64.T)) + off @ np.abs(w64.T))
        within(dw, x64.T @ dz, 1.01 * m * EPS * (np.abs(x64.T) @ size) + np.abs(x64.T) @ off)
        within(db, dz.sum(axis=0), 1.01 * m * EPS * size.sum(axis=0) + off.sum(axis=0))
    none, dw2, db2 = k.dense_backward(dy, x, w, y, kind, alpha, need_dx=False)
    assert none is None
    np.testing.assert_array_equal(dw2, dw)
    np.testing.assert_array_equal(db2, db)


def test_a_linear_backward_needs_no_output(k):
    dy, x, w = normal(4, 3), normal(4, 5), normal(5, 3)
    for one, other in zip(k.dense_backward(dy, x, w, None), k.dense_backward(dy, x, w, normal(4, 3)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_can_be_packed_again(either):
    w, x = normal(20, 33), normal(3, 20)
    packed = either.pack_weights(w)
    w2 = normal(20, 33, seed=9)
    assert either.pack_weights(w2, out=packed) is packed
    np.testing.assert_array_equal(packed.unpack(), w2)
    np.testing.assert_array_equal(either.dense_forward(x, packed), either.dense_forward(x, w2))
    w2[...] = 0
    assert packed.unpack().any()


@compiled
def test_packed_weights_are_understood_by_the_other_implementation():
    w, x, dy = normal(20, 33), normal(3, 20), normal(3, 33)
    for one, other in ((native, reference), (reference, native)):
        packed = one.pack_weights(w)
        np.testing.assert_array_equal(other.dense_forward(x, packed), other.dense_forward(x, w))
        np.testing.assert_array_equal(other.dense_backward(dy, x, packed, None)[0], other.dense_backward(dy, x, w, None)[0])


def test_nothing_to_multiply(either):
    for m, depth, n in ((0, 3, 4), (3, 0, 4), (3, 4, 0)):
        x, w, b = normal(m, depth), normal(depth, n), normal(n)
        np.testing.assert_array_equal(either.matmul(x, w), x @ w)
        for weights in (w, either.pack_weights(w)):
            np.testing.assert_allclose(either.dense_forward(x, weights, b, "tanh"), np.tanh(x @ w + b), rtol=1e-6)
            dy = normal(m, n)
            dx, dw, db = either.dense_backward(dy, x, weights, dy, "relu")
            assert dx.shape == x.shape and not dx.any() and dw.shape == w.shape and not dw.any()
            np.testing.assert_allclose(db, (dy * (dy > 0)).sum(axis=0), rtol=1e-6)


# ---- element by element ---------------------------------------------------------------------------------------------
LENGTHS = (1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 4095, 4097, 9000)
PARAMETERS = {"leaky_relu": {"alpha": 0.3}, "elu": {"alpha": 0.7}, "step": {"low": -1.0, "high": 1.0}}
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 88.0, -88.0, 1.0, -1.0], np.float32)


@pytest.mark.parametrize("kind", checks.KINDS)
def test_activation_and_its_gradient(k, kind):
    alpha = PARAMETERS.get(kind, {}).get("alpha", 0.0)
    for n in LENGTHS:
        x, dy = 3 * normal(n), normal(n, seed=1)
        want = x.astype(np.float64) if kind == "linear" else get_op(kind).reference(*wide(x), **PARAMETERS.get(kind, {}))
        y = k.activation(x, kind, alpha)
        within(y, want, 8 * EPS * np.abs(want) + 8 * EPS)
        np.testing.assert_array_equal(k.activation(x.copy(), kind, alpha, out=np.empty(n, np.float32)), y)
        if kind == "step":
            continue
        if kind in checks.FROM_OUTPUT:
            source, slope = y, get_op("act_grad").reference(*wide(dy, y), kind=kind, alpha=alpha)
        else:
            source, slope = x, get_op(f"{kind}_grad").reference(*wide(dy, x))
        got = k.activation_grad(dy, source, kind, alpha)
        # near 1, tanh and erf leave an error of EPS that x, for gelu_tanh x^3, multiplies
        grown = 0 if kind in checks.FROM_OUTPUT else np.abs(x.astype(np.float64)) ** 3
        within(got, slope, EPS * np.abs(dy) * (16 + grown))
        first = dy.copy()
        for target in (first, source.copy()):  # in place of either input
            args = (target, source) if target is first else (dy, target)
            assert k.activation_grad(*args, kind, alpha, out=target) is target
            np.testing.assert_array_equal(target, got)


@pytest.mark.parametrize("kind", checks.KINDS)
def test_activation_of_special_values_and_in_place(k, kind):
    alpha = PARAMETERS.get(kind, {}).get("alpha", 0.0)
    x = SPECIAL.copy()
    want = reference.activation(x, kind, alpha)
    assert k.activation(x, kind, alpha, out=x) is x
    np.testing.assert_allclose(x, want, rtol=3e-6, atol=1e-6)


def test_activation_keeps_any_shape(either):
    for shape in ((), (3,), (2, 3, 4), (2, 0, 3)):
        x = np.asarray(normal(*shape), np.float32)
        assert either.activation(x, "relu").shape == shape
        assert either.dropout(x, 0.5, 1, 2).shape == shape


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.999])
def test_dropout_draws_what_a_model_draws(k, rate):
    for n in LENGTHS:
        x = normal(n)
        want = get_op("dropout").reference(x, np.int64(5), rate=rate, key=1234567)
        got = k.dropout(x, rate, 1234567, 5)
        np.testing.assert_array_equal(got, want)
        kept = philox.dropout_bits(n, 1234567, 5) >= round(rate * 65536)
        np.testing.assert_array_equal(got != 0, kept & (x != 0))
        assert k.dropout(x, rate, 1234567, 5, out=x) is x
        np.testing.assert_array_equal(x, got)


# ---- rows ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(1,), (5, 1), (4, 10), (2, 3, 17), (3, 1000)])
def test_softmax(k, shape):
    x = 4 * normal(*shape)
    (x64,) = wide(x)
    e = np.exp(x64 - x64.max(axis=-1, keepdims=True))
    want = e / e.sum(axis=-1, keepdims=True)
    # e^t has the error of t = x - max, |t| EPS, and a few units of its own; so have the sum and the division
    bound = EPS * want * (2 * np.abs(x64 - x64.max(axis=-1, keepdims=True)).max(axis=-1, keepdims=True) + shape[-1] + 8)
    within(k.softmax(x), want, bound)
    out = np.empty_like(x)
    assert k.softmax(x, out=out) is out
    assert k.softmax(np.empty((3, 0), np.float32)).shape == (3, 0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", ["int32", "int64", "uint8", "one-hot", "smoothed", "smoothed int"])
@pytest.mark.parametrize("shape", [(1, 2), (7, 10), (33, 17), (700, 33)])
def test_softmax_cross_entropy(k, shape, labels, weighted):
    rng = np.random.default_rng(3)
    z, classes = 3 * normal(*shape), rng.integers(0, shape[1], shape[0])
    weights = rng.uniform(0, 2, shape[0]).astype(np.float32) if weighted else None
    smoothing = 0.1 if "smoothed" in labels else 0.0
    hot = np.eye(shape[1])[classes]
    given = hot if labels in ("one-hot", "smoothed") else classes.astype(labels.removeprefix("smoothed ").replace("int", "int64") if labels == "smoothed int" else labels)
    loss, slope = k.softmax_cross_entropy(z, given, weights, smoothing)
    inputs = (z.astype(np.float64), hot) if weights is None else (*wide(z), hot, *wide(weights))
    want, want_slope = get_op("xent_head").reference(*inputs, sparse=False, smoothing=smoothing)
    assert isinstance(loss, float) and abs(loss - want) <= 64 * EPS * max(abs(want), 1)
    within(slope, want_slope, 64 * EPS * 2 / shape[0])


def test_softmax_cross_entropy_of_nothing(either):
    loss, slope = either.softmax_cross_entropy(np.empty((0, 3), np.float32), np.empty(0, np.int64))
    assert loss == 0.0 and slope.shape == (0, 3)


# ---- optimizers ---------------------------------------------------------------------------------------------------------
RULES = [
    ("sgd_update", 0, {"learning_rate": 0.1}),
    ("sgd_update", 1, {"learning_rate": 0.1, "momentum": 0.9}),
    ("sgd_update", 1, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("rmsprop_update", "v", {"rho": 0.8}),
    ("rmsprop_update", "vm", {"momentum": 0.5}),
    ("rmsprop_update", "vc", {"centered": True}),
    ("rmsprop_update", "vmc", {"momentum": 0.5, "centered": True}),
    ("adam_update", 2, {"learning_rate": 0.01}),
    ("adam_update", 3, {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-5}),
    ("adagrad_update", 1, {"learning_rate": 0.1}),
    ("adadelta_update", 2, {"learning_rate": 1.0, "rho": 0.9}),
]  # fmt: skip
DEFAULTS = {n: {p.name: p.default for p in inspect.signature(getattr(reference, n)).parameters.values() if p.kind == p.KEYWORD_ONLY}
            for n in NAMES if n.endswith("_update")}  # fmt: skip


def slots_of(name, which, make):
    """Slot arguments of a call: None where the variant has none in between."""
    if name == "rmsprop_update":
        return [make(), make() if "m" in which else None, make() if "c" in which else None]
    return [make() for _ in range(which)]


@pytest.mark.parametrize("extra", [{}, {"weight_decay": 0.1, "clipvalue": 0.5}], ids=["plain", "decay-clip"])
@pytest.mark.parametrize(("name", "which", "settings"), RULES, ids=lambda v: "-".join(v) if isinstance(v, dict) else str(v))
def test_optimizer_follows_the_formula(k, name, which, settings, extra):
    for n in (1, 7, 130, 9001):
        p = normal(n)
        slots = slots_of(name, which, lambda n=n: np.full(n, 0.1, np.float32))
        exact = wide(p, *(s for s in slots if s is not None))
        attrs = {**DEFAULTS[name], **settings, **extra}
        rate, decay = attrs.pop("learning_rate"), attrs.pop("weight_decay")
        attrs.pop("iterations", None)
        if k is not reference:  # the kernels' hyperparameters are float32
            attrs = {key: float(np.float32(v)) if isinstance(v, float) else v for key, v in attrs.items()}
        for step in range(3):
            g = normal(n, seed=10 + step)
            counted = {"iterations": step} if name == "adam_update" else {}
            assert getattr(k, name)(p, g, *slots, **settings, **extra, **counted) is None
            inputs = float(np.float32(rate)), step, exact[0], *wide(g), *exact[1:]
            exact = list(get_op(name).reference(*inputs, n=1, decay=(decay or 0.0,), **attrs))
        for got, want in zip([p, *(s for s in slots if s is not None)], exact, strict=True):
            np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)


def test_optimizer_updates_any_shape(either):
    p, g = normal(3, 4, 5), normal(3, 4, 5, seed=1)
    want = p - np.float32(0.01) * g
    either.sgd_update(p, g)
    np.testing.assert_allclose(p, want, rtol=1e-6, atol=1e-7)
    either.sgd_update(np.empty((0, 3), np.float32), np.empty((0, 3), np.float32))


# ---- what arrays may be like ------------------------------------------------------------------------------------------
def unaligned(x):
    """The same values one byte off."""
    room = np.empty(x.nbytes + 8, np.uint8)
    y = np.frombuffer(room.data, np.float32, x.size, 1).reshape(x.shape)
    y[...] = x
    assert not y.flags.aligned
    return y


def locked(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def strided(x):
    y = np.empty((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)[..., ::2]
    y[...] = x
    return y


class Wrapped:
    """Something that only NumPy's protocol makes an array."""

    def __init__(self, x):
        self.x = x

    def __array__(self, dtype=None, copy=None):
        return self.x


def calls(k):
    """One call of every function that reads arrays and returns new ones, as (name, arrays, function of them)."""
    m, depth, n = 9, 21, 35
    x, w, b, dy = normal(m, depth), normal(depth, n), normal(n), normal(m, n)
    return [
        ("matmul", (x, w), k.matmul),
        ("matmul T", (x, normal(m, n)), lambda a, c: k.matmul(a, c, True)),
        ("matmul in strips", (normal(depth, 200), w), lambda a, c: k.matmul(a, c, True)),
        ("pack", (w,), lambda w: k.pack_weights(w).unpack()),
        ("forward", (x, w, b), lambda *a: k.dense_forward(*a, "tanh")),
        ("column", (x, normal(depth, 1), normal(1)), k.dense_forward),
        ("backward", (dy, x, w, normal(m, n, seed=4)), lambda *a: k.dense_backward(*a, "relu")),
        ("activation", (x,), lambda x: k.activation(x, "gelu")),
        ("gradient", (dy, normal(m, n, seed=4)), lambda *a: k.activation_grad(*a, "silu")),
        ("dropout", (x,), lambda x: k.dropout(x, 0.5, 1, 2)),
        ("softmax", (x,), k.softmax),
        ("loss", (dy, np.eye(n, dtype=np.float32)[:m], np.abs(normal(m))), k.softmax_cross_entropy),
    ]


def flat(result):
    return [np.asarray(r) for r in (result if isinstance(result, tuple) else (result,)) if r is not None]


@pytest.mark.parametrize("change", [unaligned, locked, strided, np.asfortranarray, Wrapped, memoryview])
def test_inputs_of_any_layout(k, change):
    for name, arrays, call in calls(k):
        for got, want in zip(flat(call(*map(change, arrays))), flat(call(*arrays)), strict=True):
            np.testing.assert_array_equal(got, want, err_msg=name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory protection is set by the C library's mprotect")
def test_nothing_is_touched_behind_an_array(k):
    page, keep = mmap.PAGESIZE, []

    def at_the_edge(x):
        """A copy that ends where an unreadable page begins."""
        size = -(-x.nbytes // page) * page
        memory = mmap.mmap(-1, size + page)
        y = np.frombuffer(memory, np.float32, x.size, size - x.nbytes).reshape(x.shape)
        y[...] = x
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + size), ctypes.c_size_t(page), 0) == 0
        keep.append(memory)
        return y

    for name, arrays, call in calls(k):
        for got, want in zip(flat(call(*map(at_the_edge, arrays))), flat(call(*arrays)), strict=True):
            np.testing.assert_array_equal(got, want, err_msg=name)
    out, x = at_the_edge(np.empty((9, 35), np.float32)), normal(9, 35)
    np.testing.assert_array_equal(k.activation(x, "tanh", out=out), k.activation(x, "tanh"))
    np.testing.assert_array_equal(k.matmul(x, normal(35, 35), out=out), k.matmul(x, normal(35, 35)))
    for name, which, settings in RULES:
        counted = {"iterations": 0} if name == "adam_update" else {}
        plain = [normal(35), normal(35, seed=1), *slots_of(name, which, lambda: np.full(35, 0.1, np.float32))]
        edge = [None if a is None else at_the_edge(a) for a in plain]
        for arrays in (plain, edge):
            getattr(k, name)(*arrays, **settings, **counted)
        np.testing.assert_array_equal(edge[0], plain[0], err_msg=name)


@compiled
def test_denormals_are_left_to_the_caller():
    tiny = np.full(4, 1e-39, np.float32)
    native.matmul(normal(8, 8), normal(8, 8))
    assert (tiny * np.float32(0.5) != 0).all()


# ---- errors -------------------------------------------------------------------------------------------------------------
A, B, V = normal(3, 4), normal(4, 5), normal(5)
LOCKED = locked(normal(3, 5))
BAD = {
    "rank of a": (ValueError, r"a: an array of rank 2 expected, got shape \(4,\)", lambda k: k.matmul(A[0], B)),
    "dtype of b": (TypeError, "b: a float32 array expected, got dtype float64", lambda k: k.matmul(A, B.astype(float))),
    "list": (TypeError, "a: a float32 array expected, got dtype float64", lambda k: k.matmul([[1.0]], B)),
    "None": (TypeError, "b: a float32 array expected, got dtype object", lambda k: k.matmul(A, None)),
    "big-endian": (TypeError, "a: a float32 array", lambda k: k.matmul(A.astype(">f4"), B)),
    "inner": (ValueError, r"b: shape \(4, N\) expected.*a \(3, 4\), got \(5, 4\)", lambda k: k.matmul(A, B.T.copy())),
    "inner T": (ValueError, r"b: shape \(N, 4\) expected", lambda k: k.matmul(A, B, False, True)),
    "flag": (TypeError, "transpose_a: True or False expected, got 'T'", lambda k: k.matmul(A, B, "T")),
    "out shape": (ValueError, r"out: shape \(3, 5\) expected, got \(5, 3\)", lambda k: k.matmul(A, B, out=np.empty((5, 3), "f"))),
    "out dtype": (TypeError, "out: .*got dtype float64", lambda k: k.matmul(A, B, out=np.empty((3, 5)))),
    "out list": (TypeError, "out: .*got list", lambda k: k.matmul(A, B, out=[])),
    "out locked": (ValueError, "out: .*read-only", lambda k: k.matmul(A, B, out=LOCKED)),
    "out strided": (ValueError, "out: .*not C-contiguous", lambda k: k.matmul(A, B, out=np.empty((5, 3), "f").T)),
    "out unaligned": (ValueError, "out: .*unaligned", lambda k: k.matmul(A, B, out=unaligned(LOCKED))),
    "weights": (ValueError, r"w: shape \(4, N\) expected, to go with x \[M, 4\], got \(5, 4\)", lambda k: k.dense_forward(A, B.T.copy())),
    "packed": (ValueError, r"w: shape \(4, N\)", lambda k: k.dense_forward(A, k.pack_weights(B.T.copy()))),
    "weights rank": (ValueError, "w: an array of rank 2", lambda k: k.dense_forward(A, V)),
    "bias": (ValueError, r"b: shape \(5,\) expected, got \(4,\)", lambda k: k.dense_forward(A, B, V[:4])),
    "activation": (ValueError, "activation: one of linear, relu.*got 'gelu'", lambda k: k.dense_forward(A, B, V, "gelu")),
    "activation type": (ValueError, "activation: one of", lambda k: k.dense_forward(A, B, V, ["relu"])),
    "alpha": (ValueError, "alpha: a number expected, got nan", lambda k: k.dense_forward(A, B, V, "elu", float("nan"))),
    "alpha type": (ValueError, "alpha: a number expected, got '1'", lambda k: k.dense_forward(A, B, V, "elu", "1")),
    "dy": (ValueError, r"dy: shape \(3, 5\) expected, got \(3, 4\)", lambda k: k.dense_backward(A, A, B, None)),
    "y": (ValueError, r"y: shape \(3, 5\) expected", lambda k: k.dense_backward(LOCKED, A, B, A, "relu")),
    "no y": (TypeError, "y: a float32 array expected", lambda k: k.dense_backward(LOCKED, A, B, None, "relu")),
    "need_dx": (TypeError, "need_dx: True or False", lambda k: k.dense_backward(LOCKED, A, B, None, need_dx=1)),
    "pack rank": (ValueError, "w: an array of rank 2", lambda k: k.pack_weights(V)),
    "pack out": (TypeError, "out: packed weights.*got ndarray", lambda k: k.pack_weights(B, out=B)),
    "pack out shape": (ValueError, r"out: packed weights of shape \(3, 4\)", lambda k: k.pack_weights(A, out=k.pack_weights(B))),
    "kind": (ValueError, "kind: one of .*got 'swish'", lambda k: k.activation(A, "swish")),
    "int array": (TypeError, "x: a float32 array expected, got dtype int64", lambda k: k.activation(np.arange(3), "relu")),
    "step": (ValueError, "kind: .*gradient", lambda k: k.activation_grad(A, A, "step")),
    "shapes": (ValueError, r"y_or_x: shape \(3, 4\) expected, got \(4, 5\)", lambda k: k.activation_grad(A, B, "relu")),
    "rate": (ValueError, r"rate: a number in \[0, 1\) expected, got 1.0", lambda k: k.dropout(A, 1.0, 1, 1)),
    "rate type": (ValueError, "rate: a number", lambda k: k.dropout(A, None, 1, 1)),
    "key": (ValueError, "key: an integer in .* got -1", lambda k: k.dropout(A, 0.5, -1, 1)),
    "key size": (ValueError, "key: an integer", lambda k: k.dropout(A, 0.5, 1 << 63, 1)),
    "step type": (ValueError, "step: an integer.*got 1.5", lambda k: k.dropout(A, 0.5, 1, 1.5)),
    "scalar": (ValueError, "x: an array of rank 1 or more", lambda k: k.softmax(np.float32(1))),
    "softmax in place": (ValueError, "out: memory of its own expected, got an array that overlaps x", lambda k: (lambda x: k.softmax(x, out=x))(A.copy())),
    "labels": (ValueError, r"labels: classes in \[0, 4\) expected.*got 4", lambda k: k.softmax_cross_entropy(A, np.array([0, 4, 1]))),
    "label below": (ValueError, "labels: .*got -1", lambda k: k.softmax_cross_entropy(A, np.array([0, -1, 1], np.int32))),
    "label count": (ValueError, r"labels: shape \(3,\)", lambda k: k.softmax_cross_entropy(A, np.array([0, 1]))),
    "float labels": (TypeError, "labels: integers expected", lambda k: k.softmax_cross_entropy(A, np.zeros(3))),
    "one-hot shape": (ValueError, r"labels: shape \(3, 4\) expected", lambda k: k.softmax_cross_entropy(A, np.zeros((3, 5), "f"))),
    "text labels": (TypeError, "labels: one-hot numbers", lambda k: k.softmax_cross_entropy(A, np.array([["a"] * 4] * 3))),
    "row weights": (ValueError, r"weights: shape \(3,\) expected", lambda k: k.softmax_cross_entropy(A, np.zeros(3, int), V)),
    "smoothing": (ValueError, r"label_smoothing: a number in \[0, 1\]", lambda k: k.softmax_cross_entropy(A, A, None, 1.5)),
    "grad": (ValueError, r"grad: shape \(5,\) expected, got \(3, 4\)", lambda k: k.sgd_update(V.copy(), A)),
    "grad dtype": (TypeError, "grad: a float32 array", lambda k: k.sgd_update(V.copy(), V.astype(float))),
    "param list": (TypeError, "param: a float32 NumPy array", lambda k: k.sgd_update([1.0] * 5, V)),
    "param locked": (ValueError, "param: .*read-only", lambda k: k.sgd_update(locked(V), V.copy())),
    "param is grad": (ValueError, "param: memory of its own.*overlaps grad", lambda k: (lambda p: k.sgd_update(p, p))(V.copy())),
    "no slot": (ValueError, "m: .*with momentum, got None", lambda k: k.sgd_update(V.copy(), V, momentum=0.9)),
    "needless slot": (ValueError, "m: None expected without momentum", lambda k: k.sgd_update(V.copy(), V, V.copy())),
    "nesterov": (TypeError, "nesterov: True or False", lambda k: k.sgd_update(V.copy(), V, V.copy(), momentum=0.9, nesterov="yes")),
    "momentum": (ValueError, r"momentum: a number in \[0, 1\]", lambda k: k.sgd_update(V.copy(), V, V.copy(), momentum=1.5)),
    "learning rate": (ValueError, "learning_rate: a number in", lambda k: k.sgd_update(V.copy(), V, learning_rate=-1)),
    "learning rate type": (ValueError, "learning_rate: a number in", lambda k: k.sgd_update(V.copy(), V, learning_rate=None)),
    "decay": (ValueError, "weight_decay: a number in", lambda k: k.sgd_update(V.copy(), V, weight_decay=-0.1)),
    "clip": (ValueError, "clipvalue: a number in .*got 0", lambda k: k.sgd_update(V.copy(), V, clipvalue=0.0)),
    "slot shape": (ValueError, r"v: shape \(5,\) expected", lambda k: k.rmsprop_update(V.copy(), V, A.copy())),
    "mean": (ValueError, "mean: .*with centered", lambda k: k.rmsprop_update(V.copy(), V, V.copy(), centered=True)),
    "same slots": (ValueError, "v: memory of its own.*overlaps m", lambda k: (lambda m: k.adam_update(V.copy(), V, m, m, iterations=0))(V.copy())),
    "iterations": (ValueError, "iterations: an integer", lambda k: k.adam_update(V.copy(), V, V.copy(), V.copy(), iterations=-1)),
    "beta": (ValueError, r"beta_2: a number in \[0, 1\)", lambda k: k.adam_update(V.copy(), V, V.copy(), V.copy(), iterations=0, beta_2=1.0)),
    "v_hat": (ValueError, "v_hat: None expected without amsgrad", lambda k: k.adam_update(V.copy(), V, *(V.copy() for _ in "123"), iterations=0)),
    "accumulator": (ValueError, "accumulator: .*got None", lambda k: k.adagrad_update(V.copy(), V, None)),
    "rho": (ValueError, "rho: a number", lambda k: k.adadelta_update(V.copy(), V, V.copy(), V.copy(), rho="a")),
    "epsilon": (ValueError, "epsilon: a number", lambda k: k.adadelta_update(V.copy(), V, V.copy(), V.copy(), epsilon=-1.0)),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named(either, case):
    kind, message, call = BAD[case]
    with pytest.raises(kind, match=message):
        call(either)


def test_out_must_not_overlap_what_is_read(either):
    room = normal(60)
    a = room[:12].reshape(3, 4)
    for name, call in {
        "a": lambda: either.matmul(a, B, out=room[8:23].reshape(3, 5)),
        "x": lambda: either.dense_forward(a, B, out=room[:15].reshape(3, 5)),
        "b": lambda: either.dense_forward(A, B, room[20:25], out=room[20:35].reshape(3, 5)),
        "w": lambda: either.dense_forward(A, room[:20].reshape(4, 5), out=room[10:25].reshape(3, 5)),
    }.items():
        before = room.copy()
        with pytest.raises(ValueError, match=f"out: memory of its own expected, got an array that overlaps {name}"):
            call()
        np.testing.assert_array_equal(room, before)
    with pytest.raises(ValueError, match=r"out: .*\(it may be x itself\), got an array that overlaps x"):
        either.activation(room[:20], "relu", out=room[1:21])
    either.activation(room[:20], "relu", out=room[20:40])


# ---- threads, memory -------------------------------------------------------------------------------------------------------
@compiled
def test_same_bits_for_any_number_of_threads():
    a, b, dy, big = normal(400, 300), normal(300, 500), normal(400, 500), normal(1_500_000)
    labels = np.random.default_rng(0).integers(0, 500, 400)

    def results():
        p, m, v = big.copy(), np.zeros_like(big), np.zeros_like(big)
        native.adam_update(p, big, m, v, iterations=0)
        return [
            native.matmul(a, b), *native.dense_backward(dy, a, b, dy, "tanh"), native.dropout(big, 0.5, 1, 2), p,
            native.activation(big, "gelu"), *map(np.asarray, native.softmax_cross_entropy(dy, labels)),
        ]  # fmt: skip

    try:
        _core.set_threads(1)
        want = results()
        for threads in (2, 3, 4, 7):
            _core.set_threads(threads)
            for got, one in zip(results(), want, strict=True):
                np.testing.assert_array_equal(got, one)
    finally:
        _core.set_threads(0)


@compiled
def test_calls_from_many_threads_do_not_disturb_each_other():
    inputs = [(normal(64, 200, seed=i), normal(200, 90, seed=i), normal(64, 90, seed=i)) for i in range(4)]
    want = [native.dense_backward(dy, x, w, dy, "relu") for x, w, dy in inputs]
    failures = []

    def work(i):
        x, w, dy = inputs[i]
        for _ in range(50):
            got = native.dense_backward(dy, x, w, dy, "relu")
            if not all(map(np.array_equal, got, want[i])):
                failures.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


@compiled
def test_scratch_memory_is_used_again():
    x, w, dy = normal(64, 200), normal(200, 90), normal(64, 90)

    def work():
        for _ in range(20):
            native.matmul(x, w)
            native.dense_backward(dy, x, w, dy, "relu")
            native.pack_weights(w)
            with pytest.raises(ValueError, match="b: shape"):
                native.matmul(x, x)

    work()
    before = _core.allocated()
    work()
    assert _core.allocated() == before


@compiled
def test_running_out_of_memory_leaves_everything_usable():
    w, x = normal(40, 50), normal(3, 40)
    want = native.dense_forward(x, w)
    before = _core.allocated()
    _core.fail_allocation(0)
    try:
        with pytest.raises(MemoryError, match=r"packed weights of shape \(40, 50\)"):
            native.pack_weights(w)
    finally:
        _core.fail_allocation(-1)
    wide = np.ones((100, 1 << 17), np.float32)  # packed, more than any scratch memory that earlier calls have left
    _core.fail_allocation(0, True)
    try:
        with pytest.raises(MemoryError, match="scratch"):
            native.dense_forward(np.ones((1, 100), np.float32), wide)
    finally:
        _core.fail_allocation(-1)
    assert _core.allocated() == before
    np.testing.assert_array_equal(native.dense_forward(x, w), want)
