"""Optimizers and their variants against real Keras: ten steps on fixed gradients. Schedules and constraints."""

import json

import numpy as np
import pytest

import brisknet as bn
from tests.golden import optimizer_variants as variants
from tests.golden.compare import Golden, close, mode, traced_program  # noqa: F401
from tests.golden.optimizer_cases import SHAPES, STEPS

GOLDEN = Golden("keras_optimizer_variants")
CONFIGS = json.loads(str(GOLDEN["configs"]))
RTOL = {"float64": 1e-13, "float32": 2e-6}
# Newton-Schulz steps make rounding errors of small singular values larger.
MUON = {"float64": 1e-12, "float32": 2e-5}


def start(floatx):
    return [bn.Variable(GOLDEN[f"start/{n}"], dtype=floatx, name=n) for n in SHAPES]


def tolerance(name, floatx):
    return (MUON if name.startswith("muon") else RTOL)[floatx]


def check_state(name, optimizer, rtol):
    own = [v for v in optimizer.variables if v.name not in ("iteration", "learning_rate")]
    assert f"{name}/{len(SHAPES) + len(own)}" not in GOLDEN, "Keras has more variables"
    for i, v in enumerate(own):
        close(v.numpy(), GOLDEN[f"{name}/{len(SHAPES) + i}"], rtol, f"{v.path} after {STEPS} steps")


@pytest.mark.parametrize("name", variants.CASES)
def test_ten_steps(name, mode):  # noqa: F811
    optimizer, variables = variants.make(bn, name), start(mode[1])
    optimizer.build(variables)
    rtol = tolerance(name, mode[1])
    grads = [GOLDEN[f"grads/{n}"].astype(mode[1]) for n in SHAPES]
    program = traced_program(lambda *gs: optimizer.apply(gs, variables), SHAPES.values(), mode[1])
    assert program.executor == mode[0]
    for step in range(STEPS):
        program.run([g[step] for g in grads])
        for i, v in enumerate(variables):
            close(v.numpy(), GOLDEN[f"{name}/{i}"][step], rtol, f"{v.name} after step {step + 1}")
    check_state(name, optimizer, rtol)


@pytest.mark.parametrize("name", variants.CASES)
def test_ten_steps_on_arrays(name):
    optimizer, variables = variants.make(bn, name), start("float32")
    for step in range(STEPS):
        optimizer.apply([GOLDEN[f"grads/{n}"][step] for n in SHAPES], variables)
    for i, v in enumerate(variables):
        close(v.numpy(), GOLDEN[f"{name}/{i}"][-1], tolerance(name, "float32"), v.name)
    check_state(name, optimizer, tolerance(name, "float32"))


def same(ours, theirs):
    """Numbers as float32 has them, all else equal; Keras writes modules and registered names too."""
    if isinstance(theirs, dict) and "class_name" in theirs:
        theirs = {k: theirs[k] for k in ("class_name", "config")}
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs)
        for key in theirs:
            if key == "name" and "weight_decay" in theirs:
                continue  # numbered
            same(ours[key], theirs[key])
    elif isinstance(theirs, (int, float)) and not isinstance(theirs, bool):
        assert ours == pytest.approx(theirs, rel=1e-7)
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", variants.CASES)
def test_config(name):
    optimizer = variants.make(bn, name)
    same(bn.optimizers.serialize(optimizer), CONFIGS[name])
    again = bn.optimizers.deserialize(CONFIGS[name])
    assert type(again) is type(optimizer)
    same(again.get_config(), optimizer.get_config())


# ---- schedules ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", variants.SCHEDULES)
def test_schedule(name, mode):  # noqa: F811
    schedule, want = variants.schedule(bn, name), GOLDEN[f"schedule/{name}"]
    rtol = {"float64": 1e-14, "float32": 1e-7}[mode[1]]
    tiny = np.finfo(mode[1]).tiny  # below it float32 has too few digits
    got = schedule(np.array(variants.STEPS_OF_SCHEDULES))
    close(np.where(want < tiny, 0, got), np.where(want < tiny, 0, want), rtol, "on arrays")
    count, rate = bn.Variable(np.array(0), dtype="int64", name="count"), bn.Variable(0.0, name="rate", dtype=mode[1])
    program = traced_program(lambda: rate.assign(schedule(count.value)), (), mode[1])
    for step, value in zip(variants.STEPS_OF_SCHEDULES, want, strict=True):
        count.assign(np.array(step))
        program.run([])
        if value < tiny:
            assert rate.numpy() < tiny
        else:
            close(rate.numpy(), value, rtol, f"step {step}")
    again = bn.optimizers.schedules.deserialize(CONFIGS[f"schedule/{name}"])
    same(bn.optimizers.schedules.serialize(schedule), CONFIGS[f"schedule/{name}"])
    assert again.get_config() == schedule.get_config()


class Halving(bn.optimizers.schedules.LearningRateSchedule):
    """A schedule of one's own, which uses a built-in one and ops."""

    def __init__(self, start):
        self.start, self.inner = start, bn.optimizers.schedules.ExponentialDecay(start, 1, 0.5)

    def __call__(self, step):
        return bn.ops.where(step < 3, self.start, self.inner(step - 2))

    def get_config(self):
        return {"start": self.start}


def test_a_schedule_of_ones_own_is_part_of_the_step(mode):  # noqa: F811
    optimizer, v = bn.optimizers.SGD(Halving(0.5)), bn.Variable(np.zeros(3), dtype=mode[1], name="w")
    program = traced_program(lambda g: optimizer.apply([g], [v]), [(3,)], mode[1])
    seen = []
    for _ in range(6):
        before = v.numpy()
        assert optimizer.learning_rate == [0.5, 0.5, 0.5, 0.25, 0.125, 0.0625][len(seen)]
        program.run([np.ones(3, mode[1])])
        seen.append(float((before - v.numpy())[0]))
    assert seen == [0.5, 0.5, 0.5, 0.25, 0.125, 0.0625]
    config = bn.optimizers.serialize(optimizer)
    again = bn.optimizers.SGD.from_config(config["config"], custom_objects={"Halving": Halving})
    assert again.learning_rate == 0.5 and type(again._learning_rate) is Halving


def test_a_rate_that_changes_by_itself_cannot_be_set():
    optimizer = bn.optimizers.SGD(bn.optimizers.schedules.CosineDecay(0.1, 10))
    with pytest.raises(TypeError, match="can't be set"):
        optimizer.learning_rate = 0.5
    optimizer.learning_rate = bn.optimizers.schedules.CosineDecay(0.25, 10)
    assert optimizer.learning_rate == 0.25 and len(optimizer.variables) == 1


# ---- constraints --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", variants.CONSTRAINTS)
def test_constraint(name, mode):  # noqa: F811
    constraint, want = variants.CONSTRAINTS[name](bn), GOLDEN[f"constraint/{name}"]
    rtol = {"float64": 1e-14, "float32": 1e-6}[mode[1]]
    close(constraint(GOLDEN["matrix"].astype(mode[1])), want, rtol, "on arrays")
    v = bn.Variable(GOLDEN["matrix"], dtype=mode[1], name="w")
    traced_program(lambda: v.assign(constraint(v.value)), (), mode[1]).run([])
    close(v.numpy(), want, rtol, "traced")
    same(bn.constraints.serialize(constraint), CONFIGS[f"constraint/{name}"])
    assert bn.constraints.deserialize(CONFIGS[f"constraint/{name}"]).get_config() == constraint.get_config()


def test_constraints_by_name_and_of_ones_own():
    assert bn.constraints.get(None) is None and type(bn.constraints.get("non_neg")) is bn.constraints.NonNeg
    own = lambda w: w  # noqa: E731
    assert bn.constraints.get(own) is own and bn.constraints.max_norm is bn.constraints.MaxNorm
    with pytest.raises(ValueError, match="unknown constraint 'max_nrom'; did you mean 'max_norm'"):
        bn.constraints.get("max_nrom")
