"""Python inside a step, and values with a gradient of their own."""

from __future__ import annotations

from brisknet.passes.lower.builder import ITEM_BYTES
from brisknet.passes.lower.plan import Host, Ref, Unsupported

RULES: dict = {}
MOST = 8  # inputs and outputs together (BK_MAXP)


def _host_call(b, node):
    if len(node.inputs) + len(node.outputs) > MOST:
        raise Unsupported(f"a host call of more than {MOST} inputs and outputs")
    for t in (*node.inputs, *node.outputs):
        if ITEM_BYTES.get(t.dtype) != 4:
            raise Unsupported(f"a host call on dtype {t.dtype}")
    specs = [[(t.shape, t.dtype) for t in tensors] for tensors in (node.inputs, node.outputs)]
    inputs = [b.row(t) for t in node.inputs]
    outputs = [b.out(t) for t in node.outputs]
    first = 1 + len(inputs)
    call = Ref(Host(node.attrs["call"], *specs))
    b.emit("host_call", (call, *inputs, *outputs), (1,), writes=tuple(range(first, first + len(outputs))))


def _replace_gradient(b, node):
    for y, x in zip(node.outputs, node.inputs, strict=False):
        b.alias(y, b.row(x))


RULES.update({"host_call": _host_call, "replace_gradient": _replace_gradient})
