"""Layers of arithmetic, initializers and regularizers against real Keras: values, gradients, configs, signatures, penalties."""

import json

import numpy as np
import pytest

import brisknet as bn
from brisknet.saving import deserialize_layer, serialize_layer
from tests.golden import arithmetic_cases as cases
from tests.golden.compare import HERE, Golden, close, mode, run_traced  # noqa: F401
from tests.test_golden_api import parameters, plain, same_config
from tests.test_golden_layers import check_eager, check_layer

GOLDEN = Golden("keras_arithmetic")
NOTES = json.loads((HERE / "keras_arithmetic.json").read_text())


@pytest.mark.parametrize("name", cases.LAYERS)
def test_layer(name, mode):  # noqa: F811
    check_layer(cases, GOLDEN, name, mode)


@pytest.mark.parametrize("name", cases.LAYERS)
def test_eager_call_and_shape(name):
    check_eager(cases, GOLDEN, name)


@pytest.mark.parametrize("name", cases.PUBLIC)
def test_signature(name):
    ours = parameters(getattr(bn.layers, name))
    positional = [p for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = [a for a in NOTES["signatures"][name] if a[1] == "POSITIONAL_OR_KEYWORD"]
    got = [[p.name, "" if p.default is p.empty else repr(p.default)] for p in positional[: len(wanted)]]
    assert got == [[a[0], a[2]] for a in wanted]
    assert all(p.default is not p.empty for p in positional[len(wanted) :])


@pytest.mark.parametrize("name", cases.CONFIGS)
def test_config(name):
    layer, theirs = cases.CONFIGS[name](bn), NOTES["configs"][name]
    ours = serialize_layer(layer)
    assert ours["class_name"] == theirs["class_name"]
    same_config(ours["config"], theirs["config"], but=("layer",))
    if "layer" in theirs["config"]:  # of a wrapper
        assert ours["config"]["layer"]["class_name"] == theirs["config"]["layer"]["class_name"]
        same_config(ours["config"]["layer"]["config"], theirs["config"]["layer"]["config"])
    assert plain(deserialize_layer(theirs).get_config()) == plain(layer.get_config())
    assert plain(deserialize_layer(json.loads(json.dumps(ours))).get_config()) == plain(layer.get_config())


@pytest.mark.parametrize("name", cases.INITIALIZERS)
def test_initializer_config(name):
    made, theirs = cases.INITIALIZERS[name](bn), NOTES["initializers"][name]
    ours = bn.initializers.serialize(made)
    assert plain(ours["config"]) == plain(theirs["config"])
    again = bn.initializers.deserialize(theirs)
    assert type(again) is type(made)
    np.testing.assert_array_equal(again((4, 4)), bn.initializers.deserialize(ours)((4, 4)))


@pytest.mark.parametrize("name", cases.REGULARIZERS)
def test_penalty_and_its_gradient(name, mode):  # noqa: F811
    penalty = cases.REGULARIZERS[name](bn)
    w = GOLDEN["matrix"].astype(mode[1])
    value, grad = run_traced(lambda w: ([penalty(w)], penalty(w)), [w], mode[1])
    rtol = {"float64": 1e-14, "float32": 2e-6}[mode[1]]
    close(value, GOLDEN[f"penalty/{name}/value"], rtol, "value")
    close(grad, GOLDEN[f"penalty/{name}/grad"], rtol, "gradient")
    close(penalty(w), GOLDEN[f"penalty/{name}/value"], rtol, "value of a call on an array")


@pytest.mark.parametrize("name", cases.PENALTIES)
def test_losses_of_a_call(name):
    layer = cases.PENALTIES[name][0](bn)
    for _ in range(2):  # a second call counts its own penalties only
        layer(GOLDEN[f"losses/{name}/x"])
    close(sum(layer.losses), GOLDEN[f"losses/{name}/total"], 2e-6, "losses")
