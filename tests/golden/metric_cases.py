"""Metrics as golden cases, for `k` = keras or brisknet: name -> (make, kind of targets, kind of predictions).

The kinds are arrays of the golden file, of 12 rows, which are seen in batches of 6, 1 and 5.
"""

PARTS = (slice(0, 6), slice(6, 7), slice(7, None))
_THRESHOLDS = [0.2, 0.9, 0.5]


def _m(name, *args, **options):
    return lambda k: getattr(k.metrics, name)(*args, **options)


_TARGETS = {"column": "column_binary", "columns": "columns_binary", "vector": "vector_binary", "cube": "cube_binary"}


def _all(*kinds, **makers):
    return {f"{n}-{kind}": (make, _TARGETS[kind], kind) for n, make in makers.items() for kind in kinds}


CONFUSION = {
    **_all(
        "column", "columns", "vector", "cube",
        precision=_m("Precision"), recall=_m("Recall"), auc=_m("AUC"), tp=_m("TruePositives"),
        auc_thresholds=_m("AUC", thresholds=_THRESHOLDS),
    ),
    **_all(
        "columns",
        fp=_m("FalsePositives"), tn=_m("TrueNegatives"), fn=_m("FalseNegatives"),
        tp_thresholds=_m("TruePositives", thresholds=_THRESHOLDS),
        fn_even=_m("FalseNegatives", thresholds=[0.0, 0.25, 0.5, 0.75, 1.0]),
        precision_thresholds=_m("Precision", thresholds=_THRESHOLDS), recall_one=_m("Recall", thresholds=0.3),
        precision_class=_m("Precision", class_id=1), recall_class=_m("Recall", class_id=2, thresholds=[0.4, 0.6]),
        precision_top=_m("Precision", top_k=2), recall_top=_m("Recall", top_k=1),
        recall_top_threshold=_m("Recall", top_k=2, thresholds=0.5),
        precision_top_class=_m("Precision", top_k=2, class_id=0),
        sensitivity=_m("SensitivityAtSpecificity", 0.6), specificity=_m("SpecificityAtSensitivity", 0.7),
        precision_at=_m("PrecisionAtRecall", 0.5), recall_at=_m("RecallAtPrecision", 0.4),
        recall_at_class=_m("RecallAtPrecision", 0.3, class_id=1, num_thresholds=17),
        sensitivity_one=_m("SensitivityAtSpecificity", 0.5, num_thresholds=1),
        unreachable=_m("RecallAtPrecision", 1.0, num_thresholds=5),
        auc_few=_m("AUC", num_thresholds=5), auc_two=_m("AUC", num_thresholds=2),
        auc_minoring=_m("AUC", summation_method="minoring"), auc_majoring=_m("AUC", summation_method="majoring"),
        pr=_m("AUC", curve="PR"), pr_minoring=_m("AUC", curve="PR", summation_method="minoring"),
        pr_majoring=_m("AUC", curve="PR", summation_method="majoring", num_thresholds=20),
        pr_gain=_m("AUC", curve="PRGAIN"), pr_thresholds=_m("AUC", curve="PR", thresholds=[0.25, 0.5, 0.75]),
        auc_labels=_m("AUC", multi_label=True), pr_labels=_m("AUC", curve="PR", multi_label=True, num_labels=3),
        auc_labels_thresholds=_m("AUC", multi_label=True, thresholds=_THRESHOLDS),
        auc_labels_weights=_m("AUC", multi_label=True, label_weights=[1.0, 0.5, 2.0]),
        auc_label_weights=_m("AUC", label_weights=[1.0, 0.5, 2.0]),
    ),
    "auc_logits": (_m("AUC", from_logits=True), "columns_binary", "real"),
    "recall_int": (_m("Recall"), "columns_int", "columns"),
}  # fmt: skip
# Weights of the wrong rank are broadcast by Keras only where these metrics flatten them.
EACH_WEIGHTED = ("precision-columns", "tp-columns", "auc-columns", "fp-columns")

F_SCORES = {
    **{f"f1_{a}": (_m("F1Score", average=a), "onehot", "dist") for a in (None, "micro", "macro", "weighted")},
    "f1_threshold": (_m("F1Score", average="macro", threshold=0.25), "columns_binary", "columns"),
    "f1_zeros": (_m("F1Score"), "columns_binary", "rounded"),
    "fbeta": (_m("FBetaScore", beta=2.0), "columns_binary", "columns"),
    "fbeta_weighted": (_m("FBetaScore", average="weighted", beta=0.5, threshold=0.4), "columns_int", "columns"),
}

REGRESSION = {
    "r2": (_m("R2Score"), "target", "real"),
    "r2_each": (_m("R2Score", class_aggregation=None), "target", "real"),
    "r2_variance": (_m("R2Score", class_aggregation="variance_weighted_average"), "target", "real"),
    "r2_adjusted": (_m("R2Score", num_regressors=1), "target", "real"),
    "rmse": (_m("RootMeanSquaredError"), "target", "real"),
    "rmse_vector": (_m("RootMeanSquaredError"), "target_vector", "real_column"),
    "mse": (_m("MeanSquaredError"), "target", "real"), "mae": (_m("MeanAbsoluteError"), "target", "real"),
    "mape": (_m("MeanAbsolutePercentageError"), "target", "real"),
    "msle": (_m("MeanSquaredLogarithmicError"), "dist", "columns5"),
    "logcosh": (_m("LogCoshError"), "target", "real"), "cosine": (_m("CosineSimilarity"), "target", "real"),
    "cosine_axis": (_m("CosineSimilarity", axis=1), "target", "real"),
    "pearson": (_m("PearsonCorrelation"), "target", "real"),
    "concordance": (_m("ConcordanceCorrelation"), "target", "real"),
    "hinge": (_m("Hinge"), "columns_binary", "real"), "squared_hinge": (_m("SquaredHinge"), "columns_binary", "real"),
    "categorical_hinge": (_m("CategoricalHinge"), "onehot", "dist"),
    "kl": (_m("KLDivergence"), "dist", "columns5"), "poisson": (_m("Poisson"), "dist", "columns5"),
    "bce": (_m("BinaryCrossentropy"), "columns_binary", "columns"),
    "cce": (_m("CategoricalCrossentropy"), "onehot", "dist"),
    "scce": (_m("SparseCategoricalCrossentropy"), "label", "dist"),
    "scce_ignore": (_m("SparseCategoricalCrossentropy", ignore_class=2), "label", "dist"),
    "accuracy": (_m("Accuracy"), "label", "guess"), "binary": (_m("BinaryAccuracy"), "columns_binary", "columns"),
    "binary_vector": (_m("BinaryAccuracy", threshold=0.3), "vector_binary", "column"),
    "binary_cube": (_m("BinaryAccuracy"), "cube_binary", "cube"),
    "categorical": (_m("CategoricalAccuracy"), "onehot", "dist"),
    "sparse": (_m("SparseCategoricalAccuracy"), "label", "dist"),
    "top_k": (_m("TopKCategoricalAccuracy", k=2), "onehot", "dist"),
    "top_all": (_m("TopKCategoricalAccuracy"), "onehot", "dist"),
    "sparse_top_k": (_m("SparseTopKCategoricalAccuracy", k=2), "label", "dist"),
    "top_k_ties": (_m("SparseTopKCategoricalAccuracy", k=1), "label", "dist_ties"),
    "sorted_ids": (_m("SparseTopKCategoricalAccuracy", k=2, from_sorted_ids=True), "label", "sorted_ids"),
}  # fmt: skip

# Their weights are whole numbers, as Keras cuts them to integers.
IOU = {
    "iou": (_m("IoU", num_classes=5, target_class_ids=[0, 2]), "label", "guess"),
    "mean_iou": (_m("MeanIoU", num_classes=5), "label", "guess"),
    "mean_iou_few": (_m("MeanIoU", num_classes=3), "label", "guess"),
    "mean_iou_ignore": (_m("MeanIoU", num_classes=5, ignore_class=1), "label", "guess"),
    "mean_iou_dense": (_m("MeanIoU", num_classes=5, sparse_y_pred=False), "label", "dist"),
    "one_hot_iou": (_m("OneHotIoU", num_classes=5, target_class_ids=[1, 3]), "onehot", "dist"),
    "one_hot_mean_iou": (_m("OneHotMeanIoU", num_classes=5), "onehot", "dist"),
    "one_hot_mean_iou_sparse": (_m("OneHotMeanIoU", num_classes=5, sparse_y_pred=True), "onehot", "guess"),
    "binary_iou": (_m("BinaryIoU"), "vector_binary", "vector"),
    "binary_iou_one": (_m("BinaryIoU", target_class_ids=[1], threshold=0.3), "columns_int", "columns"),
}

# Functions by themselves: name -> (call, kind of targets, kind of predictions)
FUNCTIONS = {
    "binary_accuracy": (lambda k, t, p: k.metrics.binary_accuracy(t, p, threshold=0.3), "columns_binary", "columns"),
    "categorical_accuracy": (lambda k, t, p: k.metrics.categorical_accuracy(t, p), "onehot", "dist"),
    "sparse_categorical_accuracy": (lambda k, t, p: k.metrics.sparse_categorical_accuracy(t, p), "label", "dist"),
    "top_k": (lambda k, t, p: k.metrics.top_k_categorical_accuracy(t, p, k=2), "onehot", "dist"),
    "sparse_top_k": (lambda k, t, p: k.metrics.sparse_top_k_categorical_accuracy(t, p, k=3), "label", "dist"),
    "pearson": (lambda k, t, p: k.metrics.pearson_correlation(t, p), "target", "real"),
    "pearson_axis": (lambda k, t, p: k.metrics.pearson_correlation(t, p, axis=0), "target", "real"),
    "concordance": (lambda k, t, p: k.metrics.concordance_correlation(t, p), "target", "real"),
    "concordance_axis": (lambda k, t, p: k.metrics.concordance_correlation(t, p, axis=0), "target", "real"),
}

ALL = {**CONFUSION, **F_SCORES, **REGRESSION, **IOU}
