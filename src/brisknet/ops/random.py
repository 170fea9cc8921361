"""Random ops, counter-based: an element's draw depends only on (key, step, its index), on no thread and no order."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register
from brisknet.runtime import philox

_STEP = np.array(5, np.int64)


def _dropout_reference(x, step, rate, key):
    x = np.asarray(x)
    keep = philox.dropout_bits(x.size, key, int(step)).reshape(x.shape) >= round(rate * 65536)
    return np.where(keep, x * np.asarray(1.0 / (1.0 - rate), x.dtype), np.zeros((), x.dtype))


register(
    OpSpec(
        "dropout",
        lambda s, d, a: ((s[0], d[0]),),
        _dropout_reference,
        # y = x * mask / (1 - rate): the same mask, drawn again from the same key and step, takes the gradient back
        lambda n, g: (apply("dropout", (g[0], n.inputs[1]), **n.attrs), None),
        (
            Sample(((5, 40), _STEP), {"rate": 0.5, "key": 1234567}, wrt=(0,)),
            Sample(((3, 7), _STEP), {"rate": 0.1, "key": 99}, wrt=(0,)),
            Sample(((130,), _STEP), {"rate": 0.75, "key": 7}, wrt=(0,)),
        ),
        inplace=(0,),
    )
)


def dropout(x, step, rate, key):
    """x / (1 - rate) where a draw of the key at `step` keeps the element, else 0. Srivastava et al. 2014."""
    return apply("dropout", (x, step), rate=float(rate), key=int(key))


def _uniform_reference(step, shape, key, low, high, dtype):
    return philox.uniform(int(np.prod(shape, dtype=np.int64)), key, int(step), low, high).reshape(shape).astype(dtype)


def _normal_reference(step, shape, key, mean, stddev, dtype):
    return philox.normal(int(np.prod(shape, dtype=np.int64)), key, int(step), mean, stddev).reshape(shape).astype(dtype)


def _draw_infer(shapes, dtypes, attrs):
    return ((tuple(attrs["shape"]), attrs["dtype"]),)


def _define_draw(name, reference, a, b):
    samples = tuple(
        Sample((_STEP,), {"shape": s, "key": 77, "dtype": "float32", a: 0.5, b: 2.0}, wrt=()) for s in ((3, 5), (70,))
    )
    register(OpSpec(name, _draw_infer, reference, lambda n, g: (None,), samples))


_define_draw("random_uniform", _uniform_reference, "low", "high")
_define_draw("random_normal", _normal_reference, "mean", "stddev")


def random_uniform(step, shape, key, low=0.0, high=1.0, dtype="float32"):
    """Uniform draws in [low, high), of the given shape."""
    return apply("random_uniform", (step,), shape=tuple(shape), key=int(key), low=float(low), high=float(high), dtype=dtype)


def random_normal(step, shape, key, mean=0.0, stddev=1.0, dtype="float32"):
    """Normal draws of the given mean, standard deviation and shape."""
    return apply(
        "random_normal", (step,), shape=tuple(shape), key=int(key), mean=float(mean), stddev=float(stddev), dtype=dtype
    )
