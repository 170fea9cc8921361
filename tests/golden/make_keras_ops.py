"""Values and signatures of keras.ops. Run with Keras 3 and JAX installed: python -m tests.golden.make_keras_ops."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")

import keras
import numpy as np

from tests.golden.ops_cases import ARRAYS, HOST, TRACED, evaluate

HERE = Path(__file__).parent


def main() -> None:
    arrays = {k: keras.ops.convert_to_tensor(v) for k, v in ARRAYS.items()}
    found = {}
    for expression in TRACED + HOST:
        for n, value in enumerate(evaluate(expression, keras.ops, arrays)):
            found[f"{expression}|{n}"] = np.asarray(value)
    np.savez_compressed(HERE / "keras_ops.npz", **{f"{i:03}": v for i, v in enumerate(found.values())})
    signatures = {
        module: {
            name: [[p.name, p.kind.name, "" if p.default is p.empty else repr(p.default)]
                   for p in inspect.signature(getattr(space, name)).parameters.values()]
            for name in sorted(dir(space)) if name[0] != "_" and inspect.isfunction(getattr(space, name))
        }
        for module, space in (("ops", keras.ops), ("random", keras.random))
    }  # fmt: skip
    (HERE / "keras_ops.json").write_text(json.dumps({"keys": list(found), "signatures": signatures}, separators=(",", ":")))


if __name__ == "__main__":
    main()
