"""Makes keras_saving.npz with real Keras: `python -m tests.golden.make_keras_saving` (needs keras, jax and h5py).

For each model of saving_cases.py: the arrays of its .weights.h5 by their names, the paths of its weights, its outputs,
and its JSON.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")

import h5py
import keras
import numpy as np

from tests.golden.saving_cases import MODELS, inputs


def main() -> None:
    out = {"versions": np.array([f"keras {keras.__version__}", f"h5py {h5py.__version__}"])}
    rng = np.random.default_rng(11)
    for name, make in MODELS.items():
        keras.utils.clear_session()
        model = make(keras)
        model.set_weights([rng.uniform(0.1, 1.0, w.shape) for w in model.get_weights()])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.weights.h5"
            model.save_weights(path)
            with h5py.File(path) as file:
                file.visititems(
                    lambda n, d, name=name: out.__setitem__(f"{name}/file/{n}", d[()]) if isinstance(d, h5py.Dataset) else None
                )
        out[f"{name}/paths"] = np.array([w.path for w in model.weights])
        out[f"{name}/json"] = np.array(model.to_json())
        y = model(inputs(name, keras))
        for key, value in y.items() if isinstance(y, dict) else [("y", y)]:
            out[f"{name}/out/{key}"] = np.asarray(value)
    np.savez_compressed(Path(__file__).parent / "keras_saving.npz", **out)


if __name__ == "__main__":
    main()
