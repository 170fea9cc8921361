"""ModelCheckpoint: files of weights, written while a model trains."""

from __future__ import annotations

import os
import warnings

import numpy as np

from brisknet.callbacks.monitor import MonitorCallback

__all__ = ["ModelCheckpoint", "SaveFrequency"]


class SaveFrequency:
    """When to save: at the end of every epoch ("epoch"), or after every so many training steps, across epochs."""

    def __init__(self, save_freq, owner: str):
        whole = isinstance(save_freq, (int, np.integer)) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (whole and save_freq > 0):
            raise ValueError(f'{owner}: save_freq must be "epoch" or a number of steps >= 1, got {save_freq!r}')
        self.steps = None if save_freq == "epoch" else int(save_freq)
        self._seen, self._last = 0, None

    def due(self, batch: int) -> bool:
        """True where the step that has just ended is to be saved."""
        if self.steps is None:
            return False
        new_epoch = self._last is None or batch <= self._last
        self._seen += batch + 1 if new_epoch else batch - self._last
        self._last = batch
        if self._seen < self.steps:
            return False
        self._seen = 0
        return True


class ModelCheckpoint(MonitorCallback):
    """Saves the weights with model.save_weights() after every epoch, or every save_freq steps.

    filepath                  a path that ends in .npz, or in .weights.h5; it may have fields for the epoch (from 1), the
                              step (batch, from 1, where save_freq is a number) and the logs, as in
                              "w-{epoch:02d}-{val_loss:.2f}.npz". Folders are made. load_weights() takes the file.
    monitor                   the value in the logs by which save_best_only judges
    verbose                   1: say what is done
    save_best_only            save only where the monitored value is better than the best so far
    save_weights_only         must be True for .weights.h5, as in Keras; a .npz file holds weights in any case
    mode                      "min", "max", or "auto": losses fall, accuracies rise
    save_freq                 "epoch", or a number of training steps
    initial_value_threshold   the value to beat from the start

    ValueError for a path in another format; KeyError where a field of filepath is not in the logs.
    """

    def __init__(
        self, filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False, mode="auto",
        save_freq="epoch", initial_value_threshold=None,
    ):  # fmt: skip
        super().__init__(monitor, mode)
        if not isinstance(filepath, (str, os.PathLike)):
            raise TypeError(f"ModelCheckpoint: filepath must be a path, got {filepath!r}")
        self.filepath = os.fspath(filepath)
        if not self.filepath.endswith((".npz", ".weights.h5") if save_weights_only else ".npz"):
            stem = self.filepath.removesuffix(".keras").removesuffix(".h5").removesuffix(".weights")
            raise ValueError(
                "ModelCheckpoint: filepath must end in .npz (the weights as NumPy arrays), or in .weights.h5 with "
                f"save_weights_only=True (the weights as Keras keeps them), got {self.filepath!r}; write {stem + '.npz'!r}, "
                "and load it with model.load_weights()"
            )
        threshold = initial_value_threshold
        if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.number))):
            raise ValueError(f"ModelCheckpoint: initial_value_threshold must be a number, got {threshold!r}")
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.save_freq, self.best = save_freq, threshold
        self._frequency = SaveFrequency(save_freq, "ModelCheckpoint")
        self._epoch = 0

    def on_train_begin(self, logs=None):
        if self.save_best_only:
            self._begin()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._frequency.due(batch):
            self._save(self._epoch, batch, logs or {})

    on_train_batch_end.only_if = lambda self: self._frequency.steps is not None

    def on_epoch_end(self, epoch, logs=None):
        if self._frequency.steps is None:
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict) -> None:
        path = self._path(epoch, batch, logs)
        if not self._wanted(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise IsADirectoryError(f"ModelCheckpoint: filepath must name a file, but {path!r} is a directory")
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        self.model.save_weights(path, overwrite=True)
        if self.verbose > 0:
            self.say(f"Epoch {epoch + 1}: finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: dict) -> str:
        fields = {"epoch": epoch + 1, **logs}
        if batch is not None:
            fields.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} has the field {error}, which is not among {sorted(fields)}"
            ) from None

    def _wanted(self, epoch: int, logs: dict, path: str) -> bool:
        """Whether to save now; notes the best value, and says what happens."""
        if not self.save_best_only:
            if self.verbose > 0:
                self.say(f"Epoch {epoch + 1}: saving model to {path}")
            return True
        value = logs.get(self.monitor)
        if value is None or np.ndim(value) > 0:
            problem = (
                f"Can save best model only with {self.monitor} available." if value is None else
                f"Can save best model only when `monitor` is a scalar value. Received: {value}. Falling back to "
                "`save_best_only=False`."
            )  # fmt: skip
            warnings.warn(problem, stacklevel=4)
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        before = "None" if self.best is None else f"{self.best:.5f}"
        better = self._is_improvement(value, self.best)
        if self.verbose > 0:
            self.say(
                f"Epoch {epoch + 1}: {self.monitor} improved from {before} to {value:.5f}, saving model to {path}"
                if better else f"Epoch {epoch + 1}: {self.monitor} did not improve from {before}"
            )  # fmt: skip
        if better:
            self.best = value
        return better
