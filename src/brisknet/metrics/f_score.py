"""F scores, as in keras.metrics."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.metrics.metric import StreamingMetric
from brisknet.metrics.shapes import labels, one_rank, predictions, rows
from brisknet.ops.metric_state import metric_fscore

__all__ = ["F1Score", "FBetaScore"]

AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(StreamingMetric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), for one-hot or several labels [rows, classes].

    average     None: one score a class; "micro": of the counts of all classes together; "macro": the mean over classes;
                "weighted": the mean weighted by how often each class is true
    beta        a positive float: how much more recall counts than precision
    threshold   a float in (0, 1] above which a prediction is positive; None: the largest of each row is
    """

    _direction = "up"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        own = type(self).__name__
        if average not in AVERAGES:
            raise ValueError(f"{own}: average must be one of {AVERAGES}, got {average!r}")
        if not isinstance(beta, float) or not beta > 0:
            raise ValueError(f"{own}: beta must be a float > 0, got {beta!r}")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(f"{own}: threshold must be a float in (0, 1] or None, got {threshold!r}")
        self.average, self.beta, self.threshold = average, beta, threshold
        self._state = None

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch of y_true and y_pred [rows, classes]; weights are one a row."""
        own, y_pred = type(self).__name__, predictions(y_pred)
        y_true = labels(y_true, y_pred)
        if len(y_true.shape) == 1 and tuple(y_pred.shape[1:]) == (1,):  # labels of one output, which Keras refuses
            y_true, y_pred = one_rank(y_true, y_pred)
        if len(y_pred.shape) != 2 or len(y_true.shape) != 2:
            raise ValueError(
                f"{own}: y_true and y_pred of shape (rows, classes) expected, got {tuple(y_true.shape)} and "
                f"{tuple(y_pred.shape)}"
            )
        y_true, y_pred, weights = rows(own, y_true, y_pred, sample_weight)
        classes = y_pred.shape[-1]
        if self._state is None:
            self._state = self._add_state("counts", (3, classes))
        elif classes != self._state.shape[1]:
            raise ValueError(f"{own}: y_pred with {self._state.shape[1]} classes expected, got {classes}")
        self._state.assign(metric_fscore(self._state, y_true, y_pred, weights, threshold=self.threshold))

    def result_of(self, counts):
        hit, invented, missed = (counts[..., i, :] for i in range(3))
        if self.average == "micro":
            hit, invented, missed = (x.sum(axis=-1) for x in (hit, invented, missed))
        eps = config.epsilon()
        precision, recall = hit / (hit + invented + eps), hit / (hit + missed + eps)
        score = precision * recall / (self.beta**2 * precision + recall + eps) * (1 + self.beta**2)
        if self.average == "macro":
            return np.mean(score, axis=-1)
        if self.average == "weighted":
            true = hit + missed
            return np.sum(score * true / (np.sum(true, axis=-1, keepdims=True) + eps), axis=-1)
        return score

    def get_config(self):
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """FBetaScore for beta 1: the harmonic mean of precision and recall."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        return {k: v for k, v in super().get_config().items() if k != "beta"}
