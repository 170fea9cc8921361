"""What is measured: networks, data, first weights, arithmetic per step and targets. NumPy only: every peer imports it.

Every peer gets the same rows, the same first weights and the same batch size. Rows are a multiple of the batch, so
that all batches have one shape, which a compiled whole-epoch loop needs.

A target is (against, factor): "best", "pytorch" (the better of eager and compiled) or the name of a peer: the peer's time is at
least factor times ours; "peak", "bandwidth": at least this fraction of the machine's; "seconds": at most this; "value": at
least this; "at_most": at most this, in the workload's unit.
"""

from __future__ import annotations

from benchmarks.workloads import dense, generation, images, metrics, optimizers, own_steps, sequences
from benchmarks.workloads.arithmetic import flops, traffic
from benchmarks.workloads.dense import ADS, GEMM_TARGETS
from benchmarks.workloads.nets import initial_weights, input_shape, layers, macs, walk, weight_shapes
from benchmarks.workloads.rows import data, source, split, until_accurate

__all__ = ["ADS", "GEMM_TARGETS", "GROUPS", "UNITS", "WORKLOADS", "data", "flops", "initial_weights", "input_shape", "layers",
           "macs", "select", "shrink", "source", "split", "traffic", "until_accurate", "walk", "weight_shapes"]  # fmt: skip

GROUPS = {"dense": dense.WORKLOADS, "optimizers": optimizers.WORKLOADS, "metrics": metrics.WORKLOADS, "images": images.WORKLOADS,
          "steps": own_steps.WORKLOADS, "sequences": sequences.WORKLOADS, "generation": generation.WORKLOADS}  # fmt: skip
WORKLOADS = {name: spec for group in GROUPS.values() for name, spec in group.items()}
UNITS = {"µs/step": 1e6, "µs/call": 1e6, "µs/token": 1e6, "ms/step": 1e3, "ms/call": 1e3, "ms": 1e3, "s": 1.0, "×": 1.0, "MB": 1.0, "%": 1.0}


def select(only: str | None) -> list[str]:
    """Names of workloads; a group stands for all of its own, "gemm" for all that begin with "gemm-" and so on.

    ValueError for a name that matches none.
    """
    if not only:
        return list(WORKLOADS)
    chosen = []
    for item in only.split(","):
        found = [n for n in WORKLOADS if n == item or n.startswith(item + "-") or n in GROUPS.get(item, ())]
        if not found:
            raise ValueError(f"no workload {item!r}; there are the groups {', '.join(GROUPS)} and {', '.join(WORKLOADS)}")
        chosen += found
    return list(dict.fromkeys(chosen))


def shrink(spec: dict) -> dict:
    """The same workload, small enough for a smoke test."""
    small = dict(spec)
    if "net" in spec or spec["kind"] == "gan":
        small["batch"] = 8
    if "rows" in spec:
        batch = small.get("batch", 1)
        small["rows"] = min(spec["rows"], 4 * batch if spec["kind"] != "predict" else 512)
        small["epochs"] = small["slow_epochs"] = 2
    small["calls"] = small["slow_calls"] = 5
    if "sequence" in spec:
        small = sequences.smaller(small, 8)
    if spec["kind"] == "adam":
        small["n"] = 4096
    if spec["kind"] == "generate":
        small["tokens"], small["blocks"], small["context"] = 20, 1, 64
    if spec["kind"] == "optimizer":
        small["shape"] = [64, 64]
    if spec["kind"] == "accuracy":
        small["goal"], small["held_out"], small["sizes"] = 0.0, 50, [784, 16, 10]
    return small
