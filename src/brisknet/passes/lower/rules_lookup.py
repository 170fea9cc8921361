"""Categories: digitize, index_of, count_tokens (kernels/lookup.h)."""

from __future__ import annotations

from brisknet.passes.lower.builder import size_of
from brisknet.passes.lower.plan import Unsupported
from brisknet.passes.lower.rules_elementwise import float32

RULES: dict = {}


def _digitize(b, node):
    x, bins, y = *node.inputs, node.outputs[0]
    float32(x, bins)
    b.emit("digitize", (b.row(x), b.row(bins), b.out(y)), (size_of(x.shape), bins.shape[0]), writes=(2,))


def _index_of(b, node):
    x, keys, values, y = *node.inputs, node.outputs[0]
    for t in node.inputs:
        if t.dtype != "int32":
            raise Unsupported(f"op 'index_of' on dtype {t.dtype}")
    ints = (size_of(x.shape), keys.shape[0], node.attrs["oov"], node.attrs["start"])
    b.emit("index_of", (b.row(x), b.row(keys), b.row(values), b.out(y)), ints, writes=(3,))


def _count_tokens(b, node):
    x, y = node.inputs[0], node.outputs[0]
    float32(y)
    ints = (*x.shape, node.attrs["depth"], int(node.attrs["binary"]))
    b.emit("count_tokens", (b.row(x), b.out(y)), ints, writes=(1,))


RULES.update({"digitize": _digitize, "index_of": _index_of, "count_tokens": _count_tokens})
