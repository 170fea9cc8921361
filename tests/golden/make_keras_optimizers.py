"""Makes keras_optimizer_variants.npz with real Keras on JAX: `python -m tests.golden.make_keras_optimizers`.

The base class' arguments, the optimizers beyond the first five, schedules and constraints, in float64 (see make_keras.py).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1")

import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.common import dtypes

from tests.golden import optimizer_variants as variants
from tests.golden.make_keras import draw, plain, simple
from tests.golden.optimizer_cases import SHAPES, STEPS

HERE = Path(__file__).parent


def main() -> None:
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    rng = np.random.default_rng(29)
    out = {f"start/{n}": draw(rng, s) for n, s in SHAPES.items()}
    out.update({f"grads/{n}": draw(rng, (STEPS, *s)) for n, s in SHAPES.items()})
    configs = {}
    for name in variants.CASES:
        optimizer = variants.make(keras, name)
        made = [keras.Variable(out[f"start/{n}"], dtype="float64", name=n) for n in SHAPES]
        optimizer.build(made)
        rows = []
        for step in range(STEPS):
            optimizer.apply([jnp.asarray(out[f"grads/{n}"][step], "float64") for n in SHAPES], made)
            own = [v for v in optimizer.variables if v.name not in ("iteration", "learning_rate")]
            rows.append([plain(v) for v in (*made, *own)])
        for i, values in enumerate(zip(*rows, strict=True)):
            # All steps of the weights, the last of the state.
            out[f"{name}/{i}"] = np.stack(values) if i < len(made) else values[-1]
        configs[name] = simple(keras.optimizers.serialize(optimizer))
    for name in variants.SCHEDULES:
        schedule = variants.schedule(keras, name)
        out[f"schedule/{name}"] = np.array([float(schedule(s)) for s in variants.STEPS_OF_SCHEDULES])
        configs[f"schedule/{name}"] = simple(keras.optimizers.schedules.serialize(schedule))
    matrix = out["matrix"] = draw(rng, (4, 18))
    for name, make in variants.CONSTRAINTS.items():
        out[f"constraint/{name}"] = plain(make(keras)(jnp.asarray(matrix, "float64")))
        configs[f"constraint/{name}"] = simple(keras.constraints.serialize(make(keras)))
    out["configs"] = np.array(json.dumps(configs, sort_keys=True))
    np.savez_compressed(HERE / "keras_optimizer_variants.npz", **out)


if __name__ == "__main__":
    main()
