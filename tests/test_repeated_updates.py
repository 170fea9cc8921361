"""Steps that update the same weights several times, as the critic of a Wasserstein GAN needs: in place, one native program."""

import numpy as np
import pytest

import brisknet
from brisknet import GradientTape, config, constraints, layers, ops, optimizers
from brisknet.models import Model

OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(0.01),
    "clipped": lambda: optimizers.AdamW(0.01, clipnorm=0.1),
    "averaged": lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "overwritten": lambda: optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2),
    "accumulated": lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "nadam": lambda: optimizers.Nadam(0.01),
    "lamb": lambda: optimizers.Lamb(0.01),
    "adafactor": lambda: optimizers.Adafactor(0.01),
    "muon": lambda: optimizers.Muon(0.01),
}


class Thrice(Model):
    """Three steps on every batch; also tells how long the weights were before the last."""

    def __init__(self, constraint):
        super().__init__()
        self.hidden = layers.Dense(17, activation="tanh", kernel_constraint=constraint)
        self.last = layers.Dense(2)

    def call(self, x):
        return self.last(self.hidden(x))

    def train_step(self, data):
        x, y = data
        for _ in range(3):
            with GradientTape() as tape:
                loss = ops.mean(ops.square(self(x, training=True) - y))
            length = ops.sum(ops.square(self.hidden.kernel))
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": loss, "length": length}


def trained(optimizer, constraint, eagerly, executor):
    brisknet.utils.set_random_seed(0)
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(12, 5)).astype("float32"), draw.normal(size=(12, 2)).astype("float32")
    model = Thrice(constraint)
    model.compile(OPTIMIZERS[optimizer](), run_eagerly=eagerly)
    history = model.fit(x, y, batch_size=4, epochs=2, verbose=0).history
    if not eagerly:
        assert {p.executor for p in model._programs.values() if hasattr(p, "executor")} == {executor}
    assert int(model.optimizer.iterations) == (9 if optimizer == "accumulated" else 18)
    return [*history["loss"], *history["length"], *model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


@pytest.mark.skipif(not config.native_available(), reason="compares the executors")
@pytest.mark.parametrize("constraint", [None, constraints.MaxNorm(0.5)], ids=["free", "constrained"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_three_updates_a_step_are_those_of_the_reference(optimizer, constraint):
    config.set_backend("native")
    got = trained(optimizer, constraint, False, "native")
    for a, b in zip(got, trained(optimizer, constraint, True, None), strict=True):
        assert np.allclose(a, b, atol=2e-5, rtol=1e-4)
