"""Attention, the cache of keys and values, embeddings, and the next token."""

from __future__ import annotations

from brisknet.ops.attention import threshold
from brisknet.passes.lower.builder import size_of
from brisknet.passes.lower.plan import Unsupported
from brisknet.passes.lower.rules_elementwise import float32
from brisknet.passes.lower.rules_move import row_strides

RULES: dict = {}


# ---- attention ----------------------------------------------------------------------------------------------------------
def _numbers(node, mask, rowwise=False):
    """Ints and floats of both kernels: sizes, bits, the strides of the mask, 0 where it is shared, key and threshold of dropout."""
    (b, t, h, d), (_, s, g, _), (*_, e) = (x.shape for x in node.inputs[:3])
    strides = (0, 0, 0, 0)
    if mask is not None:
        strides = (0 if n == 1 else stride for n, stride in zip(mask.shape, row_strides(mask.shape), strict=True))
    bits = int(node.attrs["causal"]) + 2 * int(node.attrs["zeros"]) + 4 * int(rowwise)
    rate = node.attrs["rate"]
    ints = (b, t, h, d, s, g, e, bits, *strides, node.attrs["key"], threshold(rate))
    return ints, (node.attrs["scale"], 1 / (1 - rate))


def _attention(b, node):
    q, k, v, *rest = node.inputs
    float32(q, k, v)
    mask = rest.pop(0) if node.attrs["masked"] else None
    offset = rest.pop(0) if node.attrs["offset"] else None
    if offset is not None and offset.dtype != "int32":
        raise Unsupported(f"attention with an offset of dtype {offset.dtype}")
    refs = (b.row(q), b.row(k), b.row(v), *(None if x is None else b.row(x) for x in (mask, offset)))
    outs = [b.out(t) for t in node.outputs]
    numbers = _numbers(node, mask, offset is not None and offset.shape != ())
    b.emit("attention", (*refs, *outs, b.row(rest[0]) if rest else None), *numbers, writes=(5, 6))


def _attention_grad(b, node):
    q, k, v, *rest = node.inputs
    mask = rest.pop(0) if node.attrs["masked"] else None
    step = rest.pop(0) if node.attrs["rate"] else None
    float32(q, k, v, *rest)
    refs = (b.row(q), b.row(k), b.row(v), None if mask is None else b.row(mask), *(b.row(t) for t in rest))
    outs = [b.out(t) for t in node.outputs]
    b.emit("attention_grad", (*refs, *outs, None if step is None else b.row(step)), *_numbers(node, mask), writes=(7, 8, 9))


def _cache_store(b, node):
    cache, new, position = node.inputs
    y = node.outputs[0]
    float32(cache, new)
    if position.dtype != "int32":
        raise Unsupported(f"cache_store at a position of dtype {position.dtype}")
    source, added, at = b.row(cache), b.row(new), b.row(position)
    target = b.update_place(y)
    if target != source:
        b.emit("copy_bytes", (source, target), (4 * size_of(cache.shape),), writes=(1,))
    ints = (cache.shape[0], new.shape[1], cache.shape[1], size_of(cache.shape[2:]), int(position.shape != ()))
    b.emit("cache_store", (added, at, target), ints, writes=(2,))


RULES.update({"attention": _attention, "attention_grad": _attention_grad, "cache_store": _cache_store})


# ---- embeddings ---------------------------------------------------------------------------------------------------------
def _embedding(b, node):
    table, ids = node.inputs
    float32(table)
    ints = (size_of(ids.shape), *table.shape)
    b.emit("embedding", (b.row(table), b.row(ids), b.out(node.outputs[0])), ints, writes=(2,))


def _embedding_grad(b, node):
    ids, dy = node.inputs
    float32(dy)
    if ids.dtype != "int32":
        raise Unsupported(f"embedding_grad of ids of dtype {ids.dtype}")
    ints = (size_of(ids.shape), *node.outputs[0].shape)
    b.emit("embedding_grad", (b.row(ids), b.row(dy), b.out(node.outputs[0])), ints, writes=(2,))


RULES.update({"embedding": _embedding, "embedding_grad": _embedding_grad})


# ---- the next token -----------------------------------------------------------------------------------------------------
def _sample_tokens(b, node):
    logits, forced, settings, step = node.inputs
    float32(logits, settings)
    if forced.dtype != "int32" or step.dtype != "int64":
        raise Unsupported(f"sample_tokens with forced tokens of dtype {forced.dtype} and a step of dtype {step.dtype}")
    refs = [b.row(t) for t in node.inputs]
    b.emit("sample_tokens", (*refs, b.out(node.outputs[0])), (*logits.shape, node.attrs["key"]), writes=(4,))


RULES["sample_tokens"] = _sample_tokens
