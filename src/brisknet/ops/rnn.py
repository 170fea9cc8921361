"""What the whole-sequence recurrent ops share. Everything is time-major: [T,B,...].

An op takes the projection of all inputs, x W + b over all time steps at once (a dense layer), and does what depends on the
state: h U, gates, new state. A step whose mask is 0 leaves the state as it was. Its last outputs are what the gradient op
reads (`saved`); the gradients of W and b are those of the dense layer, that of U is one product over all time steps.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.linalg import dense_wgrad
from brisknet.ops.registry import Sample
from brisknet.ops.shape import reshape

__all__ = ["check_recurrent", "keep", "recurrent_wgrad", "sequence_grad", "sequence_samples", "sigmoid", "some_mask"]


def check_recurrent(name: str, gates: int, shapes, dtypes, attrs):
    """(T, B, H) of inputs xp [T,B,gates H], state [B,H], U [H,gates H], optional mask [T,B]; ValueError names the input."""
    xp, h, u = shapes[0], shapes[1], shapes[attrs.get("states", 1) + 1]
    if len(xp) != 3 or len(h) != 2 or xp[1] != h[0] or xp[2] != gates * h[1]:
        raise ValueError(f"{name}: xp [T,B,{gates} H] and states [B,H] expected, got shapes {xp} and {h}")
    if u != (h[1], gates * h[1]):
        raise ValueError(f"{name}: recurrent weights of shape {(h[1], gates * h[1])} expected, got {u}")
    return (*xp[:2], h[1])


def check_mask(name: str, shape, dtype: str, steps: int, rows: int) -> None:
    """ValueError unless a mask is bool [T,B]."""
    if shape != (steps, rows) or dtype != "bool":
        raise ValueError(f"{name}: a bool mask of shape {(steps, rows)} expected, got {dtype} {shape}")


def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def keep(mask, t, new, old):
    """`new` in the rows that step t of the mask keeps, `old` in the others; `new` without a mask."""
    return new if mask is None else np.where(mask[t][:, None], new, old)


def sequence_grad(name: str, inputs, node, grads, mask, **attrs):
    """Apply gradient op `name` to `inputs`, then the mask and those of (dys, dh[, dc]) that there are."""
    given = [("mask", mask), *zip(("dys", "dh", "dc"), grads, strict=False)]
    given = [(n, t) for n, t in given if t is not None]
    return apply(name, (*inputs, *(t for _, t in given)), given=tuple(n for n, _ in given), **attrs)


def recurrent_wgrad(hprev, dz, bias: bool = False):
    """dU [H,N] = sum over steps and rows of hprev [T,B,H]^T dz [T,B,N]; with bias also the column sums of dz."""
    rows = hprev.shape[0] * hprev.shape[1]
    return dense_wgrad(reshape(hprev, (rows, hprev.shape[2])), reshape(dz, (rows, dz.shape[2])), bias)


def some_mask(steps: int, rows: int) -> np.ndarray:
    """A mask with holes at the start, in the middle and at the end."""
    return (np.arange(steps)[:, None] * 2 + np.arange(rows)) % 3 != 1


# (T, B, H): one of everything, odd sizes, sizes around vectors and panels
SIZES = ((1, 1, 1), (3, 1, 5), (2, 3, 4), (4, 2, 9), (1, 7, 17), (3, 5, 16))


def sequence_samples(inputs, sizes=SIZES, **attrs):
    """A sample without and one with a mask for each size; inputs(T, B, H) gives the shapes before the mask."""
    out = []
    for i, (t, b, h) in enumerate(sizes):
        # a dozen rows of weights are enough for finite differences
        wrt = None if b * h * t < 60 else ()
        out.append(Sample(inputs(t, b, h), dict(attrs), wrt=wrt))
        if i != 1:
            out.append(Sample((*inputs(t, b, h), some_mask(t, b)), {**attrs, "masked": True}, wrt=wrt))
    return tuple(out)


def grad_samples(inputs, extra, sizes=SIZES[1:], **attrs):
    """Samples of a gradient op with various of its optional inputs; extra(T, B, H) maps their names to shapes."""
    out = []
    for i, (t, b, h) in enumerate(sizes):
        optional = {"mask": some_mask(t, b), **extra(t, b, h)}
        names = [n for j, n in enumerate(optional) if (i + j) % 3 != 1] if i else list(optional)
        out.append(Sample((*inputs(t, b, h), *(optional[n] for n in names)), {**attrs, "given": tuple(names)}, wrt=()))
    return tuple(out)
