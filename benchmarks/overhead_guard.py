"""Instruction counts of small jobs, against stored ones: overhead that creeps in shows before any clock sees it.

    python -m benchmarks.overhead_guard            compare with overhead.json
    python -m benchmarks.overhead_guard --update   store what is counted now

One process under `valgrind --tool=cachegrind` prepares everything and forks a child for each job, once with few and once
with many repetitions; the difference of their counts is the job alone, without interpreter, imports and compilation.
Counts depend on the compiler, on Python and on NumPy, so stored ones hold for one combination of these; on another one,
and where valgrind is missing, there is nothing to compare and the guard says so.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["compare", "count", "environment", "missing"]

STORED = Path(__file__).with_name("overhead.json")
# A job that needs this much more is reported; so are stored counts that are this much too high.
TOLERANCE = 0.10
# name: (few, many) repetitions
JOBS = {
    "ads_step": (20, 100), "ads_step_with_batch_hook": (10, 50), "predict_one_row": (50, 450), "call_one_row": (50, 450),
}  # fmt: skip


def missing() -> str | None:
    """Why nothing can be counted here, or None."""
    if sys.platform != "linux" or shutil.which("valgrind") is None:
        return "valgrind is not installed"
    import brisknet

    return None if brisknet.config.native_available() else "the native executor is not built"


def environment() -> dict:
    """What the counts depend on besides this package."""
    import numpy as np

    return {
        "machine": platform.machine(), "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": ".".join(np.__version__.split(".")[:2]), "isa": "avx2",
    }  # fmt: skip


def count() -> dict[str, int]:
    """Instructions of one repetition of every job."""
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ, "BRISKNET_NUM_THREADS": "1", "BRISKNET_ISA": "avx2", "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={folder}/%p",
                   "--log-file=/dev/null", sys.executable, "-m", "benchmarks.overhead_guard", "--jobs"]  # fmt: skip
        done = subprocess.run(command, env=env, cwd=STORED.parents[1], capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"the jobs failed under valgrind: {done.stderr[-2000:]}")
        pids = json.loads(done.stdout.splitlines()[-1])
        totals = {key: _instructions(Path(folder, str(pid))) for key, pid in pids.items()}
    return {
        job: round((totals[f"{job} {many}"] - totals[f"{job} {few}"]) / (many - few)) for job, (few, many) in JOBS.items()
    }  # fmt: skip


def _instructions(path: Path) -> int:
    found = re.search(r"^summary:\s*(\d+)", path.read_text(), re.M)
    if not found:
        raise RuntimeError(f"no summary line in what cachegrind wrote ({path.name})")
    return int(found[1])


def compare(counted: dict[str, int], stored: dict[str, int]) -> list[str]:
    """A line for every job that needs more instructions than stored, by more than TOLERANCE, or is not stored."""
    worse = [
        f"{job}: {n:,} instructions, {n / stored[job] - 1:+.0%} against the stored {stored[job]:,}"
        for job, n in counted.items() if job in stored and n > stored[job] * (1 + TOLERANCE)
    ]  # fmt: skip
    return worse + [f"{job}: nothing is stored; run with --update" for job in counted if job not in stored]


# ---- the jobs, in a process of their own under valgrind --------------------------------------------------------------
def _run_jobs() -> None:
    """Prepare, then run every job in forked children; prints {job repetitions: process id} as JSON."""
    jobs, pids = _prepare(), {}
    for job, repetitions in JOBS.items():
        for n in repetitions:
            pid = os.fork()
            if not pid:
                jobs[job](n)
                os._exit(0)
            if os.waitpid(pid, 0)[1]:
                raise RuntimeError(f"{job} failed")
            pids[f"{job} {n}"] = pid
    print(json.dumps(pids))


def _prepare():
    import numpy as np

    import brisknet as bn

    rng = np.random.default_rng(0)
    x = rng.normal(size=(32 * 100, 10)).astype("float32")
    y = (x[:, 0] > 0).astype("float32")
    layers = bn.layers
    model = bn.Sequential([
        layers.Input((10,)), layers.Dense(64, activation="relu", kernel_regularizer=bn.regularizers.L1(1e-4)),
        layers.Dropout(0.2), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    hook = bn.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)

    def fit(steps, *callbacks):
        model.fit(x[: 32 * steps], y[: 32 * steps], batch_size=32, verbose=0, callbacks=list(callbacks))

    def repeat(call):
        def run(n):
            for _ in range(n):
                call(row)

        return run

    row = x[:1]
    jobs = {
        "ads_step": fit, "ads_step_with_batch_hook": lambda n: fit(n, hook), "predict_one_row": repeat(model.predict),
        "call_one_row": repeat(model),
    }  # fmt: skip
    for job in jobs.values():
        job(3)
    return jobs


def main(arguments) -> int:
    if arguments == ["--jobs"]:
        _run_jobs()
        return 0
    if reason := missing():
        print(f"nothing counted: {reason}")
        return 0
    counted, here = count(), environment()
    for job, n in counted.items():
        print(f"{job:26} {n:10,} instructions")
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    if arguments == ["--update"]:
        STORED.write_text(json.dumps({"environment": here, "instructions": counted}, indent=1) + "\n")
        return 0
    if stored.get("environment") != here:
        print(f"nothing to compare with: counted for {here}, stored for {stored.get('environment')}")
        return 0
    worse = compare(counted, stored["instructions"])
    print("\n".join(worse) or f"all within {TOLERANCE:.0%} of the stored counts")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
