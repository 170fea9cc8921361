"""Run by oneshot.py in a process of its own, with what to measure and a peer: prints {"mb": ...}.

"memory" and "memory-resnet20" train by the peer's first setting; "growth-predict" and "growth-fit" are for brisknet.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys

import numpy as np

from benchmarks import workloads
from benchmarks.peers import kerasish
from benchmarks.peers.worker import peak_mb
from benchmarks.processes import PEERS

SPEC = {**workloads.ADS, "name": "ads"}


def resident_mb() -> float:
    """The resident set of this process now."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def training(peer, spec, quick) -> float:
    """Peak of importing, building and training, above the peak of a process with NumPy and the data."""
    spec = workloads.shrink(spec) if quick else spec
    workloads.data(spec)
    before = peak_mb()
    module, sys.argv[1:] = PEERS[peer]
    variants = importlib.import_module(f"benchmarks.peers.{module}").variants(spec, 1)
    next(iter(variants.values()))().run()
    return peak_mb() - before


def predicting(K, quick) -> float:
    model, x = kerasish.build(K(), SPEC), np.zeros((1, 10), np.float32)
    warm, calls = (20, 50) if quick else (5_000, 100_000)
    for _ in range(warm):
        model.predict(x, verbose=0)
    gc.collect()
    before = resident_mb()
    for _ in range(calls):
        model.predict(x, verbose=0)
    gc.collect()
    return resident_mb() - before


def rebuilding(K, quick) -> float:
    """Growth over rounds of building, fitting and dropping a model, once the interpreter's own tables have their size
    (they grow by a megabyte or two during the first thousand rounds, and not at all after it)."""
    K = K()
    warm, rounds = (2, 3) if quick else (1000, 1000)
    for i in range(warm + rounds):
        if i == warm:
            gc.collect()
            before = resident_mb()
        kerasish.fit_task(K, SPEC, 1).run()
    gc.collect()
    return resident_mb() - before


def measure(what, peer, quick) -> float:
    if what.startswith("memory"):
        return training(peer, workloads.WORKLOADS["ads" if what == "memory" else what.removeprefix("memory-")], quick)
    probe = {"growth-predict": predicting, "growth-fit": rebuilding}[what]
    return probe(lambda: importlib.import_module("brisknet"), quick)


if __name__ == "__main__":
    what, peer, *rest = sys.argv[1:]
    print(json.dumps({"mb": measure(what, peer, "quick" in rest)}))
