"""Recurrent layers against real Keras: outputs, states, gradients of sequences, initial states and weights; configs, arguments."""

import inspect
import json

import pytest

import brisknet as bn
from brisknet.layers.keras_tensor import flatten
from tests.golden.compare import HERE, Golden, close, mode, run_traced, weighted_sum  # noqa: F401
from tests.golden.rnn_cases import CASES, CONFIGS, draw_drops, numbers

GOLDEN = Golden("keras_rnn")
NOTES = json.loads((HERE / "keras_rnn.json").read_text())
RTOL = {"float64": 1e-13, "float32": 4e-6}


def prepared(name):
    """(layer with its weights, sequences, initial states, call arguments) of a case; a stateful one has its states."""
    make, shape, options = CASES[name]
    _, x, before, states, mask = numbers(list(CASES).index(name), shape, options)
    layer = make(bn)
    layer.build(shape)
    layer.set_weights(GOLDEN.group(f"{name}/w"))
    kwargs = {} if mask is None else {"mask": mask}
    if options.get("drops"):
        kwargs["training"] = True
        with_known_draws(layer)
    if before is not None:
        layer(before, **kwargs)
    return layer, x, states, kwargs


def with_known_draws(layer):
    """Let every call of the layer draw what Keras was given in the place of its draws."""
    drawn, reset = [], layer._reset_dropout

    def draw(shape, dtype, rate):
        drawn.append(draw_drops(shape, dtype, len(drawn)))
        return drawn[-1]

    def anew(cell):
        drawn.clear()
        reset(cell)

    layer.cell._ones_dropped, layer._reset_dropout = draw, anew


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name, mode):  # noqa: F811
    layer, x, states, kwargs = prepared(name)
    wanted, cots = GOLDEN.group(f"{name}/y"), GOLDEN.group(f"{name}/cot")

    def step(x, *states):
        given = {"initial_state": list(states)} if states else {}
        ys = flatten(layer(x, **kwargs, **given))
        total = 0.0
        for y, cot in zip(ys, cots, strict=True):
            total = weighted_sum(y, cot) + total
        return ys, total

    out = run_traced(step, [x, *states], mode[1], layer.trainable_weights)
    wanted += [g for kind in ("dx", "ds", "dw") for g in GOLDEN.group(f"{name}/{kind}")]
    assert len(out) == len(wanted)
    for i, (got, want) in enumerate(zip(out, wanted, strict=True)):
        close(got, want, RTOL[mode[1]], f"number {i} of outputs, dx, states' gradients, weights' gradients")


@pytest.mark.parametrize("name", CASES)
def test_eager_call_and_shape(name):
    layer, x, states, kwargs = prepared(name)
    ys = flatten(layer(x, **kwargs, **({"initial_state": states} if states else {})))
    for got, want in zip(ys, GOLDEN.group(f"{name}/y"), strict=True):
        close(got, want, RTOL["float32"])
    shapes = layer.compute_output_shape(x.shape)
    shapes = [shapes] if isinstance(shapes[0], int) else shapes
    assert [tuple(s) for s in shapes] == [y.shape for y in ys]


def simple(config):
    """A config as JSON has it, without what only Keras has."""
    if isinstance(config, dict):
        return {k: simple(v) for k, v in config.items() if k not in ("dtype", "module", "registered_name", "build_config")}
    return [simple(v) for v in config] if isinstance(config, (list, tuple)) else config


@pytest.mark.parametrize("name", CONFIGS)
def test_config(name):
    layer, theirs = CONFIGS[name](bn), NOTES["configs"][name]
    assert type(layer).__name__ == theirs["class_name"]
    assert not set(theirs["config"]) - set(layer.get_config())
    again = type(layer).from_config(simple(theirs["config"]))
    assert set(again.get_config()) == set(layer.get_config())
    copy = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert json.dumps(copy.get_config()) == json.dumps(layer.get_config())


@pytest.mark.parametrize("name", NOTES["signatures"])
def test_arguments_in_the_order_of_keras(name):
    parameters = inspect.signature(getattr(bn.layers, name).__init__).parameters
    assert [p for p in parameters if p not in ("self", "kwargs")] == NOTES["signatures"][name]


def test_a_model_that_keras_wrote(backend):
    from brisknet.saving.objects import deserialize_layer
    from brisknet.saving.weights import model_arrays, set_arrays

    golden = Golden("keras_rnn_model")
    model = deserialize_layer(json.loads((HERE / "keras_rnn_model.json").read_text()))
    arrays = {n.removeprefix("w:"): golden[n] for n in golden.names if n.startswith("w:")}
    assert set(model_arrays(model)) == set(arrays)  # the places of weights are those of Keras' files
    set_arrays(model, arrays, "golden")
    close(model.predict(golden["x"], verbose=0), golden["y"], 2e-6)
