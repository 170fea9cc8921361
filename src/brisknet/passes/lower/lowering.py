"""The driver of lowering: leaves, the order of nodes, outputs and updates."""

from __future__ import annotations

from brisknet.graph.ir import LEAVES
from brisknet.ops.registry import all_ops, get_op
from brisknet.passes.lower import (
    rules_attention, rules_conv, rules_dense, rules_elementwise, rules_host, rules_image, rules_integer, rules_lookup,
    rules_loss, rules_metric, rules_move, rules_norm, rules_optim, rules_optim_state, rules_rnn,
)  # fmt: skip
from brisknet.passes.lower.builder import ITEM_BYTES, Builder, padded_size, size_of
from brisknet.passes.lower.plan import Plan, Ref, Unsupported
from brisknet.variables import Variable

__all__ = ["RULES", "lower"]

FORMS = {
    "unary": rules_elementwise.unary, "pair": rules_elementwise.pair, "broadcast": rules_elementwise.broadcast,
    "reduction": rules_elementwise.reduction, "rows": rules_move.rows,
}  # fmt: skip
RULES: dict = {n: FORMS[spec.form](n, *spec.parameters) for n, spec in all_ops().items() if spec.form}
for _family in (
    rules_elementwise, rules_host, rules_move, rules_attention, rules_dense, rules_image, rules_integer, rules_conv, rules_lookup,
    rules_loss, rules_metric, rules_norm, rules_optim, rules_optim_state, rules_rnn,
):  # fmt: skip
    RULES.update(_family.RULES)


def lower(graph) -> Plan:
    """Turn a verified graph into a plan. Unsupported where an op or a dtype has no kernel."""
    b = Builder(graph)
    nodes = _ordered(graph)
    _choose_layouts(b, nodes)
    rules_optim.prepare(b, nodes)
    rules_dense.prepare(b, nodes)
    b.set_readers(nodes)
    for b.position, node in enumerate(nodes):
        b.scope = node.scope
        if node in b.folded_penalties:
            continue
        if node.op not in RULES:
            raise Unsupported(f"op {node.op!r}")
        for t in node.inputs[_states(node) :]:
            if t.dtype == "float64" and t.shape:
                raise Unsupported(f"op {node.op!r} on float64 arrays")
        RULES[node.op](b, node)
    b.scope = ""
    _fetch_outputs(b)
    _finish_updates(b)
    return b.plan


def _states(node) -> int:
    """How many of its first inputs a node takes as float64 arrays."""
    return 0 if node.op in LEAVES else get_op(node.op).states


# ---- order --------------------------------------------------------------------------------------------------------------
def _ordered(graph) -> list:
    """Nodes in an order in which updates can happen in place: fused optimizer updates and what depends on them come after
    everything else, and counters last."""
    late, after_update = [], set()
    early, counters = [], []
    for node in graph.nodes:
        if node.op.endswith("_update") or any(t in after_update for t in node.inputs):
            late.append(node)
            after_update.update(node.outputs)
        elif node.op == "count_step" and not _is_read(graph, node.outputs[0]):
            counters.append(node)
        else:
            early.append(node)
    return early + late + counters


def _is_read(graph, t) -> bool:
    return t in graph.outputs or any(t in node.inputs for node in graph.nodes)


# Which input of these ops is weights in panels.
_WEIGHTS = {"dense": 1, "dense_dgrad": 1, "conv": 1, "conv_dgrad": 1, "lstm": 3, "gru": 2, "simple_rnn": 2}


def _choose_layouts(b: Builder, nodes) -> None:
    """Weights that dense kernels and convolutions use live in panels; so do their slots. Everything else is row-major, but
    what flows between convolutions of few channels: there images are the lanes."""
    b.in_lanes.update(rules_conv.in_lanes(nodes))
    for node in nodes:
        if node in b.in_lanes:
            continue
        if node.op not in _WEIGHTS or node.attrs.get("groups", 1) > 1:
            continue
        w = node.inputs[_WEIGHTS[node.op]]
        if w.node.op in ("variable", "assign") and w.shape[-1] > 1 and w.dtype == "float32":
            b.in_panels.add(w.node.attrs["variable"])


# ---- leaves -------------------------------------------------------------------------------------------------------------
def _input(b: Builder, node) -> None:
    t = node.outputs[0]
    if t.dtype not in ("float32", "int32", "bool"):
        raise Unsupported(f"an input of dtype {t.dtype}")
    rows = t.shape[0] if t.shape else 1
    cols = size_of(t.shape) // max(rows, 1)
    b.emit("gather", (b.out(t),), (rows, cols, node.attrs["position"], int(t.dtype != "float32")), writes=(0,))


def _constant(b: Builder, node) -> None:
    value = node.attrs["value"]
    if value.dtype.name not in ITEM_BYTES:
        raise Unsupported(f"a constant of dtype {value.dtype}")
    b.alias(node.outputs[0], b.constant(value))


def _variable(b: Builder, node) -> None:
    v = node.attrs["variable"]
    if v.dtype not in ITEM_BYTES or (v.dtype == "int64" and v.shape):
        raise Unsupported(f"variable {v.path} of dtype {v.dtype}")
    b.alias(node.outputs[0], b.variable(v), b.plan.layouts[v])


RULES.update({"input": _input, "constant": _constant, "variable": _variable})


# ---- results ------------------------------------------------------------------------------------------------------------
def _fetch_outputs(b: Builder) -> None:
    for i, t in enumerate(b.graph.outputs):
        if ITEM_BYTES[t.dtype] != 4:
            raise Unsupported(f"an output of dtype {t.dtype}")
        rows = t.shape[0] if t.shape else 1
        b.emit("fetch", (b.row(t),), (rows, size_of(t.shape) // max(rows, 1), i))
        b.plan.output_dtypes.append(t.dtype)


def _finish_updates(b: Builder) -> None:
    """Copy into variables what was not computed in place; through a copy where it is another variable that changes too."""
    todo = []
    for v, t in b.graph.updates.items():
        b.variable(v)  # one that nothing reads has no layout yet
        layout = b.plan.layouts[v]
        ref = b.as_layout(t, layout)
        if ref.base is v:
            continue
        n = (padded_size(v.shape) if layout == "panel" else size_of(v.shape)) * ITEM_BYTES[v.dtype]
        if isinstance(ref.base, Variable) and ref.base in b.graph.updates:
            kept = b.new(n)
            b.emit("copy_bytes", (ref, kept), (n,), writes=(1,))
            ref = kept
        todo.append((ref, v, n))
    for ref, v, n in todo:
        b.emit("copy_bytes", (ref, Ref(v)), (n,), writes=(1,))
