"""Perceptrons: whole fits, predictions, first steps, the fused Adam update, and matrix products."""

from __future__ import annotations

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
