"""Tomorrow's minimum temperature from the last weeks', by LSTM and GRU, against the forecast that tomorrow is like today.

The series is daily-min-temperatures.csv (Melbourne, 1981-1990) from BRISKNET_DATA where it is there, else a made one with
a year's cycle and weather that lasts some days.

Run: python examples/temperatures.py [--epochs 15] [--window 30] [--plot forecast.png]
"""

import argparse
import os
from pathlib import Path

import numpy as np

from brisknet import utils
from brisknet.keras.layers import GRU, LSTM, Dense, Input
from brisknet.keras.models import Sequential
from brisknet.keras.optimizers import Adam

DAYS = 3650


def load():
    """(name, float64 [DAYS or so]) of daily minima."""
    folder = os.environ.get("BRISKNET_DATA")
    path = Path(folder or ".") / "daily-min-temperatures.csv"
    if folder and path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        return "Melbourne, 1981-1990", np.array([float(line.split(",")[1].strip('"?')) for line in lines if "," in line])
    rng = np.random.default_rng(0)
    weather = np.zeros(DAYS)
    for day in range(1, DAYS):
        weather[day] = 0.6 * weather[day - 1] + rng.normal(0, 2.0)
    return "a made series", 11 + 4 * np.cos(2 * np.pi * np.arange(DAYS) / 365) + weather


def windows(series, length):
    """(x [n, length, 1], y [n, 1]): every stretch of `length` days, and the day after it."""
    x = np.lib.stride_tricks.sliding_window_view(series[:-1], length)[..., None]
    return np.ascontiguousarray(x, np.float32), series[length:, None].astype(np.float32)


def errors(predicted, true):
    """Root of the mean squared, and mean absolute error."""
    return {"RMSE": float(np.sqrt(np.mean((predicted - true) ** 2))), "MAE": float(np.abs(predicted - true).mean())}


def plot(path, true, forecasts, days=120):
    """The last days of the series and their forecasts, into a picture."""
    from brisknet.utils.plotting import finish, pyplot

    figure, axes = pyplot("--plot").subplots(figsize=(10, 4))
    axes.plot(true[-days:], color="black", label="measured")
    for name, values in forecasts.items():
        axes.plot(values[-days:], label=name, alpha=0.8)
    axes.set_xlabel("day")
    axes.set_ylabel("minimum temperature, °C")
    axes.legend()
    finish(figure, path)


def main(argv=None):
    """Returns {"data", "persistence" | "LSTM" | "GRU": {"RMSE", "MAE"}} on the last two years, from which nothing is learnt."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--window", type=int, default=30)
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--plot", help="write a picture of the last 120 days there")
    parser.add_argument("--verbose", type=int, default=0)
    args = parser.parse_args(argv)

    name, series = load()
    split = len(series) - 730
    mean, std = series[:split].mean(), series[:split].std()
    scaled = (series - mean) / std
    x, y = windows(scaled[:split], args.window)
    x_test, _ = windows(scaled[split - args.window :], args.window)
    true = series[split:]

    forecasts = {"persistence": series[split - 1 : -1]}
    for layer in (LSTM, GRU):
        utils.set_random_seed(1)
        model = Sequential([Input((args.window, 1)), layer(args.units), Dense(1)])
        model.compile(optimizer=Adam(0.003), loss="mse")
        model.fit(x, y, batch_size=32, epochs=args.epochs, verbose=args.verbose)
        forecasts[layer.__name__] = model.predict(x_test, verbose=0)[:, 0] * std + mean

    results = {k: errors(v, true) for k, v in forecasts.items()}
    print(f"{name}: {split} days to learn from, {len(true)} to forecast, each from the {args.window} days before it")
    for k, r in results.items():
        print(f"{k:12} RMSE {r['RMSE']:.3f} °C   MAE {r['MAE']:.3f} °C")
    if args.plot:
        plot(args.plot, true, forecasts)
        print(f"picture: {args.plot}")
    return {"data": name, **results}


if __name__ == "__main__":
    main()
