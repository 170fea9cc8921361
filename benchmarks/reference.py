"""An independent fit in NumPy float64, the judge of every peer's loss curve. It shares no code with any of them."""

from __future__ import annotations

import numpy as np

from benchmarks import workloads


def losses(spec: dict, seed: int, epochs: int) -> list[float]:
    """Mean loss (penalties included) of each epoch of one fit from the shared first weights."""
    rng = np.random.default_rng(seed)
    x, y = workloads.data(spec)
    x, y = x.astype(np.float64), y if spec["loss"] == "scce" else y.astype(np.float64)
    weights = [w.astype(np.float64) for w in workloads.initial_weights(spec)]
    m, v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    out, t = [], 0
    for _ in range(epochs):
        order = rng.permutation(len(x)) if spec.get("shuffle", True) else np.arange(len(x))
        total = []
        for start in range(0, len(x), spec["batch"]):
            at = order[start : start + spec["batch"]]
            loss, grads = loss_and_gradients(spec, weights, x[at], y[at], rng)
            total.append(loss)
            t += 1
            for i, g in enumerate(grads):
                if spec["optimizer"] == "sgd":
                    weights[i] = weights[i] - spec["lr"] * g
                    continue
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g * g
                corrected = np.sqrt(1 - 0.999**t)
                epsilon = 1e-7 * (corrected if spec.get("epsilon_after") else 1.0)
                weights[i] = weights[i] - spec["lr"] * corrected / (1 - 0.9**t) * m[i] / (np.sqrt(v[i]) + epsilon)
        out.append(float(np.mean(total)))
    return out


def loss_and_gradients(spec, weights, x, y, rng):
    """One batch: (loss, gradient of each weight)."""
    last = len(weights) // 2 - 1
    inputs, outputs, masks = [x], [], []
    for i in range(last):
        z = inputs[-1] @ weights[2 * i] + weights[2 * i + 1]
        h = np.maximum(z, 0) if spec["act"] == "relu" else np.tanh(z)
        outputs.append(h)
        p = spec["dropout"]
        masks.append((rng.random(h.shape) >= p) / (1 - p) if p else 1.0)
        inputs.append(h * masks[-1])
    z = inputs[-1] @ weights[-2] + weights[-1]
    if spec["loss"] == "bce":
        loss = np.mean(np.logaddexp(0, z) - z * y)
        d = (1 / (1 + np.exp(-z)) - y) / y.size
    else:
        z = z - z.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(p[np.arange(len(y)), y]))
        d = (p - np.eye(z.shape[1])[y]) / len(y)
    grads = [None] * len(weights)
    for i in range(last, -1, -1):
        grads[2 * i], grads[2 * i + 1] = inputs[i].T @ d, d.sum(axis=0)
        if i:
            h = outputs[i - 1]
            d = (d @ weights[2 * i].T) * masks[i - 1] * ((h > 0) if spec["act"] == "relu" else 1 - h * h)
    for i in range(last):
        loss += spec["l1"] * np.abs(weights[2 * i]).sum()
        grads[2 * i] = grads[2 * i] + spec["l1"] * np.sign(weights[2 * i])
    return loss, grads
