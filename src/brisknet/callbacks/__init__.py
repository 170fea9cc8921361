"""Callbacks, as in keras.callbacks; TensorBoard and OrbaxCheckpoint, which need TensorFlow and JAX, are left out."""

from brisknet.callbacks.backup import BackupAndRestore
from brisknet.callbacks.base import Callback
from brisknet.callbacks.callback_list import CallbackList
from brisknet.callbacks.checkpoint import ModelCheckpoint
from brisknet.callbacks.core import (
    CSVLogger, HalveOnDivergence, LambdaCallback, LearningRateScheduler, TerminateOnNaN,
)  # fmt: skip
from brisknet.callbacks.history import History
from brisknet.callbacks.lr_finder import LearningRateFinder
from brisknet.callbacks.monitor import EarlyStopping, MonitorCallback, ReduceLROnPlateau
from brisknet.callbacks.progress import ProgbarLogger
from brisknet.callbacks.remote_monitor import RemoteMonitor
from brisknet.callbacks.swap_ema_weights import SwapEMAWeights

__all__ = [
    "BackupAndRestore", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "HalveOnDivergence", "History",
    "LambdaCallback", "LearningRateFinder", "LearningRateScheduler", "ModelCheckpoint", "MonitorCallback", "ProgbarLogger",
    "ReduceLROnPlateau", "RemoteMonitor", "SwapEMAWeights", "TerminateOnNaN",
]  # fmt: skip
