"""Makes keras_attention.npz, keras_attention.json and torch_attention.npz: `python -m tests.golden.make_keras_attention`.

With names of cases as arguments, only these are made anew. With real Keras on JAX in float64, as make_keras.py, which says how to run it, and with PyTorch in float64.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import zlib

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch
from keras.src.backend import set_keras_mask

from tests.golden import attention_cases as cases
from tests.golden import make_keras


def layers(out: dict, names) -> None:
    for name in names:
        make, shapes, call, carried, as_list = cases.CASES[name]
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        xs = [make_keras.draw(rng, s) for s in shapes]
        layer = make(keras)

        def run(tensors, trained, layer=layer, call=call, carried=carried, as_list=as_list):
            for i, m in carried.items():
                set_keras_mask(tensors[i], jnp.asarray(m))
            given = [list(tensors)] if as_list else list(tensors)
            y, _ = layer.stateless_call(trained, [v.value for v in layer.non_trainable_variables], *given, **call)
            return y if isinstance(y, (list, tuple)) else [y]

        tensors = [jnp.asarray(x, "float64") for x in xs]
        layer(*([tensors] if as_list else tensors), **call)
        for i, v in enumerate(layer.weights):
            out[f"{name}/w{i}"] = w = make_keras.draw(rng, v.shape, 0.5)
            v.assign(w)
        trained = [v.value for v in layer.trainable_variables]
        ys = run(tensors, trained)
        cots = [make_keras.draw(rng, tuple(y.shape)) for y in ys]
        total = lambda *a: sum(jnp.sum(y * c) for y, c in zip(run(*a), cots))  # noqa: E731, B023
        grads = jax.grad(total, argnums=(0, 1))(tensors, trained)
        for key, values in (("x", xs), ("dx", grads[0]), ("dw", grads[1]), ("y", ys), ("cot", cots)):
            out.update({f"{name}/{key}{i}": np.asarray(v) for i, v in enumerate(values)})


def embeddings(out: dict) -> None:
    for number, (name, (args, ids)) in enumerate(cases.EMBEDDINGS.items()):
        rng = np.random.default_rng(100 + number)
        layer = keras.layers.Embedding(*args)
        layer(ids)
        w = make_keras.draw(rng, args)
        y, _ = layer.stateless_call([jnp.asarray(w, "float64")], [], ids)
        cot = make_keras.draw(rng, tuple(y.shape))
        dw = jax.grad(lambda w: jnp.sum(layer.stateless_call([w], [], ids)[0] * cot))(jnp.asarray(w, "float64"))  # noqa: B023
        out.update({f"embedding_{name}/{k}": np.asarray(v) for k, v in {"w": w, "y": y, "cot": cot, "dw": dw}.items()})


def torch_attention(out: dict) -> None:
    for number, (name, (*shapes, causal, mask)) in enumerate(cases.TORCH.items()):
        rng = np.random.default_rng(200 + number)
        values = [make_keras.draw(rng, s) for s in shapes]
        q, k, v = leaves = [torch.tensor(x.astype("float64"), requires_grad=True) for x in values]
        y = torch.nn.functional.scaled_dot_product_attention(
            *(t.transpose(1, 2) for t in (q, k, v)), attn_mask=None if mask is None else torch.tensor(mask), is_causal=causal,
            enable_gqa=q.shape[2] != k.shape[2],
        ).transpose(1, 2)  # fmt: skip
        cot = make_keras.draw(rng, tuple(y.shape))
        (y * torch.tensor(cot.astype("float64"))).sum().backward()
        made = {"x0": values[0], "x1": values[1], "x2": values[2], "y": y.detach().numpy(), "cot": cot}
        out.update({f"{name}/{k}": np.asarray(v) for k, v in made.items()})
        out.update({f"{name}/dx{i}": t.grad.numpy() for i, t in enumerate(leaves)})


def main() -> None:
    keras.config.set_floatx("float64")
    out: dict = {}
    if len(sys.argv) > 1:
        out.update(np.load(make_keras.HERE / "keras_attention.npz"))
        layers(out, sys.argv[1:])
        return np.savez_compressed(make_keras.HERE / "keras_attention.npz", **out)
    layers(out, cases.CASES)
    embeddings(out)
    np.savez_compressed(make_keras.HERE / "keras_attention.npz", **out)
    made = {n: make(keras) for n, make in cases.CONFIGS.items()}
    notes = {
        "keras": keras.__version__,
        "configs": {n: {"class_name": type(x).__name__, "config": make_keras.simple(x.get_config())} for n, x in made.items()},
        "signatures": {
            type(x).__name__: [p for p in inspect.signature(type(x).__init__).parameters if p not in ("self", "kwargs")]
            for x in made.values()
        },
        "paths": {
            n: [w.path.partition("/")[2] for w in _built(cases.CASES[n])] for n in ("self", "gate", "grouped", "additive", "concat")
        },
    }
    (make_keras.HERE / "keras_attention.json").write_text(json.dumps(notes, indent=1, sort_keys=True) + "\n")
    out = {}
    torch_attention(out)
    np.savez_compressed(make_keras.HERE / "torch_attention.npz", **out)


def _built(case):
    make, shapes, call, _, as_list = case
    layer = make(keras)
    xs = [np.zeros(s) for s in shapes]
    layer(*([xs] if as_list else xs), **call)
    return layer.weights


if __name__ == "__main__":
    main()
