"""Will a click follow? Three penalties on one network: L1, L2 and elastic net, with dropout and early stopping.

Run: python examples/ads.py [--epochs 50] [--verbose 1]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.keras import regularizers
from brisknet.keras.callbacks import EarlyStopping
from brisknet.keras.layers import Dense, Dropout, Input
from brisknet.keras.models import Sequential
from brisknet.keras.optimizers import Adam


def make_data(rows=1000, features=10):
    """(x_train, y_train, x_test, y_test): uniform features, random labels, standardised by the training part."""
    rng = np.random.default_rng(0)
    x, y = rng.random((rows, features)), rng.integers(0, 2, rows)
    cut = int(0.8 * rows)
    mean, std = x[:cut].mean(axis=0), x[:cut].std(axis=0)
    x = (x - mean) / std
    return x[:cut], y[:cut], x[cut:], y[cut:]


def build(regularizer):
    """Dense 64 - Dropout - Dense 32 - Dropout - Dense 1, the penalty on both hidden kernels."""
    model = Sequential([
        Input((10,)),
        Dense(64, activation="relu", kernel_regularizer=regularizer),
        Dropout(0.5),
        Dense(32, activation="relu", kernel_regularizer=regularizer),
        Dropout(0.5),
        Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(optimizer=Adam(learning_rate=0.001), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def main(argv=None):
    """Train the three models; returns {penalty: (loss, accuracy)} on the held-out fifth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--verbose", type=int, default=1)
    args = parser.parse_args(argv)

    utils.set_random_seed(42)
    x_train, y_train, x_test, y_test = make_data()
    penalties = {
        "L1": regularizers.l1(0.01),
        "L2": regularizers.l2(0.01),
        "elastic net": regularizers.l1_l2(l1=0.01, l2=0.01),
    }
    results = {}
    for name, regularizer in penalties.items():
        model = build(regularizer)
        stop = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
        history = model.fit(
            x_train, y_train, epochs=args.epochs, batch_size=32, validation_data=(x_test, y_test),
            callbacks=[stop], verbose=args.verbose,
        )  # fmt: skip
        loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
        results[name] = (loss, accuracy)
        print(f"{name:12} {len(history.epoch):3} epochs   test loss {loss:.4f}   test accuracy {accuracy:.4f}")
    return results


if __name__ == "__main__":
    main()
