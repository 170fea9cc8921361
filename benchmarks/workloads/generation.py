"""Text drawn token by token from a small GPT, and one step of a stateful LSTM: what an interactive program waits for.

Every peer gets the same weights. The gate compares the tokens that each draws at temperature 0, and the states of the LSTM;
what is timed draws from the softmax of the logits.
"""

from __future__ import annotations

import numpy as np

_GPT = {"vocabulary": 65, "context": 256, "blocks": 4, "heads": 4, "width": 128}

WORKLOADS = {
    "generate": {
        **_GPT, "kind": "generate", "prompt": 16, "tokens": 240, "temperature": 0.8, "unit": "µs/token", "targets": [("torch", 5)],
        "about": "text from a GPT of 4 blocks, 4 heads, width 128, one stream: 240 characters after 16",
    },
    "lstm_step": {
        "kind": "lstm_step", "features": 64, "units": 128, "calls": 4000, "slow_calls": 200, "unit": "µs/call",
        "targets": [("seconds", 15e-6)], "about": "one step of a stateful LSTM, 128 units, 64 features, one row, from Python",
    },
}  # fmt: skip

EPSILON = 1e-5  # of layer normalisation
GATE_TOKENS, GATE_STEPS = 40, 20


def shapes(spec: dict) -> list[tuple]:
    """(mean, *shape) of a GPT's weights in order: tokens, positions; for each block norm, q k v, output, norm, two dense layers;
    norm, head."""
    w, v = spec["width"], spec["vocabulary"]
    norm = [(1, w), (0, w)]
    block = [*norm, (0, w, 3 * w), (0, 3 * w), (0, w, w), (0, w), *norm, (0, w, 4 * w), (0, 4 * w), (0, 4 * w, w), (0, w)]
    return [(0, v, w), (0, spec["context"], w), *spec["blocks"] * block, *norm, (0, w, v)]


def weights(spec: dict) -> list[np.ndarray]:
    """float32; of a scale that makes the choices of the GPT clear."""
    rng = np.random.default_rng(0)
    if spec["kind"] == "lstm_step":
        f, u = spec["features"], spec["units"]
        return [(rng.standard_normal(s) / np.sqrt(u)).astype(np.float32) for s in ((f, 4 * u), (u, 4 * u), (4 * u,))]
    made = []
    for mean, *shape in shapes(spec):
        draw = rng.standard_normal(shape)
        made.append((mean + (1.5 / np.sqrt(spec["width"]) if len(shape) == 2 else 0.1) * draw).astype(np.float32))
    return made


def prompt(spec: dict) -> np.ndarray:
    return np.random.default_rng(1).integers(0, spec["vocabulary"], spec["prompt"]).astype(np.int32)


def rows(spec: dict, count: int) -> np.ndarray:
    """float32 [count, 1, 1, features]: the inputs of so many steps of the LSTM."""
    return np.random.default_rng(2).standard_normal((count, 1, 1, spec["features"])).astype(np.float32)


# ---- the judge: NumPy, float64 ----------------------------------------------------------------------------------------------
def expected(spec: dict) -> np.ndarray:
    """[1, GATE_TOKENS] of tokens that temperature 0 draws, or the states [GATE_STEPS, units] of the LSTM."""
    values = [w.astype(np.float64) for w in weights(spec)]
    if spec["kind"] == "lstm_step":
        return _states(values, rows(spec, GATE_STEPS).astype(np.float64))
    tokens = list(prompt(spec))
    for _ in range(GATE_TOKENS):
        tokens.append(int(np.argmax(_gpt(spec, iter(values), np.array(tokens))[-1])))
    return np.array(tokens[spec["prompt"] :], np.float64)[None]


def _norm(x, gamma, beta):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON) * gamma + beta


def _gelu(x):
    from math import erf

    return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def _gpt(spec, w, tokens):
    """Logits [T, vocabulary]."""
    t, heads, size = len(tokens), spec["heads"], spec["width"] // spec["heads"]
    x = next(w)[tokens] + next(w)[:t]
    for _ in range(spec["blocks"]):
        qkv = _norm(x, next(w), next(w)) @ next(w) + next(w)
        q, k, v = qkv.reshape(t, 3, heads, size).transpose(1, 2, 0, 3)
        s = q @ k.transpose(0, 2, 1) / np.sqrt(size)
        s = np.exp(np.where(np.tri(t, dtype=bool), s - s.max(-1, keepdims=True), -np.inf))
        x = x + (s / s.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(t, -1) @ next(w) + next(w)
        x = x + _gelu(_norm(x, next(w), next(w)) @ next(w) + next(w)) @ next(w) + next(w)
    return _norm(x, next(w), next(w)) @ next(w)


def _states(w, x):
    kernel, recurrent, bias = w
    h = c = np.zeros((1, len(recurrent)))
    out = []
    for row in x[:, 0]:
        i, f, g, o = np.split(row @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-z)) for z in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        out.append(h[0])
    return np.array(out)
