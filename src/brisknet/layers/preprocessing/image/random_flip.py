"""RandomFlip."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.preprocessing.image.base_image_layer import BaseImageLayer
from brisknet.ops.dispatch import apply

__all__ = ["RandomFlip"]

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(BaseImageLayer):
    """Flips half of the images, in training: each with probability 1/2.

    mode   "horizontal" (left and right), "vertical", or "horizontal_and_vertical" (an image is flipped in both or in none)
    """

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        if mode not in _MODES:
            raise ValueError(f"RandomFlip: mode must be one of {_MODES}, got {mode!r}")
        self.mode = mode

    def _images(self, x, training):
        if not training:
            return x
        slices = [(0, d, 1) for d in x.shape]
        for axis, name in ((1, "vertical"), (2, "horizontal")):
            if name in self.mode:
                slices[axis] = (x.shape[axis] - 1, None, -1)
        flip = ops.less_equal(self._uniform(x, 0.0, 1.0, (x.shape[0], 1, 1, 1)), 0.5)
        return ops.where(flip, apply("slice", (x,), slices=tuple(slices)), x)

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
