"""Finite-difference checks of gradients, in float64 on the reference executor."""

from __future__ import annotations

import numpy as np

from brisknet.graph.trace import Trace
from brisknet.graph.verify import verify
from brisknet.ops import dispatch
from brisknet.ops.registry import get_op
from brisknet.ops.reduction import sum as reduce_sum
from brisknet.passes.autodiff import gradients
from brisknet.passes.simplify import simplify
from brisknet.runtime.reference import ReferenceProgram

__all__ = ["check_op", "numeric_gradient"]


def numeric_gradient(fn, x: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    """Central differences of the scalar fn at x (float64), element by element."""
    x = np.array(x, np.float64)
    grad = np.empty_like(x)
    flat, out = x.reshape(-1), grad.reshape(-1)
    for i in range(flat.size):
        saved = flat[i]
        flat[i] = saved + eps
        up = fn(x)
        flat[i] = saved - eps
        out[i] = (up - fn(x)) / (2 * eps)
        flat[i] = saved
    return grad


def check_op(name: str, arrays, attrs: dict, wrt=None, eps: float = 1e-6):
    """[(input index, analytic, numeric)] for each differentiated input of one op.

    The op's outputs are reduced to a scalar by fixed random weights, so that every element of a gradient matters.
    """
    arrays = [np.asarray(a, np.float64 if np.asarray(a).dtype.kind == "f" else None) for a in arrays]
    if wrt is None:
        wrt = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    spec = get_op(name)
    outs = spec.reference(*arrays, **attrs)
    outs = outs if isinstance(outs, tuple) else (outs,)
    rng = np.random.default_rng(123)
    used = [i for i, o in enumerate(outs[: len(outs) - spec.saved]) if np.asarray(o).dtype.kind == "f" and not (name.endswith("_head") and i)]
    weights = {i: rng.uniform(0.5, 1.5, np.shape(outs[i])) for i in used}

    with Trace(floatx="float64") as graph:
        ins = [graph.add_input(a.shape, a.dtype.name) for a in arrays]
        ys = dispatch.apply(name, ins, **attrs)
        ys = ys if isinstance(ys, tuple) else (ys,)
        total = None
        for i in used:
            term = reduce_sum(ys[i] * weights[i])
            total = term if total is None else total + term
        grads = gradients(total, [ins[i] for i in wrt])
        graph.outputs = [g if g is not None else graph.add_constant(np.zeros(arrays[i].shape)) for i, g in zip(wrt, grads)]
    program = ReferenceProgram(verify(simplify(graph), "simplify"))
    analytic = program.run(arrays)

    def scalar(values):
        o = spec.reference(*values, **attrs)
        o = o if isinstance(o, tuple) else (o,)
        return float(sum(np.sum(o[i] * weights[i]) for i in used))

    results = []
    for i, a in zip(wrt, analytic, strict=True):
        numeric = numeric_gradient(lambda x, i=i: scalar([*arrays[:i], x, *arrays[i + 1 :]]), arrays[i], eps)
        results.append((i, a, numeric))
    return results
