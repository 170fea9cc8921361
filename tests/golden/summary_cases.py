"""Models and options whose summaries are compared with Keras' text, built with either library."""

# (terminal's columns, options): what fits into Keras' columns, where Keras itself cuts nothing off
OPTIONS = [
    (200, {}), (80, {}), (200, {"expand_nested": True}), (100, {"line_length": 70}),
    (200, {"line_length": 100, "positions": [0.5, 0.7, 1.0]}), (200, {"layer_range": ["hidden", "drop"]}),
    (200, {"show_trainable": True}),
]  # fmt: skip


def models(layers, Model, Sequential):
    """{name: model}, the same in both libraries."""
    stack = Sequential([
        layers.Input((10,)), layers.Dense(64, activation="relu", name="hidden"), layers.Dropout(0.2, name="drop"),
        layers.BatchNormalization(name="norm"), layers.Dense(1, name="out"),
    ], name="stack")  # fmt: skip
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(5, name="shared")
    h, k = shared(a), shared(b)
    x = layers.Input((5,), name="x")
    inner = Model(x, layers.Dense(3, name="p")(x), name="inner")
    inner.trainable = False
    joined = layers.Concatenate(name="cat")([inner(h), k])
    outputs = [layers.Dense(1, name="left")(joined), layers.Dense(2, name="right")(h)]
    nested = Sequential(
        [layers.Input((7,)), layers.Dense(1234, name="big"), layers.Dense(2, name="small")], name="nested"
    )  # fmt: skip
    y = layers.Input((3,), name="y")
    return {
        "stack": stack,
        "branches": Model([a, b], outputs, name="branches"),
        "outer": Sequential([layers.Input((5,)), layers.Dense(7, name="first"), nested], name="outer"),
        "chain": Model(y, layers.Dense(2, name="c2")(layers.Dense(3, name="c1")(y)), name="chain"),
    }


def cases():
    """(name of the model, columns, options) of each comparison."""
    for columns, options in OPTIONS:
        for name in ("stack", "branches", "outer", "chain"):
            if "layer_range" in options and name != "stack":
                continue
            # Left out: Keras cuts the head "Trainable" off in a table without connections, leaves rows of a nested functional
            # model without theirs, and folds long connections in other places.
            unlike = {"positions", "expand_nested", "line_length"} if name == "branches" else {"show_trainable"}
            folded = name == "branches" and columns < 200
            if not unlike & set(options) and not folded and (name != "chain" or not options):
                yield name, columns, options
