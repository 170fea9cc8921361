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
_TABLE = {c.__name__: c for c in _CLASSES} | {f.__name__: c for f, c in _FUNCTIONS.items()}
_TABLE |= {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "bce": BinaryCrossentropy, "logcosh": LogCosh}
_TABLE |= {"huber_loss": Huber, "MSE": MeanSquaredError, "MAE": MeanAbsoluteError, "BCE": BinaryCrossentropy}
_TABLE |= {k.lower(): v for k, v in _TABLE.items()}


def get(identifier):
    """A Loss from a name, a class, an instance, a function or a config dict; None stays None."""
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        return lookup("loss", identifier, _TABLE)()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type):
        return identifier()
    if identifier in _FUNCTIONS:
        return _FUNCTIONS[identifier]()
    if callable(identifier):
        return LossFunctionWrapper(identifier)
    raise ValueError(f"loss: a name, a callable or a Loss expected, got {identifier!r}")


def serialize(loss) -> dict:
    """{"class_name", "config"} of a loss."""
    return {"class_name": type(loss).__name__, "config": loss.get_config()}


def deserialize(config: dict, custom_objects=None):
    """The loss of a config dict; ValueError for an unknown class."""
    table = {**_TABLE, **(custom_objects or {})}
    return lookup("loss", config["class_name"], table).from_config(config.get("config", {}))
