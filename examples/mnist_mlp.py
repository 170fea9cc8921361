"""A multilayer perceptron reads handwritten digits: 8,000 of MNIST's 10,000 test images to learn, 2,000 held out.

The images are taken from BRISKNET_DATA or the cache directory (see brisknet.datasets.mnist); where they are not there,
the smaller images that come with brisknet take their place.

Run: python examples/mnist_mlp.py [--epochs 10] [--verbose 1]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.keras.callbacks import LearningRateScheduler
from brisknet.keras.datasets import digits, mnist
from brisknet.keras.layers import Dense, Dropout, Input
from brisknet.keras.models import Sequential


def load():
    """(name, (x_train, y_train), (x_test, y_test)): rows of pixels in [0, 1] and labels."""
    try:
        x, y = mnist.load_test(download=False)
    except FileNotFoundError as reason:
        print(f"No MNIST here, so the built-in digits are used. {reason}\n")
        train, test = ((images.reshape(-1, 64) / np.float32(16), labels) for images, labels in digits.load_data())
        return "digits", train, test
    x = x.reshape(-1, 784) / np.float32(255)
    return "MNIST", (x[:8000], y[:8000]), (x[8000:], y[8000:])


def build(pixels):
    """pixels - 256 ReLU - 128 ReLU - 10, with dropout."""
    model = Sequential([
        Input((pixels,)),
        Dense(256, activation="relu"),
        Dropout(0.2),
        Dense(128, activation="relu"),
        Dropout(0.2),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(argv=None):
    """Returns {"data": "MNIST" or "digits", "loss", "accuracy", "errors": digit -> wrong answers} on held-out images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--verbose", type=int, default=1)
    args = parser.parse_args(argv)

    utils.set_random_seed(7)
    name, train, (x_test, y_test) = load()
    model = build(train[0].shape[1])
    # Smaller steps as it gets better: the last epochs settle instead of jumping about.
    slower = LearningRateScheduler(lambda epoch, rate: rate if epoch == 0 else 0.8 * rate)
    model.fit(*train, batch_size=64, epochs=args.epochs, callbacks=[slower], verbose=args.verbose)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    wrong = model.predict(x_test, verbose=0).argmax(axis=1) != y_test
    errors = {digit: int(wrong[y_test == digit].sum()) for digit in range(10)}
    print(f"{name}: test loss {loss:.4f}   test accuracy {accuracy:.4f} on {len(x_test):,} held-out images")
    print("wrong answers by digit: " + "  ".join(f"{digit}: {n}" for digit, n in errors.items()))
    return {"data": name, "loss": loss, "accuracy": accuracy, "errors": errors}


if __name__ == "__main__":
    main()
