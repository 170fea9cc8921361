"""What compile() was told: losses, weights and metrics, matched to the outputs of the model."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np

from brisknet import losses as losses_module
from brisknet.graph.ir import Tensor
from brisknet.graph.trace import current_graph
from brisknet.layers.keras_tensor import flatten
from brisknet.losses.common import check_labels
from brisknet.losses.loss import LossFunctionWrapper
from brisknet.metrics import Mean, MeanMetricWrapper, Metric
from brisknet.metrics import names as metric_names

__all__ = ["CompiledLosses", "CompiledMetrics", "check_loss_weights", "check_metrics", "per_output"]


def per_output(given, names: list[str], what: str) -> list:
    """One entry an output from a single value (one output), a list in order, or a dict by output name."""
    if isinstance(given, dict):
        unknown = [k for k in given if k not in names]
        if unknown:
            raise ValueError(f"{what}: no output named {unknown[0]!r}; the outputs are {names}")
        return [given.get(n) for n in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(f"{what}: one entry for each of the outputs {names} expected, got {len(given)}")
        return list(given)
    return [given] * len(names)


def is_nested(struct) -> bool:
    """True for a list or dict with lists or dicts inside."""
    values = struct.values() if isinstance(struct, dict) else struct if isinstance(struct, (list, tuple)) else ()
    return any(isinstance(v, (dict, list, tuple)) for v in values)


def unnested(given, struct, what: str):
    """What is given in the nested structure of the outputs as a flat list, one entry an output; anything else as it is."""
    if not is_nested(struct) or not isinstance(given, (dict, list, tuple)):
        return given
    if isinstance(struct, dict) != isinstance(given, dict) or isinstance(given, dict) and not set(given) <= set(struct):
        return given  # by output names, or in the flat order
    if isinstance(given, dict) and is_nested(struct) or len(given) == len(struct):
        return _leaves(given, struct, what)
    return given


def _leaves(given, struct, what: str) -> list:
    if not isinstance(struct, (dict, list, tuple)):
        return [given]
    parts = list(struct.values()) if isinstance(struct, dict) else list(struct)
    if given is None:
        entries = [None] * len(parts)
    elif isinstance(struct, dict) and isinstance(given, dict) and set(given) <= set(struct):
        entries = [given.get(k) for k in struct]
    elif isinstance(given, (list, tuple)) and not isinstance(struct, dict) and len(given) == len(parts):
        entries = list(given)
    else:
        form = f"a dict with the keys {list(struct)}" if isinstance(struct, dict) else f"a list of {len(parts)}"
        raise ValueError(f"{what}: the structure of the outputs expected, here {form}, got {given!r:.80}")
    return [leaf for entry, part in zip(entries, parts, strict=True) for leaf in _leaves(entry, part, what)]


def log_names(struct, names: list[str]) -> list[str]:
    """How the losses of the outputs are named in logs: by name, in a nested structure by its keys as well (Keras)."""
    if not is_nested(struct):
        return names
    todo = iter(names)

    def walk(part, path):
        items = part.items() if isinstance(part, dict) else enumerate(part)
        for key, value in items:
            if isinstance(value, (dict, list, tuple)):
                yield from walk(value, [*path, str(key)])
            else:
                name = next(todo)
                yield "/".join([*path, str(key) if isinstance(part, dict) else name])

    return list(walk(struct, []))


class _ByShape:
    """The loss "crossentropy", until the shapes of targets and outputs say which one it is."""

    targets = "any"

    def __init__(self, name: str):
        self.name = name

    def resolved(self, y_shape, pred_shape):
        if pred_shape[-1] == 1:
            kind = "binary"
        elif len(y_shape) < len(pred_shape) or y_shape[-1] == 1:
            kind = "sparse_categorical"
        else:
            kind = "categorical"
        loss = losses_module.as_loss(f"{kind}_crossentropy")
        loss.name = self.name
        return loss


def named_by_shape(loss) -> bool:
    """True for a loss that the shapes of targets and outputs choose."""
    return isinstance(loss, str) and loss.lower() in ("crossentropy", "ce")


def check_loss_weights(given) -> None:
    """ValueError unless `given` holds finite numbers, alone or in a list or dict."""
    for w in flatten(given) if given is not None else []:
        number = isinstance(w, (int, float, np.floating, np.integer)) and not isinstance(w, bool)
        if w is not None and not (number and np.isfinite(w)):
            raise ValueError(f"loss_weights: finite numbers expected, got {w!r}")


class CompiledLosses:
    """The loss of every output.

    names   how losses, targets and logs name the outputs: output layers, or the keys where the outputs are a dict
    keyed   True for a dict of outputs, of which some may go without a loss
    labels  how the logs name the losses, `names` by default
    """

    def __init__(self, loss, loss_weights, names: list[str], keyed: bool = False, labels=None):
        check_loss_weights(loss_weights)
        if isinstance(loss, dict) and not keyed and set(names) - set(loss):
            raise ValueError(
                f"loss: an entry for each of the outputs {names} expected, got {list(loss)}; write None for an output "
                "without a loss"
            )
        given = per_output(loss, names, "loss")
        self.losses = [_ByShape(x) if named_by_shape(x) else losses_module.as_loss(x) for x in given]
        weights = per_output(loss_weights, names, "loss_weights")
        self.weights = [1.0 if w is None else float(w) for w in weights]
        self.names = names
        # One loss needs no logs but the total (Keras).
        many = sum(x is not None for x in self.losses) > 1
        self._tracker_of = [Mean(f"{n}_loss") if many and x else None for n, x in zip(labels or names, self.losses, strict=True)]
        self.trackers = [t for t in self._tracker_of if t is not None]

    def resolve(self, y_shapes, pred_shapes) -> None:
        """Choose the losses that go by the shapes of targets and outputs."""
        for i, loss in enumerate(self.losses):
            if isinstance(loss, _ByShape) and y_shapes[i] is not None:
                self.losses[i] = loss.resolved(y_shapes[i], pred_shapes[i])

    def is_sparse(self, i: int) -> bool:
        """True where output i is compared with integer labels."""
        return getattr(self.losses[i], "targets", None) == "classes"

    def __call__(self, ys, preds, weights, rows):
        """The weighted sum of all losses (None where no output has one), as a traced scalar."""
        self.resolve([None if y is None else y.shape for y in ys], [p.shape for p in preds])
        total = None
        for i, loss in enumerate(self.losses):
            if loss is None or ys[i] is None:
                continue
            with _explained(loss.name, "loss", _is_ours(loss)):
                value = loss(ys[i], preds[i], weights[i])
            if not isinstance(value, Tensor):
                raise ValueError(
                    f"loss {loss.name!r}: a tensor computed from y_true and y_pred by brisknet.ops expected, got {value!r}"
                )
            if value.shape:
                raise ValueError(
                    f"loss {loss.name!r}: one number expected, got one of shape {value.shape}; to train, a loss needs a reduction "
                    f"other than {loss.reduction!r}"
                )
            if self._tracker_of[i] is not None:
                self._tracker_of[i].update_state(value, float(rows))
            value = value if self.weights[i] == 1.0 else value * self.weights[i]
            total = value if total is None else total + value
        return total

    def check_targets(self, ys, output_shapes, label="y") -> None:
        """ValueError for targets that the losses cannot take: none, labels out of range, NaN, shapes that do not fit."""
        self.resolve([None if y is None else y.shape for y in ys], output_shapes)
        for i, (y, shape) in enumerate(zip(ys, output_shapes, strict=True)):
            name = label if len(ys) == 1 else f"{label}[{self.names[i]!r}]"
            if self.losses[i] is None:
                continue
            if y is None:
                raise ValueError(f"{name}: targets expected, as this output has a loss ({self.losses[i].name}); got None")
            if y.dtype.kind == "f" and np.isnan(y).any():
                at = int(np.flatnonzero(np.isnan(y).reshape(len(y), -1).any(axis=1))[0])
                raise ValueError(f"{name}: numbers expected, got NaN in row {at}; drop or fill rows without a target")
            self._check_target(i, y, shape, name)

    def _check_target(self, i, y, shape, name) -> None:
        loss = self.losses[i]
        if self.is_sparse(i):
            self._check_sparse(y, shape, name, loss)
        elif loss.targets == "other":
            loss.check_targets(y, shape, name)
        elif loss.targets == "onehot":
            if tuple(y.shape[1:]) != tuple(shape[1:]):
                raise ValueError(
                    f"{name}: one-hot rows of shape {tuple(shape[1:])} expected by {loss.name}, got "
                    f"{tuple(y.shape[1:])}; use sparse_categorical_crossentropy for integer labels, or "
                    "utils.to_categorical(y)"
                )
        elif _is_ours(loss) and not _fits(y.shape, shape):  # a loss of the user's own knows what it wants
            raise ValueError(f"{name}: shape (rows, {', '.join(map(str, shape[1:]))}) expected, got {y.shape}")

    @staticmethod
    def _check_sparse(y, shape, name, loss) -> None:
        axis = getattr(loss, "axis", -1) % len(shape)
        shape = (*shape[:axis], *shape[axis + 1 :], shape[axis])  # the classes at the end
        labels = y.reshape(y.shape[:-1]) if y.ndim == len(shape) and y.shape[-1] == 1 else y
        if labels.ndim != len(shape) - 1:
            raise ValueError(
                f"{name}: integer labels of rank {len(shape) - 1} expected for outputs {tuple(shape)}, got shape "
                f"{y.shape}; for one-hot rows use categorical_crossentropy"
            )
        broken = labels[(labels != np.floor(labels)) | np.isinf(labels)] if labels.dtype.kind == "f" else ()
        if len(broken):
            raise ValueError(f"{name}: whole class labels expected, got {broken[0]}")
        try:
            check_labels(labels.astype(np.int64), shape[-1], getattr(loss, "ignore_class", None))
        except ValueError as error:
            raise ValueError(str(error).replace("y:", f"{name}:", 1)) from None


@contextlib.contextmanager
def _explained(name: str, what: str, ours: bool):
    """An error inside a function of the user's own says which function it is and what it got."""
    try:
        yield
    except Exception as error:
        if not ours:
            error.add_note(
                f"This happened in the {what} {name!r}, which is traced with symbolic tensors: compute with brisknet.ops, "
                "or with operators and methods of the tensors, not with NumPy functions."
            )
        raise


def _is_ours(loss) -> bool:
    return type(loss).__module__.startswith("brisknet.") and not isinstance(loss, LossFunctionWrapper)


def _fits(y, out) -> bool:
    y, out = tuple(y), tuple(out)
    if len(y) == len(out) - 1 and out[-1] == 1:
        y = (*y, 1)
    if len(y) == len(out) + 1 and y[-1] == 1:
        y = y[:-1]
    return len(y) == len(out) and all(a in (b, 1) or b is None for a, b in zip(y[1:], out[1:], strict=True))


_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")


def check_metrics(given, what: str) -> None:
    """An error for what is no list of metrics, or for a metric that there is not: compile() says so, not the first step."""
    if given is None:
        return
    if not isinstance(given, (list, tuple, dict)):
        raise ValueError(f"{what}: a list of metrics expected, got {given!r}; write {what}=[{given!r}]")
    for m in flatten(given):
        if m is not None and not (isinstance(m, str) and m.lower() in _BY_SHAPE):
            metric_names.get(m)


class CompiledMetrics:
    """The metrics of every output; names like Keras'."""

    def __init__(self, metrics, weighted_metrics, names: list[str]):
        self.names = names
        check_metrics(metrics, "metrics")
        check_metrics(weighted_metrics, "weighted_metrics")
        self._given = self._lists(metrics, "metrics"), self._lists(weighted_metrics, "weighted_metrics")
        self.made: list[tuple[int, Metric, bool]] = []
        self.built = False

    def _lists(self, given, what) -> list[list]:
        """The metrics of each output: one list for a single output, else one entry an output, by order or by name."""
        if not given:
            return [[] for _ in self.names]
        if len(self.names) == 1 and not isinstance(given, dict):
            return [[m for m in flatten(given) if m is not None]]
        entries = per_output(given, self.names, what)
        return [[] if e is None else [m for m in flatten(e) if m is not None] for e in entries]

    def build(self, y_shapes, pred_shapes) -> None:
        """Resolve names by the shapes of targets and outputs."""
        if self.built:
            return
        made = []
        for weighted, groups in zip((False, True), self._given, strict=True):
            for i, group in enumerate(groups):
                if y_shapes[i] is not None:
                    made += [(i, metric_names.resolve(m, y_shapes[i], pred_shapes[i]), weighted) for m in group]
        for _, metric, weighted in made:
            metric.__dict__.pop("update_state", None)  # of a model that it was given to before
            if not weighted:
                metric.__dict__["update_state"] = _Unweighted(metric)
        self.made, self.built = made, True

    def update(self, ys, preds, weights) -> None:
        """Record the updates of all metrics in the traced step."""
        for i, metric, weighted in self.made:
            if ys[i] is not None:
                with _explained(metric.name, "metric", type(metric) not in (Metric, MeanMetricWrapper)):
                    metric.update_state(ys[i], preds[i], weights[i] if weighted else None)

    def named(self) -> list[tuple[str, Metric]]:
        """(name in the logs, metric): prefixed by the output's name where there are several outputs.

        A weighted metric whose name is taken becomes weighted_..., any other gets a number (Keras).
        """
        out: dict[str, Metric] = {}
        for i, metric, weighted in self.made:
            prefix = f"{self.names[i]}_" if len(self.names) > 1 else ""
            name = prefix + metric.name
            if name in out and weighted:
                name = f"{prefix}weighted_{metric.name}"
            out[name if name not in out else _numbered(name, out)] = metric
        return list(out.items())


class _Unweighted:
    """update_state() of a metric of compile(metrics=...): a step of one's own that gives all of self.metrics the sample weights
    weighs those of weighted_metrics alone, as in Keras. Outside of steps the metric is as ever."""

    def __init__(self, metric):
        self._metric = metric

    def __call__(self, *args, **kwargs):
        if current_graph() is not None:
            args = args[:2]
            kwargs.pop("sample_weight", None)
        return type(self._metric).update_state(self._metric, *args, **kwargs)


def _numbered(name: str, taken) -> str:
    return next(f"{name}_{n}" for n in itertools.count(1) if f"{name}_{n}" not in taken)
