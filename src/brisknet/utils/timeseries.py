"""timeseries_dataset_from_array: windows over a series, in batches."""

from __future__ import annotations

import numpy as np

from brisknet.training import data as arrays
from brisknet.utils.batches import Batches

__all__ = ["TimeseriesDataset", "timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data, targets, sequence_length, sequence_stride=1, sampling_rate=1, batch_size=128, shuffle=False, seed=None,
    start_index=None, end_index=None, format=None,
):  # fmt: skip
    """Windows of a series as batches that fit(), evaluate(), predict() and `for` take again and again, in this
    order whatever fit's shuffle is.

    data              [steps, ...], one row a step
    targets           targets[i] belongs to the window that begins at step i; None: batches are windows alone
    sequence_length   steps in a window
    sequence_stride   steps from the beginning of one window to that of the next
    sampling_rate     steps from one row of a window to the next
    batch_size        windows in a batch; None: one window at a time, without the axis of batches
    shuffle, seed     another order of the windows in each pass, the same passes for the same seed
    start_index, end_index   only steps from start_index up to, but without, end_index are used
    format            Keras' argument, which changes nothing here

    Batches are x or (x, targets), x of shape [batch, sequence_length, ...]; the last may be smaller. ValueError for indices
    and strides that do not fit the data.
    """
    series = arrays.as_rows(data, "timeseries_dataset_from_array: data")
    ends = None if targets is None else arrays.as_rows(targets, "timeseries_dataset_from_array: targets")
    start, end = _bounds(len(series), start_index, end_index)
    length = _count(sequence_length, "sequence_length")
    steps = {}
    for value, name in ((sequence_stride, "sequence_stride"), (sampling_rate, "sampling_rate")):
        steps[name] = _count(value, name)
        if value >= len(series):
            raise ValueError(
                f"timeseries_dataset_from_array: {name} must be below the length of data, {len(series)}, got {value}"
            )
    batch_size = None if batch_size is None else _count(batch_size, "batch_size")
    if format not in (None, "tf", "grain"):
        raise ValueError(f'timeseries_dataset_from_array: format must be None, "tf" or "grain", got {format!r}')
    series, ends = series[start:end], None if ends is None else ends[start:end]
    windows = len(series) - (length - 1) * steps["sampling_rate"]
    if windows < 1:
        raise ValueError(
            f"timeseries_dataset_from_array: at least one window of {length} steps, {steps['sampling_rate']} apart, expected, "
            f"but steps {start} to {end} are only {len(series)}"
        )
    if ends is not None:
        windows = min(windows, len(ends))
        if not windows:
            raise ValueError(f"timeseries_dataset_from_array: targets: at least one from step {start} on expected, got none")
    firsts = np.arange(0, windows, steps["sequence_stride"])
    offsets = np.arange(length) * steps["sampling_rate"]
    return TimeseriesDataset(series, ends, firsts, offsets, batch_size, bool(shuffle), seed)


class TimeseriesDataset(Batches):
    """Windows series[first + offsets] for each of `firsts`, in batches; made by timeseries_dataset_from_array()."""

    def __init__(self, series, targets, firsts, offsets, batch_size, shuffle=False, seed=None):
        super().__init__(len(firsts), batch_size, shuffle, seed)
        self.series, self.targets, self.firsts, self.offsets = series, targets, firsts, offsets

    def read(self, numbers):
        """(windows, targets), or the windows alone."""
        at = self.firsts[numbers]
        x = self.series[np.add.outer(at, self.offsets)]
        return x if self.targets is None else (x, self.targets[at])


def _count(value, name: str) -> int:
    return arrays.check_count(value, f"timeseries_dataset_from_array: {name}")


def _bounds(n: int, start, end) -> tuple[int, int]:
    """The first step, and the one behind the last."""
    for value, name in ((start, "start_index"), (end, "end_index")):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if value is not None and (not whole or not 0 <= value < n):
            raise ValueError(f"timeseries_dataset_from_array: {name} must be an integer from 0 to {n - 1}, got {value!r}")
    start, end = start or 0, n if end is None else end
    if end <= start:
        raise ValueError(f"timeseries_dataset_from_array: end_index must be above start_index, {start}, got {end}")
    return start, end
