"""Makes keras_rnn.npz and keras_rnn.json with real Keras: `python -m tests.golden.make_keras_rnn`.

With names of cases as arguments, only these are made anew. On TensorFlow in float64, op by op: JAX would compile every loop anew. Run it from the top of the repository where keras and
tensorflow are installed.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import tempfile

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import h5py
import keras
import numpy as np
import tensorflow as tf

from tests.golden.compare import HERE
from tests.golden.rnn_cases import CASES, CONFIGS, SAVED_X, draw_drops, numbers, saved_model


def draw(rng, shape, scale=1.0):
    """Normal values that float32 holds exactly."""
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def simple(config):
    """A config as JSON has it."""
    return json.loads(json.dumps(config, default=list))


def with_known_draws(layer) -> None:
    """Let the cell multiply by draw_drops() in the place of its own draws, the inputs' first."""
    cell, drawn = layer.cell, []

    def mask(step_input, rate):
        masks = []
        for _ in range(getattr(cell, "dropout_mask_count", None) or 1):
            masks.append(tf.constant(draw_drops(tuple(step_input.shape), "float64", len(drawn))))
            drawn.append(masks[-1])
        return masks if hasattr(cell, "dropout_mask_count") else masks[0]

    cell._create_dropout_mask = mask


def one(name, number, out) -> None:
    make, shape, options = CASES[name]
    rng, x, before, states, mask = numbers(number, shape, options)
    layer = make(keras)
    as64 = lambda a: tf.constant(a, "float64")  # noqa: E731
    x, states = as64(x), [as64(s) for s in states]
    given = {} if mask is None else {"mask": tf.constant(mask)}
    given |= {"initial_state": states} if states else {}
    layer(x, **given)
    if options.get("drops"):
        with_known_draws(layer)
        given["training"] = True
    for i, v in enumerate(layer.trainable_variables):
        out[f"{name}/w{i}"] = w = draw(rng, v.shape, 0.5)
        v.assign(w)
    if before is not None:
        layer.reset_state()
        layer(as64(before), **given)
    with tf.GradientTape() as tape:
        tape.watch([x, *states])
        ys = tf.nest.flatten(layer(x, **given))
        cots = [draw(rng, y.shape) for y in ys]
        total = sum(tf.reduce_sum(y * as64(c)) for y, c in zip(ys, cots, strict=True))
    wanted = [x, states, [v.value for v in layer.trainable_variables]]
    dx, ds, dw = tape.gradient(total, wanted, unconnected_gradients="zero")
    for kind, values in (("y", ys), ("cot", cots), ("dx", [dx]), ("ds", ds), ("dw", dw)):
        out.update({f"{name}/{kind}{i}": np.asarray(v) for i, v in enumerate(values)})


def saved() -> None:
    """A model of masks, states and both directions as Keras writes it: config and weights by their places in the file."""
    keras.config.set_floatx("float32")
    model = saved_model(keras)
    rng = np.random.default_rng(5)
    for v in model.weights:
        v.assign(draw(rng, v.shape, 0.5))
    out = {"x": SAVED_X, "y": model.predict(SAVED_X, verbose=0)}
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(f"{folder}/m.weights.h5")
        with h5py.File(f"{folder}/m.weights.h5") as file:
            keep = lambda n, d: out.update({f"w:{n}": d[()]}) if isinstance(d, h5py.Dataset) else None  # noqa: E731
            file.visititems(keep)
    np.savez_compressed(HERE / "keras_rnn_model.npz", **out)
    (HERE / "keras_rnn_model.json").write_text(json.dumps(json.loads(model.to_json()), indent=1) + "\n")


def main() -> None:
    out: dict = {}
    if len(sys.argv) > 1:
        keras.config.set_floatx("float64")
        out.update(np.load(HERE / "keras_rnn.npz"))
        for name in sys.argv[1:]:
            one(name, list(CASES).index(name), out)
        return np.savez_compressed(HERE / "keras_rnn.npz", **out)
    saved()
    keras.config.set_floatx("float64")
    for number, name in enumerate(CASES):
        one(name, number, out)
    made = {n: make(keras) for n, make in CONFIGS.items()}
    configs = {n: {"class_name": type(x).__name__, "config": simple(x.get_config())} for n, x in made.items()}
    signatures = {}
    for x in made.values():
        parameters = inspect.signature(type(x).__init__).parameters.values()
        signatures[type(x).__name__] = [p.name for p in parameters if p.name not in ("self", "kwargs")]
    np.savez_compressed(HERE / "keras_rnn.npz", **out)
    notes = {"keras": keras.__version__, "configs": configs, "signatures": signatures}
    (HERE / "keras_rnn.json").write_text(json.dumps(notes, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
