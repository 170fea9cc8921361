"""The models that bad calls are tried on, and parts that several calls share."""

import numpy as np
import pytest

from brisknet import callbacks
from brisknet.layers import Add, Concatenate, Dense, Input
from brisknet.models import Model, Sequential, clone_model

# (id, function that gives (model, x, y), call(model, x, y), error, parts that the message must have)
TABLE = []


def case(name, make, call, error, *fragments):
    """One line of the table."""
    TABLE.append((name, make, call, error, fragments))


# ---- the models that are called badly ------------------------------------------------------------------------------
def rows(n, features, seed=0):
    return np.random.default_rng(seed).normal(size=(n, features)).astype("float32")


def binary():
    model = Sequential([Input((4,)), Dense(6, activation="relu", name="hidden"), Dense(1, activation="sigmoid", name="out")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    x = rows(12, 4)
    return model, x, (x[:, 0] > 0).astype("int64")


def sparse():
    model = Sequential([Input((4,)), Dense(6, activation="relu"), Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, rows(12, 4), np.arange(12) % 3


def onehot():
    model = Sequential([Input((4,)), Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    return model, rows(12, 4), np.eye(3)[np.arange(12) % 3]


def regression():
    model = Sequential([Input((4,)), Dense(2)])
    model.compile("rmsprop", "mse", metrics=["mae"])
    return model, rows(12, 4), rows(12, 2, 1)


def two():
    a, b = Input((3,), name="a"), Input((2,), name="b")
    h = Dense(4, activation="relu")(Concatenate()([a, b]))
    model = Model([a, b], [Dense(1, name="left")(h), Dense(3, activation="softmax", name="right")(h)])
    model.compile("sgd", {"left": "mse", "right": "sparse_categorical_crossentropy"})
    return model, [rows(12, 3), rows(12, 2)], [rows(12, 1), np.arange(12) % 3]


def deferred():
    model = Sequential([Dense(3, activation="relu"), Dense(1)])
    model.compile("sgd", "mse")
    return model, rows(12, 4), rows(12, 1)


def uncompiled():
    return Sequential([Input((4,)), Dense(1)]), rows(12, 4), rows(12, 1)


class Holder:
    """Has an array inside, and nothing that says so."""


class Raises:
    def __array__(self, dtype=None, copy=None):
        raise TypeError("this object does not want to be an array")


def put(array, value, *at):
    array = np.array(array, "float64")
    array[at] = value
    return array


# ---- parts of calls ------------------------------------------------------------------------------------------------
def frame(x):
    return pytest.importorskip("pandas").DataFrame(x, columns=list("abcd"))


def step_net():
    model = Sequential([Input((4,)), Dense(3, activation="step"), Dense(1)])
    model.compile("sgd", "mse")
    return model


def split_model():
    a = Input((4,))
    return Model(a, [Dense(1)(a), Dense(1)(a)], name="split")


def duplicate_names():
    a = Input((3,))
    return Model(a, Dense(2, name="same")(Dense(2, name="same")(a)))


def disconnected():
    a, b = Input((3,), name="given"), Input((3,), name="forgotten")
    return Model(a, Add()([Dense(3)(a), b]))


def cyclic(model):
    """A config in which a layer feeds itself."""
    config = model.get_config()
    dense = next(x for x in config["layers"] if x["class_name"] == "Dense")
    dense["inbound_nodes"][0]["args"] = [{"class_name": "__keras_tensor__", "config": {"keras_history": [dense["name"], 0, 0]}}]
    return config


def renamed(model):
    config = model.get_config()
    config["layers"][1]["class_name"] = "Dens"
    return config


def monitored(model, x, y):
    return model.fit(x, y, verbose=0, callbacks=[callbacks.EarlyStopping("val_acuracy")])


def refitted(model, x, y, loss):
    """Fit a clone with another loss: what is tried on is the loss, not the model."""
    model = clone_model(model)
    model.compile("sgd", loss)
    return model.fit(x, y, verbose=0)
