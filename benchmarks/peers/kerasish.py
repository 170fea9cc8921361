"""The workloads written once for every framework with Keras' names: brisknet and Keras itself run this very code."""

from __future__ import annotations

import threading
import time

import numpy as np

from benchmarks import workloads
from benchmarks.peers import kerasish_sequences
from benchmarks.peers.worker import Task


def layer_of(K, layer: dict):
    """The layer of the namespace K (brisknet or keras), without its weights."""
    L, op = K.layers, layer["op"]
    if op == "dense":
        penalty = K.regularizers.L1(layer["l1"]) if layer["l1"] else None
        return L.Dense(layer["n"], use_bias=layer.get("bias", True), activation=layer["act"], kernel_regularizer=penalty)
    if op in ("conv", "depthwise"):
        kind, args = (L.DepthwiseConv2D, ()) if op == "depthwise" else (L.Conv2D, (layer["n"],))
        padding = "same" if layer["same"] else "valid"
        return kind(*args, layer["k"], layer["stride"], padding, use_bias=layer.get("bias", False), activation=layer.get("act"))
    makers = {
        "dropout": lambda: L.Dropout(layer["rate"]), "norm": L.BatchNormalization, "relu": L.ReLU, "pool": L.MaxPooling2D,
        "flatten": L.Flatten, "mean": L.GlobalAveragePooling2D, **kerasish_sequences.makers(K, layer),
    }  # fmt: skip
    return makers[op]()


def graph(K, layers: list, x, made: list):
    """The symbolic answer to x; appends each layer to `made` in the order of workloads.walk()."""
    for layer in layers:
        if layer["op"] == "residual":
            main, short = graph(K, layer["main"], x, made), graph(K, layer["short"], x, made)
            x = K.layers.ReLU()(K.layers.Add()([main, short]))
        elif layer["op"] == "add":
            x = K.layers.Add()([x, graph(K, layer["main"], x, made)])
        else:
            made.append(layer_of(K, layer))
            x = kerasish_sequences.joined(K, layer, made[-1], x)
    return x


def build(K, spec: dict, compile_args: dict | None = None):
    """A compiled model of the namespace K (brisknet or keras) with the shared first weights: Sequential where it can be."""
    layers, shape, made = workloads.layers(spec), workloads.input_shape(spec), []
    dtype = "int32" if "sequence" in spec else "float32"
    if any(layer["op"] in ("residual", "add") for layer in layers):
        x = K.layers.Input(shape, dtype=dtype)
        model = K.Model(x, graph(K, layers, x, made))
    else:
        made = [layer_of(K, layer) for layer in layers]
        model = K.Sequential([K.layers.Input(shape, dtype=dtype), *made])
    weights = iter(workloads.initial_weights(spec))
    for layer in made:
        layer.set_weights([next(weights) for _ in layer.get_weights()])
    optimizer = {
        "adam": lambda: K.optimizers.Adam(spec["lr"]), "sgd": lambda: K.optimizers.SGD(spec["lr"]),
        "momentum": lambda: K.optimizers.SGD(spec["lr"], momentum=0.9),
        "adamw": lambda: K.optimizers.AdamW(spec["lr"], weight_decay=spec["weight_decay"]),
    }[spec["optimizer"]]()  # fmt: skip
    loss = {"bce": "binary_crossentropy", "scce": "sparse_categorical_crossentropy"}[spec["loss"]]
    if spec["loss"] == "scce" and layers[-1]["act"] is None:
        loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, **{"metrics": ["accuracy"], **(compile_args or {})})
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


def outputs(K, spec):
    """Probabilities of the rows, by the first weights."""
    return np.asarray(build(K, spec).predict(workloads.data(spec)[0], verbose=0))


def metric_task(K, spec, epochs):
    """Per cent that a metric adds to the step, in CPU time: fits with and without it take turns, the fastest of each counts."""
    metric = getattr(K.metrics, spec["metric"])(**spec["args"])
    with_it, without = (fit_task(K, spec, epochs, {"metrics": m}) for m in ([metric], []))

    def seconds(task):
        start = time.process_time()
        task.run()
        return time.process_time() - start

    def run():
        pairs = [(seconds(with_it), seconds(without)) for _ in range(5)]
        return 100 * (min(a for a, _ in pairs) / min(b for _, b in pairs) - 1)

    return Task(run, value=True, info=with_it.info)


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
