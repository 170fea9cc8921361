"""Dense layers and matrix products. Weights and their gradients live in panels, [ceil(N/16)][K][16]."""

from __future__ import annotations

from brisknet.passes.lower.builder import padded_size, size_of
from brisknet.passes.lower.plan import STRIP
from brisknet.passes.lower.rules_elementwise import activation_code, float32
from brisknet.variables import PANEL

RULES: dict = {}


def transposed(b, ref, k, n):
    """Weights [k,n], n > 1, turned round: panels of k columns and n rows, rounded up to whole panels."""
    turned = b.new(4 * padded_size((-(-n // PANEL) * PANEL, k)))
    b.emit("transpose_panels", (ref, turned), (k, n), writes=(1,))
    return turned


def input_gradient(b, dz, w, y, dx, m, k, n, act, floats):
    """dense_dgrad; where it takes many strips of rows, the weights are turned round once for all of them."""
    turned = transposed(b, w, k, n) if m >= 4 * STRIP and n > 1 else None
    b.emit("dense_dgrad", (dz, w, y, dx, turned), (m, k, n, act), floats, writes=(3,))


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
    input_gradient(b, *refs, b.out(node.outputs[0]), m, k, n, act, floats)


def _dense_wgrad(b, node):
    if node in b.wgrad_done:  # computed with the one before
        return
    both = [node]
    if node in b.wgrad_pairs:
        both = sorted((node, b.wgrad_pairs[node]), key=lambda n: not n.attrs["bias"])
    x, dz = both[0].inputs
    float32(x, dz)
    (m, k), n = x.shape, dz.shape[1]
    refs = [b.row(x), b.row(dz), b.out(both[0].outputs[0], "row" if n == 1 else "panel")]
    refs.append(b.out(both[0].outputs[1]) if both[0].attrs["bias"] else None)
    k2 = 0
    for other in both[1:]:
        float32(other.inputs[0])
        k2 = other.inputs[0].shape[1]
        refs += b.row(other.inputs[0]), b.out(other.outputs[0], "panel")
    b.emit("dense_wgrad", refs, (m, k, n, k2), writes=(2, 3, 5)[: len(refs) // 2])


def _unshaped(t):
    while t.node is not None and t.node.op == "reshape":
        t = t.node.inputs[0]
    return t


def prepare(b, nodes) -> None:
    """Before lowering: two gradients of one dz, as of the kernels of an LSTM, that read it in one go, panel by panel."""
    at = {node: i for i, node in enumerate(nodes)}
    waiting: dict = {}
    for node in nodes:
        if node.op != "dense_wgrad":
            continue
        x, dz = node.inputs
        if x.shape[1] > STRIP or dz.shape[1] < 16 * PANEL or dz.shape[0] < 4 * STRIP:
            continue
        first = waiting.pop(_unshaped(dz), None)
        if first is None:
            waiting[_unshaped(dz)] = node
        elif at.get(x.node, -1) < at[first] and not (first.attrs["bias"] and node.attrs["bias"]):
            b.wgrad_pairs[first] = node
            b.wgrad_done.add(node)


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
