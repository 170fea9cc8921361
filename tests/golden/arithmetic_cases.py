"""Layers of arithmetic as golden cases: merging, normalising, reshaping, EinsumDense and the rest, as in layer_cases.py."""

import warnings

# name -> (make, input shapes, call arguments)
LAYERS = {}


def case(name, make, *shapes, **call):
    LAYERS[name] = (make, shapes, call)


def inputs_of(name, tensors):
    """What the layer of a case is called on: its only tensor, or the list of them."""
    return list(tensors) if len(tensors) > 1 or name.endswith("_one") else tensors[0]


def quiet(make):
    """A constructor that warns, as Keras' does too."""

    def made(k):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make(k)

    return made


# ---- merging --------------------------------------------------------------------------------------------------------
case("subtract", lambda k: k.layers.Subtract(), (4, 3), (4, 3))
case("subtract_broadcast", lambda k: k.layers.Subtract(), (4, 1, 5), (4, 3, 5))
case("subtract_ranks", lambda k: k.layers.Subtract(), (4, 5), (4, 3, 5))
for _name in ("Multiply", "Average", "Maximum", "Minimum"):
    _make = lambda k, n=_name: getattr(k.layers, n)()  # noqa: E731
    case(_name.lower(), _make, (4, 3), (4, 3))
    case(f"{_name.lower()}_three", _make, (4, 3), (4, 3), (4, 3))
    case(f"{_name.lower()}_broadcast", _make, (4, 3, 5), (4, 1, 5))
    case(f"{_name.lower()}_ranks", _make, (4, 3, 5), (4, 5))
    case(f"{_name.lower()}_one", _make, (4, 3))
case("dot", lambda k: k.layers.Dot(axes=1), (4, 6), (4, 6))
case("dot_last", lambda k: k.layers.Dot(axes=-1), (2, 3, 5), (2, 4, 5))
case("dot_pair", lambda k: k.layers.Dot(axes=(2, 1)), (2, 3, 5), (2, 5, 4))
case("dot_first", lambda k: k.layers.Dot(axes=(1, 2)), (2, 5, 3), (2, 4, 5))
case("dot_vector", lambda k: k.layers.Dot(axes=-1), (3, 5), (3, 4, 5))
case("dot_vector_right", lambda k: k.layers.Dot(axes=(2, 1)), (3, 4, 5), (3, 5))
case("dot_rank4", lambda k: k.layers.Dot(axes=(2, 3)), (2, 3, 5, 2), (2, 4, 3, 5))
case("dot_normalize", lambda k: k.layers.Dot(axes=1, normalize=True), (4, 6), (4, 6))
case("dot_normalize_rank3", lambda k: k.layers.Dot(axes=(2, 1), normalize=True), (2, 3, 5), (2, 5, 4))

# ---- normalisation --------------------------------------------------------------------------------------------------
_norm = lambda **args: lambda k: k.layers.LayerNormalization(**args)  # noqa: E731
case("layer_norm", _norm(), (6, 7))
case("layer_norm_wide", _norm(epsilon=1e-5), (5, 37))
case("layer_norm_rank3", _norm(epsilon=1e-2), (3, 4, 19))
case("layer_norm_axis1", _norm(axis=1), (3, 4, 5))
case("layer_norm_axes", _norm(axis=[1, 2]), (3, 4, 5))
case("layer_norm_apart", _norm(axis=(1, 3)), (2, 3, 4, 5))
case("layer_norm_all", _norm(axis=[-1, -2, -3]), (2, 3, 4, 5))
case("layer_norm_no_scale", _norm(scale=False), (6, 7))
case("layer_norm_no_center", _norm(center=False), (6, 7))
case("layer_norm_neither", _norm(center=False, scale=False), (6, 7))
case("layer_norm_one_feature", _norm(), (4, 1))
case("layer_norm_rms", quiet(_norm(rms_scaling=True)), (6, 7))
case("rms_norm", lambda k: k.layers.RMSNormalization(), (6, 7))
case("rms_norm_rank3", lambda k: k.layers.RMSNormalization(epsilon=1e-2), (3, 4, 19))
case("rms_norm_axes", lambda k: k.layers.RMSNormalization(axis=[1, 2]), (3, 4, 5))
_group = lambda **args: lambda k: k.layers.GroupNormalization(**args)  # noqa: E731
case("group_norm_rank2", _group(groups=2), (4, 6))
case("group_norm_rank3", _group(groups=3), (2, 5, 6))
case("group_norm_rank4", _group(groups=2, epsilon=1e-5), (2, 3, 4, 6))
case("group_norm_wide", _group(groups=4), (2, 3, 3, 36))
case("group_norm_instance", _group(groups=-1), (2, 4, 3, 5))
case("group_norm_layer", _group(groups=1), (2, 4, 3, 5))
case("group_norm_first", _group(groups=3, axis=1), (2, 6, 4, 3))
case("group_norm_middle", _group(groups=2, axis=2), (2, 3, 4, 5))
case("group_norm_no_scale", _group(groups=2, scale=False), (2, 5, 6))
case("group_norm_no_center", _group(groups=2, center=False), (2, 5, 6))
case("group_norm_neither", _group(groups=2, center=False, scale=False), (2, 6, 5, 4))
case("unit_norm", lambda k: k.layers.UnitNormalization(), (4, 6))
case("unit_norm_axis1", lambda k: k.layers.UnitNormalization(axis=1), (3, 4, 5))
case("unit_norm_axes", lambda k: k.layers.UnitNormalization(axis=[1, 2]), (3, 4, 5))
case("spectral_infer", lambda k: k.layers.SpectralNormalization(k.layers.Dense(3)), (4, 5), training=False)

# ---- batch normalisation: what layer_cases.py leaves out ------------------------------------------------------------
for _training in (False, True):
    _tag = "train" if _training else "infer"
    _bn = lambda **args: lambda k: k.layers.BatchNormalization(**args)  # noqa: E731
    case(f"bn_axis2_{_tag}", _bn(axis=2, momentum=0.5), (2, 3, 4, 5), training=_training)
    case(f"bn_axis_minus2_{_tag}", _bn(axis=-2, epsilon=0.1), (4, 3, 5), training=_training)
    case(f"bn_momentum0_{_tag}", _bn(momentum=0.0), (8, 5), training=_training)
    case(f"bn_momentum1_{_tag}", _bn(momentum=1.0), (8, 5), training=_training)
    case(f"bn_frozen_rank4_{_tag}", _bn(trainable=False, axis=1), (2, 3, 4, 5), training=_training)
case("bn_default", _bn(), (8, 5))

# ---- EinsumDense ----------------------------------------------------------------------------------------------------
for _name, _args, _shape in (
    ("dense", ("ab,bc->ac", 5), (4, 3)),
    ("dense_bias", ("ab,bc->ac", 5, "relu", "c"), (4, 3)),
    ("tanh", ("ab,bc->ac", 5, "tanh", "c"), (4, 3)),
    ("softmax", ("ab,bc->ac", 5, "softmax", "c"), (4, 3)),
    ("sequence", ("abc,cd->abd", (None, 5), None, "d"), (2, 3, 4)),
    ("dots", ("...x,xy->...y", 5, None, "y"), (2, 3, 4)),
    ("dots_rank2", ("...x,xy->...y", 5, None, "y"), (3, 4)),
    ("heads", ("abc,cde->abde", (None, 2, 3), None, "de"), (2, 4, 5)),
    ("heads_some", ("abc,cde->abde", (None, 2, 3), "gelu", "d"), (2, 4, 5)),
    ("from_heads", ("abcd,cde->abe", (None, 6), None, "e"), (2, 4, 2, 3)),
    ("dots_right", ("ab...,bc->ac...", 5, None, "c"), (2, 3, 4)),
    ("transposed", ("abc,cd->adb", (5, None), None, "d"), (2, 3, 4)),
    ("kernel_transposed", ("ab,cb->ac", 5, None, "c"), (4, 3)),
    ("own_kernel", ("abc,bcd->abd", (3, 5), None, "bd"), (2, 3, 4)),
    ("scale", ("abc,c->abc", (None, 4), None, None), (2, 3, 4)),
):
    case(f"einsum_{_name}", lambda k, a=_args: k.layers.EinsumDense(*a), _shape)

# ---- the rest -------------------------------------------------------------------------------------------------------
case("permute", lambda k: k.layers.Permute((2, 1)), (3, 4, 5))
case("permute_rank4", lambda k: k.layers.Permute((3, 1, 2)), (2, 3, 4, 5))
case("repeat_vector", lambda k: k.layers.RepeatVector(3), (4, 5))
case("rescaling", lambda k: k.layers.Rescaling(1 / 3, offset=-0.5), (4, 5))
case("rescaling_array", lambda k: k.layers.Rescaling([1.0, 2.0, 0.5], offset=[0.0, 1.0, -1.0]), (2, 4, 3))
case("identity", lambda k: k.layers.Identity(), (4, 5))
case("activity_regularization", lambda k: k.layers.ActivityRegularization(0.1, 0.2), (4, 5))
case("lambda", lambda k: k.layers.Lambda(lambda x: k.ops.square(x) + 2.0 * x), (4, 5))
case("lambda_arguments", lambda k: k.layers.Lambda(lambda x, p: x * p, arguments={"p": 3.0}), (4, 5))
for _name in ("GaussianNoise", "GaussianDropout", "AlphaDropout"):
    case(f"{_name.lower()}_infer", lambda k, n=_name: getattr(k.layers, n)(0.5), (4, 6), training=False)
    case(f"{_name.lower()}_zero", lambda k, n=_name: getattr(k.layers, n)(0.0), (4, 6), training=True)

for _training in (False, True):  # last, so that the cases above keep the numbers that seed their inputs
    _tag = "train" if _training else "infer"
    case(f"bn_renorm_{_tag}", _bn(renorm=True, momentum=0.9, renorm_momentum=0.8), (8, 5), training=_training)
    case(f"bn_renorm_clipped_{_tag}", _bn(renorm=True, renorm_clipping={"rmax": 1.1, "rmin": 0.9, "dmax": 0.2}, axis=1),
         (4, 3, 5), training=_training)  # fmt: skip
    case(f"bn_renorm_plain_{_tag}", _bn(renorm=True, center=False, scale=False), (8, 5), training=_training)

# Layers made only to compare get_config() and from_config(): name -> make
CONFIGS = {
    "subtract": lambda k: k.layers.Subtract(name="a"),
    "multiply": lambda k: k.layers.Multiply(name="a"),
    "average": lambda k: k.layers.Average(name="a"),
    "maximum": lambda k: k.layers.Maximum(name="a"),
    "minimum": lambda k: k.layers.Minimum(name="a"),
    "dot": lambda k: k.layers.Dot(axes=(2, 1), normalize=True, name="a"),
    "layer_norm": lambda k: k.layers.LayerNormalization(axis=[1, 2], gamma_regularizer="l2", name="a"),
    "rms_norm": lambda k: k.layers.RMSNormalization(axis=1, epsilon=1e-3, name="a"),
    "group_norm": lambda k: k.layers.GroupNormalization(4, axis=1, beta_initializer="ones", name="a"),
    "unit_norm": lambda k: k.layers.UnitNormalization(axis=[1, 2], name="a"),
    "spectral": lambda k: k.layers.SpectralNormalization(k.layers.Dense(3, name="d"), power_iterations=2, name="a"),
    "einsum": lambda k: k.layers.EinsumDense("abc,cd->abd", (None, 5), "relu", "d", kernel_regularizer="l1", name="a"),
    "permute": lambda k: k.layers.Permute((2, 1), name="a"),
    "repeat_vector": lambda k: k.layers.RepeatVector(3, name="a"),
    "rescaling": lambda k: k.layers.Rescaling(0.5, offset=[1.0, 2.0], name="a"),
    "identity": lambda k: k.layers.Identity(name="a"),
    "activity_regularization": lambda k: k.layers.ActivityRegularization(0.1, 0.2, name="a"),
    "gaussian_noise": lambda k: k.layers.GaussianNoise(0.25, seed=3, name="a"),
    "gaussian_dropout": lambda k: k.layers.GaussianDropout(0.25, seed=3, name="a"),
    "alpha_dropout": lambda k: k.layers.AlphaDropout(0.25, noise_shape=(None, 1), seed=3, name="a"),
    "dropout": lambda k: k.layers.Dropout(0.25, noise_shape=(None, 1, 3), seed=3, name="a"),
}
INITIALIZERS = {
    "scaling": lambda k: k.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3),
    "orthogonal": lambda k: k.initializers.Orthogonal(0.5, seed=3),
    "constant": lambda k: k.initializers.Constant(0.5),
    "uniform": lambda k: k.initializers.RandomUniform(-1.0, 2.0, seed=3),
    "normal": lambda k: k.initializers.RandomNormal(1.0, 2.0, seed=3),
    "truncated": lambda k: k.initializers.TruncatedNormal(1.0, 2.0, seed=3),
    "generator": lambda k: k.initializers.RandomNormal(seed=k.random.SeedGenerator(3, name="g")),
}
REGULARIZERS = {
    "rows": lambda k: k.regularizers.OrthogonalRegularizer(),
    "columns": lambda k: k.regularizers.OrthogonalRegularizer(factor=0.3, mode="columns"),
    "callable": lambda k: lambda w: 0.1 * k.ops.sum(k.ops.abs(w) * w * w),
}
# Layers whose penalties are compared: name -> (make, input shape)
PENALTIES = {
    "activity_layer": (lambda k: k.layers.ActivityRegularization(0.1, 0.2), (4, 5)),
    "activity_argument": (lambda k: k.layers.Dense(3, activity_regularizer="l2", kernel_initializer="ones"), (4, 5)),
    "activity_rank3": (lambda k: k.layers.Activation("relu", activity_regularizer=k.regularizers.L1(0.5)), (4, 5, 2)),
    "both": (lambda k: k.layers.Dense(3, kernel_regularizer="l1", activity_regularizer="l1", kernel_initializer="ones"), (4, 5)),
}
PUBLIC = (
    "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot", "subtract", "multiply", "average", "maximum", "minimum",
    "dot", "LayerNormalization", "RMSNormalization", "GroupNormalization", "UnitNormalization", "SpectralNormalization",
    "EinsumDense", "Permute", "RepeatVector", "Rescaling", "Identity", "ActivityRegularization", "GaussianNoise",
    "GaussianDropout", "AlphaDropout", "Lambda", "Wrapper", "InputSpec",
)  # fmt: skip
