"""The kernels in NumPy: the specification of kernels.native, through the references of the op registry.

All arrays are float32. Inputs that are not C-contiguous are copied; arrays that are written (`out`, and what an update
changes) must be writeable, C-contiguous and aligned. Errors are raised before anything is written: TypeError for a wrong
type or dtype, ValueError for a wrong rank, shape, layout, overlap or value; they name the argument.
"""

from __future__ import annotations

import numpy as np

from brisknet.kernels import checks
from brisknet.ops.registry import get_op

__all__ = [
    "PackedWeights", "activation", "activation_grad", "adadelta_update", "adagrad_update", "adam_update", "dense_backward",
    "dense_forward", "dropout", "matmul", "pack_weights", "rmsprop_update", "sgd_update", "softmax", "softmax_cross_entropy",
]  # fmt: skip


def _reference(op: str, *inputs, **attrs):
    with np.errstate(all="ignore"):
        return get_op(op).reference(*inputs, **attrs)


def _into(out: np.ndarray, value) -> np.ndarray:
    out[...] = value
    return out


# ---- products -----------------------------------------------------------------------------------------------------------
def matmul(a, b, transpose_a=False, transpose_b=False, out=None):
    """op(a) op(b) -> float32 [M, N].

    a      float32 [M, K], or [K, M] with transpose_a
    b      float32 [K, N], or [N, K] with transpose_b
    out    float32 [M, N] to write into, apart from a and b; None: a new array

    TypeError for another dtype; ValueError where ranks or shapes don't fit, and where out has another shape, is read-only
    or not contiguous, or overlaps an input.
    """
    a, b, transpose_a, transpose_b, out = checks.matmul(a, b, transpose_a, transpose_b, out)
    return _into(out, _reference("matmul", a, b, transpose_a=transpose_a, transpose_b=transpose_b))


class PackedWeights:
    """Weights [K, N] in the layout that products read, from pack_weights. Opaque but for `shape` and `unpack()`."""

    def __init__(self, w: np.ndarray):
        self._w = w
        self.shape = w.shape

    def unpack(self):
        """The weights as a new float32 array [K, N]."""
        return self._w.copy()


def pack_weights(w, out=None):
    """Pack w once for many calls of dense_forward and dense_backward -> PackedWeights.

    w      float32 [K, N]
    out    packed weights of the same shape to fill again (after an update of w); None: new ones

    Later changes of w are not seen. TypeError for another dtype, or an out that is no PackedWeights; ValueError for
    another rank, or an out of another shape.
    """
    w, out = checks.pack_weights(w, out, PackedWeights)
    if out is None:
        return PackedWeights(w.copy())
    out._w[...] = w
    return out


def _array_of(w):
    return w._w if isinstance(w, PackedWeights) else w


def dense_forward(x, w, b=None, activation="linear", alpha=0.0, out=None):
    """activation(x w + b) -> float32 [M, N], in one pass.

    x      float32 [M, K]
    w      float32 [K, N], or PackedWeights of that shape, which saves packing at every call
    b      float32 [N] or None
    activation   "linear", "relu", "leaky_relu" or "elu" (both with alpha), "sigmoid" or "tanh"
    out    float32 [M, N] to write into, apart from the inputs; None: a new array

    TypeError for another dtype; ValueError where ranks or shapes don't fit, for another activation, and where out has
    another shape, is read-only or not contiguous, or overlaps an input.
    """
    x, w, b, activation, alpha, out = checks.dense_forward(x, w, b, activation, alpha, out, PackedWeights)
    inputs = (x, _array_of(w)) if b is None else (x, _array_of(w), b)
    return _into(out, _reference("dense", *inputs, activation=activation, alpha=alpha))


def dense_backward(dy, x, w, y, activation="linear", alpha=0.0, need_dx=True):
    """Gradients of dense_forward -> (dx [M, K] or None, dw [K, N], db [N]), float32.

    dy     float32 [M, N], gradient of the output
    x, w   as they were given to dense_forward; w may be PackedWeights
    y      float32 [M, N], what dense_forward returned: dz = dy f'(y). May be None where the activation is linear
    need_dx   False leaves dx out (a first layer)

    dx = dz w^T, dw = x^T dz, db = column sums of dz. TypeError for another dtype; ValueError where ranks or shapes don't
    fit, and for another activation.
    """
    args = checks.dense_backward(dy, x, w, y, activation, alpha, need_dx, PackedWeights)
    dy, x, w, y, activation, alpha, need_dx = args
    dz = dy if activation == "linear" else _reference("act_grad", dy, y, kind=activation, alpha=alpha)
    dx = np.ascontiguousarray(_reference("dense_dgrad", dz, _array_of(w))) if need_dx else None
    return dx, *map(np.ascontiguousarray, _reference("dense_wgrad", x, dz, bias=True))


# ---- element by element ---------------------------------------------------------------------------------------------
def activation(x, kind, alpha=0.0, out=None):
    """f(x), element by element -> float32 of x's shape.

    x      float32, any shape
    kind   "linear", "relu", "leaky_relu" or "elu" (both with alpha), "sigmoid", "tanh", "gelu" (exact), "gelu_tanh"
           (Keras' default gelu), "silu", "softplus", or "step" (1 for x > 0, else -1)
    out    float32 of x's shape to write into: x itself or memory apart from it; None: a new array

    TypeError for another dtype; ValueError for another kind, and where out has another shape, is read-only or not
    contiguous, or overlaps x in part.
    """
    x, kind, alpha, out = checks.activation(x, kind, alpha, out)
    attrs = {"alpha": alpha} if kind in ("leaky_relu", "elu") else {"low": -1.0, "high": 1.0} if kind == "step" else {}
    return _into(out, x if kind == "linear" else _reference(kind, x, **attrs))


def activation_grad(dy, y_or_x, kind, alpha=0.0, out=None):
    """dy f'(x) -> float32 of dy's shape.

    dy      float32, any shape, gradient of the activation's output
    y_or_x  float32 of the same shape: the output y = f(x) for "linear", "relu", "leaky_relu", "elu", "sigmoid" and
            "tanh"; the input x for "gelu", "gelu_tanh", "silu" and "softplus"
    out     float32 to write into: dy or y_or_x itself, or memory apart from both; None: a new array

    TypeError for another dtype; ValueError where shapes differ, for another kind ("step" has no gradient), and where out
    has another shape, is read-only or not contiguous, or overlaps an input in part.
    """
    dy, y_or_x, kind, alpha, out = checks.activation_grad(dy, y_or_x, kind, alpha, out)
    if kind in checks.FROM_OUTPUT:
        return _into(out, _reference("act_grad", dy, y_or_x, kind=kind, alpha=alpha))
    return _into(out, _reference(f"{kind}_grad", dy, y_or_x))


def dropout(x, rate, key, step, out=None):
    """x / (1 - rate) where an element is kept, else 0 -> float32 of x's shape.

    x      float32, any shape
    rate   the share to drop, 0 <= rate < 1, in steps of 1/65536
    key, step   integers in [0, 2**63): the draw of an element depends on them and on its index only, as in a model

    The gradient is dropout of dy with the same rate, key and step. out: float32 of x's shape to write into, x itself or
    memory apart from it; None: a new array. TypeError for another dtype; ValueError for a number out of range, and where
    out has another shape, is read-only or not contiguous, or overlaps x in part.
    """
    x, rate, key, step, out = checks.dropout(x, rate, key, step, out)
    return _into(out, _reference("dropout", x, np.asarray(step, np.int64), rate=rate, key=key))


# ---- rows ---------------------------------------------------------------------------------------------------------------
def softmax(x, out=None):
    """exp(x) / sum(exp(x)) along the last axis -> float32 of x's shape.

    x      float32 of rank 1 or more
    out    float32 of x's shape to write into, apart from x; None: a new array

    TypeError for another dtype; ValueError for a scalar, and where out has another shape, is read-only or not contiguous,
    or overlaps x.
    """
    x, out = checks.softmax(x, out)
    return _into(out, _reference("softmax", x)) if x.size else out


def softmax_cross_entropy(logits, labels, weights=None, label_smoothing=0.0):
    """Mean cross-entropy of softmax(logits), and its gradient -> (loss, dlogits): a float and float32 [M, N].

    logits   float32 [M, N]
    labels   integer classes [M], or one-hot numbers or probabilities [M, N]
    weights  float32 [M], one a row, or None; the loss is sum(w l) / M
    label_smoothing   in [0, 1]: t becomes t (1 - s) + s / N

    TypeError for another dtype; ValueError where ranks or shapes don't fit, and for a class that is not in [0, N).
    """
    logits, labels, weights, smoothing = checks.softmax_cross_entropy(logits, labels, weights, label_smoothing)
    inputs = (logits, labels) if weights is None else (logits, labels, weights)
    if not logits.size:
        return 0.0, np.empty(logits.shape, np.float32)
    loss, dlogits = _reference("xent_head", *inputs, sparse=labels.ndim == 1, smoothing=smoothing)
    return float(loss), dlogits


# ---- optimizers: in place, by Keras' formulas and defaults ----------------------------------------------------------------
def _update(rule, param, grad, slots, learning_rate, weight_decay, clipvalue, iterations=0, **attrs):
    slots = [s for s in slots if s is not None]
    attrs = {"n": 1, "decay": (weight_decay or 0.0,), "clipvalue": clipvalue, **attrs}
    inputs = np.float32(learning_rate), iterations, param, grad, *slots
    for target, value in zip((param, *slots), _reference(f"{rule}_update", *inputs, **attrs), strict=True):
        target[...] = value


def sgd_update(param, grad, m=None, *, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, clipvalue=None):
    """param -= lr grad; with momentum m = momentum m - lr grad, param += m; with nesterov param += momentum m - lr grad.

    param   float32, any shape, changed in place
    grad    float32 of that shape, only read
    m       float32 of that shape, changed in place: with momentum > 0; None without
    weight_decay   param -= weight_decay lr param comes first; None: none
    clipvalue      grad is limited to [-clipvalue, clipvalue] first; None: not

    Returns None. TypeError for another dtype; ValueError where shapes differ, arrays are read-only, not contiguous or
    overlap, a slot is missing or not used, or a number is out of range.
    """
    args = checks.sgd_update(param, grad, m, learning_rate, momentum, nesterov, weight_decay, clipvalue)
    param, grad, m, learning_rate, momentum, nesterov, *rest = args
    _update("sgd", param, grad, (m,), learning_rate, *rest, momentum=momentum, nesterov=nesterov)


def rmsprop_update(
    param, grad, v, m=None, mean=None, *, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False,
    weight_decay=None, clipvalue=None,
):  # fmt: skip
    """v = rho v + (1 - rho) grad^2; param -= lr grad / sqrt(v + epsilon).

    param, v   float32 of one shape, changed in place; grad the same, only read
    m          likewise, with momentum > 0: m = momentum m + lr grad / sqrt(...), param -= m; None without
    mean       likewise, with centered: mean = rho mean + (1 - rho) grad, and v - mean^2 stands for v; None without
    weight_decay, clipvalue   as in sgd_update

    Returns None. TypeError for another dtype; ValueError where shapes differ, arrays are read-only, not contiguous or
    overlap, a slot is missing or not used, or a number is out of range.
    """
    args = checks.rmsprop_update(
        param, grad, v, m, mean, learning_rate, rho, momentum, epsilon, centered, weight_decay, clipvalue
    )
    param, grad, v, m, mean, learning_rate, rho, momentum, epsilon, centered, *rest = args
    attrs = {"rho": rho, "momentum": momentum, "epsilon": epsilon, "centered": centered}
    _update("rmsprop", param, grad, (v, m, mean), learning_rate, *rest, **attrs)


def adam_update(
    param, grad, m, v, v_hat=None, *, iterations, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
    amsgrad=False, weight_decay=None, clipvalue=None,
):  # fmt: skip
    """m += (grad - m)(1 - beta_1); v += (grad^2 - v)(1 - beta_2); param -= alpha m / (sqrt(v) + epsilon).

    alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t), t = iterations + 1.

    param, m, v   float32 of one shape, changed in place; grad the same, only read
    v_hat         likewise, with amsgrad: v_hat = max(v_hat, v) stands for v in the last formula; None without
    iterations    updates before this one: 0 at the first
    weight_decay, clipvalue   as in sgd_update

    Returns None. TypeError for another dtype; ValueError where shapes differ, arrays are read-only, not contiguous or
    overlap, a slot is missing or not used, or a number is out of range.
    """
    args = checks.adam_update(
        param, grad, m, v, v_hat, iterations, learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipvalue
    )
    param, grad, m, v, v_hat, iterations, learning_rate, beta_1, beta_2, epsilon, amsgrad, *rest = args
    attrs = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
    _update("adam", param, grad, (m, v, v_hat), learning_rate, *rest, iterations=iterations, **attrs)


def adagrad_update(param, grad, accumulator, *, learning_rate=0.001, epsilon=1e-7, weight_decay=None, clipvalue=None):
    """accumulator += grad^2; param -= lr grad / sqrt(accumulator + epsilon).

    param, accumulator   float32 of one shape, changed in place; grad the same, only read. Keras' accumulators start at 0.1
    weight_decay, clipvalue   as in sgd_update

    Returns None. TypeError for another dtype; ValueError where shapes differ, arrays are read-only, not contiguous or
    overlap, or a number is out of range.
    """
    args = checks.adagrad_update(param, grad, accumulator, learning_rate, epsilon, weight_decay, clipvalue)
    param, grad, accumulator, learning_rate, epsilon, *rest = args
    _update("adagrad", param, grad, (accumulator,), learning_rate, *rest, epsilon=epsilon)


def adadelta_update(
    param, grad, accumulated_grad, accumulated_delta, *, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None,
    clipvalue=None,
):  # fmt: skip
    """ag = rho ag + (1 - rho) grad^2; d = -grad sqrt(ad + epsilon) / sqrt(ag + epsilon); ad = rho ad + (1 - rho) d^2;
    param += lr d, where ag is accumulated_grad and ad accumulated_delta.

    param, accumulated_grad, accumulated_delta   float32 of one shape, changed in place; grad the same, only read
    weight_decay, clipvalue   as in sgd_update

    Returns None. TypeError for another dtype; ValueError where shapes differ, arrays are read-only, not contiguous or
    overlap, or a number is out of range.
    """
    args = checks.adadelta_update(
        param, grad, accumulated_grad, accumulated_delta, learning_rate, rho, epsilon, weight_decay, clipvalue
    )
    param, grad, accumulated_grad, accumulated_delta, learning_rate, rho, epsilon, *rest = args
    _update("adadelta", param, grad, (accumulated_grad, accumulated_delta), learning_rate, *rest, rho=rho, epsilon=epsilon)
