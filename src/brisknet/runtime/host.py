"""Python inside a native step: arrays over the operands of a host_call, and what happens when the Python fails."""

from __future__ import annotations

import contextlib

import numpy as np

from brisknet import _core

__all__ = ["NOTHING", "bind", "undone"]

NOTHING = contextlib.nullcontext()


def bind(instruction, place) -> _core.HostCall:
    """The call of an instruction, given the addresses of its operands."""
    call = instruction.operands[0].base
    places = [place(ref) for ref in instruction.operands[1:]]
    n = len(call.inputs)
    inputs = [_view(p, *spec) for p, spec in zip(places[:n], call.inputs, strict=True)]
    outputs = [_view(p, *spec) for p, spec in zip(places[n:], call.outputs, strict=True)]

    def run():
        given = [a.astype(bool) if d == "bool" else a.copy() for a, (_, d) in zip(inputs, call.inputs, strict=True)]
        for target, value in zip(outputs, call.run(*given), strict=True):
            target[...] = value

    return _core.HostCall(run)


def _view(address: int, shape, dtype: str) -> np.ndarray:
    """The memory at an address as an array; booleans are int32 0/1 inside a program."""
    import ctypes

    dtype = np.dtype("int32" if dtype == "bool" else dtype)
    count = int(np.prod(shape, dtype=np.int64))
    memory = (ctypes.c_char * max(count * dtype.itemsize, 1)).from_address(address)
    return np.frombuffer(memory, dtype, count).reshape(shape)


class undone:
    """Within: runs of native programs. Where Python in one of them fails, all variables that they update get back the
    values they had before, and the error is raised."""

    __slots__ = ("_programs", "_before")

    def __init__(self, programs):
        self._programs = programs

    def __enter__(self):
        self._before = None
        if any(p.has_hosts for p in self._programs):
            for p in self._programs:
                p.bound()
            self._before = [(v, v.storage.copy()) for p in self._programs for v in p.graph.updates]

    def __exit__(self, *exc):
        if self._before is None:
            return
        error = None
        for call in (call for p in self._programs for call in p.hosts):
            if call.error is not None:
                error, call.error = call.error, None
        if error is not None:
            for v, value in self._before:
                v.storage[...] = value
            raise error
