"""Writes autograd.json: derivatives of autograd_cases.py by JAX (float64), and a gradient penalty by TensorFlow.

Run with an interpreter that has jax and tensorflow: python -m tests.golden.make_autograd
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import jax
import jax.numpy as jnp
import tensorflow as tf

from tests.golden.autograd_cases import ARRAYS, SCALARS, critic_weights

jax.config.update("jax_enable_x64", True)


def listed(x):
    return [listed(v) for v in x] if isinstance(x, (tuple, list)) else jnp.asarray(x).tolist()


def penalty():
    """The gradients of mean((|d critic / d x| - 1)^2) with respect to the weights."""
    *weights, x = critic_weights()
    weights, x = [tf.Variable(w) for w in weights], tf.constant(x)
    w1, b1, w2, b2 = weights
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            score = tf.matmul(tf.nn.leaky_relu(tf.matmul(x, w1) + b1, 0.2), w2) + b2
        grads = inner.gradient(score, x)
        norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=1) + 1e-12)
        loss = tf.reduce_mean(tf.square(norm - 1.0))
    found = outer.gradient(loss, weights, unconnected_gradients="zero")
    return {"loss": float(loss), "grads": [g.numpy().tolist() for g in found]}


def main():
    out = {"scalars": {}, "arrays": {}, "penalty": penalty()}
    for name, (fn, arrays) in SCALARS.items():
        f = lambda *a, fn=fn: fn(jnp, *a)  # noqa: E731
        every = tuple(range(len(arrays)))
        value, grads = jax.value_and_grad(f, argnums=every)(*arrays)
        out["scalars"][name] = {
            "value": float(value), "grads": listed(grads), "hessian": listed(jax.hessian(f)(*arrays))
        }  # fmt: skip
    for name, (fn, arrays) in ARRAYS.items():
        f = lambda *a, fn=fn: fn(jnp, *a)  # noqa: E731
        out["arrays"][name] = listed(jax.jacobian(f)(*arrays))
    path = pathlib.Path(__file__).parent / "autograd.json"
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


main()
