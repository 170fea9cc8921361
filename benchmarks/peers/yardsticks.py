"""Hand-written C for single workloads: a folder named by BRISKNET_YARDSTICKS whose run.sh prints JSON lines.

`run.sh small` and so on prints one object a workload: {"work", "unit", "median", "best", "threads"}; units are read
from "unit" ("us/step", "ns/call"). The programs time themselves; the build is not part of the figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers import worker
from benchmarks.peers.worker import Task

# our workload: (program of run.sh, name it prints)
PROGRAMS = {"ads": ("small", "ads"), "xor4000": ("small", "xor"), "mlp128": ("mlp", "mlp128"),
            "mlp32": ("mlp", "mlp32"), "adam10m": ("adam", "adam10M"),
            "lenet128": ("lenet", "lenet128"), "lstm32": ("lstm", "lstm"), "gru32": ("gru", "gru")}  # fmt: skip
SECONDS = {"us/step": 1e-6, "ns/call": 1e-9, "us/call": 1e-6}


def versions() -> dict:
    return {"cc": subprocess.run(["cc", "--version"], capture_output=True, text=True).stdout.split("\n")[0]}


def variants(spec: dict, threads: int) -> dict:
    folder = os.environ.get("BRISKNET_YARDSTICKS")
    if not folder or spec.get("name") not in PROGRAMS:
        return {}
    program, name = PROGRAMS[spec["name"]]
    task = Task(run=None, info={"slow": True})

    def run():
        done = subprocess.run([str(Path(folder) / "run.sh"), program], capture_output=True, text=True, env={**os.environ, "R": "6"})
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        found = [v for v in lines if v["work"] == name and v["threads"] <= threads]
        if not found:
            raise RuntimeError(f"run.sh {program} printed nothing for {name} (exit code {done.returncode})")
        best = min(found, key=lambda v: v["median"])
        task.info["per_unit"] = best["median"] * SECONDS[best["unit"]]
        task.info["threads"] = best["threads"]

    task.run = run
    return {f"run.sh {program}": lambda: task}


if __name__ == "__main__":
    worker.serve(sys.modules[__name__])
