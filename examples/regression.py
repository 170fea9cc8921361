"""Regression on a real table with three losses: squared error, absolute error, and Huber's between the two.

The table is winequality-red.csv (UCI; eleven chemical values and a taster's mark) from BRISKNET_DATA where it is
there, else the diabetes table that comes with brisknet.

Run: python examples/regression.py [--epochs 60] [--verbose 0]
"""

import argparse
import os
from pathlib import Path

import numpy as np

from brisknet import utils
from brisknet.keras.datasets import diabetes
from brisknet.keras.layers import Dense, Input
from brisknet.keras.losses import Huber
from brisknet.keras.models import Sequential


def read_wine(path):
    """(x, y) of the wine table: with or without its header line, columns parted by ; (as at UCI) or by commas."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    separator = ";" if ";" in lines[0] else ","
    rows = lines[1:] if lines[0].lstrip('"')[:1].isalpha() else lines
    table = np.array([row.split(separator) for row in rows if row], dtype=np.float64)
    return table[:, :-1], table[:, -1]


def load():
    """(name, (x_train, y_train), (x_test, y_test)), a fifth held out at random."""
    folder = os.environ.get("BRISKNET_DATA")
    path = Path(folder or ".") / "winequality-red.csv"
    if not folder or not path.is_file():
        return "diabetes", *diabetes.load_data()
    x, y = read_wine(path)
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[len(x) // 5 :], order[: len(x) // 5]
    return "red wine", (x[train], y[train]), (x[test], y[test])


def standardise(train, *others):
    """Arrays with the mean and the spread of `train` taken out, and these two."""
    mean, std = train.mean(axis=0), train.std(axis=0)
    return [(a - mean) / std for a in (train, *others)], mean, std


def main(argv=None):
    """Returns {"data", "baseline": {"MAE", "RMSE"}, "MSE" | "MAE" | "Huber" loss: {"MAE", "RMSE"}} on held-out rows.

    The baselines answer with the training mean (for RMSE) and median (for MAE): the best that knows no column.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--verbose", type=int, default=0)
    args = parser.parse_args(argv)

    name, (x_train, y_train), (x_test, y_test) = load()
    (x_train, x_test), _, _ = standardise(x_train, x_test)
    (t_train,), mean, std = standardise(y_train)
    baseline = {
        "MAE": float(np.abs(y_test - np.median(y_train)).mean()),
        "RMSE": float(np.sqrt(np.mean((y_test - mean) ** 2))),
    }
    results = {"data": name, "baseline": baseline}
    for title, loss in {"MSE": "mse", "MAE": "mae", "Huber": Huber(delta=1.0)}.items():
        utils.set_random_seed(3)
        model = Sequential([
            Input((x_train.shape[1],)),
            Dense(16, activation="relu", kernel_regularizer="l2"),
            Dense(1),
        ])  # fmt: skip
        model.compile(optimizer="adam", loss=loss)
        model.fit(x_train, t_train, batch_size=32, epochs=args.epochs, verbose=args.verbose)
        error = model.predict(x_test, verbose=0)[:, 0] * std + mean - y_test
        results[title] = {"MAE": float(np.abs(error).mean()), "RMSE": float(np.sqrt(np.mean(error**2)))}

    print(f"{name}: {len(x_train)} rows to learn, {len(x_test)} held out, {x_train.shape[1]} columns")
    print(f"{'trained on':20} {'test MAE':>9} {'test RMSE':>10}")
    for title in ("baseline", "MSE", "MAE", "Huber"):
        label = "mean, median" if title == "baseline" else title
        print(f"{label:20} {results[title]['MAE']:9.4f} {results[title]['RMSE']:10.4f}")
    return results


if __name__ == "__main__":
    main()
