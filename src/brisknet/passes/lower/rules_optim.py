"""The fused optimizer update: one instruction over all parameters, in place."""

from __future__ import annotations

from brisknet.ops import optim
from brisknet.passes.lower.builder import padded_size, size_of
from brisknet.passes.lower.plan import BLOCK, Ref, Segment, Table, Unsupported
from brisknet.passes.lower.rules_elementwise import float32

RULES: dict = {}


def _hyperparameters(kind: str, a: dict):
    """(variant, floats) of the kernel."""
    if kind == "sgd":
        return (2 if a.get("nesterov") else 1) if a.get("momentum") else 0, (a.get("momentum", 0.0),)
    if kind == "rmsprop":
        variant = bool(a.get("momentum")) + 2 * bool(a.get("centered"))
        return variant, (a["rho"], a["epsilon"], a.get("momentum", 0.0))
    if kind == "adam":
        return int(bool(a.get("amsgrad"))), (1 - a["beta_1"], 1 - a["beta_2"], a["epsilon"])
    if kind == "adagrad":
        return 0, (a["epsilon"],)
    if kind == "adamax":
        return 0, (1 - a["beta_1"], a["beta_2"], a["epsilon"])
    if kind == "nadam":
        return 0, (1 - a["beta_1"], 1 - a["beta_2"], a["epsilon"])
    if kind == "lion":
        return 0, (a["beta_1"], 1 - a["beta_1"], a["beta_2"], 1 - a["beta_2"])
    if kind == "ftrl":
        power = -a["learning_rate_power"]
        strengths = (a[f"{n}_strength"] for n in ("l1_regularization", "l2_regularization", "l2_shrinkage_regularization"))
        return int(power != 0.5), (power, *strengths, a["beta"])
    return 0, (a["rho"], a["epsilon"])


def _penalty_of(b, grad, param):
    """(gradient without the penalty, l1, l2): the kernel adds a penalty's gradient itself where nothing else needs it."""
    node = grad.node
    if node.op == "l1l2_grad" and node in b.folded_penalties and node.inputs[0] is param:
        return node.inputs[1], node.attrs["l1"], node.attrs["l2"]
    return grad, 0.0, 0.0


def _segments(b, node, kind):
    """A segment for each parameter of a fused update; its outputs are in place from here on."""
    lr, _, _, params, grads, slots = optim.split_inputs(node.inputs, node.attrs, kind)
    float32(lr, *params, *grads)
    n = len(params)
    segments = []
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        g, l1, l2 = _penalty_of(b, g, p)
        outs = node.outputs[i], *(node.outputs[n * (j + 1) + i] for j in range(len(slots)))
        variables = _settled(b, node, i, (p, *(group[i] for group in slots)))
        v, layout = variables[0], b.plan.layouts[variables[0]]
        grad = b.as_layout(g, layout)
        places = [b.update_place(t, u) for t, u in zip(outs, variables, strict=True)]
        count = padded_size(v.shape) if layout == "panel" else size_of(v.shape)
        granule = 16 * size_of(v.shape[:-1]) if layout == "panel" else 16
        segments.append(Segment(places[0], grad, tuple(places[1:]), count, granule, node.attrs["decay"][i], l1, l2))
    return segments


def _settled(b, node, i, tensors):
    """The variables of parameter i and of its slots, whose memory holds these tensors from here on."""
    variables = node.attrs["variables"][i :: node.attrs["n"]]
    if any(v not in b.graph.updates for v in variables):
        raise Unsupported(f"{node.op} of variables that keep their values")
    for t, v in zip(tensors, variables, strict=True):
        b.settle(t, v)
    return variables


def _scalars(b, node, kind):
    """Operands of rate, iterations and gradient scale."""
    lr, iterations, scale, *_ = optim.split_inputs(node.inputs, node.attrs, kind)
    return b.row(lr), b.row(iterations), b.row(scale) if scale is not None else None


def _rule(kind: str):
    def rule(b, node):
        segments = _segments(b, node, kind)
        units = sum(-(-s.n // BLOCK) for s in segments)
        variant, floats = _hyperparameters(kind, node.attrs)
        floats = (*floats, *[0.0] * (7 - len(floats)), node.attrs.get("clipvalue") or 0.0)
        product = optim.product_of(node.inputs, kind)
        refs = Ref(Table(segments)), *_scalars(b, node, kind), b.row(product) if product is not None else None
        b.emit(f"{kind}_update", refs, (len(segments), units, variant, node.attrs.get("every", 1)), floats, writes=(0,))

    return rule


for _kind in optim.RULES:
    RULES[f"{_kind}_update"] = _rule(_kind)


def _lamb(b, node):
    """Moments and norms, then the step: segments are whole parameters."""
    segments, a = _segments(b, node, "lamb"), node.attrs
    units = sum(-(-s.n // BLOCK) for s in segments)
    refs = Ref(Table(segments)), *_scalars(b, node, "lamb"), b.new(16 * units)
    floats = (1 - a["beta_1"], 1 - a["beta_2"], a["epsilon"], 0.0, 0.0, 0.0, 0.0, a.get("clipvalue") or 0.0)
    for kernel, writes in (("lamb_moments", (0, 4)), ("lamb_step", (0,))):
        b.emit(kernel, refs, (len(segments), units, 0, a.get("every", 1)), floats, writes=writes)


RULES["lamb_update"] = _lamb


# ---- Adafactor: its parameters one by one -------------------------------------------------------------------------------
def _factored_shape(shape, layout):
    """The ints of the kernels: B, K, N, columns of a panel, rows of a unit; and panels."""
    if len(shape) < 2:
        count, rows, columns = 1, 1, size_of(shape)
    else:
        count, (rows, columns) = size_of(shape[:-2]), shape[-2:]
    width = 16 if layout == "panel" else max(columns, 1)
    return (count, rows, columns, width, max(8192 // width, -(-rows // 16), 1)), -(-columns // width)


def _adafactor(b, node):
    _, _, _, params, grads, slots = optim.split_inputs(node.inputs, node.attrs, "adafactor")
    rate, iterations, scale = _scalars(b, node, "adafactor")
    n, a = len(params), node.attrs
    clip = a.get("clipvalue") or 0.0
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        float32(p, g)
        variables = _settled(b, node, i, (p, slots[0][i], slots[1][i], slots[2][i]))
        layout = b.plan.layouts[variables[0]]
        (count, rows, columns, width, step), panels = _factored_shape(p.shape, layout)
        chunks = -(-rows // step)
        units = count * panels * chunks
        ints = (count, rows, columns, width, step, a.get("every", 1), int(len(p.shape) < 2))
        grad = b.as_layout(g, layout)
        param, means, marginals, velocity = (
            b.update_place(node.outputs[n * j + i], v) for j, v in enumerate(variables)
        )  # fmt: skip
        row_sums, column_sums = b.new(4 * panels * count * rows), b.new(4 * chunks * panels * count * width)
        factors, sizes, lengths = b.new(4 * count * rows), b.new(8 * units), b.new(8 * units)
        tail, decay = (0.0,) * 5 + (clip,), a["decay"][i]
        b.emit("factored_sums", (param, grad, rate, scale, iterations, row_sums, column_sums, sizes), ints,
               (decay, 0.0, *tail), writes=(5, 6, 7))  # fmt: skip
        second = (a["epsilon_1"], a["beta_2_decay"])
        b.emit("factored_means", (means, marginals, factors, None, iterations, row_sums, column_sums), ints, second,
               writes=(0, 1, 2))  # fmt: skip
        b.emit("factored_lengths", (velocity, grad, marginals, scale, iterations, factors, lengths), ints,
               (*second, *tail), writes=(0, 6))  # fmt: skip
        b.emit("factored_step", (velocity, grad, marginals, scale, iterations, factors, lengths, sizes, param, rate), ints,
               (decay, a["epsilon_2"], a["clip_threshold"], *tail[1:]), writes=(0, 8))  # fmt: skip


RULES["adafactor_update"] = _adafactor


def prepare(b, nodes) -> None:
    """Before lowering: penalties that only an update reads are left to it; parameters, each kind of slot and gradients get
    memory side by side in the same order, so that runs of them can be one segment; slots take their parameter's layout."""
    readers: dict = {}
    for node in nodes:
        for t in node.inputs:
            readers.setdefault(t, []).append(node)
    for node in nodes:
        if node.op in ("accumulate", "average"):
            _prepare_state(b, node)
        if not node.op.endswith("_update"):
            continue
        kind = node.op.removesuffix("_update")
        _, _, _, params, grads, _ = optim.split_inputs(node.inputs, node.attrs, kind)
        if "variables" not in node.attrs:
            raise Unsupported(f"{node.op} of something that is not a variable")
        n = node.attrs["n"]
        variables, slots = node.attrs["variables"][:n], node.attrs["variables"][n:]
        for v in variables:
            b.variable(v)
        layouts = [b.plan.layouts[v] for v in variables]
        for i, slot in enumerate(slots):
            b.variable(slot, layouts[i % n] if slot.shape == variables[i % n].shape else "row")
        for p, g in zip(params, grads, strict=True):
            alone = readers[g] == [node] and g not in b.graph.outputs
            if kind != "adafactor" and g.node.op == "l1l2_grad" and alone and g.node.inputs[0] is p:
                b.folded_penalties.add(g.node)
        _reserve(b, params, grads, layouts)


def _variable_of(t):
    """The variable whose value t is: as it was read, or as a fused update has left it; None for anything else."""
    if t.node.op.endswith("_update"):
        return t.node.attrs["variables"][t.index]
    return t.node.attrs["variable"] if t.node.op == "variable" else None


def _prepare_state(b, node) -> None:
    """Sums of gradients and averages of weights lie as their parameters do."""
    n = node.attrs["n"]
    for p, state in zip(node.inputs[1 : n + 1], node.inputs[-n:], strict=True):
        v = _variable_of(p)
        if v is not None and state.node.op == "variable":
            b.variable(v)
            b.variable(state.node.attrs["variable"], b.plan.layouts[v])


def _reserve(b, params, grads, layouts) -> None:
    """One buffer for the gradients that dense layers make, in the order of the parameters."""
    offset, found = 0, []
    for p, g, layout in zip(params, grads, layouts, strict=True):
        g = g.node.inputs[1] if g.node in b.folded_penalties else g
        if g.node.op == "dense_wgrad" and (g, layout) not in b.reserved:
            found.append((g, layout, offset))
            count = padded_size(p.shape) if layout == "panel" else size_of(p.shape)
            offset += -(-count // 16) * 64
    if found:
        bank = b.new(offset)
        for g, layout, at in found:
            b.reserved[g, layout] = Ref(bank.base, at)
