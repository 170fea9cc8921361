"""The callbacks of keras.callbacks that this library has, and HalveOnDivergence."""

from __future__ import annotations

import csv
import math
import warnings

import numpy as np

from brisknet.callbacks.base import Callback

__all__ = [
    "CSVLogger", "EarlyStopping", "HalveOnDivergence", "History", "LambdaCallback", "LearningRateScheduler",
    "ReduceLROnPlateau", "TerminateOnNaN",
]  # fmt: skip


class History(Callback):
    """Records the logs of every epoch: .epoch, and .history {name: [values]}."""

    def __init__(self):
        super().__init__()
        self.history: dict[str, list] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for k, v in (logs or {}).items():
            self.history.setdefault(k, []).append(v)
        self.model.history = self


def _better(mode: str, monitor: str):
    """(is a better than b, the worst value) for mode "auto", "min" or "max"."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f'mode must be "auto", "min" or "max", got {mode!r}')
    if mode == "auto":
        name = monitor.removeprefix("val_")
        mode = "max" if any(w in name for w in ("acc", "auc", "precision", "recall", "f1")) else "min"
    return (np.less, math.inf) if mode == "min" else (np.greater, -math.inf)


class _Monitor(Callback):
    """Base of callbacks that watch one value of the logs."""

    def _value(self, logs):
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__}: {self.monitor!r} is not in the logs; there are {sorted(logs or {})}",
                stacklevel=3,
            )
        return value


class EarlyStopping(_Monitor):
    """Stops when the monitored value has not improved by min_delta for `patience` epochs.

    restore_best_weights   put back the weights of the best epoch when training ends
    baseline               the value to improve on from the start
    start_from_epoch       epochs before which nothing is watched
    """

    def __init__(
        self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
        restore_best_weights=False, start_from_epoch=0,
    ):  # fmt: skip
        super().__init__()
        if isinstance(patience, bool) or not isinstance(patience, (int, np.integer)) or patience < 0:
            raise ValueError(f"EarlyStopping: patience must be an integer >= 0, got {patience!r}")
        self.monitor, self.patience, self.verbose, self.baseline = monitor, patience, verbose, baseline
        self.min_delta = abs(min_delta)
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._op, self._worst = _better(mode, monitor)

    def on_train_begin(self, logs=None):
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best, self.best_weights = None, None

    def _improved(self, value, reference) -> bool:
        delta = self.min_delta if self._op is np.greater else -self.min_delta
        return bool(self._op(value - delta, reference))

    def on_epoch_end(self, epoch, logs=None):
        value = self._value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._improved(value, self._worst if self.best is None else self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improved(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(_Monitor):
    """Multiplies the learning rate by `factor` when the monitored value has not improved for `patience` epochs."""

    def __init__(
        self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=1e-4, cooldown=0, min_lr=0.0
    ):
        super().__init__()
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must lie between 0 and 1, got {factor!r}")
        self.monitor, self.factor, self.patience, self.verbose = monitor, factor, patience, verbose
        self.min_delta, self.cooldown, self.min_lr = min_delta, cooldown, min_lr
        self._op, self._worst = _better(mode, monitor)

    def on_train_begin(self, logs=None):
        self.best, self.wait, self.cooldown_counter = self._worst, 0, 0

    def on_epoch_end(self, epoch, logs=None):
        value = self._value(logs)
        logs["learning_rate"] = self.model.optimizer.learning_rate
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        delta = self.min_delta if self._op is np.greater else -self.min_delta
        if self._op(value - delta, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            old = self.model.optimizer.learning_rate
            if self.wait >= self.patience and old > np.float32(self.min_lr):
                new = max(old * self.factor, self.min_lr)
                self.model.optimizer.learning_rate = new
                if self.verbose > 0:
                    print(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
                self.cooldown_counter, self.wait = self.cooldown, 0


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch to schedule(epoch, current rate)."""

    def __init__(self, schedule, verbose=0):
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: a function (epoch, lr) -> lr expected, got {schedule!r}")
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch, logs=None):
        current = self.model.optimizer.learning_rate
        try:
            rate = self.schedule(epoch, current)
        except TypeError:  # the old form of a schedule knows the epoch only
            rate = self.schedule(epoch)
        if not isinstance(rate, (float, np.floating, np.ndarray, int)) or isinstance(rate, bool):
            raise ValueError(f"LearningRateScheduler: the schedule must give a number, got {rate!r}")
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = self.model.optimizer.learning_rate


class LambdaCallback(Callback):
    """Functions as hooks: on_epoch_begin(epoch, logs), on_epoch_end, on_train_begin(logs), on_train_end, and the
    batch hooks on_train_batch_begin(batch, logs) and on_train_batch_end."""

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None,
                 on_train_batch_begin=None, on_train_batch_end=None, **kwargs):  # fmt: skip
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
            "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end, **kwargs,
        }  # fmt: skip
        for name, fn in hooks.items():
            if not hasattr(Callback, name):
                raise TypeError(f"LambdaCallback: unknown hook {name!r}")
            if fn is not None:
                setattr(self, name, fn)


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite."""

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


class CSVLogger(Callback):
    """Writes the logs of every epoch as a row of a CSV file; append=True goes on with a file that is there."""

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename, self.sep, self.append = filename, separator, append
        self._file = self._writer = self.keys = None

    def on_train_begin(self, logs=None):
        import os

        empty = not (self.append and os.path.exists(self.filename) and os.path.getsize(self.filename))
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115 (closed at the end)
        self._header_due, self._writer = empty, None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._writer is None:
            self.keys = sorted(logs)
            if self.model.stop_training:  # the last epoch of a fit may lack validation
                self.keys = sorted(set(self.keys) | {k for k in logs})
            self._writer = csv.DictWriter(self._file, ["epoch", *self.keys], delimiter=self.sep)
            if self._header_due:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **{k: logs.get(k, "NA") for k in self.keys}})
        self._file.flush()

    def on_train_end(self, logs=None):
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


class HalveOnDivergence(Callback):
    """"Start high and cut by half when it diverges": puts back the last good weights and halves the learning rate.

    An epoch has diverged when its loss is not finite or larger than `factor` times the best so far. Weights and
    optimizer state of the best epoch come back, the rate is multiplied by `cut`, and training goes on, at most
    `max_halvings` times; then it stops.
    """

    def __init__(self, monitor="loss", factor=2.0, cut=0.5, max_halvings=20, verbose=1):
        super().__init__()
        if not factor > 1:
            raise ValueError(f"HalveOnDivergence: factor must be larger than 1, got {factor!r}")
        if not 0 < cut < 1:
            raise ValueError(f"HalveOnDivergence: cut must lie between 0 and 1, got {cut!r}")
        self.monitor, self.factor, self.cut = monitor, factor, cut
        self.max_halvings, self.verbose = max_halvings, verbose

    def on_train_begin(self, logs=None):
        self.best, self.halvings = math.inf, 0
        self._keep()

    def _keep(self):
        self._weights = self.model.get_weights() if self.model.built else None
        opt = self.model.optimizer
        self._slots = [v.numpy() for group in opt._slots for v in group] if opt.built else None

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        opt = self.model.optimizer
        if math.isfinite(value) and value <= self.best * self.factor:
            if value < self.best:
                self.best = value
                self._keep()
            logs["learning_rate"] = opt.learning_rate
            return
        self.halvings += 1
        self.model.set_weights(self._weights)
        slots = [v for group in opt._slots for v in group]
        for i, v in enumerate(slots):
            v.assign(self._slots[i] if self._slots is not None else np.full(v.shape, opt._slot_start(), v.dtype))
        opt.learning_rate = opt.learning_rate * self.cut
        logs["learning_rate"] = opt.learning_rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: {self.monitor} = {value:.4g} diverged; learning rate cut to {opt.learning_rate:.3g}")
        if self.halvings >= self.max_halvings:
            self.model.stop_training = True
