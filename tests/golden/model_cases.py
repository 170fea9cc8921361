"""Ten whole models as golden cases: `make(k)` gives the compiled model with `k` = keras or brisknet.

Each is trained for 100 steps on fixed batches (the last one is smaller) from weights stored in the golden file.
"""

EPOCHS, BATCH = 25, 12  # 42 rows: batches of 12, 12, 12 and 6

# name -> (make, names of the inputs, names of the targets, name of the sample weights or None)
MODELS = {}


def model(xs, ys, weights=None):
    def add(make):
        MODELS[make.__name__] = (make, xs, ys, weights)
        return make

    return add


def dense(k, *args, **kwargs):
    return k.layers.Dense(*args, **kwargs)


@model(["x"], ["real"], "weight")
def regression_mse_adam(k):
    m = k.Sequential([k.Input((6,)), dense(k, 12, "relu"), dense(k, 8, activation="tanh"), dense(k, 2)])
    m.compile("adam", "mse", metrics=["mae"], weighted_metrics=["mse"])
    return m


@model(["x"], ["binary"])
def binary_bce_momentum(k):
    m = k.Sequential([k.Input((6,)), dense(k, 10, "sigmoid"), dense(k, 1, activation="sigmoid")])
    m.compile(k.optimizers.SGD(0.3, momentum=0.9), "binary_crossentropy", metrics=["accuracy", "bce"])
    return m


@model(["x"], ["onehot"])
def softmax_smoothing_rmsprop(k):
    m = k.Sequential([k.Input((6,)), dense(k, 9, "gelu"), dense(k, 4), k.layers.Softmax()])
    loss = k.losses.CategoricalCrossentropy(label_smoothing=0.1)
    m.compile(k.optimizers.RMSprop(0.01), loss, metrics=["accuracy", k.metrics.CategoricalCrossentropy()])
    return m


@model(["x"], ["label"])
def sparse_logits_nesterov(k):
    m = k.Sequential([k.Input((6,)), dense(k, 11, "relu", kernel_initializer="he_normal"), dense(k, 4)])
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    m.compile(k.optimizers.SGD(0.05, momentum=0.9, nesterov=True), loss, metrics=["accuracy"])
    return m


@model(["x"], ["label"])
def batch_norm_adam(k):
    # No bias before a normalisation: its true gradient is 0, and Adam would turn rounding noise into whole steps.
    m = k.Sequential([
        k.Input((6,)), dense(k, 8, use_bias=False), k.layers.BatchNormalization(momentum=0.9),
        k.layers.Activation("relu"), dense(k, 8, use_bias=False), k.layers.BatchNormalization(scale=False),
        k.layers.Activation("tanh"), dense(k, 4, "softmax"),
    ])  # fmt: skip
    m.compile(k.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["acc"])
    return m


@model(["x"], ["real"])
def residual_add(k):
    x = k.Input((6,))
    h = dense(k, 7, "tanh")(x)
    for _ in range(3):
        inner = dense(k, 7, "elu")(h)
        h = k.layers.Add()([h, dense(k, 7)(inner)])
    m = k.Model(x, dense(k, 2)(h))
    m.compile(k.optimizers.Adam(0.005, global_clipnorm=1.0), k.losses.Huber(0.5), metrics=["mse"])
    return m


@model(["x", "side"], ["binary", "label"])
def two_in_two_out(k):
    a, b = k.Input((6,), name="a"), k.Input((3, 2), name="b")
    side = k.layers.Flatten()(dense(k, 3, "relu")(b))
    h = dense(k, 8, "tanh")(k.layers.Concatenate()([dense(k, 5, "relu")(a), side]))
    left = dense(k, 1, "sigmoid", name="left")(h)
    right = dense(k, 4, "softmax", name="right")(h)
    m = k.Model([a, b], [left, right])
    m.compile(
        k.optimizers.SGD(0.1), ["binary_crossentropy", "sparse_categorical_crossentropy"], loss_weights=[0.7, 1.3],
        metrics=[["accuracy"], ["accuracy"]],
    )  # fmt: skip
    return m


@model(["x"], ["real"])
def elastic_decay(k):
    m = k.Sequential([
        k.Input((6,)),
        dense(k, 9, "sigmoid", kernel_regularizer=k.regularizers.L1L2(1e-3, 2e-3), bias_regularizer="l2"),
        dense(k, 6, "tanh", kernel_regularizer=k.regularizers.l1(1e-3), activity_regularizer=k.regularizers.L2(0.01)),
        dense(k, 2, kernel_regularizer=k.regularizers.L2(0.05)),
    ])  # fmt: skip
    m.compile(k.optimizers.SGD(0.05, momentum=0.5, weight_decay=0.01), "mean_absolute_error")
    return m


@model(["x"], ["onehot"])
def leaky_adagrad(k):
    m = k.Sequential([
        k.Input((6,)), dense(k, 8), k.layers.PReLU(alpha_initializer=k.initializers.Constant(0.25)), dense(k, 8),
        k.layers.ELU(0.7), dense(k, 8), k.layers.LeakyReLU(), dense(k, 8, "leaky_relu"), k.layers.Reshape((2, 4)),
        k.layers.ReLU(max_value=3.0, negative_slope=0.05, threshold=0.1), k.layers.Flatten(), dense(k, 4, "softmax"),
    ])  # fmt: skip
    m.compile(k.optimizers.Adagrad(0.05), "categorical_crossentropy", metrics=["accuracy"])
    return m


@model(["x"], ["sign"])
def hinge_adadelta(k):
    m = k.Sequential([k.Input((6,)), dense(k, 10, "tanh"), dense(k, 1, "tanh")])
    m.compile(k.optimizers.Adadelta(1.0, clipnorm=0.5), "hinge", metrics=["squared_hinge"])
    return m


# ---- the order of layers, which is the order of weights: name -> model -------------------------------------------------
def late_input(k):
    """The second input joins near the end, so its layers have a small depth."""
    a, b = k.Input((3,), name="a"), k.Input((2,), name="b")
    h = dense(k, 4, name="h1")(a)
    for i in (2, 3):
        h = dense(k, 4, name=f"h{i}")(h)
    side = dense(k, 4, name="side")(b)
    return k.Model([a, b], dense(k, 1, name="out")(k.layers.Add(name="join")([h, side])))


def late_input_first(k):
    """The same with the inputs of the join, and of the model, the other way round."""
    a, b = k.Input((3,), name="a"), k.Input((2,), name="b")
    h = dense(k, 4, name="h2")(dense(k, 4, name="h1")(a))
    side = dense(k, 4, name="side")(b)
    return k.Model([b, a], dense(k, 1, name="out")(k.layers.Concatenate(name="join")([side, h])))


def shared(k):
    """One layer called at two depths."""
    x, twice = k.Input((4,), name="x"), dense(k, 4, name="twice")
    first = twice(x)
    deep = twice(dense(k, 4, name="between")(first))
    return k.Model(x, k.layers.Add(name="join")([deep, dense(k, 4, name="short")(x)]))


def two_outputs(k):
    """Branches of different length to two outputs."""
    x = k.Input((4,), name="x")
    h = dense(k, 5, name="trunk")(x)
    left = dense(k, 1, name="left")(h)
    right = dense(k, 2, name="right")(dense(k, 6, name="right_hidden")(h))
    return k.Model(x, [left, right])


def nested(k):
    """A model inside a model."""
    i = k.Input((4,), name="i")
    inner = k.Model(i, dense(k, 4, name="inner_dense")(i), name="inner")
    x = k.Input((4,), name="x")
    return k.Model(x, dense(k, 2, name="out")(k.layers.Add(name="join")([x, inner(x)])))


def unused_input(k):
    """An input that no output depends on."""
    a, b = k.Input((3,), name="a"), k.Input((2,), name="b")
    return k.Model([a, b], dense(k, 1, name="out")(dense(k, 2, name="h")(a)))


def diamond(k):
    """Two ways of one length, the second written first."""
    x = k.Input((3,), name="x")
    right = dense(k, 3, name="right")(x)
    left = dense(k, 3, name="left")(x)
    return k.Model(x, k.layers.Add(name="join")([left, right]))


GRAPHS = {f.__name__: f for f in (late_input, late_input_first, shared, two_outputs, nested, unused_input, diamond)}


# ---- saturated outputs: probabilities that float32 rounds to 0 and 1; Keras on TensorFlow goes by the logits ---------------
def _saturated(k, units, activation, loss, metric):
    m = k.Sequential([k.Input((5,)), dense(k, units, activation=activation)])
    m.compile(k.optimizers.SGD(0.01), loss, metrics=[metric])
    return m


# name -> (make, name of the targets)
SATURATED = {
    "sigmoid_bce": (lambda k: _saturated(k, 2, "sigmoid", "binary_crossentropy", "bce"), "pair"),
    "softmax_cce": (lambda k: _saturated(k, 3, "softmax", "categorical_crossentropy", "accuracy"), "onehot"),
    "softmax_smooth": (
        lambda k: _saturated(k, 3, "softmax", k.losses.CategoricalCrossentropy(label_smoothing=0.2), "accuracy"), "onehot"
    ),
    "softmax_scce": (
        lambda k: _saturated(k, 3, "softmax", "sparse_categorical_crossentropy", "sparse_categorical_crossentropy"), "label"
    ),
}  # fmt: skip
SATURATED_STEPS = 5
