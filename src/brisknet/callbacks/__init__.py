"""Callbacks, as in keras.callbacks."""

from brisknet.callbacks.base import Callback, CallbackList
from brisknet.callbacks.core import (
    CSVLogger, EarlyStopping, HalveOnDivergence, History, LambdaCallback, LearningRateScheduler, ReduceLROnPlateau,
    TerminateOnNaN,
)  # fmt: skip

__all__ = [
    "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "HalveOnDivergence", "History", "LambdaCallback",
    "LearningRateScheduler", "ReduceLROnPlateau", "TerminateOnNaN",
]  # fmt: skip
