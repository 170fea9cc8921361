"""Random image layers inside models, functions of convolution and pooling, open sizes, whole numbers as pixels."""

import warnings

import numpy as np
import pytest

from brisknet import config, ops, utils
from brisknet import layers as L
from brisknet.models import Model, Sequential, model_from_json

X = np.random.default_rng(0).uniform(0, 255, (6, 9, 8, 3)).astype("float32")


def augmenting(data_format="channels_last"):
    form = {"data_format": data_format}
    return Sequential([
        L.Input((9, 8, 3) if data_format == "channels_last" else (3, 9, 8)), L.RandomFlip(**form),
        L.RandomTranslation(0.2, 0.3, **form), L.RandomRotation(0.1, fill_mode="wrap", **form),
        L.RandomZoom((-0.3, 0.2), fill_mode="nearest", interpolation="nearest", **form),
        L.RandomContrast((0.2, 0.3), **form), L.RandomBrightness(0.1, **form), L.RandomCrop(7, 6, **form),
        L.Resizing(5, 4, **form), L.CenterCrop(4, 4, **form), L.Flatten(), L.Dense(1, kernel_initializer="ones"),
    ])  # fmt: skip


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_augmentation_runs_in_the_step_and_draws_the_same_on_both_executors(data_format):
    x = X / 255 if data_format == "channels_last" else (X / 255).transpose(0, 3, 1, 2)
    results = []
    before = config.backend()
    for backend in ("numpy", *(("native",) if config.native_available() else ())):
        config.set_backend(backend)
        utils.set_random_seed(3)
        model = augmenting(data_format)
        model.compile("sgd", "mse")
        model.optimizer.learning_rate = 1e-4
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a step that left the kernels would warn
            losses = model.fit(x, np.arange(6.0)[:, None], epochs=3, batch_size=4, verbose=0).history["loss"]
        results.append((losses, model.predict(x, verbose=0)))
    config.set_backend(before)
    assert len({round(v, 6) for v in results[0][0]}) == 3
    for losses, predicted in results[1:]:
        np.testing.assert_allclose(losses, results[0][0], rtol=2e-5)
        np.testing.assert_allclose(predicted, results[0][1], rtol=2e-5)


@pytest.mark.skipif(not config.native_available(), reason="threads are of the kernels")
def test_same_bits_for_any_number_of_threads():
    found = []
    for threads in (1, 2, 3):
        config.set_num_threads(threads)
        try:
            utils.set_random_seed(3)
            model = augmenting()
            model.compile("sgd", "mse")
            model.optimizer.learning_rate = 1e-4
            model.fit(np.tile(X / 255, (11, 1, 1, 1)), np.zeros((66, 1)), epochs=2, verbose=0)
            found.append(np.concatenate([w.ravel() for w in model.get_weights()]))
        finally:
            config.set_num_threads(0)
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])


RANDOM = {
    "flip": lambda **k: L.RandomFlip(**k),
    "translation": lambda **k: L.RandomTranslation(0.3, 0.3, **k),
    "rotation": lambda **k: L.RandomRotation(0.2, **k),
    "zoom": lambda **k: L.RandomZoom(0.3, **k),
    "contrast": lambda **k: L.RandomContrast((0.5, 0.5), **k),
    "brightness": lambda **k: L.RandomBrightness(0.5, **k),
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_layers_act_in_training_only_and_repeat_by_their_seed(backend, name):
    x = np.tile(X[:1], (8, 1, 1, 1))
    one, again, other = RANDOM[name](seed=5), RANDOM[name](seed=5), RANDOM[name](seed=6)
    np.testing.assert_array_equal(one(x, training=False), x)
    first = np.asarray(one(x, training=True))
    np.testing.assert_array_equal(first, again(x, training=True))
    assert not np.array_equal(first, other(x, training=True)) and not np.array_equal(first, one(x, training=True))
    assert any(not np.array_equal(first[0], y) for y in first[1:]), "every image has a draw of its own"
    np.testing.assert_array_equal(np.asarray(one(x[0], training=False)), x[0])
    assert np.asarray(one(x[0], training=True)).shape == x[0].shape
    model = Sequential([L.Input((9, 8, 3)), RANDOM[name]()])
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)


def test_half_of_the_images_are_flipped():
    x = np.arange(12.0, dtype="float32").reshape(1, 3, 4, 1)
    y = np.asarray(L.RandomFlip("horizontal", seed=1)(np.tile(x, (400, 1, 1, 1)), training=True))
    flipped = [np.array_equal(image, x[0, :, ::-1]) for image in y]
    assert all(f or np.array_equal(image, x[0]) for f, image in zip(flipped, y, strict=True))
    assert 160 < sum(flipped) < 240


def test_every_crop_is_drawn():
    x = np.tile(np.arange(30.0, dtype="float32").reshape(1, 5, 6, 1), (2, 1, 1, 1))
    layer, corners = L.RandomCrop(3, 4, seed=2), set()
    for _ in range(120):
        y = np.asarray(layer(x, training=True))
        top, left = divmod(int(y[0, 0, 0, 0]), 6)
        np.testing.assert_array_equal(y, x[:, top : top + 3, left : left + 4])
        corners.add((top, left))
    assert corners == {(i, j) for i in range(3) for j in range(3)}


def test_whole_numbers_are_pixels_too(backend):
    x = (X[:2]).astype("uint8")
    model = Sequential([
        L.Input((9, 8, 3), dtype="uint8"), L.Resizing(6, 6), L.RandomFlip(), L.Rescaling(1 / 255), L.Conv2D(2, 3),
        L.MaxPooling2D(), L.GlobalAveragePooling2D(), L.Dense(1),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(x, np.ones((2, 1)), verbose=0).history["loss"][0])
    np.testing.assert_allclose(model.predict(x, verbose=0), model.predict(x.astype("float32"), verbose=0), rtol=1e-6)


def test_images_of_any_size(backend):
    inputs = L.Input((None, None, 2))
    x = L.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    x = L.MaxPooling2D(2)(x)
    x = L.UpSampling2D(2, interpolation="bilinear")(L.Conv2DTranspose(3, 3, strides=2, padding="same")(x))
    assert x.shape == (None, None, None, 3)
    model = Model(inputs, L.GlobalMaxPooling2D()(x))
    for size in ((6, 5), (9, 12)):
        assert model.predict(np.ones((2, *size, 2), "float32"), verbose=0).shape == (2, 3)
    with pytest.raises(ValueError, match="window of 2 does not fit into spatial axis 1 of size 1"):
        model.predict(np.ones((2, 6, 1, 2), "float32"), verbose=0)


def test_functions_are_layers_on_symbolic_tensors(backend):
    kernel = np.random.default_rng(1).normal(size=(3, 3, 2, 4)).astype("float32")
    depthwise = np.random.default_rng(2).normal(size=(2, 2, 4, 1)).astype("float32")
    pointwise = np.random.default_rng(3).normal(size=(1, 1, 4, 3)).astype("float32")
    back = np.random.default_rng(4).normal(size=(2, 2, 2, 3)).astype("float32")
    inputs = L.Input((7, 8, 2))

    def net(x):
        x = ops.conv(x, kernel, strides=1, padding="same")
        x = ops.max_pool(x, 2, padding="same")
        x = ops.separable_conv(x, depthwise, pointwise)
        x = ops.conv_transpose(x, back, strides=2)
        return ops.average_pool(x, (2, 1))

    symbolic = net(inputs)
    assert symbolic.shape == (None, 3, 6, 2)
    model = Model(inputs, symbolic)
    x = np.random.default_rng(5).normal(size=(3, 7, 8, 2)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), net(x), rtol=1e-5, atol=1e-5)
    again = model_from_json(model.to_json())
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_data_formats_of_functions_agree():
    x = np.random.default_rng(6).normal(size=(2, 6, 5, 3))
    kernel = np.random.default_rng(7).normal(size=(3, 2, 3, 4))
    first = x.transpose(0, 3, 1, 2)
    y = ops.conv(x, kernel, (2, 1), "same")
    np.testing.assert_array_equal(ops.conv(first, kernel, (2, 1), "same", "channels_first").transpose(0, 2, 3, 1), y)
    before = config.image_data_format()
    config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(ops.conv(first, kernel, (2, 1), "same").transpose(0, 2, 3, 1), y)
        assert L.Conv2D(2, 3).data_format == "channels_first"
    finally:
        config.set_image_data_format(before)
    np.testing.assert_array_equal(
        ops.image.resize(first, (4, 9), data_format="channels_first").transpose(0, 2, 3, 1), ops.image.resize(x, (4, 9))
    )
    shift = np.array([1, 0, 1.0, 0, 1, 0, 0, 0])
    np.testing.assert_allclose(ops.image.affine_transform(x, shift)[:, :, :-1], x[:, :, 1:])
    np.testing.assert_allclose(ops.image.affine_transform(x[0], shift, fill_value=7.0)[:, -1], 7.0)


def test_a_layer_that_changes_its_kernel():
    class Standardized(L.Conv2D):
        def convolution_op(self, inputs, kernel):
            mean = ops.mean(kernel, axis=(0, 1, 2), keepdims=True)
            return super().convolution_op(inputs, kernel - mean)

    layer = Standardized(4, 3, activation="relu", bias_initializer="ones")
    y = layer(np.ones((1, 5, 5, 2), "float32"))
    np.testing.assert_allclose(y, np.ones((1, 3, 3, 4)), rtol=1e-5)
