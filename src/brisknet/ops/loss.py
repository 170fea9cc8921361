"""Loss heads: the mean loss and its gradient for unit upstream gradient, in one pass.

A head takes predictions [M, C], targets and optional row weights [M], and gives (loss, dpred): loss is the sum of
w * l divided by M * C (or by M for the cross-entropies over C classes and the losses of SUMMED), dpred its gradient with respect to the
predictions. The vjp only scales dpred, which costs nothing where the upstream gradient is one.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.activation import log_softmax_array, sigmoid_array
from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register

EPS = 1e-7  # Keras' clip of probabilities


# ---- the formulas: (pred, target) -> (loss, derivative), element by element --------------------------------------------
def _mse(p, t, a):
    return (p - t) ** 2, 2 * (p - t)


def _mae(p, t, a):
    return np.abs(p - t), np.sign(p - t)


def _huber(p, t, delta):
    e = p - t
    small = np.abs(e) <= delta
    return np.where(small, 0.5 * e * e, delta * np.abs(e) - 0.5 * delta * delta), np.where(small, e, delta * np.sign(e))


def signed_labels(t):
    """0/1 labels as -1/1 where the whole batch holds only 0 and 1 (Keras' hinge losses); others as they are."""
    return np.where(np.all((t == 0) | (t == 1)), 2 * t - 1, t)


def _hinge(p, t, a):
    t = signed_labels(t)
    margin = 1 - t * p
    return np.maximum(margin, 0), np.where(margin > 0, -t, 0)


def _squared_hinge(p, t, a):
    t = signed_labels(t)
    margin = np.maximum(1 - t * p, 0)
    return margin**2, -2 * t * margin


def _bce(p, t, smoothing):
    t = t * (1 - smoothing) + 0.5 * smoothing if smoothing else t
    lo, hi = np.asarray(EPS, p.dtype), np.asarray(1 - EPS, p.dtype)
    q = np.clip(p, lo, hi)
    inside = (p >= lo) & (p <= hi)
    return -(t * np.log(q) + (1 - t) * np.log(1 - q)), np.where(inside, (1 - t) / (1 - q) - t / q, 0)


def _bce_logits(z, t, smoothing):
    t = t * (1 - smoothing) + 0.5 * smoothing if smoothing else t
    return np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))), sigmoid_array(z) - t


def _log_cosh(p, t, a):
    e = p - t
    return e + np.log1p(np.exp(-2 * np.abs(e))) + (np.abs(e) - e) - np.log(2), np.tanh(e)


def _mape(p, t, a):
    size = np.maximum(np.abs(t), np.asarray(EPS, p.dtype))
    return 100 * np.abs((t - p) / size), 100 * np.sign(p - t) / size


def _msle(p, t, a):
    eps = np.asarray(EPS, p.dtype)
    q = np.maximum(p, eps)
    e = np.log(q + 1) - np.log(np.maximum(t, eps) + 1)
    return e * e, np.where(p >= eps, 2 * e / (q + 1), 0)


def _poisson(p, t, a):
    q = p + np.asarray(EPS, p.dtype)
    return p - t * np.log(q), 1 - t / q


def _kl(p, t, a):
    low = np.asarray(EPS, p.dtype)
    t, q = np.clip(t, low, 1), np.clip(p, low, 1)
    return t * np.log(t / q), np.where((p >= low) & (p <= 1), -t / q, 0)


POINTWISE = {
    "mse": _mse,
    "mae": _mae,
    "huber": _huber,
    "hinge": _hinge,
    "squared_hinge": _squared_hinge,
    "bce": _bce,
    "bce_logits": _bce_logits,
    "log_cosh": _log_cosh,
    "mape": _mape,
    "msle": _msle,
    "poisson": _poisson,
    "kl": _kl,
}
POINTWISE_KINDS = tuple(POINTWISE)  # in the order of the enum in csrc/kernels/loss.h
SUMMED = ("kl",)  # a value a sample is the sum over its entries, not their mean


# ---- heads --------------------------------------------------------------------------------------------------------------
def _head_infer(shapes, dtypes, attrs):
    pred, target = shapes[:2]
    if len(pred) != 2:
        raise ValueError(f"loss: predictions [M, C] expected, got shape {pred}")
    sparse = attrs.get("sparse", False)
    if target != (pred[:1] if sparse else pred):
        raise ValueError(f"loss: targets of shape {pred[:1] if sparse else pred} expected, got {target}")
    if len(shapes) == 3 and shapes[2] != pred[:1]:
        raise ValueError(f"loss: one weight a row, shape {pred[:1]}, expected, got {shapes[2]}")
    return (((), dtypes[0]), (pred, dtypes[0]))


def _finish(pred, losses, slope, weights, count):
    """Weighted sum over rows / count, and the slope scaled alike."""
    if weights is not None:
        losses = losses * (weights if losses.ndim == 1 else weights[:, None])
        slope = slope * weights[:, None]
    scale = np.asarray(1.0 / max(count, 1), pred.dtype)
    return np.asarray(np.sum(losses) * scale, pred.dtype), np.asarray(slope * scale, pred.dtype)


def _pointwise_reference(pred, target, weights=None, *, kind, parameter=0.0):
    losses, slope = POINTWISE[kind](pred, target.astype(pred.dtype), parameter)
    return _finish(pred, losses, slope, weights, pred.shape[0] if kind in SUMMED else pred.size)


def _targets(target, shape, sparse, smoothing, dtype):
    """Target probabilities [M, N]; a sparse label out of range gives a row of NaN, as the native kernel does."""
    if sparse:
        bad = (target < 0) | (target >= shape[1])
        t = (target[:, None] == np.arange(shape[1])).astype(dtype)
        t[bad] = np.nan
        return t
    t = target.astype(dtype)
    return t * (1 - smoothing) + smoothing / shape[1] if smoothing else t


def _xent_reference(logits, target, weights=None, *, sparse, smoothing=0.0):
    t = _targets(target, logits.shape, sparse, smoothing, logits.dtype)
    log_p = log_softmax_array(logits)
    with np.errstate(invalid="ignore"):
        losses = -np.sum(np.where(t == 0, 0, t * log_p), axis=1)
        slope = np.exp(log_p) * np.sum(t, axis=1, keepdims=True) - t
    return _finish(logits, losses, slope, weights, logits.shape[0])


def _cce_reference(probs, target, weights=None, *, sparse, smoothing=0.0):
    t = _targets(target, probs.shape, sparse, smoothing, probs.dtype)
    total = np.sum(probs, axis=1, keepdims=True)
    p = probs / total
    lo, hi = np.asarray(EPS, p.dtype), np.asarray(1 - EPS, p.dtype)
    q, inside = np.clip(p, lo, hi), (p >= lo) & (p <= hi)
    losses = -np.sum(t * np.log(q), axis=1)
    dp = np.where(inside, -t / q, 0)
    slope = (dp - np.sum(dp * p, axis=1, keepdims=True)) / total
    return _finish(probs, losses, slope, weights, probs.shape[0])


def _head_vjp(node, grads):
    if grads[1] is not None:
        raise ValueError(
            "the fused loss was differentiated twice; write the loss with brisknet.ops (for example "
            "ops.mean(ops.square(y - p))) where second derivatives are needed"
        )
    rest = (None,) * (len(node.inputs) - 1)
    g, slope = grads[0], node.outputs[1]
    if g.node.op == "constant" and np.all(g.node.attrs["value"] == 1):
        return (slope, *rest)
    return (ew.multiply(slope, g), *rest)


_W = np.array([0.5, 2.0, 0.0, 1.0])
_T = np.random.default_rng(5).random((4, 3))
_P = np.random.default_rng(6).uniform(0.1, 0.9, (4, 3))
_ZERO_ONE = (np.arange(12).reshape(4, 3) % 2).astype(float)


def _pointwise_samples():
    out = []
    for kind in POINTWISE:
        pred = _P if kind in ("bce", "kl", "poisson", "msle") else _P * 3 - 1.2
        target = _ZERO_ONE if "hinge" in kind or "bce" in kind else _T + 0.1 if kind == "mape" else _T
        parameter = {"huber": 0.5, "bce": 0.1, "bce_logits": 0.2}.get(kind, 0.0)
        attrs = {"kind": kind, "parameter": parameter}
        out += [Sample((pred, target), attrs, wrt=(0,)), Sample((pred, target, _W), attrs, wrt=(0,))]
    return tuple(out)


register(OpSpec("pointwise_head", _head_infer, _pointwise_reference, _head_vjp, _pointwise_samples()))


def _class_samples(pred):
    labels = np.array([0, 2, 1, 1], np.int32)
    dense = _T / _T.sum(1, keepdims=True)
    return (
        Sample((pred, labels), {"sparse": True}, wrt=(0,)),
        Sample((pred, labels, _W), {"sparse": True}, wrt=(0,)),
        Sample((pred, dense), {"sparse": False, "smoothing": 0.1}, wrt=(0,)),
        Sample((pred, dense, _W), {"sparse": False, "smoothing": 0.0}, wrt=(0,)),
    )


register(OpSpec("xent_head", _head_infer, _xent_reference, _head_vjp, _class_samples(_P * 4 - 2), inplace=(None, 0)))
register(OpSpec("cce_head", _head_infer, _cce_reference, _head_vjp, _class_samples(_P)))


def pointwise_head(pred, target, weights=None, *, kind, parameter=0.0):
    """(mean of the values a sample, gradient) of a POINTWISE loss for pred and target [M, C], row weights [M] or None."""
    ins = (pred, target) if weights is None else (pred, target, weights)
    return apply("pointwise_head", ins, kind=kind, parameter=float(parameter))


def xent_head(logits, target, weights=None, *, sparse, smoothing=0.0):
    """(mean softmax cross-entropy, gradient) of logits [M, N] against int labels [M] or probabilities [M, N]."""
    ins = (logits, target) if weights is None else (logits, target, weights)
    return apply("xent_head", ins, sparse=bool(sparse), smoothing=float(smoothing))


def cce_head(probs, target, weights=None, *, sparse, smoothing=0.0):
    """(mean categorical cross-entropy, gradient) of probabilities [M, N], normalised and clipped as Keras does."""
    ins = (probs, target) if weights is None else (probs, target, weights)
    return apply("cce_head", ins, sparse=bool(sparse), smoothing=float(smoothing))


# ---- weight penalties -----------------------------------------------------------------------------------------------
register(
    OpSpec(
        "l1l2_penalty",
        lambda s, d, a: (((), d[0]),),
        lambda w, l1, l2: np.asarray(l1 * np.sum(np.abs(w)) + l2 * np.sum(w * w), w.dtype),
        lambda n, g: (_penalty_vjp(n, g[0]),),
        (Sample((_P * 3 - 1.2,), {"l1": 0.01, "l2": 0.02}), Sample((_P.ravel() - 0.5,), {"l1": 0.0, "l2": 0.5})),
    )
)
register(
    OpSpec(  # g + l1 sign(w) + 2 l2 w: what a penalty adds to a weight's gradient
        "l1l2_grad",
        lambda s, d, a: ((s[1], d[1]),),
        lambda w, g, l1, l2: np.asarray(g + l1 * np.sign(w) + 2 * l2 * w, w.dtype),
        None,
        (Sample((_P * 3 - 1.2, (4, 3)), {"l1": 0.01, "l2": 0.02}, wrt=()),),
        inplace=(1,),
        form="pair",
        parameters=("l1", "l2"),
    )
)


def _penalty_vjp(node, g):
    w, l1, l2 = node.inputs[0], node.attrs["l1"], node.attrs["l2"]
    out = None
    if l1:
        out = ew.multiply(ew.sign(w), l1)
    if l2:
        second = ew.multiply(w, 2 * l2)
        out = second if out is None else ew.add(out, second)
    if out is None:
        return None
    return ew.multiply(out, g)


def l1l2_penalty(w, l1=0.0, l2=0.0):
    """l1 * sum|w| + l2 * sum w^2."""
    return apply("l1l2_penalty", (w,), l1=float(l1), l2=float(l2))
