"""Metrics by name: get, what compile() makes of what it is given, and configs."""

from __future__ import annotations

from brisknet import losses
from brisknet.metrics import accuracy, auc, confusion, correlation, f_score, hinges, iou, probabilistic, regression
from brisknet.metrics.metric import Metric
from brisknet.metrics.reduction import LossMetric, Mean, MeanMetricWrapper, Sum
from brisknet.utils.naming import lookup, to_snake_case

__all__ = ["as_metric", "deserialize", "function_named", "get", "resolve", "serialize"]

_FAMILIES = (accuracy, auc, confusion, correlation, f_score, hinges, iou, probabilistic, regression)
_PUBLIC = {n: getattr(m, n) for m in _FAMILIES for n in m.__all__}
_CLASSES = [c for n, c in _PUBLIC.items() if isinstance(c, type)] + [Mean, MeanMetricWrapper, Sum]
_SHORT = {
    "mse": "MeanSquaredError", "mae": "MeanAbsoluteError", "bce": "BinaryCrossentropy",
    "mape": "MeanAbsolutePercentageError", "msle": "MeanSquaredLogarithmicError",
}  # fmt: skip
# Every name of a class: its own, in lower case, in snake case, and short ones.
_TABLE = {name: c for c in _CLASSES for name in (c.__name__, c.__name__.lower(), to_snake_case(c.__name__))}
_TABLE |= {name: _TABLE[full] for short, full in _SHORT.items() for name in (short, short.upper())}
_TABLE |= {"logcosh": regression.LogCoshError, "log_cosh": regression.LogCoshError}
# Functions, and the classes that compute them faster than the function by itself.
_FUNCTIONS = {
    accuracy.binary_accuracy: accuracy.BinaryAccuracy, accuracy.categorical_accuracy: accuracy.CategoricalAccuracy,
    accuracy.sparse_categorical_accuracy: accuracy.SparseCategoricalAccuracy,
    accuracy.top_k_categorical_accuracy: accuracy.TopKCategoricalAccuracy,
    accuracy.sparse_top_k_categorical_accuracy: accuracy.SparseTopKCategoricalAccuracy,
    correlation.pearson_correlation: correlation.PearsonCorrelation,
    correlation.concordance_correlation: correlation.ConcordanceCorrelation,
}  # fmt: skip
_NAMED_FUNCTIONS = {f.__name__: f for f in _FUNCTIONS}


def get(identifier):
    """A Metric from a name, a class, an instance, a Loss or a config dict; a function stays one (keras.metrics.get).

    Names of losses that have no metric class of their own work too.
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        return _named(identifier)
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, (Metric, losses.Loss)):
        return get(_instance(identifier))
    if isinstance(identifier, losses.Loss):
        return LossMetric(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"metric: a name, a callable or a Metric expected, got {identifier!r}")


def _instance(cls, name=None):
    try:
        return cls()
    except TypeError as error:  # MeanIoU has no default number of classes
        raise ValueError(
            f"metric {name or cls.__name__!r} needs arguments ({error}); give an object, such as {cls.__name__}(...)"
        ) from None


def _named(name: str):
    from brisknet.saving.objects import custom_table

    table = {**_TABLE, **custom_table(wanted=_may_be_metric)}
    if name in table or name.lower() in table:
        found = lookup("metric", name, table)
        return _instance(found, name) if isinstance(found, type) else found
    try:
        return LossMetric(losses.as_loss(name))
    except ValueError:
        lookup("metric", name, {**losses._TABLE, **table, "acc": None})
        raise


def _may_be_metric(thing) -> bool:
    return issubclass(thing, Metric) if isinstance(thing, type) else callable(thing)


def as_metric(identifier):
    """get(identifier) as a Metric, named as Keras names what compile() is given: by the string, or by the function."""
    metric = get(identifier)
    if isinstance(metric, Metric):
        if isinstance(identifier, str):
            metric.name = identifier
        return metric
    name = identifier if isinstance(identifier, str) else getattr(metric, "__name__", None)
    if metric in _FUNCTIONS:
        return _FUNCTIONS[metric](name=name)
    return LossMetric(losses.as_loss(metric), name) if metric in losses._FUNCTIONS else MeanMetricWrapper(metric, name)


def resolve(identifier, y_true_shape, y_pred_shape):
    """as_metric(identifier), with Keras' resolution of "accuracy" by the shapes of target and output.

    "crossentropy" is resolved in the same way.
    """
    name = str(identifier).lower() if isinstance(identifier, str) else ""
    if name not in ("accuracy", "acc", "crossentropy", "ce"):
        return as_metric(identifier)
    a, b = len(y_true_shape), len(y_pred_shape)
    binary = y_pred_shape[-1] == 1
    sparse = a < b or (y_true_shape[-1] == 1 and y_pred_shape[-1] > 1)
    if name in ("accuracy", "acc"):
        if binary:
            return accuracy.BinaryAccuracy(name=identifier)
        return (accuracy.SparseCategoricalAccuracy if sparse else accuracy.CategoricalAccuracy)(name=identifier)
    kind = "binary" if binary else "sparse_categorical" if sparse else "categorical"
    return LossMetric(losses.as_loss(f"{kind}_crossentropy"), identifier)


# ---- configs ------------------------------------------------------------------------------------------------------------
def serialize(metric):
    """{"class_name", "config"} of a Metric, the name of a built-in function.

    Classes and functions of one's own are named as saving.register_serializable has them.
    """
    from brisknet.saving.objects import registered_name

    if isinstance(metric, Metric):
        return {"class_name": registered_name(type(metric)) or type(metric).__name__, "config": metric.get_config()}
    return metric.__name__ if metric in _FUNCTIONS else losses.serialize(metric)


def function_named(config):
    """The function that serialize() has written: one of a metric, of a loss, or a registered one."""
    return _NAMED_FUNCTIONS[config] if isinstance(config, str) and config in _NAMED_FUNCTIONS else losses.deserialize(config)


def deserialize(config, custom_objects=None):
    """The metric of a config dict or of a name; custom_objects and registered ones by name; ValueError for an unknown one."""
    from brisknet.saving.objects import custom_table

    if isinstance(config, str) and config not in (custom_objects or {}):
        return get(config)
    table = {**_TABLE, "LossMetric": LossMetric, **custom_table(custom_objects, _may_be_metric)}
    if isinstance(config, str):
        found = table[config]
        return found() if isinstance(found, type) else found
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ValueError(f'metric config: a name or a dict with "class_name" and "config" expected, got {config!r}')
    if config["class_name"] == "function":  # as Keras writes functions
        return lookup("metric", config["config"], {**_NAMED_FUNCTIONS, **losses._NAMED_FUNCTIONS, **table})
    return lookup("metric", config["class_name"], table).from_config(config.get("config", {}))
