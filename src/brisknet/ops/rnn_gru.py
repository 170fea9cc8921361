"""GRU over a whole sequence, with the reset gate applied after the matrix product, and its gradient."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, register
from brisknet.ops.rnn import (
    check_mask, check_recurrent, grad_samples, keep, recurrent_wgrad, sequence_grad, sequence_samples, sigmoid,
)  # fmt: skip

__all__ = ["gru"]


def _infer(shapes, dtypes, attrs):
    steps, rows, units = check_recurrent("gru", 3, shapes, dtypes, {})
    if shapes[3] != (3 * units,):
        raise ValueError(f"gru: a recurrent bias of shape {(3 * units,)} expected, got {shapes[3]}")
    if attrs.get("masked"):
        check_mask("gru", shapes[4], dtypes[4], steps, rows)
    state, sequence = ((rows, units), dtypes[0]), ((steps, rows, units), dtypes[0])
    return sequence, state, sequence, ((steps, rows, 3 * units), dtypes[0]), sequence


def _reference(xp, h, u, b, mask=None, masked=False):
    # s = h U + b;  z, r = sigmoid(xp[t] + s) of the first two thirds;  n = tanh(xp_n + r s_n);  h = z h + (1 - z) n
    ys, hprev, gates, inner = [], [], [], []
    for t in range(len(xp)):
        xz, xr, xn = np.split(xp[t], 3, axis=1)
        sz, sr, sn = np.split(h @ u + b, 3, axis=1)
        z, r = sigmoid(xz + sz), sigmoid(xr + sr)
        n = np.tanh(xn + r * sn)
        hprev.append(h)
        gates.append(np.concatenate([z, r, n], axis=1))
        inner.append(sn)
        h = keep(mask, t, z * h + (1 - z) * n, h)
        ys.append(h)
    return np.stack(ys), h, np.stack(hprev), np.stack(gates), np.stack(inner)


def _vjp(node, grads):
    xp, h0, u, b, *mask = node.inputs
    _, _, hprev, gates, inner = node.outputs
    dxp, ds, dh0 = sequence_grad("gru_grad", (u, gates, inner, hprev), node, grads[:2], mask[0] if mask else None)
    return (dxp, dh0, *recurrent_wgrad(hprev, ds, True), *(None for _ in mask))


register(
    OpSpec(
        "gru", _infer, _reference, _vjp,
        sequence_samples(lambda t, b, h: ((t, b, 3 * h), (b, h), (h, 3 * h), (3 * h,))), inplace=(None,) * 3 + (0,), saved=3,
    )
)  # fmt: skip


def gru(xp, h0, u, b, mask=None):
    """(ys [T,B,H], h [B,H]) from xp [T,B,3H] = x W + b_x (gates in the order z r n), h0 [B,H], U [H,3H], bias b [3H] of h U.

    mask   bool [T,B]; where it is False, a step leaves the state as it was
    """
    return apply("gru", (xp, h0, u, b) if mask is None else (xp, h0, u, b, mask), masked=mask is not None)[:2]


def _grad_infer(shapes, dtypes, attrs):
    _, gates, _, hprev = shapes[:4]
    return (gates, dtypes[0]), (gates, dtypes[0]), (hprev[1:], dtypes[0])


def _grad_reference(u, gates, inner, hprev, *optional, given=()):
    # forward: h' = z h + (1 - z) n, n = tanh(xp_n + r s_n), s = h U + b  ->  dh = z dh' + ds U^T; ds is dxp but for its last
    # third, which the reset gate scales; a masked step hands dh' on as it is
    got = dict(zip(given, optional, strict=True))
    mask, dys = got.get("mask"), got.get("dys")
    dh = np.array(got.get("dh", np.zeros_like(hprev[0])))
    dxp, ds = np.zeros_like(gates), np.zeros_like(gates)
    for t in reversed(range(len(gates))):
        z, r, n = np.split(gates[t], 3, axis=1)
        if dys is not None:
            dh = dh + dys[t]
        dn = dh * (1 - z) * (1 - n * n)
        dz, dr = dh * (hprev[t] - n) * z * (1 - z), dn * inner[t] * r * (1 - r)
        dxp[t] = keep(mask, t, np.concatenate([dz, dr, dn], axis=1), 0.0)
        ds[t] = keep(mask, t, np.concatenate([dz, dr, dn * r], axis=1), 0.0)
        dh = keep(mask, t, z * dh + ds[t] @ u.T, dh)
    return dxp, ds, dh


register(
    OpSpec(
        "gru_grad", _grad_infer, _grad_reference, None,
        grad_samples(
            lambda t, b, h: ((h, 3 * h), (t, b, 3 * h), (t, b, h), (t, b, h)),
            lambda t, b, h: {"dys": (t, b, h), "dh": (b, h)},
        ),
    )
)  # fmt: skip
