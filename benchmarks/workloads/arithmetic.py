"""What one unit of a workload has to compute and to move."""

from __future__ import annotations

from benchmarks.workloads import own_steps
from benchmarks.workloads.nets import macs, products


def flops(spec: dict) -> float | None:
    """Floating-point operations of one unit (step or call) in its matrix products, or None where that says nothing.

    Training: forward, weight gradient and input gradient take as many; the first layer has no input gradient
    (it is an embedding, which has no products, where tokens come in).
    """
    if spec["kind"] == "fit":
        return 2.0 * spec["batch"] * (3 * macs(spec) - products(spec)[0])
    if spec["kind"] == "predict":
        return 2.0 * spec["rows"] * macs(spec)
    if spec["kind"] in ("call", "predict1"):
        return 2.0 * macs(spec)
    if spec["kind"] == "gan":
        return own_steps.gan_flops(spec)
    if spec["kind"] == "gemm":
        m, k, n = spec["shape"]
        return 2.0 * m * k * n
    return None


def traffic(spec: dict) -> tuple[float, float] | None:
    """(bytes moved by one unit, bytes of its working set) for the workloads that bandwidth bounds, else None.

    Adam reads gradient, parameter and both moments and writes all but the gradient: 28 bytes a parameter. In the step of
    one row the gradient is an outer product that needs no memory, so the update moves 24 bytes a parameter, and the
    kernels are read once forward and, but for the first, once backward.
    """
    if spec["kind"] == "adam":
        return 28.0 * spec["n"], 16.0 * spec["n"]
    if spec["kind"] == "optimizer":
        n = spec["shape"][0] * spec["shape"][1]
        return float(spec["bytes"] * n), 4.0 * spec["arrays"] * n
    if spec["kind"] == "fit" and spec["batch"] == 1:
        n, first = macs(spec), products(spec)[0]
        return 24.0 * n + 4.0 * n + 4.0 * (n - first), 12.0 * n
    return None
