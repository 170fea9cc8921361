"""Callback: the base class, and all its hooks."""

from __future__ import annotations

__all__ = ["Callback", "overrides"]


class Callback:
    """Base class: override the hooks of interest. self.model is the model, self.params {"epochs", "steps", "verbose"}.

    A callback that overrides a batch hook makes fit return to Python after every step; one that does not costs
    nothing within an epoch.
    """

    model = None
    validation_data = None
    _progress = None

    def __init__(self):
        self.params: dict = {}

    def set_params(self, params) -> None:
        self.params = params

    def set_model(self, model) -> None:
        self.model = model

    def say(self, text: str) -> None:
        """Print a line, after what the progress display still holds back."""
        if self._progress is not None:
            self._progress.make_way()
        print(text)

    def close(self) -> None:
        """The call of fit, evaluate or predict has ended, be it by an exception: give back what is held open."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch; logs holds the metrics, those of validation with the prefix val_."""

    def on_batch_begin(self, batch, logs=None):
        """Alias of on_train_batch_begin."""

    def on_batch_end(self, batch, logs=None):
        """Alias of on_train_batch_end."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a training step; logs holds the metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Before a step of evaluate or validation."""

    def on_test_batch_end(self, batch, logs=None):
        """After a step of evaluate or validation."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of predict."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of predict."""

    def on_train_begin(self, logs=None):
        """At the start of fit."""

    def on_train_end(self, logs=None):
        """At the end of fit."""

    def on_test_begin(self, logs=None):
        """At the start of evaluate or validation."""

    def on_test_end(self, logs=None):
        """At the end of evaluate or validation."""

    def on_predict_begin(self, logs=None):
        """At the start of predict."""

    def on_predict_end(self, logs=None):
        """At the end of predict."""


def overrides(callback, hooks) -> bool:
    """True where a callback has a hook of its own among these.

    A hook may have an attribute only_if, a function of the callback that says whether it has anything to do: one that
    has not must not make fit return to Python after every step.
    """
    for hook in hooks:
        own = getattr(type(callback), hook, None)
        changed = hook in vars(callback) or own is not getattr(Callback, hook)
        if changed and getattr(own, "only_if", lambda c: True)(callback):
            return True
    return False
