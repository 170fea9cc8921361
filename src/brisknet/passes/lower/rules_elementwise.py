"""Element-wise ops and reductions: one rule for each form of kernel."""

from __future__ import annotations

from brisknet.ops.activation import FROM_OUTPUT
from brisknet.passes.lower.builder import DTYPE_CODES, SIZES, padded_size, size_of
from brisknet.passes.lower.plan import Unsupported
from brisknet.passes.lower.rules_integer import INTEGER_KINDS, INTEGER_REDUCE, INTEGER_UNARY, is_whole

RULES: dict = {}

# Functions that work on an array as it lies. In panels, padding must stay zero; among lanes, what stands past the last image
# must stay finite, for a gradient of zero is multiplied with it.
ELSEWHERE = {
    "panel": {"neg", "abs", "sign", "square", "sqrt", "relu", "leaky_relu", "elu", "tanh", "sin", "floor", "ceil", "round",
              "erf", "expm1", "log1p"},
    "lanes": {"neg", "abs", "relu", "leaky_relu", "elu", "sigmoid", "tanh"},
}  # fmt: skip


def float32(*tensors) -> None:
    """Unsupported unless all tensors are float32."""
    for t in tensors:
        if t.dtype != "float32":
            raise Unsupported(f"op {t.node.op!r} on dtype {t.dtype}")


def unary(kernel: str, *parameters):
    """y = f(x); parameters are attributes, in the order of the kernel's floats."""

    def rule(b, node):
        x, y = node.inputs[0], node.outputs[0]
        if kernel in INTEGER_UNARY and x.dtype == "int32":
            limits = tuple(int(node.attrs[p]) for p in parameters)
            b.emit("integer_unary", (b.row(x), b.out(y)), (size_of(x.shape), INTEGER_UNARY.index(kernel), *limits), writes=(1,))
            return
        if kernel != "logical_not":
            float32(x)
        layout = b.layout(x) if kernel in ELSEWHERE.get(b.layout(x), ()) else "row"
        floats = tuple(node.attrs.get(p, 0.0) for p in parameters)
        b.emit(kernel, (b.as_layout(x, layout), b.out(y, layout)), (SIZES[layout](x.shape),), floats, writes=(1,))

    return rule


def pair(kernel: str, *parameters):
    """z = f(x, y) on one shape; on panels where both inputs were made so."""

    def rule(b, node):
        x, y, z = *node.inputs, node.outputs[0]
        float32(x, y)
        panel = kernel == "l1l2_grad" and "panel" in b.places[x] and "panel" in b.places[y]
        layout = "panel" if panel else "row"
        n = padded_size(z.shape) if panel else size_of(z.shape)
        floats = tuple(node.attrs[p] for p in parameters)
        refs = b.as_layout(x, layout), b.as_layout(y, layout)
        b.emit(kernel, (*refs, b.out(z, layout)), (n,), floats, writes=(2,))

    return rule


def _ema(b, node):
    # the old value is a variable's (a moving statistic), updated in place
    old, new, out = *node.inputs, node.outputs[0]
    float32(old, new)
    refs = b.row(old), b.row(new)
    b.emit("ema", (*refs, b.update_place(out)), (size_of(out.shape),), (node.attrs["momentum"],), writes=(2,))


RULES["ema"] = _ema


def activation_code(kind: str) -> int:
    """enum bk_act."""
    return FROM_OUTPUT.index(kind)


def _act_grad(b, node):
    dy, y, dx = *node.inputs, node.outputs[0]
    float32(dy, y)
    layout = "lanes" if "lanes" in (b.layout(dy), b.layout(y)) else "row"
    ints = (SIZES[layout](dx.shape), activation_code(node.attrs["kind"]))
    floats = (node.attrs.get("alpha", 0.0), node.attrs.get("scale", 1.0))
    refs = b.as_layout(dy, layout), b.as_layout(y, layout), b.out(dx, layout)
    b.emit("act_grad", refs, ints, floats, writes=(2,))


RULES["act_grad"] = _act_grad


# ---- broadcasting -------------------------------------------------------------------------------------------------------
def broadcast_strides(shape, out) -> list[int]:
    """Element strides of a C-ordered array of `shape`, seen with shape `out`."""
    strides, step = [], 1
    for d in reversed(shape):
        strides.append(0 if d == 1 else step)
        step *= d
    strides = strides[::-1]
    return [0] * (len(out) - len(shape)) + strides


def merged(dims, strides_list):
    """(dims, strides of each operand) with neighbouring dimensions joined wherever all operands allow it."""
    kept = [(d, [s[i] for s in strides_list]) for i, d in enumerate(dims) if d != 1]
    out: list = []
    for d, s in kept:
        if out and all(a == b * d for a, b in zip(out[-1][1], s, strict=True)):
            out[-1] = (out[-1][0] * d, s)
        else:
            out.append((d, s))
    return [d for d, _ in out], [[s[i] for _, s in out] for i in range(len(strides_list))]


def two_dimensional(out_shape, shapes):
    """(columns, [(row stride, column stride) of each operand]) as the kernels take them, or None."""
    dims, strides = merged(out_shape, [broadcast_strides(s, out_shape) for s in shapes])
    if len(dims) > 2:
        return None
    if not dims:
        return 1, [(0, 0)] * len(shapes)
    if any(s[-1] not in (0, 1) for s in strides):
        return None
    return dims[-1], [(s[0] if len(dims) == 2 else 0, s[-1]) for s in strides]


def broadcast(kernel: str, *parameters, first: int = 0):
    """A kernel of inputs that broadcast; inputs before `first` are conditions."""

    def rule(b, node):
        z = node.outputs[0]
        whole = is_whole(*node.inputs[first:])
        integer = whole and kernel in INTEGER_KINDS
        if not whole or not (integer or kernel in ("logical_and", "logical_or", "where")):
            float32(*node.inputs[first:])
        if not whole and _on_panels(b, node, kernel):
            return
        refs, shapes = [b.row(t) for t in node.inputs], [t.shape for t in node.inputs]
        view = two_dimensional(z.shape, shapes)
        if view is None:  # three or more dimensions that alternate: spread the smaller operands first
            for i, (t, s) in enumerate(zip(node.inputs, shapes, strict=True)):
                if size_of(s) not in (1, size_of(z.shape)):
                    refs[i], shapes[i] = spread(b, refs[i], t.shape, z.shape), z.shape
            view = two_dimensional(z.shape, shapes)
        cols, strides = view
        ints = (size_of(z.shape), cols, *(s for pair in strides for s in pair))
        if integer:
            ints = (*ints, INTEGER_KINDS.index(kernel))
        b.emit("integer_binary" if integer else kernel, (*refs, b.out(z)), ints, writes=(len(refs),))

    return rule


def spread(b, ref, shape, out_shape):
    """The array at ref, repeated to out_shape."""
    from brisknet.passes.lower.rules_move import copy_strided

    target = b.new(4 * size_of(out_shape))
    copy_strided(b, ref, target, out_shape, broadcast_strides(shape, out_shape), broadcast_strides(out_shape, out_shape))
    return target


def _on_panels(b, node, kernel) -> bool:
    """Sums of two matrices in panels, and products with anything of one element, stay in panels."""
    x, y = node.inputs[:2]
    z = node.outputs[0]
    both = all(b.layout(t) == "panel" for t in (x, y)) and x.shape == y.shape
    scaled = kernel in ("multiply", "divide") and b.layout(x) == "panel" and y.shape == ()
    if not (both and kernel in ("add", "subtract", "multiply") or scaled):
        return False
    n = padded_size(z.shape)
    strides = (0, 1, 0, 1) if both else (0, 1, 0, 0)
    refs = (b.panel(x), b.panel(y) if both else b.row(y))
    b.emit(kernel, (*refs, b.out(z, "panel")), (n, n, *strides), writes=(2,))
    return True


RULES["where"] = broadcast("where", first=1)
for _bits in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"):  # integers only
    RULES[_bits] = broadcast(_bits)


def _cast(b, node):
    x, y = node.inputs[0], node.outputs[0]
    for t in (x, y):
        if t.dtype not in DTYPE_CODES:
            raise Unsupported(f"a cast to or from dtype {t.dtype}")
    ints = (size_of(x.shape), DTYPE_CODES[x.dtype], DTYPE_CODES[y.dtype])
    b.emit("cast", (b.row(x), b.out(y)), ints, writes=(1,))


RULES["cast"] = _cast


# ---- reductions ---------------------------------------------------------------------------------------------------------
def reduction(kernel: str, *parameters):
    def rule(b, node):
        x, y = node.inputs[0], node.outputs[0]
        integer = kernel in INTEGER_REDUCE and x.dtype == "int32"
        if not integer:
            float32(x)
        axes, shape, ref = node.attrs["axes"], x.shape, b.row(x)
        if axes and axes != tuple(range(axes[0], axes[-1] + 1)):  # scattered axes: bring them to the end
            from brisknet.passes.lower.rules_move import transposed

            order = [i for i in range(len(shape)) if i not in axes] + list(axes)
            ref, shape = transposed(b, ref, shape, order)
            axes = tuple(range(len(shape) - len(axes), len(shape)))
        first, last = (axes[0], axes[-1] + 1) if axes else (len(shape), len(shape))
        outer, reduced, inner = size_of(shape[:first]), size_of(shape[first:last]), size_of(shape[last:])
        if integer:
            b.emit("integer_reduce", (ref, b.out(y)), (outer, reduced, inner, INTEGER_REDUCE.index(kernel)), writes=(1,))
            return
        factor = 1.0 / max(reduced, 1) if kernel == "reduce_mean" else 1.0
        b.emit(kernel, (ref, b.out(y)), (outer, reduced, inner), (factor,), writes=(1,))

    return rule
