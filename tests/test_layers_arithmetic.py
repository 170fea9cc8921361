"""Layers of arithmetic in training: noise, penalties, spectral normalisation, Lambda, wrappers, weights; on both executors."""

import copy
import gc
import json

import numpy as np
import pytest

import brisknet as bn
from brisknet import Input, Model, Sequential, initializers, layers, ops, regularizers
from brisknet.layers.layer import calling
from brisknet.saving import register_serializable


def rows(n=16, d=4, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype("float32")


def compiled(*stack, loss="mse", shape=(4,), optimizer="sgd"):
    model = Sequential([Input(shape), *stack])
    model.compile(optimizer, loss)
    return model


# ---- noise ----------------------------------------------------------------------------------------------------------
NOISE = {
    "noise": (lambda: layers.GaussianNoise(0.5, seed=3), 0.0, 0.25),
    "gaussian_dropout": (lambda: layers.GaussianDropout(0.2, seed=3), 0.0, 0.25),
    "alpha_dropout": (lambda: layers.AlphaDropout(0.25, seed=3), None, None),
    "dropout": (lambda: layers.Dropout(0.2, seed=3), 0.0, 0.25),
}


@pytest.mark.parametrize("name", NOISE)
def test_moments_of_noise(name):
    make, mean, var = NOISE[name]
    x = np.ones((400, 50), "float32") if mean is not None else rows(400, 50)
    y = np.asarray(make()(x, training=True))
    assert not np.array_equal(y, x)
    if mean is None:  # keeps mean and variance of standard normal inputs
        assert abs(y.mean()) < 0.02 and abs(y.var() - 1) < 0.03
    else:
        assert abs((y - x).mean() - mean) < 0.02 and abs((y - x).var() - var) < 0.01
    assert np.array_equal(make()(x, training=False), x)


@pytest.mark.parametrize("name", NOISE)
def test_seeds_make_noise_repeatable_and_steps_differ(name):
    x, make = rows(), NOISE[name][0]
    one, two = make(), make()
    first = one(x, training=True)
    assert np.array_equal(first, two(x, training=True))
    assert not np.array_equal(first, one(x, training=True))


@pytest.mark.parametrize("name", NOISE)
def test_noise_trains_alike_on_both_executors(name):
    losses = []
    for backend in ("numpy", "native") if bn.config.native_available() else ("numpy",):
        bn.config.set_backend(backend)
        try:
            bn.utils.set_random_seed(1)
            model = compiled(layers.Dense(8, "tanh"), NOISE[name][0](), layers.Dense(1))
            losses.append(model.fit(rows(), rows(16, 1, 1), epochs=3, batch_size=8, verbose=0).history["loss"])
        finally:
            bn.config.set_backend("native" if bn.config.native_available() else "numpy")
    np.testing.assert_allclose(losses[0], losses[-1], rtol=1e-5)


def test_two_calls_of_one_layer_draw_apart():
    drop = layers.Dropout(0.5, seed=1)
    x = Input((32,))
    model = Model(x, layers.Dense(32, kernel_initializer="identity")(layers.Subtract()([drop(x), drop(x)])))
    model.compile("sgd", "mae")
    loss = model.train_on_batch(np.ones((8, 32), "float32"), np.zeros((8, 32), "float32"))
    assert float(np.ravel(loss)[0]) > 0.1


@pytest.mark.parametrize("make", [layers.Dropout, layers.AlphaDropout])
def test_noise_shape_shares_draws(make):
    y = np.asarray(make(0.5, noise_shape=(None, 1), seed=0)(np.ones((64, 6), "float32"), training=True))
    assert (y == y[:, :1]).all() and len(np.unique(y)) == 2


# ---- penalties ------------------------------------------------------------------------------------------------------
def test_any_callable_is_a_regularizer(backend):
    def cubic(w):
        return 0.1 * ops.sum(ops.abs(w) * ops.square(w))

    model = compiled(layers.Dense(1, kernel_regularizer=cubic, kernel_initializer="ones"))
    value = model.evaluate(rows(), model.predict(rows(), verbose=0), verbose=0)
    assert value == pytest.approx(0.4, rel=1e-5)
    model.fit(rows(), model.predict(rows(), verbose=0), epochs=20, verbose=0)
    assert np.abs(model.layers[0].kernel.numpy()).max() < 0.97


def test_activity_penalty_enters_the_loss(backend):
    model = compiled(layers.ActivityRegularization(l2=0.5), layers.Dense(1, kernel_initializer="zeros"))
    x = rows()
    assert model.evaluate(x, np.zeros((16, 1), "float32"), batch_size=16, verbose=0) == pytest.approx(
        0.5 * np.square(x).sum() / 16, rel=1e-5
    )


def test_orthogonal_regularizer_makes_rows_orthogonal(backend):
    layer = layers.Dense(6, kernel_regularizer=regularizers.OrthogonalRegularizer(1.0), use_bias=False)
    model = compiled(layer, optimizer=bn.optimizers.SGD(0.05))

    def largest():
        k = layer.kernel.numpy()
        k = k / np.linalg.norm(k, axis=1, keepdims=True)
        return np.abs(k @ k.T - np.eye(4)).max()

    before = largest()
    x = np.zeros((8, 4), "float32")
    model.fit(x, np.zeros((8, 6), "float32"), epochs=60, verbose=0)
    assert largest() < 0.5 * before


# ---- spectral normalisation -----------------------------------------------------------------------------------------
def test_spectral_normalization_bounds_the_kernel(backend):
    wrapped = layers.SpectralNormalization(layers.Dense(5, kernel_initializer="random_normal"), power_iterations=30)
    model = compiled(wrapped, layers.Dense(1), optimizer=bn.optimizers.SGD(0.0))
    kernel, u = wrapped.layer.kernel.numpy(), wrapped.vector_u.numpy()
    model.train_on_batch(rows(), rows(16, 1))
    after = wrapped.layer.kernel.numpy()
    assert np.linalg.norm(after, 2) == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(after, kernel / np.linalg.norm(kernel, 2), rtol=2e-4, atol=1e-6)
    assert not np.array_equal(u, wrapped.vector_u.numpy())
    model.predict(rows(), verbose=0)
    assert np.array_equal(after, wrapped.layer.kernel.numpy())
    assert [w.path.split("/")[-1] for w in wrapped.weights] == ["kernel", "vector_u", "bias"]


def test_spectral_update_starts_from_the_divided_kernel(backend):
    """One step of SGD by hand: the gradient is that of the divided kernel, and so is where the update starts from."""
    wrapped = layers.SpectralNormalization(layers.Dense(3, use_bias=False), power_iterations=3)
    model = compiled(wrapped, optimizer=bn.optimizers.SGD(0.5))
    x, y = rows(), rows(16, 3, 2)
    w, u = (v.numpy().astype("float64") for v in (wrapped.layer.kernel, wrapped.vector_u))
    for _ in range(3):
        v = u @ w.T
        v /= np.linalg.norm(v)
        u = v @ w
        u /= np.linalg.norm(u)
    w /= v @ w @ u.T
    model.train_on_batch(x, y)
    np.testing.assert_allclose(wrapped.layer.kernel.numpy(), w - 0.5 * 2 / y.size * x.T @ (x @ w - y), rtol=1e-4, atol=1e-6)


def test_spectral_normalization_leaves_a_kernel_of_zeros():
    wrapped = layers.SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    assert np.array_equal(wrapped(rows(), training=True), np.zeros((16, 3)))


# ---- Lambda ---------------------------------------------------------------------------------------------------------
@register_serializable("arithmetic_tests")
def halved(x, by=2.0):
    return x / by


def test_lambda_trains_copies_and_keeps_its_function(backend):
    scale = 3.0
    model = compiled(layers.Dense(4), layers.Lambda(lambda x: scale * ops.square(x)), layers.Dense(1))
    assert np.isfinite(model.fit(rows(), rows(16, 1), verbose=0).history["loss"][0])
    for copied in (copy.deepcopy(model), bn.models.clone_model(model)):
        copied.set_weights(model.get_weights())
        np.testing.assert_array_equal(copied.predict(rows(), verbose=0), model.predict(rows(), verbose=0))


def test_lambda_by_name_goes_through_json():
    for fn, arguments in ((halved, {"by": 4.0}), (ops.square, {}), (bn.activations.tanh, {})):
        layer = layers.Lambda(fn, arguments=arguments)
        again = layers.Lambda.from_config(json.loads(json.dumps(layer.get_config())))
        assert again.function is fn
        np.testing.assert_array_equal(again(rows()), layer(rows()))


def test_code_from_elsewhere_is_not_loaded_unasked():
    def made():
        return layers.Lambda(lambda x: x + 17.0).get_config()

    config = json.loads(json.dumps(made()))
    gc.collect()  # the function itself is gone
    with pytest.raises(ValueError, match="safe_mode=False"):
        layers.Lambda.from_config(config)
    again = layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_array_equal(again(rows()), rows() + np.float32(17.0))


def test_lambda_shapes_and_arguments():
    x = Input((4,))
    assert layers.Lambda(lambda t: t[:, :2])(x).shape == (None, 2)
    assert layers.Lambda(lambda t: t, output_shape=(4,))(x).shape == (None, 4)
    assert layers.Lambda(lambda t: t, output_shape=lambda s: s)(x).shape == (None, 4)
    seen = layers.Lambda(lambda t, training=False, mask=None: t + (1.0 if training else 0.0))
    assert np.array_equal(seen(rows(), training=True), rows() + 1)
    a, b = Input((4,)), Input((4,))
    assert layers.Lambda(lambda pair: pair[0] + pair[1])([a, b]).shape == (None, 4)


# ---- Layer ----------------------------------------------------------------------------------------------------------
class Scale(layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=input_shape[-1], initializer=lambda shape, dtype=None: np.full(shape, 2.0),
                                      regularizer=lambda w: ops.sum(w), name="factor")  # fmt: skip
        self.count = self.add_weight(initializer="zeros", dtype="float32", trainable=False, name="count")

    def call(self, x, training=True):
        if training:
            self.count.assign(self.count + 1.0)
        return x * self.factor


def test_add_weight_forms():
    layer = Scale()
    layer.build((None, 3))
    assert layer.built and layer.factor.shape == (3,) and layer.factor.dtype == "float32" and layer.count.shape == ()
    assert float(sum(layer.losses)) == 6.0
    assert layer.add_weight((2, 2), "ones", name="more").numpy().sum() == 4
    assert layer.add_weight((2,), initializers.Constant([1.0, 2.0])).numpy().tolist() == [1.0, 2.0]
    assert layer.add_weight((3,), dtype="int32").numpy().tolist() == [0, 0, 0]
    assert layer.count_params() == 3 + 1 + 4 + 2 + 3


def test_build_marks_the_layer_and_is_not_repeated():
    layer = layers.Dense(3)
    layer.build((None, 4))
    layer(rows())
    assert layer.built and len(layer.weights) == 2


def test_default_of_training_in_call():
    layer = Scale()
    layer(rows(3, 3))
    assert layer.count.numpy() == 1  # call() says training=True
    with calling(training=False):
        layer(rows(3, 3))
    layer(rows(3, 3), training=False)
    assert layer.count.numpy() == 1


def test_stateless_call():
    layer = Scale()
    layer(rows(3, 3), training=False)
    y, (count,) = layer.stateless_call([np.full(3, 5.0)], [np.array(7.0)], rows(3, 3), training=True)
    np.testing.assert_allclose(y, rows(3, 3) * 5)
    assert count == 8 and layer.count.numpy() == 0 and layer.factor.numpy().tolist() == [2, 2, 2]
    _, _, losses = layer.stateless_call([np.ones(3)], [np.array(0.0)], rows(3, 3), return_losses=True)
    assert float(losses[0]) == 3.0
    with pytest.raises(ValueError, match="1 trainable_variables expected"):
        layer.stateless_call([], [np.array(0.0)], rows(3, 3))
    with pytest.raises(ValueError, match="must be built"):
        Scale().stateless_call([], [], rows())


def test_build_with_a_shape_for_each_argument():
    class Two(layers.Layer):
        def build(self, query_shape, value_shape):
            self.w = self.add_weight((query_shape[-1], value_shape[-1]), "ones")

        def call(self, query, value):
            return ops.matmul(query, self.w) + value

    layer = Two()
    assert np.asarray(layer(rows(5, 3), rows(5, 2))).shape == (5, 2)
    assert layer.w.shape == (3, 2)


def test_input_spec_is_checked():
    layer = layers.Dense(2)
    layer.input_spec = layers.InputSpec(min_ndim=2, axes={-1: 4})
    layer(rows())
    for bad in (rows(4, 5), np.ones(4)):
        with pytest.raises(ValueError, match="layer 'dense"):
            layer(bad)


def test_wrapper_holds_builds_and_saves_its_layer():
    class Doubled(layers.Wrapper):
        def call(self, inputs):
            return 2.0 * self.layer(inputs)

    layer = Doubled(layers.Dense(3, name="inner"))
    y = layer(rows())
    np.testing.assert_allclose(y, 2 * np.asarray(layer.layer(rows())))
    again = Doubled.from_config(layer.get_config())
    assert again.layer.units == 3 and len(layer.weights) == 2


def test_identity_takes_any_structure():
    x, y = Input((2,)), Input((3,))
    out = layers.Identity()({"a": x, "b": [y]})
    assert out["a"].shape == (None, 2) and out["b"][0].shape == (None, 3)


# ---- initializers ---------------------------------------------------------------------------------------------------
def test_seed_generator_gives_other_values_each_time():
    init = initializers.RandomNormal(seed=bn.random.SeedGenerator(3))
    again = initializers.RandomNormal(seed=bn.random.SeedGenerator(3))
    first, second = init((4,)), init((4,))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again((4,))) and np.array_equal(second, again((4,)))
    same = initializers.RandomNormal(seed=3)
    assert np.array_equal(same((4,)), same((4,)))


def test_functions_are_initializers_and_have_configs():
    layer = layers.Dense(3, kernel_initializer=halves)
    layer.build((None, 2))
    assert (layer.kernel.numpy() == 0.5).all()
    again = layers.Dense.from_config(json.loads(json.dumps(layer.get_config())))
    assert again.kernel_initializer is halves


@register_serializable("arithmetic_tests")
def halves(shape, dtype=None):
    return np.full(shape, 0.5, dtype)


def test_kernel_axes_of_einsum_dense_scale_its_initializer():
    layer = layers.EinsumDense("abc,cde->abde", (None, 40, 50), kernel_initializer=initializers.GlorotUniform(seed=1))
    layer.build((None, 7, 60))
    limit = np.sqrt(6 / (60 + 2000))
    assert 0.99 * limit < np.abs(layer.kernel.numpy()).max() <= limit
