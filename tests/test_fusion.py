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


def test_gradients_of_an_lstms_kernels_share_a_pass_over_dz():
    """x and h of one dz: one instruction, with the same bits for any number of threads and the reference's values."""

    def trained(backend, threads=None, units=64):
        before = config.backend()
        config.set_backend(backend)
        try:
            brisknet.utils.set_random_seed(0)
            model = Sequential([layers.Input((20, 24)), layers.LSTM(units, return_sequences=True), layers.Dense(1)])
            model.compile("sgd", "mse")
            rng = np.random.default_rng(0)
            x, y = rng.normal(size=(32, 20, 24)).astype("float32"), rng.normal(size=(32, 20, 1)).astype("float32")
            if threads:
                config.set_num_threads(threads)
            model.train_on_batch(x, y)
            (program,) = model._programs.values()
            plan = getattr(program, "plan", None)
            return model.get_weights(), [tuple(i.ints) for i in plan.instructions if i.op == "dense_wgrad"] if plan else []
        finally:
            config.set_backend(before)
            config.set_num_threads(0)

    expected, _ = trained("numpy")
    one, shapes = trained("native", 1)
    two, _ = trained("native", 3)
    assert len(shapes) == 2 and (640, 24, 256, 64) in [s[:4] for s in shapes]
    for a, b, c in zip(expected, one, two, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=1e-6)
        assert np.array_equal(b, c)
