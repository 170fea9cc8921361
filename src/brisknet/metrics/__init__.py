"""Metrics, as in keras.metrics; every loss is one too."""

from brisknet.metrics.metric import (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, Mean, MeanMetricWrapper, Metric, SparseCategoricalAccuracy, Sum,
    binary_accuracy, categorical_accuracy, get, sparse_categorical_accuracy,
)  # fmt: skip

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "Mean", "MeanMetricWrapper", "Metric",
    "SparseCategoricalAccuracy", "Sum", "binary_accuracy", "categorical_accuracy", "get",
    "sparse_categorical_accuracy",
]  # fmt: skip
