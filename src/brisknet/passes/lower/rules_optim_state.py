"""What goes with an optimizer's update: schedules, counts, gradients summed over steps, averages of weights."""

from __future__ import annotations

import numpy as np

from brisknet.ops.optim_state import SCHEDULES
from brisknet.passes.lower.builder import padded_size, size_of
from brisknet.passes.lower.plan import BLOCK, Ref, Segment, Table, Unsupported
from brisknet.passes.lower.rules_elementwise import float32
from brisknet.variables import Variable

RULES: dict = {}


def _scheduled_rate(b, node):
    out, parameters = node.outputs[0], np.array(node.attrs["parameters"], np.float64)
    float32(out)
    step = node.inputs[0]
    if step.dtype not in ("int64", "float32"):
        raise Unsupported(f"a schedule's step of dtype {step.dtype}")
    ints = (list(SCHEDULES).index(node.attrs["kind"]), len(parameters), int(step.dtype == "float32"))
    b.emit("scheduled_rate", (b.row(step), b.out(out), b.constant(parameters)), ints, writes=(1,))


def _count(kernel):
    def rule(b, node):
        b.emit(kernel, (b.row(node.inputs[0]), b.out(node.outputs[0])), (node.attrs["every"],), writes=(1,))

    return rule


def _nadam_product(b, node):
    product, iterations = node.inputs
    float32(product)
    refs = b.row(product), b.row(iterations), b.update_place(node.outputs[0])
    b.emit("nadam_product", refs, (node.attrs["every"],), (1 - node.attrs["beta_1"],), writes=(2,))


RULES.update({
    "scheduled_rate": _scheduled_rate, "step_number": _count("step_number"), "step_due": _count("step_due"),
    "nadam_product": _nadam_product,
})  # fmt: skip


# ---- passes over all parameters -----------------------------------------------------------------------------------------
def _state_place(b, old, new, layout) -> Ref:
    """Where the new value of a state goes, the old one copied there first if it is another place."""
    before = b.as_layout(old, layout)
    v = b.finals.get(new)
    if v is not None and before.base is v:
        return b.update_place(new)
    return _copied(b, before, new, layout)


def _copied(b, before, new, layout) -> Ref:
    place = b.out(new, layout)
    nbytes = 4 * _count_of(new, layout)
    b.emit("copy_bytes", (before, place), (nbytes,), writes=(1,))
    return place


def _count_of(t, layout) -> int:
    return padded_size(t.shape) if layout == "panel" else size_of(t.shape)


def _emit(b, kernel, node, segments, ints, floats=()):
    units = sum(-(-s.n // BLOCK) for s in segments)
    refs = Ref(Table(segments)), b.row(node.inputs[0])
    b.emit(kernel, refs, (len(segments), units, node.attrs["every"], ints), floats, writes=(0,))


def _accumulate(b, node):
    n = node.attrs["n"]
    grads, sums = node.inputs[n + 1 : 2 * n + 1], node.inputs[2 * n + 1 :]
    segments = []
    for i, (g, s) in enumerate(zip(grads, sums, strict=True)):
        float32(g, s)
        layout = b.layout(s)
        grad, mean = b.as_layout(g, layout), b.out(node.outputs[i], layout)
        place = _state_place(b, s, node.outputs[n + i], layout)
        segments.append(Segment(place, grad, (mean,), _count_of(s, layout)))
    # Means are read where a step updates only, but for results that are looked at.
    seen = any(t in b.graph.outputs for t in node.outputs[:n])
    _emit(b, "accumulate", node, segments, int(seen))


def _average(b, node):
    n, overwrite = node.attrs["n"], node.attrs["overwrite"]
    segments = []
    for i, (p, a) in enumerate(zip(node.inputs[1 : n + 1], node.inputs[n + 1 :], strict=True)):
        float32(p, a)
        layout = b.layout(a)
        param = b.as_layout(p, layout)
        slots = ()
        if overwrite:
            new = node.outputs[n + i]
            if isinstance(param.base, Variable) and param.base in b.graph.updates and not b.read_later(p):
                b.alias(new, param, layout)
                slots = (param,)
            else:
                slots = (_copied(b, param, new, layout),)
        place = _state_place(b, a, node.outputs[i], layout)
        segments.append(Segment(place, param, slots, _count_of(a, layout)))
    momentum = node.attrs["momentum"]
    _emit(b, "average", node, segments, overwrite, (momentum, 1 - momentum))


RULES.update({"accumulate": _accumulate, "average": _average})
