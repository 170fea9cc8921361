"""The workloads written once for every framework with Keras' names: brisknet and Keras itself run this very code."""

from __future__ import annotations

import threading
import time

import numpy as np

from benchmarks import workloads
from benchmarks.peers.worker import Task


def build(K, spec: dict, compile_args: dict | None = None):
    """A compiled Sequential of the namespace K (brisknet or keras) with the shared first weights."""
    layers = [K.layers.Input((spec["sizes"][0],))]
    last = len(spec["sizes"]) - 2
    for i, n in enumerate(spec["sizes"][1:]):
        if i < last:
            penalty = K.regularizers.L1(spec["l1"]) if spec["l1"] else None
            layers.append(K.layers.Dense(n, activation=spec["act"], kernel_regularizer=penalty))
            if spec["dropout"]:
                layers.append(K.layers.Dropout(spec["dropout"]))
        else:
            layers.append(K.layers.Dense(n, activation="sigmoid" if spec["loss"] == "bce" else "softmax"))
    model = K.Sequential(layers)
    model.set_weights(workloads.initial_weights(spec))
    optimizer = {"adam": K.optimizers.Adam, "sgd": K.optimizers.SGD}[spec["optimizer"]](learning_rate=spec["lr"])
    loss = {"bce": "binary_crossentropy", "scce": "sparse_categorical_crossentropy"}[spec["loss"]]
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], **(compile_args or {}))
    return model


def fit_task(K, spec, epochs, compile_args=None, seed=0):
    x, y = workloads.data(spec)
    K.utils.set_random_seed(seed)
    model = build(K, spec, compile_args)

    def run():
        history = model.fit(x, y, batch_size=spec["batch"], epochs=epochs, shuffle=spec.get("shuffle", True), verbose=0)
        return history.history["loss"][-1]

    return Task(run, units=epochs * spec["rows"] // spec["batch"], info={"model": model})


def losses(K, spec, seed, epochs, compile_args=None):
    """The loss of each epoch of one fit."""
    x, y = workloads.data(spec)
    K.utils.set_random_seed(seed)
    model = build(K, spec, compile_args)
    history = model.fit(x, y, batch_size=spec["batch"], epochs=epochs, shuffle=spec.get("shuffle", True), verbose=0)
    return history.history["loss"]


def call_task(K, spec, calls, method):
    """method "call": model(x); "predict": model.predict(x) without its progress bar."""
    x, _ = workloads.data(spec)
    model = build(K, spec)

    def run_call():
        for _ in range(calls):
            model(x)

    def run_predict():
        for _ in range(calls):
            model.predict(x, verbose=0)

    return Task(run_call if method == "call" else run_predict, units=calls, info={"model": model})


def predict_task(K, spec, batch_size):
    x, _ = workloads.data(spec)
    model = build(K, spec)
    return Task(lambda: float(np.asarray(model.predict(x, batch_size=batch_size, verbose=0))[-1, 0]), info={"model": model})


def accuracy_task(K, spec, compile_args=None):
    """A new model trained until it is accurate enough; returns the number of epochs."""
    x, y, x_test, y_test = workloads.split(spec)
    task = Task(run=None)

    def setup():
        task.info["model"] = build(K, spec, compile_args)

    def run():
        model = task.info["model"]
        return workloads.until_accurate(
            spec, lambda: model.fit(x, y, batch_size=spec["batch"], epochs=1, verbose=0),
            lambda: model.evaluate(x_test, y_test, batch_size=500, verbose=0)[1],
        )  # fmt: skip

    task.setup, task.run = setup, run
    return task


def two_fits_task(K, spec, epochs, one_core, all_cores):
    """Throughput of two fits in two threads over that of one fit alone, each fit on one core."""
    x, y = workloads.data(spec)
    models = [build(K, spec) for _ in range(2)]

    def fit(model):
        model.fit(x, y, batch_size=spec["batch"], epochs=epochs, verbose=0)

    def run():
        one_core()
        try:
            start = time.perf_counter()
            fit(models[0])
            alone = time.perf_counter() - start
            threads = [threading.Thread(target=fit, args=(m,)) for m in models]
            start = time.perf_counter()
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            return 2 * alone / (time.perf_counter() - start)
        finally:
            all_cores()

    return Task(run, value=True, info={"model": models[0]})


def first_step_task(K, spec):
    """One train_on_batch of a model that was just compiled; building and compiling are not timed."""
    x, y = workloads.data(spec)
    x, y = x[: spec["batch"]], y[: spec["batch"]]
    task = Task(run=None)

    def setup():
        task.info["model"] = build(K, spec)

    def run():
        out = task.info["model"].train_on_batch(x, y)
        return float(out[0])

    task.setup, task.run = setup, run
    return task
