"""brisknet.kernels by hand, and the same by plain NumPy, as closures over ready arrays: for compare and test_kernels.py."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np


def module(implementation: str):
    """brisknet.kernels.native or .reference; ImportError where the first is not built."""
    return importlib.import_module(f"brisknet.kernels.{'native' if implementation == 'native' else 'reference'}")


def _normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def matmul_call(implementation: str, shape, layout: str) -> Callable:
    """op(a) op(b) into a ready array; shape is (rows, inner, columns), layout "NN", "NT" or "TN"."""
    (m, k, n), ta, tb = shape, layout[0] == "T", layout[1] == "T"
    a, b = _normal(*((k, m) if ta else (m, k))), _normal(*((n, k) if tb else (k, n)), seed=1)
    out = np.empty((m, n), np.float32)
    if implementation == "numpy":
        left, right = a.T if ta else a, b.T if tb else b
        return lambda: np.matmul(left, right, out=out)
    matmul = module(implementation).matmul
    return lambda: matmul(a, b, ta, tb, out)


def adam_call(implementation: str, n: int) -> tuple[Callable, np.ndarray]:
    """(one Adam update of n parameters, the parameters)."""
    p, g, m, v = _normal(n), _normal(n, seed=1), np.zeros(n, np.float32), np.zeros(n, np.float32)
    if implementation != "numpy":
        update = module(implementation).adam_update
        return (lambda: update(p, g, m, v, iterations=9)), p
    alpha = np.float32(1e-3 * np.sqrt(1 - 0.999**10) / (1 - 0.9**10))

    def plain():
        np.add(m, (g - m) * np.float32(0.1), out=m)
        np.add(v, (g * g - v) * np.float32(0.001), out=v)
        np.subtract(p, alpha * m / (np.sqrt(v) + np.float32(1e-7)), out=p)

    return plain, p


def dense_forward_call(implementation: str, m: int, k: int, n: int) -> Callable:
    """relu(x w + b) with weights packed beforehand."""
    x, w, b, out = _normal(m, k), _normal(k, n, seed=1), _normal(n, seed=2), np.empty((m, n), np.float32)
    if implementation == "numpy":
        return lambda: np.maximum(np.add(np.matmul(x, w, out=out), b, out=out), 0, out=out)
    kernels = module(implementation)
    packed = kernels.pack_weights(w)
    return lambda: kernels.dense_forward(x, packed, b, "relu", 0.0, out)


def dense_backward_call(implementation: str, m: int, k: int, n: int) -> Callable:
    """(dx, dw, db) of relu(x w + b)."""
    dy, x, w = _normal(m, n, seed=3), _normal(m, k), _normal(k, n, seed=1)
    y = np.maximum(x @ w, 0)

    def plain():
        dz = dy * (y > 0)
        return dz @ w.T, x.T @ dz, dz.sum(axis=0)

    if implementation == "numpy":
        return plain
    kernels = module(implementation)
    packed = kernels.pack_weights(w)
    return lambda: kernels.dense_backward(dy, x, packed, y, "relu")


def softmax_cross_entropy_call(implementation: str, m: int, n: int) -> Callable:
    """(mean loss, gradient of the logits)."""
    z, labels = _normal(m, n), np.random.default_rng(1).integers(0, n, m).astype(np.int32)
    rows = np.arange(m)

    def plain():
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        return loss, p / np.float32(m)

    if implementation == "numpy":
        return plain
    kernel = module(implementation).softmax_cross_entropy
    return lambda: kernel(z, labels)


def activation_call(implementation: str, kind: str, n: int) -> Callable:
    """f(x) into a ready array."""
    x, out = _normal(n), np.empty(n, np.float32)
    plain = {
        "relu": lambda: np.maximum(x, 0, out=out),
        "tanh": lambda: np.tanh(x, out=out),
        "sigmoid": lambda: np.divide(1, 1 + np.exp(-x), out=out),
    }
    if implementation == "numpy":
        return plain[kind]
    kernel = module(implementation).activation
    return lambda: kernel(x, kind, 0.0, out)


def dropout_call(implementation: str, n: int) -> Callable:
    """Half of x dropped, the rest doubled."""
    x, out = _normal(n), np.empty(n, np.float32)
    if implementation == "numpy":
        rng = np.random.default_rng(0)
        return lambda: np.multiply(x, np.float32(2) * (rng.random(n, np.float32) >= 0.5), out=out)
    kernel = module(implementation).dropout
    return lambda: kernel(x, 0.5, 1, 2, out)


def optimizer_program(cls: str, args: dict, shape):
    """(program of one update of one matrix, the matrix): what a training step runs for an optimizer of brisknet."""
    import brisknet as bn
    from brisknet.graph.trace import Trace
    from brisknet.runtime.program import compile_graph

    optimizer = getattr(bn.optimizers, cls)(**args)
    parameters, gradient = bn.Variable(_normal(*shape), name="kernel"), bn.Variable(_normal(*shape, seed=1), name="gradient")
    with Trace() as graph:
        optimizer.apply([graph.read(gradient)], [parameters])
    return compile_graph(graph), parameters


def conv_program(direction: str, x: tuple, kernel: int, filters: int, groups: int = 1):
    """(program of one convolution of brisknet with "same" padding, its kernel): "forward", or the gradient of "input" or "kernel"."""
    import brisknet as bn
    from brisknet.graph.trace import Trace
    from brisknet.ops.conv import conv_dgrad, conv_nhwc, conv_wgrad
    from brisknet.runtime.program import compile_graph

    shared = {"strides": (1, 1), "padding": ((kernel // 2,) * 2,) * 2, "dilation": (1, 1), "groups": groups}
    arrays = _normal(*x), _normal(kernel, kernel, x[3] // groups, filters, seed=1), _normal(*x[:3], filters, seed=2)
    with Trace() as graph:
        variables = [bn.Variable(a) for a in arrays]
        x, w, dz = map(graph.read, variables)
        outs = {
            "forward": lambda: conv_nhwc(x, w, **shared),
            "input": lambda: conv_dgrad(dz, w, size=x.shape[1:3], **shared),
            "kernel": lambda: conv_wgrad(x, dz, kernel=(kernel, kernel), bias=True, **shared),
        }[direction]()
        graph.outputs.extend(outs if isinstance(outs, tuple) else (outs,))
    return compile_graph(graph), variables[1]
