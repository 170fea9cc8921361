"""GANs in NumPy float64, the judge of every peer's loss curves: see reference.py."""

from __future__ import annotations

import numpy as np

from benchmarks import reference
from benchmarks.workloads import own_steps
from benchmarks.workloads.nets import SLOPE


def losses(spec: dict, seed: int, epochs: int) -> list[float]:
    """Mean loss of the discriminator, then of the generator, for each epoch from the shared first weights."""
    rng = np.random.default_rng(seed)
    data = {name: rows.astype(np.float64) for name, rows in own_steps.data(spec).items()}
    weights = [[w.astype(np.float64) for w in of_one] for of_one in own_steps.first_weights(spec)]
    optimizers = [Adam(spec, of_one) for of_one in weights]
    out = []
    for _ in range(epochs):
        order = rng.permutation(spec["rows"]) if spec.get("shuffle", True) else np.arange(spec["rows"])
        total = []
        for start in range(0, spec["rows"], spec["batch"]):
            at = order[start : start + spec["batch"]]
            total.append(step(spec, weights, optimizers, *(data[name][at] for name in ("real", "z1", "z2"))))
        out += list(np.mean(total, axis=0))
    return out


def step(spec, weights, optimizers, real, z1, z2):
    """(discriminator's loss, generator's loss) of one step, which changes the weights."""
    (g, _), (d, _) = own_steps.networks(spec)
    made, _ = reference.chain(g, z1, iter(weights[0]), None)
    answers, backward = reference.chain(d, np.concatenate([made, real]), iter(weights[1]), None)
    labels = np.concatenate([np.zeros((len(made), 1)), np.ones((len(real), 1))])
    d_loss, up = crossentropy(answers, labels)
    optimizers[1].apply(backward(up)[1])
    made, generator_backward = reference.chain(g, z2, iter(weights[0]), None)
    answers, backward = reference.chain(d, made, iter(weights[1]), None)
    g_loss, up = crossentropy(answers, np.ones((len(made), 1)))
    optimizers[0].apply(generator_backward(backward(up)[0])[1])
    return d_loss, g_loss


def crossentropy(logits, labels):
    """(binary crossentropy, its gradient)."""
    loss = np.mean(np.logaddexp(0, logits) - logits * labels)
    return loss, (1 / (1 + np.exp(-logits)) - labels) / labels.size


class Adam:
    def __init__(self, spec, weights):
        self.spec, self.weights, self.t = spec, weights, 0
        self.m, self.v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]

    def apply(self, grads) -> None:
        b1, b2 = self.spec["beta_1"], 0.999
        self.t += 1
        corrected = np.sqrt(1 - b2**self.t)
        epsilon = 1e-7 * (corrected if self.spec.get("epsilon_after") else 1.0)
        for i, g in enumerate(grads):
            self.m[i] = b1 * self.m[i] + (1 - b1) * g
            self.v[i] = b2 * self.v[i] + (1 - b2) * g * g
            self.weights[i] = self.weights[i] - self.spec["lr"] * corrected / (1 - b1**self.t) * self.m[i] / (np.sqrt(self.v[i]) + epsilon)


# ---- layers that only GANs have --------------------------------------------------------------------------------------------
def leaky(layer, x, weights, rng):
    slope = np.where(x > 0, 1.0, SLOPE)
    return x * slope, lambda d: (d * slope, [])


def reshape(layer, x, weights, rng):
    return x.reshape(len(x), *layer["shape"]), lambda d: (d.reshape(x.shape), [])


def conv_transpose(layer, x, weights, rng):
    """The input gradient of a convolution from the larger images to x."""
    w, b = next(weights), next(weights) if layer["bias"] else 0.0
    shape = (len(x), *(n * layer["stride"] for n in x.shape[1:3]), layer["n"])
    larger, inner = reference.padded(layer, np.zeros(shape))
    places = list(reference.taps(layer, larger))
    for i, j, at in places:
        larger[at] += x @ w[i, j].T

    def backward(d):
        wide = np.zeros_like(larger)
        wide[inner] = d
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for i, j, at in places:
            dx += wide[at] @ w[i, j]
            dw[i, j] = wide[at].reshape(-1, layer["n"]).T @ x.reshape(-1, x.shape[-1])
        return dx, [dw, *([d.sum(axis=(0, 1, 2))] if layer["bias"] else [])]

    return larger[inner] + b, backward


reference.LAYERS.update({"leaky": leaky, "reshape": reshape, "conv_transpose": conv_transpose})
