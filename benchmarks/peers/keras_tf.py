"""Keras on TensorFlow, through fit, with the better of jit_compile and steps_per_execution."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from benchmarks import workloads
from benchmarks.peers import kerasish, kerasish_steps, worker
from benchmarks.peers.worker import Task

_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
tf.config.threading.set_intra_op_parallelism_threads(_threads)
tf.config.threading.set_inter_op_parallelism_threads(_threads)


def versions() -> dict:
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


def variants(spec: dict, threads: int) -> dict:
    epochs, calls = spec.get("slow_epochs"), spec.get("slow_calls")
    kind = spec["kind"]
    if kind == "fit":
        steps = spec["rows"] // spec["batch"]
        out = {}
        for jit in (False, True):
            for per in sorted({1, steps}):
                args = {"jit_compile": jit, "steps_per_execution": per}
                out[f"jit_compile={jit}, steps_per_execution={per}"] = (
                    lambda args=args: kerasish.fit_task(keras, spec, epochs, args)
                )  # fmt: skip
        return out
    if kind == "gan":
        ways = [{"jit_compile": jit, "steps_per_execution": n} for jit in (False, True) for n in (1, spec["rows"] // spec["batch"])]
        return {
            ", ".join(f"{k}={v}" for k, v in way.items()):
            lambda way=way: kerasish_steps.gan_task(keras, tf.GradientTape, spec, epochs, way) for way in ways
        }  # fmt: skip
    if kind == "optimizer":
        return {f"apply, jit_compile={jit}": lambda jit=jit: optimizer_task(spec, jit) for jit in (True, False)}
    if kind == "call":
        return {"model(x)": lambda: kerasish.call_task(keras, spec, calls, "call"), "tf.function": lambda: graph_call(spec, calls)}
    if kind == "predict1":
        return {"predict": lambda: kerasish.call_task(keras, spec, calls, "predict")}
    if kind == "predict":
        return {f"batch_size={b}": lambda b=b: kerasish.predict_task(keras, spec, b) for b in (1024, 8192)}
    if kind == "accuracy":
        return {f"jit_compile={jit}": lambda jit=jit: kerasish.accuracy_task(keras, spec, {"jit_compile": jit}) for jit in (True, False)}
    if kind == "first_step":
        return {"train_on_batch": lambda: kerasish.first_step_task(keras, spec)}
    return {}


def graph_call(spec, calls):
    x, _ = workloads.data(spec)
    model = kerasish.build(keras, spec)
    function, x = tf.function(model), tf.constant(x)

    def run():
        for _ in range(calls):
            function(x).numpy()

    return Task(run, units=calls)


def optimizer_task(spec, jit):
    rng = np.random.default_rng(0)
    parameters = keras.Variable(rng.standard_normal(spec["shape"], np.float32))
    gradient = tf.constant(rng.standard_normal(spec["shape"], np.float32))
    optimizer = getattr(keras.optimizers, spec["class"])(**spec["args"])
    optimizer.build([parameters])
    step = tf.function(lambda: optimizer.apply([gradient], [parameters]), jit_compile=jit)

    def run():
        step()
        parameters.value.numpy()[0, 0]  # waits for the update

    return Task(run)


def outputs(spec):
    return kerasish.outputs(keras, spec)


def losses(spec, seed, epochs):
    if spec["kind"] == "gan":
        return kerasish_steps.gan_losses(keras, tf.GradientTape, spec, epochs, {"jit_compile": False})
    return kerasish.losses(keras, spec, seed, epochs, {"jit_compile": False})


if __name__ == "__main__":
    worker.serve(sys.modules[__name__])
