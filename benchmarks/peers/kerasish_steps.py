"""Training loops of one's own for every framework with Keras' names: brisknet and Keras run this very code.

Tape is the class of the framework's tapes: brisknet.GradientTape or TensorFlow's.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks import workloads
from benchmarks.peers import kerasish
from benchmarks.peers.worker import Task
from benchmarks.workloads import own_steps
from benchmarks.workloads.nets import SLOPE


def layer_of(K, layer: dict):
    """kerasish.layer_of() and the layers that only GANs have."""
    L, op = K.layers, layer["op"]
    if op == "dense":
        return L.Dense(layer["n"], activation=layer["act"], use_bias=layer.get("bias", True))
    if op == "conv_transpose":
        return L.Conv2DTranspose(layer["n"], layer["k"], layer["stride"], "same", use_bias=layer["bias"], activation=layer["act"])
    if op == "leaky":
        return L.LeakyReLU(SLOPE)
    return L.Reshape(layer["shape"]) if op == "reshape" else kerasish.layer_of(K, layer)


def network(K, layers, shape, weights):
    made = [layer_of(K, layer) for layer in layers]
    model, weights = K.Sequential([K.layers.Input(shape), *made]), iter(weights)
    for layer in made:
        layer.set_weights([next(weights) for _ in layer.get_weights()])
    return model


# ---- GANs -----------------------------------------------------------------------------------------------------------------
def gan_class(K, Tape):
    class GAN(K.Model):
        def __init__(self, generator, discriminator):
            super().__init__()
            self.generator, self.discriminator = generator, discriminator
            self.loss_fn = K.losses.BinaryCrossentropy(from_logits=True)
            self.d_loss, self.g_loss = K.metrics.Mean("d_loss"), K.metrics.Mean("g_loss")

        def compile(self, d_optimizer, g_optimizer, **args):
            super().compile(**args)
            self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

        @property
        def metrics(self):
            return [self.d_loss, self.g_loss]

        def train_step(self, data):
            real, z1, z2 = data["real"], data["z1"], data["z2"]
            rows = K.ops.shape(real)[0]
            both = K.ops.concatenate([self.generator(z1, training=True), real])
            labels = K.ops.concatenate([K.ops.zeros((rows, 1)), K.ops.ones((rows, 1))])
            with Tape() as tape:
                d_loss = self.loss_fn(labels, self.discriminator(both, training=True))
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)
            with Tape() as tape:
                answers = self.discriminator(self.generator(z2, training=True), training=True)
                g_loss = self.loss_fn(K.ops.ones((rows, 1)), answers)
            weights = self.generator.trainable_weights
            self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
            self.d_loss.update_state(d_loss)
            self.g_loss.update_state(g_loss)
            return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}

    return GAN


def gan(K, Tape, spec, args):
    parts = [network(K, *net, weights) for net, weights in zip(own_steps.networks(spec), own_steps.first_weights(spec))]
    model = gan_class(K, Tape)(*parts)
    optimizers = [K.optimizers.Adam(spec["lr"], beta_1=spec["beta_1"]) for _ in parts]
    model.compile(*optimizers, **args)
    return model


def gan_task(K, Tape, spec, epochs, args=None):
    model, x = gan(K, Tape, spec, args or {}), own_steps.data(spec)

    def run():
        return model.fit(x, batch_size=spec["batch"], epochs=epochs, verbose=0).history["d_loss"][-1]

    return Task(run, epochs * spec["rows"] // spec["batch"], info={"model": model})


def gan_losses(K, Tape, spec, epochs, args=None):
    """The loss of the discriminator, then of the generator, for each epoch."""
    model = gan(K, Tape, spec, args or {})
    history = model.fit(own_steps.data(spec), batch_size=spec["batch"], epochs=epochs, shuffle=False, verbose=0).history
    return [loss for both in zip(history["d_loss"], history["g_loss"]) for loss in both]


# ---- a step of one's own beside fit's --------------------------------------------------------------------------------------
def custom_step_task(K, Tape, spec, epochs):
    """CPU time of fits by a train_step with a tape over that of fit's own step: they take turns, the fastest of each counts.

    ValueError where their losses differ.
    """

    class Custom(K.Sequential):
        def train_step(self, data):
            x, y = data
            with Tape() as tape:
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

    x, y = workloads.data(spec)

    def built(cls):
        K.utils.set_random_seed(0)
        model = kerasish.build(_Names(K, cls), spec)
        return model

    models = [built(Custom), built(K.Sequential)]

    def fit(model):
        start = time.process_time()
        losses = model.fit(x, y, batch_size=spec["batch"], epochs=epochs, verbose=0).history["loss"]
        return time.process_time() - start, losses

    def run():
        took = []
        for _ in range(5):
            (own, mine), (plain, theirs) = (fit(model) for model in models)
            if not np.allclose(mine, theirs, rtol=1e-3):
                raise ValueError(f"the losses differ: {mine} by a step of one's own, {theirs} by fit's")
            took.append((own, plain))
        return min(own for own, _ in took) / min(plain for _, plain in took)

    return Task(run, value=True, info={"model": models[0]})


class _Names:
    """The names of K, with another Sequential."""

    def __init__(self, K, sequential):
        self._K, self.Sequential = K, sequential

    def __getattr__(self, name):
        return getattr(self._K, name)
