"""Bad calls of convolution, pooling and layers of images: impossible kernels, strides, padding and dilation, wrong ranks and
channels, outputs of size zero. Each is an error where the layer is made or built."""

import numpy as np

from brisknet import layers as L
from brisknet import ops
from brisknet.models import Sequential
from tests.bad_calls import case


def images():
    model = Sequential([L.Input((6, 5, 2)), L.Conv2D(3, 3, activation="relu"), L.MaxPooling2D(2), L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    return model, rng.normal(size=(8, 6, 5, 2)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")


def made(name, make, error, *fragments):
    case(name, images, lambda m, x, y: make(), error, *fragments)


def built(name, layer, shape, *fragments):
    """The layer on a symbolic input."""
    case(name, images, lambda m, x, y: layer()(L.Input(shape)), ValueError, *fragments)


# ---- arguments ------------------------------------------------------------------------------------------------------------
made("conv filters zero", lambda: L.Conv2D(0, 3), ValueError, "Conv2D: filters", "positive integer", "0")
made("conv filters float", lambda: L.Conv2D(2.5, 3), ValueError, "Conv2D: filters", "2.5")
made("conv filters none", lambda: L.Conv1D(None, 3), ValueError, "Conv1D: filters", "None")
made("conv kernel zero", lambda: L.Conv2D(4, (3, 0)), ValueError, "Conv2D: kernel_size", "tuple of 2", "(3, 0)")
made("conv kernel triple", lambda: L.Conv2D(4, (3, 3, 3)), ValueError, "Conv2D: kernel_size", "tuple of 2", "(3, 3, 3)")
made("conv kernel string", lambda: L.Conv3D(4, "3"), ValueError, "Conv3D: kernel_size", "tuple of 3", "'3'")
made("conv kernel float", lambda: L.Conv2D(4, 3.0), ValueError, "Conv2D: kernel_size", "3.0")
made("conv kernel bool", lambda: L.Conv2D(4, True), ValueError, "Conv2D: kernel_size", "True")
made("conv strides zero", lambda: L.Conv2D(4, 3, strides=0), ValueError, "Conv2D: strides", "0")
made("conv strides negative", lambda: L.Conv2D(4, 3, strides=(1, -1)), ValueError, "Conv2D: strides", "(1, -1)")
made("conv dilation zero", lambda: L.Conv2D(4, 3, dilation_rate=0), ValueError, "Conv2D: dilation_rate", "0")
made("conv strides and dilation", lambda: L.Conv2D(4, 3, strides=2, dilation_rate=2), ValueError, "strides > 1 and dilation_rate > 1")
made("conv padding unknown", lambda: L.Conv2D(4, 3, padding="full"), ValueError, "Conv2D: padding", "'same'", "'full'")
made("conv padding number", lambda: L.Conv2D(4, 3, padding=1), ValueError, "Conv2D: padding", "got 1")
made("conv padding causal", lambda: L.Conv2D(4, 3, padding="causal"), ValueError, "Conv2D: padding", "Conv1D")
made("conv data format", lambda: L.Conv2D(4, 3, data_format="NHWC"), ValueError, "data_format", "channels_last", "NHWC")
made("conv groups zero", lambda: L.Conv2D(4, 3, groups=0), ValueError, "Conv2D: groups", "0")
made("conv groups of filters", lambda: L.Conv2D(4, 3, groups=3), ValueError, "groups=3 must divide filters=4")
made("conv activation", lambda: L.Conv2D(4, 3, activation="relu7"), ValueError, "relu7")
made("conv lora", lambda: L.Conv2D(4, 3, lora_rank=2), ValueError, "lora_rank=2", "not supported")
made("conv unknown argument", lambda: L.Conv2D(4, 3, stride=2), TypeError, "stride", "strides")
made("depthwise multiplier", lambda: L.DepthwiseConv2D(3, depth_multiplier=0), ValueError, "depth_multiplier", "0")
made("separable multiplier", lambda: L.SeparableConv2D(4, 3, depth_multiplier=-1), ValueError, "depth_multiplier", "-1")
made("transposed output padding", lambda: L.Conv2DTranspose(4, 3, strides=2, output_padding=2), ValueError, "output_padding", "strides (2, 2)")
made("transposed padding", lambda: L.Conv2DTranspose(4, 3, padding="causal"), ValueError, "Conv2DTranspose: padding")
made("pool size zero", lambda: L.MaxPooling2D(0), ValueError, "MaxPooling2D: pool_size", "0")
made("pool size triple", lambda: L.AveragePooling2D((2, 2, 2)), ValueError, "AveragePooling2D: pool_size", "tuple of 2")
made("pool strides", lambda: L.MaxPooling1D(2, strides=(1, 1)), ValueError, "MaxPooling1D: strides", "(1, 1)")
made("pool padding", lambda: L.MaxPooling2D(2, padding="causal"), ValueError, "MaxPooling2D: padding", "causal")
made("global data format", lambda: L.GlobalMaxPooling2D("first"), ValueError, "GlobalMaxPooling2D: data_format", "first")
made("zero padding negative", lambda: L.ZeroPadding2D(-1), ValueError, "ZeroPadding2D: padding", "-1")
made("zero padding triple", lambda: L.ZeroPadding2D((1, 2, 3)), ValueError, "ZeroPadding2D: padding", "(1, 2, 3)")
made("cropping negative", lambda: L.Cropping2D(((0, -1), (0, 0))), ValueError, "Cropping2D: cropping[0]", "(0, -1)")
made("up sampling zero", lambda: L.UpSampling2D(0), ValueError, "UpSampling2D: size", "0")
made("up sampling method", lambda: L.UpSampling2D(2, interpolation="area"), ValueError, "interpolation", "bilinear", "area")
made("spatial dropout rate", lambda: L.SpatialDropout2D(1.5), ValueError, "rate", "1.5")
made("flip mode", lambda: L.RandomFlip("diagonal"), ValueError, "RandomFlip: mode", "horizontal", "diagonal")
made("rotation factor", lambda: L.RandomRotation(1.5), ValueError, "RandomRotation: factor", "1.5")
made("translation factor", lambda: L.RandomTranslation(0.1, (0.1, 2)), ValueError, "width_factor", "(0.1, 2)")
made("zoom factor", lambda: L.RandomZoom(-1.0), ValueError, "RandomZoom: height_factor", "-1.0")
made("zoom fill mode", lambda: L.RandomZoom(0.1, fill_mode="zeros"), ValueError, "fill_mode", "reflect", "zeros")
made("rotation interpolation", lambda: L.RandomRotation(0.1, interpolation="cubic"), ValueError, "interpolation", "cubic")
made("contrast factor", lambda: L.RandomContrast(-0.5), ValueError, "RandomContrast: factor", "-0.5")
made("brightness range", lambda: L.RandomBrightness(0.1, value_range=255), ValueError, "value_range", "255")
made("crop size", lambda: L.RandomCrop(0, 3), ValueError, "RandomCrop: height", "0")
made("resizing method", lambda: L.Resizing(3, 3, interpolation="area"), ValueError, "interpolation", "area")
made("resizing both ratios", lambda: L.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ValueError, "pad_to_aspect_ratio")
made("resizing fill mode", lambda: L.Resizing(3, 3, fill_mode="reflect"), ValueError, "fill_mode", "reflect")

# ---- inputs that do not fit -------------------------------------------------------------------------------------------------
built("conv of rows", lambda: L.Conv2D(4, 3), (10,), "rank 4", "height, width, channels", "(None, 10)")
built("conv without channels", lambda: L.Conv2D(4, 3), (28, 28), "rank 4", "x[..., None]", "(None, 28, 28)")
built("conv1d of images", lambda: L.Conv1D(4, 3), (8, 8, 3), "rank 3", "steps", "(None, 8, 8, 3)")
built("conv open channels", lambda: L.Conv2D(4, 3), (8, 8, None), "channels must have a known size")
built("conv groups of channels", lambda: L.Conv2D(4, 3, groups=2), (8, 8, 3), "groups=2", "3")
built("conv too small", lambda: L.Conv2D(4, 5), (8, 4, 3), "window of 5 does not fit", "axis 1 of size 4", "same")
built("conv dilated too small", lambda: L.Conv2D(4, 3, dilation_rate=4), (8, 8, 3), "reaches over 9", "size 8")
built("conv channels first too small", lambda: L.Conv2D(4, 3, data_format="channels_first"), (8, 8, 2), "size 2")
built("depthwise too small", lambda: L.DepthwiseConv2D(4), (3, 3, 2), "window of 4 does not fit", "size 3")
built("separable too small", lambda: L.SeparableConv1D(4, 6), (5, 2), "window of 6 does not fit", "size 5")
built("transposed rank", lambda: L.Conv2DTranspose(4, 3), (8, 3), "rank 4", "(None, 8, 3)")
built("transposed vanishes", lambda: L.Conv2DTranspose(4, 2, padding="same", output_padding=0), (1, 1, 3), "output of size 0")
built("pool too large", lambda: L.MaxPooling2D(3), (2, 5, 1), "window of 3 does not fit", "axis 0 of size 2")
built("pool rank", lambda: L.AveragePooling2D(2), (8, 8), "rank 4", "(None, 8, 8)")
built("global pool rank", lambda: L.GlobalAveragePooling2D(), (8,), "rank 4", "(None, 8)")
built("cropping everything", lambda: L.Cropping2D(2), (4, 9, 1), "cropping (2, 2)", "axis 0 of size 4")
built("up sampling rank", lambda: L.UpSampling2D(), (4, 4), "rank 4", "(None, 4, 4)")
built("spatial dropout rank", lambda: L.SpatialDropout2D(0.5), (4, 4), "rank 4", "(None, 4, 4)")
built("flip rank", lambda: L.RandomFlip(), (4,), "rank 3 or 4", "(None, 4)")
case("deep net shrinks to nothing", images,
     lambda m, x, y: Sequential([L.Input((8, 8, 1)), *(f() for _ in range(3) for f in (lambda: L.Conv2D(2, 3), L.MaxPooling2D))]),
     ValueError, "window of 2 does not fit", "size 1", "max_pooling2d")  # fmt: skip
case("predict on other channels", images, lambda m, x, y: m.predict(x[..., :1], verbose=0), ValueError, "(rows, 6, 5, 2) expected", "(8, 6, 5, 1)")
case("predict without channels", images, lambda m, x, y: m.predict(x[..., 0], verbose=0), ValueError, "(rows, 6, 5, 2) expected", "(8, 6, 5)")
case("layer on other channels", images, lambda m, x, y: m.layers[0](np.zeros((1, 6, 5, 3), "float32")), ValueError, "2 channels", "got 3")
case("layer on a smaller image", images, lambda m, x, y: m.layers[0](np.zeros((1, 2, 5, 2), "float32")), ValueError, "window of 3", "size 2")

# ---- functions --------------------------------------------------------------------------------------------------------------
made("ops.conv rank", lambda: ops.conv(np.ones((2, 3)), np.ones((3, 3, 1, 1))), ValueError, "ops.conv", "rank 3 to 5", "(2, 3)")
made("ops.conv kernel rank", lambda: ops.conv(np.ones((1, 4, 4, 2)), np.ones((3, 2, 1))), ValueError, "ops.conv", "kernel of rank 4", "(3, 2, 1)")
made("ops.conv channels", lambda: ops.conv(np.ones((1, 4, 4, 3)), np.ones((3, 3, 2, 1))), ValueError, "takes 2 channels", "have 3")
made("ops.conv filters", lambda: ops.conv(np.ones((1, 4, 4, 4)), np.ones((3, 3, 2, 3))), ValueError, "groups=2", "3 filters")
made("ops.conv too small", lambda: ops.conv(np.ones((1, 2, 4, 1)), np.ones((3, 3, 1, 1))), ValueError, "window of 3", "size 2")
made("ops.depthwise channels", lambda: ops.depthwise_conv(np.ones((1, 4, 4, 3)), np.ones((2, 2, 2, 1))), ValueError, "3 channels", "(2, 2, 2, 1)")
made("ops.transposed channels", lambda: ops.conv_transpose(np.ones((1, 4, 4, 3)), np.ones((2, 2, 1, 2))), ValueError, "takes 2 channels", "have 3")
made("ops.pool rank", lambda: ops.max_pool(np.ones((4, 4)), 2), ValueError, "ops.max_pool", "rank 3 to 5", "(4, 4)")
made("ops.pool size", lambda: ops.average_pool(np.ones((1, 4, 4, 1)), 5), ValueError, "window of 5", "size 4")
