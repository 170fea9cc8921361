"""Makes keras_preprocessing.json with real Keras on TensorFlow: `python -m tests.golden.make_keras_preprocessing`.

Keras computes hashes and lookups with TensorFlow whatever its backend. Run it from the top of the repository where keras
and tensorflow are installed; the tests need neither.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import keras
import numpy as np
import tensorflow as tf

from tests.golden.preprocessing_cases import CASES


def plain(value) -> list:
    array = np.asarray(value)
    return np.vectorize(lambda b: b.decode(), otypes=[object])(array).tolist() if array.dtype == object else array.tolist()


def main() -> None:
    out: dict = {"versions": [f"keras {keras.__version__}", f"tensorflow {tf.__version__}"]}
    for name, (make, adapt, inputs) in CASES.items():
        layer = make(keras)
        found = out[name] = {}
        if adapt is not None:
            layer.adapt(adapt)
        y = layer(inputs)
        found["y"], found["dtype"] = plain(y), getattr(y.dtype, "name", str(y.dtype))
        if hasattr(layer, "get_vocabulary"):
            found["vocabulary"] = [t.item() if hasattr(t, "item") else t for t in layer.get_vocabulary()]
            found["size"] = int(layer.vocabulary_size())
        if adapt is not None and hasattr(layer, "bin_boundaries"):
            found["boundaries"] = layer.bin_boundaries
        if adapt is not None and hasattr(layer, "adapt_mean"):
            found["mean"], found["variance"] = plain(layer.mean), plain(layer.variance)
    with open(Path(__file__).parent / "keras_preprocessing.json", "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
