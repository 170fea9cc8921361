"""Callbacks that watch one value of the logs: EarlyStopping, ReduceLROnPlateau."""

from __future__ import annotations

import warnings

import numpy as np

from brisknet.callbacks.base import Callback

__all__ = ["EarlyStopping", "MonitorCallback", "ReduceLROnPlateau"]

# In the names of custom metrics that Keras 2 took to be better when larger.
_RISING = ("acc", "auc", "precision", "recall", "f1")


class MonitorCallback(Callback):
    """Base class: a value of the logs, and whether it is to fall or to rise.

    monitor     the name in the logs, e.g. "val_loss"
    mode        "min", "max", or "auto": losses fall, accuracies rise (a word that is none of these means "auto")
    min_delta   a change smaller than this is no improvement
    """

    # How the warning about a name that is not in the logs begins, as in Keras.
    _topic = "Monitoring"

    def __init__(self, monitor="val_loss", mode="auto", min_delta=0.0):
        super().__init__()
        if not isinstance(monitor, str):
            raise ValueError(f"{type(self).__name__}: monitor must be a name in the logs, got {monitor!r}")
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        if isinstance(min_delta, bool) or not isinstance(min_delta, (int, float, np.number)):
            raise ValueError(f"{type(self).__name__}: min_delta must be a number, got {min_delta!r}")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.monitor_op = None

    def _set_monitor_op(self) -> None:
        """Decide between np.less and np.greater; ValueError where "auto" cannot tell."""
        name = self.monitor.removeprefix("val_")
        rises = {"min": False, "max": True}.get(self.mode)
        if rises is None and (name == "loss" or name.endswith("_loss")):
            rises = False
        if rises is None:
            rises = self._metric_rises(name)
        if rises is None and any(word in name for word in _RISING):
            rises = True
        if rises is None:
            raise ValueError(
                f"{type(self).__name__}: can't tell whether monitor={self.monitor!r} is to fall or to rise; pass "
                'mode="min" or mode="max"'
            )
        self.monitor_op = np.greater if rises else np.less

    def _metric_rises(self, name):
        for label, metric in getattr(self.model, "_named_metrics", list)():
            if name in (label, metric.name) and metric._direction is not None:
                return metric._direction == "up"
        return None

    def _begin(self) -> None:
        """Decide at the start of fit, before anything is trained, where the model knows its metrics by then."""
        if self.monitor_op is None and getattr(self.model, "_metrics", None) is not None:
            self._set_monitor_op()

    def get_monitor_value(self, logs):
        """The watched value; None, after a warning, where it is not in the logs."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{self._topic} conditioned on metric `{self.monitor}` which is not available. Available metrics are: "
                f"{','.join(logs)}",
                stacklevel=3,
            )
        return value

    def _is_improvement(self, value, reference) -> bool:
        if reference is None:
            return True
        delta = self.min_delta if self.monitor_op is np.greater else -self.min_delta
        return bool(self.monitor_op(value - delta, reference))


def _whole(value, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(f"{name} must be an integer >= 0, got {value!r}")
    return int(value)


class EarlyStopping(MonitorCallback):
    """Stops when the monitored value has not improved by min_delta for `patience` epochs.

    baseline               the value that must be beaten for the count of epochs to start again
    restore_best_weights   put back the weights of the best epoch when training ends
    start_from_epoch       epochs before which nothing is watched
    """

    _topic = "Early stopping"

    def __init__(
        self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
        restore_best_weights=False, start_from_epoch=0,
    ):  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience = _whole(patience, "EarlyStopping: patience")
        self.start_from_epoch = _whole(start_from_epoch, "EarlyStopping: start_from_epoch")
        self.verbose, self.baseline, self.restore_best_weights = verbose, baseline, restore_best_weights
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self._begin()
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best, self.best_weights = None, None

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor_op is None:  # only now all metrics are known
            self._set_monitor_op()
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._is_improvement(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            self.say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                self.say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when the monitored value has not improved for `patience` epochs.

    min_delta   a change smaller than this is no improvement
    cooldown    epochs after a reduction in which nothing is counted
    min_lr      the learning rate is never reduced below it
    """

    _topic = "Learning rate reduction is"  # the grammar is Keras'

    def __init__(
        self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=1e-4, cooldown=0, min_lr=0.0
    ):
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must lie between 0 and 1, got {factor!r}")
        self.factor, self.verbose, self.min_lr = factor, verbose, min_lr
        self.patience = _whole(patience, "ReduceLROnPlateau: patience")
        self.cooldown = _whole(cooldown, "ReduceLROnPlateau: cooldown")
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self._begin()
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor_op is None:
            self._set_monitor_op()
        logs = {} if logs is None else logs
        optimizer = self.model.optimizer
        logs["learning_rate"] = float(optimizer.learning_rate)
        value = self.get_monitor_value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            old = float(optimizer.learning_rate)
            if self.wait >= self.patience and old > np.float32(self.min_lr):
                new = max(old * self.factor, self.min_lr)
                optimizer.learning_rate = new
                if self.verbose > 0:
                    self.say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
                self.cooldown_counter, self.wait = self.cooldown, 0
