"""JAX as a peer: whole epochs in one jitted lax.scan, donated buffers, the permutation gathered inside."""

from __future__ import annotations

import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import workloads
from benchmarks.peers import jax_gan, jax_nets, jax_sequences, worker
from benchmarks.peers.jax_nets import forward
from benchmarks.peers.worker import Task
from benchmarks.workloads import own_steps

B1, B2, EPS = 0.9, 0.999, 1e-7


def versions() -> dict:
    import jaxlib

    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}


def objective(spec, params, stats, x, y, key):
    z, stats = forward(spec, params, stats, x, key)
    if spec["loss"] == "bce":
        loss = jnp.mean(jax.nn.softplus(z) - z * y)  # not max(z, 0) + log1p(exp(-|z|)): no gradient at z = 0
        hits = jnp.sum((z > 0) == (y > 0.5))
    else:
        loss = -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], -1))
        hits = jnp.sum(jnp.argmax(z, -1) == y)
    if spec["l1"]:
        loss += spec["l1"] * sum(jnp.sum(jnp.abs(w)) for w in params[:-2:2])
    return loss, (hits, stats)


def update(spec, state, grads):
    """One optimizer step with Keras' formulas; state is (params, m, v, t)."""
    params, m, v, t = state
    if spec["optimizer"] == "sgd":
        return [p - spec["lr"] * g for p, g in zip(params, grads)], m, v, t
    if spec["optimizer"] == "momentum":
        m = [0.9 * a - spec["lr"] * g for a, g in zip(m, grads)]
        return [p + a for p, a in zip(params, m)], m, v, t
    if spec["optimizer"] == "adamw":
        params = [p * (1 - spec["lr"] * spec["weight_decay"]) for p in params]
    t = t + 1
    rate = spec["lr"] * jnp.sqrt(1 - B2**t) / (1 - B1**t)
    m = [a + (g - a) * (1 - B1) for a, g in zip(m, grads)]
    v = [a + (g * g - a) * (1 - B2) for a, g in zip(v, grads)]
    return [p - rate * a / (jnp.sqrt(b) + EPS) for p, a, b in zip(params, m, v)], m, v, t


def step_of(spec, state, x, y, key):
    """(state, (loss, hits)) after one batch; state is ((params, m, v, t), moving statistics)."""
    learnt, stats = state
    (loss, (hits, stats)), grads = jax.value_and_grad(partial(objective, spec), has_aux=True)(learnt[0], stats, x, y, key)
    return (update(spec, learnt, grads), stats), (loss, hits)


def epoch(spec, unroll, state, key, x, y):
    """(state, key, mean loss, accuracy) after one pass over the rows."""
    rows, batch = spec["rows"], spec["batch"]
    key, shuffle, noise = jax.random.split(key, 3)
    order = jax.random.permutation(shuffle, rows) if spec.get("shuffle", True) else jnp.arange(rows)
    order = order.reshape(-1, batch)
    noise = jax.random.split(noise, rows // batch) if spec["dropout"] else None

    def step(state, item):
        index, k = item
        return step_of(spec, state, x[index], y[index], k)

    state, (loss, hits) = jax.lax.scan(step, state, (order, noise), unroll=unroll)
    return state, key, jnp.mean(loss), jnp.sum(hits) / rows


def start(spec, seed, impl):
    params, stats = jax_nets.first_weights(spec)
    zeros = [jnp.zeros_like(p) for p in params] if spec["optimizer"] != "sgd" else []
    seconds = [jnp.zeros_like(p) for p in zeros] if spec["optimizer"] in ("adam", "adamw") else []
    x, y = workloads.data(spec)
    state = ((params, zeros, seconds, jnp.zeros(())), stats)
    return state, jax.random.key(seed, impl=impl), jnp.asarray(x), jnp.asarray(y)


def many_epochs(spec, unroll, epochs):
    """A function of (state, key, x, y) that runs all epochs in one call and gives each one's loss."""

    def run(state, key, x, y):
        def body(carry, _):
            state, key, loss, hits = epoch(spec, unroll, *carry, x, y)
            return (state, key), (loss, hits)

        (state, key), (loss, hits) = jax.lax.scan(body, (state, key), None, length=epochs)
        return state, key, loss, hits

    return run


def fit_task(spec, impl, unroll, options):
    """A call trains `epochs` epochs: one lax.scan an epoch, and one more over epochs, so that no call costs anything."""
    state, key, x, y = start(spec, 0, impl)
    jitted = jax.jit(many_epochs(spec, unroll, spec["epochs"]), donate_argnums=(0, 1))
    compiled = jitted.lower(state, key, x, y).compile(compiler_options=options)
    holder = [state, key]

    def run():
        state, key, loss, _ = compiled(*holder, x, y)
        holder[:] = state, key
        return float(jax.block_until_ready(loss)[-1])

    return Task(run, spec["epochs"] * spec["rows"] // spec["batch"])


def steps_task(spec):
    """A call runs an epoch, a jitted step a batch: XLA uses all threads for a convolution only outside of loops."""
    state, _, x, y = start(spec, 0, "rbg")
    step = jax.jit(lambda state, index: step_of(spec, state, x[index], y[index], None), donate_argnums=0)
    holder, rng = [state], np.random.default_rng(0)

    def run():
        for index in rng.permutation(spec["rows"]).reshape(-1, spec["batch"]):
            holder[0], (loss, _) = step(holder[0], index)
        return float(jax.block_until_ready(loss))

    return Task(run, spec["rows"] // spec["batch"])


SINGLE = {"xla_cpu_multi_thread_eigen": False}


def variants(spec: dict, threads: int) -> dict:
    kind = spec["kind"]
    if kind == "fit":
        big = workloads.macs(spec) > 1e5
        impls = ("rbg", "threefry2x32") if spec["dropout"] else ("rbg",)
        if "net" in spec:
            spec = {**spec, "epochs": 1}
        out = {}
        for how, unrolled in jax_sequences.unrolls(spec).items():
            if "net" in spec or "sequence" in spec:
                out[f"a jitted step a batch{how}"] = lambda s=unrolled: steps_task(s)
            for impl in impls:
                for label, options in (("all threads", {}), ("one thread", SINGLE)):
                    for unroll in (1,) if big else (1, 5):
                        name = f"scan, {impl}, {label}, unroll {unroll}{how}"
                        out[name] = lambda s=unrolled, i=impl, u=unroll, o=options: fit_task(s, i, u, o)
        return out
    if kind in ("gan", "grad"):
        return jax_gan.variants(spec)
    if kind == "call":
        return {"jit": lambda: call_task(spec)}
    if kind == "predict":
        return {"jit, whole array": lambda: predict_task(spec, 1), "jit, 25 parts": lambda: predict_task(spec, 25)}
    if kind == "adam":
        return {"jit, donated": lambda: adam_task(spec)}
    if kind == "accuracy":
        return {"jit of one epoch": lambda: accuracy_task(spec)}
    if kind == "first_step":
        return {"jit of one step": lambda: first_step_task(spec)}
    return {}


def answers(spec, state):
    """A jitted function of (params, x): probabilities."""
    last = jax.nn.sigmoid if spec["loss"] == "bce" else jax.nn.softmax
    return jax.jit(lambda params, x: last(forward(spec, params, state[1], x, None)[0]))


def call_task(spec):
    state, _, x, _ = start(spec, 0, "rbg")
    call, params = answers(spec, state), state[0][0]

    def run():
        for _ in range(1000):
            call(params, x).block_until_ready()

    return Task(run, 1000)


def predict_task(spec, parts):
    state, _, x, _ = start(spec, 0, "rbg")
    part, call, params = -(-len(x) // parts), answers(spec, state), state[0][0]

    def run():
        outs = [call(params, x[i : i + part]) for i in range(0, len(x), part)]
        return float(np.asarray(outs[-1])[-1, 0]) if len(jax.block_until_ready(outs)) else None

    return Task(run)


def outputs(spec):
    if spec["kind"] == "grad":
        return np.asarray(jax_gan.gradient()(own_steps.POINT))[None]
    state, _, x, _ = start(spec, 0, "rbg")
    return answers(spec, state)(state[0][0], x)


def adam_task(spec):
    rng = np.random.default_rng(0)
    grad = [jnp.asarray(rng.standard_normal(spec["n"], np.float32))]
    zero = lambda: [jnp.zeros(spec["n"])]  # noqa: E731
    holder = [(zero(), zero(), zero(), jnp.zeros(()))]
    step = jax.jit(partial(update, {"optimizer": "adam", "lr": 1e-3}), donate_argnums=0)

    def run():
        holder[0] = jax.block_until_ready(step(holder[0], grad))

    return Task(run)


def accuracy_task(spec):
    x_test, y_test = workloads.split(spec)[2:]
    task = Task(run=None)

    def setup():
        jax.clear_caches()
        task.info["start"] = start(spec, 0, "rbg")

    def run():
        state, key, x, y = task.info.pop("start")
        holder = [state, key]
        train = jax.jit(many_epochs(spec, 1, 1), donate_argnums=(0, 1))
        hits = jax.jit(lambda params: jnp.mean(jnp.argmax(forward(spec, params, [], x_test, None)[0], 1) == y_test))

        def one():
            holder[0], holder[1], _, _ = train(*holder, x, y)

        return workloads.until_accurate(spec, one, lambda: float(hits(holder[0][0][0])))

    task.setup, task.run = setup, run
    return task


def first_step_task(spec):
    one = {**spec, "rows": spec["batch"], "epochs": 1}
    task = Task(run=None)

    def setup():
        jax.clear_caches()
        task.info["start"] = start(one, 0, "rbg")

    def run():
        jitted = jax.jit(many_epochs(one, 1, 1))
        return float(jitted(*task.info["start"])[2][-1])

    task.setup, task.run = setup, run
    return task


def losses(spec, seed, epochs):
    if spec["kind"] == "gan":
        return jax_gan.losses(spec, epochs)
    state, key, x, y = start(spec, seed, "threefry2x32")
    return np.asarray(jax.jit(many_epochs(spec, 1, epochs))(state, key, x, y)[2])


if __name__ == "__main__":
    worker.serve(sys.modules[__name__])
