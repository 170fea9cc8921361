"""All loss functions in one namespace: (y_true, y_pred) -> one value a sample; on arrays and traced tensors."""

from brisknet.losses.circle import circle
from brisknet.losses.common import align, check_labels, float_type, labels_of, source_op
from brisknet.losses.crossentropy import (
    binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy,
)  # fmt: skip
from brisknet.losses.ctc import ctc
from brisknet.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from brisknet.losses.hinge import categorical_hinge, hinge, signed, squared_hinge
from brisknet.losses.overlap import dice, tversky
from brisknet.losses.probabilistic import categorical_generalized_cross_entropy, kl_divergence, poisson
from brisknet.losses.regression import (
    cosine_similarity, huber, log_cosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    mean_squared_logarithmic_error,
)  # fmt: skip

__all__ = [
    "align", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "categorical_hinge", "check_labels",
    "circle", "cosine_similarity", "ctc", "dice", "float_type", "hinge", "huber", "kl_divergence", "labels_of", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "signed", "source_op", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]  # fmt: skip
