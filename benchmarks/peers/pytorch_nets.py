"""The networks of nets.py in PyTorch, giving logits, with the shared first weights.

Keras pads "same" at stride 2 at the end, PyTorch at the beginning. So a network with strides gets its images and kernels
mirrored: then PyTorch's own padding, without a copy, computes the very same numbers. Only a 1 × 1 kernel, which has no
padding, must begin at the second pixel.
"""

from __future__ import annotations

import torch
from torch import nn

from benchmarks import workloads
from benchmarks.peers.pytorch_sequences import SequenceBuilder
from benchmarks.workloads.nets import EPSILON, MOMENTUM, output_shape


class EveryOther(nn.Module):
    """The odd rows and columns: of mirrored images those that the even ones were."""

    def forward(self, x):
        return x[:, :, 1::2, 1::2]


class Residual(nn.Module):
    def __init__(self, main, short):
        super().__init__()
        self.main, self.short = nn.Sequential(*main), nn.Sequential(*short)

    def forward(self, x):
        return torch.relu(self.main(x) + self.short(x))


class Builder(SequenceBuilder):
    """Takes weights in the order of workloads.walk()."""

    def __init__(self, spec, time_major=False):
        self.time_major = time_major
        self.layers, self.shape = workloads.layers(spec), workloads.input_shape(spec)
        self.weights = iter(workloads.initial_weights(spec))
        self.mirrored = any(layer.get("stride", 1) > 1 for layer, _, _ in workloads.walk(self.layers, self.shape))
        self.pixels = None  # (height, width, channels) that the last Flatten met, until a Linear has seen it
        self.penalised = []

    def build(self) -> list:
        """Modules without the last activation."""
        self.layers[-1]["act"] = None
        return self.chain(self.layers, self.shape)

    def chain(self, layers, shape):
        out = []
        for layer in layers:
            out += getattr(self, layer["op"])(layer, shape)
            shape = output_shape(layer, shape)
            if layer.get("act"):
                out.append({"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}[layer["act"]]())
        return out

    def filled(self, module, kernel, bias):
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(kernel.copy()))
            if bias is not None:
                module.bias.copy_(torch.from_numpy(bias))
        return module

    def dense(self, layer, shape):
        kernel, bias = next(self.weights), next(self.weights) if layer.get("bias", True) else None
        if self.pixels:  # rows of the kernel from height, width, channel to PyTorch's channel, height, width
            kernel = kernel.reshape(*self.pixels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            self.pixels = None
        module = self.filled(nn.Linear(*kernel.shape, bias=bias is not None), kernel.T, bias)
        if layer["l1"]:
            self.penalised.append(module)
        return [module]

    def conv(self, layer, shape, groups=1):
        kernel = next(self.weights)
        bias = next(self.weights) if layer.get("bias") else None
        kernel = kernel[::-1, ::-1] if self.mirrored else kernel
        n, k, stride, before = layer.get("n", shape[2]), layer["k"], layer["stride"], []
        if k == 1 and stride == 2:
            before, stride = [EveryOther()], 1
        padding = k // 2 if layer["same"] else 0
        module = nn.Conv2d(shape[2], n, k, stride, padding, groups=groups, bias=bias is not None)
        return [*before, self.filled(module, kernel.transpose(3, 2, 0, 1) if groups == 1 else kernel.transpose(2, 3, 0, 1), bias)]

    def depthwise(self, layer, shape):
        return self.conv(layer, shape, groups=shape[2])

    def norm(self, layer, shape):
        gamma, beta, _, _ = (next(self.weights) for _ in range(4))
        return [self.filled(nn.BatchNorm2d(shape[2], eps=EPSILON, momentum=1 - MOMENTUM), gamma, beta)]

    def residual(self, layer, shape):
        return [Residual(self.chain(layer["main"], shape), self.chain(layer["short"], shape))]

    def flatten(self, layer, shape):
        self.pixels = shape
        return [nn.Flatten()]

    def dropout(self, layer, shape):
        return [nn.Dropout(layer["rate"])]

    def relu(self, layer, shape):
        return [nn.ReLU()]

    def pool(self, layer, shape):
        return [nn.MaxPool2d(2)]

    def mean(self, layer, shape):
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]


class Net(nn.Module):
    """The network of a spec; images in channels_last memory or not, embedded steps before rows or not, as asked for."""

    def __init__(self, spec, channels_last=False, time_major=False):
        super().__init__()
        builder = Builder(spec, time_major)
        self.net = nn.Sequential(*builder.build())
        self.penalised, self.mirrored, self.shape = builder.penalised, builder.mirrored, builder.shape
        self.channels_last = channels_last
        if channels_last:
            self.to(memory_format=torch.channels_last)

    def forward(self, x):
        return self.net(x)

    def rows(self, x) -> torch.Tensor:
        """[rows, values] from NumPy's [rows, height, width, channels], in the order of the memory format; others as they are."""
        if x.ndim == 2:
            return torch.from_numpy(x)
        x = x[:, ::-1, ::-1] if self.mirrored else x
        x = x if self.channels_last else x.transpose(0, 3, 1, 2)
        return torch.from_numpy(x.reshape(len(x), -1).copy())

    def batch(self, rows) -> torch.Tensor:
        """What forward() takes, of rows(); no copy."""
        if len(self.shape) == 1:
            return rows
        h, w, c = self.shape
        return rows.view(-1, h, w, c).permute(0, 3, 1, 2) if self.channels_last else rows.view(-1, c, h, w)


def optimizer(spec, parameters, **how):
    """The optimizer of a fit."""
    if spec["optimizer"] == "adam":
        return torch.optim.Adam(parameters, spec["lr"], eps=1e-7, **how)
    if spec["optimizer"] == "adamw":
        return torch.optim.AdamW(parameters, spec["lr"], eps=1e-7, weight_decay=spec["weight_decay"], **how)
    return torch.optim.SGD(parameters, spec["lr"], momentum=0.9 if spec["optimizer"] == "momentum" else 0.0, **how)
