"""What follows batch normalisation, in its pass over the rows: a sum with another tensor, an activation."""

from __future__ import annotations

import numpy as np

from brisknet.ops.activation.from_output import FROM_OUTPUT, activation_array
from brisknet.ops.norm import apply_infer, apply_reference
from brisknet.ops.registry import OpSpec, Sample, register


def _infer(shapes, dtypes, attrs):
    last = len(shapes) - int(attrs["summand"])
    if attrs["summand"] and shapes[-1] != shapes[0]:
        raise ValueError(f"bn_rows: a summand of shape {shapes[0]} expected, got {shapes[-1]}")
    return apply_infer(shapes[:last], dtypes, attrs)


def _reference(x, *rest, epsilon, scale, center, summand, activation, alpha):
    parameters = rest[:-1] if summand else rest
    y = apply_reference(x, *parameters, epsilon=epsilon, scale=scale, center=center)
    return activation_array(y + rest[-1] if summand else y, activation, alpha)


def _samples():
    """Every activation, with and without a summand; rows in several units, channels that fill vectors and that do not."""
    rng = np.random.default_rng(4)
    cases = [((6, 5, 1), kind, i % 2 == 0) for i, kind in enumerate(FROM_OUTPUT)]
    cases += [((700, c, 1), "relu", s) for c in (3, 16, 67) for s in (False, True)]
    out = []
    for shape, kind, summand in cases:
        c = shape[1]
        attrs = {"epsilon": 1e-3, "scale": not summand, "center": True, "summand": summand, "activation": kind, "alpha": 0.2}
        ins = (shape, rng.normal(size=c), rng.uniform(0.5, 2.0, c), *(() if summand else ((c,),)), (c,), *((shape,) if summand else ()))
        out.append(Sample(ins, attrs, wrt=()))
    return tuple(out)


# y = f((x - mean) (var + epsilon)^-1/2 gamma + beta + summand) of x [rows, C, 1]; made by passes/norms.py, after autodiff.
register(OpSpec("bn_rows", _infer, _reference, None, _samples(), inplace=(0,)))
