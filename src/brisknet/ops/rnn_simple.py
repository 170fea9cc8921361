"""The simple recurrent network over a whole sequence, and its gradient."""

from __future__ import annotations

import numpy as np

from brisknet.ops.activation import FROM_OUTPUT, activation_array
from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, get_op, register
from brisknet.ops.rnn import (
    check_mask, check_recurrent, grad_samples, keep, recurrent_wgrad, sequence_grad, sequence_samples,
)  # fmt: skip

__all__ = ["simple_rnn"]


def _infer(shapes, dtypes, attrs):
    steps, rows, units = check_recurrent("simple_rnn", 1, shapes, dtypes, {})
    if attrs["activation"] not in FROM_OUTPUT:
        raise ValueError(f"simple_rnn: activation must be one of {FROM_OUTPUT}, got {attrs['activation']!r}")
    if attrs.get("masked"):
        check_mask("simple_rnn", shapes[3], dtypes[3], steps, rows)
    state, sequence = ((rows, units), dtypes[0]), ((steps, rows, units), dtypes[0])
    return sequence, state, sequence


def _reference(xp, h, u, mask=None, masked=False, activation="tanh", alpha=0.0):
    # h = f(xp[t] + h U)
    ys, hprev = [], []
    for t in range(len(xp)):
        hprev.append(h)
        h = keep(mask, t, activation_array(xp[t] + h @ u, activation, alpha), h)
        ys.append(h)
    return np.stack(ys), h, np.stack(hprev)


def _vjp(node, grads):
    xp, h0, u, *mask = node.inputs
    attrs = {k: node.attrs[k] for k in ("activation", "alpha") if k in node.attrs}
    given = mask[0] if mask else None
    dxp, dh0 = sequence_grad("simple_rnn_grad", (u, node.outputs[0]), node, grads[:2], given, **attrs)
    return (dxp, dh0, recurrent_wgrad(node.outputs[2], dxp), *(None for _ in mask))


def _inputs(t, b, h):
    return (t, b, h), (b, h), (h, h)


register(
    OpSpec(
        "simple_rnn", _infer, _reference, _vjp,
        sequence_samples(_inputs, activation="tanh") + sequence_samples(_inputs, ((2, 3, 4),), activation="sigmoid")
        + sequence_samples(_inputs, ((2, 3, 4),), activation="linear"), inplace=(0,), saved=1,
    )
)  # fmt: skip


def simple_rnn(xp, h0, u, mask=None, activation="tanh", alpha=0.0):
    """(ys [T,B,H], h [B,H]) from xp [T,B,H] = x W + b, h0 [B,H] and U [H,H]; activation one of FROM_OUTPUT.

    mask   bool [T,B]; where it is False, a step leaves the state as it was
    """
    attrs = {"activation": activation, "masked": mask is not None}
    if activation in ("leaky_relu", "elu"):
        attrs["alpha"] = float(alpha)
    return apply("simple_rnn", (xp, h0, u) if mask is None else (xp, h0, u, mask), **attrs)[:2]


def _grad_infer(shapes, dtypes, attrs):
    return (shapes[1], dtypes[0]), (shapes[1][1:], dtypes[0])


def _grad_reference(u, ys, *optional, given=(), activation="tanh", alpha=0.0):
    # forward: h' = f(xp[t] + h U)  ->  dxp[t] = dh' f'(h');  dh = dxp[t] U^T; a masked step hands dh' on as it is
    got = dict(zip(given, optional, strict=True))
    mask, dys = got.get("mask"), got.get("dys")
    dh = np.array(got.get("dh", np.zeros_like(ys[0])))
    dxp, slope = np.zeros_like(ys), get_op("act_grad").reference
    for t in reversed(range(len(ys))):
        if dys is not None:
            dh = dh + dys[t]
        dxp[t] = keep(mask, t, slope(dh, ys[t], kind=activation, alpha=alpha, scale=1.0), 0.0)
        dh = keep(mask, t, dxp[t] @ u.T, dh)
    return dxp, dh


register(
    OpSpec(
        "simple_rnn_grad", _grad_infer, _grad_reference, None,
        grad_samples(
            lambda t, b, h: ((h, h), (t, b, h)), lambda t, b, h: {"dys": (t, b, h), "dh": (b, h)}, activation="tanh"
        ),
    )
)  # fmt: skip
