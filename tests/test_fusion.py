"""What fuses into one kernel."""

import numpy as np
import pytest

import brisknet
from brisknet import config, layers
from brisknet.models import Sequential

pytestmark = pytest.mark.skipif(not config.native_available(), reason="the pure-Python package has no kernels")


@pytest.mark.parametrize("kind", ["relu", "leaky_relu", "tanh"])
def test_activation_layers_join_the_kernel_before_them(kind):
    def trained(apart):
        brisknet.utils.set_random_seed(0)
        act = lambda: [layers.Activation(kind)] if apart else []  # noqa: E731
        within = None if apart else kind
        model = Sequential([layers.Input((6, 6, 9)), layers.Conv2D(9, 3, activation=within), *act(), layers.Flatten(),
                            layers.Dense(8, activation=within), *act(), layers.Dense(1)])  # fmt: skip
        model.compile("sgd", "mse")
        rng = np.random.default_rng(0)
        model.train_on_batch(rng.normal(size=(8, 6, 6, 9)), rng.normal(size=(8, 1)))
        (program,) = model._programs.values()
        return model.get_weights(), [i.op for i in program.plan.instructions]

    (joined, plan), (given, expected) = trained(True), trained(False)
    assert plan == expected and kind not in plan
    assert all(np.array_equal(a, b) for a, b in zip(joined, given, strict=True))
