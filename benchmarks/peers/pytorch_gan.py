"""GANs in PyTorch, and its gradient on demand: see workloads/own_steps.py."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers.pytorch_nets import Builder
from benchmarks.peers.worker import Task
from benchmarks.workloads import own_steps
from benchmarks.workloads.nets import SLOPE


class Layers(Builder):
    """The layers of a GAN's network. Its kernels are 4 × 4 at stride 2: PyTorch pads as Keras does."""

    def __init__(self, weights):
        self.weights, self.mirrored, self.pixels, self.penalised = iter(weights), False, None, []

    def dense(self, layer, shape):
        if layer.get("bias", True):
            return super().dense(layer, shape)
        kernel = next(self.weights)  # a Reshape follows: its columns are made channel, height, width
        h, w, c = self.after
        kernel = kernel.reshape(-1, h, w, c).transpose(0, 3, 1, 2).reshape(kernel.shape)
        return [self.filled(nn.Linear(*kernel.shape, bias=False), kernel.T, None)]

    def reshape(self, layer, shape):
        h, w, c = layer["shape"]
        return [nn.Unflatten(1, (c, h, w))]

    def leaky(self, layer, shape):
        return [nn.LeakyReLU(SLOPE)]

    def conv(self, layer, shape):
        kernel, bias = next(self.weights), next(self.weights) if layer["bias"] else None
        module = nn.Conv2d(shape[2], layer["n"], layer["k"], layer["stride"], layer["k"] // 2 - 1, bias=bias is not None)
        return [self.filled(module, kernel.transpose(3, 2, 0, 1), bias)]

    def conv_transpose(self, layer, shape):
        kernel, bias = next(self.weights), next(self.weights) if layer["bias"] else None
        module = nn.ConvTranspose2d(shape[2], layer["n"], layer["k"], layer["stride"], layer["k"] // 2 - 1, bias=bias is not None)
        return [self.filled(module, kernel.transpose(3, 2, 0, 1), bias)]


def network(layers, shape, weights):
    builder = Layers(weights)
    builder.after = next((layer["shape"] for layer in layers if layer["op"] == "reshape"), None)
    return nn.Sequential(*builder.chain(layers, shape))


class GAN:
    """One epoch of steps at a time, with the mean losses of the epoch; images in channels_last memory or not."""

    def __init__(self, spec, compiled=False, channels_last=False):
        self.spec = spec
        weights = own_steps.first_weights(spec)
        self.generator, self.discriminator = (network(*net, w) for net, w in zip(own_steps.networks(spec), weights))
        data = {name: torch.from_numpy(rows) for name, rows in own_steps.data(spec).items()}
        if data["real"].ndim == 4:
            data["real"] = data["real"].permute(0, 3, 1, 2).contiguous()
        if channels_last:
            data["real"] = data["real"].contiguous(memory_format=torch.channels_last)
            for model in (self.generator, self.discriminator):
                model.to(memory_format=torch.channels_last)
        self.data = data
        adam = [torch.optim.Adam(model.parameters(), spec["lr"], betas=(spec["beta_1"], 0.999), eps=1e-7, fused=True)
                for model in (self.generator, self.discriminator)]  # fmt: skip
        self.g_optimizer, self.d_optimizer = adam
        self.g_weights, self.d_weights = (list(model.parameters()) for model in (self.generator, self.discriminator))
        labels = torch.zeros((2 * spec["batch"], 1))
        labels[spec["batch"] :] = 1
        self.labels, self.ones = labels, labels[spec["batch"] :]
        self.d_loss, self.g_loss = (
            (torch.compile(f, dynamic=False) if compiled else f) for f in (self.loss_of_discriminator, self.loss_of_generator)
        )

    def loss_of_discriminator(self, real, z):
        with torch.no_grad():
            made = self.generator(z)
        return functional.binary_cross_entropy_with_logits(self.discriminator(torch.cat([made, real])), self.labels)

    def loss_of_generator(self, z):
        return functional.binary_cross_entropy_with_logits(self.discriminator(self.generator(z)), self.ones)

    def step(self, real, z1, z2):
        d_loss = self.d_loss(real, z1)
        self.d_optimizer.zero_grad(set_to_none=True)
        d_loss.backward(inputs=self.d_weights)
        self.d_optimizer.step()
        g_loss = self.g_loss(z2)
        self.g_optimizer.zero_grad(set_to_none=True)
        g_loss.backward(inputs=self.g_weights)  # not the discriminator's
        self.g_optimizer.step()
        return d_loss.detach(), g_loss.detach()

    def epoch(self) -> list[float]:
        rows, batch = self.spec["rows"], self.spec["batch"]
        order = torch.randperm(rows) if self.spec.get("shuffle", True) else torch.arange(rows)
        totals = [torch.zeros(()), torch.zeros(())]
        for start in range(0, rows, batch):
            at = order[start : start + batch]
            for total, loss in zip(totals, self.step(*(self.data[name][at] for name in ("real", "z1", "z2")))):
                total += loss
        return [float(total) / (rows // batch) for total in totals]


def gan_task(spec, **how):
    gan, epochs = GAN(spec, **how), spec["slow_epochs"]

    def run():
        for _ in range(epochs):
            loss, _ = gan.epoch()
        return loss

    return Task(run, epochs * spec["rows"] // spec["batch"])


def losses(spec, epochs, compiled):
    gan = GAN(spec, compiled)
    return [loss for _ in range(epochs) for loss in gan.epoch()]


def function(x):
    return (torch.tanh(x) * torch.exp(-x * x)).sum()


def gradient(f=function):
    x = torch.tensor(own_steps.POINT, requires_grad=True)
    return torch.autograd.grad(f(x), x)[0]


def grad_task(spec, compiled):
    f, x = torch.compile(function) if compiled else function, torch.tensor(own_steps.POINT, requires_grad=True)

    def run():
        for _ in range(spec["slow_calls"]):
            torch.autograd.grad(f(x), x)

    return Task(run, spec["slow_calls"])


def variants(spec, compiled) -> dict:
    """{label: function that builds a Task}, for any number of threads."""
    how = "compiled losses" if compiled else "eager"
    if spec["kind"] == "grad":
        return {f"{how}, autograd.grad": lambda: grad_task(spec, compiled)}
    formats = {"": {}, ", channels_last": {"channels_last": True}} if spec["generator"] == "conv" else {"": {}}
    return {f"{how}, fused optimizers{label}": lambda args=args: gan_task(spec, compiled=compiled, **args) for label, args in formats.items()}
