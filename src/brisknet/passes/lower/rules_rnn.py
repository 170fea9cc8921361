"""Recurrent networks over whole sequences (csrc/kernels/rnn*.h).

The kernels keep states in buffers [T+1,B,H], the initial state first: outputs, last states and the states before each step
are parts of one buffer, and nothing is copied. Backward products read the transposed recurrent weights, packed once a step.
"""

from __future__ import annotations

from brisknet.passes.lower.builder import padded_size
from brisknet.passes.lower.plan import Ref
from brisknet.passes.lower.rules_dense import transposed
from brisknet.passes.lower.rules_elementwise import activation_code, float32

RULES: dict = {}


def _weights(b, u):
    """Recurrent weights in panels, those of one column too."""
    if u.shape[-1] > 1:
        return b.panel(u)
    ref = b.new(4 * padded_size(u.shape))
    b.emit("pack_panel", (b.row(u), ref), u.shape, writes=(1,))
    return ref


def _states(b, before, ys, last):
    """A buffer [T+1,B,H] whose parts are the three tensors (None: not wanted)."""
    steps, rows, units = before.shape
    one = 4 * rows * units
    ref = b.new(one * (steps + 1))
    b.alias(before, ref)
    if ys is not None:
        b.alias(ys, Ref(ref.base, one))
    b.alias(last, Ref(ref.base, one * steps))
    return ref


def _lstm(b, node):
    xp, h0, c0, u, *mask = node.inputs
    ys, h, c, hprev, cprev, gates = node.outputs
    float32(xp, h0, c0, u)
    refs = b.row(xp), b.row(h0), b.row(c0), _weights(b, u), b.row(mask[0]) if mask else None
    out = b.out(gates), _states(b, hprev, ys, h), _states(b, cprev, None, c)
    b.emit("lstm", (*refs, *out), hprev.shape, writes=(5, 6, 7))


def _gru(b, node):
    xp, h0, u, bias, *mask = node.inputs
    ys, h, hprev, gates, inner = node.outputs
    float32(xp, h0, u, bias)
    refs = b.row(xp), b.row(h0), _weights(b, u), b.row(bias), b.row(mask[0]) if mask else None
    out = b.out(gates), b.out(inner), _states(b, hprev, ys, h)
    b.emit("gru", (*refs, *out), hprev.shape, writes=(5, 6, 7))


def _simple_rnn(b, node):
    xp, h0, u, *mask = node.inputs
    ys, h, hprev = node.outputs
    float32(xp, h0, u)
    refs = b.row(xp), b.row(h0), _weights(b, u), b.row(mask[0]) if mask else None
    act = activation_code(node.attrs["activation"])
    out = _states(b, hprev, ys, h)
    b.emit("simple_rnn", (*refs, out), (*hprev.shape, act), (node.attrs.get("alpha", 0.0),), writes=(4,))


def _gradient(optional):
    """The rule of a gradient op: the transposed weights, what was saved, the optional inputs or NULL, the outputs."""

    def rule(b, node):
        given = node.attrs["given"]
        u, *saved = node.inputs[: len(node.inputs) - len(given)]
        got = dict(zip(given, node.inputs[len(node.inputs) - len(given) :], strict=True))
        float32(u, *saved, *(t for n, t in got.items() if n != "mask"))
        refs = [transposed(b, _weights(b, u), *u.shape), *(b.row(t) for t in saved), *(b.row(got[n]) if n in got else None for n in optional)]
        outs = [b.out(t) for t in node.outputs]
        ints, floats = (*saved[-1].shape,), ()
        if "activation" in node.attrs:
            ints, floats = (*ints, activation_code(node.attrs["activation"])), (node.attrs.get("alpha", 0.0),)
        b.emit(node.op, (*refs, *outs), ints, floats, writes=tuple(range(len(refs), len(refs) + len(outs))))

    return rule


RULES.update({
    "lstm": _lstm, "gru": _gru, "simple_rnn": _simple_rnn, "lstm_grad": _gradient(("mask", "dys", "dh", "dc")),
    "gru_grad": _gradient(("mask", "dys", "dh")), "simple_rnn_grad": _gradient(("mask", "dys", "dh")),
})  # fmt: skip
