"""Images: interpolation along an axis and affine transforms."""

from __future__ import annotations

import numpy as np

from brisknet.ops.image import FILL_MODES, band_table
from brisknet.passes.lower.builder import size_of
from brisknet.passes.lower.rules_elementwise import float32

RULES: dict = {}


def _resample(b, node):
    x, y = node.inputs[0], node.outputs[0]
    float32(x)
    axis = node.attrs["axis"]
    first, weights = band_table(*(node.attrs[k] for k in ("sizes", "method", "antialias", "transposed")))
    table = b.constant(np.concatenate([first[:, None], weights], axis=1).astype(np.float32))
    sizes = (size_of(x.shape[:axis]), x.shape[axis], size_of(x.shape[axis + 1 :]), y.shape[axis], weights.shape[1])
    b.emit("resample", (b.row(x), table, b.out(y)), sizes, writes=(2,))


def _affine(kernel: str, gradient: bool):
    def rule(b, node):
        (x, transforms), y = node.inputs, node.outputs[0]
        float32(x, transforms)
        image, out = (y.shape, x.shape) if gradient else (x.shape, y.shape)
        ints = (*image, *out[1:3], int(node.attrs["method"] == "bilinear"), FILL_MODES.index(node.attrs["fill_mode"]))
        fill = float(node.attrs.get("fill_value", 0.0))
        b.emit(kernel, (b.row(x), b.row(transforms), b.out(y)), ints, (fill,), writes=(2,))

    return rule


RULES.update({"resample": _resample, "affine": _affine("affine", False), "affine_grad": _affine("affine_grad", True)})
