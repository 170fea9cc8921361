"""One classifier of real handwritten digits, seven optimizers, by name and as objects; then three batch sizes.

Run: python examples/optimizers.py [--epochs 15] [--verbose 0]
"""

import argparse
import time

from brisknet import utils
from brisknet.keras.datasets import digits
from brisknet.keras.layers import Dense, Input
from brisknet.keras.models import Sequential
from brisknet.keras.optimizers import SGD, Adadelta, Adagrad, Adam, RMSprop

BY_NAME = ("sgd", "RMSprop", "adam", "Adagrad", "adadelta")  # any case; Keras' default settings


def make_objects():
    """{title: optimizer}, with learning rates that suit this task better than the defaults."""
    return {
        "SGD": SGD(learning_rate=0.1),
        "SGD, momentum 0.9": SGD(learning_rate=0.1, momentum=0.9),
        "SGD, Nesterov": SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
        "RMSprop": RMSprop(learning_rate=0.003),
        "Adam": Adam(learning_rate=0.003),
        "AdaGrad": Adagrad(learning_rate=0.1),
        "AdaDelta": Adadelta(learning_rate=1.0),
    }


def load():
    """(x_train, y_train), (x_test, y_test): 64 pixels scaled to [0, 1], labels 0 to 9."""
    return [(x.reshape(-1, 64) / 16.0, y) for x, y in digits.load_data()]


def train(optimizer, batch_size, epochs, verbose=0):
    """{"loss" (of the last epoch), "accuracy" (on test images), "seconds", "steps"} of a fresh 64-32-10 network."""
    train_set, test_set = load()
    utils.set_random_seed(0)  # the same first weights and the same order of rows for every optimizer
    model = Sequential([Input((64,)), Dense(32, activation="relu"), Dense(10, activation="softmax")])
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(*train_set, batch_size=batch_size, epochs=epochs, verbose=verbose)
    seconds = time.perf_counter() - start
    accuracy = model.evaluate(*test_set, verbose=0)[1]
    return {
        "loss": history.history["loss"][-1],
        "accuracy": accuracy,
        "seconds": seconds,
        "steps": int(model.optimizer.iterations.numpy()),
    }


def show(title, rows):
    """Print a table of train()'s results."""
    print(f"\n{title:28} {'steps':>6}  {'train loss':>10}  {'test accuracy':>13}  {'seconds':>7}")
    for name, r in rows.items():
        print(f"{name:28} {r['steps']:6}  {r['loss']:10.4f}  {r['accuracy']:13.4f}  {r['seconds']:7.3f}")


def main(argv=None):
    """Returns {"by name": {...}, "objects": {...}, "batch sizes": {...}} of train()'s results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--verbose", type=int, default=0)
    args = parser.parse_args(argv)

    rows = len(load()[0][0])
    sizes = {"batch (all rows)": rows, "stochastic (1)": 1, "mini-batch (32)": 32}
    results = {
        "by name": {name: train(name, 32, args.epochs, args.verbose) for name in BY_NAME},
        "objects": {name: train(opt, 32, args.epochs, args.verbose) for name, opt in make_objects().items()},
        "batch sizes": {name: train(SGD(0.05), size, args.epochs, args.verbose) for name, size in sizes.items()},
    }
    show("by name (Keras' defaults)", results["by name"])
    show("objects (settings of ours)", results["objects"])
    show("gradient descent, SGD(0.05)", results["batch sizes"])
    return results


if __name__ == "__main__":
    main()
