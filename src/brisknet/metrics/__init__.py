"""Metrics, as in keras.metrics; every loss is one too."""

from brisknet.losses.functions import (
    binary_crossentropy, categorical_crossentropy, hinge, huber, log_cosh, mean_absolute_error, mean_squared_error,
    sparse_categorical_crossentropy, squared_hinge,
)  # fmt: skip
from brisknet.metrics.loss_metrics import (
    BinaryCrossentropy, CategoricalCrossentropy, Hinge, LogCoshError, MeanAbsoluteError, MeanSquaredError,
    SparseCategoricalCrossentropy, SquaredHinge,
)  # fmt: skip
from brisknet.metrics.metric import (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, Mean, MeanMetricWrapper, Metric, SparseCategoricalAccuracy, Sum,
    binary_accuracy, categorical_accuracy, deserialize, get, serialize, sparse_categorical_accuracy,
)  # fmt: skip

__all__ = [
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy", "CategoricalCrossentropy", "Hinge",
    "LogCoshError", "Mean", "MeanAbsoluteError", "MeanMetricWrapper", "MeanSquaredError", "Metric",
    "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "SquaredHinge", "Sum", "binary_accuracy",
    "binary_crossentropy", "categorical_accuracy", "categorical_crossentropy", "deserialize", "get", "hinge", "huber",
    "log_cosh", "mean_absolute_error", "mean_squared_error", "serialize", "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip
