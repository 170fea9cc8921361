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
    return 0, (a["rho"], a["epsilon"])


def _penalty_of(b, grad, param):
    """(gradient without the penalty, l1, l2): the kernel adds a penalty's gradient itself where nothing else needs it."""
    node = grad.node
    if node.op == "l1l2_grad" and node in b.folded_penalties and node.inputs[0] is param:
        return node.inputs[1], node.attrs["l1"], node.attrs["l2"]
    return grad, 0.0, 0.0


def _rule(kind: str):
    def rule(b, node):
        lr, iterations, scale, params, grads, slots = optim.split_inputs(node.inputs, node.attrs, kind)
        float32(lr, *params, *grads)
        n = len(params)
        segments = []
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            g, l1, l2 = _penalty_of(b, g, p)
            outs = node.outputs[i], *(node.outputs[n * (j + 1) + i] for j in range(len(slots)))
            variables = [t.node.attrs["variable"] for t in (p, *(group[i] for group in slots))]
            v, layout = variables[0], b.plan.layouts[variables[0]]
            if any(u not in b.graph.updates for u in variables):
                raise Unsupported(f"{kind}_update of variables that keep their values")
            grad = b.as_layout(g, layout)
            places = [b.update_place(t, u) for t, u in zip(outs, variables, strict=True)]
            count = padded_size(v.shape) if layout == "panel" else size_of(v.shape)
            granule = 16 * v.shape[0] if layout == "panel" else 16
            segments.append(Segment(places[0], grad, tuple(places[1:]), count, granule, node.attrs["decay"][i], l1, l2))
        units = sum(-(-s.n // BLOCK) for s in segments)
        variant, floats = _hyperparameters(kind, node.attrs)
        floats = (*floats, *[0.0] * (7 - len(floats)), node.attrs.get("clipvalue") or 0.0)
        refs = Ref(Table(segments)), b.row(lr), b.row(iterations), b.row(scale) if scale is not None else None
        b.emit(f"{kind}_update", refs, (n, units, variant), floats, writes=(0,))

    return rule


for _kind in optim.RULES:
    RULES[f"{_kind}_update"] = _rule(_kind)


def prepare(b, nodes) -> None:
    """Before lowering: penalties that only an update reads are left to it; parameters, each kind of slot and gradients get
    memory side by side in the same order, so that runs of them can be one segment; slots take their parameter's layout."""
    readers: dict = {}
    for node in nodes:
        for t in node.inputs:
            readers.setdefault(t, []).append(node)
    for node in nodes:
        if not node.op.endswith("_update"):
            continue
        kind = node.op.removesuffix("_update")
        _, _, _, params, grads, slots = optim.split_inputs(node.inputs, node.attrs, kind)
        if any(t.node.op != "variable" for group in (params, *slots) for t in group):
            raise Unsupported(f"{node.op} of something that is not a variable")
        for p in params:
            b.variable(p.node.attrs["variable"])
        layouts = [b.plan.layouts[p.node.attrs["variable"]] for p in params]
        for group in slots:
            for t, layout in zip(group, layouts, strict=True):
                b.variable(t.node.attrs["variable"], layout)
        for p, g in zip(params, grads, strict=True):
            alone = readers[g] == [node] and g not in b.graph.outputs
            if g.node.op == "l1l2_grad" and alone and g.node.inputs[0] is p:
                b.folded_penalties.add(g.node)
        _reserve(b, params, grads, layouts)


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
