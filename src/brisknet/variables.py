"""Variables: the mutable state of models (weights, optimizer slots, metric totals, counters)."""

from __future__ import annotations

import itertools
import math

import numpy as np

__all__ = ["Variable"]

_ids = itertools.count()


class Variable:
    """A named array that programs read and update in place.

    value       array-like, or None with `shape` and `initializer`
    dtype       dtype name; floats default to config.floatx()
    trainable   whether gradients are taken with respect to it

    The array lives in `storage`, which is laid out as the native kernels want it: `layout` is "row" (C order) or
    "panel" (a [K, N] matrix kept as [ceil(N/16)][K][16], zero padded, so that no product packs it). `value` and
    `numpy()` always give the plain array.
    """

    def __init__(self, value=None, *, shape=None, dtype=None, trainable=True, name="variable", initializer=None):
        from brisknet import config

        if value is None:
            if initializer is None or shape is None:
                raise ValueError("Variable: give a value, or an initializer together with a shape")
            value = initializer(shape, dtype=dtype or config.floatx())
        value = np.asarray(value)
        if dtype is None:
            dtype = config.floatx() if value.dtype.kind == "f" else value.dtype.name
        self.name = self.path = name
        self.trainable = self.born_trainable = bool(trainable)
        self.regularizer = None
        self.constraint = None
        self.overwrite_with_gradient = False
        self._shape, self._dtype = tuple(value.shape), np.dtype(dtype).name
        self.id = next(_ids)
        self.layout = "row"
        self.storage = np.array(value, dtype=self._dtype, order="C", copy=True)
        # Changes whenever `storage` is another array, so that bound programs know to bind again.
        self.storage_version = 0
        self.native = False  # whether the storage is aligned and padded as kernels want it

    # ---- what it is ---------------------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def size(self) -> int:
        return int(np.prod(self._shape, dtype=np.int64))

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.numpy()}>"

    # ---- the value ----------------------------------------------------------------------------------------------
    def numpy(self) -> np.ndarray:
        """A copy of the value as a plain array."""
        return self.storage.copy() if self.layout == "row" else unpack_panels(self.storage, self._shape)

    @property
    def value(self) -> np.ndarray:
        """The value as a plain array: a view where the storage is plain, else a copy. While tracing, a tensor."""
        from brisknet.graph.trace import current_graph

        graph = current_graph()
        if graph is not None:
            return graph.read(self)
        return self.array()

    def array(self) -> np.ndarray:
        """The value as a plain array, whatever is being traced: a view where the storage is plain, else a copy."""
        return self.storage if self.layout == "row" else unpack_panels(self.storage, self._shape)

    def assign(self, value):
        """Set the value in place; while a step is traced, record the update. Returns the new value.

        ValueError where the shape differs from the variable's.
        """
        from brisknet.graph.ir import Tensor
        from brisknet.graph.trace import as_tensor, current_graph

        graph = current_graph()
        if graph is not None:
            from brisknet.ops.dispatch import cast
            from brisknet.ops.shape import broadcast_to

            tensor = broadcast_to(cast(as_tensor(value, graph), self.dtype), self._shape)
            graph.updates[self] = tensor
            return tensor
        if isinstance(value, Tensor):
            raise RuntimeError(f"variable {self.path!r} was given a symbolic tensor outside the step that it belongs to")
        value = np.asarray(value.numpy() if isinstance(value, Variable) else value)
        if value.shape != self._shape:
            raise ValueError(f"variable {self.path!r} has shape {self._shape}, got a value of shape {value.shape}")
        self.store(value)
        return self.array()

    def store(self, value: np.ndarray) -> None:
        """Write an array of the variable's shape into the storage, whatever is being traced."""
        if self.layout == "row":
            self.storage[...] = value
        else:
            pack_panels(value.astype(self._dtype, copy=False), self.storage)

    def assign_add(self, value):
        """assign(self + value)."""
        return self.assign(self.value + value)

    def assign_sub(self, value):
        """assign(self - value)."""
        return self.assign(self.value - value)

    def set_storage(self, storage: np.ndarray, layout: str) -> None:
        """Move the value into another array and layout (called when programs are bound)."""
        value = self.array()
        if layout == "row":
            storage[...] = value
        else:
            pack_panels(value, storage)
        self.storage, self.layout, self.native = storage, layout, True
        self.storage_version += 1

    # ---- Python protocols ---------------------------------------------------------------------------------------
    def __array__(self, dtype=None, copy=None):
        value = self.numpy()
        return value if dtype is None else value.astype(dtype)

    def __float__(self):
        return float(self.array())

    def __int__(self):
        return int(self.array())

    def __getstate__(self):
        state = {k: v for k, v in self.__dict__.items() if k not in ("storage", "layout", "storage_version", "native", "id")}
        state["storage"] = self.numpy()
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, layout="row", storage_version=0, native=False, id=next(_ids))

    def __deepcopy__(self, memo):
        import copy

        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__setstate__({k: v if k == "storage" else copy.deepcopy(v, memo) for k, v in self.__getstate__().items()})
        return new


# ---- panels: [K, N] <-> [ceil(N/16)][K][16] ---------------------------------------------------------------------------
PANEL = 16


def panel_shape(shape) -> tuple[int, int, int]:
    """Shape of the panel storage of a [K, N] matrix, or of an array [..., N] seen as one."""
    k, n = math.prod(shape[:-1]), shape[-1]
    return (-(-n // PANEL), k, PANEL)


def pack_panels(value: np.ndarray, out: np.ndarray) -> None:
    """Write an array [..., N] into its panels, pad columns zero."""
    panels, k, n = out.shape[0], out.shape[1], value.shape[-1]
    padded = np.zeros((k, panels * PANEL), value.dtype)
    padded[:, :n] = value.reshape(k, n)
    out[...] = padded.reshape(k, panels, PANEL).transpose(1, 0, 2)


def unpack_panels(storage: np.ndarray, shape) -> np.ndarray:
    """The array [..., N] of a panel storage."""
    return np.ascontiguousarray(storage.transpose(1, 0, 2).reshape(storage.shape[1], -1)[:, : shape[-1]]).reshape(shape)


def _operators() -> None:
    """Give Variable the arithmetic of what it holds: the array outside tracing, a tensor inside."""

    def binary(name):
        def method(self, other):
            other = other.value if isinstance(other, Variable) else other
            return getattr(self.value, name)(other)

        return method

    for op in ("add", "sub", "mul", "truediv", "pow", "matmul"):
        for name in (f"__{op}__", f"__r{op}__"):
            setattr(Variable, name, binary(name))
    for name in ("__lt__", "__le__", "__gt__", "__ge__"):
        setattr(Variable, name, binary(name))
    for name in ("__neg__", "__abs__"):
        setattr(Variable, name, lambda self, name=name: getattr(self.value, name)())
    Variable.__getitem__ = lambda self, key: self.value[key]


_operators()
