"""Makes keras_saturated.npz with real Keras on TensorFlow: `python -m tests.golden.make_keras_tensorflow`.

Of Keras' backends only TensorFlow's computes a cross-entropy after a sigmoid or softmax from the logits, as brisknet
does; it shows where float32 rounds probabilities to 0 and 1. Run it from the top of the repository where keras and
tensorflow are installed; the tests need neither.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import keras
import numpy as np
import tensorflow as tf

from tests.golden.model_cases import SATURATED, SATURATED_STEPS


def main() -> None:
    rng = np.random.default_rng(53)
    label = rng.integers(0, 3, 32)
    out = {
        "x": (40 * rng.standard_normal((32, 5))).astype(np.float32), "label": label.astype(np.int32),
        "onehot": np.eye(3, dtype=np.float32)[label], "pair": rng.integers(0, 2, (32, 2)).astype(np.float32),
        "versions": np.array([f"keras {keras.__version__}", f"tensorflow {tf.__version__}"]),
    }  # fmt: skip
    for name, (make, target) in SATURATED.items():
        model = make(keras)
        start = [rng.standard_normal(w.shape).astype(np.float32) for w in model.get_weights()]
        model.set_weights(start)
        seen = []
        for _ in range(SATURATED_STEPS):
            logs = model.train_on_batch(out["x"], out[target], return_dict=True)
            seen.append([float(logs[k]) for k in sorted(logs)])
        out[f"{name}/logs"], out[f"{name}/names"] = np.array(seen), np.array(sorted(logs))
        for i, (a, b) in enumerate(zip(start, model.get_weights(), strict=True)):
            out[f"{name}/start{i}"], out[f"{name}/end{i}"] = a, b
    np.savez_compressed(Path(__file__).parent / "keras_saturated.npz", **out)


if __name__ == "__main__":
    main()
