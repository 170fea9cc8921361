"""Makes keras_arithmetic.npz and keras_arithmetic.json with real Keras: `python -m tests.golden.make_keras_arithmetic`.

On JAX in float64, as make_keras.py, which says how to run it.
"""

from __future__ import annotations

import inspect
import json
import os

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1")

import jax
import jax.numpy as jnp
import keras
import numpy as np

from tests.golden import arithmetic_cases as cases
from tests.golden import make_keras


def signatures() -> dict:
    found = {}
    for name in cases.PUBLIC:
        thing = getattr(keras.layers, name)
        parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters.values()
        found[name] = [[p.name, p.kind.name, "" if p.default is p.empty else repr(p.default)]
                       for p in parameters if p.name != "self"]  # fmt: skip
    return found


def configs(table) -> dict:
    simple = make_keras.simple
    return {n: {"class_name": type(make(keras)).__name__, "config": simple(make(keras).get_config())} for n, make in table.items()}


def penalties(out: dict) -> None:
    rng = np.random.default_rng(5)
    w = make_keras.draw(rng, (5, 4))
    out["matrix"] = w
    for name, make in cases.REGULARIZERS.items():
        penalty = make(keras)
        value, grad = jax.value_and_grad(lambda w: penalty(w))(jnp.asarray(w, "float64"))  # noqa: B023
        out[f"penalty/{name}/value"], out[f"penalty/{name}/grad"] = np.array(value), np.array(grad)
    for name, (make, shape) in cases.PENALTIES.items():
        x = make_keras.draw(rng, shape)
        layer = make(keras)
        layer(jnp.asarray(x, "float64"))
        out[f"losses/{name}/x"], out[f"losses/{name}/total"] = x, np.array(sum(layer.losses))


def main() -> None:
    notes = {
        "versions": {"keras": keras.__version__, "jax": jax.__version__, "numpy": np.__version__},
        "configs": configs(cases.CONFIGS), "initializers": configs(cases.INITIALIZERS), "signatures": signatures(),
    }  # fmt: skip
    (make_keras.HERE / "keras_arithmetic.json").write_text(json.dumps(notes, separators=(",", ":"), sort_keys=True) + "\n")
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    make_keras.dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    arrays: dict = {}
    make_keras.layers(arrays, cases)
    penalties(arrays)
    make_keras.save("keras_arithmetic", arrays)


if __name__ == "__main__":
    main()
