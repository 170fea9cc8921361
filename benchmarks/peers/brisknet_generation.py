"""Generation and single steps in brisknet: see workloads/generation.py. Only brisknet generates with a cache under Keras' names."""

from __future__ import annotations

import brisknet
import numpy as np
from brisknet import layers as L

from benchmarks.peers.worker import Task
from benchmarks.workloads import generation


def gpt(spec: dict):
    """The model with the workload's weights."""
    width, heads = spec["width"], spec["heads"]
    inputs = L.Input((None,), dtype="int32")
    x = L.Embedding(spec["vocabulary"], width)(inputs)
    x = L.Add()([x, L.PositionEmbedding(spec["context"])(x)])
    for _ in range(spec["blocks"]):
        y = L.LayerNormalization(epsilon=generation.EPSILON)(x)
        x = L.Add()([x, L.MultiHeadAttention(heads, width // heads)(y, y, use_causal_mask=True)])
        y = L.Dense(4 * width, "gelu")(L.LayerNormalization(epsilon=generation.EPSILON)(x))
        x = L.Add()([x, L.Dense(width)(y)])
    x = L.LayerNormalization(epsilon=generation.EPSILON)(x)
    model = brisknet.Model(inputs, L.Dense(spec["vocabulary"], use_bias=False)(x))
    model.set_weights(_in_layers(generation.weights(spec), width, heads))
    return model


def _in_layers(weights, width, heads):
    """The workload's weights as MultiHeadAttention has them: kernels and biases of q, k and v apart."""
    weights, out, size = iter(weights), [], width // heads
    for w in weights:
        if w.shape == (width, 3 * width):
            b = next(weights)
            for kernel, bias in zip(np.split(w, 3, axis=1), np.split(b, 3), strict=True):
                out += [kernel.reshape(width, heads, size), bias.reshape(heads, size)]
            out.append(next(weights).reshape(heads, size, width))
        else:
            out.append(w)
    return out


def lstm(spec: dict):
    inputs = L.Input(batch_shape=(1, 1, spec["features"]))
    model = brisknet.Model(inputs, L.LSTM(spec["units"], stateful=True)(inputs))
    model.set_weights(generation.weights(spec))
    return model


def variants(spec: dict, calls: int) -> dict:
    if spec["kind"] == "generate":
        return {"model.generate": lambda: generate_task(spec)}
    return {"model(x)": lambda: step_task(spec, calls)} if spec["kind"] == "lstm_step" else {}


def generate_task(spec: dict) -> Task:
    model, given = gpt(spec), generation.prompt(spec)

    def run():
        model.generate(given, spec["tokens"], temperature=spec["temperature"], seed=1)

    run()
    return Task(run, spec["tokens"], info={"executor": model._programs["generate"].executor})


def step_task(spec: dict, calls: int) -> Task:
    model, x = lstm(spec), generation.rows(spec, 1)[0]

    def run():
        for _ in range(calls):
            model(x)

    run()
    return Task(run, calls, info={"model": model})


def outputs(spec: dict) -> np.ndarray:
    if spec["kind"] == "lstm_step":
        model = lstm(spec)
        return np.concatenate([np.asarray(model(x)) for x in generation.rows(spec, generation.GATE_STEPS)])
    return gpt(spec).generate(generation.prompt(spec), generation.GATE_TOKENS, temperature=0)[None, spec["prompt"] :]
