"""What both implementations accept: one function for each kernel that returns its arguments ready for use, or raises an
error that names the argument, what was expected and what came."""

from __future__ import annotations

import numpy as np

# Activations whose derivative follows from their output, in the order of enum bk_act (csrc/brisknet.h); dense fuses these.
FROM_OUTPUT = ("linear", "relu", "leaky_relu", "elu", "sigmoid", "tanh")
FROM_INPUT = ("gelu", "gelu_tanh", "silu", "softplus")
KINDS = (*FROM_OUTPUT, *FROM_INPUT, "step")
_INT_MAX = 2**63 - 1


# ---- single arguments ---------------------------------------------------------------------------------------------------
def array(name: str, x, ndim: int | None = None, shape: tuple | None = None) -> np.ndarray:
    """x as an aligned, C-contiguous float32 array (a copy where it is laid out otherwise) of that rank and shape."""
    x = np.asarray(x)
    if x.dtype != np.float32 or not x.dtype.isnative:
        raise TypeError(f"{name}: a float32 array expected, got dtype {x.dtype}; convert it with {name}.astype('float32')")
    if ndim is not None and x.ndim != ndim:
        raise ValueError(f"{name}: an array of rank {ndim} expected, got shape {x.shape}")
    if shape is not None and x.shape != shape:
        raise ValueError(f"{name}: shape {shape} expected, got {x.shape}")
    return np.require(x, requirements=("C", "A")) if x.ndim else x


def output(name: str, out, shape: tuple, inputs: dict, in_place: tuple = ()) -> np.ndarray:
    """The array to write: `out` itself, or a new one where it is None.

    inputs: the arrays by name that are read; out may overlap none of them, but may be one of those named in in_place.
    """
    if out is None:
        return np.empty(shape, np.float32)
    if not isinstance(out, np.ndarray) or out.dtype != np.float32 or not out.dtype.isnative:
        got = f"dtype {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeError(f"{name}: a float32 NumPy array to write into expected, got {got}")
    if out.shape != shape:
        raise ValueError(f"{name}: shape {shape} expected, got {out.shape}")
    if not (out.flags.c_contiguous and out.flags.aligned and out.flags.writeable):
        flaw = "read-only" if not out.flags.writeable else "not C-contiguous" if out.flags.aligned else "unaligned"
        raise ValueError(f"{name}: a writeable, aligned, C-contiguous array expected, got a {flaw} one; make it with np.empty")
    for other, x in inputs.items():
        same = other in in_place and x.size == out.size and address(x) == address(out)
        if not same and np.may_share_memory(x, out):
            also = f" (it may be {' or '.join(in_place)} itself)" if in_place else ""
            raise ValueError(f"{name}: memory of its own expected{also}, got an array that overlaps {other}")
    return out


def address(x: np.ndarray) -> int:
    """Where an array's elements begin."""
    return x.__array_interface__["data"][0]


def padded(x) -> np.ndarray:
    """A copy of a C-contiguous float32 array with readable memory behind its end."""
    x = np.asarray(x)
    copy = np.empty(x.size + 16, np.float32)[: x.size].reshape(x.shape)
    copy[...] = x
    return copy


def number(name: str, value, low: float = -np.inf, high: float = np.inf, *, above: bool = False, below: bool = False):
    """A finite float in [low, high]; without the ends where `above` or `below`."""
    ok = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and np.isfinite(value)
    if not ok or value < low or value > high or (above and value == low) or (below and value == high):
        span = f" in {'(' if above else '['}{low:g}, {high:g}{')' if below else ']'}"
        raise ValueError(f"{name}: a number{span if (low, high) != (-np.inf, np.inf) else ''} expected, got {value!r}")
    return float(value)


def integer(name: str, value) -> int:
    """An int from 0 to 2^63 - 1."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not 0 <= value <= _INT_MAX:
        raise ValueError(f"{name}: an integer in [0, 2**63) expected, got {value!r}")
    return int(value)


def flag(name: str, value) -> bool:
    """A bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: True or False expected, got {value!r}")
    return bool(value)


def choice(name: str, value, allowed: tuple) -> str:
    """One of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}: one of {', '.join(allowed)} expected, got {value!r}")
    return value


def weights(name: str, w, own: type, rows: int | None = None):
    """Weights [K, N]: an array, or packed ones. Those that the other implementation packed become an array again."""
    if isinstance(w, own):
        shape = w.shape
    else:
        w = array(name, w.unpack() if hasattr(w, "unpack") else w, 2)
        shape = w.shape
    if rows is not None and shape[0] != rows:
        raise ValueError(f"{name}: shape ({rows}, N) expected, to go with x [M, {rows}], got {shape}")
    return w


# ---- products -----------------------------------------------------------------------------------------------------------
def matmul(a, b, transpose_a, transpose_b, out):
    a, b = array("a", a, 2), array("b", b, 2)
    transpose_a, transpose_b = flag("transpose_a", transpose_a), flag("transpose_b", transpose_b)
    k, m = a.shape if transpose_a else a.shape[::-1]
    n, depth = b.shape if transpose_b else b.shape[::-1]
    if depth != k:
        wanted = f"(N, {k})" if transpose_b else f"({k}, N)"
        raise ValueError(f"b: shape {wanted} expected, to go with {'transposed ' * transpose_a}a {a.shape}, got {b.shape}")
    return a, b, transpose_a, transpose_b, output("out", out, (m, n), {"a": a, "b": b})


def pack_weights(w, out, own: type):
    w = array("w", w, 2)
    if out is not None and not isinstance(out, own):
        raise TypeError(f"out: packed weights of this implementation expected (from pack_weights), got {type(out).__name__}")
    if out is not None and out.shape != w.shape:
        raise ValueError(f"out: packed weights of shape {w.shape} expected, got {out.shape}")
    return w, out


def dense_forward(x, w, b, activation, alpha, out, own: type):
    x = array("x", x, 2)
    w = weights("w", w, own, x.shape[1])
    n = w.shape[1]
    b = None if b is None else array("b", b, 1, (n,))
    activation, alpha = choice("activation", activation, FROM_OUTPUT), number("alpha", alpha)
    reads = {"x": x, **({} if isinstance(w, own) else {"w": w}), **({} if b is None else {"b": b})}
    return x, w, b, activation, alpha, output("out", out, (x.shape[0], n), reads)


def dense_backward(dy, x, w, y, activation, alpha, need_dx, own: type):
    x = array("x", x, 2)
    w = weights("w", w, own, x.shape[1])
    shape = (x.shape[0], w.shape[1])
    dy = array("dy", dy, 2, shape)
    activation, alpha = choice("activation", activation, FROM_OUTPUT), number("alpha", alpha)
    y = None if y is None and activation == "linear" else array("y", y, 2, shape)
    return dy, x, w, y, activation, alpha, flag("need_dx", need_dx)


# ---- element by element ---------------------------------------------------------------------------------------------
def activation(x, kind, alpha, out):
    x = array("x", x)
    kind, alpha = choice("kind", kind, KINDS), number("alpha", alpha)
    return x, kind, alpha, output("out", out, x.shape, {"x": x}, ("x",))


def activation_grad(dy, y_or_x, kind, alpha, out):
    dy = array("dy", dy)
    y_or_x = array("y_or_x", y_or_x, shape=dy.shape)
    if kind == "step":
        raise ValueError("kind: an activation with a gradient expected, got 'step', whose gradient is 0 wherever it exists")
    kind, alpha = choice("kind", kind, (*FROM_OUTPUT, *FROM_INPUT)), number("alpha", alpha)
    return dy, y_or_x, kind, alpha, output("out", out, dy.shape, {"dy": dy, "y_or_x": y_or_x}, ("dy", "y_or_x"))


def dropout(x, rate, key, step, out):
    x = array("x", x)
    rate, key, step = number("rate", rate, 0.0, 1.0, below=True), integer("key", key), integer("step", step)
    return x, rate, key, step, output("out", out, x.shape, {"x": x}, ("x",))


# ---- rows ---------------------------------------------------------------------------------------------------------------
def softmax(x, out):
    x = array("x", x)
    if not x.ndim:
        raise ValueError("x: an array of rank 1 or more expected, got a scalar")
    return x, output("out", out, x.shape, {"x": x})


def softmax_cross_entropy(logits, labels, weights, label_smoothing):
    logits = array("logits", logits, 2)
    smoothing = number("label_smoothing", label_smoothing, 0.0, 1.0)
    weights = None if weights is None else array("weights", weights, 1, (logits.shape[0],))
    return logits, _labels(labels, logits.shape, smoothing), weights, smoothing


def _labels(labels, shape: tuple, smoothing: float) -> np.ndarray:
    """int32 [M], or probabilities float32 [M, N] where they came so or are to be smoothed."""
    labels = np.asarray(labels)
    if labels.ndim == 2:
        if labels.dtype.kind not in "fiub":
            raise TypeError(f"labels: one-hot numbers expected, got dtype {labels.dtype}")
        return array("labels", labels.astype(np.float32, copy=False), 2, shape)
    if labels.shape != shape[:1]:
        raise ValueError(f"labels: shape {shape[:1]} (classes) or {shape} (one-hot) expected, got {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels: integers expected where the rank is 1, got dtype {labels.dtype}")
    if labels.size and not (labels.min() >= 0 and labels.max() < shape[1]):
        bad = labels[(labels < 0) | (labels >= shape[1])][0]
        raise ValueError(f"labels: classes in [0, {shape[1]}) expected, to go with logits {shape}, got {bad}")
    labels = np.ascontiguousarray(labels, np.int32)
    return (labels[:, None] == np.arange(shape[1])).astype(np.float32) if smoothing else labels


# ---- optimizers ---------------------------------------------------------------------------------------------------------
def _state(param, grad, **slots):
    """[param, grad, slots ...] of one shape that share no memory. A slot comes as (array or None, whether this variant has
    it, the argument that asks for it)."""
    shape = np.shape(param)
    done = {"grad": array("grad", grad, shape=shape)}
    for name, (x, wanted, why) in {"param": (param, True, ""), **slots}.items():
        if wanted and x is None:
            raise ValueError(f"{name}: a float32 array like param expected{why and f' with {why}'}, got None")
        if not wanted and x is not None:
            raise ValueError(f"{name}: None expected without {why}, got an array, which would stay as it is")
        if x is not None:
            done[name] = output(name, x, shape, done)
    return [done.get(name) for name in ("param", "grad", *slots)]


def _common(learning_rate, weight_decay, clipvalue):
    decay = None if weight_decay is None else number("weight_decay", weight_decay, 0.0)
    clip = None if clipvalue is None else number("clipvalue", clipvalue, 0.0, above=True)
    return number("learning_rate", learning_rate, 0.0), decay, clip


def sgd_update(param, grad, m, learning_rate, momentum, nesterov, weight_decay, clipvalue):
    momentum, nesterov = number("momentum", momentum, 0.0, 1.0), flag("nesterov", nesterov)
    state = _state(param, grad, m=(m, momentum > 0, "momentum"))
    learning_rate, *rest = _common(learning_rate, weight_decay, clipvalue)
    return *state, learning_rate, momentum, nesterov, *rest


def rmsprop_update(param, grad, v, m, mean, learning_rate, rho, momentum, epsilon, centered, weight_decay, clipvalue):
    rho, momentum = number("rho", rho, 0.0, 1.0), number("momentum", momentum, 0.0, 1.0)
    epsilon, centered = number("epsilon", epsilon, 0.0), flag("centered", centered)
    state = _state(param, grad, v=(v, True, ""), m=(m, momentum > 0, "momentum"), mean=(mean, centered, "centered"))
    learning_rate, *rest = _common(learning_rate, weight_decay, clipvalue)
    return *state, learning_rate, rho, momentum, epsilon, centered, *rest


def adam_update(param, grad, m, v, v_hat, iterations, learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipvalue):
    iterations, amsgrad = integer("iterations", iterations), flag("amsgrad", amsgrad)
    beta_1, beta_2 = number("beta_1", beta_1, 0.0, 1.0, below=True), number("beta_2", beta_2, 0.0, 1.0, below=True)
    epsilon = number("epsilon", epsilon, 0.0)
    state = _state(param, grad, m=(m, True, ""), v=(v, True, ""), v_hat=(v_hat, amsgrad, "amsgrad"))
    learning_rate, *rest = _common(learning_rate, weight_decay, clipvalue)
    return *state, iterations, learning_rate, beta_1, beta_2, epsilon, amsgrad, *rest


def adagrad_update(param, grad, accumulator, learning_rate, epsilon, weight_decay, clipvalue):
    epsilon = number("epsilon", epsilon, 0.0)
    state = _state(param, grad, accumulator=(accumulator, True, ""))
    learning_rate, *rest = _common(learning_rate, weight_decay, clipvalue)
    return *state, learning_rate, epsilon, *rest


def adadelta_update(param, grad, accumulated_grad, accumulated_delta, learning_rate, rho, epsilon, weight_decay, clipvalue):
    rho, epsilon = number("rho", rho, 0.0, 1.0), number("epsilon", epsilon, 0.0)
    state = _state(
        param, grad, accumulated_grad=(accumulated_grad, True, ""), accumulated_delta=(accumulated_delta, True, "")
    )
    learning_rate, *rest = _common(learning_rate, weight_decay, clipvalue)
    return *state, learning_rate, rho, epsilon, *rest
