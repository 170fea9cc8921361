"""More losses as golden cases, for `k` = keras or brisknet: name -> (make, targets, predictions), kinds of loss_data()."""

LOSSES = {
    "mape": (lambda k, **a: k.losses.MeanAbsolutePercentageError(**a), "real", "real"),
    "mape_zero": (lambda k, **a: k.losses.MeanAbsolutePercentageError(**a), "count", "prob"),
    "msle": (lambda k, **a: k.losses.MeanSquaredLogarithmicError(**a), "share", "rate"),
    "msle_negative": (lambda k, **a: k.losses.MeanSquaredLogarithmicError(**a), "real", "real"),
    "cosine": (lambda k, **a: k.losses.CosineSimilarity(**a), "real", "real"),
    "cosine_zero": (lambda k, **a: k.losses.CosineSimilarity(**a), "count", "real"),
    "cosine_axis1": (lambda k, **a: k.losses.CosineSimilarity(axis=1, **a), "real3", "real3"),
    "kl": (lambda k, **a: k.losses.KLDivergence(**a), "share", "dist"),
    "kl_onehot": (lambda k, **a: k.losses.KLDivergence(**a), "onehot", "dist"),
    "kl_rank3": (lambda k, **a: k.losses.KLDivergence(**a), "onehot3", "dist3"),
    "poisson": (lambda k, **a: k.losses.Poisson(**a), "count", "rate"),
    "poisson_column": (lambda k, **a: k.losses.Poisson(**a), "count_column", "column_prob"),
    "categorical_hinge": (lambda k, **a: k.losses.CategoricalHinge(**a), "onehot", "real"),
    "focal": (lambda k, **a: k.losses.BinaryFocalCrossentropy(**a), "binary", "prob"),
    "focal_balanced": (
        lambda k, **a: k.losses.BinaryFocalCrossentropy(True, alpha=0.4, gamma=1.5, **a), "binary", "prob"
    ),
    "focal_logits": (
        lambda k, **a: k.losses.BinaryFocalCrossentropy(from_logits=True, label_smoothing=0.1, **a), "binary", "real"
    ),
    "focal_none": (lambda k, **a: k.losses.BinaryFocalCrossentropy(gamma=0.0, **a), "binary", "prob"),
    "focal_one": (lambda k, **a: k.losses.BinaryFocalCrossentropy(True, gamma=1.0, axis=0, **a), "binary", "prob"),
    "cfocal": (lambda k, **a: k.losses.CategoricalFocalCrossentropy(**a), "onehot", "dist"),
    "cfocal_classes": (
        lambda k, **a: k.losses.CategoricalFocalCrossentropy(alpha=[0.1, 0.2, 0.3, 0.4, 0.5], gamma=3.0, **a),
        "onehot", "prob",
    ),
    "cfocal_logits": (
        lambda k, **a: k.losses.CategoricalFocalCrossentropy(from_logits=True, label_smoothing=0.2, **a),
        "onehot", "real",
    ),
    "ignore": (lambda k, **a: k.losses.SparseCategoricalCrossentropy(ignore_class=2, **a), "label", "dist"),
    "ignore_negative": (
        lambda k, **a: k.losses.SparseCategoricalCrossentropy(ignore_class=-1, **a), "label_void", "dist"
    ),
    "ignore_logits": (
        lambda k, **a: k.losses.SparseCategoricalCrossentropy(True, ignore_class=255, **a), "label3_void", "real3"
    ),
    "cce_axis1": (lambda k, **a: k.losses.CategoricalCrossentropy(axis=1, **a), "share3", "share3"),
    "dice": (lambda k, **a: k.losses.Dice(**a), "binary", "prob"),
    "dice_axis": (lambda k, **a: k.losses.Dice(axis=(1, 2), **a), "onehot3", "share3"),
    "dice_rows": (lambda k, **a: k.losses.Dice(axis=-1, **a), "binary", "prob"),
    "tversky": (lambda k, **a: k.losses.Tversky(**a), "binary", "prob"),
    "tversky_axis": (lambda k, **a: k.losses.Tversky(0.3, 0.7, axis=(1, 2), **a), "onehot3", "share3"),
    "circle": (lambda k, **a: k.losses.Circle(**a), "label", "unit"),
    "circle_mild": (lambda k, **a: k.losses.Circle(gamma=4.0, margin=0.2, **a), "label_column", "unit"),
    "circle_diagonal": (lambda k, **a: k.losses.Circle(gamma=2.0, remove_diagonal=False, **a), "label", "unit"),
    "gce": (lambda k, **a: k.losses.CategoricalGeneralizedCrossEntropy(**a), "label", "dist"),
    "gce_q": (lambda k, **a: k.losses.CategoricalGeneralizedCrossEntropy(q=0.9, **a), "label", "prob"),
    "ctc": (lambda k, **a: k.losses.CTC(**a), "sequence", "frames"),
    "ctc_short": (lambda k, **a: k.losses.CTC(**a), "sequence", "frames_short"),
}
REDUCTIONS = ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight")
FUNCTIONS = {
    "mape": (lambda k, t, p: k.losses.mean_absolute_percentage_error(t, p), "real", "real"),
    "MSLE": (lambda k, t, p: k.losses.get("MSLE")(t, p), "share", "rate"),
    "kld": (lambda k, t, p: k.losses.get("kld")(t, p), "share", "dist"),
    "poisson": (lambda k, t, p: k.losses.poisson(t, p), "count", "rate"),
    "cosine_axis0": (lambda k, t, p: k.losses.cosine_similarity(t, p, axis=0), "real", "real"),
    "categorical_hinge": (lambda k, t, p: k.losses.categorical_hinge(t, p), "sign", "real"),
    "focal": (lambda k, t, p: k.losses.binary_focal_crossentropy(t, p, gamma=0.5), "share", "prob"),
    "cfocal": (lambda k, t, p: k.losses.categorical_focal_crossentropy(t, p, gamma=1.0), "onehot", "dist"),
    "cfocal_axis1": (lambda k, t, p: k.losses.categorical_focal_crossentropy(t, p, axis=1), "share3", "share3"),
    "ignore": (lambda k, t, p: k.losses.sparse_categorical_crossentropy(t, p, ignore_class=1), "label3", "dist3"),
    "dice": (lambda k, t, p: k.losses.dice(t, p, axis=0), "binary", "prob"),
    "tversky": (lambda k, t, p: k.losses.tversky(t, p, alpha=0.2, beta=0.9), "share", "prob"),
    "circle": (lambda k, t, p: k.losses.circle(t, p, gamma=3, margin=0.1), "label", "unit"),
    "circle_references": (
        lambda k, t, p: k.losses.circle(t, p, t[:5], p[:5] * 0.5, remove_diagonal=False, gamma=3), "label", "unit"
    ),
    "gce": (lambda k, t, p: k.losses.categorical_generalized_cross_entropy(t, p, 0.3), "label", "dist"),
    "ctc": (lambda k, t, p: k.losses.ctc(t, p), "sequence", "frames"),
}  # fmt: skip
