"""Residual networks for small images, built as those of keras.applications are. He et al. 2016.

`ResNet20()` is the 20-layer network of the paper's section on 32x32 images; `ResNet(n)` has 6 n + 2 layers. Run as a program
it learns MNIST's digits (data as in lenet.py) or the digits that come with brisknet.

Run: python examples/resnet.py [--epochs 3] [--rows 8000] [--shortcut projection|identity] [--verbose 1]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.keras.datasets import digits, mnist
from brisknet.keras.layers import (
    Activation, Add, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense, GlobalAveragePooling2D,
    GlobalMaxPooling2D, Input, Rescaling,
)  # fmt: skip
from brisknet.keras.models import Model
from brisknet.keras.optimizers import SGD

def convolution(x, filters, kernel, strides=1, activation="relu", name=None):
    """Convolution without bias, batch normalisation, activation. The momentum of 0.9 suits runs of a few hundred steps."""
    x = Conv2D(
        filters, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    x = BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return Activation(activation, name=f"{name}_{activation}")(x) if activation else x


def block(x, filters, strides=1, shortcut="projection", name=None):
    """Two 3x3 convolutions whose result is added to the block's input.

    Where sizes change, a 1x1 convolution carries the input over ("projection"), or the input itself, every second pixel
    of it and with channels of zeros ("identity", without parameters).
    """
    carried = x
    if strides != 1 or x.shape[-1] != filters:
        if shortcut == "projection":
            carried = convolution(x, filters, 1, strides, None, f"{name}_0")
        else:
            carried = AveragePooling2D(1, strides, name=f"{name}_0_subsample")(x) if strides != 1 else x
            zeros = Rescaling(0.0, name=f"{name}_0_zeros")(carried)
            carried = Concatenate(name=f"{name}_0_channels")([carried] + [zeros] * (filters // x.shape[-1] - 1))
    y = convolution(x, filters, 3, strides, "relu", f"{name}_1")
    y = convolution(y, filters, 3, 1, None, f"{name}_2")
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([carried, y]))


def ResNet(
    n, include_top=True, input_shape=(32, 32, 3), pooling=None, classes=10, classifier_activation="softmax", width=16,
    shortcut="projection", name=None,
):  # fmt: skip
    """A residual network of 6 n + 2 layers: three stages of n blocks with width, 2 width and 4 width channels.

    include_top   whether to end in the mean of each channel and a dense layer of `classes` outputs
    pooling       without top: None, "avg" or "max"
    shortcut      what joins stages: "projection" or "identity"
    """
    inputs = Input(input_shape)
    x = convolution(inputs, width, 3, name="stem")
    for stage, filters in enumerate((width, 2 * width, 4 * width)):
        for i in range(n):
            x = block(x, filters, 2 if stage and not i else 1, shortcut, f"stage{stage + 1}_block{i + 1}")
    if include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dense(classes, classifier_activation, name="predictions")(x)
    elif pooling:
        x = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}[pooling](name=f"{pooling}_pool")(x)
    return Model(inputs, x, name=name or f"resnet{6 * n + 2}")


def ResNet20(**options):
    """20 layers, 0.27 million parameters."""
    return ResNet(3, **options)


def load():
    """(name, (x_train, y_train), (x_test, y_test)): square images with one channel in [0, 1], and labels."""
    try:
        x, y = mnist.load_test(download=False)
    except FileNotFoundError as reason:
        print(f"No MNIST here, so the built-in digits are used. {reason}\n")
        train, test = ((x.reshape(-1, 8, 8, 1) / np.float32(16), y) for x, y in digits.load_data())
        return "digits", train, test
    x = x[..., None] / np.float32(255)
    return "MNIST", (x[:8000], y[:8000]), (x[8000:], y[8000:])


def main(argv=None):
    """Returns {"data": "MNIST" or "digits", "loss", "accuracy", "parameters"} on held-out images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=8000, help="images to learn from")
    parser.add_argument("--shortcut", choices=("projection", "identity"), default="projection")
    parser.add_argument("--verbose", type=int, default=1)
    args = parser.parse_args(argv)

    utils.set_random_seed(7)
    name, (x, y), (x_test, y_test) = load()
    model = ResNet20(input_shape=x.shape[1:], shortcut=args.shortcut)
    model.compile(SGD(0.1, momentum=0.9), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[: args.rows], y[: args.rows], batch_size=64, epochs=args.epochs, verbose=args.verbose)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{name}, {model.name} of {model.count_params():,} parameters: test accuracy {accuracy:.4f} on {len(x_test):,} held-out images")
    return {"data": name, "loss": loss, "accuracy": accuracy, "parameters": model.count_params()}


if __name__ == "__main__":
    main()
