"""Intersection over union, from a confusion matrix, as in keras.metrics."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.metrics.metric import StreamingMetric
from brisknet.metrics.shapes import check_count, flat_labels, is_number, predictions, tensor
from brisknet.ops.dispatch import cast, dtype_of, is_float
from brisknet.ops.metric_state import metric_confusion

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class _IoUBase(StreamingMetric):
    """`total_cm` [classes, classes] holds the weights of all values by true class and predicted class.

    Weights are cut to whole numbers unless dtype is a float type, as in Keras.
    """

    _direction = "up"

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        super().__init__(dtype or "int32", name)
        own = type(self).__name__
        self.num_classes = check_count(num_classes, own, "num_classes")
        self.ignore_class = ignore_class
        if ignore_class is not None and (not is_number(ignore_class) or ignore_class != int(ignore_class)):
            raise ValueError(f"{own}: ignore_class must be an integer or None, got {ignore_class!r}")
        self.sparse_y_true, self.sparse_y_pred, self.axis = bool(sparse_y_true), bool(sparse_y_pred), axis
        self.total_cm = self._add_state("total_confusion_matrix", (num_classes, num_classes))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch of classes, of any shape, or of one-hot rows where sparse_y_true or sparse_y_pred is False.

        Classes outside [0, num_classes), and ignore_class, are left out.
        """
        y_true = flat_labels(y_true if self.sparse_y_true else ops.argmax(tensor(y_true), axis=self.axis))
        y_pred = flat_labels(y_pred if self.sparse_y_pred else ops.argmax(tensor(y_pred), axis=self.axis))
        if tuple(y_true.shape) != tuple(y_pred.shape):
            raise ValueError(
                f"{type(self).__name__}: as many true as predicted classes expected, got {y_true.shape[0]} and "
                f"{y_pred.shape[0]}; set sparse_y_true or sparse_y_pred to False where they are one-hot"
            )
        ignored = None if self.ignore_class is None else int(self.ignore_class)
        self.total_cm.assign(metric_confusion(
            self.total_cm, y_true, y_pred, self._weights(sample_weight, y_true), ignore_class=ignored,
            whole_weights=np.dtype(self.dtype).kind != "f",
        ))  # fmt: skip

    def _weights(self, sample_weight, y_true):
        if sample_weight is None:
            return None
        w = tensor(sample_weight)
        w = w if is_float(dtype_of(w)) else cast(w, "float32")
        if len(w.shape) > 1:
            w = ops.reshape(w, (-1,))
        if len(w.shape) and w.shape[0] not in (1, y_true.shape[0]):
            raise ValueError(
                f"{type(self).__name__}: one weight for each of the {y_true.shape[0]} values expected, got "
                f"{w.shape[0]}"
            )
        return ops.broadcast_to(w, tuple(y_true.shape))

    def _result_dtype(self):
        return "float32"


class IoU(_IoUBase):
    """The mean over target_class_ids of tp / (tp + fp + fn); classes that never occur are left out."""

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
        sparse_y_pred=True, axis=-1,
    ):  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        own = type(self).__name__
        ids = list(target_class_ids) if isinstance(target_class_ids, (list, tuple, range, np.ndarray)) else None
        bad = ids is None or [i for i in ids if not is_number(i) or i != int(i) or not 0 <= i < num_classes]
        if bad or not ids:
            raise ValueError(
                f"{own}: target_class_ids must be a list of classes in [0, {num_classes}), got {target_class_ids!r}"
            )
        self.target_class_ids = [int(i) for i in ids]

    def result_of(self, cm):
        tp = np.diagonal(cm, axis1=-2, axis2=-1)
        union = cm.sum(axis=-2) + cm.sum(axis=-1) - tp
        tp, union = tp[..., self.target_class_ids], union[..., self.target_class_ids]
        valid, eps = union > 1e-9, config.epsilon()
        return np.sum(np.where(valid, tp / (union + eps), 0), axis=-1) / (np.sum(valid, axis=-1) + eps)

    def _config(self, *keys) -> dict:
        return {**super().get_config(), **{k: getattr(self, k) for k in keys}}

    def get_config(self):
        return self._config(
            "num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"
        )  # fmt: skip


class BinaryIoU(IoU):
    """IoU of classes 0 and 1, where predictions are 1 from `threshold` (0.5) on."""

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        if not is_number(threshold):
            raise ValueError(f"BinaryIoU: threshold must be a number, got {threshold!r}")
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch of classes 0 and 1 and of predictions, of any one shape."""
        positive = ops.greater_equal(predictions(y_pred), float(self.threshold))
        super().update_state(y_true, cast(positive, "int32"), sample_weight)

    def get_config(self):
        return self._config("target_class_ids", "threshold")


class MeanIoU(IoU):
    """The mean IoU over all classes that occur."""

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        ids = list(range(check_count(num_classes, type(self).__name__, "num_classes")))
        super().__init__(num_classes, ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self):
        return self._config("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")


class OneHotIoU(IoU):
    """IoU for one-hot targets; predictions are one score a class along `axis`, or classes where sparse_y_pred."""

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return self._config("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")


class OneHotMeanIoU(MeanIoU):
    """MeanIoU for one-hot targets; predictions are one score a class along `axis`, or classes where sparse_y_pred."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return self._config("num_classes", "ignore_class", "sparse_y_pred", "axis")
