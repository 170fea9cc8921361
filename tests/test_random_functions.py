"""brisknet.random's functions: distributions, seeds, and draws within steps."""

import math

import numpy as np
import pytest

import brisknet as bn
from brisknet import ops, random
from brisknet.graph.trace import Trace
from brisknet.layers import Input, Lambda, Layer
from brisknet.models import Sequential

N = 20000
LOGITS = np.log(np.array([[0.2, 0.3, 0.5]], np.float32))
# name -> (arguments, mean, standard deviation, smallest, largest)
DRAWS = {
    "normal": ((1.0, 2.0), 1.0, 2.0, -np.inf, np.inf),
    "uniform": ((-1.0, 3.0), 1.0, 4 / math.sqrt(12), -1.0, 3.0),
    "truncated_normal": ((1.0, 2.0), 1.0, 2 * 0.8796, -3.0, 5.0),
    "randint": ((3, 9), 5.5, math.sqrt(35 / 12), 3, 8),
    "gamma": ((2.0,), 2.0, math.sqrt(2.0), 0.0, np.inf),
    "beta": ((2.0, 3.0), 0.4, 0.2, 0.0, 1.0),
    "binomial": ((10, 0.3), 3.0, math.sqrt(2.1), 0, 10),
}


@pytest.mark.parametrize("name", DRAWS)
def test_distributions_and_seeds(name):
    args, mean, deviation, low, high = DRAWS[name]
    draw = getattr(random, name)
    x = draw((N,), *args, seed=5)
    assert x.shape == (N,) and x.dtype == ("int32" if name == "randint" else "float32")
    assert abs(x.mean() - mean) < 5 * deviation / math.sqrt(N) and abs(x.std() / deviation - 1) < 0.03
    assert x.min() >= low and x.max() <= high
    np.testing.assert_array_equal(x, draw((N,), *args, seed=5))
    assert (x != draw((N,), *args, seed=6)).any()
    first, second = random.SeedGenerator(5), random.SeedGenerator(5)
    a, b = draw((9,), *args, seed=first), draw((9,), *args, seed=first)
    assert (a != b).any() and (a == draw((9,), *args, seed=second)).all() and (b == draw((9,), *args, seed=second)).all()
    bn.utils.set_random_seed(3)
    a = draw((9,), *args)
    bn.utils.set_random_seed(3)
    np.testing.assert_array_equal(a, draw((9,), *args))


def test_categorical_shuffle_dropout():
    classes = random.categorical(LOGITS, N, seed=1)
    assert classes.shape == (1, N)
    np.testing.assert_allclose(np.bincount(classes[0]) / N, [0.2, 0.3, 0.5], atol=0.015)
    x = np.arange(40).reshape(10, 4)
    mixed = random.shuffle(x, seed=2)
    assert (mixed != x).any() and sorted(mixed[:, 0]) == list(x[:, 0])
    ones = np.ones((200, 50), np.float32)
    dropped = random.dropout(ones, 0.25, seed=1)
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / 0.75)} and abs((dropped == 0).mean() - 0.25) < 0.02
    shared = random.dropout(ones, 0.25, noise_shape=(None, 1), seed=1)
    assert (shared == shared[:, :1]).all() and 0.1 < (shared == 0).mean() < 0.4


class Noise(Layer):
    def __init__(self):
        super().__init__()
        self.seed_generator = random.SeedGenerator(1)

    def call(self, x):
        return x + random.uniform(ops.shape(x), seed=self.seed_generator) + 10 * random.uniform(ops.shape(x), seed=self.seed_generator)


def test_every_step_draws_others_and_both_executors_the_same():
    before, found = bn.config.backend(), []
    for backend in ["numpy"] + (["native"] if bn.config.native_available() else []):
        bn.config.set_backend(backend)
        model = Sequential([Input((3,)), Noise()])
        x = np.zeros((4, 3), np.float32)
        found.append([model.predict(x, verbose=0) for _ in range(2)])
        state = model.layers[0].seed_generator.state
        assert int(state.numpy()) - random._start(1) == 4
        eager = random.uniform((4, 3), seed=model.layers[0].seed_generator)
        assert (eager != found[-1][0]).all()
    bn.config.set_backend(before)
    assert (found[0][0] != found[0][1]).any()
    for a, b in zip(found[0], found[-1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_the_global_seed_reaches_compiled_steps(backend):
    model = Sequential([Input((3,)), Lambda(lambda t: t + random.normal(ops.shape(t)))])
    x, outs = np.zeros((2, 3), np.float32), []
    for seed in (3, 3, 4):
        bn.utils.set_random_seed(seed)
        outs.append([model.predict(x, verbose=0) for _ in range(2)])
    np.testing.assert_array_equal(outs[0], outs[1])
    assert (outs[0][0] != outs[0][1]).any() and (outs[0][0] != outs[2][0]).any()


def test_draws_without_a_seed_leave_the_seeds_of_layers_alone():
    seeds = []
    for draw in (False, True, True):
        bn.utils.set_random_seed(3)
        if draw:
            random.normal((2,))
        seeds.append([random.draw_seed() for _ in range(3)])
    assert seeds[0] == seeds[1] == seeds[2]


@pytest.mark.parametrize("name", ["gamma", "beta", "binomial"])
def test_what_has_no_kernel_is_refused_in_a_step(name):
    with Trace(), pytest.raises(TypeError, match="draw before the step"):
        getattr(random, name)((3,), *DRAWS[name][0])
