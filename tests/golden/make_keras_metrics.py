"""Makes keras_metrics.npz and keras_metrics.json with real Keras on TensorFlow: `python -m tests.golden.make_keras_metrics`.

On TensorFlow, because Keras' evenly spaced thresholds count predictions of exactly 0 in the last bucket on JAX. Run it from
the top of the repository where keras and tensorflow are installed; the tests need neither.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import keras
import numpy as np
import tensorflow as tf
from keras.src.trainers.compile_utils import get_metric

from tests.golden import metric_cases as cases

HERE = Path(__file__).parent


def data() -> dict:
    rng = np.random.default_rng(71)
    n, f32 = 12, np.float32
    shares = {"column": (n, 1), "columns": (n, 3), "vector": (n,), "cube": (n, 2, 3), "columns5": (n, 5)}
    out = {k: np.clip(rng.uniform(-0.1, 1.1, s), 0, 1).astype(f32) for k, s in shares.items()}
    for kind in ("column", "columns", "vector", "cube"):
        out[f"{kind}_binary"] = (rng.random(shares[kind]) < 0.4 * out[kind] + 0.25).astype(f32)
    out["columns"][1] = 0.0, 0.5, 1.0
    out["columns"][3] = 0.25, 0.75, 0.9
    out["columns_int"] = out["columns_binary"].astype(np.int32)
    out["rounded"] = np.round(out["columns"])
    label = rng.integers(0, 5, n).astype(np.int32)
    out["label"], out["onehot"] = label, np.eye(5, dtype=f32)[label]
    dist = rng.random((n, 5)) + 0.8 * out["onehot"] * rng.random((n, 1))
    out["dist"] = (dist / dist.sum(1, keepdims=True)).astype(f32)
    out["dist_ties"] = np.round(out["dist"] * 5)
    out["guess"] = np.argmax(out["dist"], 1).astype(np.int32)
    out["sorted_ids"] = np.argsort(-out["dist"], 1).astype(f32)
    out["target"], out["real"] = (rng.standard_normal((n, 3)).astype(f32) for _ in range(2))
    out["real"] += out["target"]
    out["target_vector"], out["real_column"] = out["target"][:, 0], out["real"][:, :1]
    out["weight"] = np.array([1, 0.5, 2, 0, 1, 0.25, 3, 1, 1, 0.75, 0.5, 1], f32)
    out["whole_weight"] = np.array([1, 2, 3, 0, 1, 2, 1, 1, 5, 0, 2, 1], np.int32)
    out["each_weight"] = rng.uniform(0, 2, (n, 3)).astype(f32)
    return out


def run(make, target, pred, weight=None):
    metric, seen = make(keras), []
    for part in cases.PARTS:
        metric.update_state(target[part], pred[part], None if weight is None else weight[part])
        seen.append(np.array(metric.result()))
    return np.stack(seen)


def weight_of(name: str, target: np.ndarray, arrays: dict):
    """The weights of the weighted run: one a row, or for IoU one a value."""
    if name not in cases.IOU:
        return arrays["weight"]
    values = arrays["whole_weight"]
    return np.repeat(values[:, None], 3, 1) if name == "binary_iou_one" else values


def main() -> None:
    arrays = data()
    out = {f"data/{k}": v for k, v in arrays.items()}
    configs, skipped = {}, []
    for name, (make, t, p) in cases.ALL.items():
        target, pred = arrays[t], arrays[p]
        out[name] = run(make, target, pred)
        try:
            out[f"{name}/w"] = run(make, target, pred, weight_of(name, target, arrays))
        except Exception:  # Keras has no weights of rows there
            skipped.append(name)
        metric = make(keras)
        configs[name] = {"class_name": type(metric).__name__, "name": metric.name, "config": simple(metric.get_config()),
                         "direction": getattr(metric, "_direction", None)}  # fmt: skip
    for name in cases.EACH_WEIGHTED:
        make, t, p = cases.ALL[name]
        out[f"{name}/each"] = run(make, arrays[t], arrays[p], arrays["each_weight"])
    for name, (call, t, p) in cases.FUNCTIONS.items():
        out[f"function/{name}"] = np.array(call(keras, arrays[t], arrays[p]))
    np.savez_compressed(HERE / "keras_metrics.npz", **out)
    notes = {"versions": {"keras": keras.__version__, "tensorflow": tf.__version__}, "configs": configs,
             "names": names(), "without_row_weights": skipped}  # fmt: skip
    (HERE / "keras_metrics.json").write_text(json.dumps(notes, sort_keys=True, indent=0) + "\n")
    print("no row weights:", skipped)


def simple(value):
    if isinstance(value, dict):
        return {k: simple(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [simple(v) for v in value]
    return simple(np.array(value).tolist()) if hasattr(value, "shape") else value


def names() -> dict:
    """What compile() makes of every name that Keras knows: [class, name in logs]."""
    from keras.src.metrics import ALL_OBJECTS_DICT

    found, zeros = {}, np.zeros((8, 3))
    for n in [*ALL_OBJECTS_DICT, "accuracy", "acc"]:
        try:
            metric = get_metric(n, zeros, zeros)
        except TypeError:  # needs arguments
            continue
        if type(metric).__name__ == "Metric":  # the base class
            continue
        found[n] = [type(metric).__name__, metric.name]
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
