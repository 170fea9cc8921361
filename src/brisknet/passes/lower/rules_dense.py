"""Dense layers and matrix products. Weights and their gradients live in panels, [ceil(N/16)][K][16]."""

from __future__ import annotations

from brisknet.passes.lower.builder import size_of
from brisknet.passes.lower.rules_elementwise import activation_code, float32

RULES: dict = {}


def _dense(b, node):
    x, w, *bias = node.inputs
    float32(*node.inputs)
    (m, k), n = x.shape, w.shape[1]
    refs = b.row(x), b.panel(w), b.row(bias[0]) if bias else None
    act = activation_code(node.attrs.get("activation", "linear"))
    b.emit("dense_forward", (*refs, b.out(node.outputs[0])), (m, k, n, act), (node.attrs.get("alpha", 0.0),), writes=(3,))


def _dense_dgrad(b, node):
    dz, w, *y = node.inputs
    float32(*node.inputs)
    (m, n), k = dz.shape, w.shape[0]
    refs = b.row(dz), b.panel(w), b.row(y[0]) if y else None
    act = activation_code(node.attrs.get("kind", "linear"))
    floats = (node.attrs.get("alpha", 0.0), node.attrs.get("scale", 1.0))
    b.emit("dense_dgrad", (*refs, b.out(node.outputs[0])), (m, k, n, act), floats, writes=(3,))


def _dense_wgrad(b, node):
    x, dz = node.inputs
    float32(x, dz)
    (m, k), n = x.shape, dz.shape[1]
    refs = b.row(x), b.row(dz)
    dw = b.out(node.outputs[0], "row" if n == 1 else "panel")
    db = b.out(node.outputs[1]) if node.attrs["bias"] else None
    b.emit("dense_wgrad", (*refs, dw, db), (m, k, n), writes=(2, 3))


def _matmul(b, node):
    x, y, z = *node.inputs, node.outputs[0]
    float32(x, y)
    ta, tb = int(node.attrs.get("transpose_a", False)), int(node.attrs.get("transpose_b", False))
    m, n = z.shape[-2:]
    k = x.shape[-2] if ta else x.shape[-1]
    strides = (m * k if len(x.shape) > 2 else 0, k * n if len(y.shape) > 2 else 0, m * n)  # 0: one matrix for all
    ints = (m, n, k, ta, tb, size_of(z.shape[:-2]), *strides)
    b.emit("matmul", (b.row(x), b.row(y), b.out(z)), ints, writes=(2,))


RULES.update({"dense": _dense, "dense_dgrad": _dense_dgrad, "dense_wgrad": _dense_wgrad, "matmul": _matmul})
