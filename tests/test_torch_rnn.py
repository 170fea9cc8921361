"""Recurrent layers and MultiHeadAttention against PyTorch: all outputs, last states, scores and every gradient."""

import numpy as np
import pytest

import brisknet as bn
from brisknet import layers
from brisknet.layers.keras_tensor import flatten
from tests.golden.compare import Golden, close, mode, run_traced, weighted_sum  # noqa: F401
from tests.golden.torch_cases import MULTI_HEAD, RECURRENT, RECURRENT_OPTIONS, row_mask

GOLDEN, OPTIONS, HEADS = Golden("torch_rnn"), Golden("torch_rnn_options"), Golden("torch_multi_head")
RTOL = {"float64": 1e-13, "float32": 4e-6}


@pytest.mark.parametrize("name", RECURRENT)
def test_values_and_gradients(name, mode):  # noqa: F811
    kind, b, t, f, h = RECURRENT[name]
    layer = getattr(layers, {"RNN": "SimpleRNN"}.get(kind, kind))(h, return_sequences=True, return_state=True)
    layer.build((b, t, f))
    w, u, b1, b2 = GOLDEN.group(f"{name}/w")
    two = kind == "GRU"  # biases: of the inputs and of the state; the others have one, the sum
    layer.set_weights([w, u, [b1, b2] if two else b1 + b2])
    cots = GOLDEN.group(f"{name}/cot")

    def step(x, *states):
        ys = layer(x, initial_state=list(states))
        total = 0.0
        for y, cot in zip(ys, cots, strict=True):
            total = weighted_sum(y, cot) + total
        return list(ys), total

    got = run_traced(step, GOLDEN.group(f"{name}/x") + GOLDEN.group(f"{name}/s"), mode[1], layer.trainable_weights)
    want = [v for k in ("y", "dx", "ds", "dw") for v in GOLDEN.group(f"{name}/{k}")]
    *got, bias = got
    for a, b in zip(got, want, strict=False):
        close(a, b, RTOL[mode[1]])
    first, second = want[-2:]
    close(bias, [first, second] if two else first, RTOL[mode[1]])
    assert len(got) == len(want) - 2


def summed(ys, cots):
    """The scalar whose gradients the golden files have."""
    total = 0.0
    for y, cot in zip(ys, cots, strict=True):
        total = weighted_sum(y, cot) + total
    return total


def one_layer(kind, units, rows, steps, features, weights, **options):
    """A layer with PyTorch's weights; its states where it is stateful are kept as they are."""
    layer = getattr(layers, {"RNN": "SimpleRNN"}.get(kind, kind))(units, return_sequences=True, return_state=True, **options)
    layer.build((rows, steps, features))
    w, u, b1, b2 = weights
    layer.set_weights([w, u, [b1, b2] if kind == "GRU" else b1 + b2])
    return layer


@pytest.mark.parametrize("name", RECURRENT_OPTIONS)
def test_masks_directions_and_states(name, mode):  # noqa: F811
    kind, b, t, f, h, options = RECURRENT_OPTIONS[name]
    group = lambda key: OPTIONS.group(f"{name}/{key}")  # noqa: E731
    (x,), weights = group("x"), group("w")
    t = x.shape[1]
    given = {"mask": row_mask(options["lengths"], t)} if "lengths" in options else {}
    if options.get("two_ways"):
        pair = [one_layer(kind, h, b, t, f, w, go_backwards=i == 1) for i, w in enumerate((weights[:4], weights[4:]))]
        layer = layers.Bidirectional(pair[0], backward_layer=pair[1])
        layer.build((b, t, f))
        layer.set_weights([w for one in pair for w in one.get_weights()])
    else:
        how = {"go_backwards": bool(options.get("backwards")), "stateful": bool(options.get("before"))}
        layer = one_layer(kind, h, b, t, f, weights, **how)
        layer.zero_output_for_mask = True
    if options.get("before"):
        layer(group("before")[0], **given)

    def step(x):
        ys = as_torch(flatten(layer(x, **given)), options, t)
        return ys, summed(ys, group("cot"))

    got = run_traced(step, [x], mode[1], layer.trainable_weights)
    want = group("y") + group("dx") + as_ours(kind, group("dw"))
    for i, (g, w) in enumerate(zip(got, want, strict=True)):
        close(g, w, RTOL[mode[1]], f"result {i}")


def as_torch(ys, options, steps):
    """(all outputs, last states) in the order of PyTorch: states of both directions side by side; a sequence that is run
    backwards is turned there before, row by row, so that padding stays behind, while here it comes first."""
    y, *states = ys
    if options.get("two_ways"):
        half = len(states) // 2
        states = [bn.ops.concatenate(pair, -1) for pair in zip(states[:half], states[half:], strict=True)]
    if options.get("backwards") and "lengths" in options:
        at = (np.arange(steps) - np.array(options["lengths"])[:, None]) % steps
        y = bn.ops.take_along_axis(y, np.broadcast_to(at[..., None], y.shape).astype("int32"), 1)
    return [y, *states]


def as_ours(kind, weights):
    """PyTorch's gradients of weights as the layers have them: the bias of a GRU in one, that of the others once."""
    found = []
    for w, u, b1, b2 in zip(*[iter(weights)] * 4, strict=True):
        found += [w, u, np.stack([b1, b2]) if kind == "GRU" else b1]
    return found


@pytest.mark.parametrize("name", MULTI_HEAD)
def test_multi_head_attention(name, mode):  # noqa: F811
    b, t, s, width, heads, options = MULTI_HEAD[name]
    group = lambda key: HEADS.group(f"{name}/{key}")  # noqa: E731
    layer = layers.MultiHeadAttention(heads, width // heads)
    layer.build((b, t, width), (b, s, width))
    layer.set_weights(group("w"))  # of query, key, value and output, kernel and bias each
    call = {"use_causal_mask": bool(options.get("causal")), "return_attention_scores": bool(options.get("scores"))}
    if "lengths" in options:
        call["attention_mask"] = row_mask(options["lengths"], s)[:, None]

    def step(*xs):
        ys = flatten(layer(xs[0], xs[-1], **call))
        return ys, summed(ys, group("cot"))

    got = run_traced(step, group("x"), mode[1], layer.trainable_weights)
    want = group("y") + group("dx") + group("dw")
    largest = max(np.abs(w).max() for w in want)
    for i, (g, w) in enumerate(zip(got, want, strict=True)):
        if np.abs(w).max() < 1e-12:  # 0 but for rounding: the bias of keys
            np.testing.assert_allclose(g, 0, atol=RTOL[mode[1]] * largest)
        else:
            close(g, w, RTOL[mode[1]], f"result {i}")
