"""Why deep sigmoid networks didn't learn: the gradient's norm layer by layer, and four cures.

Run: python examples/vanishing_gradients.py [--epochs 10] [--verbose 0]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.keras.datasets import digits
from brisknet.keras.layers import Activation, Add, BatchNormalization, Dense, Input
from brisknet.keras.models import Model
from brisknet.keras.optimizers import SGD

DEPTH, UNITS = 12, 32
# how a hidden layer is made: activation, kernel initializer, batch normalisation?, x + f(x)?
NETS = {
    "sigmoid": ("sigmoid", "glorot_uniform", False, False),
    "ReLU": ("relu", "glorot_uniform", False, False),
    "ReLU, He": ("relu", "he_normal", False, False),
    "sigmoid, batch norm": ("sigmoid", "glorot_uniform", True, False),
    "sigmoid, residual": ("sigmoid", "glorot_uniform", False, True),
}


def build(activation, initializer, normalise, residual):
    """64 pixels - DEPTH hidden layers of UNITS - 10 classes, and the hidden Dense layers."""
    inputs = Input((64,))
    x, hidden = inputs, []
    for depth in range(DEPTH):
        layer = Dense(UNITS, kernel_initializer=initializer)
        hidden.append(layer)
        y = layer(x)
        if normalise:
            y = BatchNormalization(momentum=0.9)(y)  # Keras' 0.99 needs longer training than this
        y = Activation(activation)(y)
        x = Add()([x, y]) if residual and depth else y  # the first layer has another width than its input
    return Model(inputs, Dense(10, activation="softmax")(x)), hidden


def compile_model(model):
    """Stochastic gradient descent with momentum."""
    model.compile(optimizer=SGD(0.01, momentum=0.9), loss="sparse_categorical_crossentropy", metrics=["accuracy"])


def gradient_norms(model, layers, x, y):
    """The norm of the loss's gradient for each layer's kernel on one batch; the weights stay as they were.

    Momentum starts at zero and becomes momentum * 0 - learning_rate * gradient in the first step: the optimizer's own
    memory holds the gradient exactly, where a difference of rounded weights would lose a small one.
    """
    compile_model(model)
    weights = model.get_weights()
    model.train_on_batch(x, y)
    velocities = model.optimizer.variables[2:]  # after the step count and the learning rate, in the weights' order
    by_weight = {id(w): v for w, v in zip(model.trainable_weights, velocities, strict=True)}
    model.set_weights(weights)
    return [
        float(np.linalg.norm(by_weight[id(layer.kernel)].numpy())) / model.optimizer.learning_rate for layer in layers
    ]


def main(argv=None):
    """Returns {net: {"norms": [first layer ... last], "ratio": first / last, "accuracy": after training}}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--verbose", type=int, default=0)
    args = parser.parse_args(argv)

    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train, x_test = (x.reshape(-1, 64) / 8.0 - 1.0 for x in (x_train, x_test))
    results = {}
    for name, net in NETS.items():
        utils.set_random_seed(0)
        model, hidden = build(*net)
        norms = gradient_norms(model, hidden, x_train[:256], y_train[:256])
        compile_model(model)  # a fresh optimizer, without the velocity of the step above
        model.fit(x_train, y_train, batch_size=32, epochs=args.epochs, verbose=args.verbose)
        accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
        results[name] = {"norms": norms, "ratio": norms[0] / norms[-1], "accuracy": accuracy}

    print(f"Norm of the gradient of each hidden layer's kernel, at the start ({DEPTH} layers)\n")
    print("layer  " + "".join(f"{name:>21}" for name in results))
    for depth in range(DEPTH):
        print(f"{depth + 1:5}  " + "".join(f"{r['norms'][depth]:21.2e}" for r in results.values()))
    print("1st/last" + "".join(f"{r['ratio']:{20 if i == 0 else 21}.1e}" for i, r in enumerate(results.values())))
    print(f"\nTest accuracy after {args.epochs} epochs:")
    for name, r in results.items():
        print(f"  {name:20} {r['accuracy']:.3f}")
    return results


if __name__ == "__main__":
    main()
