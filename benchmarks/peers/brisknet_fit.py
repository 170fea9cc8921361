"""brisknet as a peer. The argument "numpy" runs the reference executor; otherwise every program must be native."""

from __future__ import annotations

import sys

import brisknet
import numpy as np
from brisknet import config

from benchmarks import workloads
from benchmarks.kernel_calls import adam_call, matmul_call, optimizer_program
from benchmarks.peers import brisknet_generation, kerasish, kerasish_steps, worker
from benchmarks.peers.worker import Task
from benchmarks.workloads import own_steps

BACKEND = "numpy" if "numpy" in sys.argv[1:] else "native"


def versions() -> dict:
    return {"brisknet": brisknet.__version__, "numpy": np.__version__, "isa": config.isa(), "threads": config.num_threads()}


def executor(task: Task) -> str:
    """Which executor ran: asked of the programs themselves, not of the setting."""
    if "model" in task.info:
        programs = list(task.info["model"]._programs.values())
        if not programs:
            raise RuntimeError("the model has run no program")
        ran = {p.executor for p in programs}
    else:
        ran = {task.info["executor"]}
    if ran != {BACKEND}:
        raise RuntimeError(f"the {BACKEND} executor was to be measured, but {sorted(ran)} ran")
    return BACKEND


def variants(spec: dict, threads: int) -> dict:
    slow = BACKEND == "numpy"
    epochs = spec.get("slow_epochs" if slow else "epochs")
    calls = spec.get("slow_calls" if slow else "calls")
    kind = spec["kind"]
    label = f"fit, {threads} threads" if BACKEND == "native" else "fit, reference"
    if kind == "fit":
        return {label: lambda: kerasish.fit_task(brisknet, spec, epochs)}
    if kind in ("call", "predict1"):
        method = "call" if kind == "call" else "predict"
        return {method: lambda: kerasish.call_task(brisknet, spec, calls, method)}
    if kind == "predict":
        return {"predict": lambda: kerasish.predict_task(brisknet, spec, None)}
    if kind == "accuracy":
        return {"fit, evaluate": lambda: kerasish.accuracy_task(brisknet, spec)}
    if kind == "two_fits":
        one, all_ = lambda: config.set_num_threads(1), lambda: config.set_num_threads(threads)
        return {"1 thread each": lambda: kerasish.two_fits_task(brisknet, spec, epochs, one, all_)}
    if kind == "first_step":
        return {"train_on_batch": lambda: kerasish.first_step_task(brisknet, spec)}
    if kind == "metric" and BACKEND == "native":
        return {label: lambda: kerasish.metric_task(brisknet, spec, epochs)}
    return step_variants(spec, epochs, calls, label) or brisknet_generation.variants(spec, calls) or kernel_variants(spec)


def step_variants(spec, epochs, calls, label) -> dict:
    """Those of workloads/own_steps.py."""
    if spec["kind"] == "gan":
        return {label: lambda: kerasish_steps.gan_task(brisknet, brisknet.GradientTape, spec, epochs)}
    if spec["kind"] == "custom_step" and BACKEND == "native":
        return {label: lambda: kerasish_steps.custom_step_task(brisknet, brisknet.GradientTape, spec, epochs)}
    return {"brisknet.grad": lambda: grad_task(calls)} if spec["kind"] == "grad" else {}


def gradient_function():
    return brisknet.grad(lambda x: brisknet.ops.sum(brisknet.ops.tanh(x) * brisknet.ops.exp(-x * x)))


def grad_task(calls: int) -> Task:
    gradient, x = gradient_function(), own_steps.POINT
    gradient(x)
    (entries,) = gradient._entries.values()

    def run():
        for _ in range(calls):
            gradient(x)

    return Task(run, calls, info={"executor": entries[0].program.executor})


def kernel_variants(spec: dict) -> dict:
    if spec["kind"] == "adam":
        return {"kernels.adam": lambda: Task(adam_call(BACKEND, spec["n"])[0], info={"executor": BACKEND})}
    if spec["kind"] == "optimizer":
        return {f"optimizers.{spec['class']}": lambda: optimizer_task(spec)}
    if spec["kind"] == "gemm":
        call, calls = matmul_call(BACKEND, spec["shape"], spec["layout"]), repeats(spec)
        return {"kernels.matmul": lambda: Task(lambda: [call() for _ in range(calls)] and None, calls, info={"executor": BACKEND})}
    return {}


def optimizer_task(spec: dict) -> Task:
    program, _ = optimizer_program(spec["class"], spec["args"], spec["shape"])

    def run():
        program.run([])

    return Task(run, info={"executor": program.executor})


def repeats(spec: dict) -> int:
    """Calls in one timed run of a GEMM: enough that the clock does not matter."""
    return max(1, min(2000, int(2e8 / workloads.flops(spec))))


def outputs(spec):
    if spec["kind"] == "grad":
        return gradient_function()(own_steps.POINT)[None]
    if spec["kind"] in ("generate", "lstm_step"):
        return brisknet_generation.outputs(spec)
    return kerasish.outputs(brisknet, spec)


def losses(spec, seed, epochs):
    if spec["kind"] == "gan":
        return kerasish_steps.gan_losses(brisknet, brisknet.GradientTape, spec, epochs)
    return kerasish.losses(brisknet, spec, seed, epochs)


if __name__ == "__main__":
    config.set_backend(BACKEND)
    worker.serve(sys.modules[__name__])
