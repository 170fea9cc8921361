"""Bad calls: losses and activations."""

# fmt: off
import numpy as np

from brisknet import activations, losses, ops
from brisknet.layers import Activation, Dense, Input
from brisknet.models import Sequential
from tests.bad_calls import case, refitted, regression, rows, sparse


def frames():
    """Sequences of 6 frames with 4 classes each, for CTC."""
    model = Sequential([Input((6, 3)), Dense(4)])
    model.compile("sgd", losses.CTC())
    return model, np.random.default_rng(0).normal(size=(12, 6, 3)).astype("float32"), np.tile([1, 2, 0], (12, 1))


# ---- arguments of losses -------------------------------------------------------------------------------------------
case("focal-alpha", sparse, lambda m, x, y: losses.BinaryFocalCrossentropy(alpha=2), ValueError,
     "BinaryFocalCrossentropy: alpha must be a number in [0, 1]", "got 2")
case("focal-gamma", sparse, lambda m, x, y: losses.BinaryFocalCrossentropy(gamma=-1), ValueError,
     "BinaryFocalCrossentropy: gamma must be a number >= 0", "got -1")
case("categorical-focal-alpha", sparse, lambda m, x, y: losses.CategoricalFocalCrossentropy(alpha=[0.1, "a"]), ValueError,
     "CategoricalFocalCrossentropy: alpha must be a number", "got 'a'")
case("ignore-class", sparse, lambda m, x, y: losses.SparseCategoricalCrossentropy(ignore_class=1.5), ValueError,
     "ignore_class must be a whole number or None", "got 1.5")
case("gce-q", sparse, lambda m, x, y: losses.CategoricalGeneralizedCrossEntropy(q=1), ValueError,
     "CategoricalGeneralizedCrossEntropy: q must be a number in (0, 1)", "got 1")
case("tversky-alpha", sparse, lambda m, x, y: losses.Tversky(alpha="half"), ValueError,
     "Tversky: alpha must be a number >= 0", "got 'half'")
case("circle-gamma", sparse, lambda m, x, y: losses.Circle(gamma=0), ValueError,
     "Circle: gamma must be a number > 0", "got 0")
case("loss-dtype", sparse, lambda m, x, y: losses.MeanSquaredError(dtype="int32"), ValueError,
     'dtype of a loss must be "float32" or "float64"', "got 'int32'")
case("loss-reduction-list", sparse, lambda m, x, y: losses.Poisson(reduction=["sum"]), ValueError,
     "reduction must be one of", "got ['sum']")
case("loss-config", sparse, lambda m, x, y: losses.deserialize({"config": {}}), ValueError,
     'loss config: a name or a dict with "class_name"', "got {'config': {}}")
case("loss-config-name", sparse, lambda m, x, y: losses.get({"class_name": "Tverski", "config": {}}), ValueError,
     "unknown loss 'Tverski'", "did you mean 'tversky'")
case("loss-own-in-config", sparse, lambda m, x, y: losses.serialize(rows), ValueError,
     "neither a Loss nor a built-in function", "register_serializable")

# ---- targets that a loss can't take --------------------------------------------------------------------------------
case("ignore-class-others", sparse,
     lambda m, x, y: refitted(m, x, np.where(y == 0, 7, y), losses.SparseCategoricalCrossentropy(ignore_class=-1)),
     ValueError, "y: class labels in [0, 3) expected", "got 7")
case("gce-labels", sparse,
     lambda m, x, y: refitted(m, x, y + 1, losses.CategoricalGeneralizedCrossEntropy()), ValueError,
     "y: class labels in [0, 3) expected", "got 3")
case("categorical-focal-labels", sparse, lambda m, x, y: refitted(m, x, y, "categorical_focal_crossentropy"), ValueError,
     "one-hot rows of shape (3,) expected by categorical_focal_crossentropy", "got ()")
case("loss-per-sample", regression,
     lambda m, x, y: refitted(m, x, y, losses.MeanSquaredError(reduction="none")), ValueError,
     "reduction", "one number expected")
case("circle-labels", sparse, lambda m, x, y: losses.circle(rows(12, 2), rows(12, 3)), ValueError,
     "circle: one integer label a row expected", "got labels of shape (12, 2)")
case("cce-shapes", sparse, lambda m, x, y: losses.categorical_focal_crossentropy(y, rows(12, 3)), ValueError,
     "categorical_focal_crossentropy: y_true and y_pred of one shape expected", "(12,)", "(12, 3)")
case("ctc-labels", frames, lambda m, x, y: m.fit(x, y + 3, verbose=0), ValueError,
     "y: integer labels in [0, 4) expected, 0 the blank", "got 4")
case("ctc-labels-part", frames, lambda m, x, y: m.fit(x, y + 0.5, verbose=0), ValueError,
     "y: integer labels in [0, 4) expected", "got 1.5")
case("ctc-labels-rank", frames, lambda m, x, y: m.fit(x, y[:, 0], verbose=0), ValueError,
     "y: labels of shape (rows, length) and outputs (rows, frames, classes) expected by ctc", "got (12,)")
case("ctc-logits-rank", frames, lambda m, x, y: losses.ctc(y, rows(12, 4)), ValueError,
     "ctc: y_pred of shape [batch, frames, classes] expected", "got shape (12, 4)")

# ---- activations ---------------------------------------------------------------------------------------------------
case("activation-near-name", sparse, lambda m, x, y: Activation("hard_sigmiod"), ValueError,
     "unknown activation 'hard_sigmiod'", "did you mean 'hard_sigmoid'")
case("activation-config", sparse, lambda m, x, y: activations.get({"class_name": "function", "config": "bent"}), ValueError,
     "unknown activation 'bent'")
case("activation-list", sparse, lambda m, x, y: activations.get(["relu"]), ValueError,
     "activation: a name or a callable expected", "got ['relu']")
case("activation-own-in-config", sparse, lambda m, x, y: activations.serialize(lambda t: t), ValueError,
     "is not a built-in one", "register_serializable")
case("glu-odd", sparse, lambda m, x, y: activations.glu(rows(4, 5)), ValueError,
     "glu: an even size along axis 1 expected", "got shape (4, 5)")
case("glu-axis", sparse, lambda m, x, y: activations.glu(rows(4, 6), axis=2), ValueError,
     "glu: axis 2 is out of range for a tensor of rank 2")
case("sparsemax-axis", sparse, lambda m, x, y: ops.sparsemax(rows(4, 6), axis=-3), ValueError,
     "sparsemax: axis -3 is out of range for a tensor of rank 2")
case("celu-alpha", sparse, lambda m, x, y: activations.celu(rows(2, 2), alpha=0), ValueError,
     "celu: alpha must not be 0", "got 0")
case("soft-shrink-threshold", sparse, lambda m, x, y: activations.soft_shrink(rows(2, 2), threshold=-1), ValueError,
     "soft_shrink: threshold must be >= 0", "got -1")
