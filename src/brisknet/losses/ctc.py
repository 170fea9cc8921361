"""CTC loss of sequences without an alignment."""

from __future__ import annotations

import numpy as np

from brisknet.losses.loss import BuiltInLoss
from brisknet.ops.ctc import ctc_head
from brisknet.ops.dispatch import cast, float_array

__all__ = ["CTC", "ctc"]


def ctc(y_true, y_pred):
    """-log of the probability of the labels, summed over all alignments. Graves et al. 2006.

    y_true   [batch, length] integer labels, filled up with 0, the blank, which is no class
    y_pred   [batch, frames, classes] logits, not probabilities
    """
    y_true, y_pred = y_true if hasattr(y_true, "shape") else np.asarray(y_true), float_array(y_pred)
    if len(y_true.shape) != 2:
        raise ValueError(f"ctc: y_true of shape [batch, length] expected, got shape {tuple(y_true.shape)}")
    if len(y_pred.shape) != 3:
        raise ValueError(f"ctc: y_pred of shape [batch, frames, classes] expected, got shape {tuple(y_pred.shape)}")
    if isinstance(y_true, np.ndarray):
        check_sequence_labels(y_true, y_pred.shape[-1], "y_true")
    return ctc_head(y_pred, cast(y_true, "int32"))[0]


def check_sequence_labels(labels, classes: int, name: str) -> None:
    """ValueError unless all labels are whole numbers in [0, classes)."""
    bad = (labels < 0) | (labels >= classes) | (labels != np.floor(labels))
    if bad.any():
        raise ValueError(
            f"{name}: integer labels in [0, {classes}) expected, 0 the blank, as the model has {classes} outputs a frame; "
            f"got {labels[bad][0]}"
        )


class CTC(BuiltInLoss):
    """-log of the probability of the labels [batch, length] under logits [batch, frames, classes]; label 0 is the blank."""

    function = staticmethod(ctc)
    targets = "other"

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(name, reduction, dtype)

    def check_targets(self, y, shape, name) -> None:
        if y.ndim != 2 or len(shape) != 3:
            raise ValueError(
                f"{name}: labels of shape (rows, length) and outputs (rows, frames, classes) expected by ctc, got "
                f"{y.shape} and {tuple(shape)}"
            )
        check_sequence_labels(y, shape[-1], name)
