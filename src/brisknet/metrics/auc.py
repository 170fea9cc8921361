"""The area under a curve of two rates over thresholds, as in keras.metrics."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.metrics.confusion import ThresholdMetric, spacing_of
from brisknet.metrics.metric import divide_no_nan
from brisknet.metrics.shapes import check_count, is_number, predictions, rows
from brisknet.ops.metric_state import ANY, EVEN_OPEN

__all__ = ["AUC"]

CURVES = ("ROC", "PR", "PRGAIN")
METHODS = ("interpolation", "majoring", "minoring")


class AUC(ThresholdMetric):
    """The area under the ROC or precision-recall curve, from num_thresholds (200) buckets of predictions in [0, 1].

    num_thresholds      evenly spaced thresholds, the first just below 0 and the last just above 1
    curve               "ROC", "PR" or "PRGAIN"
    summation_method    "interpolation" (the mid-point; for PR, Davis and Goadrich 2006), "minoring" or "majoring"
    thresholds          numbers in [0, 1] in place of num_thresholds
    multi_label         one curve for each column of y_pred [rows, labels]; the result is the mean of the areas
    num_labels          how many, where multi_label
    label_weights       of the columns: in that mean where multi_label, else of their predictions
    from_logits         predictions are logits; the sigmoid is applied first
    """

    _direction = "up"

    def __init__(
        self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None, thresholds=None,
        multi_label=False, num_labels=None, label_weights=None, from_logits=False,
    ):  # fmt: skip
        super().__init__(name, dtype)
        self.curve = _choice(curve, CURVES, "curve")
        self.summation_method = _choice(summation_method, METHODS, "summation_method")
        self._init_from_thresholds = thresholds is not None
        inner = _inner(thresholds) if self._init_from_thresholds else _even(num_thresholds)
        self.num_thresholds = len(inner) + 2
        eps = config.epsilon()
        even = not self._init_from_thresholds or spacing_of([0.0, *inner, 1.0])
        self._set_thresholds([-eps, *inner, 1.0 + eps])
        self._spacing = EVEN_OPEN if even else ANY
        self.multi_label, self._from_logits = bool(multi_label), bool(from_logits)
        self.num_labels = None if num_labels is None else check_count(num_labels, "AUC", "num_labels")
        if self.num_labels and not self.multi_label:
            raise ValueError(f"AUC: num_labels is for multi_label=True only, got {num_labels!r}")
        self.label_weights = None if label_weights is None else _label_weights(label_weights)
        self._built = False
        if self.num_labels or not self.multi_label:
            self._build(self.num_labels)

    def _build(self, columns) -> None:
        shape = (2, self.num_thresholds + 1)
        self._state = self._add_state("by_threshold", (columns, *shape) if self.multi_label else shape)
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch. Labels that are not 0 count as positive; weights are one a row, or one a prediction."""
        y_pred = predictions(y_pred)
        if self.multi_label and len(y_pred.shape) != 2:
            raise ValueError(f"AUC: with multi_label, y_pred of rank 2 expected, got shape {tuple(y_pred.shape)}")
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        y_true, y_pred, weights = rows("AUC", y_true, y_pred, sample_weight)
        columns = y_pred.shape[-1]
        if self.label_weights is not None and len(self.label_weights) != columns:
            raise ValueError(
                f"AUC: label_weights for {columns} columns of y_pred expected, got {len(self.label_weights)} of them"
            )
        if not self._built:
            self._build(columns)
        elif self.multi_label and columns != self._state.shape[0]:
            raise ValueError(f"AUC: y_pred with {self._state.shape[0]} labels expected, got {columns}")
        if self.label_weights is not None and not self.multi_label:
            weights = self._weighted(weights, tuple(y_pred.shape))
        self._add(y_true, y_pred, weights)

    def _weighted(self, weights, shape):
        """Weights of rows or predictions times those of their columns: [M, C]."""
        columns = self.label_weights.astype("float32")[None]
        if weights is None:
            return np.broadcast_to(columns, shape)
        return ops.multiply(weights if len(weights.shape) == 2 else ops.expand_dims(weights, -1), columns)

    # ---- the area -----------------------------------------------------------------------------------------------
    def result_of(self, state):
        counts = self._counts(state)
        if (self.curve, self.summation_method) == ("PR", "interpolation"):
            areas = _interpolated_pr(counts)
        else:
            x, y = {"ROC": _roc, "PR": _pr, "PRGAIN": _pr_gain}[self.curve](counts)
            a, b = y[..., :-1], y[..., 1:]
            heights = {"interpolation": lambda: (a + b) / 2, "minoring": lambda: np.minimum(a, b),
                       "majoring": lambda: np.maximum(a, b)}[self.summation_method]()  # fmt: skip
            areas = (x[..., :-1] - x[..., 1:]) * heights
        area = np.sum(areas, axis=-1)
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return np.mean(area, axis=-1)
        return divide_no_nan(area @ self.label_weights, np.sum(self.label_weights))

    def get_config(self):
        found = {
            **super().get_config(), "num_thresholds": self.num_thresholds, "curve": self.curve,
            "summation_method": self.summation_method, "multi_label": self.multi_label, "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }  # fmt: skip
        if self._init_from_thresholds:
            found["thresholds"] = self.thresholds[1:-1]
        return found


# ---- the curves: (x, y) [..., thresholds] -------------------------------------------------------------------------------
def _roc(c):
    return divide_no_nan(c.fp, c.fp + c.tn), divide_no_nan(c.tp, c.tp + c.fn)


def _pr(c):
    return divide_no_nan(c.tp, c.tp + c.fn), divide_no_nan(c.tp, c.tp + c.fp)


def _pr_gain(c):
    """Recall gain and precision gain (Flach and Kull 2015), with Keras' values where they are not defined."""
    scale, none = divide_no_nan(c.tp + c.fn, c.tn + c.fp), c.tp == 0
    recall = np.where(none, 0, 1 - scale * divide_no_nan(c.fn, c.tp))
    return np.maximum(recall, 0), np.where(none, 1, 1 - scale * divide_no_nan(c.fp, c.tp))


def _interpolated_pr(c):
    """Areas between thresholds where true positives, not precision, are interpolated (Davis and Goadrich 2006)."""
    tp, p = c.tp, c.tp + c.fp
    gained = tp[..., :-1] - tp[..., 1:]
    slope = divide_no_nan(gained, np.maximum(p[..., :-1] - p[..., 1:], 0))
    intercept = tp[..., 1:] - slope * p[..., 1:]
    both = (p[..., :-1] > 0) & (p[..., 1:] > 0)
    ratio = np.where(both, divide_no_nan(p[..., :-1], p[..., 1:]), 1)
    return divide_no_nan(slope * (gained + intercept * np.log(ratio)), tp[..., 1:] + c.fn[..., 1:])


# ---- arguments ----------------------------------------------------------------------------------------------------------
def _choice(value, known, name):
    value = getattr(value, "value", value)  # Keras' enums
    for k in known:
        if isinstance(value, str) and value in (k, k.lower(), k.capitalize() if name != "curve" else k):
            return k
    raise ValueError(f"AUC: {name} must be one of {known}, got {value!r}")


def _even(n) -> list[float]:
    n = check_count(n, "AUC", "num_thresholds", 2)
    return [(i + 1) / (n - 1) for i in range(n - 2)]


def _inner(thresholds) -> list[float]:
    if not isinstance(thresholds, (list, tuple, np.ndarray)) or not all(is_number(t) and 0 <= t <= 1 for t in thresholds):
        raise ValueError(f"AUC: thresholds must be a list of numbers in [0, 1], got {thresholds!r}")
    return sorted(float(t) for t in thresholds)


def _label_weights(weights) -> np.ndarray:
    found = np.asarray(weights, np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any():
        raise ValueError(f"AUC: label_weights must be a list of numbers >= 0, got {weights!r}")
    return found
