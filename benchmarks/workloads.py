"""What is measured: networks, data, first weights, arithmetic per step and targets. NumPy only: every peer imports it.

Every peer gets the same rows, the same first weights and the same batch size. Rows are a multiple of the batch, so
that all batches have one shape, which a compiled whole-epoch loop needs.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

# A target is (against, factor): "best", or the name of a peer: the peer's time is at least factor times ours;
# "peak", "bandwidth": at least this fraction of the machine's; "seconds": at most this; "value": at least this.
ADS = {
    "kind": "fit", "sizes": [10, 64, 32, 1], "act": "relu", "dropout": 0.5, "l1": 0.01, "optimizer": "adam", "lr": 1e-3,
    "loss": "bce", "data": "ads", "rows": 800, "batch": 32, "epochs": 40, "slow_epochs": 8,
}  # fmt: skip
XOR = {
    "kind": "fit", "sizes": [2, 4, 1], "act": "tanh", "dropout": 0.0, "l1": 0.0, "optimizer": "sgd", "lr": 0.1,
    "loss": "bce", "data": "xor", "batch": 4,
}  # fmt: skip
MLP = {
    "kind": "fit", "sizes": [784, 512, 512, 10], "act": "relu", "dropout": 0.0, "l1": 0.0, "optimizer": "adam",
    "lr": 1e-3, "loss": "scce", "data": "mnist", "epochs": 1, "slow_epochs": 1,
}  # fmt: skip
DEEP = {**ADS, "sizes": [10] + [64] * 49 + [1], "dropout": 0.0, "l1": 0.0}

WORKLOADS = {
    "ads": {
        **ADS, "about": "Ads net 10-64-32-1, dropout, L1, Adam, batch 32", "unit": "µs/step",
        "targets": [("jax", 8), ("torch", 70), ("keras", 200), ("c", 1 / 1.4)],
    },
    "xor4": {
        **XOR, "rows": 4, "epochs": 2000, "slow_epochs": 40, "about": "XOR net 2-4-1, SGD, 4 rows, an epoch a step",
        "unit": "µs/step", "targets": [],
    },
    "xor4000": {
        **XOR, "rows": 4000, "epochs": 4, "slow_epochs": 1, "about": "XOR net 2-4-1, SGD, 4,000 rows, batch 4",
        "unit": "µs/step", "targets": [("jax", 50), ("torch", 900)],
    },
    "mlp128": {
        **MLP, "rows": 9984, "batch": 128, "about": "784-512-512-10, Adam, batch 128", "unit": "µs/step",
        "targets": [("best", 1.5), ("peak", 0.62)],
    },
    "mlp32": {
        **MLP, "rows": 9984, "batch": 32, "about": "784-512-512-10, Adam, batch 32", "unit": "µs/step",
        "targets": [("jax", 1.6), ("torch", 2.5), ("peak", 0.50)],
    },
    "mlp1": {
        **MLP, "rows": 512, "batch": 1, "about": "784-512-512-10, Adam, batch 1", "unit": "µs/step",
        "targets": [("best", 1.5), ("bandwidth", 0.6)],
    },
    "accuracy": {
        **MLP, "kind": "accuracy", "rows": 8000, "held_out": 2000, "goal": 0.95, "batch": 100, "unit": "s", "targets": [],
        "about": "time to 95 % on 2,000 held-out digits, 784-512-512-10, batch 100, compilation included",
    },
    "call1": {
        **ADS, "kind": "call", "rows": 1, "calls": 20000, "slow_calls": 400, "about": "model(x), one row of the Ads net",
        "unit": "µs/call", "targets": [("seconds", 2e-6)],
    },
    "predict1": {
        **ADS, "kind": "predict1", "rows": 1, "calls": 5000, "slow_calls": 10, "about": "model.predict(x), one row of the Ads net",
        "unit": "µs/call", "targets": [("seconds", 15e-6)],
    },
    "predict100k": {
        **MLP, "kind": "predict", "rows": 100_000, "batch": 4096, "about": "predict of 100,000 rows, 784-512-512-10",
        "unit": "ms/call", "targets": [("torch", 1.2), ("peak", 0.75)],
    },
    "adam10m": {
        "kind": "adam", "n": 10_000_000, "about": "fused Adam step, 10 M parameters", "unit": "ms/step",
        "targets": [("torch", 1.1), ("c", 0.9), ("bandwidth", 0.8)],
    },
    "two_fits": {
        **ADS, "kind": "two_fits", "epochs": 400, "slow_epochs": 4, "about": "two fits in two Python threads: throughput of one fit alone, times",
        "unit": "×", "targets": [("value", 1.8)],
    },
    "first_step": {
        **ADS, "kind": "first_step", "about": "first step after compile, Ads net", "unit": "ms", "targets": [("seconds", 0.020)],
    },
    "first_step_50": {
        **DEEP, "kind": "first_step", "about": "first step after compile, 50-layer MLP", "unit": "ms",
        "targets": [("seconds", 0.060)],
    },
}  # fmt: skip

GEMM_TARGETS = {
    (32, 10, 64): 1.3, (32, 64, 32): 1.3, (32, 784, 512): 1.0, (128, 512, 512): 1.0, (512, 512, 512): 0.95,
    (1024, 1024, 1024): 0.95, (2048, 2048, 2048): 0.95,
}  # fmt: skip
for _shape, _factor in GEMM_TARGETS.items():
    for _layout in ("NN", "NT", "TN"):
        WORKLOADS[f"gemm-{_layout}-{'x'.join(map(str, _shape))}"] = {
            "kind": "gemm", "shape": list(_shape), "layout": _layout, "unit": "µs/call",
            "about": f"GEMM {_layout}, rows × inner × columns {'×'.join(map(str, _shape))}", "targets": [("numpy", _factor)],
        }  # fmt: skip

UNITS = {"µs/step": 1e6, "µs/call": 1e6, "ms/step": 1e3, "ms/call": 1e3, "ms": 1e3, "s": 1.0, "×": 1.0, "MB": 1.0}


def select(only: str | None) -> list[str]:
    """Names of workloads; "gemm" stands for all that begin with "gemm-". ValueError for a name that matches none."""
    if not only:
        return list(WORKLOADS)
    chosen = []
    for item in only.split(","):
        found = [n for n in WORKLOADS if n == item or n.startswith(item + "-")]
        if not found:
            raise ValueError(f"no workload {item!r}; there are {', '.join(WORKLOADS)}")
        chosen += found
    return chosen


def shrink(spec: dict) -> dict:
    """The same workload, small enough for a smoke test."""
    small = dict(spec)
    if "rows" in spec:
        batch = spec.get("batch", 1)
        small["rows"] = min(spec["rows"], 4 * batch if spec["kind"] != "predict" else 512)
        small["epochs"] = small["slow_epochs"] = 2
    small["calls"] = small["slow_calls"] = 5
    if spec["kind"] == "adam":
        small["n"] = 4096
    if spec["kind"] == "accuracy":
        small["goal"], small["held_out"], small["sizes"] = 0.0, 50, [784, 16, 10]
    return small


def data(spec: dict):
    """(x float32 [rows, features], y): labels float32 [rows, 1] for "bce", int32 [rows] for "scce"."""
    rng = np.random.default_rng(0)
    rows = spec["rows"]
    if spec["data"] == "xor":
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        x = np.tile(x, (-(-rows // 4), 1))[:rows]
        return x, (x[:, :1] != x[:, 1:]).astype(np.float32)
    if spec["data"] == "ads":
        x = rng.random((rows, 10))
        y = rng.integers(0, 2, (rows, 1)).astype(np.float32)
        if rows > 1:
            x = (x - x.mean(axis=0)) / x.std(axis=0)
        return x.astype(np.float32), y
    x, y = mnist() or synthetic_digits(rng)
    repeat = -(-rows // len(x))
    if repeat > 1:
        x, y = np.tile(x, (repeat, 1)), np.tile(y, repeat)
    return np.ascontiguousarray(x[:rows]), y[:rows].copy()


def split(spec: dict):
    """(x, y, x of the held-out rows, y of the held-out rows) of an "accuracy" workload."""
    x, y = data({**spec, "rows": spec["rows"] + spec["held_out"]})
    return x[: spec["rows"]], y[: spec["rows"]], x[spec["rows"] :], y[spec["rows"] :]


def until_accurate(spec: dict, epoch, accuracy) -> int:
    """Train by epoch() until accuracy() reaches the goal; the number of epochs. RuntimeError after 50."""
    for n in range(1, 51):
        epoch()
        if accuracy() >= spec["goal"]:
            return n
    raise RuntimeError(f"{spec['goal']:.0%} not reached in 50 epochs")


def mnist():
    """MNIST's 10,000 test images as (float32 [10000, 784] in 0..1, int32 [10000]) from BRISKNET_DATA, or None."""
    folder = os.environ.get("BRISKNET_DATA")
    images = Path(folder or "") / "mnist-t10k-images-idx3-ubyte.gz"
    labels = Path(folder or "") / "mnist-t10k-labels-idx1-ubyte.gz"
    if not folder or not images.exists() or not labels.exists():
        return None
    x = np.frombuffer(gzip.decompress(images.read_bytes()), np.uint8, offset=16).reshape(-1, 784)
    y = np.frombuffer(gzip.decompress(labels.read_bytes()), np.uint8, offset=8)
    return x.astype(np.float32) / 255, y.astype(np.int32)


def synthetic_digits(rng):
    """Ten noisy prototypes in MNIST's shape, about as many zeros as MNIST has (81 %)."""
    prototypes = rng.random((10, 784)) * (rng.random((10, 784)) < 0.25)
    y = rng.integers(0, 10, 10_000).astype(np.int32)
    x = np.clip(prototypes[y] + 0.3 * rng.standard_normal((10_000, 784)) * (prototypes[y] > 0), 0, 1)
    return x.astype(np.float32), y


def source(spec: dict) -> str:
    """Where the rows come from, for the report."""
    if spec.get("data") != "mnist":
        return "generated"
    return "MNIST images" if mnist() else "synthetic rows in MNIST's shape"


def initial_weights(spec: dict) -> list[np.ndarray]:
    """[kernel [in, out], bias [out], ...], Glorot uniform and zero, float32, the same for every peer."""
    rng = np.random.default_rng(1)
    out = []
    for k, n in zip(spec["sizes"], spec["sizes"][1:]):
        limit = np.sqrt(6 / (k + n))
        out += [rng.uniform(-limit, limit, (k, n)).astype(np.float32), np.zeros(n, np.float32)]
    return out


def macs(spec: dict) -> int:
    """Multiply-adds of one row's forward pass through the kernels."""
    return sum(k * n for k, n in zip(spec["sizes"], spec["sizes"][1:]))


def flops(spec: dict) -> float | None:
    """Floating-point operations of one unit (step or call) in its matrix products, or None where that says nothing.

    Training: forward, weight gradient and input gradient take 2·batch·K·N each; the first layer has no input gradient.
    """
    if spec["kind"] == "fit":
        return 2.0 * spec["batch"] * (3 * macs(spec) - spec["sizes"][0] * spec["sizes"][1])
    if spec["kind"] == "predict":
        return 2.0 * spec["rows"] * macs(spec)
    if spec["kind"] in ("call", "predict1"):
        return 2.0 * macs(spec)
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
    if spec["kind"] == "fit" and spec["batch"] == 1:
        n, first = macs(spec), spec["sizes"][0] * spec["sizes"][1]
        return 24.0 * n + 4.0 * n + 4.0 * (n - first), 12.0 * n
    return None
