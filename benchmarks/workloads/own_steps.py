"""Training loops of one's own: GANs by train_step, what a step of one's own costs beside fit's, and gradients on demand.

A GAN's step is the one of Keras' examples: the discriminator learns from made and real images in one batch (the generator
is not differentiated there), then the generator learns through the discriminator from other noise. Every peer gets the same
noise as data, and leaves out what is not asked for: the gradient of the discriminator's weights in the second half.
"""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import nets, rows
from benchmarks.workloads.dense import ADS
from benchmarks.workloads.nets import FLATTEN, LEAKY, NORM, conv, conv_transpose, dense, reshape

_GAN = {"kind": "gan", "unit": "µs/step", "lr": 2e-4, "beta_1": 0.5, "optimizer": "adam"}
_LARGE = {"generator": [64, 256, 512, 784], "discriminator": [784, 512, 256, 1], "data": "images", "rows": 1024, "batch": 64}
_SMALL = {"generator": [32, 128, 784], "discriminator": [784, 128, 1], "data": "images", "rows": 2048, "batch": 32}
_POINTS = {"generator": [2, 16, 32, 2], "discriminator": [2, 64, 32, 1], "data": "points", "rows": 2048, "batch": 64}


def _words(spec) -> str:
    return f"{'-'.join(map(str, spec['generator']))} and {'-'.join(map(str, spec['discriminator']))}, batch {spec['batch']}"


WORKLOADS = {
    "gan-large": {
        **_GAN, **_LARGE, "epochs": 4, "slow_epochs": 2, "about": f"dense GAN on images, {_words(_LARGE)}",
        "targets": [("torch", 10), ("peak", 0.6)],
    },
    "gan-small": {
        **_GAN, **_SMALL, "epochs": 10, "slow_epochs": 2, "about": f"dense GAN on images, {_words(_SMALL)}", "targets": [("torch", 10)],
    },
    "gan-points": {
        **_GAN, **_POINTS, "epochs": 40, "slow_epochs": 4, "about": f"dense GAN on points of a curve, {_words(_POINTS)}",
        "targets": [("torch", 10)],
    },
    "dcgan": {
        **_GAN, "generator": "conv", "discriminator": "conv", "latent": 64, "data": "images", "rows": 256, "batch": 64, "epochs": 1,
        "slow_epochs": 1, "about": "DCGAN on 28×28 images, 128-64-1 and 64-128-1 channels, batch 64", "targets": [("torch", 2), ("peak", 0.6)],
    },
    "custom_step": {
        **ADS, "kind": "custom_step", "rows": 6400, "epochs": 20, "slow_epochs": 1, "unit": "×", "targets": [("at_most", 1.1)],
        "about": "a train_step of one's own with a tape on the Ads net, times fit's own step",
    },
    "grad": {
        "kind": "grad", "calls": 5000, "slow_calls": 500, "unit": "µs/call", "targets": [("seconds", 20e-6)],
        "about": "gradient of a function of four values, once compiled",
    },
}  # fmt: skip


# ---- GANs -----------------------------------------------------------------------------------------------------------------
def networks(spec: dict) -> list:
    """[(layers, shape of an input row)] of generator and discriminator. The discriminator's answer is a logit."""
    if spec["generator"] != "conv":
        both = spec["generator"], spec["discriminator"]
        return [(perceptron(sizes, last), (sizes[0],)) for sizes, last in zip(both, ("tanh", None))]
    generator = [{**dense(7 * 7 * 128), "bias": False}, reshape(7, 7, 128), NORM, LEAKY, conv_transpose(64, 4, 2), NORM, LEAKY,
                 conv_transpose(1, 4, 2, bias=True, act="tanh")]  # fmt: skip
    discriminator = [conv(64, 4, 2, bias=True), LEAKY, conv(128, 4, 2), NORM, LEAKY, FLATTEN, dense(1)]
    return [(generator, (spec["latent"],)), (discriminator, (28, 28, 1))]


def perceptron(sizes, last) -> list[dict]:
    return [layer for n in sizes[1:-1] for layer in (dense(n), LEAKY)] + [dense(sizes[-1], last)]


def first_weights(spec: dict) -> list:
    """The first weights of generator and of discriminator, in the order of nets.walk()."""
    return [nets.first_weights(layers, shape, np.random.default_rng(seed)) for seed, (layers, shape) in enumerate(networks(spec))]


def data(spec: dict) -> dict:
    """{"real": rows between -1 and 1, "z1", "z2": noise for the two halves of a step}, float32."""
    rng, n = np.random.default_rng(0), spec["rows"]
    (_, latent), (_, shape) = networks(spec)
    if spec["data"] == "points":
        angle = rng.uniform(-np.pi, np.pi, n)
        real = np.stack([angle / np.pi, np.sin(angle)], axis=1)
    else:
        real = 2 * (rows.mnist() or rows.synthetic_digits(rng))[0][:n] - 1
    z1, z2 = rng.standard_normal((2, n, *latent), np.float32)
    return {"real": real.astype(np.float32).reshape(n, *shape), "z1": z1, "z2": z2}


def gan_flops(spec: dict) -> float:
    """Of one step: forward, weight gradient and input gradient take as many; the first layers have no input gradient, the
    discriminator of the second half no weight gradient, and the generator of the first half no gradient."""
    g, d = (nets.products_of(*network) for network in networks(spec))
    first = sum(g) + 2 * (3 * sum(d) - d[0])
    second = 3 * sum(g) - g[0] + 2 * sum(d)
    return 2.0 * spec["batch"] * (first + second)


# ---- gradients on demand ----------------------------------------------------------------------------------------------------
POINT = np.array([0.3, -0.7, 1.1, 0.2], np.float32)


def gradient() -> np.ndarray:
    """Of the sum of tanh(x) exp(-x²), which every peer writes in its own words, at POINT."""
    x = POINT.astype(np.float64)
    return np.exp(-x * x) * (1 - np.tanh(x) ** 2 - 2 * x * np.tanh(x))
