"""Critics whose gradient penalties PyTorch has differentiated: weights in the order of the layers' own."""

from __future__ import annotations

import numpy as np

SLOPE, EPSILON, WEIGHT = 0.2, 1e-3, 10.0  # of LeakyReLU and LayerNormalization, and the penalty's own

# name -> (shape of the samples, shapes of the weights)
CRITICS = {
    # Dense 8, LayerNormalization, LeakyReLU, Dense 7, LeakyReLU, Dense 1
    "dense": ((5, 6), [(6, 8), (8,), (8,), (8,), (8, 7), (7,), (7, 1), (1,)]),
    # Conv2D 4, strides 2, LeakyReLU, Conv2D 5, strides 2, LayerNormalization, LeakyReLU, Flatten, Dense 1
    "conv": ((3, 8, 7, 2), [(3, 3, 2, 4), (4,), (3, 3, 4, 5), (5,), (5,), (5,), (20, 1), (1,)]),
    # Conv2DTranspose 3, strides 2, LeakyReLU, MaxPooling2D, Conv2D 4, tanh, AveragePooling2D, Flatten, Dense 1
    "pooling": ((2, 4, 4, 2), [(3, 3, 3, 2), (3,), (3, 3, 3, 4), (4,), (16, 1), (1,)]),
    # MultiHeadAttention of 2 heads of 3, the sum with its input, LayerNormalization, Flatten, Dense 1
    "attention": (
        (3, 5, 4),
        [(4, 2, 3), (2, 3), (4, 2, 3), (2, 3), (4, 2, 3), (2, 3), (2, 3, 4), (4,), (4,), (4,), (20, 1), (1,)],
    ),
}


def drawn(name: str):
    """(samples, weights), float32 values."""
    draw = np.random.default_rng(list(CRITICS).index(name))
    shape, shapes = CRITICS[name]
    values = [draw.normal(size=shape), *(draw.normal(size=s) * (1.5 / np.sqrt(np.prod(s[:-1]) or 1)) for s in shapes)]
    x, *weights = (v.astype("float32") for v in values)
    return x, weights
