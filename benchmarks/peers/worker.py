"""The worker side of a comparison: reads one JSON request a line from stdin, answers one JSON line on stdout.

Requests:
  {"do": "tune", "spec": {...}, "threads": 2, "seconds": 0.5}  build every variant, keep the fastest
  {"do": "run", "seconds": 0.25}                               repeat the kept variant for about so long
  {"do": "losses", "spec": {...}, "seeds": [0, 1], "epochs": 3} epoch losses of fits from the shared first weights
  {"do": "outputs", "spec": {...}}                             probabilities of the rows, by the shared first weights
  {"do": "drop"}                                               forget the workload

A peer module gives `variants(spec, threads)`: {label: function that builds a Task}, and may give `losses(spec, seed,
epochs)`, `outputs(spec)`, `versions()` and `executor(task)`. A peer that has nothing for a workload gives no variants.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from typing import Any
from collections.abc import Callable


@dataclass
class Task:
    """run() does `units` units of work to the end (nothing left asynchronous) and returns a loss, a value or None.

    Where `value` is true, run()'s result is the measurement; else it is the time that run() took. setup(), if given,
    is called before each run() and not timed.
    """

    run: Callable[[], Any]
    units: int = 1
    setup: Callable[[], None] | None = None
    value: bool = False
    info: dict = field(default_factory=dict)


def timed(task: Task) -> tuple[float, float, Any]:
    """(wall seconds, CPU seconds of all threads, result) of one run."""
    if task.setup:
        task.setup()
    cpu, start = time.process_time(), time.perf_counter()
    result = task.run()
    return time.perf_counter() - start, time.process_time() - cpu, result


def measure(task: Task, seconds: float) -> dict:
    """Repeat a task for about `seconds`; the average is what a user waits for, so nothing is left out of it."""
    wall = cpu = 0.0
    runs = 0
    results = []
    while not runs or (wall < seconds and wall / runs * (runs + 1) < 1.5 * seconds):
        w, c, result = timed(task)
        wall, cpu, runs = wall + w, cpu + c, runs + 1
        results.append(result)
    last = results[-1]
    per_unit = sum(results) / len(results) if task.value else wall / (runs * task.units)
    if "per_unit" in task.info:  # a program of its own that times itself
        per_unit = task.info["per_unit"]
    return {
        "per_unit": per_unit, "units": runs * task.units, "seconds": wall, "cpu_per_unit": cpu / (runs * task.units),
        "loss": None if task.value or last is None else float(last), "peak_mb": peak_mb(),
    }  # fmt: skip


def peak_mb() -> float | None:
    """The largest resident set of this process so far, in MB, where the system tells."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return None


class Worker:
    """Holds the chosen variant of the present workload."""

    def __init__(self, peer):
        self.peer = peer
        self.task = None

    def tune(self, spec, threads, seconds):
        self.drop()
        best, tried = None, {}
        for label, build in self.peer.variants(spec, threads).items():
            try:
                task = build()
                self.select(task)
                took = self.trial(task, seconds, best and best[0], spec["kind"] in ("first_step", "accuracy"))
            except Exception as error:  # a variant that does not work here is a finding, not the end
                tried[label] = f"{type(error).__name__}: {error}"[:300]
                continue
            tried[label] = took
            better = best is None or (took > best[0] if task.value else took < best[0])
            if better:
                best = (took, label, task)
        if best is None:
            return {"skip": "; ".join(f"{k}: {v}" for k, v in tried.items()) or "nothing comparable"}
        self.task = best[2]
        self.select(self.task)
        return {
            "variant": best[1], "tried": tried, "versions": self.peer.versions(), "threads": threads,
            "executor": self.peer.executor(self.task) if hasattr(self.peer, "executor") else None,
            "value": self.task.value,
        }  # fmt: skip

    @staticmethod
    def trial(task, seconds, best, compiles_anew):
        """What one unit of a variant takes: two runs to warm up, then two measurements, where those are worth it."""
        if task.info.get("slow"):  # a program that warms up by itself
            return measure(task, 0)["per_unit"]
        for _ in range(1 if compiles_anew else 2):
            wall, _, _ = timed(task)
        long = wall > 3 * seconds > 0
        hopeless = best is not None and wall / task.units > 5 * best
        if not task.value and (long or hopeless):
            return wall / task.units
        return min(measure(task, seconds)["per_unit"] for _ in range(2))

    @staticmethod
    def select(task):
        if "select" in task.info:
            task.info["select"]()

    def run(self, seconds):
        self.select(self.task)  # the gate may have changed what holds for the whole process, such as the threads
        return measure(self.task, seconds)

    def losses(self, spec, seeds, epochs):
        if not hasattr(self.peer, "losses"):
            return {"skip": "no losses to compare"}
        return {"losses": [[float(v) for v in self.peer.losses(spec, seed, epochs)] for seed in seeds]}

    def outputs(self, spec):
        return {"outputs": [[float(v) for v in row] for row in self.peer.outputs(spec)]}

    def drop(self):
        self.task = None
        gc.collect()
        return {}


def die_with_parent() -> None:
    """A stopped worker would outlive a parent that was killed; Linux can prevent that (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def serve(peer) -> None:
    """Answer requests until stdin ends. What the framework prints goes to stderr."""
    die_with_parent()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(peer)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        out.write(json.dumps(answer) + "\n")
        out.flush()
