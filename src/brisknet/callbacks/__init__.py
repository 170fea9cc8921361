"""Callbacks, as in keras.callbacks."""

from brisknet.callbacks.base import Callback, CallbackList
from brisknet.callbacks.core import (
    CSVLogger, HalveOnDivergence, History, LambdaCallback, LearningRateScheduler, TerminateOnNaN,
)  # fmt: skip
from brisknet.callbacks.monitor import EarlyStopping, MonitorCallback, ReduceLROnPlateau

__all__ = [
    "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "HalveOnDivergence", "History", "LambdaCallback",
    "LearningRateScheduler", "MonitorCallback", "ReduceLROnPlateau", "TerminateOnNaN",
]  # fmt: skip
