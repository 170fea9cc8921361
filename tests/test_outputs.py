"""Losses, metrics and weights of several outputs in every structure: numbers from Keras 3.15 on TensorFlow."""

import numpy as np
import pytest

from brisknet import initializers
from brisknet.layers import Concatenate, Dense, Input
from brisknet.models import Model
from brisknet.optimizers import SGD

SPARSE = "sparse_categorical_crossentropy"
_rng = np.random.default_rng(1)
XS = [_rng.normal(size=(8, 3)), _rng.normal(size=(8, 2))]
P, Q, R = _rng.normal(size=(8, 1)), _rng.integers(0, 3, (8,)), _rng.normal(size=(8, 2))
W = _rng.uniform(size=8)


def branches(form):
    a, b = Input((3,), name="a"), Input((2,), name="b")
    h = Concatenate()([a, b])
    p = Dense(1, name="p", kernel_initializer="ones")(h)
    q = Dense(3, activation="softmax", name="q", kernel_initializer=initializers.RandomNormal(seed=3))(h)
    r = Dense(2, name="r", kernel_initializer="ones")(h)
    outputs = {"list": [p, q], "dict": {"x": p, "y": q}, "one": [p], "nested": {"u": {"v": p}, "w": [q, r]},
               "lists": [[p, q], r]}[form]  # fmt: skip
    model = Model([a, b], outputs)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


NESTED = {"loss": {"u": {"v": "mse"}, "w": [SPARSE, "mae"]}}
# (outputs, compile arguments, targets, sample weights, what test_on_batch logs, loss of an epoch in batches of 3)
CASES = {
    "metrics of a list": (
        "list", {"loss": ["mse", SPARSE], "metrics": [["mae"], ["acc"]]}, [P, Q], None,
        {"loss": 3.883569, "p_loss": 2.255842, "p_mae": 1.276086, "q_acc": 0.375, "q_loss": 1.627728}, 3.832329,
    ),  # fmt: skip
    "weights of losses": (
        "list", {"loss": ["mse", SPARSE], "loss_weights": [2.0, 0.5], "weighted_metrics": [["mae"], ["acc"]]}, [P, Q], W,
        {"loss": 3.882064, "p_loss": 1.6734, "p_mae": 1.527957, "q_acc": 0.2546195, "q_loss": 1.070528}, 3.893235,
    ),  # fmt: skip
    "none for one": (
        "list", {"loss": ["mse", SPARSE], "metrics": [None, "acc"]}, [P, Q], [W, 2 * W],
        {"loss": 3.814456, "p_loss": 1.6734, "q_acc": 0.375, "q_loss": 2.141056}, 3.819601,
    ),  # fmt: skip
    "names": (
        "list", {"loss": {"p": "mse", "q": SPARSE}, "metrics": {"p": "mae", "q": ["acc", SPARSE]}}, {"p": P, "q": Q}, None,
        {"loss": 3.883569, "p_loss": 2.255842, "p_mae": 1.276086, "q_acc": 0.375, "q_loss": 1.627728, "q_sparse_categorical_crossentropy": 1.627728}, 3.832329,
    ),  # fmt: skip
    "dict": (
        "dict", {"loss": {"x": "mse", "y": SPARSE}, "metrics": {"x": ["mae"], "y": "acc"}, "loss_weights": {"x": 0.1, "y": 2.0}}, {"x": P, "y": Q}, {"x": W, "y": 2 * W},
        {"loss": 4.449452, "x_loss": 1.6734, "x_mae": 1.276086, "y_acc": 0.375, "y_loss": 2.141056}, 4.461013,
    ),  # fmt: skip
    "dict without one": (
        "dict", {"loss": {"x": "mse"}}, {"x": P, "y": Q}, None,
        {"loss": 2.255842}, 2.202423,
    ),  # fmt: skip
    "nested": (
        "nested", {**NESTED, "metrics": {"u": {"v": ["mae"]}, "w": [["acc"], ["mse"]]}}, {"u": {"v": P}, "w": [Q, R]}, None,
        {"loss": 4.8731, "p_mae": 1.276086, "q_acc": 0.375, "r_mse": 1.62803, "u/v_loss": 2.255842, "w/q_loss": 1.627728, "w/r_loss": 0.9895307}, 4.821101,
    ),  # fmt: skip
    "nested weights": (
        "nested", {**NESTED, "loss_weights": {"u": {"v": 2.0}, "w": [1.0, 3.0]}}, {"u": {"v": P}, "w": [Q, R]}, None,
        {"loss": 9.108004, "u/v_loss": 2.255842, "w/q_loss": 1.627728, "w/r_loss": 0.9895307}, 8.904036,
    ),  # fmt: skip
    "lists": (
        "lists", {"loss": [["mse", SPARSE], "mae"]}, [[P, Q], R], None,
        {"0/p_loss": 2.255842, "0/q_loss": 1.627728, "loss": 4.8731, "r_loss": 0.9895307}, 4.821101,
    ),  # fmt: skip
    "by shape": (
        "list", {"loss": ["mse", "crossentropy"], "metrics": [[], ["acc"]]}, [P, Q], None,
        {"loss": 3.883569, "p_loss": 2.255842, "q_acc": 0.375, "q_loss": 1.627728}, 3.832329,
    ),  # fmt: skip
}


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_as_in_keras(backend, name, eager):
    form, args, y, weights, logs, loss = CASES[name]
    model = branches(form)
    model.compile(SGD(0.01), run_eagerly=eager, **args)
    found = model.test_on_batch(XS, y, sample_weight=weights, return_dict=True)
    assert found == pytest.approx(logs, rel=2e-5)
    history = model.fit(XS, y, sample_weight=weights, verbose=0, batch_size=3, shuffle=False).history
    assert set(history) == set(logs) and history["loss"][0] == pytest.approx(loss, rel=2e-5)


def test_structures_that_do_not_fit():
    model = branches("nested")
    for loss in ({"u": {"v": "mse"}, "w": ["mse"]}, {"u": ["mse"], "w": [SPARSE, "mae"]}):
        with pytest.raises(ValueError, match="loss: the structure of the outputs expected, here a "):
            model.compile("sgd", loss)
    model.compile("sgd", {"p": "mse", "q": SPARSE, "r": "mae"})
    assert model.test_on_batch(XS, {"u": {"v": P}, "w": [Q, R]}) and model.test_on_batch(XS, {"p": P, "q": Q, "r": R})
    with pytest.raises(ValueError, match="y: the structure of the outputs expected"):
        model.test_on_batch(XS, {"u": {"v": P}, "w": [Q]})


def test_a_subclassed_model_of_nested_outputs(backend):
    class Branches(Model):
        def __init__(self):
            super().__init__()
            self.p, self.q = Dense(1), Dense(2)

        def call(self, x):
            return {"a": self.p(x), "b": {"c": self.q(x)}}

    model = Branches()
    model.compile("sgd", {"a": "mse", "b": {"c": "mae"}}, loss_weights={"a": 2.0, "b": {"c": 1.0}})
    x = np.ones((6, 4))
    h = model.fit(x, {"a": np.ones((6, 1)), "b": {"c": np.ones((6, 2))}}, verbose=0).history
    assert sorted(h) == ["a_loss", "b/c_loss", "loss"]
    assert h["loss"][0] == pytest.approx(2 * h["a_loss"][0] + h["b/c_loss"][0], rel=1e-6)
    assert model.predict(x, verbose=0)["b"]["c"].shape == (6, 2)
