"""Attention layers and embeddings against real Keras and PyTorch: outputs, scores, gradients of inputs and weights, configs."""

import inspect
import json

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers.layer import calling
from brisknet.layers.masks import set_mask
from brisknet.ops.attention import attention
from tests.golden import attention_cases as cases
from tests.golden.compare import HERE, Golden, close, mode, run_traced, weighted_sum  # noqa: F401
from tests.test_golden_conv import simple

GOLDEN, TORCH = Golden("keras_attention"), Golden("torch_attention")
NOTES = json.loads((HERE / "keras_attention.json").read_text())
RTOL = {"float64": 2e-14, "float32": 3e-6}


def rtol_of(name, floatx):
    """Keras on JAX computes these in float32, whatever floatx is (its values carry several roundings of 6e-8); its fused
    attention (without dropout) scores and gradients, too."""
    if name.endswith("_mean"):
        return 5e-6
    single = name.startswith(("additive", "concat"))
    return 1e-6 if single and floatx == "float64" else RTOL[floatx]


def made_layer(name):
    make, shapes, call, carried, as_list = cases.CASES[name]
    layer = make(bn)
    layer.build(list(shapes)) if as_list else layer.build(*shapes)
    layer.set_weights(GOLDEN.group(f"{name}/w"))

    def run(*tensors):
        for i, m in carried.items():
            set_mask(tensors[i], m)
        y = layer(list(tensors), **call) if as_list else layer(*tensors, **call)
        return list(y) if isinstance(y, tuple) else [y]

    return layer, run


@pytest.mark.parametrize("name", cases.CASES)
def test_layer(name, mode):  # noqa: F811
    layer, run = made_layer(name)
    cots = GOLDEN.group(f"{name}/cot")

    def step(*tensors):
        with calling(training=False):
            ys = run(*tensors)
        total = None
        for y, cot in zip(ys, cots, strict=True):
            total = weighted_sum(y, cot) if total is None else total + weighted_sum(y, cot)
        return ys, total

    got = run_traced(step, GOLDEN.group(f"{name}/x"), mode[1], layer.trainable_weights)
    wanted = [a for key in ("y", "dx", "dw") for a in GOLDEN.group(f"{name}/{key}")]
    assert len(got) == len(wanted)
    largest = max(np.abs(w).max(initial=0) for w in wanted)
    for i, (g, w) in enumerate(zip(got, wanted, strict=True)):
        if np.abs(w).max(initial=0) < (1e-6 if name.endswith("_mean") else 1e-12):  # 0 but for Keras' rounding: the bias of keys
            np.testing.assert_allclose(g, 0, atol=RTOL[mode[1]] * largest)
        else:
            close(g, w, rtol_of(name, mode[1]), f"result {i}")


@pytest.mark.parametrize("name", cases.CASES)
def test_call_on_arrays(name):
    _, run = made_layer(name)
    for got, want in zip(run(*GOLDEN.group(f"{name}/x")), GOLDEN.group(f"{name}/y"), strict=True):
        close(got, want, RTOL["float32"])


@pytest.mark.parametrize("name", cases.EMBEDDINGS)
def test_embedding(name, mode):  # noqa: F811
    args, ids = cases.EMBEDDINGS[name]
    layer = bn.layers.Embedding(*args, weights=GOLDEN[f"embedding_{name}/w"])

    def step(x):
        y = layer(x)
        return [y], weighted_sum(y, GOLDEN[f"embedding_{name}/cot"])

    y, dw = run_traced(step, [ids], mode[1], layer.trainable_weights)
    np.testing.assert_array_equal(y, GOLDEN[f"embedding_{name}/y"].astype(mode[1]))
    close(dw, GOLDEN[f"embedding_{name}/dw"], RTOL[mode[1]])


@pytest.mark.parametrize("name", cases.TORCH)
def test_torch(name, mode):  # noqa: F811
    *_, causal, mask = cases.TORCH[name]

    def step(q, k, v):
        y, _ = attention(q, k, v, mask, causal)
        return [y], weighted_sum(y, TORCH[f"{name}/cot"])

    got = run_traced(step, TORCH.group(f"{name}/x"), mode[1])
    for g, w in zip(got, [TORCH[f"{name}/y"], *TORCH.group(f"{name}/dx")], strict=True):
        close(g, w, RTOL[mode[1]])


@pytest.mark.parametrize("name", cases.CONFIGS)
def test_config(name):
    layer, theirs = cases.CONFIGS[name](bn), NOTES["configs"][name]
    assert type(layer).__name__ == theirs["class_name"]
    ours = layer.get_config()
    assert not set(theirs["config"]) - set(ours) - {"quantization_config"}
    again = type(layer).from_config(simple(theirs["config"]))
    assert simple(again.get_config()) == simple(ours)


@pytest.mark.parametrize("name", NOTES["signatures"])
def test_arguments_in_the_order_of_keras(name):
    parameters = [p for p in inspect.signature(getattr(bn.layers, name).__init__).parameters if p not in ("self", "kwargs")]
    assert parameters == NOTES["signatures"][name]


@pytest.mark.parametrize("name", NOTES["paths"])
def test_weights_are_named_as_in_keras(name):
    layer, _ = made_layer(name)
    assert [w.path.partition("/")[2] for w in layer.weights] == NOTES["paths"][name]
