"""What metrics add up over batches besides means. Each op takes a state, a float64 array, and gives the next one.

    metric_thresholds   [2, T + 1] or [C, 2, T + 1]: of predictions with label 0 and 1, the weight of those that exceed
                        exactly i of T thresholds. Counting every prediction once costs the same for any T; what lies
                        above each threshold is a cumulative sum that is taken when a result is asked for.
    metric_fscore       [3, C]: weights of true positives, false positives, false negatives
    metric_confusion    [N, N]: weights by true class (rows) and predicted class
    metric_regression   [5, C]: sums of w, w t, w t^2, w (t - p)^2, and the count of rows

Targets may be float or int32, predictions are float, weights are optional and float.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register

# How thresholds lie (attribute `spacing`): any; evenly over [0, 1]; evenly, with a first one below 0 and a last above 1.
ANY, EVEN, EVEN_OPEN = 0, 1, 2


def _infer(shapes, dtypes, attrs):
    if dtypes[0] != "float64":
        raise ValueError(f"metric: a float64 state expected, got {dtypes[0]}")
    if len(shapes) > 2 and shapes[1] != shapes[2]:
        raise ValueError(f"metric: y_true and y_pred of one shape expected, got {shapes[1]} and {shapes[2]}")
    if len(shapes) > 3 and shapes[3] not in (shapes[2], shapes[2][:1]):
        raise ValueError(f"metric: weights of shape {shapes[2]} or {shapes[2][:1]} expected, got {shapes[3]}")
    return ((shapes[0], dtypes[0]),)


def _weights(weights, shape):
    """float64 weights of a [M, C] array, from none, one a row, or one an element."""
    if weights is None:
        return np.ones(shape)
    weights = np.asarray(weights, np.float64)
    return np.broadcast_to(weights if weights.shape == shape else weights[:, None], shape)


# ---- thresholds -------------------------------------------------------------------------------------------------------
def _exceeded(pred, thresholds, spacing):
    """How many thresholds each prediction exceeds, in float32 as Keras computes it; NaN exceeds none."""
    p = np.asarray(pred, np.float32)
    if spacing == ANY:
        return np.where(np.isnan(p), 0, np.searchsorted(np.asarray(thresholds, np.float32), p, side="left"))
    p = np.where(p > 0, np.minimum(p, np.float32(1)), np.float32(0))
    found = np.ceil(p * np.float32(len(thresholds) - 1)).astype(np.int64)
    return np.maximum(found, 1) if spacing == EVEN_OPEN else found


def _thresholds_reference(state, y_true, y_pred, weights=None, *, thresholds, spacing=ANY):
    side, cells = state.shape[-1], np.array(state)
    w, place = _weights(weights, y_pred.shape), _exceeded(y_pred, thresholds, spacing)
    place = place + side * (y_true != 0)
    if state.ndim == 3:
        place = place + 2 * side * np.arange(y_pred.shape[1])
    cells += np.bincount(place.ravel(), w.ravel(), cells.size).reshape(cells.shape)
    return cells


_RNG = np.random.default_rng(11)
_TRUE, _PRED = (_RNG.random((7, 3)) < 0.4).astype(float), _RNG.uniform(-0.1, 1.1, (7, 3))
_PRED[0] = 0.0, 1.0, 0.5
_EVEN = tuple((np.arange(11) / 10).tolist())
_W = np.array([1.0, 0.5, 0.0, 2.0, 1.0, 0.25, 3.0])
_W_EACH = np.arange(21.0).reshape(7, 3) / 4


def _threshold_samples():
    def state(t, *columns):
        return np.arange(2.0 * (t + 1) * (columns or (1,))[0]).reshape(*columns, 2, t + 1)

    few, one = (0.2, 0.5, 0.5, 0.8), (0.5,)
    many = tuple(np.sort(_RNG.random(40)).tolist())
    return (
        Sample((state(1), _TRUE, _PRED), {"thresholds": one}, wrt=()),
        Sample((state(4), _TRUE, _PRED, _W), {"thresholds": few}, wrt=()),
        Sample((state(40), _TRUE, _PRED, _W_EACH), {"thresholds": many}, wrt=()),
        Sample((state(40, 3), _TRUE.astype(np.int32), _PRED), {"thresholds": many}, wrt=()),
        Sample((state(11), _TRUE, _PRED, _W), {"thresholds": _EVEN, "spacing": EVEN}, wrt=()),
        Sample((state(11, 3), _TRUE, _PRED, _W), {"thresholds": _EVEN, "spacing": EVEN_OPEN}, wrt=()),
    )


register(OpSpec("metric_thresholds", _infer, _thresholds_reference, None, _threshold_samples(), inplace=(0,), states=1))


def metric_thresholds(state, y_true, y_pred, weights=None, *, thresholds, spacing=ANY):
    """state plus the weights of predictions [M, C], by how many of the sorted `thresholds` they exceed and by label.

    A label counts as 1 where it is not 0; weights are one a row [M] or one a prediction [M, C].
    """
    ins = (state, y_true, y_pred) if weights is None else (state, y_true, y_pred, weights)
    return apply("metric_thresholds", ins, thresholds=tuple(thresholds), spacing=spacing)


# ---- F scores ---------------------------------------------------------------------------------------------------------
def _fscore_reference(state, y_true, y_pred, weights=None, *, threshold=None):
    if threshold is None:
        guess = (y_pred >= np.max(y_pred, axis=1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
    else:
        guess = y_pred > np.asarray(threshold, y_pred.dtype)
    t, w = np.asarray(y_true, np.float64), _weights(weights, y_pred.shape)
    return state + np.stack([np.sum(w * x, axis=0) for x in (guess * t, guess * (1 - t), (1 - guess) * t)])


_F_STATE = np.arange(9.0).reshape(3, 3)
register(
    OpSpec(
        "metric_fscore",
        _infer,
        _fscore_reference,
        None,
        (
            Sample((_F_STATE, _TRUE, _PRED), {"threshold": None}, wrt=()),
            Sample((_F_STATE, _TRUE.astype(np.int32), np.round(_PRED), _W), {"threshold": None}, wrt=()),
            Sample((_F_STATE, _TRUE, _PRED, _W), {"threshold": 0.4}, wrt=()),
        ),
        inplace=(0,),
        states=1,
    )
)


def metric_fscore(state, y_true, y_pred, weights=None, *, threshold=None):
    """state plus what predictions [M, C] above `threshold` (None: the largest of each row) hit, invent and miss."""
    ins = (state, y_true, y_pred) if weights is None else (state, y_true, y_pred, weights)
    return apply("metric_fscore", ins, threshold=None if threshold is None else float(threshold))


# ---- confusion matrices -----------------------------------------------------------------------------------------------
def _confusion_reference(state, y_true, y_pred, weights=None, *, ignore_class=None, whole_weights=False):
    n = len(state)
    with np.errstate(invalid="ignore"):
        t, p = np.asarray(y_true).astype(np.int64), np.asarray(y_pred).astype(np.int64)
    w = np.ones(t.shape) if weights is None else np.asarray(weights, np.float64)
    keep = (t >= 0) & (t < n) & (p >= 0) & (p < n)
    if ignore_class is not None:
        keep &= t != ignore_class
    w = np.trunc(w) if whole_weights else w
    return state + np.bincount(t[keep] * n + p[keep], w[keep], n * n).reshape(n, n)


_CLASSES = np.array([0, 1, 2, 2, 1, 5, -1, 0], np.int32)
_GUESSES = np.array([0, 2, 2, 1, 1, 0, 1, 3], np.int32)
_C_STATE, _C_W = np.arange(9.0).reshape(3, 3), np.array([1.5, 1.0, 0.5, 2.75, 1.0, 1.0, 1.0, 9.0])
register(
    OpSpec(
        "metric_confusion",
        _infer,
        _confusion_reference,
        None,
        (
            Sample((_C_STATE, _CLASSES, _GUESSES), {}, wrt=()),
            Sample((_C_STATE, _CLASSES, _GUESSES + 0.0, _C_W), {"ignore_class": 1}, wrt=()),
            Sample((_C_STATE, _CLASSES + 0.0, _GUESSES, _C_W), {"whole_weights": True}, wrt=()),
        ),
        inplace=(0,),
        states=1,
    )
)


def metric_confusion(state, y_true, y_pred, weights=None, *, ignore_class=None, whole_weights=False):
    """state [N, N] plus the weights of samples by true and predicted class [M]; classes outside [0, N) are left out."""
    ins = (state, y_true, y_pred) if weights is None else (state, y_true, y_pred, weights)
    return apply("metric_confusion", ins, ignore_class=ignore_class, whole_weights=bool(whole_weights))


# ---- sums of squares --------------------------------------------------------------------------------------------------
def _regression_reference(state, y_true, y_pred, weights=None):
    t, p, w = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64), _weights(weights, y_pred.shape)
    sums = [np.sum(x, axis=0) for x in (w, w * t, w * t * t, w * (t - p) ** 2, np.ones_like(t))]
    return state + np.stack(sums)


_R_STATE = np.arange(15.0).reshape(5, 3)
register(
    OpSpec(
        "metric_regression",
        _infer,
        _regression_reference,
        None,
        (
            Sample((_R_STATE, (7, 3), (7, 3)), {}, wrt=()),
            Sample((_R_STATE, (7, 3), (7, 3), _W), {}, wrt=()),
            Sample((_R_STATE, _TRUE.astype(np.int32), (7, 3), _W_EACH), {}, wrt=()),
        ),
        inplace=(0,),
        states=1,
    )
)


def metric_regression(state, y_true, y_pred, weights=None):
    """state [5, C] plus the sums of w, w t, w t^2, w (t - p)^2 and 1 over the rows of t and p [M, C]."""
    ins = (state, y_true, y_pred) if weights is None else (state, y_true, y_pred, weights)
    return apply("metric_regression", ins)
