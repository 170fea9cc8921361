"""An independent fit in NumPy float64, the judge of every peer's loss curve. It shares no code with any of them."""

from __future__ import annotations

import numpy as np

from benchmarks import reference_sequences, workloads
from benchmarks.workloads.nets import EPSILON


def losses(spec: dict, seed: int, epochs: int) -> list[float]:
    """Mean loss (penalties included) of each epoch of one fit from the shared first weights."""
    if spec["kind"] == "gan":
        from benchmarks import reference_gan

        return reference_gan.losses(spec, seed, epochs)
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
                weights[i] = weights[i] * (1 - spec["lr"] * spec.get("weight_decay", 0.0)) + change(spec, g, m, v, i, t)
        out.append(float(np.mean(total)))
    return out


def change(spec, g, m, v, i, t):
    """What step t adds to weight i, whose state is m[i] and v[i]."""
    if spec["optimizer"] == "sgd":
        return -spec["lr"] * g
    if spec["optimizer"] == "momentum":
        m[i] = 0.9 * m[i] - spec["lr"] * g
        return m[i]
    squares = g.squares if spec.get("squares_apart") and hasattr(g, "squares") else g * g
    m[i] = 0.9 * m[i] + 0.1 * np.asarray(g)
    v[i] = 0.999 * v[i] + 0.001 * np.asarray(squares)
    corrected = np.sqrt(1 - 0.999**t)
    epsilon = 1e-7 * (corrected if spec.get("epsilon_after") else 1.0)
    return -spec["lr"] * corrected / (1 - 0.9**t) * m[i] / (np.sqrt(v[i]) + epsilon)


def outputs(spec: dict) -> np.ndarray:
    """Probabilities of the rows, by the first weights; or what a workload of own_steps.py or generation.py asks for."""
    if spec["kind"] == "grad":
        return workloads.own_steps.gradient()[None]
    if spec["kind"] in ("generate", "lstm_step"):
        return workloads.generation.expected(spec)
    x, _ = workloads.data(spec)
    weights = [w.astype(np.float64) for w in workloads.initial_weights(spec)]
    z, _ = chain(workloads.layers(spec), x.astype(np.float64), iter(weights), None, logits=True)
    if spec["loss"] == "bce":
        return 1 / (1 + np.exp(-z))
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_and_gradients(spec, weights, x, y, rng):
    """One batch: (loss, gradient of each weight; zero for moving statistics)."""
    return network_loss(workloads.layers(spec), weights, x, y, rng, spec["loss"])


def network_loss(layers, weights, x, y, rng, kind):
    """loss_and_gradients() of these layers; kind "bce" or "scce"."""
    z, backward = chain(layers, x, iter(weights), rng, logits=True)
    if kind == "bce":
        loss = np.mean(np.logaddexp(0, z) - z * y)
        d = (1 / (1 + np.exp(-z)) - y) / y.size
    else:
        shape, z, y = z.shape, z.reshape(-1, z.shape[-1]), y.reshape(-1)  # a prediction a row, or a position of a row
        z = z - z.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(p[np.arange(len(y)), y]))
        d = ((p - np.eye(z.shape[1])[y]) / len(y)).reshape(shape)
    _, grads = backward(d)
    i = 0
    for layer, before, _ in workloads.walk(layers, x.shape[1:]):
        if layer.get("l1"):
            loss += layer["l1"] * np.abs(weights[i]).sum()
            grads[i] = grads[i] + layer["l1"] * np.sign(weights[i])
        i += len(workloads.weight_shapes(layer, before))
    return loss, grads


# ---- layers: each gives (y, backward), and backward(dy) gives (dx, gradients of its weights) ----------------------------
def chain(layers, x, weights, rng, logits=False):
    """One layer after another; with `logits` without the activation of the last."""
    steps = []
    for i, layer in enumerate(layers):
        x, step = LAYERS[layer["op"]](layer, x, weights, rng)
        steps.append(step)
        if layer.get("act") and not (logits and i == len(layers) - 1):
            x, step = ACTIVATIONS[layer["act"]](x)
            steps.append(step)

    def backward(d):
        grads = []
        for step in reversed(steps):
            d, own = step(d)
            grads = own + grads
        return d, grads

    return x, backward


def relu(x):
    return np.maximum(x, 0), lambda d: (d * (x > 0), [])


def tanh(x):
    y = np.tanh(x)
    return y, lambda d: (d * (1 - y * y), [])


ACTIVATIONS = {"relu": relu, "tanh": tanh, "gelu": reference_sequences.gelu}


def dense(layer, x, weights, rng):
    w, b = next(weights), next(weights) if layer.get("bias", True) else 0.0

    def backward(d):
        rows = d.reshape(-1, d.shape[-1])
        return d @ w.T, [x.reshape(-1, x.shape[-1]).T @ rows, *([rows.sum(axis=0)] if layer.get("bias", True) else [])]

    return x @ w + b, backward


def dropout(layer, x, weights, rng):
    mask = 1.0 if rng is None else (rng.random(x.shape) >= layer["rate"]) / (1 - layer["rate"])
    return x * mask, lambda d: (d * mask, [])


def padded(layer, x):
    """(x with the zeros that "same" asks for, how to cut a gradient back)."""
    k, s = layer["k"], layer["stride"]
    pad = []
    for n in x.shape[1:3]:
        total = max((-(-n // s) - 1) * s + k - n, 0) if layer["same"] else 0
        pad.append((total // 2, total - total // 2))
    inner = (slice(None), *(slice(a, a + n) for (a, _), n in zip(pad, x.shape[1:3])))
    return np.pad(x, ((0, 0), *pad, (0, 0))), inner


def taps(layer, x):
    """(i, j, slice of the padded x that kernel place i, j meets)."""
    k, s = layer["k"], layer["stride"]
    h, w = ((n - k) // s + 1 for n in x.shape[1:3])
    for i in range(k):
        for j in range(k):
            yield i, j, (slice(None), slice(i, i + s * h, s), slice(j, j + s * w, s))


def conv(layer, x, weights, rng):
    w, b = next(weights), next(weights) if layer["bias"] else 0.0
    x, inner = padded(layer, x)
    places = list(taps(layer, x))
    shape = (*x[places[0][2]].shape[:3], w.shape[3])
    met = lambda at: x[at].reshape(-1, w.shape[2])  # noqa: E731
    y = (sum(met(at) @ w[i, j] for i, j, at in places) + b).reshape(shape)

    def backward(d):
        rows = d.reshape(-1, w.shape[3])
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for i, j, at in places:
            dx[at] += (rows @ w[i, j].T).reshape(x[at].shape)
            dw[i, j] = met(at).T @ rows
        return dx[inner], [dw, *([rows.sum(axis=0)] if layer["bias"] else [])]

    return y, backward


def depthwise(layer, x, weights, rng):
    w = next(weights)
    x, inner = padded(layer, x)
    y = sum(x[at] * w[i, j, :, 0] for i, j, at in taps(layer, x))

    def backward(d):
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for i, j, at in taps(layer, x):
            dx[at] += d * w[i, j, :, 0]
            dw[i, j, :, 0] = (x[at] * d).sum(axis=(0, 1, 2))
        return dx[inner], [dw]

    return y, backward


def norm(layer, x, weights, rng):
    """Batch normalisation by the batch's own mean and variance; nothing here reads the moving ones."""
    gamma, beta, mean, variance = (next(weights) for _ in range(4))
    axes = tuple(range(x.ndim - 1))
    scale = 1 / np.sqrt(x.var(axis=axes) + EPSILON)
    h = (x - x.mean(axis=axes)) * scale

    def backward(d):
        g = d * gamma
        dx = scale * (g - g.mean(axis=axes) - h * (g * h).mean(axis=axes))
        return dx, [(d * h).sum(axis=axes), d.sum(axis=axes), np.zeros_like(mean), np.zeros_like(variance)]

    return h * gamma + beta, backward


def pool(layer, x, weights, rng):
    """Largest of 2 × 2; the first of equals gets the gradient."""
    b, h, w, c = x.shape
    parts = x.reshape(b, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(b, h // 2, w // 2, c, 4)
    best = parts.argmax(axis=-1)

    def backward(d):
        dx = (np.arange(4) == best[..., None]) * d[..., None]
        return dx.reshape(b, h // 2, w // 2, c, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(x.shape), []

    return parts.max(axis=-1), backward


def flatten(layer, x, weights, rng):
    return x.reshape(len(x), -1), lambda d: (d.reshape(x.shape), [])


def mean(layer, x, weights, rng):
    size = x.shape[1] * x.shape[2]
    return x.mean(axis=(1, 2)), lambda d: (np.broadcast_to(d[:, None, None] / size, x.shape), [])


def residual(layer, x, weights, rng):
    a, main = chain(layer["main"], x, weights, rng)
    b, short = chain(layer["short"], x, weights, rng)
    y, cut = relu(a + b)

    def backward(d):
        d, _ = cut(d)
        (da, ga), (db, gb) = main(d), short(d)
        return da + db, ga + gb

    return y, backward


def add(layer, x, weights, rng):
    y, main = chain(layer["main"], x, weights, rng)

    def backward(d):
        dx, grads = main(d)
        return d + dx, grads

    return x + y, backward


LAYERS = {**reference_sequences.LAYERS, "add": add, "dense": dense, "dropout": dropout, "conv": conv, "depthwise": depthwise, "norm": norm, "pool": pool,
          "flatten": flatten, "mean": mean, "residual": residual, "relu": lambda layer, x, weights, rng: relu(x)}  # fmt: skip
