"""Batch normalisation of images: statistics in shards, sums and activations in its pass over rows; few rows stay as they were."""

import numpy as np
import pytest

from brisknet import config, utils
from brisknet import layers as L
from brisknet.graph.trace import Trace
from brisknet.losses import SparseCategoricalCrossentropy
from brisknet.models import Model, Sequential
from brisknet.ops.norm import batch_norm_train
from brisknet.runtime.program import compile_graph, optimize

pytestmark = pytest.mark.skipif(not config.native_available(), reason="the pure-Python package has no kernels")
X = np.random.default_rng(0).normal(1.0, 2.0, (35, 12, 12, 3)).astype("float32")
Y = np.arange(35) % 4


@pytest.fixture(autouse=True)
def _native():
    before = config.backend()
    config.set_backend("native")
    yield
    config.set_backend(before)


def residual(channels=16, activation="relu", data_format="channels_last"):
    """A block whose shortcut is normalised too, one whose shortcut is what came before, one without activation."""
    axis, form = (1, {"data_format": data_format}) if data_format == "channels_first" else (-1, {})

    def conv(x, size=3):
        return L.BatchNormalization(axis=axis)(L.Conv2D(channels, size, padding="same", use_bias=False, **form)(x))

    def act(x):
        return L.LeakyReLU(0.2)(x) if activation == "leaky_relu" else L.Activation(activation)(x)

    x = inputs = L.Input((3, 12, 12) if axis == 1 else (12, 12, 3))
    x = act(conv(x))
    x = act(L.Add()([conv(act(conv(x))), conv(x, 1)]))
    x = act(L.Add()([x, conv(act(conv(x)))]))
    x = L.Add()([conv(x), x])
    x = L.Dropout(0.1, seed=3)(act(conv(x)))
    model = Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D(**form)(x)))
    model.compile("sgd", SparseCategoricalCrossentropy(from_logits=True))
    return model


def trained(**arguments):
    utils.set_random_seed(5)
    model = residual(**arguments)
    x = X.transpose(0, 3, 1, 2) if arguments.get("data_format") == "channels_first" else X
    losses = model.fit(x, Y, epochs=3, batch_size=35, shuffle=False, verbose=0).history["loss"]
    return losses, np.concatenate([w.ravel() for w in model.get_weights()]), model.predict(x, batch_size=35, verbose=0), model


def instructions(model):
    program = max(model._programs.values(), key=lambda p: len(p.plan.instructions))
    return program.plan.instructions


@pytest.mark.parametrize("arguments", [{}, {"channels": 19}, {"activation": "leaky_relu"}, {"activation": "tanh", "channels": 15},
                                       {"data_format": "channels_first"}], ids=str)  # fmt: skip
def test_training_follows_the_reference(arguments):
    found = {}
    for backend in ("numpy", "native"):
        config.set_backend(backend)
        found[backend] = trained(**arguments)
    for expected, got in zip(found["numpy"][:3], found["native"][:3], strict=True):
        np.testing.assert_allclose(got, expected, rtol=3e-4, atol=3e-4)


def test_what_follows_a_normalisation_is_done_in_its_pass():
    found = instructions(trained()[3])
    ops = [i.op for i in found]
    assert not {"batch_norm", "bn_apply", "bn_stats", "relu", "bn_grad_x", "bn_grad_sums"} & set(ops)
    assert ops.count("bn_moments") == ops.count("bn_rows") == ops.count("bn_grad_rows") == 8
    passes = [(i.operands[5].base is not None, i.ints[3]) for i in found if i.op == "bn_rows"]
    assert sorted(passes) == [(False, 0)] + [(False, 1)] * 4 + [(True, 0)] + [(True, 1)] * 2


def test_few_rows_stay_one_instruction():
    model = Sequential([L.Input((20,)), L.Dense(64), L.BatchNormalization(), L.ReLU(), L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((64, 20)), np.ones((64, 1)), batch_size=64, verbose=0)
    ops = [i.op for i in instructions(model)]
    assert ops.count("batch_norm") == ops.count("bn_grad_sums") == ops.count("bn_grad_x") == 1
    assert not {"bn_moments", "bn_merge", "bn_rows", "bn_grad_moments"} & set(ops)


@pytest.mark.parametrize("arguments", [{}, {"channels": 19, "activation": "elu"}], ids=str)
def test_same_bits_for_any_number_of_threads_and_with_private_memory(arguments, monkeypatch):
    monkeypatch.setenv("BRISKNET_THREAD_FLOPS", "0")
    before, found = config.num_threads(), []
    try:
        for threads in (1, 2, 3, 7):
            config.set_num_threads(threads)
            found.append(trained(**arguments)[:3])
        monkeypatch.setenv("BRISKNET_PLANNER", "off")
        found.append(trained(**arguments)[:3])
    finally:
        config.set_num_threads(before)
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize(("n", "c"), [(5000, 16), (601, 123)])
def test_statistics_do_not_cancel(n, c):
    """A mean of hundreds of deviations, and first rows that are far from the others."""
    x = np.random.default_rng(1).normal(1000.0, 0.1, (n, c, 1)).astype("float32")
    x[: n // 10] += 3.0
    with Trace() as graph:
        graph.outputs += batch_norm_train(graph.add_input(x.shape, "float32"), None, None, 1e-3)
    y, mean, var = compile_graph(graph).run([x])
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 2)), rtol=3e-7)
    np.testing.assert_allclose(var, exact.var((0, 2)), rtol=1e-4)
    expected = (exact - exact.mean((0, 2), keepdims=True)) / np.sqrt(exact.var((0, 2), keepdims=True) + 1e-3)
    np.testing.assert_allclose(y, expected, atol=5e-4)


def test_a_result_that_is_wanted_elsewhere_is_kept():
    """The normalised value and its sum are outputs too: nothing may be fused away."""
    from brisknet import ops

    with Trace() as graph:
        x = graph.add_input((600, 128, 1), "float32")
        y = batch_norm_train(x, None, None, 1e-3)[0]
        z = ops.add(y, x)
        graph.outputs += [y, z, ops.relu(z), ops.relu(batch_norm_train(z, None, None, 1e-3)[0])]
    names = [n.op for n in optimize(graph).nodes]
    assert names.count("bn_apply") == 1 and names.count("add") == 1 and names.count("relu") == 1 and names.count("bn_rows") == 1
