"""Makes keras_text.json with real Keras on TensorFlow: `python -m tests.golden.make_keras_text`.

Run it from the top of the repository where keras and tensorflow are installed; the tests need neither.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import keras
import numpy as np
import tensorflow as tf

from tests.golden.text_cases import LAYERS, PADDED, SERIES


def array(x) -> dict:
    x = np.asarray(x)
    return {"y": x.tolist(), "dtype": x.dtype.name, "shape": list(x.shape)}


def layers():
    for name, (make, adapt, inputs) in LAYERS.items():
        layer = make(keras)
        if adapt is not None:
            layer.adapt(adapt)
        yield name, {**array(layer(inputs)), "vocabulary": [str(t) for t in layer.get_vocabulary()], "size": int(layer.vocabulary_size())}


def series():
    for name, (data, targets, kwargs) in SERIES.items():
        found = keras.utils.timeseries_dataset_from_array(data, targets, **kwargs)
        yield name, [[array(a) for a in (batch if targets is not None else (batch,))] for batch in found]


def main() -> None:
    out = {
        "versions": [f"keras {keras.__version__}", f"tensorflow {tf.__version__}"], "layers": dict(layers()),
        "padded": {name: array(call(keras)) for name, call in PADDED.items()}, "series": dict(series()),
    }  # fmt: skip
    with open(Path(__file__).parent / "keras_text.json", "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
