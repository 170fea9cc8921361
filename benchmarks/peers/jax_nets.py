"""The networks of nets.py in JAX: channels last, moving statistics handed in and out."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks import workloads
from benchmarks.peers import jax_sequences
from benchmarks.workloads.nets import EPSILON, MOMENTUM, SLOPE


def first_weights(spec):
    """(what is learnt, moving means and variances), each in the order of workloads.walk()."""
    weights = iter(workloads.initial_weights(spec))
    params, stats = [], []
    for layer, before, _ in workloads.walk(workloads.layers(spec), workloads.input_shape(spec)):
        for i, _ in enumerate(workloads.weight_shapes(layer, before)):
            (stats if layer["op"] == "norm" and i > 1 else params).append(jnp.asarray(next(weights)))
    return params, stats


def forward(spec, params, stats, x, key):
    """(logits [batch, out], new moving statistics). key None: no dropout; norms always use the batch's own statistics, since
    no workload predicts with one."""
    layers = workloads.layers(spec)
    layers[-1]["act"] = None
    dropped = sum(layer["op"] == "dropout" for layer in layers)
    keys = iter(jax.random.split(key, dropped)) if key is not None and dropped else None
    new = []
    return chain(layers, x, iter(params), iter(stats), new, keys), new


def chain(layers, x, params, stats, new, keys):
    for layer in layers:
        x = apply(layer, x, params, stats, new, keys)
        if layer.get("act"):
            x = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": exact_gelu}[layer["act"]](x)
    return x


def exact_gelu(x):
    return jax.nn.gelu(x, approximate=False)


def apply(layer, x, params, stats, new, keys):
    op = layer["op"]
    if op in jax_sequences.LAYERS:
        return jax_sequences.LAYERS[op](layer, x, params)
    if op == "add":
        return x + chain(layer["main"], x, params, stats, new, keys)
    if op == "dense":
        y = x @ next(params)
        return y + next(params) if layer.get("bias", True) else y
    if op == "conv_transpose":
        sizes = (layer["stride"],) * 2
        y = lax.conv_transpose(x, next(params), sizes, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), transpose_kernel=True)
        return y + next(params) if layer["bias"] else y
    if op == "dropout":
        if keys is None:
            return x
        keep = jax.random.bernoulli(next(keys), 1 - layer["rate"], x.shape)
        return jnp.where(keep, x / (1 - layer["rate"]), 0.0)
    if op == "conv":
        y = convolve(layer, x, next(params), 1)
        return y + next(params) if layer["bias"] else y
    if op == "depthwise":
        return convolve(layer, x, jnp.swapaxes(next(params), 2, 3), x.shape[3])
    if op == "norm":
        return norm(x, next(params), next(params), stats, new)
    if op == "residual":
        main = chain(layer["main"], x, params, stats, new, keys)
        return jax.nn.relu(main + chain(layer["short"], x, params, stats, new, keys))
    return {
        "leaky": lambda x: jax.nn.leaky_relu(x, SLOPE), "reshape": lambda x: x.reshape(len(x), *layer["shape"]),
        "relu": jax.nn.relu, "flatten": lambda x: x.reshape(len(x), -1), "mean": lambda x: jnp.mean(x, axis=(1, 2)),
        "pool": lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"),
    }[op](x)  # fmt: skip


def convolve(layer, x, kernel, groups):
    padding = "SAME" if layer["same"] else "VALID"
    return lax.conv_general_dilated(x, kernel, (layer["stride"],) * 2, padding, dimension_numbers=("NHWC", "HWIO", "NHWC"),
                                    feature_group_count=groups)  # fmt: skip


def norm(x, gamma, beta, stats, new):
    mean, variance = jnp.mean(x, axis=(0, 1, 2)), jnp.var(x, axis=(0, 1, 2))
    for now in (mean, variance):
        new.append(MOMENTUM * next(stats) + (1 - MOMENTUM) * lax.stop_gradient(now))
    return (x - mean) * (lax.rsqrt(variance + EPSILON) * gamma) + beta
