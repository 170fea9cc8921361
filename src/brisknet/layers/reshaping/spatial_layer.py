"""SpatialLayer: the base of layers that change the sizes of spatial axes and nothing else."""

from __future__ import annotations

from brisknet.layers.layer import Layer
from brisknet.ops.dispatch import float_array
from brisknet.ops.spatial_arguments import data_format_name, int_tuple

__all__ = ["SpatialLayer", "axis_pairs"]


def axis_pairs(value, rank: int, name: str) -> tuple:
    """(before, after) for each spatial axis, from one int, one int an axis, or pairs; ValueError for anything else.

    For one axis: an int, or a pair.
    """
    if rank == 1:
        return (int_tuple(value, 2, name, allow_zero=True),)
    if isinstance(value, (tuple, list)) and len(value) == rank:
        return tuple(int_tuple(v, 2, f"{name}[{i}]", allow_zero=True) for i, v in enumerate(value))
    return (int_tuple(value, 2, f"{name} (an integer, or {rank} integers or pairs)", allow_zero=True),) * rank


class SpatialLayer(Layer):
    """A layer over [batch, *spatial, channels], or [batch, channels, *spatial] with channels_first.

    Subclasses set `rank` and define _sizes(spatial) and call(inputs).
    """

    rank = 2

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, f"{type(self).__name__}: data_format")
        self.built = True

    def _sizes(self, spatial) -> tuple:
        """Output sizes for sizes of the spatial axes (None where open); ValueError where they can't be."""
        raise NotImplementedError(f"{type(self).__name__} must define _sizes(self, spatial)")

    def _label(self) -> str:
        return f"{type(self).__name__} {self.name!r}"

    def _axes(self) -> range:
        """The spatial axes of the inputs."""
        first = 1 if self.data_format == "channels_last" else 2
        return range(first, first + self.rank)

    def _floats(self, inputs):
        return float_array(inputs)

    def _check_input(self, shape):
        self.compute_output_shape(shape)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != self.rank + 2:
            raise ValueError(f"{self._label()}: input of rank {self.rank + 2} expected, got shape {tuple(input_shape)}")
        axes, out = self._axes(), list(input_shape)
        out[axes[0] : axes[-1] + 1] = self._sizes(tuple(input_shape[i] for i in axes))
        return tuple(out)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
