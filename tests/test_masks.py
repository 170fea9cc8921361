"""Masks that flow from layer to layer, on arrays, symbolic tensors and in steps; the expected masks are Keras'."""

import numpy as np
import pytest

import brisknet as bk
from brisknet import layers, ops
from brisknet.layers.masks import get_mask

X = np.array([[[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]], [[0.0, 0.0], [4.0, 1.0], [0.0, 0.0]]], np.float32)
KEPT = np.array([[True, False, True], [False, True, False]])


class Sums(layers.Layer):
    """The sum over the kept steps."""

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.sum(inputs, axis=1)
        return ops.sum(ops.where(ops.expand_dims(mask, -1), inputs, 0.0), axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])

    def compute_mask(self, inputs, mask=None):
        return None


def test_masking_on_arrays_masks_and_zeroes():
    y = layers.Masking(3.0)(np.array([[[3.0, 3.0], [1.0, 3.0]]], np.float32))
    assert y.tolist() == [[[0.0, 0.0], [1.0, 3.0]]]
    assert get_mask(y).tolist() == [[False, True]]


def test_a_mask_ends_with_its_array():
    from brisknet.layers import masks

    before = len(masks._of_arrays)
    y = layers.Masking()(X)
    assert len(masks._of_arrays) == before + 1
    del y
    assert len(masks._of_arrays) == before


@pytest.mark.parametrize("layer", [
    layers.Dense(4), layers.Activation("tanh"), layers.ReLU(), layers.PReLU(), layers.Dropout(0.5),
    layers.LayerNormalization(), layers.BatchNormalization(), layers.Identity(), layers.Rescaling(2.0),
    layers.UnitNormalization(), layers.GaussianNoise(0.1),
])  # fmt: skip
def test_layers_hand_masks_on(layer):
    assert get_mask(layer(layers.Masking()(X))).tolist() == KEPT.tolist()


def test_a_layer_without_masks_says_that_it_ends_the_mask():
    with pytest.warns(UserWarning, match="'flat'.*does not hand masks on"):
        out = layers.Flatten(name="flat")(layers.Masking()(X))
    assert get_mask(out) is None


def test_merging_layers():
    a = layers.Masking()(X)
    b = layers.Masking()(X[::-1].copy())
    both = (KEPT | KEPT[::-1]).tolist()
    assert get_mask(layers.Add()([a, b])).tolist() == both
    assert get_mask(layers.Add()([a, X])) is None
    assert get_mask(layers.Concatenate(axis=1)([a, b])).tolist() == np.concatenate([KEPT, KEPT[::-1]], 1).tolist()
    assert get_mask(layers.Concatenate()([a, X])).tolist() == np.ones((2, 3), bool).tolist()
    assert get_mask(layers.Dot(axes=2)([a, b])) is None
    largest = layers.Maximum()([layers.Masking()(-X), layers.Masking()(-X[::-1].copy())])
    assert get_mask(largest).tolist() == both
    # A masked place takes no part: of row 0, step 0 only the first input counts.
    assert largest[0].tolist() == [[-1.0, -2.0], [-4.0, -1.0], [-3.0, 0.0]]


def test_open_sizes_of_batch_and_steps(backend):
    """Sequences of any length through layers that put masks and sequences together."""
    i, j = bk.Input((None,), dtype="int32"), bk.Input((None,), dtype="int32")
    table = layers.Embedding(5, 2, mask_zero=True)
    a, b = table(i), table(j)
    both = bk.Model([i, j], Sums()(layers.Concatenate()([a, b])))
    flat = bk.Model(i, ops.squeeze(ops.expand_dims(ops.expand_dims(a, -1), 1), 1))
    ids, other = np.array([[1, 0, 3], [2, 0, 0]], np.int32), np.array([[4, 0, 0], [0, 2, 0]], np.int32)
    rows = np.asarray(table.embeddings.numpy())
    joined = np.concatenate([rows[ids], rows[other]], -1)
    kept = (ids != 0) | (other != 0)
    np.testing.assert_allclose(both.predict([ids, other], verbose=0), (joined * kept[..., None]).sum(1), rtol=1e-6)
    np.testing.assert_allclose(flat.predict(ids, verbose=0), rows[ids][..., None], rtol=1e-6)
    assert flat.output_shape == (None, None, 2, 1)


def test_a_wrong_mask_of_a_merging_layer():
    with pytest.raises(ValueError, match="mask must be a list"):
        layers.Add().compute_mask([X, X], KEPT)


def test_symbolic_tensors_carry_masks():
    i = bk.Input((3, 2))
    x = layers.Dense(4)(layers.Masking()(i))
    assert x._keras_mask.shape == (None, 3) and x._keras_mask.dtype == "bool"
    assert layers.Dense(4)(i)._keras_mask is None
    assert ops.add(x, 1.0)._keras_mask is None


@pytest.mark.parametrize("nested", [False, True])
def test_in_a_model(backend, nested):
    i = bk.Input((3, 2))
    if nested:
        part = bk.Sequential([bk.Input((3, 2)), layers.Masking(), layers.Identity()])
        model = bk.Model(i, Sums()(part(i)))
    else:
        model = bk.Sequential([i, layers.Masking(), layers.Identity(), Sums()])
    expected = (X * KEPT[..., None]).sum(1)
    assert np.allclose(model.predict(X, verbose=0), expected)
    assert np.allclose(model(X), expected)
    copy = bk.models.clone_model(model) if not nested else model
    assert np.allclose(copy.predict(X, verbose=0), expected)


def test_an_explicit_mask(backend):
    i, m = bk.Input((3, 2)), bk.Input((3,), dtype="bool")
    model = bk.Model([i, m], Sums()(i, mask=m))
    other = ~KEPT
    assert np.allclose(model.predict([X, other], verbose=0), (X * other[..., None]).sum(1))
    assert np.allclose(Sums()(X, mask=KEPT), (X * KEPT[..., None]).sum(1))


def test_a_loss_leaves_masked_steps_out(backend):
    model = bk.Sequential([bk.Input((3, 2)), layers.Masking(), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    y = np.full((2, 3, 1), 1.0, np.float32)
    loss, mae = model.evaluate(X, y, verbose=0)
    errors = np.abs(X.sum(-1) - 1.0)[KEPT]
    assert np.allclose(loss, (errors**2).mean(), rtol=1e-6)
    assert np.allclose(mae, errors.mean(), rtol=1e-6)


def test_any_and_all(backend):
    x = np.array([[0, 0], [0, 2]], np.int32)
    assert ops.any(x, axis=1).tolist() == [False, True] and ops.all(x, axis=1).tolist() == [False, False]
    assert bool(ops.any(x)) and not bool(ops.all(x))
    assert ops.ones_like(X, dtype="bool").all() and ops.zeros_like(x).dtype == np.int32
