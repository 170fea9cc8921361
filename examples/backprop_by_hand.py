"""Backpropagation by hand: a 2-2-1 network, every value worked out in NumPy and compared with what brisknet does.

Run: python examples/backprop_by_hand.py [--epochs 1] [--verbose 1]
"""

import argparse

import numpy as np

from brisknet.keras.layers import Dense, Input
from brisknet.keras.models import Model
from brisknet.keras.optimizers import SGD

RATE = 0.5
X = np.array([[0.5, 1.0]])  # one row
Y = np.array([[0.1]])
START = {
    "W1": np.array([[0.15, 0.25], [0.20, 0.30]]),  # W1[i, j]: from input i to hidden unit j
    "b1": np.array([0.35, 0.35]),
    "W2": np.array([[0.40], [0.45]]),
    "b2": np.array([0.60]),
}


def sigmoid(z):
    """1 / (1 + e^-z); its derivative is s (1 - s)."""
    return 1 / (1 + np.exp(-z))


def step_by_hand(w):
    """(values, gradients, weights after) of one step of gradient descent on (y - t)^2, by the chain rule."""
    z1 = X @ w["W1"] + w["b1"]  # [1, 2]
    h = sigmoid(z1)
    z2 = h @ w["W2"] + w["b2"]  # [1, 1]
    y = sigmoid(z2)
    loss = np.mean((y - Y) ** 2)
    dz2 = 2 * (y - Y) * y * (1 - y)  # dL/dy dy/dz2
    dz1 = (dz2 @ w["W2"].T) * h * (1 - h)  # back through W2, then through the sigmoid
    gradients = {"W1": X.T @ dz1, "b1": dz1[0], "W2": h.T @ dz2, "b2": dz2[0]}
    after = {name: w[name] - RATE * gradients[name] for name in w}
    return {"h": h, "y": y, "loss": loss}, gradients, after


def build():
    """The same network, with its hidden layer as a second output to look at."""
    inputs = Input((2,))
    hidden = Dense(2, activation="sigmoid")(inputs)
    outputs = Dense(1, activation="sigmoid")(hidden)
    model, forward = Model(inputs, outputs), Model(inputs, [hidden, outputs])
    model.compile(optimizer=SGD(learning_rate=RATE), loss="mse")
    model.set_weights(list(START.values()))
    return model, forward


def step_by_brisknet(model, forward):
    """The same three dicts: values before the step, and gradients as (weight before - weight after) / rate."""
    before = dict(zip(START, model.get_weights()))
    h, y = forward(X)
    loss = model.train_on_batch(X, Y)
    after = dict(zip(START, model.get_weights()))
    gradients = {name: (before[name].astype(np.float64) - after[name]) / RATE for name in before}
    return {"h": h, "y": y, "loss": loss}, gradients, after


def compare(step, by_hand, ours, verbose):
    """Print both columns; returns the largest difference. AssertionError where one exceeds 1e-6."""
    worst = 0.0
    for title, hand, own in zip(("forward", "gradient", "updated"), by_hand, ours):
        for name in hand:
            a, b = np.ravel(hand[name]), np.ravel(own[name])
            worst = max(worst, float(np.abs(a - b).max()))
            if verbose:
                rows = "   ".join(f"{p:+.7f} {q:+.7f}" for p, q in zip(a, b))
                print(f"step {step}  {title:8} {name:4}  by hand, brisknet:  {rows}")
            assert np.allclose(a, b, rtol=0, atol=1e-6), f"step {step}: {title} {name}: {a} by hand, {b} by brisknet"
    return worst


def main(argv=None):
    """Returns {"steps", "worst" (largest difference), "losses"}; one epoch is one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--verbose", type=int, default=1)
    args = parser.parse_args(argv)

    weights = START
    model, forward = build()
    worst, losses = 0.0, []
    for step in range(1, args.epochs + 1):
        by_hand = step_by_hand(weights)
        worst = max(worst, compare(step, by_hand, step_by_brisknet(model, forward), args.verbose))
        weights = by_hand[2]
        losses.append(float(by_hand[0]["loss"]))
    print(f"{args.epochs} step(s): every value, gradient and weight equals the formulas; largest difference {worst:.1e}")
    return {"steps": args.epochs, "worst": worst, "losses": losses}


if __name__ == "__main__":
    main()
