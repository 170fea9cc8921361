"""Every bad call is an error that names the argument, what was expected and what came, and changes nothing: the same
model predicts the same and trains on."""

import importlib

import numpy as np
import pytest

from brisknet import config
from tests.bad_calls import TABLE

# They fill the table.
importlib.import_module("tests.bad_calls_data")
importlib.import_module("tests.bad_calls_api")
importlib.import_module("tests.bad_calls_optimizers")
importlib.import_module("tests.bad_calls_arithmetic")
importlib.import_module("tests.bad_calls_conv")
importlib.import_module("tests.bad_calls_rnn")
importlib.import_module("tests.bad_calls_losses")
importlib.import_module("tests.bad_calls_metrics")
importlib.import_module("tests.bad_calls_preprocessing")
importlib.import_module("tests.bad_calls_models")
importlib.import_module("tests.bad_calls_autograd")
importlib.import_module("tests.bad_calls_callbacks")
importlib.import_module("tests.bad_calls_ops")
importlib.import_module("tests.bad_calls_attention")
importlib.import_module("tests.bad_calls_text")


def state_of(model):
    """Copies of all that training changes: weights, optimizer, steps."""
    optimizer = model.optimizer
    slots = [v.numpy() for v in optimizer.variables] if optimizer is not None else []
    return [*model.get_weights(), *slots, model._step_counter.numpy()]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(u, v) for u, v in zip(a, b, strict=True))


# One model of a kind goes through all of its bad calls, unless one of them breaks it.
SURVIVORS: dict = {}


def as_list(x):
    return x if isinstance(x, list) else [x]


@pytest.mark.parametrize(
    ("make", "call", "error", "fragments"), [c[1:] for c in TABLE], ids=[c[0] for c in TABLE]
)  # fmt: skip
def test_bad_call(backend, make, call, error, fragments):
    model, x, y = SURVIVORS.pop((make, backend), None) or make()
    deferred = not model.built
    if model.compiled and not deferred:
        model.fit(x, y, verbose=0)
    settings = config.floatx(), config.backend(), config.epsilon(), model.optimizer, model.compiled
    structure = [layer.name for layer in model.layers], [w.shape for w in model.weights]
    before = state_of(model)
    predicted = None if deferred else as_list(model.predict(x, verbose=0))

    with pytest.raises(error) as caught:
        call(model, x, y)
    assert caught.type is error
    message = str(caught.value)
    assert [f for f in fragments if f not in message] == [], message

    assert (config.floatx(), config.backend(), config.epsilon(), model.optimizer, model.compiled) == settings
    assert structure == ([layer.name for layer in model.layers], [w.shape for w in model.weights])
    assert same(before, state_of(model)), "a bad call must change nothing"
    if not deferred:
        assert same(predicted, as_list(model.predict(x, verbose=0)))
    if model.compiled:
        history = model.fit(x, y, verbose=0).history
        assert np.isfinite(history["loss"][0])
        assert not same(before, state_of(model)), "the model must train on"
    assert all(np.isfinite(p).all() for p in as_list(model.predict(x, verbose=0)))
    if not deferred:
        SURVIVORS[make, backend] = model, x, y


def test_the_table_is_large_and_its_names_are_its_own():
    names = [c[0] for c in TABLE]
    assert len(set(names)) == len(names) > 200
    assert all(c[4] for c in TABLE), "every case says what its message must have"
