"""Labels and rows of numbers: to_categorical, normalize."""

from __future__ import annotations

import numpy as np

__all__ = ["normalize", "to_categorical"]


def to_categorical(x, num_classes=None) -> np.ndarray:
    """One-hot rows of int class labels: [...] or [..., 1] -> [..., num_classes] (num_classes: largest + 1).

    ValueError for labels that are negative, not whole, or not below num_classes.
    """
    x = np.asarray(x)
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x.reshape(x.shape[:-1])
    labels = x.astype(np.int64) if x.dtype.kind in "iufb" else None
    if labels is None or not np.array_equal(labels, x):
        raise ValueError(f"to_categorical: x must hold whole numbers, got dtype {x.dtype} {x.ravel()[:3]}")
    if num_classes is None:
        num_classes = int(labels.max()) + 1 if labels.size else 0
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        raise ValueError(
            f"to_categorical: labels must lie in [0, {num_classes}), got {labels.min()} to {labels.max()}; "
            "give a larger num_classes or count the classes from 0"
        )
    out = np.zeros((labels.size, num_classes))
    out[np.arange(labels.size), labels.ravel()] = 1
    return out.reshape(*labels.shape, num_classes)


def normalize(x, axis=-1, order=2) -> np.ndarray:
    """x divided by its norm along axis (rows of zeros stay zero)."""
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)
