"""The layers of sequences in NumPy float64, for the judge: see reference.py. Formulas are Keras'; each layer gives (y, backward)."""

from __future__ import annotations

from math import erf, pi, sqrt

import numpy as np

from benchmarks.workloads.sequences import EPSILON


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Scattered(np.ndarray):
    """The gradient of a table of which rows were taken. `squares`: of each taking by itself, summed like the gradient."""


def embedding(layer, x, weights, rng):
    table, ids = next(weights), x.astype(int)

    def backward(d):
        dtable, squares = np.zeros_like(table), np.zeros_like(table)
        np.add.at(dtable, ids, d)
        np.add.at(squares, ids, d * d)
        dtable = dtable.view(Scattered)
        dtable.squares = squares
        return None, [dtable]

    return table[ids], backward


def positions(layer, x, weights, rng):
    return x + next(weights), lambda d: (d, [d.sum(axis=0)])


def layernorm(layer, x, weights, rng):
    gamma, beta = next(weights), next(weights)
    scale = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + EPSILON)
    h = (x - x.mean(axis=-1, keepdims=True)) * scale
    axes = tuple(range(x.ndim - 1))

    def backward(d):
        g = d * gamma
        dx = scale * (g - g.mean(axis=-1, keepdims=True) - h * (g * h).mean(axis=-1, keepdims=True))
        return dx, [(d * h).sum(axis=axes), d.sum(axis=axes)]

    return h * gamma + beta, backward


def gelu(x):
    share = 0.5 * (1 + np.vectorize(erf)(x / sqrt(2)))
    return x * share, lambda d: (d * (share + x * np.exp(-x * x / 2) / sqrt(2 * pi)), [])


def attention(layer, x, weights, rng):
    """Causal self-attention of several heads: kernels [width, heads, size], biases [heads, size]; output [heads, size, width]."""
    w = [next(weights) for _ in range(8)]
    q, k, v = (np.einsum("btc,chd->bhtd", x, w[i]) + w[i + 1][:, None] for i in (0, 2, 4))
    scale, t = 1 / sqrt(q.shape[-1]), x.shape[1]
    s = np.where(np.tri(t, dtype=bool), q @ k.swapaxes(2, 3) * scale, -np.inf)
    p = np.exp(s - s.max(axis=-1, keepdims=True))
    p = p / p.sum(axis=-1, keepdims=True)
    o = p @ v

    def backward(d):
        do = np.einsum("btc,hdc->bhtd", d, w[6])
        dp = do @ v.swapaxes(2, 3)
        ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
        dx, grads = 0.0, []
        for i, part in enumerate((ds @ k, ds.swapaxes(2, 3) @ q, p.swapaxes(2, 3) @ do)):
            dx = dx + np.einsum("bhtd,chd->btc", part, w[2 * i])
            grads += [np.einsum("btc,bhtd->chd", x, part), part.sum(axis=(0, 2))]
        return dx, [*grads, np.einsum("bhtd,btc->hdc", o, d), d.sum(axis=(0, 1))]

    return np.einsum("bhtd,hdc->btc", o, w[6]) + w[7], backward


# ---- recurrent: a step of each gives (state, what its backward needs); the state of an LSTM is (h, c) ----------------------------
def through_time(step, step_back, x, weights, state):
    """(last h, backward) of step(x_t, state, *weights). step_back(kept, d of the state, *weights) gives (d of x_t, d of the
    state before, [gradient of each weight])."""
    kept = []
    for t in range(x.shape[1]):
        state, saved = step(x[:, t], state, *weights)
        kept.append(saved)

    def backward(d):
        dx, total = np.zeros_like(x), [np.zeros_like(w) for w in weights]
        d = (d, *(np.zeros_like(s) for s in state[1:]))
        for t in reversed(range(x.shape[1])):
            dx[:, t], d, grads = step_back(kept[t], d, *weights)
            total = [a + g for a, g in zip(total, grads, strict=True)]
        return dx, total

    return state[0], backward


def three(layer, x, weights):
    """(kernel, recurrent kernel, bias) and h of zeros."""
    return [next(weights) for _ in range(3)], np.zeros((len(x), layer["n"]))


def lstm_step(x, state, kernel, recurrent, bias):
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    new = f * c + i * g
    return (o * np.tanh(new), new), (x, h, c, i, f, g, o, np.tanh(new))


def lstm_back(kept, d, kernel, recurrent, bias):
    x, h, c, i, f, g, o, y = kept
    dh, dc = d
    dc = dc + dh * o * (1 - y * y)
    dz = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * y * o * (1 - o)], axis=1)
    return dz @ kernel.T, (dz @ recurrent.T, dc * f), [x.T @ dz, h.T @ dz, dz.sum(axis=0)]


def gru_step(x, state, kernel, recurrent, bias):
    """With reset_after: the reset gate scales the product of the state, its bias included."""
    (h,) = state
    a, b = x @ kernel + bias[0], h @ recurrent + bias[1]
    (az, ar, an), (bz, br, bn) = np.split(a, 3, axis=1), np.split(b, 3, axis=1)
    z, r = sigmoid(az + bz), sigmoid(ar + br)
    n = np.tanh(an + r * bn)
    return (z * h + (1 - z) * n,), (x, h, z, r, n, bn)


def gru_back(kept, d, kernel, recurrent, bias):
    x, h, z, r, n, bn = kept
    (d,) = d
    dn = d * (1 - z) * (1 - n * n)
    dz, dr = d * (h - n) * z * (1 - z), dn * bn * r * (1 - r)
    da, db = np.concatenate([dz, dr, dn], axis=1), np.concatenate([dz, dr, dn * r], axis=1)
    grads = [x.T @ da, h.T @ db, np.stack([da.sum(axis=0), db.sum(axis=0)])]
    return da @ kernel.T, (d * z + db @ recurrent.T,), grads


def rnn_step(x, state, kernel, recurrent, bias):
    y = np.tanh(x @ kernel + state[0] @ recurrent + bias)
    return (y,), (x, state[0], y)


def rnn_back(kept, d, kernel, recurrent, bias):
    x, h, y = kept
    dz = d[0] * (1 - y * y)
    return dz @ kernel.T, (dz @ recurrent.T,), [x.T @ dz, h.T @ dz, dz.sum(axis=0)]


def lstm(layer, x, weights, rng):
    w, zeros = three(layer, x, weights)
    return through_time(lstm_step, lstm_back, x, w, (zeros, zeros))


def gru(layer, x, weights, rng):
    w, zeros = three(layer, x, weights)
    return through_time(gru_step, gru_back, x, w, (zeros,))


def rnn(layer, x, weights, rng):
    w, zeros = three(layer, x, weights)
    return through_time(rnn_step, rnn_back, x, w, (zeros,))


LAYERS = {"embedding": embedding, "positions": positions, "layernorm": layernorm, "attention": attention, "lstm": lstm,
          "gru": gru, "rnn": rnn}  # fmt: skip
