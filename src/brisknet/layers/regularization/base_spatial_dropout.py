"""BaseSpatialDropout: whole channels are dropped."""

from __future__ import annotations

from brisknet.layers.regularization.dropout import Dropout
from brisknet.ops.spatial_arguments import data_format_name

__all__ = ["BaseSpatialDropout"]


class BaseSpatialDropout(Dropout):
    """Dropout with one draw a channel and row of the batch, for inputs of `rank` spatial axes. Tompson et al. 2015."""

    rank = 2

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None, **kwargs):
        data_format = data_format_name(data_format, f"{type(self).__name__}: data_format")
        ones = (1,) * self.rank
        super().__init__(
            rate, (None, *ones, None) if data_format == "channels_last" else (None, None, *ones), seed, name=name,
            dtype=dtype, **kwargs,
        )  # fmt: skip
        self.data_format = data_format

    def _check_input(self, shape):
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: input of rank {self.rank + 2} expected, got shape {tuple(shape)}"
            )

    def get_config(self):
        return {**{k: v for k, v in super().get_config().items() if k != "noise_shape"}, "data_format": self.data_format}
