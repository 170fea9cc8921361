"""Models whose files real Keras has written: `make(k)` gives the built model with `k` = keras or brisknet."""

MODELS = {}
ROWS, FEATURES = 4, 5


def model(make):
    MODELS[make.__name__] = make
    return make


@model
def stack(k):
    layers = k.layers
    inner = k.Sequential([layers.Dense(4, "tanh"), layers.BatchNormalization()], name="inner")
    m = k.Sequential(
        [k.Input((FEATURES,)), layers.Dense(6, activation="relu"), layers.Dropout(0.25), inner, layers.Dense(2)],
        name="stack",
    )
    m.compile("adam", "mse")
    m.train_on_batch(_x(k), _x(k)[:, :2])  # so that the optimizer has a state
    return m


@model
def shared(k):
    layers = k.layers
    a, b = k.Input((FEATURES,), name="a"), k.Input((FEATURES,), name="b")
    one = layers.Dense(3, activation="sigmoid", use_bias=False)
    both = layers.Concatenate()([one(a), one(b)])
    mixed = layers.Add()([both, layers.Dense(6, kernel_regularizer=k.regularizers.L2(0.1))(both)])
    return k.Model({"first": a, "second": b}, {"p": layers.Dense(1)(mixed), "q": layers.LeakyReLU()(mixed)}, name="shared")


@model
def nested(k):
    layers = k.layers
    a = k.Input((FEATURES,))
    tower = k.Sequential([layers.Dense(3), layers.Activation("relu")], name="tower")
    middle = k.Model(a, tower(layers.Dense(FEATURES, kernel_initializer="he_normal")(a)), name="middle")
    outer = k.Input((FEATURES,))
    return k.Model(outer, layers.Dense(2)(middle(layers.Dense(FEATURES)(outer))), name="outer")


@model
def written(k):
    layers = k.layers

    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(4, name="inside")

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(1,), initializer="ones", name="scale")
            super().build(input_shape)

        def call(self, x):
            return self.dense(x) * self.scale

    class Written(k.Model):
        def __init__(self):
            super().__init__(name="written")
            self.first = Block()
            self.more = [layers.Dense(3), Block(), [layers.Dense(4)]]
            self.heads = {"x": layers.Dense(4), "y": layers.BatchNormalization()}

        def call(self, x):
            x = self.more[2][0](self.more[1](self.more[0](self.first(x))))
            return self.heads["y"](self.heads["x"](x))

    m = Written()
    m(_x(k))
    return m


def _x(k):
    import numpy as np

    return np.random.default_rng(3).normal(size=(ROWS, FEATURES)).astype("float32")


def inputs(name, k):
    """What the model is called on."""
    x = _x(k)
    return {"first": x, "second": x[::-1].copy()} if name == "shared" else x
