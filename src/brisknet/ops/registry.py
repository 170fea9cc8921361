"""One op = one record. Everything else in brisknet that concerns an op is found through this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["OpSpec", "Sample", "all_ops", "get_op", "register"]


@dataclass(frozen=True)
class Sample:
    """One input for the registry walk: array shapes (or arrays), attributes, and what may be differentiated.

    `inputs` holds arrays, or shapes that the walk fills with standard normal values; `wrt` the indices of the
    inputs whose gradient is checked by finite differences (None: every float input).
    """

    inputs: tuple
    attrs: dict = field(default_factory=dict)
    wrt: tuple | None = None


@dataclass(frozen=True)
class OpSpec:
    """The record of one op.

    name       the op's name, the same in the IR and here.
    infer      (shapes, dtypes, attrs) -> ((shape, dtype), ...) of the outputs; raises ValueError or TypeError that
               names the argument.
    vjp        (node, grads) -> one gradient per input, as IR tensors recorded by calling ops (None: no gradient
               flows to that input). `grads` has one entry per output, None where nothing depends on that output.
               None for an op without a derivative.
    reference  NumPy: (*arrays, **attrs) -> array or tuple of arrays. A fused op's reference is its decomposition.
    samples    inputs for the registry walk; an op without any fails the suite.
    inplace    inputs whose buffer output i may overwrite: inplace[i] is an input index or None.
    form       how its kernel, of the same name, is called: "unary", "pair", "broadcast", "rows" or "reduction" (the rules of
               those names in passes/lower); "" where an op has a rule of its own there.
    parameters attributes that the kernel takes as its floats, in this order.
    states     how many of the first inputs are float64 in every executor: what metrics add up.
    saved      how many of the last outputs are for its gradient op alone: no gradient flows back from them.
    """

    name: str
    infer: Callable
    reference: Callable
    vjp: Callable | None = None
    samples: tuple = ()
    inplace: tuple = ()
    form: str = ""
    parameters: tuple = ()
    states: int = 0
    saved: int = 0


_OPS: dict[str, OpSpec] = {}


def register(spec: OpSpec) -> OpSpec:
    """Add a record to the table; a name can be taken once."""
    if spec.name in _OPS:
        raise ValueError(f"op {spec.name!r} is registered twice")
    _OPS[spec.name] = spec
    return spec


def get_op(name: str) -> OpSpec:
    """The record of an op by name; KeyError lists nothing, as names come from inside the package."""
    return _OPS[name]


def all_ops() -> dict[str, OpSpec]:
    """A copy of the whole table, by name."""
    return dict(_OPS)
