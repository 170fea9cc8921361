"""Metrics of predictions above thresholds, as in keras.metrics: counts, Precision, Recall, trade-offs between two rates.

All of them keep one state: the weights of predictions with label 0 and 1, by how many thresholds they exceed
(ops/metric_state.py). True and false positives and negatives at each threshold are sums over it.
"""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.metrics.metric import StreamingMetric, divide_no_nan
from brisknet.metrics.shapes import check_class_id, check_count, check_share, is_number, rows
from brisknet.ops.metric_rows import RULED_OUT, keep_top_k
from brisknet.ops.metric_state import ANY, EVEN, EVEN_OPEN, metric_thresholds

__all__ = [
    "FalseNegatives", "FalsePositives", "Precision", "PrecisionAtRecall", "Recall", "RecallAtPrecision",
    "SensitivityAtSpecificity", "SpecificityAtSensitivity", "TrueNegatives", "TruePositives",
]  # fmt: skip


class Counts:
    """True and false positives and negatives [..., T] at each of T thresholds, from a state [..., 2, T + 1]."""

    def __init__(self, state: np.ndarray, order=None):
        above = np.cumsum(state[..., :0:-1], axis=-1)[..., ::-1]
        below = np.cumsum(state, axis=-1)[..., :-1]
        if order is not None:  # thresholds in the order in which they were given
            above, below = above[..., order], below[..., order]
        self.fp, self.tp = above[..., 0, :], above[..., 1, :]
        self.tn, self.fn = below[..., 0, :], below[..., 1, :]


class ThresholdMetric(StreamingMetric):
    """A metric of how predictions and labels compare at thresholds.

    Its arrays true_positives, false_positives, true_negatives and false_negatives have one entry a threshold.
    """

    def __init__(self, name, dtype):
        super().__init__(dtype, name)
        self.thresholds: list = []
        self._order, self._state = None, None

    def _set_thresholds(self, thresholds) -> None:
        """Note the thresholds, in the order given, and how they lie; the kernel wants them sorted."""
        self.thresholds = [float(t) for t in thresholds]
        self._sorted = np.asarray(sorted(self.thresholds), np.float32).tolist()
        self._order = None if self._sorted_already() else np.argsort(np.argsort(self.thresholds, kind="stable"))
        self._spacing = spacing_of(self.thresholds) if self._order is None else ANY

    def _sorted_already(self) -> bool:
        return all(a <= b for a, b in zip(self.thresholds, self.thresholds[1:], strict=False))

    def _add(self, y_true, y_pred, weights) -> None:
        self._state.assign(metric_thresholds(
            self._state, y_true, y_pred, weights, thresholds=self._sorted, spacing=self._spacing
        ))  # fmt: skip

    def _counts(self, state) -> Counts:
        return Counts(state, self._order)

    def _now(self, kind: str) -> np.ndarray:
        if self._state is None:
            raise ValueError(f"metric {self.name!r} has no states yet: call update_state() first")
        return getattr(self._counts(self._state.array()), kind).astype(self._result_dtype())

    @property
    def true_positives(self) -> np.ndarray:
        return self._now("tp")

    @property
    def false_positives(self) -> np.ndarray:
        return self._now("fp")

    @property
    def true_negatives(self) -> np.ndarray:
        return self._now("tn")

    @property
    def false_negatives(self) -> np.ndarray:
        return self._now("fn")


def spacing_of(thresholds) -> int:
    """ANY, EVEN or EVEN_OPEN (Keras' is_evenly_distributed_thresholds; it counts even ones by another formula)."""
    n = len(thresholds)
    if n < 3 or not np.allclose(thresholds, np.arange(n, dtype=np.float32) / (n - 1), atol=config.epsilon()):
        return ANY
    return EVEN_OPEN if thresholds[0] < 0 or thresholds[-1] > 1 else EVEN


def parse_thresholds(thresholds, metric: str, default: float) -> list[float]:
    """A number, numbers or None as a list of thresholds; ValueError for any outside [0, 1]."""
    if thresholds is None:
        return [default]
    found = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    bad = [t for t in found if not is_number(t) or not 0 <= t <= 1]
    if bad or not found:
        raise ValueError(f"{metric}: thresholds must be numbers in [0, 1], got {bad[0] if bad else thresholds!r}")
    return found


class _OfClasses(ThresholdMetric):
    """One state for all predictions, or for those of one class, or of the top k."""

    def __init__(self, name, dtype, class_id=None, top_k=None):
        super().__init__(name, dtype)
        own = type(self).__name__
        self.class_id = check_class_id(class_id, own)
        self.top_k = None if top_k is None else check_count(top_k, own, "top_k")

    def _make_state(self, thresholds) -> None:
        self._set_thresholds(thresholds)
        self._state = self._add_state("by_threshold", (2, len(self.thresholds) + 1))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch. Labels that are not 0 count as positive; weights are one a row, or one a prediction."""
        own = type(self).__name__
        flat = len(np.shape(y_pred) if not hasattr(y_pred, "shape") else y_pred.shape) < 2
        if self.class_id is not None and flat:
            raise ValueError(f"{own}: with class_id, y_pred of shape (rows, classes) expected, got rank 1")
        y_true, y_pred, weights = rows(own, y_true, y_pred, sample_weight)
        columns = y_pred.shape[-1]
        if self.top_k is not None:
            if self.top_k > columns:
                raise ValueError(f"{own}: top_k={self.top_k} of {columns} classes; it must not be larger")
            y_pred = keep_top_k(y_pred, self.top_k)
        if self.class_id is not None:
            if self.class_id >= columns:
                raise ValueError(f"{own}: class_id={self.class_id} is out of range for y_pred with {columns} classes")
            at = slice(self.class_id, self.class_id + 1)
            y_true, y_pred = y_true[:, at], y_pred[:, at]
            weights = weights[:, at] if weights is not None and len(weights.shape) == 2 else weights
        self._add(y_true, y_pred, weights)


class _AtThresholds(_OfClasses):
    """A result for each of the thresholds given, a number where there is one."""

    def __init__(self, thresholds, name, dtype, class_id=None, top_k=None):
        super().__init__(name, dtype, class_id, top_k)
        default = 0.5 if top_k is None else RULED_OUT
        self.init_thresholds = thresholds
        self._make_state(parse_thresholds(thresholds, type(self).__name__, default))

    def result_of(self, state):
        found = self._of_counts(self._counts(state))
        return found[..., 0] if len(self.thresholds) == 1 else found


class _Count(_AtThresholds):
    _kind = ""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)

    def _of_counts(self, counts):
        return getattr(counts, self._kind)

    def get_config(self):
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """The weight of predictions above the threshold (0.5) whose label is 1."""

    _kind = "tp"


class FalsePositives(_Count):
    """The weight of predictions above the threshold (0.5) whose label is 0."""

    _kind = "fp"


class TrueNegatives(_Count):
    """The weight of predictions not above the threshold (0.5) whose label is 0."""

    _kind = "tn"


class FalseNegatives(_Count):
    """The weight of predictions not above the threshold (0.5) whose label is 1."""

    _kind = "fn"


class _Rate(_AtThresholds):
    _direction = "up"

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype, class_id, top_k)

    def get_config(self):
        return {
            **super().get_config(), "thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id
        }  # fmt: skip


class Precision(_Rate):
    """Of what is predicted positive, the share that is: tp / (tp + fp), 0 where nothing is.

    thresholds  a number or numbers in [0, 1] (0.5) above which a prediction is positive; one result for each
    top_k       only the k largest predictions of a row are positive; without thresholds, all of them
    class_id    count the predictions of this class only
    """

    def _of_counts(self, counts):
        return divide_no_nan(counts.tp, counts.tp + counts.fp)


class Recall(_Rate):
    """Of what is positive, the share that is predicted so: tp / (tp + fn), 0 where nothing is. Arguments as Precision's."""

    def _of_counts(self, counts):
        return divide_no_nan(counts.tp, counts.tp + counts.fn)


# ---- one rate where another reaches a value -----------------------------------------------------------------------------
class SensitivitySpecificityBase(_OfClasses):
    """The best of one rate over thresholds at which another reaches a value, 0 where none does."""

    _direction = "up"
    _argument = ""

    def __init__(self, value, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(name, dtype, class_id)
        self.value = check_share(value, type(self).__name__, self._argument)
        self.num_thresholds = n = check_count(num_thresholds, type(self).__name__, "num_thresholds")
        self._make_state([0.5] if n == 1 else [0.0, *((i + 1) / (n - 1) for i in range(n - 2)), 1.0])
        setattr(self, self._argument, value)

    def _rates(self, counts):
        """(the rate that must reach the value, the rate that is wanted)."""
        raise NotImplementedError

    def result_of(self, state):
        constrained, wanted = self._rates(self._counts(state))
        return np.max(np.where(constrained >= self.value, wanted, 0), axis=-1, initial=0)

    def get_config(self):
        return {
            **super().get_config(), "class_id": self.class_id, "num_thresholds": self.num_thresholds,
            self._argument: self.value,
        }  # fmt: skip


def _sensitivity(counts):
    return divide_no_nan(counts.tp, counts.tp + counts.fn)


def _specificity(counts):
    return divide_no_nan(counts.tn, counts.tn + counts.fp)


def _precision(counts):
    return divide_no_nan(counts.tp, counts.tp + counts.fp)


class SensitivityAtSpecificity(SensitivitySpecificityBase):
    """The best sensitivity tp / (tp + fn) at a specificity tn / (tn + fp) of at least `specificity`."""

    _argument = "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def _rates(self, counts):
        return _specificity(counts), _sensitivity(counts)


class SpecificityAtSensitivity(SensitivitySpecificityBase):
    """The best specificity tn / (tn + fp) at a sensitivity tp / (tp + fn) of at least `sensitivity`."""

    _argument = "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def _rates(self, counts):
        return _sensitivity(counts), _specificity(counts)


class PrecisionAtRecall(SensitivitySpecificityBase):
    """The best precision at a recall of at least `recall`."""

    _argument = "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def _rates(self, counts):
        return _sensitivity(counts), _precision(counts)


class RecallAtPrecision(SensitivitySpecificityBase):
    """The best recall at a precision of at least `precision`."""

    _argument = "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def _rates(self, counts):
        return _precision(counts), _sensitivity(counts)
