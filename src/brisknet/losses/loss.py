"""The base class of losses, and how values a sample become one number."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.graph.ir import Tensor
from brisknet.losses.common import align
from brisknet.ops.dispatch import cast, dtype_of
from brisknet.utils.naming import auto_name, to_snake_case

__all__ = ["BuiltInLoss", "Loss", "LossFunctionWrapper", "reduce", "same_rank"]

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Base class. Subclasses define call(y_true, y_pred) -> one value a sample.

    name        in logs and configs; by default the class's own in snake case, numbered
    reduction   "sum_over_batch_size" (default) and "mean": the mean of all values, weighted ones divided by their number;
                "sum"; "mean_with_sample_weight": divided by the sum of the weights; "none" or None: the values themselves
    dtype       "float32" or "float64", to which targets and predictions are cast; by default the predictions' own

    Places that are masked, by a mask of the predictions or of the values, count as if they were not there.
    """

    # What y_true holds: "values" like the predictions, "onehot" rows, integer "classes", or "other" that only call() knows.
    targets = "values"

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if not (reduction is None or isinstance(reduction, str)) or reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {REDUCTIONS}, got {reduction!r}")
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.reduction, self.dtype = reduction, _float_name(dtype) or config.floatx()
        self._cast_to = _float_name(dtype)

    def call(self, y_true, y_pred):
        raise NotImplementedError(f"loss {type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = getattr(y_pred, "_keras_mask", None)
        if self._cast_to is not None:
            y_true, y_pred = self._typed(y_true), self._typed(y_pred)
        if mask is None and isinstance(y_pred, Tensor):
            fused = self._fused_by(self.reduction, y_true, y_pred, sample_weight)
            if fused is not None:
                return fused
        values, value_mask = self.masked_values(y_true, y_pred)
        return reduce(values, sample_weight, self.reduction, both_masks(mask, value_mask))

    def masked_values(self, y_true, y_pred):
        """(values, mask or None): call(), and where its values count; for a loss that masks places by itself."""
        values = self.call(y_true, y_pred)
        return values, getattr(values, "_keras_mask", None)

    def check_targets(self, y, shape, name) -> None:
        """ValueError for targets (an array) that don't fit outputs of this shape; asked where `targets` is "other"."""

    def _typed(self, y):
        y = y if hasattr(y, "shape") else np.asarray(y)
        return cast(y, self._cast_to) if dtype_of(y).startswith("float") else y

    def _fused_by(self, reduction, y_true, y_pred, sample_weight):
        """The reduced loss as one head, where the op vocabulary has it; else None."""
        if reduction == "mean_with_sample_weight" and sample_weight is None:
            reduction = "mean"
        if reduction not in ("sum_over_batch_size", "mean", "sum"):
            return None
        mean = self._fused(y_true, y_pred, sample_weight)
        if mean is None or reduction != "sum":
            return mean
        return ops.multiply(mean, float(self._count(y_pred)))

    def _fused(self, y_true, y_pred, sample_weight):
        """The mean loss as one head; else None."""
        return None

    @staticmethod
    def _count(y_pred) -> int:
        """The number of values a sample that y_pred gives."""
        return int(np.prod(y_pred.shape[:-1]))

    def get_config(self) -> dict:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)


def _float_name(dtype) -> str | None:
    """A dtype, or a policy with a compute_dtype, by name; ValueError unless it is float32 or float64."""
    if dtype is None:
        return None
    given = getattr(dtype, "compute_dtype", dtype)
    try:
        name = np.dtype(given).name
    except TypeError:
        name = None
    if name not in ("float32", "float64"):
        raise ValueError(f'dtype of a loss must be "float32" or "float64", got {dtype!r}')
    return name


class LossFunctionWrapper(Loss):
    """A loss from a function (y_true, y_pred, **kwargs) -> one value a sample."""

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn, self._fn_kwargs = fn, kwargs

    def call(self, y_true, y_pred):
        return self.fn(*align(y_true, y_pred), **self._fn_kwargs)

    def get_config(self):
        """Name and reduction, and the function by name; ValueError for a function that is neither built in nor registered."""
        from brisknet import losses

        return {**super().get_config(), "fn": losses.serialize(self.fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config):
        from brisknet import losses

        return cls(**{**config, "fn": losses.deserialize(config["fn"])})


class BuiltInLoss(Loss):
    """A loss of this package: its function by the side of its class, and the arguments that both have."""

    function = None
    arguments = ()

    def call(self, y_true, y_pred):
        return type(self).function(y_true, y_pred, **{a: getattr(self, a) for a in self.arguments})

    def get_config(self):
        return {**super().get_config(), **{a: getattr(self, a) for a in self.arguments}}


# ---- reduction -----------------------------------------------------------------------------------------------------
def same_rank(values, weights):
    """Both with one rank where they differ by a trailing axis of 1 (Keras); fewer weight axes get axes of 1."""
    a, b = len(values.shape), len(weights.shape)
    if b == a + 1 and weights.shape[-1] == 1:
        if a == 1:
            values = ops.expand_dims(values, -1)
        else:
            weights = ops.squeeze(weights, -1)
    while len(weights.shape) < len(values.shape):
        weights = ops.expand_dims(weights, -1)
    return values, weights


def reduce(values, sample_weight, reduction, mask=None):
    """Per-sample values, weighted, by one of REDUCTIONS; masked places count as if they were not there."""
    values = values if hasattr(values, "shape") else np.asarray(values)
    weights = None
    if sample_weight is not None:
        weights = sample_weight if hasattr(sample_weight, "shape") else np.asarray(sample_weight)
        weights = cast(weights, dtype_of(values))
    if mask is not None:
        weights = _masked_weights(weights, cast(mask, dtype_of(values)), reduction)
    total = None
    if weights is not None:
        values, weights = same_rank(values, weights)
        values = ops.multiply(values, weights)
        total = ops.sum(weights)
    if reduction in ("none", None) or not len(values.shape):
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and total is not None:
        return ops.divide_no_nan(ops.sum(values), total)
    return ops.mean(values)


def _masked_weights(weights, mask, reduction):
    """Weights that are 0 where masked; for a mean each of the others counts total / valid, so that it is over valid ones."""
    if reduction in ("mean", "sum_over_batch_size"):
        total = float(np.prod(mask.shape))
        mask = ops.multiply(mask, ops.divide_no_nan(np.asarray(total, dtype_of(mask)), ops.sum(mask)))
    if weights is None:
        return mask
    mask, weights = same_rank(mask, weights)
    return ops.multiply(mask, weights)


def both_masks(a, b):
    """The places that both masks keep."""
    if a is None or b is None:
        return b if a is None else a
    return ops.logical_and(a, b)
