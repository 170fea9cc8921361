"""Scaled dot-product attention and its gradient, heads side by side in memory.

q [B,T,H,d], k [B,S,G,d], v [B,S,G,e] -> out [B,T,H,e] and the logarithms of the sums of exponentials, lse [B,T,H]. G divides H:
query head h reads the keys and values of head h // (H / G).

    scores[b,h,i,j] = scale sum over c of q[b,i,h,c] k[b,j,h,c]         MASKED where i may not see j
    p = softmax(scores over j);  out[b,i,h] = sum over j of p[b,h,i,j] v[b,j,h]

With causal=True, i sees j <= i, or j <= i + offset. A row that sees nothing has all its scores MASKED, so it is the mean of
all values, as in Keras' fused attention, or 0 with zeros=True, as in Keras' Softmax layer; its lse is log S. Dao et al. 2022
for the blocks and the recomputation of the native kernels.

With a rate, the probabilities are dropped as by ops.random.dropout before they meet the values: out = sum over j of keep p v,
where keep is 0 or 1 / (1 - rate). Element (b,h,i,j) has draw ((b H + h) T + i) S' + j, S' being S rounded up to whole groups of 64
draws, so that rows begin with a group; nothing of it is stored.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.attention_parts import grad_parts
from brisknet.ops.by_parts import by_parts
from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register
from brisknet.runtime import philox

__all__ = ["attention", "cache_store"]

MASKED = -1e9  # what Keras writes over the scores that are masked


def need_positions(what, shape) -> None:
    """ValueError where key and value are empty sequences."""
    if not shape[1]:
        raise ValueError(f"{what}: at least one position of key and value expected, got shape {tuple(shape)}")


# ---- shapes ---------------------------------------------------------------------------------------------------------
def _check(op, shapes, dtypes, attrs):
    """The shape of out; errors that name the argument which does not fit."""
    q, k, v = shapes[:3]
    for name, s in (("query", q), ("key", k), ("value", v)):
        if len(s) != 4:
            raise ValueError(f"{op}: {name} of rank 4 (batch, positions, heads, size) expected, got shape {s}")
    if k[:3] != v[:3]:
        raise ValueError(f"{op}: key and value of one (batch, positions, heads) expected, got shapes {k} and {v}")
    if q[0] != k[0] or q[3] != k[3]:
        raise ValueError(f"{op}: query and key of one batch and head size expected, got shapes {q} and {k}")
    if not k[2] or q[2] % k[2]:
        raise ValueError(f"{op}: the {q[2]} heads of the query must be a multiple of the {k[2]} of key and value")
    need_positions(op, k)
    if attrs["masked"]:
        full = (q[0], q[2], q[1], k[1])
        m = shapes[3]
        if dtypes[3] != "bool" or len(m) != 4 or any(a not in (1, b) for a, b in zip(m, full, strict=True)):
            raise ValueError(f"{op}: a boolean mask that broadcasts to {full} expected, got {dtypes[3]} of shape {m}")
    if attrs["rate"] and (shapes[attrs["step_at"]] != () or dtypes[attrs["step_at"]] != "int64"):
        raise ValueError(f"{op}: an int64 scalar for the step of the draws expected, got shape {shapes[attrs['step_at']]}")
    return (*q[:3], v[3])


def _infer(shapes, dtypes, attrs):
    count = 3 + attrs["masked"] + attrs["offset"] + (attrs["rate"] > 0)
    if len(shapes) != count:
        raise ValueError(f"attention: {count} inputs expected, got {len(shapes)}")
    out = _check("attention", shapes, dtypes, {**attrs, "step_at": -1})
    if attrs["offset"] and shapes[3 + attrs["masked"]] not in ((), shapes[0][:1]):
        raise ValueError(f"attention: an offset for all rows or one for each of {shapes[0][0]} expected, got {shapes[3 + attrs['masked']]}")
    return ((out, dtypes[0]), (out[:3], dtypes[0]))


# ---- the reference --------------------------------------------------------------------------------------------------
def _heads_first(x, repeats=1):
    x = x.transpose(0, 2, 1, 3)
    return np.repeat(x, repeats, axis=1) if repeats > 1 else x


def _seen(rest, attrs, t, s):
    """The positions that may be looked at, to be broadcast to [B,H,T,S]; None for all."""
    rest = list(rest)
    mask = rest.pop(0) if attrs["masked"] else None
    if attrs["causal"]:
        start = np.reshape(rest.pop(0), (-1, 1, 1, 1)) if attrs["offset"] else 0
        below = np.arange(s)[None, None, None, :] <= np.arange(t)[:, None] + start
        mask = below if mask is None else mask & below
    return mask


def groups_of_draws(size: int) -> int:
    """`size` draws, rounded up to whole groups."""
    return -(-size // 64) * 64


def _keep(q, k, step, attrs):
    """[B,H,T,S]: 0 where a probability is dropped, else 1 / (1 - rate)."""
    shape = (q.shape[0], q.shape[2], q.shape[1], groups_of_draws(k.shape[1]))
    bits = philox.dropout_bits(int(np.prod(shape)), attrs["key"], int(step)).reshape(shape)[..., : k.shape[1]]
    return np.where(bits >= threshold(attrs["rate"]), q.dtype.type(1 / (1 - attrs["rate"])), q.dtype.type(0))


def threshold(rate: float) -> int:
    """Of 16 random bits, the least that keep what is dropped at this rate."""
    return round(rate * 65536)


def _scores(q, k, rest, attrs):
    repeats = q.shape[2] // k.shape[2]
    scores = np.matmul(_heads_first(q), _heads_first(k, repeats).swapaxes(2, 3)) * q.dtype.type(attrs["scale"])
    seen = _seen(rest, attrs, q.shape[1], k.shape[1])
    return (scores if seen is None else np.where(seen, scores, q.dtype.type(MASKED))), seen


def _reference(q, k, v, *rest, **attrs):
    scores, seen = _scores(q, k, rest, attrs)
    top = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - top)
    total = e.sum(axis=-1, keepdims=True)
    p = e / total
    p = p if seen is None or not attrs["zeros"] else np.where(seen, p, q.dtype.type(0))
    p = p * _keep(q, k, rest[-1], attrs) if attrs["rate"] else p
    out = np.matmul(p, _heads_first(v, q.shape[2] // v.shape[2]))
    lse = (np.where(top > MASKED / 2, top, 0) + np.log(total))[..., 0]
    return np.ascontiguousarray(out.transpose(0, 2, 1, 3)), np.ascontiguousarray(lse.transpose(0, 2, 1))


def _per_group(x, groups):
    """Gradients of repeated heads [B,H,S,c], summed to [B,S,G,c]."""
    b, h, s, c = x.shape
    return np.ascontiguousarray(x.reshape(b, groups, h // groups, s, c).sum(axis=2).transpose(0, 2, 1, 3))


def _grad_reference(q, k, v, *rest, **attrs):
    *mask, out, lse, dout = rest
    keep = _keep(q, k, mask.pop(), attrs) if attrs["rate"] else None
    repeats = q.shape[2] // k.shape[2]
    scores, seen = _scores(q, k, mask, {**attrs, "offset": False})
    top = scores.max(axis=-1, keepdims=True)
    p = np.exp(scores - top)
    p /= p.sum(axis=-1, keepdims=True)
    do = _heads_first(dout)
    delta = (dout * out).sum(axis=-1).transpose(0, 2, 1)
    # out = keep p v  ->  dp = keep do v^T;  p = softmax(s)  ->  ds = p (dp - sum(p dp)), and sum(p dp) = do . out
    dp = np.matmul(do, _heads_first(v, repeats).swapaxes(2, 3))
    dp = dp if keep is None else dp * keep
    ds = p * (dp - delta[..., None]) * q.dtype.type(attrs["scale"])
    if seen is not None:
        ds = np.where(seen, ds, q.dtype.type(0))
        p = np.where(seen, p, q.dtype.type(0)) if attrs["zeros"] else p
    p = p if keep is None else p * keep
    dq = np.matmul(ds, _heads_first(k, repeats)).transpose(0, 2, 1, 3)
    dk = np.matmul(ds.swapaxes(2, 3), _heads_first(q))
    dv = np.matmul(p.swapaxes(2, 3), do)
    return np.ascontiguousarray(dq), _per_group(dk, k.shape[2]), _per_group(dv, k.shape[2])


# ---- gradients ------------------------------------------------------------------------------------------------------
def _vjp(node, grads):
    from brisknet.ops.shape import broadcast_to

    attrs = node.attrs
    if attrs["offset"]:
        raise RuntimeError("attention with an offset serves generation; it has no gradient")
    dout, dlse = grads
    if dout is None:
        dout = broadcast_to(np.zeros((), node.outputs[0].dtype), node.outputs[0].shape)
    same = {name: attrs[name] for name in ("causal", "scale", "zeros", "rate", "key")}
    if dlse is None:
        found = apply("attention_grad", [*node.inputs, *node.outputs, dout], **same, masked=attrs["masked"])
    else:
        mask, step = node.inputs[3] if attrs["masked"] else None, node.inputs[-1]
        found = grad_parts(*node.inputs[:3], mask, step, node.outputs[0], dout, dlse, **same, masked_score=MASKED)
    return (*found, *[None] * (len(node.inputs) - 3))


def _grad_parts(node):
    *qkv, out, _, dout = node.inputs  # lse stands for what is computed from q and k
    step = qkv.pop() if node.attrs["rate"] else None
    mask = qkv.pop() if node.attrs["masked"] else None
    same = {name: node.attrs[name] for name in ("causal", "scale", "zeros", "rate", "key")}
    return grad_parts(*qkv, mask, step, out, dout, None, **same, masked_score=MASKED)


def _grad_infer(shapes, dtypes, attrs):
    _check("attention_grad", shapes, dtypes, {**attrs, "step_at": -4})
    return tuple((s, dtypes[0]) for s in shapes[:3])


def attention(q, k, v, mask=None, causal=False, scale=None, offset=None, zeros=False, rate=0.0, step=None, key=0):
    """(out [B,T,H,e], lse [B,T,H]); see the module for the formula.

    mask     booleans that broadcast to [B,H,T,S]: True where i may look at j
    scale    1 / sqrt(d) by default
    offset   with causal=True, int32: the position of the first query among the keys, a scalar or one for each row [B]
    zeros    a query that may look at nothing gives 0 and not the mean of all values
    rate     below 1: the share of the probabilities that is dropped, drawn from the key at the step (an int64 scalar)
    """
    need_positions("attention", k.shape)
    attrs = {"causal": bool(causal), "scale": float(q.shape[-1] ** -0.5 if scale is None else scale), "zeros": bool(zeros)}
    rate = float(rate) if threshold(rate) else 0.0
    rest = [x for x in (mask, offset, step if rate else None) if x is not None]
    drop = {"rate": rate, "key": int(key) if rate else 0}
    return apply("attention", (q, k, v, *rest), **attrs, **drop, masked=mask is not None, offset=offset is not None)


# ---- the records ----------------------------------------------------------------------------------------------------
def _mask(*shape, seed=3, dead=None):
    """A random mask that shows every row its first key, but row `dead` nothing."""
    mask = np.random.default_rng(seed).random(shape) < 0.6
    mask[..., 0] = True
    if dead is not None:
        mask[..., dead, :] = False
    return mask


def _case(b, t, h, d, s=None, g=None, e=None, causal=False, mask=None, scale=None, zeros=False, rate=0.0):
    s, g, e = s or t, g or h, e or d
    attrs = {"causal": causal, "scale": d**-0.5 if scale is None else scale, "masked": mask is not None, "zeros": zeros}
    rest = (() if mask is None else (mask,)) + ((np.array(7, np.int64),) if rate else ())
    return ((b, t, h, d), (b, s, g, d), (b, s, g, e)), rest, {**attrs, "rate": rate, "key": 1234567 if rate else 0}


# Small, for finite differences: cross-attention, one position, other sizes of values, shared heads, masks of every form.
_SMALL = (
    _case(2, 3, 2, 3),
    _case(1, 4, 2, 2, causal=True),
    _case(1, 1, 1, 5),
    _case(2, 2, 2, 3, s=4, e=2),
    _case(1, 3, 4, 2, g=2, causal=True, scale=0.7),
    _case(2, 3, 1, 2, mask=_mask(2, 1, 1, 3)),
    _case(1, 3, 2, 2, s=4, mask=_mask(1, 2, 3, 4, dead=1)),
    _case(1, 4, 3, 2, g=1, causal=True, mask=_mask(1, 1, 4, 4, dead=2)),
    _case(1, 2, 1, 2, s=5, causal=True),
    _case(1, 3, 2, 2, s=4, mask=_mask(1, 2, 3, 4, dead=1), zeros=True),
    _case(2, 3, 2, 3, rate=0.3),
    _case(1, 4, 4, 2, g=2, causal=True, rate=0.5),
    _case(1, 3, 2, 2, s=4, mask=_mask(1, 2, 3, 4, dead=1), zeros=True, rate=0.2),
    _case(1, 3, 2, 2, s=4, mask=_mask(1, 2, 3, 4, dead=1), rate=0.2),
)
# For the kernels alone: more than a block of queries and of keys, tails of every kind.
_LARGE = (
    _case(2, 37, 2, 8, causal=True),
    _case(1, 64, 3, 32, causal=True),
    _case(1, 65, 2, 20, s=50, e=12),
    _case(1, 130, 4, 16, g=2, causal=True),
    _case(1, 70, 2, 16, s=300, mask=_mask(1, 1, 70, 300, dead=69)),
    _case(2, 290, 1, 24, causal=True, mask=_mask(2, 1, 1, 290)),
    _case(1, 270, 2, 9, causal=True, mask=_mask(1, 2, 270, 270, dead=3)),
    _case(1, 2, 3, 17, s=33, mask=_mask(1, 1, 2, 33, dead=0)),
    _case(1, 2, 3, 17, s=33, mask=_mask(1, 1, 2, 33, dead=0), zeros=True),
    _case(1, 60, 2, 9, causal=True, mask=_mask(1, 1, 60, 60, dead=30), zeros=True),
    _case(1, 20, 1, 64, s=600),
    _case(1, 20, 2, 8, s=64, causal=True),
    _case(2, 5, 1, 24, s=250, causal=True, rate=0.4),
    _case(2, 64, 2, 32, causal=True, rate=0.1),
    _case(1, 70, 2, 16, s=300, mask=_mask(1, 1, 70, 300, dead=69), rate=0.5),
    _case(2, 3, 3, 17, s=200, mask=_mask(2, 1, 1, 200), zeros=True, rate=0.3),
    _case(1, 210, 2, 9, causal=True, mask=_mask(1, 2, 210, 210, dead=3), zeros=True, rate=0.75),
)


def _walk(make):
    return tuple(make(c, None, 0) for c in _SMALL) + tuple(make(c, (), 1) for c in _LARGE)


def _filled(case, seed):
    """Arrays of case number `seed`, its results and a gradient: what the record of the gradient is given."""
    shapes, mask, attrs = case
    rng = np.random.default_rng(seed)
    q, k, v = (rng.standard_normal(s) for s in shapes)
    out, lse = _reference(q, k, v, *mask, **attrs, offset=False)
    return Sample((q, k, v, *mask, out, lse, rng.standard_normal(out.shape)), attrs, wrt=None if seed < len(_SMALL) else ())


def _offset_sample(t, s, at, g=2):
    attrs = {"causal": True, "scale": 0.3, "masked": False, "offset": True, "zeros": False, "rate": 0.0, "key": 0}
    return Sample(((2, t, 2, 5), (2, s, g, 5), (2, s, g, 5), np.array(at, np.int32)), attrs, wrt=())


register(
    OpSpec(
        "attention",
        _infer,
        _reference,
        _vjp,
        _walk(lambda c, wrt, _: Sample((*c[0], *c[1]), {**c[2], "offset": False}, wrt if wrt is not None else (0, 1, 2)))
        + (_offset_sample(1, 9, 4), _offset_sample(1, 40, 39, g=1), _offset_sample(8, 24, 8), _offset_sample(3, 9, 0))
        + (_offset_sample(1, 9, (4, 7)), _offset_sample(20, 64, (30, 11))),
    )
)
register(
    OpSpec(
        "attention_grad",
        _grad_infer,
        _grad_reference,
        by_parts(_grad_parts),
        tuple(_filled(c, i) for i, c in enumerate((*_SMALL, *_LARGE))),
    )
)


# ---- the cache of keys and values -----------------------------------------------------------------------------------
def _store_infer(shapes, dtypes, attrs):
    cache, new, position = shapes
    if position not in ((), cache[:1]):
        raise ValueError(f"cache_store: a position for all rows or one for each of {cache[0]} expected, got shape {position}")
    if len(cache) != len(new) or cache[0] != new[0] or cache[2:] != new[2:] or new[1] > cache[1]:
        raise ValueError(f"cache_store: rows that fit a cache of shape {cache} expected, got shape {new}")
    return ((cache, dtypes[0]),)


def _store_reference(cache, new, position):
    out = np.array(cache)
    for row, at, given in zip(out, np.broadcast_to(position, len(out)), new, strict=True):
        row[at : at + len(given)] = given
    return out


register(
    OpSpec(
        "cache_store", _store_infer, _store_reference, None,
        (
            Sample(((2, 6, 2, 3), (2, 1, 2, 3), np.array(4, np.int32)), wrt=()),
            Sample(((3, 7, 5), (3, 4, 5), np.array(2, np.int32)), wrt=()),
            Sample(((3, 7, 5), (3, 4, 5), np.array([2, 0, 3], np.int32)), wrt=()),
        ),
    )
)  # fmt: skip


def cache_store(cache, new, position):
    """cache [B,C,...] with new [B,T,...] in the place of rows position ... position + T - 1: int32, a scalar or one a row [B]."""
    return apply("cache_store", (cache, new, position))
