"""Metrics: means, row matches, and the float64 states that are added to in place."""

from __future__ import annotations

import numpy as np

from brisknet.passes.lower.plan import Unsupported
from brisknet.passes.lower.rules_elementwise import float32

RULES: dict = {}


# ---- means and matches --------------------------------------------------------------------------------------------------
def _metric_add(b, node):
    total, count, values, *weights = node.inputs
    float32(values, *weights)
    refs = b.row(total), b.row(count), b.row(values), b.row(weights[0]) if weights else None
    outs = b.update_place(node.outputs[0]), b.update_place(node.outputs[1])
    b.emit("metric_add", (*refs, *outs), (values.size,), (node.attrs["factor"],), writes=(4, 5))


def _match(kernel):
    def rule(b, node):
        true, pred = node.inputs
        float32(pred)
        wanted = "int32" if kernel in ("sparse_match", "in_top_k") else "float32"
        if true.dtype != wanted:
            raise Unsupported(f"{kernel} with labels of dtype {true.dtype}")
        ints, floats = (*pred.shape, node.attrs.get("k", 0)), (node.attrs.get("threshold", 0.0),)
        b.emit(kernel, (b.row(true), b.row(pred), b.out(node.outputs[0])), ints, floats, writes=(2,))

    return rule


def _count_step(b, node):
    x, y = node.inputs[0], node.outputs[0]
    if x.dtype != "int64":
        raise Unsupported(f"a counter of dtype {x.dtype}")
    b.emit("count_step", (b.row(x), b.update_place(y)), (node.attrs["amount"],), writes=(1,))


RULES.update({"metric_add": _metric_add, "count_step": _count_step})
for _name in ("binary_match", "categorical_match", "sparse_match", "in_top_k"):
    RULES[_name] = _match(_name)


def _keep_top_k(b, node):
    x, y = node.inputs[0], node.outputs[0]
    float32(x)
    b.emit("keep_top_k", (b.row(x), b.out(y)), (*x.shape, node.attrs["k"]), writes=(1,))


RULES["keep_top_k"] = _keep_top_k


# ---- states -------------------------------------------------------------------------------------------------------------
def _state(kernel, ints_of, floats_of=lambda a: (), extra=None):
    """state, y_true, y_pred and weights -> the next state, in the variable that it belongs to."""

    def rule(b, node):
        state, true, pred, *weights = node.inputs
        float32(*weights)
        for t in (true, pred):
            if t.dtype not in ("float32", "int32", "bool"):
                raise Unsupported(f"op {kernel!r} on dtype {t.dtype}")
        refs = b.row(state), b.row(true), b.row(pred), b.row(weights[0]) if weights else None
        rest = (extra(b, node.attrs),) if extra else ()
        shape = pred.shape if len(pred.shape) == 2 else (*pred.shape, 1)
        common = (*shape, int(true.dtype != "float32"), int(bool(weights) and weights[0].shape == pred.shape))
        out = b.update_place(node.outputs[0])
        b.emit(kernel, (*refs, out, *rest), (*common, *ints_of(node)), floats_of(node.attrs), writes=(4,))

    return rule


def _needs_float(pred) -> None:
    if pred.dtype != "float32":
        raise Unsupported(f"predictions of dtype {pred.dtype}")


def _threshold_ints(node):
    _needs_float(node.inputs[2])
    a = node.attrs
    return len(a["thresholds"]), a.get("spacing", 0), int(len(node.inputs[0].shape) == 3)


def _threshold_table(b, a):
    return None if a.get("spacing") else b.constant(np.asarray(a["thresholds"], np.float32))


def _fscore_ints(node):
    _needs_float(node.inputs[2])
    return (int(node.attrs["threshold"] is None),)


def _confusion_ints(node):
    a, pred = node.attrs, node.inputs[2]
    left_out = a.get("ignore_class")
    left_out = -1 if left_out is None else left_out
    return node.inputs[0].shape[0], int(pred.dtype != "float32"), left_out, int(a.get("whole_weights", False))


def _regression_ints(node):
    _needs_float(node.inputs[2])
    return ()


RULES.update({
    "metric_thresholds": _state("metric_thresholds", _threshold_ints, extra=_threshold_table),
    "metric_fscore": _state("metric_fscore", _fscore_ints, lambda a: (a["threshold"] or 0.0,)),
    "metric_confusion": _state("metric_confusion", _confusion_ints),
    "metric_regression": _state("metric_regression", _regression_ints),
})  # fmt: skip
