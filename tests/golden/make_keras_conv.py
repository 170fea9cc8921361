"""Makes keras_conv.npz and keras_conv.json with real Keras: `python -m tests.golden.make_keras_conv`.

On JAX in float64, as make_keras.py, which says how to run it.
"""

from __future__ import annotations

import inspect
import json
import os

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1")

import jax.numpy as jnp
import keras
import numpy as np

from tests.golden import conv_cases as cases
from tests.golden import make_keras


def images(out: dict) -> None:
    """Random image layers, their draws set by hand."""
    for number, (name, (layer, args, shape, draws)) in enumerate(cases.IMAGES.items()):
        rng = np.random.default_rng(1000 + number)
        x = make_keras.draw(rng, shape)
        made = getattr(keras.layers, layer)(**args)
        todo = list(draws)
        random = made.backend.random
        before = random.uniform
        random.uniform = lambda *a, todo=todo, **k: jnp.asarray(todo.pop(0), "float64")
        try:
            y = made(jnp.asarray(x, "float64"), training=True)
        finally:
            random.uniform = before
        assert not todo, name
        out[f"{name}/x"], out[f"{name}/y"] = x, np.asarray(y)


def signatures(names) -> dict:
    found = {}
    for name in names:
        parameters = inspect.signature(getattr(keras.layers, name).__init__).parameters.values()
        found[name] = [p.name for p in parameters if p.name not in ("self", "kwargs")]
    return found


def main() -> None:
    keras.config.set_floatx("float64")
    out: dict = {}
    make_keras.layers(out, cases)
    images(out)
    made = {n: make(keras) for n, make in cases.CONFIGS.items()}
    configs = {n: {"class_name": type(x).__name__, "config": make_keras.simple(x.get_config())} for n, x in made.items()}
    np.savez_compressed(make_keras.HERE / "keras_conv.npz", **out)
    notes = {"keras": keras.__version__, "configs": configs, "signatures": signatures({type(x).__name__ for x in made.values()})}
    (make_keras.HERE / "keras_conv.json").write_text(json.dumps(notes, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
