"""One value a row: the matches that accuracies are made of, and predictions outside the top k ruled out."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register

# What Keras writes over predictions that are not among the top k.
RULED_OUT = -1e10


def _rows_infer(shapes, dtypes, attrs):
    return ((shapes[1][:1], dtypes[1]),)


def _binary_reference(y_true, y_pred, threshold):
    hit = y_true == (y_pred > threshold).astype(y_true.dtype)
    return np.mean(hit, axis=1).astype(y_pred.dtype)


_LABELS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
_SCORES = np.array([[0.9, 0.6], [0.2, 0.7], [0.4, 0.5]])
register(
    OpSpec("binary_match", _rows_infer, _binary_reference, None, (Sample((_LABELS, _SCORES), {"threshold": 0.5}, wrt=()),))
)
register(
    OpSpec(
        "categorical_match",
        _rows_infer,
        lambda t, p: (np.argmax(t, 1) == np.argmax(p, 1)).astype(p.dtype),
        None,
        (Sample((_LABELS, _SCORES), wrt=()),),
    )
)
register(
    OpSpec(
        "sparse_match",
        _rows_infer,
        lambda t, p: (t == np.argmax(p, 1)).astype(p.dtype),
        None,
        (Sample((np.array([0, 1, 5], np.int32), _SCORES), wrt=()),),
    )
)


def binary_match(y_true, y_pred, threshold=0.5):
    """[M]: the share of a row's entries where y_true equals (y_pred > threshold)."""
    return apply("binary_match", (y_true, y_pred), threshold=float(threshold))


def categorical_match(y_true, y_pred):
    """[M]: 1 where the largest entries of the two rows are at the same place."""
    return apply("categorical_match", (y_true, y_pred))


def sparse_match(labels, y_pred):
    """[M]: 1 where the int label is the place of the row's largest entry."""
    return apply("sparse_match", (labels, y_pred))


# ---- the top k --------------------------------------------------------------------------------------------------------
def _in_top_k_reference(labels, y_pred, k):
    rows, inside = np.arange(len(labels)), (labels >= 0) & (labels < y_pred.shape[1])
    own = y_pred[rows, np.where(inside, labels, 0)]
    better = np.sum(y_pred > own[:, None], axis=1)
    return (inside & np.isfinite(own) & (better < k)).astype(y_pred.dtype)


_MANY = np.random.default_rng(8).permutation(44).reshape(4, 11) / 44.0
register(
    OpSpec(
        "in_top_k",
        _rows_infer,
        _in_top_k_reference,
        None,
        (
            Sample((np.array([3, 10, 11, -1], np.int32), _MANY), {"k": 5}, wrt=()),
            Sample((np.array([0, 1, 1], np.int32), np.round(_SCORES)), {"k": 1}, wrt=()),
        ),
    )
)


def in_top_k(labels, y_pred, k):
    """[M]: 1 where fewer than k entries of the row are larger than the int label's own, which must be finite."""
    return apply("in_top_k", (labels, y_pred), k=int(k))


def _keep_top_k_reference(x, k):
    order = np.argsort(-x, axis=1, kind="stable")[:, :k]
    out = np.full_like(x, RULED_OUT)
    np.put_along_axis(out, order, np.take_along_axis(x, order, 1), 1)
    return out


register(
    OpSpec(
        "keep_top_k",
        lambda s, d, a: ((s[0], d[0]),),
        _keep_top_k_reference,
        None,
        (Sample((_MANY,), {"k": 4}, wrt=()), Sample((np.round(_MANY * 4),), {"k": 3}, wrt=()), Sample((_SCORES,), {"k": 2}, wrt=())),
    )
)


def keep_top_k(x, k):
    """x [M, N] with -1e10 in place of all but the k largest entries of each row; the first of equals count as larger."""
    return apply("keep_top_k", (x,), k=int(k))
