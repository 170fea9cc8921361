"""scikit-learn's MLPClassifier, where it has the workload: Adam, no dropout, no L1, the shared first weights."""

from __future__ import annotations

import sys
import warnings

import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks import workloads
from benchmarks.peers import worker
from benchmarks.peers.worker import Task

warnings.simplefilter("ignore", ConvergenceWarning)


def versions() -> dict:
    return {"scikit-learn": sklearn.__version__}


def comparable(spec) -> bool:
    return spec.get("data") == "mnist" and not spec["dropout"] and not spec["l1"]


class SharedStart(MLPClassifier):
    """MLPClassifier that begins with given weights instead of drawing them."""

    def _init_coef(self, fan_in, fan_out, dtype):
        weights = iter(self.first_weights)
        for kernel, bias in zip(weights, weights):
            if kernel.shape == (fan_in, fan_out):
                self.first_weights = list(weights)
                return kernel.astype(dtype), bias.astype(dtype)
        raise ValueError(f"no first weights of shape ({fan_in}, {fan_out})")


def network(spec, seed, **kwargs):
    net = SharedStart(
        spec["sizes"][1:-1], activation=spec["act"], solver=spec["optimizer"], alpha=0.0, batch_size=spec["batch"],
        learning_rate_init=spec["lr"], epsilon=1e-7, random_state=seed, n_iter_no_change=10**6, tol=0.0,
        shuffle=spec.get("shuffle", True), **kwargs,
    )  # fmt: skip
    net.first_weights = workloads.initial_weights(spec)
    return net


def variants(spec: dict, threads: int) -> dict:
    if not comparable(spec):
        return {}
    x, y = workloads.data(spec)

    def fit():
        net = network(spec, 0)
        net.partial_fit(x, y, classes=range(10))
        return Task(lambda: net.partial_fit(x, y).loss_, spec["rows"] // spec["batch"])

    def predict():
        net = network({**spec, "batch": 200}, 0)
        net.partial_fit(x[:200], y[:200], classes=range(10))
        return Task(lambda: float(net.predict_proba(x)[-1, 0]))

    return {"fit": {"partial_fit": fit}, "predict": {"predict_proba": predict}}.get(spec["kind"], {})


def losses(spec, seed, epochs):
    x, y = workloads.data(spec)
    net = network(spec, seed)
    return [net.partial_fit(x, y, classes=range(10)).loss_ for _ in range(epochs)]


if __name__ == "__main__":
    worker.serve(sys.modules[__name__])
