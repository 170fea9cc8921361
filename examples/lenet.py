"""LeNet-5 reads handwritten digits: 8,000 of MNIST's 10,000 test images to learn, 2,000 held out. LeCun et al. 1998.

Draws its filters, what they make of a digit, and the confusion matrix, where `brisknet[plot]` is installed. The images are
taken from BRISKNET_DATA or the cache directory (see brisknet.datasets.mnist); where they are not there, the smaller images
that come with brisknet take their place, enlarged.

Run: python examples/lenet.py [--epochs 12] [--verbose 1] [--pictures DIRECTORY]
"""

import argparse
from pathlib import Path

import numpy as np

from brisknet import utils
from brisknet.keras.callbacks import LearningRateScheduler
from brisknet.keras.datasets import digits, mnist
from brisknet.keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from brisknet.keras.models import Model, Sequential
from brisknet.keras.optimizers import Adam


def load():
    """(name, (x_train, y_train), (x_test, y_test)): images [rows, 28, 28, 1] in [0, 1] and labels."""
    try:
        x, y = mnist.load_test(download=False)
    except FileNotFoundError as reason:
        print(f"No MNIST here, so the built-in digits are used. {reason}\n")
        (x, y), (x_test, y_test) = digits.load_data()
        x, x_test = (enlarged(images.reshape(-1, 8, 8)) / np.float32(16) for images in (x, x_test))
        return "digits", (x, y), (x_test, y_test)
    x = x[..., None] / np.float32(255)
    return "MNIST", (x[:8000], y[:8000]), (x[8000:], y[8000:])


def enlarged(images):
    """8x8 images as 28x28: each pixel three times, and a margin of two."""
    images = np.repeat(np.repeat(images, 3, axis=1), 3, axis=2)
    return np.pad(images, ((0, 0), (2, 2), (2, 2)))[..., None]


def build():
    """28x28x1 - 6 filters 5x5, pool - 16 filters 5x5, pool - 120 - 84 - 10."""
    model = Sequential([
        Input((28, 28, 1)),
        Conv2D(6, 5, activation="relu", name="filters"),
        MaxPooling2D(2),
        Conv2D(16, 5, activation="relu"),
        MaxPooling2D(2),
        Flatten(),
        Dense(120, activation="relu"),
        Dense(84, activation="relu"),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer=Adam(0.002), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def confusion_matrix(labels, answers, classes=10):
    """How often a digit (row) was read as another (column)."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (labels, answers), 1)
    return counts


# ---- pictures -------------------------------------------------------------------------------------------------------------
def figure(rows, columns, size=1.4):
    """(figure, axes) to draw on, without a window; ImportError that says what to install."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("pictures need matplotlib: pip install brisknet[plot]") from None
    made = Figure(figsize=(size * columns, size * rows), layout="constrained")
    return made, made.subplots(rows, columns, squeeze=False)


def draw_features(model, image, path):
    """The filters of the first layer above what they make of one image."""
    layer = model.get_layer("filters")
    filters = layer.get_weights()[0][:, :, 0]
    maps = Model(model.inputs, layer.output).predict(image[None], verbose=0)[0]
    made, axes = figure(2, filters.shape[-1])
    for i in range(filters.shape[-1]):
        for axis, picture, cmap in ((axes[0, i], filters[..., i], "RdBu"), (axes[1, i], maps[..., i], "gray")):
            axis.imshow(picture, cmap=cmap)
            axis.set_axis_off()
    made.savefig(path)


def draw_confusion(counts, path):
    """The confusion matrix with its numbers; the right answers are left white, so that the errors show."""
    made, axes = figure(1, 1, size=5.5)
    axis = axes[0, 0]
    axis.imshow(np.where(np.eye(len(counts)), 0, counts), cmap="Reds")
    for row, column in np.ndindex(counts.shape):
        axis.text(column, row, counts[row, column], ha="center", va="center", fontsize=8)
    axis.set(xlabel="answer", ylabel="digit", xticks=range(10), yticks=range(10))
    made.savefig(path)


def main(argv=None):
    """Returns {"data": "MNIST" or "digits", "loss", "accuracy", "confusion": [10, 10]} on held-out images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--verbose", type=int, default=1)
    parser.add_argument("--pictures", type=Path, help="directory for features.png and confusion.png")
    args = parser.parse_args(argv)

    utils.set_random_seed(7)
    name, train, (x_test, y_test) = load()
    model = build()
    # Smaller steps as it gets better: the last epochs settle instead of jumping about.
    slower = LearningRateScheduler(lambda epoch, rate: rate if epoch == 0 else 0.8 * rate)
    model.fit(*train, batch_size=32, epochs=args.epochs, callbacks=[slower], verbose=args.verbose)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    counts = confusion_matrix(y_test, model.predict(x_test, verbose=0).argmax(axis=1))
    print(f"{name}: test loss {loss:.4f}   test accuracy {accuracy:.4f} on {len(x_test):,} held-out images")
    if args.pictures:
        args.pictures.mkdir(parents=True, exist_ok=True)
        draw_features(model, x_test[0], args.pictures / "features.png")
        draw_confusion(counts, args.pictures / "confusion.png")
        print(f"pictures: {args.pictures / 'features.png'}, {args.pictures / 'confusion.png'}")
    return {"data": name, "loss": loss, "accuracy": accuracy, "confusion": counts}


if __name__ == "__main__":
    main()
