"""Connectionist temporal classification (Graves et al. 2006): loss a sequence and its gradient, in one pass over the frames.

As Keras on JAX computes it, in logarithms. With n labels done, phi[n] means that the last frame was blank (or nothing has
begun), emit[n] that label n is being emitted. In every frame, with "closed" for a way that costs 1e5:

    A[n]     = log(e^phi[n] + e^emit[n-1])                 a label ends without a blank; closed before an equal one
    emit'[n] = log(e^A[n] + e^emit[n]) + log p(label n)
    phi'[n]  = log(e^A[n] + e^emit[n-1]) + log p(blank)    open only before an equal label

and the loss is -log(e^phi[length] + e^emit[length-1]). Blank is class 0, which also fills labels up.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.activation import log_softmax_array, sigmoid_array
from brisknet.ops.dispatch import apply
from brisknet.ops import elementwise as ew
from brisknet.ops.registry import OpSpec, Sample, register

_CLOSED, _NONE = -1e5, -1e30


def _infer(shapes, dtypes, attrs):
    logits, labels = shapes
    if len(logits) != 3 or len(labels) != 2 or logits[0] != labels[0]:
        raise ValueError(
            f"ctc: labels [batch, length] and logits [batch, frames, classes] expected, got shapes {labels} and {logits}"
        )
    return ((logits[:1], dtypes[0]), (logits, dtypes[0]))


def _shifted(emit):
    """es[n] = emit[n-1]; nothing comes before the first."""
    return np.concatenate([np.full_like(emit[:, :1], _NONE), emit], axis=1)


def _reference(logits, labels):
    dtype, classes = logits.dtype, logits.shape[-1]
    bad = ((labels < 0) | (labels >= classes)).any(axis=1)
    labels = np.where(bad[:, None], 0, labels)
    logp = log_softmax_array(logits)
    twice = np.pad((labels[:, :-1] == labels[:, 1:]).astype(dtype), ((0, 0), (1, 1)))[:, : labels.shape[1] + 1]
    penalties = np.asarray(_CLOSED, dtype) * twice, np.asarray(_CLOSED, dtype) * (1 - twice)
    history = _forward(logp, labels, *penalties)
    rows, length = np.arange(len(labels)), np.sum(labels != 0, axis=1)
    phi, es = (h[rows, length] for h in history[-1])
    loss = -np.logaddexp(phi, es)
    slope = _backward(logp, labels, *penalties, history, length)
    loss, slope = np.where(bad, np.nan, loss), np.where(bad[:, None, None], np.nan, slope)
    return np.asarray(loss, dtype), np.asarray(slope, dtype)


def _forward(logp, labels, pr, pq):
    """[(phi, es)] before the first frame and after each."""
    batch, n = labels.shape
    phi = np.full((batch, n + 1), _CLOSED, logp.dtype)
    phi[:, 0] = 0
    es = _shifted(np.full((batch, n), _CLOSED, logp.dtype))
    history = [(phi, es)]
    for t in range(logp.shape[1]):
        a = np.logaddexp(phi, es + pr)
        emit = np.logaddexp(a[:, :-1], es[:, 1:]) + np.take_along_axis(logp[:, t], labels, axis=1)
        phi = np.logaddexp(a, es + pq) + logp[:, t, :1]
        es = _shifted(emit)
        history.append((phi, es))
    return history


def _backward(logp, labels, pr, pq, history, length):
    """d loss / d logits: the recursion backwards, frame by frame."""
    rows = np.arange(len(labels))
    phi, es = history[-1]
    g_phi, g_es = np.zeros_like(phi), np.zeros_like(es)
    share = sigmoid_array(phi[rows, length] - es[rows, length])
    g_phi[rows, length], g_es[rows, length] = -share, share - 1
    slope = np.zeros_like(logp)
    for t in range(logp.shape[1] - 1, -1, -1):
        phi, es = history[t]
        a = np.logaddexp(phi, es + pr)
        g_emit = g_es[:, 1:]
        blank = g_phi.sum(axis=1)
        np.add.at(slope[:, t], (rows[:, None], labels), g_emit)
        slope[:, t, 0] += blank
        slope[:, t] -= np.exp(logp[:, t]) * (g_emit.sum(axis=1) + blank)[:, None]
        s1, s2, s3 = sigmoid_array(a[:, :-1] - es[:, 1:]), sigmoid_array(a - es - pq), sigmoid_array(phi - es - pr)
        g_a = g_phi * s2
        g_a[:, :-1] += g_emit * s1
        g_es = g_phi * (1 - s2) + g_a * (1 - s3)
        g_es[:, 1:] += g_emit * (1 - s1)
        g_phi = g_a * s3
    return slope


def _vjp(node, grads):
    from brisknet.ops.shape import reshape

    if grads[1] is not None:
        raise ValueError("the CTC loss was differentiated twice, for which there is no formula here")
    g = reshape(grads[0], (*grads[0].shape, 1, 1))
    return ew.multiply(node.outputs[1], g), None


_LABELS = np.array([[1, 2, 2, 3], [3, 3, 0, 0], [0, 0, 0, 0]], np.int32)
register(OpSpec(
    "ctc_head", _infer, _reference, _vjp,
    (Sample(((3, 7, 4), _LABELS), wrt=(0,)), Sample(((3, 5, 20), _LABELS[:, :1] * 19 // 3), wrt=(0,))),
))  # fmt: skip


def ctc_head(logits, labels):
    """(loss [B], its gradient) of logits [B, T, K] and int32 labels [B, N], filled up with the blank, 0."""
    return apply("ctc_head", (logits, labels))
