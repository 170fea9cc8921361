"""Streaming means (float64 scalars) and the counter of steps."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register


def _add_infer(shapes, dtypes, attrs):
    if shapes[0] != () or shapes[1] != () or dtypes[0] != "float64" or dtypes[1] != "float64":
        raise ValueError(f"metric_add: total and count must be float64 scalars, got {shapes[:2]} of {dtypes[:2]}")
    return (((), "float64"), ((), "float64"))


def _add_reference(total, count, values, weights=None, *, factor=1.0):
    v = np.asarray(values, np.float64)
    w = np.ones(v.shape) if weights is None else np.asarray(weights, np.float64)
    return np.asarray(total + factor * np.sum(v * w)), np.asarray(count + factor * np.sum(w))


_F64 = (np.array(3.5), np.array(2.0))
register(
    OpSpec(
        "metric_add",
        _add_infer,
        _add_reference,
        None,
        (
            Sample((*_F64, (7,)), {"factor": 1.0}, wrt=()),
            Sample((*_F64, ()), {"factor": 32.0}, wrt=()),
            Sample((*_F64, (7,), np.arange(7.0)), {"factor": 1.0}, wrt=()),
        ),
        inplace=(0, 1),
        states=2,
    )
)


def metric_add(total, count, values, weights=None, factor=1.0):
    """(total + factor * sum(w v), count + factor * sum(w)); w = 1 where weights is None."""
    ins = (total, count, values) if weights is None else (total, count, values, weights)
    return apply("metric_add", ins, factor=float(factor))


register(
    OpSpec(
        "count_step",
        lambda s, d, a: ((s[0], d[0]),),
        lambda x, amount: x + np.asarray(amount, x.dtype),
        None,
        (Sample((np.array(4, np.int64),), {"amount": 1}, wrt=()),),
        inplace=(0,),
    )
)


def count_step(x, amount=1):
    """An int64 counter plus a constant."""
    return apply("count_step", (x,), amount=int(amount))
