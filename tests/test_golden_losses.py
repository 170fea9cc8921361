"""The losses of tests/golden/loss_cases.py against real Keras: values, gradients, reductions, weights, configs, names."""

import json

import pytest

import brisknet as bn
from brisknet import ops
from tests.golden import loss_cases as cases
from tests.golden.compare import HERE, Golden, close, mode, run_traced  # noqa: F401
from tests.test_golden_api import plain, same_config

GOLDEN = Golden("keras_losses")
NOTES = json.loads((HERE / "keras_losses.json").read_text())
RTOL = {"float64": 2e-14, "float32": 3e-6}
# sums over 55 frames x classes in single precision; gamma 80 multiplies the rounding of distances
WIDE = {"ctc": 8e-6, "ctc_short": 8e-6, "circle": 5e-5, "circle_references": 1e-5}


def rtol_of(name, floatx):
    return WIDE.get(name, RTOL[floatx]) if floatx == "float32" else 1e-12 if name in WIDE else RTOL[floatx]


def arrays(t_kind, p_kind):
    key = f"data/pred/{p_kind}"
    return GOLDEN[f"data/{t_kind}"], GOLDEN[key if key in GOLDEN else f"data/{p_kind}"]


def weights_for(shape):
    return next(GOLDEN[n] for n in ("data/weight", "data/weight6x4", "data/weight5", "data/weight4") if GOLDEN[n].shape == shape)


@pytest.mark.parametrize("name", cases.LOSSES)
def test_loss(name, mode):  # noqa: F811
    make, t_kind, p_kind = cases.LOSSES[name]
    target, pred = arrays(t_kind, p_kind)
    values_shape = GOLDEN[f"float64/{name}/none"].shape
    for reduction in cases.REDUCTIONS:
        for tag in ("", "/w"):
            key = f"{mode[1]}/{name}/{reduction}{tag}"
            if key not in GOLDEN:
                continue
            loss, rtol = make(bn, reduction=reduction), rtol_of(name, mode[1])
            weight = [weights_for(values_shape)] if tag else []

            def step(p, *w, loss=loss, key=key):
                value = loss(target, p, *w)
                return [value], ops.sum(value) if f"{key}/grad" in GOLDEN else None

            value, *grads = run_traced(step, [pred, *weight], mode[1])
            close(value, GOLDEN[key], rtol, f"value of {key}")
            if grads:
                close(grads[0], GOLDEN[f"{key}/grad"], rtol, f"gradient of {key}")
            close(loss(target, pred.astype(mode[1]), *weight), GOLDEN[key], rtol, f"value of {key} on arrays")


def test_every_case_has_a_weighted_twin():
    """But for losses that are one number, or whose values are not one a sample."""
    plain_only = {n for n in cases.LOSSES if f"float64/{n}/none/w" not in GOLDEN}
    assert plain_only <= {"cosine_axis1", "cce_axis1", "focal_one", "dice", "dice_axis", "tversky", "tversky_axis"}


@pytest.mark.parametrize("name", cases.FUNCTIONS)
def test_function(name, mode):  # noqa: F811
    call, t_kind, p_kind = cases.FUNCTIONS[name]
    target, pred = arrays(t_kind, p_kind)

    def step(p):
        value = call(bn, target, p)
        return [value], ops.sum(value)

    value, grad = run_traced(step, [pred], mode[1])
    key, rtol = f"{mode[1]}/function/{name}", rtol_of(name, mode[1])
    close(value, GOLDEN[key], rtol, "value")
    close(grad, GOLDEN[f"{key}/grad"], rtol, "gradient")
    close(call(bn, target, pred.astype(mode[1])), GOLDEN[key], rtol, "value on arrays")


@pytest.mark.parametrize("name", cases.LOSSES)
def test_config(name):
    loss, theirs = cases.LOSSES[name][0](bn), NOTES["losses"][name]
    ours = bn.losses.serialize(loss)
    assert ours["class_name"] == theirs["class_name"]
    same_config(ours["config"], theirs["config"])
    assert json.loads(json.dumps(ours)) == plain(ours)
    assert bn.losses.deserialize(ours).get_config() == loss.get_config()
    assert isinstance(bn.losses.deserialize(theirs), type(loss))


def test_every_name_of_keras():
    for name in NOTES["loss_names"]:
        found = bn.losses.deserialize(name) if name not in ("Loss", "LossFunctionWrapper") else getattr(bn.losses, name)
        assert callable(found), name
    assert {n for n in bn.losses.__all__ if n[0].isupper()} >= {n for n in NOTES["loss_names"] if n[0].isupper()} - {"BCE"}
