"""Two convolutional networks on handwritten digits: stacks of 3x3 filters (as VGG, Simonyan & Zisserman 2015), and the same in
depthwise and pointwise parts (as MobileNet, Howard et al. 2017), which need a fraction of the multiplications.

The images are shifted, turned and zoomed at random by layers of the model, inside the training step. Data as in lenet.py.

Run: python examples/convnets.py [--net vgg|separable] [--epochs 6] [--width 16] [--verbose 1]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.keras.datasets import digits, mnist
from brisknet.keras.layers import (
    BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Dropout, GlobalAveragePooling2D, Input, MaxPooling2D,
    RandomRotation, RandomTranslation, RandomZoom, ReLU,
)  # fmt: skip
from brisknet.keras.models import Sequential


def load():
    """(name, (x_train, y_train), (x_test, y_test)): images [rows, 28, 28, 1] in [0, 1] and labels."""
    try:
        x, y = mnist.load_test(download=False)
    except FileNotFoundError as reason:
        print(f"No MNIST here, so the built-in digits are used. {reason}\n")
        (x, y), (x_test, y_test) = digits.load_data()
        x, x_test = (np.kron(a.reshape(-1, 8, 8), np.ones((1, 3, 3)))[..., None] / np.float32(16) for a in (x, x_test))
        margin = ((0, 0), (2, 2), (2, 2), (0, 0))
        return "digits", (np.pad(x, margin), y), (np.pad(x_test, margin), y_test)
    x = x[..., None] / np.float32(255)
    return "MNIST", (x[:8000], y[:8000]), (x[8000:], y[8000:])


def augmentation():
    """Small shifts, turns and zooms, in training only."""
    options = {"fill_mode": "constant"}
    return [RandomTranslation(0.08, 0.08, **options), RandomRotation(0.03, **options), RandomZoom(0.1, **options)]


def normalized():
    """Batch normalisation whose moving statistics follow within a hundred steps: the runs here are short."""
    return BatchNormalization(momentum=0.9)


def vgg(width=16, input_shape=(28, 28, 1), classes=10, augmented=True):
    """Three blocks of two 3x3 convolutions, width, 2 width and 4 width channels, each block ending in a pool."""
    layers = [Input(input_shape), *(augmentation() if augmented else [])]
    for channels in (width, 2 * width, 4 * width):
        for _ in range(2):
            layers += [Conv2D(channels, 3, padding="same", use_bias=False), normalized(), ReLU()]
        layers.append(MaxPooling2D(2))
    return Sequential([*layers, GlobalAveragePooling2D(), Dropout(0.2), Dense(classes, activation="softmax")])


def separable(width=32, input_shape=(28, 28, 1), classes=10, augmented=True):
    """A 3x3 convolution, then blocks of a depthwise 3x3 and a pointwise 1x1 one; strides of 2 halve the image."""
    layers = [Input(input_shape), *(augmentation() if augmented else [])]
    layers += [Conv2D(width, 3, padding="same", use_bias=False), normalized(), ReLU()]
    for channels, strides in ((width, 1), (2 * width, 2), (2 * width, 1), (4 * width, 2), (4 * width, 1)):
        layers += [DepthwiseConv2D(3, strides, "same", use_bias=False), normalized(), ReLU()]
        layers += [Conv2D(channels, 1, use_bias=False), normalized(), ReLU()]
    return Sequential([*layers, GlobalAveragePooling2D(), Dense(classes, activation="softmax")])


def main(argv=None):
    """Returns {"data": "MNIST" or "digits", "loss", "accuracy", "parameters"} on held-out images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=("vgg", "separable"), default="vgg")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--verbose", type=int, default=1)
    args = parser.parse_args(argv)

    utils.set_random_seed(7)
    name, train, (x_test, y_test) = load()
    model = {"vgg": vgg, "separable": separable}[args.net](args.width)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, batch_size=64, epochs=args.epochs, verbose=args.verbose)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{name}, {args.net} of {model.count_params():,} parameters: test accuracy {accuracy:.4f} on {len(x_test):,} held-out images")
    return {"data": name, "loss": loss, "accuracy": accuracy, "parameters": model.count_params()}


if __name__ == "__main__":
    main()
