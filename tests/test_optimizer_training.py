"""Optimizers inside fit: averages of weights, summed gradients, schedules, constraints, L-BFGS, update steps of one's own."""

import numpy as np
import pytest

import brisknet as bn
from brisknet.optimizers.wolfe import strong_wolfe


def data(rows=64, features=4):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, features)).astype("float32")
    return x, np.sin(x @ rng.normal(size=(features, 1))).astype("float32")


def net(optimizer, **dense):
    bn.utils.set_random_seed(7)
    model = bn.Sequential([bn.Input((4,)), bn.layers.Dense(18, activation="tanh", **dense), bn.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


OPTIMIZERS = ("AdamW", "Adamax", "Nadam", "Ftrl", "Lion", "Lamb", "Adafactor", "Muon")
VARIANTS = {
    "plain": {}, "all": {"use_ema": True, "ema_overwrite_frequency": 5, "gradient_accumulation_steps": 2, "global_clipnorm": 1.0},
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_both_back_ends_train_alike(name, variant):
    (x, y), weights = data(), []
    backends = ["numpy", "native"] if bn.config.native_available() else ["numpy"]
    before = bn.config.backend()
    try:
        for backend in backends:
            bn.config.set_backend(backend)
            model = net(getattr(bn.optimizers, name)(learning_rate=0.01, **VARIANTS[variant]))
            losses = model.fit(x, y, epochs=6, batch_size=16, verbose=0).history["loss"]
            weights.append(model.get_weights())
            assert losses[-1] < losses[0]
    finally:
        bn.config.set_backend(before)
    for a, b in zip(weights[0], weights[-1], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3 if name == "Lion" else 2e-4)


def test_summed_gradients_are_one_larger_batch(backend):
    x, y = data(32)
    large, small = net(bn.optimizers.Adam(0.01)), net(bn.optimizers.Adam(0.01, gradient_accumulation_steps=4))
    large.fit(x, y, batch_size=32, epochs=5, shuffle=False, verbose=0)
    small.fit(x, y, batch_size=8, epochs=5, shuffle=False, verbose=0)
    assert small.optimizer.iterations == 5 and int(small.optimizer._iterations.numpy()) == 20
    for a, b in zip(large.get_weights(), small.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_fit_ends_with_the_averages(backend):
    x, y = data()
    model = net(bn.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
    plain = net(bn.optimizers.SGD(0.1))
    for m in (model, plain):
        m.fit(x, y, batch_size=16, epochs=1, shuffle=False, verbose=0)
    averages = [v.numpy() for v in model.optimizer._model_variables_moving_average]
    assert all(np.array_equal(a, b) for a, b in zip(averages, model.get_weights(), strict=True))
    assert not np.array_equal(averages[0], plain.get_weights()[0])


def test_swap_ema_weights(backend):
    x, y = data()
    seen = {}

    class Look(bn.callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen["in"] = self.model.get_weights()

        def on_epoch_end(self, epoch, logs=None):
            seen["after"] = self.model.get_weights()
            seen["averages"] = [v.numpy() for v in self.model.optimizer._model_variables_moving_average]

    model = net(bn.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
    model.fit(x, y, validation_data=(x, y), epochs=1, verbose=0, callbacks=[bn.callbacks.SwapEMAWeights(), Look()])
    assert all(np.array_equal(a, b) for a, b in zip(seen["in"], seen["averages"], strict=True))
    assert not np.array_equal(seen["after"][0], seen["averages"][0])
    model = net(bn.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
    model.fit(x, y, epochs=2, verbose=0, callbacks=[bn.callbacks.SwapEMAWeights(swap_on_epoch=True), Look()])
    assert all(np.array_equal(a, b) for a, b in zip(seen["after"], model.get_weights(), strict=True))


def test_a_schedule_in_whole_epochs_is_that_of_single_steps(backend):
    x, y = data()
    rate = bn.optimizers.schedules.CosineDecay(0.05, 30, warmup_target=0.1, warmup_steps=5)
    whole, single = net(bn.optimizers.SGD(rate)), net(bn.optimizers.SGD(rate))
    whole.fit(x, y, batch_size=16, epochs=8, shuffle=False, verbose=0)
    for _ in range(8):
        for at in range(0, 64, 16):
            single.train_on_batch(x[at : at + 16], y[at : at + 16])
    assert whole.optimizer.learning_rate == pytest.approx(float(rate(32)))
    for a, b in zip(whole.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ("non_neg", lambda k: (k >= 0).all()),
        (bn.constraints.UnitNorm(), lambda k: np.allclose((k**2).sum(0), 1, atol=1e-5)),
        (bn.constraints.MaxNorm(0.5, axis=1), lambda k: ((k**2).sum(1) <= 0.2501).all()),
        ({"class_name": "MinMaxNorm", "config": {"min_value": 0.9}}, lambda k: ((k**2).sum(0) >= 0.809).all()),
        (lambda w: bn.ops.clip(w, -0.1, 0.1), lambda k: (abs(k) <= 0.1).all()),
    ],
)  # fmt: skip
def test_weights_keep_their_constraint(backend, given, holds):
    x, y = data()
    model = net("adam", kernel_constraint=given)
    assert not holds(model.layers[0].kernel.numpy())
    model.fit(x, y, epochs=2, verbose=0)
    assert holds(model.layers[0].kernel.numpy())


class Signed(bn.optimizers.Optimizer):
    """w -= lr sign(m), m = (m + g) / 2: an optimizer of one's own, as Keras' documentation shows."""

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.means = [self.add_variable_from_reference(v, name="mean") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        m = self.means[self._get_variable_index(variable)]
        self.assign(m, (m + gradient) * 0.5)
        self.assign_sub(variable, bn.ops.sign(m.value) * learning_rate)


@pytest.mark.parametrize("every", [None, 3])
def test_an_optimizer_of_ones_own(backend, every):
    v = bn.Variable(np.zeros(2), name="w")
    optimizer = Signed(0.5, gradient_accumulation_steps=every)
    from tests.golden.compare import traced_program

    program = traced_program(lambda g: optimizer.apply([g], [v]), [(2,)], "float32")
    for _ in range(3):
        program.run([np.array([1.0, -1.0], "float32")])
    updates = 1 if every else 3
    np.testing.assert_array_equal(v.numpy(), [-0.5 * updates, 0.5 * updates])
    np.testing.assert_allclose(optimizer.means[0].numpy(), [1 - 0.5**updates, 0.5**updates - 1])


# ---- L-BFGS -------------------------------------------------------------------------------------------------------------
def test_lbfgs_solves_least_squares(backend):
    x, y = data()
    model = bn.Sequential([bn.Input((4,)), bn.layers.Dense(1)])
    model.compile(bn.optimizers.LBFGS(), "mse")
    history = model.fit(x, y, epochs=60, verbose=0).history["loss"]
    columns = np.c_[x, np.ones(len(x))].astype("float64")
    best = np.linalg.lstsq(columns, y.astype("float64"), rcond=None)[0]
    np.testing.assert_allclose(np.r_[model.get_weights()[0], model.get_weights()[1][None]], best, atol=2e-6)
    assert model.optimizer.converged and len(history) < 30
    assert np.diff(history).max() <= 1e-6


def test_lbfgs_goes_further_than_adam_in_as_many_epochs(backend):
    x, y = data()
    losses = {}
    for name, optimizer in (("lbfgs", bn.optimizers.LBFGS()), ("adam", bn.optimizers.Adam(0.02))):
        losses[name] = net(optimizer).fit(x, y, batch_size=64, epochs=60, verbose=0).history["loss"]
    assert np.diff(losses["lbfgs"]).max() <= 1e-6, "no iteration makes the loss larger"
    assert losses["lbfgs"][-1] < 0.25 * losses["adam"][-1]


def test_lbfgs_has_one_mask_of_dropout_an_iteration_and_logs_the_loss_before_it(backend):
    x, y = data()
    bn.utils.set_random_seed(5)
    model = bn.Sequential([bn.Input((4,)), bn.layers.Dense(16, activation="tanh"), bn.layers.Dropout(0.2), bn.layers.Dense(1)])
    model.compile(bn.optimizers.LBFGS(), "mse", metrics=["mae"])
    history = model.fit(x, y, epochs=5, verbose=0).history
    assert set(history) == {"loss", "mae"} and np.isfinite(history["loss"]).all()
    assert int(model.optimizer._iterations.numpy()) == 5 and int(model._step_counter.numpy()) == 5


def test_lbfgs_says_what_it_needs():
    x, y = data()
    model = net(bn.optimizers.LBFGS())
    with pytest.raises(ValueError, match="LBFGS trains on all rows at once: one batch an epoch expected, got 4"):
        model.fit(x, y, batch_size=16, verbose=0)
    with pytest.raises(ValueError, match="can't apply gradients"):
        bn.optimizers.LBFGS().apply([np.ones(2)], [bn.Variable(np.ones(2))])
    with pytest.raises(ValueError, match="can't keep the constraints"):
        net(bn.optimizers.LBFGS(), kernel_constraint="non_neg").fit(x, y, verbose=0)


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
def test_line_search_ends_where_the_wolfe_conditions_hold(first):
    def phi(a):  # Nocedal & Wright's kind of a valley: minimum where a = 2
        return (a - 2) ** 4 + 0.5 * a * a - 2 * a, 4 * (a - 2) ** 3 + a - 2

    f0, slope0 = phi(0.0)
    step, (f, slope) = strong_wolfe(phi, f0, slope0, first)
    assert f <= f0 + 1e-4 * step * slope0 and abs(slope) <= -0.9 * slope0
