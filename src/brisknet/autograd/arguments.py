"""The arguments of a compiled function: which are inputs of the program, and what the others say about it."""

from __future__ import annotations

import inspect

import numpy as np

from brisknet import config
from brisknet.graph.ir import Tensor
from brisknet.variables import Variable

__all__ = ["Leaves", "describe_changes", "described"]

_KINDS = {"f": "float", "i": "int32", "u": "int32", "b": "bool"}


class Leaves:
    """Arguments taken apart.

    key      hashable: equal for arguments that one program can run on
    feeds    the arrays that are inputs, in order
    others   objects that are told apart by identity
    """

    __slots__ = ("key", "feeds", "others", "args", "kwargs")

    def __init__(self, args, kwargs):
        self.feeds: list[np.ndarray] = []
        self.others: list = []
        self.args, self.kwargs = args, kwargs
        key = [self._take(x) for x in args]
        if kwargs:
            key += [(name, self._take(kwargs[name])) for name in sorted(kwargs)]
        self.key = tuple(key)

    def _take(self, x):
        kind = type(x)
        if kind is np.ndarray:
            code = _KINDS.get(x.dtype.kind)
            if code is None:
                raise TypeError(f"function: arrays of numbers expected, got an array of dtype {x.dtype}")
            self.feeds.append(x)
            return x.shape, code
        if kind is float or isinstance(x, (np.generic, np.ndarray)) or (isinstance(x, Tensor) and x.known):
            return self._take(np.array(x))
        if kind in (list, tuple) or isinstance(x, (list, tuple)):
            return kind, *[self._take(v) for v in x]
        if isinstance(x, dict):
            return dict, tuple(x), *[self._take(v) for v in x.values()]
        if x is None or kind in (int, bool, str, bytes):
            return kind, x
        if not isinstance(x, Variable) and hasattr(x, "__array__") and hasattr(x, "shape"):  # frames, tensors of others
            return self._take(np.asarray(x))
        self.others.append(x)
        return "object", id(x)

    def symbolic(self, graph):
        """(args, kwargs) with an input of the graph in the place of every array."""
        args = [_placed(x, graph) for x in self.args]
        return args, {name: _placed(self.kwargs[name], graph) for name in sorted(self.kwargs)}


def _placed(x, graph):
    if isinstance(x, (float, np.generic, np.ndarray)) or (isinstance(x, Tensor) and x.known):
        array = np.asarray(x)
        kind = _KINDS[array.dtype.kind]
        return graph.add_input(array.shape, config.floatx() if kind == "float" else kind)
    if isinstance(x, (list, tuple)):
        values = [_placed(v, graph) for v in x]
        return type(x)(*values) if hasattr(x, "_fields") else tuple(values) if isinstance(x, tuple) else values
    if isinstance(x, dict):
        return {k: _placed(v, graph) for k, v in x.items()}
    if x is not None and not isinstance(x, (Variable, str, bytes)) and hasattr(x, "__array__") and hasattr(x, "shape"):
        return _placed(np.asarray(x), graph)
    return x


# ---- what has changed -----------------------------------------------------------------------------------------------------
def described(fn, leaves) -> dict:
    """{argument: its shape, or its value where it is no array}."""
    try:
        names = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        names = []
    named = {names[i] if i < len(names) else f"argument {i}": x for i, x in enumerate(leaves.args)}
    return dict(_described({**named, **leaves.kwargs}))


def describe_changes(calls) -> str:
    """Which argument of the described calls changes most, and from what to what."""
    seen: dict[str, dict] = {}
    for call in calls:
        for path, what in call.items():
            seen.setdefault(path, {})[what] = None
    path, values = max(seen.items(), key=lambda item: len(item[1]), default=("", {}))
    return f"{path} changes: {', '.join(values)}" if len(values) > 1 else "the structure of its arguments changes"


def _described(named, prefix=""):
    for name, x in named.items():
        path = f"{prefix}[{name!r}]" if prefix else name
        if isinstance(x, dict):
            yield from _described(x, path)
        elif isinstance(x, (list, tuple)):
            yield from _described(dict(enumerate(x)), path)
        elif hasattr(x, "shape"):
            yield path, f"shape {tuple(x.shape)}"
        elif not isinstance(x, float):
            yield path, f"{type(x).__name__} {x!r}"
