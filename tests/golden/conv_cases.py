"""Convolution, pooling and layers around them as golden cases, in the form of layer_cases.py: odd sizes, strides larger than
the kernel, dilation, groups, "same" with even kernels, images of one pixel, batches of one, both data formats."""

# name -> (make, input shapes, call arguments)
LAYERS = {}


def inputs_of(name, tensors):
    """What the layer of a case is called on."""
    return tensors[0]


def case(name, layer, shape, *args, first=False, call=None, **kwargs):
    """A layer by its name; first: also with channels_first."""
    LAYERS[name] = (lambda k: getattr(k.layers, layer)(*args, **kwargs), (shape,), call or {})
    if first:
        swapped = (shape[0], shape[-1], *shape[1:-1])
        LAYERS[f"{name}_first"] = (
            lambda k: getattr(k.layers, layer)(*args, **kwargs, data_format="channels_first"), (swapped,), call or {},
        )  # fmt: skip


# ---- convolution ----------------------------------------------------------------------------------------------------------
case("conv2d", "Conv2D", (2, 5, 7, 3), 4, 3, first=True)
case("conv2d_relu", "Conv2D", (2, 5, 5, 2), 3, 3, activation="relu", padding="same", first=True)
case("conv2d_sigmoid", "Conv2D", (1, 4, 4, 2), 3, 2, activation="sigmoid")
case("conv2d_tanh_no_bias", "Conv2D", (2, 4, 5, 2), 3, (2, 3), activation="tanh", use_bias=False)
case("conv2d_gelu", "Conv2D", (1, 4, 4, 2), 3, 3, activation="gelu", padding="same")
case("conv2d_softmax", "Conv2D", (1, 3, 3, 2), 4, 2, activation="softmax")
case("conv2d_same_even", "Conv2D", (1, 5, 6, 2), 3, (2, 4), padding="same", first=True)
case("conv2d_same_even_strided", "Conv2D", (1, 7, 6, 2), 3, (4, 2), strides=(2, 3), padding="same")
case("conv2d_stride_over_kernel", "Conv2D", (2, 8, 7, 2), 3, 2, strides=3)
case("conv2d_stride_over_kernel_same", "Conv2D", (1, 8, 7, 2), 3, 2, strides=(3, 4), padding="same")
case("conv2d_dilated", "Conv2D", (1, 9, 8, 2), 3, 3, dilation_rate=(2, 3))
case("conv2d_dilated_same", "Conv2D", (1, 6, 7, 2), 3, (3, 2), dilation_rate=2, padding="same", first=True)
case("conv2d_groups", "Conv2D", (1, 5, 5, 6), 9, 3, groups=3, first=True)
case("conv2d_groups_strided", "Conv2D", (2, 6, 5, 4), 4, 3, groups=2, strides=2, padding="same", activation="relu")
case("conv2d_depthwise_by_groups", "Conv2D", (1, 5, 4, 3), 6, 2, groups=3)
case("conv2d_one_pixel", "Conv2D", (1, 1, 1, 3), 2, 3, padding="same")
case("conv2d_one_pixel_valid", "Conv2D", (3, 1, 1, 2), 4, 1)
case("conv2d_pointwise", "Conv2D", (2, 3, 5, 5), 7, 1)
case("conv2d_pointwise_strided", "Conv2D", (2, 5, 5, 4), 3, 1, strides=2)
case("conv2d_whole_image", "Conv2D", (2, 4, 3, 2), 5, (4, 3))
case("conv2d_wide", "Conv2D", (1, 5, 6, 17), 18, 3, padding="same")
case("conv2d_lenet", "Conv2D", (3, 12, 12, 1), 6, 5, activation="relu")
case("conv1d", "Conv1D", (2, 9, 3), 4, 3, first=True)
case("conv1d_same_even", "Conv1D", (1, 8, 2), 3, 4, padding="same", activation="relu")
case("conv1d_causal", "Conv1D", (2, 7, 2), 3, 3, padding="causal", first=True)
case("conv1d_causal_dilated", "Conv1D", (1, 9, 2), 3, 2, padding="causal", dilation_rate=4)
case("conv1d_causal_strided", "Conv1D", (1, 9, 2), 3, 4, padding="causal", strides=2)
case("conv1d_strided_groups", "Conv1D", (1, 11, 4), 6, 3, strides=2, groups=2)
case("conv3d", "Conv3D", (1, 4, 5, 3, 2), 3, 2, first=True)
case("conv3d_same_strided", "Conv3D", (1, 3, 5, 4, 2), 4, (3, 2, 3), strides=(1, 2, 2), padding="same", activation="relu")
case("conv3d_dilated_groups", "Conv3D", (1, 5, 5, 5, 2), 4, 2, dilation_rate=2, groups=2)

case("depthwise2d", "DepthwiseConv2D", (2, 5, 6, 3), 3, first=True)
case("depthwise2d_multiplier", "DepthwiseConv2D", (1, 6, 5, 3), (3, 2), depth_multiplier=2, padding="same", activation="relu")
case("depthwise2d_strided", "DepthwiseConv2D", (1, 7, 7, 4), 3, strides=2, padding="same", use_bias=False)
case("depthwise2d_dilated", "DepthwiseConv2D", (1, 8, 8, 2), 3, dilation_rate=2)
case("depthwise1d", "DepthwiseConv1D", (2, 8, 3), 3, depth_multiplier=2, first=True)
case("separable2d", "SeparableConv2D", (2, 5, 6, 3), 4, 3, first=True)
case("separable2d_full", "SeparableConv2D", (1, 7, 6, 2), 5, 3, strides=2, padding="same", depth_multiplier=3, activation="relu")
case("separable1d", "SeparableConv1D", (2, 9, 3), 4, 3, depth_multiplier=2, activation="tanh", first=True)

case("transpose2d", "Conv2DTranspose", (2, 3, 4, 3), 2, 3, first=True)
case("transpose2d_strided", "Conv2DTranspose", (1, 3, 4, 2), 3, 3, strides=2, activation="relu")
case("transpose2d_same", "Conv2DTranspose", (1, 3, 4, 2), 3, 3, strides=2, padding="same", first=True)
case("transpose2d_same_even", "Conv2DTranspose", (1, 3, 4, 2), 3, (2, 4), strides=(1, 3), padding="same")
case("transpose2d_stride_over_kernel", "Conv2DTranspose", (1, 3, 2, 2), 3, 2, strides=4)
case("transpose2d_stride_over_kernel_same", "Conv2DTranspose", (1, 3, 2, 2), 3, (1, 2), strides=3, padding="same")
case("transpose2d_dilated", "Conv2DTranspose", (1, 3, 3, 2), 3, 2, dilation_rate=2)
case("transpose2d_output_padding", "Conv2DTranspose", (1, 3, 3, 2), 3, 3, strides=2, padding="same", output_padding=1)
case("transpose2d_output_padding_zero", "Conv2DTranspose", (1, 3, 3, 2), 3, 4, strides=(3, 2), padding="same", output_padding=0)
case("transpose2d_output_padding_valid", "Conv2DTranspose", (1, 2, 3, 2), 2, 3, strides=(3, 2), output_padding=(2, 1))
case("transpose1d", "Conv1DTranspose", (2, 5, 3), 4, 4, strides=2, padding="same", first=True)
case("transpose1d_no_bias", "Conv1DTranspose", (1, 4, 2), 3, 3, use_bias=False)
case("transpose3d", "Conv3DTranspose", (1, 2, 3, 2, 2), 3, 2, strides=(1, 2, 2), first=True)

# ---- pooling --------------------------------------------------------------------------------------------------------------
for _kind, _short in (("MaxPooling", "max"), ("AveragePooling", "avg")):
    case(f"{_short}2d", f"{_kind}2D", (2, 4, 6, 3), (2, 2), first=True)
    case(f"{_short}2d_odd", f"{_kind}2D", (1, 5, 7, 2), 2)
    case(f"{_short}2d_same_even", f"{_kind}2D", (1, 5, 6, 2), (2, 4), strides=(2, 3), padding="same", first=True)
    case(f"{_short}2d_overlapping", f"{_kind}2D", (1, 6, 5, 2), 3, strides=1, padding="same")
    case(f"{_short}2d_stride_over_pool", f"{_kind}2D", (1, 8, 7, 2), 2, strides=3)
    case(f"{_short}2d_one_pixel", f"{_kind}2D", (1, 1, 1, 2), 3, strides=1, padding="same")
    case(f"{_short}1d", f"{_kind}1D", (2, 9, 3), 3, strides=2, first=True)
    case(f"{_short}1d_same", f"{_kind}1D", (1, 9, 2), 4, padding="same")
    case(f"{_short}3d", f"{_kind}3D", (1, 4, 5, 3, 2), (2, 3, 2), strides=(1, 2, 1), padding="same", first=True)
for _kind in ("GlobalMaxPooling", "GlobalAveragePooling"):
    for _rank, _shape in ((1, (2, 5, 3)), (2, (2, 3, 4, 3)), (3, (1, 2, 3, 2, 3))):
        case(f"{_kind}{_rank}d", f"{_kind}{_rank}D", _shape, first=True)
    case(f"{_kind}2d_keepdims", f"{_kind}2D", (2, 3, 2, 3), keepdims=True, first=True)
case("GlobalAveragePooling1d_mask", "GlobalAveragePooling1D", (3, 5, 2), call={"mask": True})

# ---- sizes ----------------------------------------------------------------------------------------------------------------
case("zero_padding1d", "ZeroPadding1D", (2, 4, 3), (1, 2))
case("zero_padding2d", "ZeroPadding2D", (2, 3, 4, 2), ((1, 0), (2, 3)), first=True)
case("zero_padding2d_pair", "ZeroPadding2D", (1, 3, 4, 2), (1, 2))
case("zero_padding3d", "ZeroPadding3D", (1, 2, 3, 2, 2), ((1, 0), (0, 2), (1, 1)), first=True)
case("cropping1d", "Cropping1D", (2, 6, 3), (1, 2))
case("cropping2d", "Cropping2D", (2, 5, 6, 2), ((1, 0), (2, 1)), first=True)
case("cropping3d", "Cropping3D", (1, 4, 5, 4, 2), ((1, 0), (0, 2), (1, 1)), first=True)
case("up_sampling1d", "UpSampling1D", (2, 4, 3), 3)
case("up_sampling2d", "UpSampling2D", (2, 3, 4, 2), (2, 3), first=True)
case("up_sampling2d_bilinear", "UpSampling2D", (1, 3, 4, 2), (2, 3), interpolation="bilinear", first=True)
case("up_sampling2d_bicubic", "UpSampling2D", (1, 4, 3, 2), 2, interpolation="bicubic")
case("up_sampling2d_lanczos3", "UpSampling2D", (1, 4, 5, 1), 2, interpolation="lanczos3")
case("up_sampling2d_lanczos5", "UpSampling2D", (1, 4, 5, 1), 2, interpolation="lanczos5")
case("up_sampling3d", "UpSampling3D", (1, 2, 3, 2, 2), (2, 1, 3), first=True)
case("spatial_dropout2d_infer", "SpatialDropout2D", (2, 3, 3, 4), 0.5, call={"training": False})
for _method in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
    case(f"resizing_{_method}", "Resizing", (1, 5, 6, 2), 3, 9, interpolation=_method)
    case(f"resizing_{_method}_antialias", "Resizing", (1, 9, 7, 1), 4, 3, interpolation=_method, antialias=True)
case("resizing_first", "Resizing", (2, 4, 5, 3), 6, 3, first=True)
case("resizing_crop", "Resizing", (1, 9, 6, 2), 4, 6, crop_to_aspect_ratio=True)
case("resizing_pad", "Resizing", (1, 9, 4, 2), 6, 6, pad_to_aspect_ratio=True, fill_value=0.5)
case("resizing_pad_wide", "Resizing", (1, 3, 8, 2), 5, 6, pad_to_aspect_ratio=True)
case("center_crop", "CenterCrop", (2, 7, 8, 2), 4, 5, first=True)
case("center_crop_small", "CenterCrop", (1, 4, 6, 2), 6, 3)

# Layers made only to compare get_config() and from_config(): name -> make
CONFIGS = {
    "conv1d": lambda k: k.layers.Conv1D(4, 3, padding="causal", dilation_rate=2, name="a"),
    "conv2d": lambda k: k.layers.Conv2D(
        4, 3, 2, "same", groups=2, activation="relu", kernel_initializer="he_normal", kernel_regularizer="l2",
        activity_regularizer=k.regularizers.L1(0.5), name="a",
    ),
    "conv3d": lambda k: k.layers.Conv3D(4, (1, 2, 3), name="a"),
    "depthwise1d": lambda k: k.layers.DepthwiseConv1D(3, depth_multiplier=2, name="a"),
    "depthwise2d": lambda k: k.layers.DepthwiseConv2D(3, depthwise_regularizer="l1", name="a"),
    "separable1d": lambda k: k.layers.SeparableConv1D(3, 2, name="a"),
    "separable2d": lambda k: k.layers.SeparableConv2D(3, 2, pointwise_initializer="ones", name="a"),
    "transpose1d": lambda k: k.layers.Conv1DTranspose(3, 2, strides=2, output_padding=1, name="a"),
    "transpose2d": lambda k: k.layers.Conv2DTranspose(3, 2, data_format="channels_first", name="a"),
    "transpose3d": lambda k: k.layers.Conv3DTranspose(3, 2, name="a"),
    **{
        f"{kind}{rank}d": lambda k, kind=kind, rank=rank: getattr(k.layers, f"{kind}{rank}D")(2, padding="same", name="a")
        for kind in ("MaxPooling", "AveragePooling") for rank in (1, 2, 3)
    },
    **{
        f"{kind}{rank}d": lambda k, kind=kind, rank=rank: getattr(k.layers, f"{kind}{rank}D")(keepdims=True, name="a")
        for kind in ("GlobalMaxPooling", "GlobalAveragePooling") for rank in (1, 2, 3)
    },
    **{
        f"{kind}{rank}d": lambda k, kind=kind, rank=rank: getattr(k.layers, f"{kind}{rank}D")(name="a")
        for kind in ("ZeroPadding", "Cropping", "UpSampling") for rank in (1, 2, 3)
    },
    "spatial_dropout1d": lambda k: k.layers.SpatialDropout1D(0.3, seed=2, name="a"),
    "spatial_dropout2d": lambda k: k.layers.SpatialDropout2D(0.3, name="a"),
    "spatial_dropout3d": lambda k: k.layers.SpatialDropout3D(0.3, name="a"),
    "random_flip": lambda k: k.layers.RandomFlip("horizontal", seed=3, name="a"),
    "random_translation": lambda k: k.layers.RandomTranslation(0.2, (-0.1, 0.3), "wrap", name="a"),
    "random_rotation": lambda k: k.layers.RandomRotation(0.2, fill_mode="constant", fill_value=2.0, name="a"),
    "random_zoom": lambda k: k.layers.RandomZoom((-0.2, 0.3), interpolation="nearest", name="a"),
    "random_contrast": lambda k: k.layers.RandomContrast(0.2, (0, 1), name="a"),
    "random_brightness": lambda k: k.layers.RandomBrightness(0.2, name="a"),
    "random_crop": lambda k: k.layers.RandomCrop(3, 4, seed=1, name="a"),
    "center_crop": lambda k: k.layers.CenterCrop(3, 4, name="a"),
    "resizing": lambda k: k.layers.Resizing(3, 4, "bicubic", antialias=True, name="a"),
}  # fmt: skip

# Random image layers whose draws are set by hand: name -> (layer, arguments, input shape, draws in their order)
IMAGES = {}
for _mode in ("reflect", "wrap", "constant", "nearest"):
    for _method in ("bilinear", "nearest"):
        _args = {"fill_mode": _mode, "interpolation": _method, "fill_value": 0.5}
        IMAGES[f"translation_{_mode}_{_method}"] = (
            "RandomTranslation", {"height_factor": 0.9, "width_factor": 0.9, **_args}, (3, 5, 6, 2),
            ([[0.23], [-0.61], [0.83]], [[-0.37], [0.71], [0.13]]),
        )  # fmt: skip
        IMAGES[f"rotation_{_mode}_{_method}"] = ("RandomRotation", {"factor": 0.5, **_args}, (2, 6, 5, 2), ([37.0, -101.0],))
        IMAGES[f"zoom_{_mode}_{_method}"] = (
            "RandomZoom", {"height_factor": 0.6, "width_factor": 0.5, **_args}, (2, 5, 6, 1),
            ([[0.53], [1.47]], [[1.29], [0.71]]),
        )  # fmt: skip
IMAGES["zoom_one_factor"] = ("RandomZoom", {"height_factor": 0.6}, (2, 5, 6, 1), ([[0.53], [1.47]],))
IMAGES["flip"] = ("RandomFlip", {}, (3, 4, 5, 2), ([[[[0.3]]], [[[0.7]]], [[[0.5]]]],))
IMAGES["flip_horizontal"] = ("RandomFlip", {"mode": "horizontal"}, (2, 4, 5, 2), ([[[[0.3]]], [[[0.7]]]],))
IMAGES["flip_vertical"] = ("RandomFlip", {"mode": "vertical"}, (2, 4, 5, 2), ([[[[0.3]]], [[[0.7]]]],))
IMAGES["contrast"] = (
    "RandomContrast", {"factor": (0.2, 0.9), "value_range": (-1.0, 1.5)}, (2, 4, 3, 3), ([[[[0.83]]], [[[1.7]]]],),
)  # fmt: skip
IMAGES["brightness"] = (
    "RandomBrightness", {"factor": 0.4, "value_range": (-1.0, 1.5)}, (2, 4, 3, 3), ([[[[0.21]]], [[[-0.38]]]],),
)  # fmt: skip
IMAGES["crop"] = ("RandomCrop", {"height": 3, "width": 4}, (2, 6, 7, 2), (2.7, 1.2))
IMAGES["crop_narrow"] = ("RandomCrop", {"height": 3, "width": 7}, (2, 6, 7, 2), ())
IMAGES["crop_larger"] = ("RandomCrop", {"height": 8, "width": 5}, (1, 6, 7, 2), ())
