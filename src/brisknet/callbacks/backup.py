"""BackupAndRestore: go on with a training that was interrupted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from brisknet.callbacks.base import Callback
from brisknet.callbacks.checkpoint import SaveFrequency

__all__ = ["BackupAndRestore"]


class BackupAndRestore(Callback):
    """Keeps the state of the training in a folder; the same fit, started again, goes on from there.

    backup_dir         folder for the backup, which no other callback and no other training may use
    save_freq          "epoch", or a number of training steps (an epoch begun is then trained anew from its start)
    double_checkpoint  keep the backup before the last one too, and take it where the last one can't be read
    delete_checkpoint  delete the folder when fit has ended

    Kept are weights, optimizer, and the numbers of epoch and step, on which random draws depend: where the program sets
    its seed (utils.set_random_seed) and save_freq is "epoch", the training ends with the bits it would have had without
    the interruption. The file is replaced as a whole, so a crash while saving loses nothing. ValueError where the backup
    is not of this model.
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        super().__init__()
        if not isinstance(backup_dir, (str, os.PathLike)) or not os.fspath(backup_dir):
            raise ValueError(f"BackupAndRestore: backup_dir must be the path of a folder, got {backup_dir!r}")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq, self.double_checkpoint, self.delete_checkpoint = save_freq, double_checkpoint, delete_checkpoint
        self._frequency = SaveFrequency(save_freq, "BackupAndRestore")
        self._latest, self._previous = Path(backup_dir, "latest.npz"), Path(backup_dir, "previous.npz")

    def on_train_begin(self, logs=None):
        epoch = self._restore()
        self._epoch = epoch or 0
        if epoch is not None:
            self.model._initial_epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._counters = self._counted()

    def on_train_batch_end(self, batch, logs=None):
        if self._frequency.due(batch):
            self._save(self._counters)

    on_train_batch_end.only_if = lambda self: self._frequency.steps is not None

    def on_epoch_end(self, epoch, logs=None):
        self._epoch = epoch + 1
        if self._frequency.steps is None:
            self._save(self._counted())

    def on_train_end(self, logs=None):
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)

    # ---- the file -----------------------------------------------------------------------------------------------
    def _counted(self) -> dict:
        """Steps done and epochs begun, which key dropout and shuffling."""
        return {"step": self.model._step_counter.numpy(), "begun": np.int64(self.model._epochs_begun)}

    def _save(self, counters: dict) -> None:
        from brisknet.saving.weights import model_arrays, write_arrays

        arrays = {f"training/{k}": v for k, v in {"epoch": np.int64(self._epoch), **counters}.items()}
        if self.double_checkpoint and self._latest.exists():
            os.replace(self._latest, self._previous)
        write_arrays(self._latest, {**model_arrays(self.model), **arrays})

    def _restore(self) -> int | None:
        """Set the model to the backup, and give the epoch to go on with; None where there is no backup."""
        from brisknet.saving.weights import read_arrays

        there = [path for path in (self._latest, self._previous) if path.exists()]
        if not there:
            return None
        try:
            arrays = read_arrays(there[0])
        except ValueError:
            if len(there) == 1:
                raise
            arrays = read_arrays(there[1])
        return self._set(arrays)

    def _set(self, arrays: dict) -> int:
        from brisknet.saving.weights import set_arrays

        own = {name.removeprefix("training/"): arrays.pop(name) for name in list(arrays) if name.startswith("training/")}
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_weights)
        set_arrays(self.model, arrays, self.backup_dir)
        self.model._step_counter.assign(own["step"])
        self.model._epochs_begun = int(own["begun"])
        return int(own["epoch"])
