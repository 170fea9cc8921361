"""PyTorch as a peer: eager, or with the argument "compile" through torch.compile; the better of 1 and all threads."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import torch
from torch import nn

from benchmarks import workloads
from benchmarks.peers import pytorch_gan, pytorch_generation, worker
from benchmarks.peers.pytorch_nets import Net, optimizer
from benchmarks.peers.worker import Task

COMPILED = "compile" in sys.argv[1:]
WHOLE_COPY = 1 << 20  # data sets up to so many bytes are permuted once an epoch, larger ones gathered by batch


def versions() -> dict:
    return {"torch": torch.__version__}


class Trainer:
    """fit: shuffle, gather, step, mean loss and accuracy of the epoch."""

    def __init__(self, spec, compile_step=False, compile_optimizer=False, **net):
        x, y = workloads.data(spec)
        self.spec, self.model = spec, Net(spec, **net)
        self.x, self.y = self.model.rows(x), torch.from_numpy(y)
        if spec["loss"] == "scce":
            self.y = self.y.long()
        self.optimizer = optimizer(spec, self.model.parameters(), **({"foreach": True} if compile_optimizer else {"fused": True}))
        self.forward = torch.compile(self.loss_and_hits, dynamic=False) if compile_step else self.loss_and_hits
        self.update = torch.compile(self.optimizer.step) if compile_optimizer else self.optimizer.step
        self.criterion = nn.BCEWithLogitsLoss() if spec["loss"] == "bce" else nn.CrossEntropyLoss()

    def loss_and_hits(self, x, y):
        z = self.model(x)
        if z.ndim > 2:  # a prediction a position
            z, y = z.flatten(0, 1), y.flatten()
        loss = self.criterion(z, y)
        for layer in self.model.penalised if self.spec["l1"] else ():
            loss = loss + self.spec["l1"] * layer.weight.abs().sum()
        hits = ((z > 0) == (y > 0.5)).sum() if self.spec["loss"] == "bce" else (z.argmax(1) == y).sum()
        return loss, hits

    def epoch(self):
        rows, batch = self.spec["rows"], self.spec["batch"]
        order = torch.randperm(rows) if self.spec.get("shuffle", True) else torch.arange(rows)
        whole = self.x.nbytes <= WHOLE_COPY
        x, y = (self.x[order], self.y[order]) if whole else (self.x, self.y)
        total, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for start in range(0, rows, batch):
            if whole:
                xb, yb = x[start : start + batch], y[start : start + batch]
            else:
                at = order[start : start + batch]
                xb, yb = x[at], y[at]
            loss, right = self.forward(self.model.batch(xb), yb)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.update()
            total += loss.detach()
            hits += right
        return float(total) / (rows // batch), float(hits) / rows


def variants(spec: dict, threads: int) -> dict:
    kind = spec["kind"]
    makers = {
        "fit": fit_variants, "call": call_variants, "predict": predict_variants, "adam": adam_variants,
        "optimizer": optimizer_variants, "two_fits": two_fits_variants, "accuracy": accuracy_variants, "first_step": first_step_variants,
    }  # fmt: skip
    if kind in ("gan", "grad"):
        return with_threads(pytorch_gan.variants(spec, COMPILED), {1, threads})
    if kind in ("generate", "lstm_step"):
        return with_threads(pytorch_generation.variants(spec, COMPILED), {1, threads})
    return makers[kind](spec, threads) if kind in makers else {}


def with_threads(builders: dict, counts) -> dict:
    """Each builder at each thread count."""

    def make(build, n):
        torch.set_num_threads(n)
        task = build()
        task.info["select"] = lambda: torch.set_num_threads(n)
        return task

    return {
        f"{label}, {n} thread{'s' * (n > 1)}": (lambda build=build, n=n: make(build, n))
        for label, build in builders.items() for n in counts
    }  # fmt: skip


def formats(spec) -> dict:
    """{label: arguments of Net}: images in both memory formats, sequences for recurrent nets in both orders."""
    if "units" in spec:
        return {", batch first": {}, ", time first": {"time_major": True}}
    return {"": {}, ", channels_last": {"channels_last": True}} if "net" in spec else {"": {}}


def fit_variants(spec, threads):
    def task(*compiled, **net):
        trainer = Trainer(spec, *compiled, **net)
        epochs = spec["slow_epochs"]  # a loop of Python: more epochs a call would change nothing

        def run():
            for _ in range(epochs):
                loss, _ = trainer.epoch()
            return loss

        return Task(run, epochs * spec["rows"] // spec["batch"])

    ways = {"eager, fused optimizer": ()}
    if COMPILED:
        ways = {"compiled step, fused optimizer": (True,), "compiled step and optimizer": (True, True)}
    return with_threads(
        {how + label: lambda how=compiled, net=net: task(*how, **net) for how, compiled in ways.items() for label, net in formats(spec).items()},
        {1, threads},
    )  # fmt: skip


def inference(spec, **net):
    """(model that gives probabilities, its input) in inference mode, compiled where that is measured."""
    net = Net(spec, **net)
    model = nn.Sequential(net, nn.Sigmoid() if spec["loss"] == "bce" else nn.Softmax(1)).eval()
    return torch.compile(model, dynamic=False) if COMPILED else model, net.batch(net.rows(workloads.data(spec)[0]))


def call_variants(spec, threads):
    def task(**net):
        model, x = inference(spec, **net)

        def run():
            with torch.inference_mode():
                for _ in range(400):
                    model(x)

        return Task(run, 400)

    how = "compiled" if COMPILED else "eager"
    return with_threads({how + label: lambda net=net: task(**net) for label, net in formats(spec).items()}, {1, threads})


def predict_variants(spec, threads):
    def task(batch, **net):
        model, x = inference(spec, **net)

        def run():
            with torch.inference_mode():
                out = torch.cat([model(x[i : i + batch]) for i in range(0, len(x), batch)])
            return float(out[-1, 0])

        return Task(run)

    sizes = (1000, 4000) if COMPILED else (100, 500, 4000, spec["rows"])
    return with_threads(
        {f"batches of {b}{label}": lambda b=b, net=net: task(b, **net) for b in sizes for label, net in formats(spec).items()}, {threads}
    )


def outputs(spec):
    if spec["kind"] == "grad":
        return pytorch_gan.gradient()[None].numpy()
    if spec["kind"] in ("generate", "lstm_step"):
        return pytorch_generation.outputs(spec)
    with torch.inference_mode():
        model, x = inference(spec, channels_last="net" in spec)
        return model(x).numpy()


def adam_variants(spec, threads):
    if COMPILED:
        return {}

    def task():
        p = nn.Parameter(torch.randn(spec["n"]))
        p.grad = torch.randn(spec["n"])
        update = torch.optim.Adam([p], 1e-3, eps=1e-7, fused=True)
        return Task(lambda: update.step() and None)

    return with_threads({"fused": task}, {threads})


# PyTorch's class and arguments for the rules of workloads/optimizers.py that it has, and the variants it offers of each
OPTIMIZERS = {
    "sgd": ("SGD", {}), "momentum": ("SGD", {"momentum": 0.9}), "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {}), "rmsprop_momentum": ("RMSprop", {"momentum": 0.9}), "rmsprop_centered": ("RMSprop", {"centered": True}),
    "rmsprop_both": ("RMSprop", {"centered": True, "momentum": 0.9}), "adam": ("Adam", {}), "amsgrad": ("Adam", {"amsgrad": True}),
    "adamw": ("AdamW", {}), "adagrad": ("Adagrad", {}), "adadelta": ("Adadelta", {}), "adamax": ("Adamax", {}), "nadam": ("NAdam", {}),
    "adafactor": ("Adafactor", {}),
}  # fmt: skip
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")


def optimizer_variants(spec, threads):
    if spec["rule"] not in OPTIMIZERS:
        return {}
    name, args = OPTIMIZERS[spec["rule"]]

    def task(**how):
        p = nn.Parameter(torch.randn(*spec["shape"]))
        p.grad = torch.randn(*spec["shape"])
        step = getattr(torch.optim, name)([p], 1e-3, **args, **how).step
        step = torch.compile(step) if COMPILED else step
        return Task(lambda: step() and None)

    ways = ["foreach"] if COMPILED else ["foreach", *(["fused"] if name in FUSED else [])]
    return with_threads({way: lambda way=way: task(**{way: True}) for way in ways}, {threads})


def two_fits_variants(spec, threads):
    if COMPILED:
        return {}
    trainers = [Trainer(spec) for _ in range(2)]

    def fit(trainer):
        torch.set_num_threads(1)
        for _ in range(spec["slow_epochs"]):
            trainer.epoch()

    def run():
        start = time.perf_counter()
        fit(trainers[0])
        alone = time.perf_counter() - start
        workers = [threading.Thread(target=fit, args=(t,)) for t in trainers]
        start = time.perf_counter()
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        return 2 * alone / (time.perf_counter() - start)

    return with_threads({"eager": lambda: Task(run, value=True)}, {1})


def accuracy_variants(spec, threads):
    x, y = (torch.from_numpy(a) for a in workloads.split(spec)[2:])
    task = Task(run=None)

    def setup():
        torch.compiler.reset()
        task.info["trainer"] = Trainer(spec, COMPILED)

    def run():
        trainer = task.info["trainer"]

        def accuracy():
            with torch.inference_mode():
                return float((trainer.model(x).argmax(1) == y).float().mean())

        return workloads.until_accurate(spec, trainer.epoch, accuracy)

    def build():
        task.setup, task.run = setup, run
        return task

    return with_threads({"compiled" if COMPILED else "eager": build}, {threads})


def first_step_variants(spec, threads):
    task = Task(run=None)
    one = {**spec, "rows": spec["batch"]}

    def setup():
        torch.compiler.reset()
        task.info["trainer"] = Trainer(one, COMPILED)

    def build():
        task.setup, task.run = setup, lambda: task.info["trainer"].epoch()[0]
        return task

    return with_threads({"compiled" if COMPILED else "eager": build}, {1})


def losses(spec, seed, epochs):
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    if spec["kind"] == "gan":
        return pytorch_gan.losses(spec, epochs, COMPILED)
    trainer = Trainer(spec, COMPILED)
    return [trainer.epoch()[0] for _ in range(epochs)]


if __name__ == "__main__":
    np.random.seed(0)
    worker.serve(sys.modules[__name__])
