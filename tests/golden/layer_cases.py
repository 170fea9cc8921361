"""Layers as golden cases. `make(k)` builds one with `k` = keras or brisknet, so that both run the same program."""

# name -> (make, input shapes, call arguments)
LAYERS = {}


def inputs_of(name, tensors):
    """What the layer of a case is called on: its only tensor, or the list of them."""
    return list(tensors) if len(tensors) > 1 or name == "add_one" else tensors[0]


def case(name, make, *shapes, **call):
    LAYERS[name] = (make, shapes, call)


for _rank, _shape in ((2, (6, 4)), (3, (3, 5, 4)), (4, (2, 3, 2, 4))):
    case(f"dense_rank{_rank}", lambda k: k.layers.Dense(5), _shape)
    case(f"dense_rank{_rank}_no_bias", lambda k: k.layers.Dense(5, use_bias=False), _shape)
for _name in (
    "linear", "relu", "sigmoid", "tanh", "softmax", "leaky_relu", "elu", "gelu", "softplus", "silu", "exponential",
):  # fmt: skip
    case(f"dense_{_name}", lambda k, a=_name: k.layers.Dense(7, activation=a), (5, 3))
    case(f"dense_{_name}_no_bias", lambda k, a=_name: k.layers.Dense(3, activation=a, use_bias=False), (2, 3, 4))
    case(f"activation_{_name}", lambda k, a=_name: k.layers.Activation(a), (4, 3, 5))
case("dense_wide", lambda k: k.layers.Dense(33, activation="relu"), (17, 19))
case("flatten_rank1", lambda k: k.layers.Flatten(), (4,))
case("flatten_rank2", lambda k: k.layers.Flatten(), (4, 3))
case("flatten_rank4", lambda k: k.layers.Flatten(), (2, 3, 2, 4))
case("flatten_channels_first", lambda k: k.layers.Flatten(data_format="channels_first"), (2, 3, 2, 4))
case("reshape", lambda k: k.layers.Reshape((4, 3)), (5, 12))
case("reshape_open", lambda k: k.layers.Reshape((-1, 2, 3)), (2, 4, 6))
case("reshape_flat", lambda k: k.layers.Reshape((-1,)), (2, 4, 6))
case("relu", lambda k: k.layers.ReLU(), (4, 6))
case("relu_max", lambda k: k.layers.ReLU(max_value=1.0), (4, 6))
case("relu_max6", lambda k: k.layers.ReLU(max_value=6.0), (4, 6))
case("relu_slope", lambda k: k.layers.ReLU(negative_slope=0.1), (4, 6))
case("relu_threshold", lambda k: k.layers.ReLU(threshold=0.5), (4, 6))
case("relu_slope_max", lambda k: k.layers.ReLU(max_value=0.75, negative_slope=0.2), (4, 6))
case("relu_all", lambda k: k.layers.ReLU(max_value=1.25, negative_slope=0.2, threshold=0.4), (6, 8))
case("relu_slope_threshold", lambda k: k.layers.ReLU(negative_slope=0.3, threshold=0.4), (6, 8))
case("leaky_relu", lambda k: k.layers.LeakyReLU(), (4, 6))
case("leaky_relu_slope", lambda k: k.layers.LeakyReLU(negative_slope=0.05), (3, 2, 5))
case("prelu", lambda k: k.layers.PReLU(), (4, 6))
case("prelu_rank3", lambda k: k.layers.PReLU(), (4, 3, 5))
case("prelu_shared", lambda k: k.layers.PReLU(shared_axes=[1]), (4, 3, 5))
case("prelu_shared_two", lambda k: k.layers.PReLU(shared_axes=[1, 2]), (3, 2, 4, 5))
case("elu", lambda k: k.layers.ELU(), (4, 6))
case("elu_alpha", lambda k: k.layers.ELU(alpha=0.4), (4, 6))
case("softmax", lambda k: k.layers.Softmax(), (4, 6))
case("softmax_axis1", lambda k: k.layers.Softmax(axis=1), (4, 3, 5))
case("softmax_axes", lambda k: k.layers.Softmax(axis=(1, 2)), (4, 3, 5))
case("softmax_mask", lambda k: k.layers.Softmax(), (4, 6), mask=True)
for _training in (False, True):
    _tag = "train" if _training else "infer"
    _bn = lambda **args: lambda k: k.layers.BatchNormalization(**args)  # noqa: E731
    case(f"bn_{_tag}", _bn(), (8, 5), training=_training)
    case(f"bn_rank4_{_tag}", _bn(momentum=0.8, epsilon=1e-2), (2, 3, 4, 5), training=_training)
    case(f"bn_axis1_{_tag}", _bn(axis=1), (4, 3, 5), training=_training)
    case(f"bn_no_scale_{_tag}", _bn(scale=False), (8, 5), training=_training)
    case(f"bn_no_center_{_tag}", _bn(center=False), (8, 5), training=_training)
    case(f"bn_neither_{_tag}", _bn(center=False, scale=False), (8, 5), training=_training)
    case(f"bn_frozen_{_tag}", _bn(trainable=False), (8, 5), training=_training)
    case(f"bn_mask_{_tag}", _bn(momentum=0.5), (4, 3, 5), training=_training, mask=True)
case("add", lambda k: k.layers.Add(), (4, 3), (4, 3))
case("add_three", lambda k: k.layers.Add(), (4, 3), (4, 3), (4, 3))
case("add_broadcast", lambda k: k.layers.Add(), (4, 3, 5), (4, 1, 5))
case("add_ranks", lambda k: k.layers.Add(), (4, 3, 5), (4, 5))
case("add_one", lambda k: k.layers.Add(), (4, 3))
case("concatenate", lambda k: k.layers.Concatenate(), (4, 3), (4, 2))
case("concatenate_axis1", lambda k: k.layers.Concatenate(axis=1), (4, 3, 2), (4, 1, 2), (4, 2, 2))
case("dropout_infer", lambda k: k.layers.Dropout(0.5), (4, 6), training=False)

# Layers made only to compare get_config() and from_config(): name -> make
CONFIGS = {
    "dense": lambda k: k.layers.Dense(
        4, "relu", kernel_initializer="he_normal", bias_initializer="ones", kernel_regularizer="l2",
        bias_regularizer=k.regularizers.L1(0.02), activity_regularizer=k.regularizers.L1L2(0.1, 0.2), name="d",
    ),
    "dense_plain": lambda k: k.layers.Dense(4, name="d"),
    "activation": lambda k: k.layers.Activation("tanh", name="a"),
    "dropout": lambda k: k.layers.Dropout(0.25, seed=3, name="a"),
    "flatten": lambda k: k.layers.Flatten(name="a"),
    "reshape": lambda k: k.layers.Reshape((2, -1), name="a"),
    "relu": lambda k: k.layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.3, name="a"),
    "leaky_relu": lambda k: k.layers.LeakyReLU(name="a"),
    "prelu": lambda k: k.layers.PReLU(alpha_initializer="ones", shared_axes=[1], name="a"),
    "elu": lambda k: k.layers.ELU(alpha=0.5, name="a"),
    "softmax": lambda k: k.layers.Softmax(axis=1, name="a"),
    "bn": lambda k: k.layers.BatchNormalization(axis=1, momentum=0.9, gamma_regularizer="l1", name="a"),
    "add": lambda k: k.layers.Add(name="a"),
    "concatenate": lambda k: k.layers.Concatenate(axis=1, name="a"),
}  # fmt: skip
