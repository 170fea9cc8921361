"""The gradient of attention in plain ops, for derivatives of second and higher order (gradient penalties, Hessians), and for
gradients of the logarithms of sums.

The fused gradient kernel keeps no probabilities; here they are computed again from query and key, [B,H,T,S] of them. The
query heads that share keys lie one after another, so that every product is one batch of matrices [B,G,...]:

    q [B,T,H,d] -> [B,G,RT,d],  k [B,S,G,d] -> [B,G,S,d],  scores [B,G,RT,S],  R = H / G
"""

from __future__ import annotations

import numpy as np

from brisknet.graph.trace import current_graph

__all__ = ["grad_parts"]


def _grouped(x, groups):
    """[B,T,H,c] -> [B,G,RT,c]."""
    from brisknet.ops.shape import reshape, transpose

    b, t, h, c = x.shape
    return reshape(transpose(reshape(x, (b, t, groups, h // groups, c)), (0, 2, 3, 1, 4)), (b, groups, h // groups * t, c))


def _back(x, heads):
    """[B,G,RT,c] -> [B,T,H,c]."""
    from brisknet.ops.shape import reshape, transpose

    b, g, rows, c = x.shape
    repeats = heads // g
    t = rows // repeats
    return reshape(transpose(reshape(x, (b, g, repeats, t, c)), (0, 3, 1, 2, 4)), (b, t, heads, c))


def _seen(mask, causal, t, s):
    """What may be looked at, to be broadcast to [B,H,T,S]; None for all."""
    from brisknet.ops.elementwise import logical_and

    if not causal:
        return mask
    below = np.tri(t, s, dtype=bool)[None, None]
    return below if mask is None else logical_and(mask, below)


def _keep(shape, rate, key, step, dtype):
    """[B,H,T,S]: 0 where the attention drops, else 1 / (1 - rate); its draws are those of whole groups of 64 keys."""
    from brisknet.ops.attention import groups_of_draws
    from brisknet.ops.random import dropout

    ones = current_graph().add_constant(np.ones((*shape[:3], groups_of_draws(shape[3])), dtype))
    return dropout(ones, step, rate, key)[..., : shape[3]]


def grad_parts(q, k, v, mask, step, out, dout, dlse, *, scale, causal, zeros, rate, key, masked_score):
    """(dq, dk, dv) of out and lse, from their gradients; mask, step and dlse may be None."""
    from brisknet.ops import elementwise as ew
    from brisknet.ops.activation import softmax
    from brisknet.ops.linalg import matmul
    from brisknet.ops.moving import swapaxes
    from brisknet.ops.reduction import sum as reduce_sum
    from brisknet.ops.shape import reshape

    b, t, heads, _ = q.shape
    s, groups = k.shape[1], k.shape[2]
    seen, full, rows = _seen(mask, causal, t, s), (b, heads, t, s), (b, groups, heads // groups * t, s)

    def hidden(x, value):
        """x [B,G,RT,S] with a value in the place of what may not be looked at."""
        return x if seen is None else reshape(ew.where(seen, reshape(x, full), np.asarray(value, q.dtype)), rows)

    qs, ks, vs, dos = _grouped(q, groups), _grouped(k, groups), _grouped(v, groups), _grouped(dout, groups)
    scores = hidden(ew.multiply(matmul(qs, swapaxes(ks, 2, 3)), scale), masked_score)
    p = softmax(scores)
    delta = reduce_sum(ew.multiply(dout, out), axis=-1)
    delta = delta if dlse is None else ew.subtract(delta, dlse)
    dp = matmul(dos, swapaxes(vs, 2, 3))
    keep = reshape(_keep(full, rate, key, step, q.dtype), rows) if rate else None
    dp = dp if keep is None else ew.multiply(dp, keep)
    ds = ew.multiply(p, ew.subtract(dp, _grouped(reshape(delta, (b, t, heads, 1)), groups)))
    ds = hidden(ew.multiply(ds, scale), 0.0)
    p = hidden(p, 0.0) if zeros else p
    p = p if keep is None else ew.multiply(p, keep)
    return _back(matmul(ds, ks), heads), _back(matmul(swapaxes(ds, 2, 3), qs), groups), _back(matmul(swapaxes(p, 2, 3), dos), groups)
