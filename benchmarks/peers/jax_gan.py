"""GANs in JAX, and its jitted gradient: whole epochs in one lax.scan, as in jax_scan.py."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers import jax_nets
from benchmarks.peers.worker import Task
from benchmarks.workloads import nets, own_steps

B2, EPS = 0.999, 1e-7
SINGLE = {"xla_cpu_multi_thread_eigen": False}


def apply(layers, params, stats, x):
    """(answers, new moving statistics)."""
    new = []
    return jax_nets.chain(layers, x, iter(params), iter(stats), new, None), new


def first_state(layers, shape, weights):
    """(params, moving statistics, first moments, second moments, steps) of one network."""
    weights, params, stats = iter(weights), [], []
    for layer, before, _ in nets.walk(layers, shape):
        for i, _ in enumerate(nets.weight_shapes(layer, before)):
            (stats if layer["op"] == "norm" and i > 1 else params).append(jnp.asarray(next(weights)))
    zeros = [jnp.zeros_like(p) for p in params]
    return params, stats, zeros, [jnp.zeros_like(p) for p in params], jnp.zeros(())


def adam(spec, state, grads, stats):
    params, _, m, v, t = state
    b1, t = spec["beta_1"], t + 1
    rate = spec["lr"] * jnp.sqrt(1 - B2**t) / (1 - b1**t)
    m = [a + (g - a) * (1 - b1) for a, g in zip(m, grads)]
    v = [a + (g * g - a) * (1 - B2) for a, g in zip(v, grads)]
    return [p - rate * a / (jnp.sqrt(b) + EPS) for p, a, b in zip(params, m, v)], stats, m, v, t


def crossentropy(z, y):
    return jnp.mean(jax.nn.softplus(z) - z * y)


def step_of(spec, states, real, z1, z2):
    """(states, (discriminator's loss, generator's loss)) after one batch."""
    (g, _), (d, _) = own_steps.networks(spec)
    gs, ds = states
    made, moved = apply(g, gs[0], gs[1], z1)
    gs = (gs[0], moved, *gs[2:])
    both = jnp.concatenate([made, real])
    labels = jnp.concatenate([jnp.zeros((len(made), 1)), jnp.ones((len(real), 1))])

    def d_objective(params):
        answers, stats = apply(d, params, ds[1], both)
        return crossentropy(answers, labels), stats

    (d_loss, stats), grads = jax.value_and_grad(d_objective, has_aux=True)(ds[0])
    ds = adam(spec, ds, grads, stats)

    def g_objective(params):
        made, g_stats = apply(g, params, gs[1], z2)
        answers, d_stats = apply(d, ds[0], ds[1], made)
        return crossentropy(answers, 1.0), (g_stats, d_stats)

    (g_loss, (stats, moved)), grads = jax.value_and_grad(g_objective, has_aux=True)(gs[0])
    return (adam(spec, gs, grads, stats), (ds[0], moved, *ds[2:])), (d_loss, g_loss)


def epochs_of(spec, unroll, epochs):
    """A function of (states, key, data): all epochs in one call, with the losses of each."""
    rows, batch = spec["rows"], spec["batch"]

    def run(states, key, data):
        def epoch(carry, _):
            states, key = carry
            key, shuffle = jax.random.split(key)
            order = jax.random.permutation(shuffle, rows) if spec.get("shuffle", True) else jnp.arange(rows)
            step = lambda s, at: step_of(spec, s, data["real"][at], data["z1"][at], data["z2"][at])  # noqa: E731
            states, losses = jax.lax.scan(step, states, order.reshape(-1, batch), unroll=unroll)
            return (states, key), jnp.stack([jnp.mean(loss) for loss in losses])

        (states, key), losses = jax.lax.scan(epoch, (states, key), None, length=epochs)
        return states, key, losses

    return run


def start(spec):
    """(states, key, data)."""
    states = tuple(first_state(*net, w) for net, w in zip(own_steps.networks(spec), own_steps.first_weights(spec)))
    return states, jax.random.key(0, impl="rbg"), {k: jnp.asarray(v) for k, v in own_steps.data(spec).items()}


def scan_task(spec, unroll, options):
    epochs = 1 if spec["generator"] == "conv" else spec["epochs"]
    states, key, data = start(spec)
    compiled = jax.jit(epochs_of(spec, unroll, epochs), donate_argnums=(0, 1)).lower(states, key, data).compile(compiler_options=options)
    holder = [states, key]

    def run():
        states, key, losses = compiled(*holder, data)
        holder[:] = states, key
        return float(jax.block_until_ready(losses)[-1, 0])

    return Task(run, epochs * spec["rows"] // spec["batch"])


def steps_task(spec):
    """A jitted step a batch: XLA uses all threads for a convolution only outside of loops."""
    states, _, data = start(spec)
    step = jax.jit(lambda states, at: step_of(spec, states, data["real"][at], data["z1"][at], data["z2"][at]), donate_argnums=0)
    holder, rng = [states], np.random.default_rng(0)

    def run():
        for at in rng.permutation(spec["rows"]).reshape(-1, spec["batch"]):
            holder[0], (loss, _) = step(holder[0], at)
        return float(jax.block_until_ready(loss))

    return Task(run, spec["rows"] // spec["batch"])


def gradient():
    return jax.jit(jax.grad(lambda x: jnp.sum(jnp.tanh(x) * jnp.exp(-x * x))))


def grad_task(spec):
    """Gradients of a NumPy array as brisknet.grad has them: the result is ready when a call is done."""
    call, x = gradient(), own_steps.POINT

    def run():
        for _ in range(spec["calls"]):
            call(x).block_until_ready()

    return Task(run, spec["calls"])


def variants(spec) -> dict:
    if spec["kind"] == "grad":
        return {"jit of grad": lambda: grad_task(spec)}
    out = {"a jitted step a batch": lambda: steps_task(spec)}
    for label, options in (("all threads", {}), ("one thread", SINGLE)):
        for unroll in (1,) if spec["generator"] == "conv" else (1, 4):
            out[f"scan, {label}, unroll {unroll}"] = lambda u=unroll, o=options: scan_task(spec, u, o)
    return out


def losses(spec, epochs):
    return [float(v) for v in np.asarray(jax.jit(epochs_of(spec, 1, epochs))(*start(spec))[2]).reshape(-1)]
