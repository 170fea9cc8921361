"""Activations, losses, metrics, regularizers and initializers as golden cases, for `k` = keras or brisknet."""

ACTIVATIONS = {
    "linear": lambda k: k.activations.linear,
    "sigmoid": lambda k: k.activations.sigmoid,
    "tanh": lambda k: k.activations.tanh,
    "relu": lambda k: k.activations.relu,
    "relu_slope": lambda k: lambda x: k.activations.relu(x, negative_slope=0.1),
    "relu_max": lambda k: lambda x: k.activations.relu(x, max_value=2.0),
    "relu_max6": lambda k: lambda x: k.activations.relu(x, max_value=6.0),
    "relu_threshold": lambda k: lambda x: k.activations.relu(x, threshold=1.0),
    "relu_threshold_slope": lambda k: lambda x: k.activations.relu(x, 0.1, None, 1.0),
    "relu_all": lambda k: lambda x: k.activations.relu(x, 0.1, 5.0, 1.0),
    "relu_slope_max": lambda k: lambda x: k.activations.relu(x, negative_slope=0.1, max_value=2.0),
    "relu_below": lambda k: lambda x: k.activations.relu(x, threshold=-1.0),
    "relu_below_max": lambda k: lambda x: k.activations.relu(x, threshold=-1.0, max_value=2.0),
    "leaky_relu": lambda k: k.activations.leaky_relu,
    "leaky_relu_slope": lambda k: lambda x: k.activations.leaky_relu(x, negative_slope=0.3),
    "elu": lambda k: k.activations.elu,
    "elu_alpha": lambda k: lambda x: k.activations.elu(x, alpha=0.5),
    "gelu": lambda k: k.activations.gelu,
    "gelu_tanh": lambda k: lambda x: k.activations.gelu(x, approximate=True),
    "softplus": lambda k: k.activations.softplus,
    "silu": lambda k: k.activations.silu,
    "swish": lambda k: k.activations.get("swish"),
    "exponential": lambda k: k.activations.exponential,
    "softmax": lambda k: k.activations.softmax,
    "softmax_axis0": lambda k: lambda x: k.activations.softmax(x, axis=0),
}

# Losses: name -> (make, kind of targets, kind of predictions); the kinds are arrays of the golden file
_L = {
    "mse": (lambda k, **a: k.losses.MeanSquaredError(**a), "real", "real"),
    "mse_column": (lambda k, **a: k.losses.MeanSquaredError(**a), "vector", "column"),
    "mse_rank3": (lambda k, **a: k.losses.MeanSquaredError(**a), "real3", "real3"),
    "mae": (lambda k, **a: k.losses.MeanAbsoluteError(**a), "real", "real"),
    "huber": (lambda k, **a: k.losses.Huber(**a), "real", "real"),
    "huber_delta": (lambda k, **a: k.losses.Huber(delta=0.3, **a), "real", "real"),
    "log_cosh": (lambda k, **a: k.losses.LogCosh(**a), "real", "real"),
    "log_cosh_far": (lambda k, **a: k.losses.LogCosh(**a), "real", "far"),
    "hinge": (lambda k, **a: k.losses.Hinge(**a), "sign", "real"),
    "hinge_binary": (lambda k, **a: k.losses.Hinge(**a), "binary", "real"),
    "squared_hinge": (lambda k, **a: k.losses.SquaredHinge(**a), "sign", "real"),
    "squared_hinge_binary": (lambda k, **a: k.losses.SquaredHinge(**a), "binary", "real"),
    "bce": (lambda k, **a: k.losses.BinaryCrossentropy(**a), "binary", "prob"),
    "bce_soft": (lambda k, **a: k.losses.BinaryCrossentropy(**a), "share", "prob"),
    "bce_saturated": (lambda k, **a: k.losses.BinaryCrossentropy(**a), "binary", "saturated"),
    "bce_column": (lambda k, **a: k.losses.BinaryCrossentropy(**a), "vector_binary", "column_prob"),
    "bce_smooth": (lambda k, **a: k.losses.BinaryCrossentropy(label_smoothing=0.2, **a), "binary", "prob"),
    "bce_logits": (lambda k, **a: k.losses.BinaryCrossentropy(from_logits=True, **a), "binary", "far"),
    "bce_logits_smooth": (
        lambda k, **a: k.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1, **a), "binary", "real"
    ),
    "cce": (lambda k, **a: k.losses.CategoricalCrossentropy(**a), "onehot", "dist"),
    "cce_unnormalised": (lambda k, **a: k.losses.CategoricalCrossentropy(**a), "onehot", "prob"),
    "cce_saturated": (lambda k, **a: k.losses.CategoricalCrossentropy(**a), "onehot", "certain"),
    "cce_smooth": (lambda k, **a: k.losses.CategoricalCrossentropy(label_smoothing=0.1, **a), "onehot", "dist"),
    "cce_logits": (lambda k, **a: k.losses.CategoricalCrossentropy(from_logits=True, **a), "onehot", "far"),
    "cce_logits_smooth": (
        lambda k, **a: k.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.3, **a), "onehot", "real"
    ),
    "cce_rank3": (lambda k, **a: k.losses.CategoricalCrossentropy(**a), "onehot3", "dist3"),
    "scce": (lambda k, **a: k.losses.SparseCategoricalCrossentropy(**a), "label", "dist"),
    "scce_column": (lambda k, **a: k.losses.SparseCategoricalCrossentropy(**a), "label_column", "dist"),
    "scce_logits": (lambda k, **a: k.losses.SparseCategoricalCrossentropy(from_logits=True, **a), "label", "far"),
    "scce_rank3": (lambda k, **a: k.losses.SparseCategoricalCrossentropy(**a), "label3", "dist3"),
}  # fmt: skip
LOSSES = _L
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "none", "mean_with_sample_weight")
# Loss functions called by themselves, with their own arguments: name -> (call, targets, predictions)
LOSS_FUNCTIONS = {
    "mean_squared_error": (lambda k, t, p: k.losses.mean_squared_error(t, p), "real", "real"),
    "mean_absolute_error": (lambda k, t, p: k.losses.mean_absolute_error(t, p), "real", "real"),
    "huber": (lambda k, t, p: k.losses.huber(t, p, delta=0.7), "real", "real"),
    "log_cosh": (lambda k, t, p: k.losses.log_cosh(t, p), "real", "real"),
    "hinge": (lambda k, t, p: k.losses.hinge(t, p), "binary", "real"),
    "squared_hinge": (lambda k, t, p: k.losses.squared_hinge(t, p), "sign", "real"),
    "bce": (lambda k, t, p: k.losses.binary_crossentropy(t, p, label_smoothing=0.1), "binary", "prob"),
    "bce_axis0": (lambda k, t, p: k.losses.binary_crossentropy(t, p, from_logits=True, axis=0), "binary", "real"),
    "cce": (lambda k, t, p: k.losses.categorical_crossentropy(t, p, label_smoothing=0.1), "onehot", "dist"),
    "cce_logits": (lambda k, t, p: k.losses.categorical_crossentropy(t, p, from_logits=True), "onehot", "real"),
    "scce": (lambda k, t, p: k.losses.sparse_categorical_crossentropy(t, p), "label", "dist"),
    "scce_logits": (lambda k, t, p: k.losses.sparse_categorical_crossentropy(t, p, from_logits=True), "label", "real"),
    "get_mse": (lambda k, t, p: k.losses.get("mse")(t, p), "real", "real"),
    "get_class": (lambda k, t, p: k.losses.get("MeanSquaredError")(t, p), "real", "real"),
}

# Metrics over several batches: name -> (make, targets, predictions)
METRICS = {
    "accuracy_class": (lambda k: k.metrics.Accuracy(), "label_pair", "label_float"),
    "binary_accuracy": (lambda k: k.metrics.BinaryAccuracy(), "binary", "prob"),
    "binary_accuracy_threshold": (lambda k: k.metrics.BinaryAccuracy(threshold=0.3), "binary", "prob"),
    "categorical_accuracy": (lambda k: k.metrics.CategoricalAccuracy(), "onehot", "dist"),
    "sparse_categorical_accuracy": (lambda k: k.metrics.SparseCategoricalAccuracy(), "label", "dist"),
    "sparse_accuracy_rank3": (lambda k: k.metrics.SparseCategoricalAccuracy(), "label3", "dist3"),
    "mse": (lambda k: k.metrics.MeanSquaredError(), "real", "real"),
    "mae": (lambda k: k.metrics.MeanAbsoluteError(), "real", "real"),
    "bce": (lambda k: k.metrics.BinaryCrossentropy(label_smoothing=0.1), "binary", "prob"),
    "bce_logits": (lambda k: k.metrics.BinaryCrossentropy(from_logits=True), "binary", "real"),
    "cce": (lambda k: k.metrics.CategoricalCrossentropy(), "onehot", "dist"),
    "cce_logits": (lambda k: k.metrics.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2), "onehot", "real"),
    "scce": (lambda k: k.metrics.SparseCategoricalCrossentropy(), "label", "dist"),
    "scce_logits": (lambda k: k.metrics.SparseCategoricalCrossentropy(from_logits=True), "label", "real"),
    "hinge": (lambda k: k.metrics.Hinge(), "sign", "real"),
    "squared_hinge": (lambda k: k.metrics.SquaredHinge(), "binary", "real"),
    "log_cosh": (lambda k: k.metrics.LogCoshError(), "real", "real"),
    "huber": (lambda k: k.metrics.MeanMetricWrapper(k.losses.huber, name="huber", delta=0.5), "real", "real"),
    "by_name_mse": (lambda k: k.metrics.get("mse"), "real", "real"),
    "by_name_bce": (lambda k: k.metrics.get("binary_crossentropy"), "binary", "prob"),
}
MEANS = {"mean": lambda k: k.metrics.Mean(), "sum": lambda k: k.metrics.Sum()}

REGULARIZERS = {
    "l1": lambda k: k.regularizers.L1(),
    "l2": lambda k: k.regularizers.L2(),
    "l1_set": lambda k: k.regularizers.L1(0.3),
    "l2_set": lambda k: k.regularizers.l2(0.2),
    "l1l2": lambda k: k.regularizers.L1L2(l1=0.1, l2=0.05),
    "l1l2_default": lambda k: k.regularizers.L1L2(),
    "l1_l2": lambda k: k.regularizers.l1_l2(l1=0.02, l2=0.3),
    "l1_l2_default": lambda k: k.regularizers.l1_l2(),
    "by_name_l1": lambda k: k.regularizers.get("l1"),
    "by_name_l2": lambda k: k.regularizers.get("L2"),
    "by_name_l1l2": lambda k: k.regularizers.get("l1l2"),
}

# Initializers that draw: name -> make(k, seed); the golden file has the spread of a large draw
DRAWS = {
    "random_normal": lambda k, s: k.initializers.RandomNormal(seed=s),
    "random_normal_set": lambda k, s: k.initializers.RandomNormal(0.5, 0.2, seed=s),
    "random_uniform": lambda k, s: k.initializers.RandomUniform(seed=s),
    "random_uniform_set": lambda k, s: k.initializers.RandomUniform(minval=-1.0, maxval=2.0, seed=s),
    "truncated_normal": lambda k, s: k.initializers.TruncatedNormal(seed=s),
    "truncated_normal_set": lambda k, s: k.initializers.TruncatedNormal(1.0, 0.5, seed=s),
    "glorot_uniform": lambda k, s: k.initializers.GlorotUniform(seed=s),
    "glorot_normal": lambda k, s: k.initializers.GlorotNormal(seed=s),
    "he_uniform": lambda k, s: k.initializers.HeUniform(seed=s),
    "he_normal": lambda k, s: k.initializers.HeNormal(seed=s),
    "lecun_uniform": lambda k, s: k.initializers.LecunUniform(seed=s),
    "lecun_normal": lambda k, s: k.initializers.LecunNormal(seed=s),
    "scaling": lambda k, s: k.initializers.VarianceScaling(seed=s),
    "scaling_out": lambda k, s: k.initializers.VarianceScaling(0.5, "fan_out", "uniform", seed=s),
    "scaling_avg": lambda k, s: k.initializers.VarianceScaling(3.0, "fan_avg", "untruncated_normal", seed=s),
    "scaling_axes": lambda k, s: k.initializers.VarianceScaling(
        distribution="uniform", seed=s, input_axes=[0], output_axes=[1]
    ),
    "orthogonal": lambda k, s: k.initializers.Orthogonal(gain=2.0, seed=s),
}
DRAW_SHAPES = ((200, 300), (5, 5, 32, 64))
# Initializers of fixed values: name -> (make, shape)
FIXED = {
    "zeros": (lambda k: k.initializers.Zeros(), (2, 3)),
    "ones": (lambda k: k.initializers.Ones(), (4,)),
    "constant": (lambda k: k.initializers.Constant(0.25), (2, 2)),
    "identity": (lambda k: k.initializers.Identity(gain=0.5), (3, 4)),
}
