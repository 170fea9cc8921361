"""LearningRateFinder: the sweep, what it leaves behind, its suggestions and its picture."""

import sys

import numpy as np
import pytest

import brisknet as bn
from brisknet.callbacks import Callback, LearningRateFinder
from brisknet.layers import BatchNormalization, Dense, Dropout, Input
from brisknet.models import Sequential


def data(n=200):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 6)).astype("float32")
    return x, (x[:, :2].sum(1) > 0).astype("float32")


def model(optimizer="adam"):
    net = Sequential([Input((6,)), Dense(16, activation="relu"), BatchNormalization(), Dropout(0.2), Dense(1, "sigmoid")])
    net.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return net


def state(net):
    return [v.numpy() for v in (*net.weights, *net.optimizer.variables, net._step_counter)]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(u, v) for u, v in zip(a, b, strict=True))


def swept(losses, diverged=False, rates=None):
    """A finder that has seen these smoothed losses."""
    finder = LearningRateFinder()
    finder.learning_rates = list(rates if rates is not None else np.geomspace(1e-6, 1, len(losses)))
    finder.losses = finder.smoothed_losses = [float(v) for v in losses]
    finder.diverged = diverged
    return finder


def test_the_sweep_and_what_it_leaves(backend):
    x, y = data()
    net = model()
    net.fit(x, y, epochs=2, verbose=0)
    before, rates = state(net), []

    class Rates(Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    finder = LearningRateFinder(1e-6, 1.0, num_steps=30).find(net, x, y, batch_size=16, callbacks=[Rates()])
    assert same(before, state(net)), "weights, statistics, slots, rate and counters are those from before"
    assert len(finder.losses) == 30 and not finder.diverged
    np.testing.assert_allclose(finder.learning_rates, np.geomspace(1e-6, 1.0, 30), rtol=1e-12)
    np.testing.assert_allclose(rates, finder.learning_rates, rtol=1e-6)  # in force at the step, as float32
    assert all(np.isfinite(finder.losses))
    later = net.fit(x, y, verbose=0)
    assert later.history["loss"][0] < 1


def test_losses_are_those_of_single_batches(backend):
    """With a rate of next to nothing every batch has the loss that evaluate gives it."""
    x, y = data(160)
    net = Sequential([Input((6,)), Dense(1, "sigmoid")])
    net.compile("sgd", "binary_crossentropy")
    finder = LearningRateFinder(1e-30, 1e-29, num_steps=10, smoothing=0.5)
    finder.find(net, x, y, batch_size=16, shuffle=False)
    expected = [net.evaluate(x[i : i + 16], y[i : i + 16], verbose=0) for i in range(0, 160, 16)]
    np.testing.assert_allclose(finder.losses, expected, rtol=1e-5)
    average, smoothed = 0.0, []
    for n, loss in enumerate(finder.losses, 1):
        average = 0.5 * average + 0.5 * loss
        smoothed.append(average / (1 - 0.5**n))
    np.testing.assert_allclose(finder.smoothed_losses, smoothed, rtol=1e-12)


def test_linear_sweep_and_fewer_steps_than_asked_for():
    x, y = data(160)
    finder = LearningRateFinder(0.001, 0.01, num_steps=1000, mode="linear")
    model().fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[finder])
    np.testing.assert_allclose(finder.learning_rates, np.linspace(0.001, 0.01, 20))


@pytest.mark.filterwarnings("ignore:overflow")
def test_divergence_ends_the_sweep(backend):
    x, y = data()
    net = Sequential([Input((6,)), Dense(1)])
    net.compile("sgd", "mse")
    before = state(net)
    finder = LearningRateFinder(1e-3, 1e6, num_steps=60).find(net, x, y)
    assert finder.diverged and len(finder.losses) < 60
    net.optimizer.build(net.trainable_weights)
    assert same(before, state(net))
    rate = finder.suggestion()
    assert 1e-3 < rate < 1
    net.optimizer.learning_rate = rate
    assert net.fit(x, y, epochs=5, verbose=0).history["loss"][-1] < finder.losses[0]


def test_an_exception_puts_everything_back():
    x, y = data()
    net = model()
    net.fit(x, y, verbose=0)
    before = state(net)

    class Fail(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LearningRateFinder().find(net, x, y, callbacks=[Fail()])
    assert same(before, state(net))
    kept = LearningRateFinder(num_steps=10, restore=False).find(net, x, y)
    assert not same(before, state(net)) and float(net.optimizer.learning_rate) == pytest.approx(kept.max_lr)


def test_suggestions():
    flat, fall, rise = np.full(40, 2.0), np.linspace(2.0, 1.0, 21), np.linspace(1.05, 8, 10)
    ripples = 0.005 * np.sin(np.arange(40) * 2.0)
    finder = swept([*(flat + ripples), *fall, *rise], diverged=True)
    rates = finder.learning_rates
    assert finder.suggestion("valley") == pytest.approx(rates[50], rel=0.5), "halfway down, whatever the ripples"
    assert rates[40] < finder.suggestion("steepest") < rates[61]
    assert finder.suggestion("minimum") == pytest.approx(rates[60] / 10)
    steep = swept([*np.linspace(2, 1.9, 30), *np.linspace(1.8, 1.0, 5), *np.linspace(0.99, 0.9, 30)])
    assert steep.learning_rates[29] <= steep.suggestion("steepest") <= steep.learning_rates[35]


def test_no_suggestion():
    with pytest.raises(ValueError, match="call find"):
        LearningRateFinder().suggestion()
    with pytest.raises(ValueError, match="begin at a smaller min_lr"):
        swept(np.linspace(1, 5, 30)).suggestion()
    with pytest.raises(ValueError, match="a sweep in which the loss falls"):
        swept(np.ones(30)).suggestion()
    with pytest.raises(ValueError, match='method must be "valley"'):
        swept(np.linspace(2, 1, 30)).suggestion("best")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_lr": 0}, "min_lr must be a number larger than 0"),
        ({"min_lr": 1e-3, "max_lr": 1e-4}, "max_lr must be a number larger than min_lr=0.001"),
        ({"max_lr": float("inf")}, "max_lr"),
        ({"num_steps": 5}, "num_steps must be an integer >= 10"),
        ({"mode": "cosine"}, 'mode must be "exponential" or "linear"'),
        ({"smoothing": 1.0}, r"smoothing must be a number in \[0, 1\)"),
        ({"divergence": 1}, "divergence must be a number larger than 1"),
    ],
)
def test_bad_finders(options, message):
    with pytest.raises(ValueError, match=message):
        LearningRateFinder(**options)


def test_a_fit_that_is_too_short():
    x, y = data(64)
    with pytest.raises(ValueError, match=r"fit has 2 step\(s\)"):
        model().fit(x, y, verbose=0, callbacks=[LearningRateFinder()])
    finder = LearningRateFinder(num_steps=10, smoothing=0)
    assert len(finder.find(model(bn.optimizers.SGD()), x, y).losses) == 10
    assert finder.losses == pytest.approx(finder.smoothed_losses)


def test_plot(tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    finder = swept(np.linspace(2, 1, 40))
    figure = finder.plot(tmp_path / "sweep.png")
    axes = figure.axes[0]
    assert (tmp_path / "sweep.png").stat().st_size > 1000
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "learning rate"
    lines = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    assert len(lines) == 4 and np.array_equal(lines["smoothed"][:, 1], finder.smoothed_losses)
    at = finder.suggestion()
    assert lines[f"valley: {at:.2g}"][0, 0] == at


def test_plot_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install brisknet\[plot\]"):
        swept(np.linspace(2, 1, 40)).plot()
