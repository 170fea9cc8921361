"""What the examples that paint digits share: the images, pictures of what was painted, and a judge that tries to read it."""

import functools
from pathlib import Path

import numpy as np

from brisknet import utils
from brisknet.keras.callbacks import LearningRateScheduler
from brisknet.keras.datasets import digits, mnist
from brisknet.keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from brisknet.keras.models import Sequential
from brisknet.utils.plotting import finish, pyplot


def load():
    """(name, images [rows, 28, 28, 1] float32 in [0, 1], labels [rows]), in random order.

    The 10,000 test images of MNIST, from BRISKNET_DATA or the cache directory (see brisknet.datasets.mnist); where they are
    not there, the 1,797 smaller images that come with brisknet, enlarged.
    """
    try:
        x, y = mnist.load_test(download=False)
        name, x = "MNIST", x / np.float32(255)
    except FileNotFoundError as reason:
        print(f"No MNIST here, so the built-in digits are used. {reason}\n")
        x, y = (np.concatenate(parts) for parts in zip(*digits.load_data(), strict=True))
        x = np.kron(x.reshape(-1, 8, 8) / np.float32(16), np.ones((1, 3, 3), np.float32))  # each pixel three times
        name, x = "digits", np.pad(x, ((0, 0), (2, 2), (2, 2)))
    order = np.random.default_rng(0).permutation(len(x))  # MNIST's second half is easier than its first
    return name, x[order][..., None], y[order].astype("int32")


# ---- pictures -------------------------------------------------------------------------------------------------------------
def grid(path, images, columns=10):
    """Write images [rows, height, width] or [rows, height, width, 1] in [0, 1] into one picture, `columns` side by side.

    The folder is made where it is missing. ImportError that says what to install where there is no matplotlib.
    """
    plt = pyplot("a picture of digits")
    images = np.asarray(images, "float32")
    images = images.reshape(images.shape[:3])
    images = np.pad(images, ((0, -len(images) % columns), (1, 1), (1, 1)))  # blanks at the end; a margin between images
    _, height, width = images.shape
    tiled = images.reshape(-1, columns, height, width).swapaxes(1, 2).reshape(-1, columns * width)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    plt.imsave(path, np.repeat(np.repeat(tiled, 2, axis=0), 2, axis=1), cmap="gray", vmin=0, vmax=1)


def curves(path, histories, xlabel="epoch", ylabel="loss"):
    """Draw {name: one number an epoch (or a step)}, such as History.history, as curves; folders and errors as for grid()."""
    plt = pyplot("a picture of losses")
    figure, axis = plt.subplots(figsize=(7, 4))
    for name, values in histories.items():
        axis.plot(np.arange(1, len(values) + 1), values, label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.legend()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    finish(figure, path)


# ---- the judge ------------------------------------------------------------------------------------------------------------
def reader():
    """A small convolutional network that reads 28x28x1 images of digits."""
    model = Sequential([
        Input((28, 28, 1)),
        Conv2D(16, 5, activation="relu"),
        MaxPooling2D(2),
        Conv2D(32, 5, activation="relu"),
        MaxPooling2D(2),
        Flatten(),
        Dropout(0.3),
        Dense(100, activation="relu"),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@functools.cache
def trained_reader(epochs=8):
    """(reader, its accuracy on real digits it has not seen): learnt from four fifths of the images, tried on the last fifth."""
    utils.set_random_seed(0)
    name, x, y = load()
    cut = len(x) * 4 // 5
    model = reader()
    slower = LearningRateScheduler(lambda epoch, rate: rate if epoch == 0 else 0.7 * rate)
    model.fit(x[:cut], y[:cut], batch_size=32, epochs=epochs, callbacks=[slower], verbose=0)
    accuracy = model.evaluate(x[cut:], y[cut:], verbose=0)[1]
    confidence = model.predict(x[cut:], verbose=0).max(axis=1).mean()
    print(f"judge: learnt from {cut:,} {name} images; reads {accuracy:.2%} of {len(x) - cut:,} others right, "
          f"confidence {confidence:.3f}")  # fmt: skip
    return model, accuracy


def judge(images, epochs=8):
    """How a network that has learnt to read real digits takes to images [rows, 28, 28, 1] in [0, 1]. Prints it, and returns

    {"confidence": mean of its highest probability, "classes": how many of the ten digits make up 1 % or more of the images,
    "counts": images of each digit [10], "accuracy": the judge's own on real digits it has not seen}
    """
    model, accuracy = trained_reader(epochs)
    answers = model.predict(np.asarray(images, "float32").reshape(-1, 28, 28, 1), verbose=0)
    counts = np.bincount(answers.argmax(axis=1), minlength=10)
    confidence, classes = float(answers.max(axis=1).mean()), int((counts >= 0.01 * len(answers)).sum())
    print(f"{len(answers):,} samples: mean confidence {confidence:.3f}, {classes} of 10 digits appear "
          f"(0 to 9: {' '.join(map(str, counts))})")  # fmt: skip
    return {"confidence": confidence, "classes": classes, "counts": counts, "accuracy": accuracy}
