"""Makes keras_losses.npz, keras_activations.npz and keras_losses.json with real Keras on JAX:
`python -m tests.golden.make_keras_losses`. See make_keras.py, whose rules hold here too; its data are drawn again here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1")

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.common import dtypes

from tests.golden import activation_cases, loss_cases
from tests.golden.make_keras import GRID, draw, loss_data, plain, prediction, simple

HERE = Path(__file__).parent


def more_data() -> dict:
    """loss_data(), and what these losses need besides."""
    data, rng = loss_data(), np.random.default_rng(77)
    share3 = rng.uniform(0.02, 0.98, (6, 4, 5)).astype(np.float32)
    unit = draw(rng, (9, 5))
    label_void, label3_void = data["label"].copy(), data["label3"].copy()
    label_void[[1, 5]], label3_void[[0, 2, 2], [1, 0, 3]] = -1, 255
    sequence = rng.integers(1, 6, (5, 4)).astype(np.int32)
    sequence[0, 2:], sequence[1, 1:], sequence[2, 1] = 0, 0, sequence[2, 0]  # shorter ones, and a label twice in a row
    sequence[4] = 3
    data |= {
        "rate": rng.uniform(0.05, 6.0, (9, 5)).astype(np.float32), "share3": share3,
        "pred/share3": rng.uniform(0.02, 0.98, (6, 4, 5)).astype(np.float32),
        "count": rng.integers(0, 5, (9, 5)).astype(np.float32) * (np.arange(9) % 4 != 0)[:, None].astype(np.float32),
        "count_column": rng.integers(0, 5, (9, 1)).astype(np.float32), "label_void": label_void,
        "label3_void": label3_void, "unit": (unit / np.linalg.norm(unit, axis=1, keepdims=True)).astype(np.float32),
        "sequence": sequence, "frames": draw(rng, (5, 11, 6), 2.0), "frames_short": draw(rng, (5, 7, 6)),
        "weight5": rng.uniform(0.1, 2.0, 5).astype(np.float32), "weight4": rng.uniform(0.1, 2.0, (6, 5)).astype(np.float32),
    }  # fmt: skip
    return data


def weight_of(data, values):
    """Weights for values a sample of this shape; None where there are no such."""
    fit = [data[n] for n in ("weight", "weight6x4", "weight5", "weight4") if data[n].shape == values.shape]
    return fit[0] if fit else None


def losses(out: dict, floatx: str) -> None:
    keras.config.set_floatx(floatx)
    data, used = more_data(), set()
    for name, (make, t_kind, p_kind) in loss_cases.LOSSES.items():
        target, pred = jnp.asarray(data[t_kind]), jnp.asarray(prediction(data, p_kind), floatx)
        used |= {t_kind, p_kind, f"pred/{p_kind}"}
        weight = weight_of(data, make(keras, reduction="none")(target, pred))
        for reduction in loss_cases.REDUCTIONS:
            for tag, w in {"": None, "/w": weight}.items():
                if tag and w is None:
                    continue
                run = lambda p: make(keras, reduction=reduction)(target, p, sample_weight=w)  # noqa: B023, E731
                key = f"{floatx}/{name}/{reduction}{tag}"
                out[key] = plain(run(pred))
                if reduction in ("sum_over_batch_size", "sum"):
                    out[f"{key}/grad"] = plain(jax.grad(lambda p: jnp.sum(run(p)))(pred))  # noqa: B023
    for name, (call, t_kind, p_kind) in loss_cases.FUNCTIONS.items():
        target, pred = jnp.asarray(data[t_kind]), jnp.asarray(prediction(data, p_kind), floatx)
        used |= {t_kind, p_kind, f"pred/{p_kind}"}
        out[f"{floatx}/function/{name}"] = plain(call(keras, target, pred))
        grad = jax.grad(lambda p: jnp.sum(call(keras, target, p)))(pred)  # noqa: B023
        out[f"{floatx}/function/{name}/grad"] = plain(grad)
    used |= {"weight", "weight6x4", "weight5", "weight4"}
    out.update({f"data/{k}": data[k] for k in used if k in data})


def activations(out: dict) -> None:
    grid, matrix = np.array(GRID, np.float32), draw(np.random.default_rng(3), (6, 8), 2.0)
    out["grid"], out["matrix"], out["weight"] = grid, matrix, draw(np.random.default_rng(4), matrix.shape)
    for name, make in activation_cases.ACTIVATIONS.items():
        fn, x = make(keras), jnp.asarray(grid, "float64")
        out[f"{name}/y"] = plain(fn(x))
        out[f"{name}/dx"] = plain(jax.grad(lambda x: jnp.sum(fn(x)))(x))  # noqa: B023
    for name, make in activation_cases.ROWS.items():
        fn, x = make(keras), jnp.asarray(matrix, "float64")
        y = fn(x)
        w = out["weight"].ravel()[: y.size].reshape(y.shape)
        out[f"{name}/y"] = plain(y)
        out[f"{name}/dx"] = plain(jax.grad(lambda x: jnp.sum(fn(x) * w))(x))  # noqa: B023


def notes() -> dict:
    return {
        "keras": keras.__version__,
        "losses": {
            n: {"class_name": type(make(keras)).__name__, "config": simple(make(keras).get_config())}
            for n, (make, _, _) in loss_cases.LOSSES.items()
        },
        "activation_names": sorted(keras.src.activations.ALL_OBJECTS_DICT),
        "loss_names": sorted(keras.src.losses.ALL_OBJECTS_DICT),
        "serialized": {n: keras.activations.serialize(f) for n, f in keras.src.activations.ALL_OBJECTS_DICT.items()},
    }


def save(name: str, arrays: dict) -> None:
    np.savez_compressed(HERE / f"{name}.npz", **arrays)
    print(f"{name}.npz: {len(arrays)} arrays, {(HERE / f'{name}.npz').stat().st_size / 1e3:.0f} kB")


def main() -> None:
    of_losses: dict = {}
    losses(of_losses, "float32")
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    # On JAX, Keras' type promotion turns float64 into float32, which is JAX's own default; not here.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    losses(of_losses, "float64")
    save("keras_losses", of_losses)
    of_activations: dict = {}
    activations(of_activations)
    save("keras_activations", of_activations)
    (HERE / "keras_losses.json").write_text(json.dumps(notes(), separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
