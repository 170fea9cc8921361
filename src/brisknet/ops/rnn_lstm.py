"""LSTM over a whole sequence, and its gradient."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, register
from brisknet.ops.rnn import (
    check_mask, check_recurrent, grad_samples, keep, recurrent_wgrad, sequence_grad, sequence_samples, sigmoid,
)  # fmt: skip

__all__ = ["lstm"]


def _infer(shapes, dtypes, attrs):
    steps, rows, units = check_recurrent("lstm", 4, shapes, dtypes, {"states": 2})
    if shapes[2] != (rows, units):
        raise ValueError(f"lstm: c0 of shape {(rows, units)} expected, got {shapes[2]}")
    if attrs.get("masked"):
        check_mask("lstm", shapes[4], dtypes[4], steps, rows)
    state, sequence = ((rows, units), dtypes[0]), ((steps, rows, units), dtypes[0])
    return sequence, state, state, sequence, sequence, ((steps, rows, 4 * units), dtypes[0])


def _reference(xp, h, c, u, mask=None, masked=False):
    # z = xp[t] + h U;  i, f, o = sigmoid, g = tanh of its quarters (order i f g o);  c = f c + i g;  h = o tanh(c)
    ys, hprev, cprev, gates = [], [], [], []
    for t in range(len(xp)):
        zi, zf, zg, zo = np.split(xp[t] + h @ u, 4, axis=1)
        i, f, g, o = sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)
        hprev.append(h)
        cprev.append(c)
        gates.append(np.concatenate([i, f, g, o], axis=1))
        new = f * c + i * g
        h, c = keep(mask, t, o * np.tanh(new), h), keep(mask, t, new, c)
        ys.append(h)
    return np.stack(ys), h, c, np.stack(hprev), np.stack(cprev), np.stack(gates)


def _vjp(node, grads):
    xp, h0, c0, u, *mask = node.inputs
    _, _, _, hprev, cprev, gates = node.outputs
    dxp, dh0, dc0 = sequence_grad("lstm_grad", (u, gates, cprev), node, grads[:3], mask[0] if mask else None)
    return (dxp, dh0, dc0, recurrent_wgrad(hprev, dxp), *(None for _ in mask))


register(
    OpSpec(
        "lstm", _infer, _reference, _vjp,
        sequence_samples(lambda t, b, h: ((t, b, 4 * h), (b, h), (b, h), (h, 4 * h))), inplace=(None,) * 5 + (0,), saved=3,
    )
)  # fmt: skip


def lstm(xp, h0, c0, u, mask=None):
    """(ys [T,B,H], h [B,H], c [B,H]) from xp [T,B,4H] = x W + b (gates in the order i f g o), states [B,H] and U [H,4H].

    mask   bool [T,B]; where it is False, a step leaves the states as they were
    """
    return apply("lstm", (xp, h0, c0, u) if mask is None else (xp, h0, c0, u, mask), masked=mask is not None)[:3]


def _grad_infer(shapes, dtypes, attrs):
    _, gates, cprev = shapes[:3]
    return (gates, dtypes[0]), (cprev[1:], dtypes[0]), (cprev[1:], dtypes[0])


def _grad_reference(u, gates, cprev, *optional, given=()):
    # forward: c' = f c + i g;  h' = o tanh(c')  ->  dc' += dh' o (1 - tanh(c')^2);  then each gate by its own derivative,
    # dh = dz U^T, dc = dc' f; a masked step hands both on as they are
    got = dict(zip(given, optional, strict=True))
    mask, dys = got.get("mask"), got.get("dys")
    dh, dc = (np.array(got.get(n, np.zeros_like(cprev[0]))) for n in ("dh", "dc"))
    dxp = np.zeros_like(gates)
    for t in reversed(range(len(gates))):
        i, f, g, o = np.split(gates[t], 4, axis=1)
        if dys is not None:
            dh = dh + dys[t]
        y = np.tanh(f * cprev[t] + i * g)
        d = dc + dh * o * (1 - y * y)
        dz = [d * g * i * (1 - i), d * cprev[t] * f * (1 - f), d * i * (1 - g * g), dh * y * o * (1 - o)]
        dxp[t] = keep(mask, t, np.concatenate(dz, axis=1), 0.0)
        dh, dc = keep(mask, t, dxp[t] @ u.T, dh), keep(mask, t, d * f, dc)
    return dxp, dh, dc


register(
    OpSpec(
        "lstm_grad", _grad_infer, _grad_reference, None,
        grad_samples(
            lambda t, b, h: ((h, 4 * h), (t, b, 4 * h), (t, b, h)),
            lambda t, b, h: {"dys": (t, b, h), "dh": (b, h), "dc": (b, h)},
        ),
    )
)  # fmt: skip
