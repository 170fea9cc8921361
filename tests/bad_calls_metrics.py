"""Bad calls of metrics."""

import numpy as np

from brisknet import metrics
from brisknet.metrics import AUC, F1Score, FBetaScore, IoU, MeanIoU, Precision, R2Score, Recall
from tests.bad_calls import binary, case, sparse


def made(call, *fragments, error=ValueError):
    case(f"metric-{len(fragments)}-{fragments[0][:40]}-{fragments[-1][-12:]}", binary, lambda m, x, y: call(), error, *fragments)


ONES = np.ones((4, 3))

made(lambda: Precision(thresholds=1.5), "Precision: thresholds must be numbers in [0, 1]", "got 1.5")
made(lambda: Recall(thresholds=[0.5, "x"]), "Recall: thresholds must be numbers in [0, 1]", "got 'x'")
made(lambda: metrics.TruePositives(thresholds=[]), "TruePositives: thresholds must be numbers in [0, 1]", "got []")
made(lambda: Precision(top_k=0), "Precision: top_k must be an integer >= 1", "got 0")
made(lambda: Recall(class_id=-1), "Recall: class_id must be an integer >= 0", "got -1")
made(lambda: Recall(class_id=3).update_state(ONES, ONES), "Recall: class_id=3 is out of range", "with 3 classes")
made(lambda: Recall(top_k=4).update_state(ONES, ONES), "Recall: top_k=4 of 3 classes", "must not be larger")
made(lambda: Precision(class_id=0).update_state([1], [0.5]), "Precision: with class_id, y_pred of shape", "got rank 1")
made(lambda: Precision().update_state(np.ones(4), ONES), "Precision: y_true and y_pred of one shape", "to_categorical")
made(lambda: Precision().update_state(ONES, ONES, [1.0, 2.0]), "Precision: sample_weight of shape (4,)", "got (2,)")
made(lambda: AUC(num_thresholds=1), "AUC: num_thresholds must be an integer >= 2", "got 1")
made(lambda: AUC(curve="roc-curve"), "AUC: curve must be one of ('ROC', 'PR', 'PRGAIN')", "got 'roc-curve'")
made(lambda: AUC(summation_method="sum"), "AUC: summation_method must be one of", "got 'sum'")
made(lambda: AUC(thresholds=[0.1, 2.0]), "AUC: thresholds must be a list of numbers in [0, 1]", "got [0.1, 2.0]")
made(lambda: AUC(num_labels=3), "AUC: num_labels is for multi_label=True only", "got 3")
made(lambda: AUC(label_weights=[1, -1]), "AUC: label_weights must be a list of numbers >= 0", "got [1, -1]")
made(lambda: AUC(label_weights=[1.0]).update_state(ONES, ONES), "AUC: label_weights for 3 columns", "got 1 of them")
made(lambda: AUC(multi_label=True).update_state([1], [0.5]), "AUC: with multi_label, y_pred of rank 2", "got shape (1,)")
made(lambda: AUC(multi_label=True, num_labels=2).update_state(ONES, ONES), "AUC: y_pred with 2 labels expected", "got 3")
made(lambda: metrics.SensitivityAtSpecificity(1.1), "SensitivityAtSpecificity: specificity must be a number in [0, 1]", "got 1.1")
made(lambda: metrics.PrecisionAtRecall("x"), "PrecisionAtRecall: recall must be a number in [0, 1]", "got 'x'")
made(lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), "RecallAtPrecision: num_thresholds must be an integer", "got 0")
made(lambda: F1Score(average="mean"), "F1Score: average must be one of (None, 'micro'", "got 'mean'")
made(lambda: FBetaScore(beta=1), "FBetaScore: beta must be a float > 0", "got 1")
made(lambda: F1Score(threshold=0.0), "F1Score: threshold must be a float in (0, 1] or None", "got 0.0")
made(lambda: F1Score().update_state([1], [0.5]), "F1Score: y_true and y_pred of shape (rows, classes)", "got (1,) and (1,)")
made(lambda: R2Score(class_aggregation="mean"), "R2Score: class_aggregation must be one of", "got 'mean'")
made(lambda: R2Score(num_regressors=-1), "R2Score: num_regressors must be an integer >= 0", "got -1")
made(lambda: R2Score().update_state([1.0], [0.5]), "R2Score: y_true and y_pred of shape (rows, columns)", "y[:, None]")
made(lambda: MeanIoU(0), "MeanIoU: num_classes must be an integer >= 1", "got 0")
made(lambda: IoU(3, [3]), "IoU: target_class_ids must be a list of classes in [0, 3)", "got [3]")
made(lambda: MeanIoU(3, ignore_class="void"), "MeanIoU: ignore_class must be an integer or None", "got 'void'")
made(lambda: MeanIoU(3).update_state([0, 1], ONES), "MeanIoU: as many true as predicted classes", "sparse_y_pred")
made(lambda: MeanIoU(3).update_state([0, 1], [0, 1], [1, 2, 3]), "MeanIoU: one weight for each of the 2 values", "got 3")
made(lambda: metrics.TopKCategoricalAccuracy(k=0), "TopKCategoricalAccuracy: k must be an integer >= 1", "got 0")
made(lambda: metrics.SparseTopKCategoricalAccuracy(2)(np.ones(3), ONES), "one integer label for each row", "(3,)")
made(lambda: metrics.MeanMetricWrapper("mse"), "MeanMetricWrapper: fn must be a function", "got 'mse'")
made(lambda: metrics.Mean(dtype="flaot"), "metric: dtype must be the name of a type", "got 'flaot'")
made(lambda: metrics.deserialize({"config": {}}), "metric config: a name or a dict", "got {'config': {}}")
made(lambda: metrics.deserialize({"class_name": "Precison"}), "unknown metric 'Precison'", "did you mean 'precision'")
case("metric-without-arguments", binary, lambda m, x, y: m.compile("sgd", "mse", metrics=["MeanIoU"]), ValueError,
     "metric 'MeanIoU' needs arguments", "give an object, such as MeanIoU(...)")
case("metric-f1-of-labels", sparse, lambda m, x, y: _with(m, F1Score()).fit(x, y, verbose=0), ValueError,
     "F1Score: y_true and y_pred of shape (rows, classes) expected", "got (12,) and (12, 3)")


def _with(model, metric):
    """A clone that is compiled with another metric: what is tried on is the metric, not the model."""
    from brisknet.models import clone_model

    model = clone_model(model)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[metric])
    return model
