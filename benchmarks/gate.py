"""No comparison without equal results: every peer's losses against those of reference.py, before anything is timed."""

from __future__ import annotations

import numpy as np

from benchmarks import reference
from benchmarks.workloads import sequences

# Relative. Mostly the bias corrections of Adam's first steps, which Keras and JAX compute in float32 (measured: 2e-4).
CURVE_TOLERANCE = 5e-4
OUTPUT_TOLERANCE = 1e-5  # of a probability
SIGMAS = 4.5
# PyTorch adds Adam's epsilon after the bias correction of the second moment, Keras before it.
EPSILON_AFTER = {"torch", "torch-compile"}
# Keras on TensorFlow hands Adam the gradient of an embedding as one row a token, repeated words not yet summed, and its second
# moment takes the square of each by itself.
SQUARES_APART = {"keras"}


def specs(spec: dict, quick: bool = False) -> dict:
    """{"curve": (spec, seeds, epochs), "random": ...}: what peers must train for the gate; {"outputs": spec}: predict."""
    if spec["kind"] in ("call", "predict"):
        return {"outputs": {**spec, "rows": min(spec["rows"], 100)}}
    if spec["kind"] in ("grad", "generate", "lstm_step"):
        return {"outputs": spec}
    if spec["kind"] == "gan":
        batch = min(spec["batch"], 16)
        steps = 3 if spec["generator"] == "conv" else 10
        return {"curve": ({**spec, "batch": batch, "rows": steps * batch, "shuffle": False}, [0], 2)}
    if spec["kind"] != "fit":
        return {}
    if "net" in spec:  # the judge convolves in float64, and batch normalisation makes rounding errors grow from step to step
        spec = {**spec, "batch": min(spec["batch"], 16)}
    if "sequence" in spec:
        spec = sequences.smaller(spec, sequences.GATE_STEPS)
    rows = min(spec["rows"], (3 if "net" in spec else 20) * spec["batch"])
    seeds, epochs = (range(4), 2) if quick else (range(12), 4)
    return {
        "curve": ({**spec, "rows": rows, "dropout": 0.0, "shuffle": False}, [0], 2),
        "random": ({**spec, "rows": rows}, list(seeds), epochs),
    }


def needed(spec: dict, peer: str) -> list[str]:
    """Random fits are compared where dropout makes each fit different; the curve is then one without dropout."""
    if peer in ("c", "sklearn") and spec["kind"] != "fit":
        return []
    if spec["kind"] in ("call", "predict", "grad", "generate", "lstm_step"):
        return ["outputs"]
    if spec["kind"] == "gan":
        return ["curve"]
    if spec["kind"] != "fit" or peer == "c":
        return []
    return ["curve", "random"] if spec["dropout"] else ["curve"]


class Gate:
    """The reference's losses, computed once a workload."""

    def __init__(self, spec: dict, quick: bool = False):
        self.specs, self.cache = specs(spec, quick), {}

    def expected(self, what: str, peer: str) -> np.ndarray:
        if what == "outputs":
            key = what, False
            if key not in self.cache:
                self.cache[key] = reference.outputs(self.specs[what])
            return self.cache[key]
        spec, seeds, epochs = self.specs[what]
        key = what, peer in EPSILON_AFTER and spec["optimizer"] in ("adam", "adamw"), peer in SQUARES_APART and "sequence" in spec
        if key not in self.cache:
            spec = {**spec, "epsilon_after": key[1], "squares_apart": key[2]}
            self.cache[key] = np.array([reference.losses(spec, 1000 + s, epochs) for s in seeds])
        return self.cache[key]

    def judge(self, what: str, losses, peer: str) -> tuple[bool, str]:
        """(passed, sentence). A curve must agree epoch by epoch; random fits must agree in the mean of the last epoch."""
        got, want = np.array(losses, float), self.expected(what, peer)
        if got.shape != want.shape or not np.isfinite(got).all():
            return False, f"{what}: {str(got.tolist())[:200]} where {str(want.tolist())[:200]} were expected"
        if what == "outputs":
            error = float(np.max(np.abs(got - want)))
            return error <= OUTPUT_TOLERANCE, f"outputs: largest difference {error:.1e}"
        if what == "curve":
            error = float(np.max(np.abs(got - want) / np.abs(want)))
            return error <= CURVE_TOLERANCE, f"curve: relative difference {error:.1e}"
        a, b = got[:, -1], want[:, -1]
        spread = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)) + 1e-12
        sigmas = abs(a.mean() - b.mean()) / spread
        return bool(sigmas <= SIGMAS), f"random fits: {sigmas:.1f} standard errors apart"
