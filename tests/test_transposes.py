"""Models with channels first: the same numbers as with channels last, and no transpose between their layers."""

import numpy as np
import pytest

from brisknet import layers as L
from brisknet import ops, utils
from brisknet.graph.trace import Trace
from brisknet.graph.verify import verify
from brisknet.models import Model
from brisknet.passes.autodiff import gradients
from brisknet.passes.simplify import simplify
from brisknet.passes.transposes import move_transposes
from brisknet.runtime.reference import ReferenceProgram

SHAPE = (9, 8, 2)


def build(data_format, dropout=False):
    """Residual sum, batch normalisation, pooling, padding, transposed convolution, concatenation, global mean."""
    axis = 1 if data_format == "channels_first" else -1
    x = inputs = L.Input((SHAPE[-1], *SHAPE[:-1]) if axis == 1 else SHAPE)
    form = {"data_format": data_format}
    x = L.Conv2D(4, 3, padding="same", activation="relu", **form)(x)
    x = L.BatchNormalization(axis=axis)(x)
    y = L.Conv2D(4, 3, padding="same", use_bias=False, **form)(x)
    y = L.BatchNormalization(axis=axis)(y)
    x = L.Activation("relu")(L.Add()([x, y]))
    x = L.MaxPooling2D(2, **form)(x)
    x = L.Cropping2D(((0, 0), (1, 0)), **form)(L.ZeroPadding2D(1, **form)(x))
    x = L.Conv2D(6, 3, activation="gelu", **form)(x)
    if dropout:
        x = L.SpatialDropout2D(0.3, seed=1, **form)(x)
    x = L.Conv2DTranspose(3, 2, strides=2, activation="tanh", **form)(x)
    x = L.Concatenate(axis=axis)([x, L.UpSampling2D(2, **form)(L.AveragePooling2D(2, **form)(x))])
    x = L.GlobalAveragePooling2D(**form)(x)
    model = Model(inputs, L.Dense(3, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("dropout", [False, True])
def test_channels_first_trains_as_channels_last(backend, dropout):
    images = np.random.default_rng(0).normal(size=(8, *SHAPE)).astype("float32")
    results = []
    for data_format, x in (("channels_last", images), ("channels_first", images.transpose(0, 3, 1, 2))):
        utils.set_random_seed(0)
        model = build(data_format, dropout)
        losses = model.fit(x, np.arange(8) % 3, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"]
        results.append((losses, model.predict(x, verbose=0)))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=3e-6)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=3e-5, atol=1e-6)


def step_of(data_format):
    """The graph of the output of such a model in training and of the gradients of its weights."""
    utils.set_random_seed(0)
    model = build(data_format)
    shape = (8, *model.inputs[0].shape[1:])
    with Trace() as graph:
        x = graph.add_input(shape, "float32")
        y = model(x, training=True)
        weights = [graph.read(v) for v in model.trainable_variables]
        graph.outputs = [y, *gradients(ops.sum(ops.square(y)), weights)]
    return simplify(graph), shape


def large(graph):
    """Transposes that move more than a number a channel and image, but for that of the input itself."""
    return [n for n in graph.nodes if n.op == "transpose" and n.outputs[0].size > 8 * 8 and n.inputs[0].node.op != "input"]


def test_transposes_between_layers_cancel():
    graph, shape = step_of("channels_first")
    assert len(large(graph)) > 15
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    wanted = ReferenceProgram(graph).run([x])
    graph, _ = step_of("channels_first")
    verify(move_transposes(graph), "transposes")
    assert large(graph) == []
    for got, want in zip(ReferenceProgram(graph).run([x]), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-6)


TURN, BACK = (0, 3, 1, 2), (0, 2, 3, 1)
CASES = {
    "there and back": lambda t, x: ops.transpose(t, BACK),
    "elementwise": lambda t, x: ops.transpose(ops.exp(ops.multiply(t, 0.5)), BACK),
    "channel vector": lambda t, x: ops.transpose(ops.add(t, np.arange(5.0).reshape(5, 1, 1)), BACK),
    "mask of images and channels": lambda t, x: ops.transpose(ops.multiply(t, np.arange(10.0).reshape(2, 5, 1, 1)), BACK),
    "two of them": lambda t, x: ops.maximum(t, ops.negative(t)),
    "with one that is no transpose": lambda t, x: ops.add(t, np.ones((2, 5, 30, 40))),
    "reduction": lambda t, x: ops.sum(t, axis=(2, 3)),
    "reduction that keeps axes": lambda t, x: ops.subtract(t, ops.mean(t, axis=(2, 3), keepdims=True)),
    "reduction of channels": lambda t, x: ops.max(t, axis=1),
    "reduction that would change the order": lambda t, x: ops.sum(ops.transpose(x, (0, 2, 1, 3)), axis=3),
    "slice": lambda t, x: t[:, 1:4, ::2, 3:],
    "padding": lambda t, x: ops.pad(t, ((0, 0), (1, 2), (0, 3), (1, 0))),
    "concatenation": lambda t, x: ops.concatenate([t, ops.square(t)], axis=1),
    "joined axes": lambda t, x: ops.exp(ops.reshape(t, (2, 5, 1200))),
    "flat": lambda t, x: ops.reshape(t, (2, 6000)),
    "spread mean": lambda t, x: ops.multiply(t, ops.broadcast_to(ops.mean(t, axis=(2, 3), keepdims=True), (2, 5, 30, 40))),
    "two turns": lambda t, x: ops.transpose(t, TURN),
    "matrix": lambda t, x: ops.transpose(ops.reshape(x, (60, 200))),
}


@pytest.mark.parametrize("name", CASES)
def test_values_stay(name):
    x = np.random.default_rng(2).normal(size=(2, 30, 40, 5))

    def traced():
        with Trace(floatx="float64") as graph:
            t = graph.add_input(x.shape, "float64")
            y = CASES[name](ops.transpose(t, TURN), t)
            graph.outputs = [y, *gradients(ops.sum(ops.multiply(y, y)), [t])]
        return simplify(graph)

    moved = verify(move_transposes(traced()), "transposes")
    for got, want in zip(ReferenceProgram(moved).run([x]), ReferenceProgram(traced()).run([x]), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
