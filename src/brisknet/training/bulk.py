"""Many short epochs in one native call, where nobody but History and the progress display listens to each."""

from __future__ import annotations

import time

import numpy as np

from brisknet.metrics.metric import Mean, Sum

__all__ = ["SHORT_EPOCH", "run", "states"]

# Epochs shorter than this (seconds) are run several at a time.
SHORT_EPOCH = 0.02
# How long a call lasts, about: Ctrl-C and the progress display wait no longer.
CALL_SECONDS = 0.05
MOST_EPOCHS = 1 << 16


def states(named) -> list | None:
    """The state variables of all metrics in order, or None where one of them is not a plain mean or sum."""
    if any(type(m).result not in (Mean.result, Sum.result) for _, m in named):
        return None
    return [v for _, m in named for v in (m.total, m.count)]


def run(model, loop, callbacks, epochs: range) -> dict | None:
    """Run these epochs; returns the logs of the last one (None where there was none)."""
    named = model._named_metrics()
    logs = None
    at, took = epochs.start, None
    while at < epochs.stop and not model.stop_training:
        started = time.perf_counter()
        most = MOST_EPOCHS if took is None else int(4 * CALL_SECONDS / took) + 1
        model.reset_metrics()
        rows = loop.run_epochs(model._epochs_begun, min(epochs.stop - at, most, MOST_EPOCHS), CALL_SECONDS)
        model._epochs_begun += len(rows)
        took = max((time.perf_counter() - started) / len(rows), 1e-8)
        columns = {name: _results(m, rows[:, 2 * i], rows[:, 2 * i + 1]) for i, (name, m) in enumerate(named)}
        columns = dict(sorted(columns.items()))
        callbacks.on_epochs(range(at, at + len(rows)), columns, took)
        logs = {name: values[-1] for name, values in columns.items()}
        at += len(rows)
        for v, value in zip(states(named), rows[-1], strict=True):
            v.storage[...] = value
    return logs


def _results(metric, totals, counts) -> list[float]:
    """metric.result() of every epoch: the float32 of total / count, 0 for an empty count (metrics.metric.mean_of)."""
    if type(metric).result is Mean.result:
        totals = np.divide(totals, counts, out=np.zeros_like(totals), where=counts != 0)
    return totals.astype(np.float32).astype(np.float64).tolist()
