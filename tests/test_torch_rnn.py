"""Recurrent layers against PyTorch: all outputs, last states and every gradient."""

import pytest

from brisknet import layers
from tests.golden.compare import Golden, close, mode, run_traced, weighted_sum  # noqa: F401
from tests.golden.torch_cases import RECURRENT

GOLDEN = Golden("torch_rnn")
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
