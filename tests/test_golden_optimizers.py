"""Every optimizer against real Keras: ten steps on fixed gradients, variables and slots after each."""

import numpy as np
import pytest

import brisknet as bn
from tests.golden.compare import Golden, close, mode, traced_program  # noqa: F401
from tests.golden.optimizer_cases import OPTIMIZERS, SHAPES, STEPS

GOLDEN = Golden("keras_optimizers")
RTOL = {"float64": 1e-14, "float32": 1e-6}


def start(floatx):
    return [bn.Variable(GOLDEN[f"start/{n}"], dtype=floatx, name=n) for n in SHAPES]


def check(name, step, optimizer, variables, rtol):
    for key, v in zip(SHAPES, variables, strict=True):
        close(v.numpy(), GOLDEN[f"{name}/{key}"][step], rtol, f"{key} after step {step + 1}")
    slots = optimizer.variables[2:]
    assert f"{name}/slot{len(slots)}" not in GOLDEN, "Keras has more slots"
    for i, v in enumerate(slots):
        close(v.numpy(), GOLDEN[f"{name}/slot{i}"][step], rtol, f"slot {i} after step {step + 1}")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps(name, mode):  # noqa: F811
    optimizer, variables = OPTIMIZERS[name](bn), start(mode[1])
    optimizer.build(variables)
    assert optimizer.learning_rate == pytest.approx(float(GOLDEN[f"{name}/learning_rate"]), rel=1e-7)
    grads = [GOLDEN[f"grads/{n}"].astype(mode[1]) for n in SHAPES]
    program = traced_program(lambda *gs: optimizer.apply(gs, variables), SHAPES.values(), mode[1])
    for step in range(STEPS):
        program.run([g[step] for g in grads])
        check(name, step, optimizer, variables, RTOL[mode[1]])
    assert int(optimizer.iterations.numpy()) == STEPS


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps_on_arrays(name):
    optimizer, variables = OPTIMIZERS[name](bn), start("float32")
    for step in range(STEPS):
        optimizer.apply([GOLDEN[f"grads/{n}"][step] for n in SHAPES], variables)
        check(name, step, optimizer, variables, RTOL["float32"])


def test_learning_rate_set_between_steps(mode):  # noqa: F811
    optimizer, variables = bn.optimizers.SGD(0.5), start(mode[1])
    program = traced_program(lambda *gs: optimizer.apply(gs, variables), SHAPES.values(), mode[1])
    before = [v.numpy() for v in variables]
    optimizer.learning_rate = 0.25
    program.run([np.ones(s, mode[1]) for s in SHAPES.values()])
    for v, old in zip(variables, before, strict=True):
        assert np.array_equal(v.numpy(), old - np.asarray(0.25, mode[1]))


def test_learning_rate_is_a_number_and_a_variable():
    import pickle

    opt = bn.optimizers.SGD(0.25)
    rate = opt.learning_rate
    assert rate == 0.25 and f"{rate:.2f}" == "0.25" and rate.numpy() == np.float32(0.25)
    rate.assign(0.5)
    assert opt.learning_rate == 0.5 and rate == 0.25  # the number that was read stays what it was
    opt.learning_rate = np.array([0.125])
    assert float(opt.learning_rate) == 0.125 and type(pickle.loads(pickle.dumps(opt.learning_rate))) is float
    with pytest.raises(ValueError, match="learning_rate must be a number >= 0, got -1"):
        opt.learning_rate.assign(-1.0)


def test_a_layer_frozen_after_training_keeps_its_weights_and_the_others_go_on():
    model = bn.Sequential([bn.layers.Input((3,)), bn.layers.Dense(4), bn.layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = np.ones((8, 3), np.float32), np.zeros((8, 1), np.float32)
    model.fit(x, y, verbose=0)
    first, second = [layer.get_weights() for layer in model.layers]
    model.layers[0].trainable = False
    model.fit(x, y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(first, model.layers[0].get_weights(), strict=True))
    assert not np.array_equal(second[0], model.layers[1].get_weights()[0])
    assert int(model.optimizer.iterations.numpy()) == 2
