"""InputSpec: what a layer says of the inputs that it takes."""

from __future__ import annotations

from brisknet.layers.keras_tensor import flatten

__all__ = ["InputSpec", "check_input_spec"]


class InputSpec:
    """Rank, sizes and dtype of one input, None where anything goes.

    dtype, shape, ndim    exactly so (None within shape: any size)
    max_ndim, min_ndim    the range of the rank
    axes                  {axis: size}
    allow_last_axis_squeeze   a last axis of 1 may be missing or too many
    name, optional        of the input
    """

    def __init__(
        self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None, allow_last_axis_squeeze=False,
        name=None, optional=False,
    ):  # fmt: skip
        self.dtype, self.shape = dtype, None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(self.shape)
        self.max_ndim, self.min_ndim, self.name, self.optional = max_ndim, min_ndim, name, optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(k): v for k, v in (axes or {}).items()}
        except (ValueError, TypeError, AttributeError):
            raise TypeError(f"InputSpec: axes must be a dict of axes and sizes, e.g. {{-1: 10}}, got {axes!r}") from None
        rank = self.ndim if self.ndim is not None else max_ndim
        if self.axes and rank is not None and max(self.axes) >= rank:
            raise ValueError(f"InputSpec: axis {max(self.axes)} is out of range for inputs of rank {rank}")

    def __repr__(self):
        parts = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return f"InputSpec({', '.join(f'{p}={getattr(self, p)}' for p in parts if getattr(self, p))})"

    def get_config(self) -> dict:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {n: getattr(self, n) for n in names}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def check(self, x, name: str) -> None:
        """ValueError, which names the layer, for a tensor that is none of these."""
        if x is None and self.optional:
            return
        if not hasattr(x, "shape"):
            raise ValueError(f"{name}: a tensor expected, got {x!r} of type {type(x).__name__}")
        shape, ndim = tuple(x.shape), len(x.shape)
        if self.ndim is not None and ndim != self.ndim and not self.allow_last_axis_squeeze:
            raise ValueError(f"{name}: input of rank {self.ndim} expected, got shape {shape}")
        if self.max_ndim is not None and ndim > self.max_ndim:
            raise ValueError(f"{name}: input of rank <= {self.max_ndim} expected, got shape {shape}")
        if self.min_ndim is not None and ndim < self.min_ndim:
            raise ValueError(f"{name}: input of rank >= {self.min_ndim} expected, got shape {shape}")
        if self.dtype is not None and str(x.dtype) != self.dtype:
            raise ValueError(f"{name}: input of dtype {self.dtype} expected, got {x.dtype}")
        for axis, size in self.axes.items():
            if not -ndim <= axis < ndim or (size is not None and shape[axis] not in (size, None)):
                raise ValueError(f"{name}: input of size {size} on axis {axis} expected, got shape {shape}")
        if self.shape is not None and not _fits(shape, self.shape, self.allow_last_axis_squeeze):
            raise ValueError(f"{name}: input of shape {self.shape} expected, got shape {shape}")


def _fits(shape, wanted, squeeze) -> bool:
    if squeeze:
        shape, wanted = (s[:-1] if s and s[-1] == 1 else s for s in (shape, wanted))
    return len(shape) == len(wanted) and all(None in (a, b) or a == b for a, b in zip(shape, wanted, strict=True))


def check_input_spec(spec, inputs, name: str) -> None:
    """ValueError, which names the layer, for inputs that do not fit its InputSpec or list of them."""
    specs, inputs = flatten(spec), flatten(inputs)
    if len(specs) != len(inputs):
        raise ValueError(f"{name}: {len(specs)} input(s) expected, got {len(inputs)}")
    for one, x in zip(specs, inputs, strict=True):
        if one is not None:
            one.check(x, name)
