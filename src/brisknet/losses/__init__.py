"""Losses, as in keras.losses: classes, functions, names and aliases."""

from brisknet.losses.circle import Circle, circle
from brisknet.losses.crossentropy import (
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, binary_crossentropy,
    categorical_crossentropy, sparse_categorical_crossentropy,
)  # fmt: skip
from brisknet.losses.ctc import CTC, ctc
from brisknet.losses.focal import (
    BinaryFocalCrossentropy, CategoricalFocalCrossentropy, binary_focal_crossentropy, categorical_focal_crossentropy,
)  # fmt: skip
from brisknet.losses.hinge import (
    CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge,
)  # fmt: skip
from brisknet.losses.loss import Loss, LossFunctionWrapper
from brisknet.losses.overlap import Dice, Tversky, dice, tversky
from brisknet.losses.probabilistic import (
    CategoricalGeneralizedCrossEntropy, KLDivergence, Poisson, categorical_generalized_cross_entropy, kl_divergence,
    poisson,
)  # fmt: skip
from brisknet.losses.regression import (
    CosineSimilarity, Huber, LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, cosine_similarity, huber, log_cosh, mean_absolute_error,
    mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error,
)  # fmt: skip
from brisknet.utils.naming import lookup

__all__ = [
    "CTC", "KLD", "MAE", "MAPE", "MSE", "MSLE", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle",
    "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
    "categorical_hinge", "circle", "cosine_similarity", "ctc", "deserialize", "dice", "get", "hinge", "huber", "kl_divergence",
    "kld", "log_cosh", "mae", "mape", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "mse", "msle", "poisson", "serialize", "sparse_categorical_crossentropy",
    "squared_hinge", "tversky",
]  # fmt: skip

MSE = mse = mean_squared_error
MAE = mae = mean_absolute_error
MAPE = mape = mean_absolute_percentage_error
MSLE = msle = mean_squared_logarithmic_error
KLD = kld = kl_divergence

_CLASSES = (
    CTC, BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle, CosineSimilarity, Dice, Hinge, Huber, KLDivergence,
    LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
    SparseCategoricalCrossentropy, SquaredHinge, Tversky,
)  # fmt: skip
_FUNCTIONS = {c.function: c for c in _CLASSES}
# Keras: the names of classes give objects, the names of functions give the functions.
_NAMED_CLASSES = {c.__name__: c for c in _CLASSES} | {c.__name__.lower(): c for c in _CLASSES}
_NAMED_CLASSES["LossFunctionWrapper"] = LossFunctionWrapper
_NAMED_FUNCTIONS = {f.__name__: f for f in _FUNCTIONS}
_SHORT = {"mse": mse, "mae": mae, "mape": mape, "msle": msle, "kld": kld, "bce": binary_crossentropy}
_NAMED_FUNCTIONS |= _SHORT | {k.upper(): f for k, f in _SHORT.items()}
_NAMED_FUNCTIONS |= {"logcosh": log_cosh, "huber_loss": huber, "kullback_leibler_divergence": kl_divergence}
_TABLE = _NAMED_CLASSES | _NAMED_FUNCTIONS


def get(identifier):
    """A loss from a name, a class, an instance, a function or a config dict, as keras.losses.get; None stays None.

    "mean_squared_error" and "mse" give the function (one value a sample), "MeanSquaredError" a Loss (the mean).
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, (str, dict)):
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
    """{"class_name", "config"} of a Loss, the name of a built-in function.

    A function of one's own is {"class_name": "function", "config": its name} where saving.register_serializable has it.
    """
    from brisknet.saving.objects import registered_name

    if isinstance(loss, Loss):
        return {"class_name": registered_name(type(loss)) or type(loss).__name__, "config": loss.get_config()}
    if loss in _FUNCTIONS:
        return loss.__name__
    name = registered_name(loss)
    if name is None:
        raise ValueError(
            f"loss {loss!r} is neither a Loss nor a built-in function and can't be written into a config; decorate it with "
            "@brisknet.saving.register_serializable()"
        )
    return {"class_name": "function", "config": name}


def _may_be_loss(thing) -> bool:
    return issubclass(thing, Loss) if isinstance(thing, type) else callable(thing)


def deserialize(name, custom_objects=None):
    """The loss of a config dict or of a name; custom_objects and registered ones by name; ValueError for an unknown one."""
    from brisknet.saving.objects import custom_table

    table = {**_TABLE, **custom_table(custom_objects, _may_be_loss)}
    if isinstance(name, str):
        found = lookup("loss", name, table)
        return found() if isinstance(found, type) else found
    if not isinstance(name, dict) or not isinstance(name.get("class_name"), str):
        raise ValueError(f'loss config: a name or a dict with "class_name" and "config" expected, got {name!r}')
    if name["class_name"] == "function":  # as Keras writes functions
        return lookup("loss", name["config"], table)
    return lookup("loss", name["class_name"], table).from_config(name.get("config", {}))
