"""Callbacks that look at and change a model in the middle of an epoch, on both executors."""

import numpy as np
import pytest

import brisknet as bn
from brisknet import callbacks
from brisknet.layers import Dense, Input
from brisknet.models import Sequential

STEPS, BATCH = 6, 4


def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(STEPS * BATCH - 1, 3)).astype("float32")  # the last batch is smaller
    return x, x @ np.array([[1.0], [-2.0], [0.5]], np.float32) + 0.25


def linear(optimizer="sgd"):
    model = Sequential([Input((3,)), Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def fit(model, *given, epochs=1):
    x, y = data()
    return model.fit(x, y, epochs=epochs, batch_size=BATCH, shuffle=False, verbose=0, callbacks=list(given))


def sgd_by_hand(kernel, bias, rates, start=0):
    """Kernel, bias and losses of SGD on the batches from `start`, one rate a step, in float64."""
    x, y = (a.astype(np.float64) for a in data())
    kernel, bias = kernel.astype(np.float64), bias.astype(np.float64)
    losses = []
    for step, rate in enumerate(rates, start):
        xb, yb = x[step * BATCH : (step + 1) * BATCH], y[step * BATCH : (step + 1) * BATCH]
        error = xb @ kernel + bias - yb
        losses.append(float(np.mean(error**2)))
        kernel = kernel - rate * 2 * xb.T @ error / len(xb)
        bias = bias - rate * 2 * error.mean(0)
    return kernel, bias, losses


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_hooks_see_the_state_after_each_step(backend):
    model = linear(bn.optimizers.SGD(0.05))
    start, seen = model.get_weights(), []
    look = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(
        (model.get_weights(), int(model.optimizer.iterations), dict(logs), model.predict(np.ones((1, 3))))))  # fmt: skip
    fit(model, look)
    for step, (weights, iterations, logs, predicted) in enumerate(seen):
        kernel, bias, losses = sgd_by_hand(*start, [0.05] * (step + 1))
        close(weights[0], kernel)
        close(weights[1], bias)
        assert iterations == step + 1
        sizes = [BATCH] * step + [BATCH - (step == STEPS - 1)]
        close(logs["loss"], np.average(losses, weights=sizes))  # of the epoch so far
        close(predicted, np.ones((1, 3)) @ kernel + bias)


@pytest.mark.parametrize("way", ["attribute", "assign"])
@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
def test_a_new_rate_holds_for_the_next_step(backend, way, hook):
    model = linear(bn.optimizers.SGD(0.0))
    start, rates = model.get_weights(), [0.1, 0.02, 0.3, 0.0, 0.05, 0.07]

    def change(batch, logs):
        rate = rates[batch] if hook == "on_train_batch_begin" else (rates[1:] + [0.0])[batch]
        if way == "attribute":
            model.optimizer.learning_rate = rate
        else:
            model.optimizer.learning_rate.assign(rate)

    fit(model, callbacks.LambdaCallback(**{hook: change}))
    kernel, bias, _ = sgd_by_hand(*start, rates if hook == "on_train_batch_begin" else [0.0, *rates[1:]])
    close(model.get_weights()[0], kernel)
    close(model.get_weights()[1], bias)


def test_new_weights_hold_for_the_next_step(backend):
    model = linear(bn.optimizers.SGD(0.05))
    fit(model)  # programs are compiled and bound by now
    new = [np.array([[5.0], [4.0], [3.0]], np.float32), np.array([7.0], np.float32)]
    set_after = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: model.set_weights(new) if batch == 2 else None
    )
    fit(model, set_after)
    kernel, bias, _ = sgd_by_hand(*new, [0.05] * 3, start=3)
    close(model.get_weights()[0], kernel)
    close(model.get_weights()[1], bias)


def test_wide_weights_that_the_kernels_keep_in_panels(backend):
    """A matrix wide enough for the packed layout: read and set between steps."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 96)).astype("float32")
    model = Sequential([Input((96,)), Dense(80, use_bias=False, activation="relu"), Dense(48, use_bias=False)])
    model.compile(bn.optimizers.SGD(0.0), "mse")
    fixed = [rng.normal(size=w.shape).astype("float32") for w in model.get_weights()]
    read = []

    class Set(callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.set_weights([w + batch for w in fixed])

        def on_train_batch_end(self, batch, logs=None):
            read.append(all(np.array_equal(a, b + batch) for a, b in zip(self.model.get_weights(), fixed, strict=True)))

    model.fit(x, np.zeros((64, 48)), batch_size=16, verbose=0, callbacks=[Set()])
    assert read == [True] * 4, "with a rate of 0 each step leaves what it was given"


def test_optimizer_state_set_between_steps(backend):
    """Momentum put back to zero after every step is plain SGD."""
    model = linear(bn.optimizers.SGD(0.05, momentum=0.9))
    start = model.get_weights()

    class Forget(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for slot in self.model.optimizer.variables[2:]:
                slot.assign(np.zeros(slot.shape))

    fit(model, Forget())
    kernel, bias, _ = sgd_by_hand(*start, [0.05] * STEPS)
    close(model.get_weights()[0], kernel)
    close(model.get_weights()[1], bias)


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end", "on_batch_end"])
def test_stop_in_the_middle(backend, hook):
    model = linear(bn.optimizers.SGD(0.05))
    start, ended = model.get_weights(), []

    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ended.append((epoch, logs["loss"]))

    def stop(self, batch, logs=None):
        self.model.stop_training = batch == 2

    setattr(Stop, hook, stop)
    history = fit(model, Stop(), epochs=4)
    kernel, bias, losses = sgd_by_hand(*start, [0.05] * 3)
    close(model.get_weights()[0], kernel)
    close(ended[0][1], np.mean(losses))
    assert [e for e, _ in ended] == history.epoch == [0]


def test_metrics_reset_in_the_middle(backend):
    model = linear(bn.optimizers.SGD(0.05))
    start, logs_of = model.get_weights(), {}

    class Reset(callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.reset_metrics()

        def on_train_batch_end(self, batch, logs=None):
            logs_of[batch] = logs["loss"]

    fit(model, Reset())
    close(list(logs_of.values()), sgd_by_hand(*start, [0.05] * STEPS)[2])


def test_weights_saved_and_put_back_in_the_middle(tmp_path, backend):
    """load_weights() between steps, with the optimizer's state: the steps after it are those after the save."""
    model = linear("adam")
    seen = []

    class Rewind(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.load_weights(tmp_path / "w.npz")

        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights()[0])

        def on_train_begin(self, logs=None):
            self.model.save_weights(tmp_path / "w.npz")

    fit(model, Rewind(), epochs=2)
    assert all(np.array_equal(a, b) for a, b in zip(seen[:STEPS], seen[STEPS:], strict=True))


def test_a_callback_may_evaluate_and_train_in_the_middle(backend):
    """evaluate() and train_on_batch() of another model between steps do not disturb the training."""
    other = linear()
    x, y = data()

    class Busy(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            other.train_on_batch(x, y)
            other.evaluate(x, y, verbose=0)
            self.model.predict(x)

    plain, busy = linear(bn.optimizers.SGD(0.05)), linear(bn.optimizers.SGD(0.05))
    busy.set_weights(plain.get_weights())
    a, b = fit(plain, epochs=2).history, fit(busy, Busy(), epochs=2).history
    assert a == b and all(np.array_equal(u, v) for u, v in zip(plain.get_weights(), busy.get_weights(), strict=True))
