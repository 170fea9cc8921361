"""int32 arithmetic, taking at indices, running sums, the order of rows (kernels/integers.h, kernels/indexing.h)."""

from __future__ import annotations

from brisknet.ops.indexing import COLLECTED
from brisknet.passes.lower.builder import size_of
from brisknet.passes.lower.plan import Unsupported

RULES: dict = {}

# Names of ops in the order of the enum in kernels/integers.h.
INTEGER_KINDS = (
    "add", "subtract", "multiply", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "floor_divide", "mod", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift",
)  # fmt: skip
INTEGER_UNARY = ("neg", "abs", "sign", "square", "clip")
INTEGER_REDUCE = ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod")
WHOLE = ("int32", "bool")  # both are int32 inside a program


def is_whole(*tensors) -> bool:
    """Whether all tensors are int32 or bool."""
    return all(t.dtype in WHOLE for t in tensors)


def _word(*tensors) -> None:
    for t in tensors:
        if t.dtype not in ("float32", *WHOLE):
            raise Unsupported(f"op {t.node.op!r} on dtype {t.dtype}")


def _take(b, node):
    (x, index), y = node.inputs, node.outputs[0]
    _word(x)
    outer, n, inner = x.shape
    a = node.attrs
    ints = (outer, n, inner, y.shape[1], int(a["wrap"]), int(a["along"]), int(x.dtype != "float32"))
    b.emit("take", (b.row(x), b.row(index), b.out(y)), ints, writes=(2,))


def _collect(b, node):
    (g, index), y = node.inputs, node.outputs[0]
    _word(g)
    outer, m, inner = g.shape
    a = node.attrs
    ints = (outer, a["n"], inner, m, int(a["wrap"]), int(a["along"]), int(g.dtype != "float32"), COLLECTED.index(a["kind"]))
    b.emit("collect", (b.row(g), b.row(index), b.out(y)), ints, writes=(2,))


def _cumulate(b, node):
    x, y = node.inputs[0], node.outputs[0]
    _word(x)
    ints = (*x.shape, int(node.attrs["product"]), int(node.attrs["back"]), int(x.dtype != "float32"))
    b.emit("cumulate", (b.row(x), b.out(y)), ints, writes=(1,))


def _argsort(b, node):
    x, y = node.inputs[0], node.outputs[0]
    _word(x)
    n = x.shape[-1]
    ints = (size_of(x.shape) // max(n, 1), n, int(node.attrs["down"]), int(x.dtype != "float32"))
    b.emit("argsort", (b.row(x), b.out(y), b.new(4 * size_of(x.shape))), ints, writes=(1, 2))


RULES.update({"take": _take, "collect": _collect, "cumulate": _cumulate, "argsort": _argsort})
