"""Convolutional networks: training steps, and LeNet's answers. Their layers are in nets.py."""

from __future__ import annotations

_IMAGES = {"kind": "fit", "dropout": 0.0, "l1": 0.0, "loss": "scce", "unit": "µs/step"}
LENET = {**_IMAGES, "net": "lenet", "data": "digits", "optimizer": "adam", "lr": 1e-3, "batch": 128}
_COLOURS = {**_IMAGES, "data": "noise", "optimizer": "momentum", "lr": 0.002, "rows": 256, "batch": 64, "epochs": 1, "slow_epochs": 1}

WORKLOADS = {
    "lenet128": {
        **LENET, "rows": 2560, "epochs": 2, "slow_epochs": 1, "about": "LeNet-5, 28×28, Adam, batch 128",
        "targets": [("best", 4.5), ("c", 1 / 1.3), ("peak", 0.5)],
    },
    "resnet20": {
        **_COLOURS, "net": "resnet20", "about": "ResNet-20, 32×32×3, SGD with momentum, batch 64",
        "targets": [("pytorch", 1.4), ("peak", 0.6)],
    },
    "vgg": {
        **_COLOURS, "net": "vgg", "about": "VGG-like, 32-64-128 channels, 32×32×3, SGD with momentum, batch 64",
        "targets": [("pytorch", 1.3)],
    },
    "mobilenet": {
        **_COLOURS, "net": "mobilenet", "about": "depthwise separable, 32-128 channels, 32×32×3, SGD with momentum, batch 64",
        "targets": [("pytorch", 2.0)],
    },
    "lenet_call1": {
        **LENET, "kind": "call", "rows": 1, "calls": 2000, "slow_calls": 200, "about": "model(x), one LeNet image",
        "unit": "µs/call", "targets": [("seconds", 25e-6), ("onnx", 1.5)],
    },
    "lenet_predict": {
        **LENET, "kind": "predict", "rows": 10_000, "about": "predict of 10,000 LeNet images", "unit": "ms/call",
        "targets": [("pytorch", 3.0), ("onnx", 1.5)],
    },
}  # fmt: skip
