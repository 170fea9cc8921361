"""The layers of sequences.py in JAX: recurrent ones as a lax.scan over time, their input's product made for all steps before."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.workloads.sequences import EPSILON


def embedding(layer, x, w):
    return next(w)[x]


def positions(layer, x, w):
    return x + next(w)


def layernorm(layer, x, w):
    mean, variance = jnp.mean(x, -1, keepdims=True), jnp.var(x, -1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + EPSILON) * next(w) + next(w)


def attention(layer, x, w):
    width, heads = x.shape[-1], layer["heads"]
    q, k, v = ((x @ next(w).reshape(width, width) + next(w).reshape(width)).reshape(*x.shape[:2], heads, -1) for _ in range(3))
    y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    return y.reshape(x.shape) @ next(w).reshape(width, width) + next(w)


def over_time(layer, step, state, a):
    """The last h, from the input's products a [rows, steps, gates]."""
    state, _ = lax.scan(lambda state, a: (step(state, a), None), state, jnp.swapaxes(a, 0, 1), unroll=layer["unroll"])
    return state[0]


def lstm(layer, x, w):
    kernel, recurrent, bias = next(w), next(w), next(w)

    def step(state, a):
        h, c = state
        i, f, g, o = jnp.split(a + h @ recurrent, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    zeros = jnp.zeros((len(x), layer["n"]))
    return over_time(layer, step, (zeros, zeros), x @ kernel + bias)


def gru(layer, x, w):
    kernel, recurrent, bias = next(w), next(w), next(w)

    def step(state, a):
        (h,) = state
        (az, ar, an), (bz, br, bn) = jnp.split(a, 3, axis=1), jnp.split(h @ recurrent + bias[1], 3, axis=1)
        z = jax.nn.sigmoid(az + bz)
        return (z * h + (1 - z) * jnp.tanh(an + jax.nn.sigmoid(ar + br) * bn),)

    return over_time(layer, step, (jnp.zeros((len(x), layer["n"])),), x @ kernel + bias[0])


def rnn(layer, x, w):
    kernel, recurrent, bias = next(w), next(w), next(w)
    zeros = jnp.zeros((len(x), layer["n"]))
    return over_time(layer, lambda state, a: (jnp.tanh(a + state[0] @ recurrent),), (zeros,), x @ kernel + bias)


LAYERS = {"embedding": embedding, "positions": positions, "layernorm": layernorm, "attention": attention, "lstm": lstm,
          "gru": gru, "rnn": rnn}  # fmt: skip


def unrolls(spec: dict) -> dict:
    """{label: spec}: how many steps of time a turn of the scan takes."""
    return {f", {n} steps a turn": {**spec, "unroll": n} for n in (1, 4)} if "units" in spec else {"": spec}
