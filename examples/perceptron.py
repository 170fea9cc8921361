"""Rosenblatt's perceptron learns AND and OR but never XOR; one hidden layer does.

Run: python examples/perceptron.py [--epochs 25] [--verbose 0]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.keras.layers import Dense, Input
from brisknet.keras.models import Sequential
from brisknet.keras.optimizers import SGD, Adam

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
GATES = {"AND": [-1, -1, -1, 1], "OR": [-1, 1, 1, 1], "XOR": [-1, 1, 1, -1]}


def rosenblatt(x, y, epochs, rate=1.0):
    """The rule of 1958 in plain NumPy: where the prediction is wrong, w += rate y x and b += rate y."""
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(epochs):
        for row, label in zip(x, y):
            if (1 if row @ w + b > 0 else -1) != label:
                w, b = w + rate * label * row, b + rate * label
    return w, b


def train_perceptron(y, epochs, verbose=0):
    """(share of right answers, w, b) of one step neuron, trained one row at a time, in order, from zero weights."""
    model = Sequential([Input((2,)), Dense(1, activation="step", kernel_initializer="zeros")])
    model.compile(optimizer=SGD(learning_rate=1.0), loss="hinge")
    model.fit(X, y, batch_size=1, epochs=epochs, shuffle=False, verbose=verbose)
    kernel, bias = model.get_weights()
    return np.mean(model.predict(X, verbose=0)[:, 0] == y), kernel[:, 0], bias[0]


def train_mlp(y, epochs, verbose=0):
    """Share of right answers of a 2-4-1 network with tanh units, trained on all four rows at once.

    By squared error: the hinge of a tanh output gives up on a row that is wrong and saturated, and often stays there.
    """
    model = Sequential([Input((2,)), Dense(4, activation="tanh"), Dense(1, activation="tanh")])
    model.compile(optimizer=Adam(learning_rate=0.1), loss="mse")
    model.fit(X, y, batch_size=4, epochs=epochs, verbose=verbose)
    return np.mean(np.sign(model.predict(X, verbose=0)[:, 0]) == y)


def main(argv=None):
    """Returns {gate: (accuracy, w, b)} of the perceptrons, and {"MLP on XOR": accuracy}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=25, help="of the perceptron; the MLP gets 8 times as many")
    parser.add_argument("--verbose", type=int, default=0)
    args = parser.parse_args(argv)

    utils.set_random_seed(1)
    results = {}
    for gate, labels in GATES.items():
        y = np.array(labels, np.float32)
        accuracy, w, b = results[gate] = train_perceptron(y, args.epochs, args.verbose)
        by_hand = rosenblatt(X, y, args.epochs)
        same = np.array_equal(w, by_hand[0]) and b == by_hand[1]
        print(f"{gate:4} perceptron  accuracy {accuracy:4.0%}   w = ({w[0]:+g}, {w[1]:+g}), b = {b:+g}", end="   ")
        print("as Rosenblatt's rule by hand" if same else "NOT what Rosenblatt's rule gives by hand")
    results["MLP on XOR"] = train_mlp(np.array(GATES["XOR"], np.float32), 8 * args.epochs, args.verbose)
    print(f"XOR  2-4-1 MLP   accuracy {results['MLP on XOR']:4.0%}")
    return results


if __name__ == "__main__":
    main()
