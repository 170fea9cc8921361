"""Optimizers, as in keras.optimizers."""

from brisknet.optimizers import schedules
from brisknet.optimizers.adadelta import Adadelta
from brisknet.optimizers.adafactor import Adafactor
from brisknet.optimizers.adagrad import Adagrad
from brisknet.optimizers.adam import Adam, AdamW
from brisknet.optimizers.adamax import Adamax
from brisknet.optimizers.ftrl import Ftrl
from brisknet.optimizers.lamb import Lamb
from brisknet.optimizers.lbfgs import LBFGS
from brisknet.optimizers.lion import Lion
from brisknet.optimizers.muon import Muon
from brisknet.optimizers.nadam import Nadam
from brisknet.optimizers.optimizer import Optimizer
from brisknet.optimizers.rmsprop import RMSprop
from brisknet.optimizers.sgd import SGD
from brisknet.utils.naming import lookup

__all__ = [
    "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam",
    "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize",
]  # fmt: skip

_CLASSES = (SGD, RMSprop, Adam, AdamW, Adadelta, Adagrad, Adamax, Adafactor, Nadam, Ftrl, Lion, Lamb, Muon, LBFGS)
_TABLE = {alias: c for c in _CLASSES for alias in (c.__name__, c.__name__.lower())}


def get(identifier):
    """An optimizer from a name in any case, a class, an instance or a config dict."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        return lookup("optimizer", identifier, _TABLE)()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise ValueError(f"optimizer: a name or an Optimizer expected, got {identifier!r}")


def serialize(optimizer) -> dict:
    """{"class_name", "config"} of an optimizer."""
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(config: dict, custom_objects=None):
    """The optimizer of a config dict; ValueError for an unknown class."""
    from brisknet.saving.objects import _registered

    table = {**_TABLE, **_registered, **(custom_objects or {})}
    cls = lookup("optimizer", config["class_name"], table)
    return cls.from_config(dict(config.get("config", {})))
