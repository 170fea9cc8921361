"""Values that gradients treat apart: setting a trained weight within its own training step, stopping gradients,
and gradients that are somebody's own function (custom_gradient)."""

from __future__ import annotations

import numpy as np

from brisknet.graph.trace import current_graph, record
from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = ["assign_trained", "replace_gradient", "stop_gradient"]


def _infer(shapes, dtypes, attrs):
    if shapes[0] != shapes[1] or dtypes[0] != dtypes[1]:
        raise ValueError(f"assign: a value of shape {shapes[1]} expected, got {shapes[0]}")
    return ((shapes[0], dtypes[0]),)


register(
    OpSpec(  # the new value of a variable, where the old one stood: inputs are the new and the old value
        "assign",
        _infer,
        lambda value, old, variable=None: np.asarray(value),
        # what depends on the weight depends on the value that it has been given, and so does its update
        lambda n, g: (None, g[0]),
        (Sample(((3, 5), (3, 5)), {"variable": None}, wrt=()),),
    )
)


def assign_trained(variable, value) -> None:
    """Set a variable, also one that the optimizer updates later in the step that is traced: the update starts from `value`,
    and the gradient is taken with respect to it."""
    if current_graph() is None:
        variable.assign(value)
    else:
        variable.assign(apply("assign", (value, variable), variable=variable))


register(
    OpSpec(
        "stop_gradient",
        lambda s, d, a: ((s[0], d[0]),),
        lambda x: np.asarray(x),
        lambda n, g: (None,),
        (Sample(((3, 5),), wrt=()),),
    )
)


def stop_gradient(variable):
    """The tensor or variable itself; no gradient flows through it."""
    return apply("stop_gradient", (variable if hasattr(variable, "shape") else np.asarray(variable),))


def _double(upstream):
    return [upstream[0] * 2.0]


def _replaced_vjp(node, grads):
    n = node.attrs["outputs"]
    return (*[None] * n, *node.attrs["rule"](list(grads)))


register(
    OpSpec(  # inputs: the n values, then what they have gradients for; outputs: the values
        "replace_gradient",
        lambda s, d, a: tuple(zip(s[: a["outputs"]], d[: a["outputs"]], strict=True)),
        lambda *x, outputs=1, rule=None: tuple(np.asarray(v) for v in x[:outputs]),
        _replaced_vjp,
        # the rule's gradient is the user's affair, so finite differences have nothing to check
        (Sample(((3, 5), (3, 5)), {"outputs": 1, "rule": _double}, wrt=()),),
    )
)


def replace_gradient(values, sources, rule):
    """The values, as tensors whose upstream gradients rule turns into gradients of the sources; nothing else gets one."""

    return record("replace_gradient", (*values, *sources), {"outputs": len(values), "rule": rule})
