"""Losses whose mean is one fused head of the op vocabulary (ops/loss.py) while a step is traced."""

from __future__ import annotations

from brisknet import config, ops
from brisknet.losses.common import align
from brisknet.losses.loss import BuiltInLoss
from brisknet.ops.dispatch import cast, dtype_of
from brisknet.ops.loss import EPS, pointwise_head

__all__ = ["PointwiseLoss", "head_rows", "heads_epsilon", "row_weights"]


def heads_epsilon() -> bool:
    """True while epsilon is the one that the heads clip with."""
    return config.epsilon() == EPS


def head_rows(y_true, y_pred, sample_weight):
    """(pred [M, C], target [M, C], weights [M] or None) for a pointwise head; None where shapes do not fit one."""
    y_true, y_pred = align(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape) or not y_pred.shape:
        return None
    c = y_pred.shape[-1]
    rows = ops.reshape(y_pred, (-1, c)) if c else None
    if rows is None:
        return None
    weights = row_weights(sample_weight, y_pred.shape[:-1])
    if weights is NotImplemented:
        return None
    return rows, ops.reshape(y_true, (-1, c)), weights


def row_weights(sample_weight, lead):
    """Weights [M] for rows of leading shape `lead`; None where there are none, NotImplemented where they do not fit."""
    if sample_weight is None:
        return None
    w = cast(sample_weight, "float32") if not dtype_of(sample_weight).startswith("float") else sample_weight
    if len(w.shape) == len(lead) + 1 and w.shape[-1] == 1:
        w = ops.squeeze(w, -1)
    if len(w.shape) > len(lead):
        return NotImplemented
    while len(w.shape) < len(lead):
        w = ops.expand_dims(w, -1)
    return ops.reshape(ops.broadcast_to(w, tuple(lead)), (-1,))


class PointwiseLoss(BuiltInLoss):
    """A loss that is a mean (or, over a row, a sum) of an element-wise formula of ops.loss.POINTWISE."""

    kind = ""
    parameter = 0.0

    def _fused(self, y_true, y_pred, sample_weight):
        rows = head_rows(y_true, y_pred, sample_weight) if heads_epsilon() else None
        if rows is None:
            return None
        return pointwise_head(*rows, kind=self.kind, parameter=self.parameter)[0]
