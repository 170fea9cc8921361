"""Functions whose derivatives JAX and TensorFlow have computed: written for any namespace m of array functions."""

import numpy as np

rng = np.random.default_rng(0)
X, W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=4)

# name: (function of (m, *arrays) with a scalar value, the arrays)
SCALARS = {
    "tanh_net": (lambda m, w, x: m.sum(m.tanh(m.matmul(x, w)) ** 2), (W, X)),
    "log_sum_exp": (lambda m, v: m.log(m.sum(m.exp(v - m.max(v)))) + m.max(v), (V,)),
    "rosenbrock": (lambda m, v: m.sum(100.0 * (v[1:] - v[:-1] ** 2) ** 2 + (1.0 - v[:-1]) ** 2), (V,)),
    "norms": (lambda m, x: m.mean(m.sqrt(m.sum(m.square(x), axis=1) + 1e-3)), (X,)),
    "broadcast": (lambda m, v, x: m.sum(m.exp(-m.square(x - v)) / (1.0 + m.abs(v))), (V, X)),
}
# name: (function of (m, *arrays) with an array value, the arrays)
ARRAYS = {
    "softmax": (lambda m, v: m.exp(v) / m.sum(m.exp(v)), (V,)),
    "matmul": (lambda m, w, x: m.sin(m.matmul(x, w)), (W, X)),
    "outer": (lambda m, v: v[:, None] * m.cos(v)[None, :], (V,)),
}


def critic_weights():
    """Weights of a small critic, and the samples between which the gradient penalty is taken."""
    draw = np.random.default_rng(1)
    return [draw.normal(size=s).astype("float32") * 0.7 for s in ((4, 8), (8,), (8, 1), (1,), (5, 4))]
