"""Many short epochs in one native call, where nobody but History and the progress display listens to each."""

from __future__ import annotations

import time

from brisknet.metrics.metric import Metric, StreamingMetric

__all__ = ["SHORT_EPOCH", "run", "states"]

# Epochs shorter than this (seconds) are run several at a time.
SHORT_EPOCH = 0.02
# How long a call lasts, about: Ctrl-C and the progress display wait no longer.
CALL_SECONDS = 0.05
MOST_EPOCHS = 1 << 16


# States of all epochs of one call, at most (64 MB).
MOST_STATES = 1 << 23


def states(named) -> list | None:
    """The state variables of all metrics in order, or None where a result is not a function of such states alone."""
    seen = set()
    for _, m in named:
        streams = isinstance(m, StreamingMetric) and type(m).result is StreamingMetric.result
        if not streams or type(m).reset_state is not Metric.reset_state or len(m.variables) != len(m._states) or id(m) in seen:
            return None
        seen.add(id(m))
    return [v for _, m in named for v in m._states]


def run(model, loop, callbacks, epochs: range) -> dict | None:
    """Run these epochs; returns the logs of the last one (None where there was none)."""
    named = model._named_metrics("train")
    kept = states(named)
    bound = min(MOST_EPOCHS, MOST_STATES // sum(v.size for v in kept) + 1)
    logs = None
    at, took = epochs.start, None
    while at < epochs.stop and not model.stop_training:
        started = time.perf_counter()
        most = bound if took is None else int(4 * CALL_SECONDS / took) + 1
        model.reset_metrics()
        rows = loop.run_epochs(model._epochs_begun, min(epochs.stop - at, most, bound), CALL_SECONDS)
        model._epochs_begun += len(rows)
        took = max((time.perf_counter() - started) / len(rows), 1e-8)
        values = iter(_columns(rows, kept))
        columns = {name: m.results_of(*[next(values) for _ in m._states]) for name, m in named}
        columns = dict(sorted(columns.items()))
        callbacks.on_epochs(range(at, at + len(rows)), columns, took)
        logs = {name: values[-1] for name, values in columns.items()}
        at += len(rows)
        for v, value in zip(kept, _columns(rows[-1:], kept), strict=True):
            v.storage[...] = value[0]
    return logs


def _columns(rows, kept):
    """The values [epochs] + shape of each state, from one row an epoch."""
    at = 0
    for v in kept:
        yield rows[:, at : at + v.size].reshape(len(rows), *v.shape)
        at += v.size
