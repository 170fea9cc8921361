"""Smaller callbacks of keras.callbacks, and HalveOnDivergence."""

from __future__ import annotations

import math
import os

import numpy as np

from brisknet.callbacks.base import Callback
from brisknet.callbacks.monitor import MonitorCallback

__all__ = ["CSVLogger", "HalveOnDivergence", "LambdaCallback", "LearningRateScheduler", "TerminateOnNaN"]


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch to schedule(epoch, current rate)."""

    def __init__(self, schedule, verbose=0):
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: a function (epoch, lr) -> lr expected, got {schedule!r}")
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch, logs=None):
        current = float(self.model.optimizer.learning_rate)
        try:
            rate = self.schedule(epoch, current)
        except TypeError as error:  # the old form of a schedule knows the epoch only
            try:
                rate = self.schedule(epoch)
            except TypeError:
                raise error from None
        if not isinstance(rate, (float, np.floating, np.ndarray, int)) or isinstance(rate, bool):
            raise ValueError(f"LearningRateScheduler: the schedule must give a number, got {rate!r}")
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            self.say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class LambdaCallback(Callback):
    """Functions as hooks: on_epoch_begin(epoch, logs), on_epoch_end, on_train_begin(logs), on_train_end,
    on_train_batch_begin(batch, logs), on_train_batch_end, and by keyword any other hook of Callback.

    Other keywords become attributes, as in Keras; one that begins with on_ but is no hook is a TypeError.
    """

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None,
                 on_train_batch_begin=None, on_train_batch_end=None, **kwargs):  # fmt: skip
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
            "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end, **kwargs,
        }  # fmt: skip
        for name, fn in hooks.items():
            known = hasattr(Callback, name)
            if name.startswith("on_") and not known:
                known_hooks = ", ".join(h for h in dir(Callback) if h.startswith("on_"))
                raise TypeError(f"LambdaCallback: no hook is named {name!r}; the hooks are {known_hooks}")
            if known and fn is not None and not callable(fn):
                raise TypeError(f"LambdaCallback: {name} must be a function, got {fn!r}")
            if fn is not None or not known:
                setattr(self, name, fn)


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite."""

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            self.say(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


class CSVLogger(Callback):
    """Writes the logs of every epoch as a row of a CSV file; append=True goes on with a file that is there.

    The columns are those of the first epoch, sorted; where that had no validation, val_ columns are kept for later
    epochs. Missing values are written as NA.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"CSVLogger: separator must be one character, got {separator!r}")
        self.csv_file = self.writer = self.keys = None

    def on_train_begin(self, logs=None):
        self.on_train_end()  # a fit that ended in an exception left the file open
        there = os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._header_due = not (self.append and there)
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115 (closed at the end)
        self.keys = None

    def on_epoch_end(self, epoch, logs=None):
        import csv

        logs = logs or {}
        if self.writer is None:
            self.keys = sorted(logs)
            if not any(k.startswith("val_") for k in self.keys):
                self.keys += [f"val_{k}" for k in self.keys]
            self.writer = csv.DictWriter(self.csv_file, ["epoch", *self.keys], delimiter=self.sep)
            if self._header_due:
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch, **{k: logs.get(k, "NA") for k in self.keys}})
        self.csv_file.flush()

    def on_train_end(self, logs=None):
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = self.writer = None


class HalveOnDivergence(MonitorCallback):
    """"Start high and cut by half when it diverges": puts back the last good weights and halves the learning rate.

    An epoch has diverged when its loss is not finite or larger than `factor` times the best so far. Then weights and
    optimizer state come back from where the last epoch that went well began (its end is where the trouble began), the
    rate is multiplied by `cut`, and training goes on, at most `max_halvings` times; then it stops.
    """

    _topic = "Halving the learning rate"

    def __init__(self, monitor="loss", factor=2.0, cut=0.5, max_halvings=20, verbose=1):
        super().__init__(monitor, "min")
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not factor > 1:
            raise ValueError(f"HalveOnDivergence: factor must be a number larger than 1, got {factor!r}")
        if isinstance(cut, bool) or not isinstance(cut, (int, float)) or not 0 < cut < 1:
            raise ValueError(f"HalveOnDivergence: cut must lie between 0 and 1, got {cut!r}")
        if isinstance(max_halvings, bool) or not isinstance(max_halvings, int) or max_halvings < 1:
            raise ValueError(f"HalveOnDivergence: max_halvings must be an integer >= 1, got {max_halvings!r}")
        self.factor, self.cut, self.max_halvings, self.verbose = factor, cut, max_halvings, verbose

    def _state(self):
        """The optimizer's variables but for the learning rate: steps taken and slots."""
        optimizer = self.model.optimizer
        return [v for v in optimizer.variables if v is not optimizer._learning_rate]

    def _snapshot(self):
        return self.model.get_weights(), [v.numpy() for v in self._state()]

    def on_train_begin(self, logs=None):
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_weights)
        self.best, self.halvings = math.inf, 0
        # Proven: an epoch that began here went well. Last: the end of that epoch, not proven yet.
        self._proven = self._last = (self._snapshot(), math.inf)

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        optimizer = self.model.optimizer
        value = self.get_monitor_value(logs)
        logs["learning_rate"] = float(optimizer.learning_rate)
        if value is None:
            return
        # A loss may be negative or zero, so the limit is the distance that `factor` means for a positive one.
        if math.isfinite(value) and value - self.best <= (self.factor - 1) * abs(self.best):
            self.best = min(self.best, value)
            self._proven, self._last = self._last, (self._snapshot(), self.best)
            return
        self._go_back()
        if self.verbose:
            self.say(f"Epoch {epoch + 1}: {self.monitor} = {value:.4g} diverged; learning rate cut to "
                     f"{float(optimizer.learning_rate):.3g}")  # fmt: skip
        if self.halvings >= self.max_halvings:
            self.model.stop_training = True

    def _go_back(self) -> None:
        self.halvings += 1
        (weights, state), self.best = self._last = self._proven
        self.model.set_weights(weights)
        for v, value in zip(self._state(), state, strict=True):
            v.assign(value)
        self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * self.cut
