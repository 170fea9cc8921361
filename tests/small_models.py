"""Small models and data that several tests use."""

import numpy as np

from brisknet.layers import Concatenate, Dense, Dropout, Input
from brisknet.models import Model, Sequential


def data(n=70):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def classifier(**options):
    """A small network with weights of its own, the same as in the Keras program that gave the numbers below."""
    model = Sequential([Input((4,)), Dense(8, activation="relu", name="d1"), Dense(1, activation="sigmoid", name="d2")])
    model.compile(**{"optimizer": "sgd", "loss": "binary_crossentropy", "metrics": ["accuracy"], **options})
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    return model


def equal(a, b):
    return all(np.array_equal(u, v) for u, v in zip(a, b, strict=True))


def rounded(logs):
    return {k: np.round(v, 4).tolist() for k, v in logs.items()}


def two_in_two_out(as_dict=False):
    a, b = Input((3,), name="a"), Input((2,), name="b")
    h = Dense(4, activation="relu")(Concatenate()([a, b]))
    left, right = Dense(1, name="left")(h), Dense(3, activation="softmax", name="right")(h)
    if as_dict:
        return Model({"first": a, "second": b}, {"p": left, "q": right})
    return Model([a, b], [left, right])


class Sum(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense, self.drop = Dense(units), Dropout(0.5)

    def call(self, inputs, training=False):
        parts = list(inputs.values()) if isinstance(inputs, dict) else list(inputs)
        return self.drop(self.dense(parts[0]) + self.dense(parts[1]), training=training)

    def get_config(self):
        return {"units": self.units, "name": self.name}
