"""What compile() was told: losses, weights and metrics, matched to the outputs of the model."""

from __future__ import annotations

import numpy as np

from brisknet import losses as losses_module
from brisknet.losses.functions import check_labels
from brisknet.losses.loss import SparseCategoricalCrossentropy
from brisknet.metrics import metric as metrics_module
from brisknet.metrics.metric import Mean, Metric

__all__ = ["CompiledLosses", "CompiledMetrics"]


def per_output(given, names: list[str], what: str) -> list:
    """One entry an output from a single value (one output), a list in order, or a dict by output name."""
    if isinstance(given, dict):
        unknown = [k for k in given if k not in names]
        if unknown:
            raise ValueError(f"{what}: no output named {unknown[0]!r}; the outputs are {names}")
        return [given.get(n) for n in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(f"{what}: one entry for each of the {len(names)} outputs {names} expected, got {len(given)}")
        return list(given)
    return [given] * len(names)


class CompiledLosses:
    """The loss of every output."""

    def __init__(self, loss, loss_weights, names: list[str]):
        self.losses = [losses_module.get(x) for x in per_output(loss, names, "loss")]
        weights = per_output(loss_weights, names, "loss_weights")
        for w in weights:
            if w is not None and (isinstance(w, bool) or not isinstance(w, (int, float, np.floating, np.integer))):
                raise ValueError(f"loss_weights: numbers expected, got {w!r}")
        self.weights = [1.0 if w is None else float(w) for w in weights]
        self.names = names
        self.trackers = [Mean(f"{n}_loss") for n in names] if len(names) > 1 else []

    def is_sparse(self, i: int) -> bool:
        """True where output i is compared with integer labels."""
        return isinstance(self.losses[i], SparseCategoricalCrossentropy)

    def __call__(self, ys, preds, weights, rows):
        """The weighted sum of all losses (None where no output has one), as a traced scalar."""
        total = None
        for i, loss in enumerate(self.losses):
            if loss is None or ys[i] is None:
                continue
            value = loss(ys[i], preds[i], weights[i])
            if self.trackers:
                self.trackers[i].update_state(value, float(rows))
            value = value if self.weights[i] == 1.0 else value * self.weights[i]
            total = value if total is None else total + value
        return total

    def check_targets(self, ys, output_shapes) -> None:
        """ValueError for targets that the losses cannot take: labels out of range, NaN, shapes that do not fit."""
        for i, (y, shape) in enumerate(zip(ys, output_shapes, strict=True)):
            if y is None or self.losses[i] is None:
                continue
            name = "y" if len(ys) == 1 else f"y[{self.names[i]!r}]"
            if y.dtype.kind == "f" and np.isnan(y).any():
                at = int(np.flatnonzero(np.isnan(y).reshape(len(y), -1).any(axis=1))[0])
                raise ValueError(f"{name}: numbers expected, got NaN in row {at}; drop or fill rows without a target")
            if self.is_sparse(i):
                self._check_sparse(y, shape, name)
            elif isinstance(self.losses[i], losses_module.CategoricalCrossentropy):
                if tuple(y.shape[1:]) != tuple(shape[1:]):
                    raise ValueError(
                        f"{name}: one-hot rows of shape {tuple(shape[1:])} expected by categorical_crossentropy, got "
                        f"{tuple(y.shape[1:])}; use sparse_categorical_crossentropy for integer labels, or "
                        "utils.to_categorical(y)"
                    )
            elif not _fits(y.shape, shape):
                raise ValueError(f"{name}: shape (rows, {', '.join(map(str, shape[1:]))}) expected, got {y.shape}")

    @staticmethod
    def _check_sparse(y, shape, name) -> None:
        labels = y.reshape(y.shape[:-1]) if y.ndim == len(shape) and y.shape[-1] == 1 else y
        if labels.ndim != len(shape) - 1:
            raise ValueError(
                f"{name}: integer labels of rank {len(shape) - 1} expected for outputs {tuple(shape)}, got shape "
                f"{y.shape}; for one-hot rows use categorical_crossentropy"
            )
        if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):
            raise ValueError(f"{name}: whole class labels expected, got {labels[labels != np.floor(labels)][0]}")
        check_labels(labels.astype(np.int64), shape[-1])


def _fits(y, out) -> bool:
    y, out = tuple(y), tuple(out)
    if len(y) == len(out) - 1 and out[-1] == 1:
        y = (*y, 1)
    if len(y) == len(out) + 1 and y[-1] == 1:
        y = y[:-1]
    return len(y) == len(out) and all(a == b or 1 in (a, b) or b is None for a, b in zip(y[1:], out[1:], strict=True))


class CompiledMetrics:
    """The metrics of every output; names like Keras'."""

    def __init__(self, metrics, weighted_metrics, names: list[str]):
        self.names = names
        self._given = self._lists(metrics, "metrics"), self._lists(weighted_metrics, "weighted_metrics")
        for groups in self._given:
            for group in groups:
                for m in group:  # bad names are errors of compile(), not of the first step
                    if not (isinstance(m, str) and m.lower() in ("accuracy", "acc", "crossentropy", "ce")):
                        metrics_module.get(m)
        self.made: list[tuple[int, Metric, bool]] = []
        self.built = False

    def _lists(self, given, what) -> list[list]:
        if given is None:
            return [[] for _ in self.names]
        if not isinstance(given, (list, tuple, dict)):
            raise ValueError(f"{what}: a list of metrics expected, got {given!r}; write [{given!r}]")
        nested = isinstance(given, dict) or any(isinstance(m, (list, tuple)) for m in given)
        if nested or len(self.names) > 1 and len(given) == len(self.names) and not isinstance(given, dict):
            entries = per_output(given, self.names, what)
        else:
            entries = [given] * len(self.names) if len(self.names) == 1 else per_output(given, self.names, what)
        return [list(e) if isinstance(e, (list, tuple)) else [] if e is None else [e] for e in entries]

    def build(self, y_shapes, pred_shapes) -> None:
        """Resolve names by the shapes of targets and outputs."""
        if self.built:
            return
        for weighted, groups in zip((False, True), self._given, strict=True):
            for i, group in enumerate(groups):
                for m in group:
                    if y_shapes[i] is None:
                        continue
                    metric = metrics_module.resolve(m, y_shapes[i], pred_shapes[i])
                    self.made.append((i, metric, weighted))
        self.built = True

    def update(self, ys, preds, weights) -> None:
        """Record the updates of all metrics in the traced step."""
        for i, metric, weighted in self.made:
            if ys[i] is not None:
                metric.update_state(ys[i], preds[i], weights[i] if weighted else None)

    def named(self) -> list[tuple[str, Metric]]:
        """(name in the logs, metric): prefixed by the output's name where there are several outputs."""
        many = len(self.names) > 1
        return [(f"{self.names[i]}_{m.name}" if many else m.name, m) for i, m, _ in self.made]
