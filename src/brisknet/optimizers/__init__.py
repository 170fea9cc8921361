"""Optimizers, as in keras.optimizers."""

from brisknet.optimizers.optimizer import SGD, Adadelta, Adagrad, Adam, Optimizer, RMSprop, deserialize, get, serialize

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]
