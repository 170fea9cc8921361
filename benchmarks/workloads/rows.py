"""The rows that every peer trains on: generated, or MNIST's 10,000 test images."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

from benchmarks.workloads import nets, sequences


def data(spec: dict):
    """(x float32 [rows, *shape of a row], y): labels float32 [rows, 1] for "bce", int32 [rows] for "scce"; or sequences' tokens."""
    if "sequence" in spec:
        return sequences.data(spec)
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
        return x.astype(np.float32), y if spec["loss"] == "bce" else rng.integers(0, 10, rows).astype(np.int32)
    if spec["data"] == "noise":
        return rng.standard_normal((rows, *nets.input_shape(spec)), np.float32), rng.integers(0, 10, rows).astype(np.int32)
    x, y = mnist() or synthetic_digits(rng)
    repeat = -(-rows // len(x))
    if repeat > 1:
        x, y = np.tile(x, (repeat, 1)), np.tile(y, repeat)
    return np.ascontiguousarray(x[:rows]).reshape(rows, *nets.input_shape(spec)), y[:rows].copy()


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
    if spec.get("data") not in ("mnist", "digits", "images"):
        return "generated"
    return "MNIST images" if mnist() else "synthetic rows in MNIST's shape"
