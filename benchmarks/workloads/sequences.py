"""Recurrent networks and GPTs: training steps. Their layers are dictionaries as in nets.py, which gives them to every peer.

The recurrent nets read 100 tokens and judge the last state; the GPT is the one of examples/char_gpt.py: learned positions,
blocks that normalise first, a head without a bias that gives logits.
"""

from __future__ import annotations

import numpy as np

EPSILON = 1e-5  # of layer normalisation
GATE_STEPS = 40  # not a multiple of any vector length

_FIT = {"kind": "fit", "dropout": 0.0, "l1": 0.0, "lr": 1e-3, "data": "tokens", "epochs": 1, "slow_epochs": 1, "unit": "ms/step"}
_RNN = {**_FIT, "vocabulary": 5000, "steps": 100, "features": 64, "units": 128, "optimizer": "adam", "loss": "bce", "batch": 32, "rows": 640}
_GPT = {**_FIT, "sequence": "gpt", "vocabulary": 65, "optimizer": "adamw", "weight_decay": 0.1, "loss": "scce"}
_ABOUT = "128 units, embedding 64 of 5,000 words, 100 steps, Adam, batch 32"

WORKLOADS = {
    "lstm32": {
        **_RNN, "sequence": "lstm", "about": f"LSTM, {_ABOUT}", "targets": [("pytorch", 1.6), ("keras", 5), ("c", 1 / 1.25)],
    },
    "gru32": {**_RNN, "sequence": "gru", "about": f"GRU, {_ABOUT}", "targets": [("pytorch", 3.0), ("c", 1 / 1.25)]},
    "rnn32": {**_RNN, "sequence": "rnn", "about": f"SimpleRNN, {_ABOUT}", "targets": [("pytorch", 3.0)]},
    "gpt128": {
        **_GPT, "steps": 64, "blocks": 4, "heads": 4, "width": 128, "batch": 12, "rows": 240,
        "about": "GPT of 4 blocks, 4 heads, width 128, context 64, AdamW, batch 12", "targets": [("pytorch", 1.8), ("peak", 0.5)],
    },
    "gpt384": {
        **_GPT, "steps": 256, "blocks": 6, "heads": 6, "width": 384, "batch": 8, "rows": 24,
        "about": "GPT of 6 blocks, 6 heads, width 384, context 256, AdamW, batch 8", "targets": [("pytorch", 1.25), ("peak", 0.6)],
    },
}  # fmt: skip


# ---- layers ---------------------------------------------------------------------------------------------------------------
NORM = {"op": "layernorm"}


def dense(n, act=None, bias=True):
    return {"op": "dense", "n": n, "act": act, "l1": 0.0, "bias": bias}


def add(*main):
    """x plus what the layers of `main` make of it."""
    return {"op": "add", "main": list(main)}


def recurrent(spec):
    """A layer over all steps, of which the last state is kept, between an embedding and a judgement."""
    return [{"op": "embedding", "vocabulary": spec["vocabulary"], "n": spec["features"]},
            {"op": spec["sequence"], "n": spec["units"], "unroll": spec.get("unroll", 1)}, dense(1, "sigmoid")]  # fmt: skip


def gpt(spec):
    width = spec["width"]
    layers = [{"op": "embedding", "vocabulary": spec["vocabulary"], "n": width}, {"op": "positions", "steps": spec["steps"]}]
    for _ in range(spec["blocks"]):
        layers.append(add(NORM, {"op": "attention", "heads": spec["heads"], "size": width // spec["heads"]}))
        layers.append(add(NORM, dense(4 * width, "gelu"), dense(width)))
    return [*layers, NORM, dense(spec["vocabulary"], bias=False)]


def layers(spec: dict) -> list[dict]:
    return gpt(spec) if spec["sequence"] == "gpt" else recurrent(spec)


RECURRENT = {"lstm": 4, "gru": 3, "rnn": 1}  # gates


def weight_shapes(layer: dict, before: tuple) -> list[tuple] | None:
    """In Keras' order and layouts; None for layers of others. A GRU has a bias for its input and one for its state."""
    op, c = layer["op"], before[-1]
    if op in RECURRENT:
        n, wide = layer["n"], RECURRENT[op] * layer["n"]
        return [(c, wide), (n, wide), (2, wide) if op == "gru" else (wide,)]
    if op == "attention":
        head = layer["heads"], c // layer["heads"]
        return [(c, *head), head] * 3 + [(*head, c), (c,)]
    return {"embedding": [(layer.get("vocabulary"), layer.get("n"))], "positions": [before], "layernorm": [(c,), (c,)]}.get(op)


def products(layer: dict, before: tuple) -> int | None:
    """Multiply-adds of one row's forward pass; None for layers without products or of others. Causal attention needs half
    of the pairs of positions."""
    op = layer["op"]
    if op == "embedding":
        return 0
    if op in RECURRENT:
        return before[0] * sum(int(np.prod(shape)) for shape in weight_shapes(layer, before)[:2])
    if op == "attention":
        steps, width = before
        return 4 * steps * width**2 + steps**2 * width
    return None


# ---- rows -----------------------------------------------------------------------------------------------------------------
def data(spec: dict):
    """(tokens int32 [rows, steps], answers): float32 [rows, 1], or the tokens one further for a GPT."""
    rng = np.random.default_rng(0)
    gpt = spec["sequence"] == "gpt"
    tokens = rng.integers(0, spec["vocabulary"], (spec["rows"], spec["steps"] + gpt)).astype(np.int32)
    if gpt:
        return tokens[:, :-1].copy(), tokens[:, 1:].copy()
    return tokens, rng.integers(0, 2, (spec["rows"], 1)).astype(np.float32)


def smaller(spec: dict, steps: int) -> dict:
    """The same network, but of fewer steps, and for three batches; a GPT with one block and small batches."""
    batch = min(spec["batch"], 4) if spec["sequence"] == "gpt" else spec["batch"]
    return {**spec, "steps": min(spec["steps"], steps), "batch": batch, "rows": 3 * batch, **({"blocks": 1} if "blocks" in spec else {})}
