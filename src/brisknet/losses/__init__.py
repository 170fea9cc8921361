"""Losses, as in keras.losses: classes, functions, names and aliases."""

from brisknet.losses.functions import (
    binary_crossentropy, categorical_crossentropy, hinge, huber, log_cosh, mean_absolute_error, mean_squared_error,
    sparse_categorical_crossentropy, squared_hinge,
)  # fmt: skip
from brisknet.losses.loss import (
    BinaryCrossentropy, CategoricalCrossentropy, Hinge, Huber, LogCosh, Loss, LossFunctionWrapper, MeanAbsoluteError,
    MeanSquaredError, SparseCategoricalCrossentropy, SquaredHinge,
)  # fmt: skip
from brisknet.utils.naming import lookup

__all__ = [
    "MAE", "MSE", "BinaryCrossentropy", "CategoricalCrossentropy", "Hinge", "Huber", "LogCosh", "Loss",
    "MeanAbsoluteError", "MeanSquaredError", "SparseCategoricalCrossentropy", "SquaredHinge", "binary_crossentropy",
    "categorical_crossentropy", "deserialize", "get", "hinge", "huber", "log_cosh", "mae", "mean_absolute_error",
    "mean_squared_error", "mse", "serialize", "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip

MSE = mse = mean_squared_error
MAE = mae = mean_absolute_error

_CLASSES = (
    BinaryCrossentropy, CategoricalCrossentropy, Hinge, Huber, LogCosh, MeanAbsoluteError, MeanSquaredError,
    SparseCategoricalCrossentropy, SquaredHinge,
)  # fmt: skip
_FUNCTIONS = {
    binary_crossentropy: BinaryCrossentropy, categorical_crossentropy: CategoricalCrossentropy, hinge: Hinge,
    huber: Huber, log_cosh: LogCosh, mean_absolute_error: MeanAbsoluteError, mean_squared_error: MeanSquaredError,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy, squared_hinge: SquaredHinge,
}  # fmt: skip
# Keras: the names of classes give objects, the names of functions give the functions.
_NAMED_CLASSES = {c.__name__: c for c in _CLASSES} | {c.__name__.lower(): c for c in _CLASSES}
_NAMED_FUNCTIONS = {f.__name__: f for f in _FUNCTIONS}
_NAMED_FUNCTIONS |= {"mse": mean_squared_error, "MSE": mean_squared_error, "mae": mean_absolute_error}
_NAMED_FUNCTIONS |= {"MAE": mean_absolute_error, "bce": binary_crossentropy, "BCE": binary_crossentropy}
_NAMED_FUNCTIONS |= {"logcosh": log_cosh, "huber_loss": huber}
_TABLE = _NAMED_CLASSES | _NAMED_FUNCTIONS


def get(identifier):
    """A loss from a name, a class, an instance, a function or a config dict, as keras.losses.get; None stays None.

    "mean_squared_error" and "mse" give the function (one value a sample), "MeanSquaredError" a Loss (the mean).
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        found = lookup("loss", identifier, _TABLE)
        return found() if isinstance(found, type) else found
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"loss: a name, a callable or a Loss expected, got {identifier!r}")


def as_loss(identifier):
    """get(identifier) as a Loss with the mean over the batch, named as Keras names what compile() is given."""
    loss = get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    name = identifier if isinstance(identifier, str) else getattr(loss, "__name__", None)
    return _FUNCTIONS[loss](name=name) if loss in _FUNCTIONS else LossFunctionWrapper(loss, name=name)


def serialize(loss):
    """{"class_name", "config"} of a Loss, the name of a built-in function."""
    if isinstance(loss, Loss):
        return {"class_name": type(loss).__name__, "config": loss.get_config()}
    if loss in _FUNCTIONS:
        return loss.__name__
    raise ValueError(f"loss {loss!r} is neither a Loss nor a built-in function and can't be written into a config")


def deserialize(name, custom_objects=None):
    """The loss of a config dict or of a name; ValueError for an unknown one."""
    table = {**_TABLE, **(custom_objects or {})}
    if isinstance(name, str):
        found = lookup("loss", name, table)
        return found() if isinstance(found, type) else found
    if name.get("class_name") == "function":  # as Keras writes functions
        return lookup("loss", name["config"], table)
    return lookup("loss", name["class_name"], table).from_config(name.get("config", {}))
