"""train_step() with tapes: several models and optimizers in one program, and the classic GAN of a frozen sub-model."""

import copy
import time
import warnings

import numpy as np
import pytest

import brisknet
from brisknet import GradientTape, layers, losses, metrics, ops, optimizers
from brisknet.models import Model, Sequential
from tests.small_models import equal


class Taped(Sequential):
    """fit's own step, by hand."""

    def train_step(self, data):
        x, y = data
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        weights = self.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def classifier(cls, eagerly=False):
    brisknet.utils.set_random_seed(0)
    model = cls([layers.Input((6,)), layers.Dense(16, activation="relu"), layers.Dropout(0.2), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=eagerly)
    return model


def blobs(n=70):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n)
    return (rng.normal(size=(n, 6)) + y[:, None]).astype("float32"), y


def test_a_taped_step_is_the_built_in_one(backend):
    x, y = blobs()
    histories, weights, plans = [], [], []
    for cls, eagerly in ((Sequential, False), (Taped, False), (Taped, True)):
        model = classifier(cls, eagerly)
        histories.append(model.fit(x, y, epochs=3, batch_size=16, verbose=0).history)
        weights.append(model.get_weights())
        if backend == "native" and not eagerly:
            program = next(p for k, p in model._programs.items() if k[0] == "train" and k[1].x[0][0][0] == 16)
            plans.append([i.op for i in program.plan.instructions])
    assert all(np.allclose(a, b, atol=1e-5) for w in weights[1:] for a, b in zip(weights[0], w, strict=True))
    assert np.allclose(histories[0]["accuracy"], histories[1]["accuracy"])
    if plans:  # the same kernels, but for how the loss is averaged: so the same cost
        assert len(plans[1]) <= len(plans[0]) + 2, (plans[0], plans[1])


class Gan(Model):
    """Keras' own example of a GAN, dense."""

    def __init__(self, discriminator, generator, latent):
        super().__init__()
        self.discriminator, self.generator, self.latent = discriminator, generator, latent

    def compile(self, d_optimizer, g_optimizer, loss_fn, **kwargs):
        super().compile(**kwargs)
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
        self.d_loss, self.g_loss = metrics.Mean(name="d_loss"), metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, data):
        real, noise = data
        fake = self.generator(noise)
        both = ops.concatenate([fake, real], axis=0)
        labels = ops.concatenate([np.ones((noise.shape[0], 1)), np.zeros((real.shape[0], 1))], axis=0)
        with GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(both))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        with GradientTape() as tape:
            g_loss = self.loss_fn(np.zeros((noise.shape[0], 1)), self.discriminator(self.generator(noise)))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def parts(seed=0):
    brisknet.utils.set_random_seed(seed)
    discriminator = Sequential([layers.Input((3,)), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(1)], name="D")
    generator = Sequential([layers.Input((2,)), layers.Dense(8, activation="relu"), layers.Dense(3)], name="G")
    return discriminator, generator


def gan(eagerly=False):
    model = Gan(*parts(), 2)
    loss = losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.01), optimizers.RMSprop(0.02), loss, run_eagerly=eagerly)
    return model


def gan_data(n=40):
    rng = np.random.default_rng(5)
    return rng.normal(size=(n, 3)).astype("float32") + 2, rng.normal(size=(n, 2)).astype("float32")


def test_a_gan_of_two_models_and_two_optimizers_is_one_program(backend):
    real, noise = gan_data()
    model, eager = gan(), gan(eagerly=True)
    before = model.get_weights()
    history = model.fit(real, noise, batch_size=16, epochs=2, verbose=0, shuffle=False).history
    assert list(history) == ["d_loss", "g_loss"] and all(np.isfinite(v).all() for v in history.values())
    programs = [p for p in model._programs.values() if hasattr(p, "executor")]
    assert all(p.executor == backend for p in programs) and len(programs) == 2
    assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True) if a.ndim == 2)
    twin = eager.fit(real, noise, batch_size=16, epochs=2, verbose=0, shuffle=False).history
    assert all(np.allclose(history[k], twin[k], rtol=1e-4) for k in history)
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(model.get_weights(), eager.get_weights(), strict=True))
    assert int(model.d_optimizer.iterations) == int(model.g_optimizer.iterations) == 6


class Sees(layers.Layer):
    """Passes on what it is told of training: 1, 0, or -1 for nothing."""

    def call(self, x, training=None):
        return ops.zeros_like(x) + (-1.0 if training is None else float(training))


def test_models_within_a_step_of_ones_own_are_told_of_training_by_it_alone(backend):
    """As in Keras: without training=True, batch normalisation and dropout within a train_step() are those of inference."""

    class Step(Model):
        def __init__(self):
            super().__init__()
            self.inner = Sequential([layers.Input((3,)), Sees()])

        def train_step(self, x):
            said = {"nothing": self.inner(x), "true": self.inner(x, training=True), "false": self.inner(x, training=False)}
            return {k: ops.max(v) for k, v in said.items()}

        test_step = train_step

    model = Step()
    x = np.ones((4, 3), "float32")
    for eagerly in (False, True):
        model.compile(run_eagerly=eagerly)
        history = model.fit(x, verbose=0).history
        assert history["true"] == [1.0] and history["nothing"][0] <= 0 and history["false"] == [0.0]
        assert model.evaluate(x, verbose=0, return_dict=True)["nothing"] <= 0


def test_settings_of_optimizers_of_ones_own_take_effect(backend):
    real, noise = gan_data(16)
    model = gan()
    model.fit(real, noise, batch_size=16, verbose=0)
    model.g_optimizer.learning_rate = optimizers.schedules.PiecewiseConstantDecay([100], [0.0, 1.0])
    before = model.generator.get_weights()
    model.fit(real, noise, batch_size=16, verbose=0)
    assert equal(before, model.generator.get_weights())
    model.discriminator.trainable = False
    with pytest.raises(ValueError, match="no gradient|built for"):
        model.fit(real, noise, batch_size=16, verbose=0)


def combined(discriminator, generator):
    """The classic: the generator learns through a discriminator that stands still."""
    model = Sequential([generator, discriminator])
    model.compile("sgd", "mse")
    return model


def moved(model, call) -> bool:
    before = model.get_weights()
    call()
    return not equal(before, model.get_weights())


def test_the_classic_gan_with_a_frozen_sub_model(backend):
    """As Keras 3.15 does: frozen weights stay in whatever model they are, and thaw with the flag."""
    discriminator, generator = parts()
    discriminator.compile("sgd", "mse")
    discriminator.trainable = False
    whole = combined(discriminator, generator)
    real, noise = gan_data(4)
    y = np.ones((4, 1), "float32")
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        assert not moved(discriminator, lambda: discriminator.train_on_batch(real, y))
    for _ in range(2):
        discriminator.trainable = True
        assert moved(discriminator, lambda: discriminator.train_on_batch(real, y))
        discriminator.trainable = False
        assert not moved(discriminator, lambda: whole.train_on_batch(noise, y))
        assert moved(generator, lambda: whole.train_on_batch(noise, y))
    assert [w.path for w in whole.trainable_weights] == [w.path for w in generator.weights]


def test_many_small_custom_steps_do_not_grow_or_slow_down(backend):
    model = gan()
    real, noise = gan_data(16)
    model.train_on_batch(real, noise)
    begun = time.perf_counter()
    for _ in range(50):
        model.train_on_batch(real, noise)
    assert sum(hasattr(p, "executor") for p in model._programs.values()) == 1 and time.perf_counter() - begun < 5


def test_storms_of_shapes_are_told_once(backend):
    model = Sequential([layers.Input((None, 2)), layers.Dense(2), layers.GlobalAveragePooling1D()])
    model.compile("sgd", "mse")
    found = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for steps in range(2, 22):
            model.train_on_batch(np.ones((3, steps, 2)), np.ones((3, 2)))
            found.append(len(told))
        for rows in range(1, 20):
            model.predict(np.ones((rows, 4, 2)), verbose=0)
    assert found == [0] * 16 + [1] * 4 and len(told) == 1 and told[0].filename == __file__
    message = str(told[0].message)
    assert "17th time to train" in message and "x changes: shape (3, 11, 2)" in message and "(3, 18, 2)" in message
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # batches of a few sizes, again and again, are no storm
        other = classifier(Taped)
        for _ in range(3):
            for rows in range(1, 17):
                other.predict(blobs(rows)[0], verbose=0)


def test_sample_weights_weigh_weighted_metrics_alone(backend):
    class Weighted(Sequential):
        def train_step(self, data):
            x, y, weights = data
            with GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weights)
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred, sample_weight=weights)
            return {m.name: m.result() for m in self.metrics}

    x, y = np.linspace(-1, 1, 40).reshape(10, 4), np.linspace(2, 0, 10).reshape(10, 1)
    weights = np.arange(10) / 5
    found = []
    for cls in (Weighted, Sequential):
        brisknet.utils.set_random_seed(1)
        model = cls([layers.Input((4,)), layers.Dense(1)])
        plain, own = metrics.MeanAbsoluteError("mae"), metrics.MeanAbsoluteError("weighted_mae")
        model.compile(optimizers.SGD(0.1), "mse", metrics=[plain], weighted_metrics=[own])
        found.append(model.fit(x, y, sample_weight=weights, batch_size=5, epochs=2, shuffle=False, verbose=0).history)
        assert brisknet.models.clone_model(model) is not model and copy.deepcopy(model).evaluate(x, y, verbose=0)
    assert all(np.allclose(found[0][name], values) for name, values in found[1].items())
    plain.reset_state()
    plain.update_state([[0.0], [0.0]], [[1.0], [3.0]], sample_weight=[1.0, 0.0])
    assert plain.result() == 1.0  # outside of steps the weights count
