"""Callback and the list that calls them."""

from __future__ import annotations

from brisknet.layers.keras_tensor import flatten

__all__ = ["Callback", "CallbackList"]

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
_TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
_PREDICT_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")


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


def _overrides(callback, hooks) -> bool:
    for hook in hooks:
        own = getattr(type(callback), hook, None)
        if hook in vars(callback) or own is not getattr(Callback, hook):
            return True
    return False


class CallbackList:
    """All callbacks of one call; adds History and, last, the progress display.

    wants_batches, wants_test_batches, wants_predict_batches say whether any callback overrides a batch hook; only_record
    says that nothing but History and the progress display listens, which take several epochs at once.
    """

    def __init__(self, callbacks, model, params, history=True):
        from brisknet.callbacks.core import History
        from brisknet.callbacks.progress import Progress

        given = _as_list(callbacks)
        verbose = params.get("verbose")
        params = {**params, "verbose": 1 if verbose == "auto" else int(verbose or 0)}
        self.history = self.progress = None
        if history:
            self.history = next((c for c in given if isinstance(c, History)), None) or History()
            if self.history not in given:
                given.append(self.history)
        if params["verbose"] and history:
            # Callbacks that are not ours may print: then every line is written at once, to keep the order.
            self.progress = Progress(at_once=any(not type(c).__module__.startswith("brisknet.") for c in given))
            given.append(self.progress)
        self.callbacks = given
        self.wants_batches = any(_overrides(c, _BATCH_HOOKS) for c in given)
        self.only_record = all(type(c) in (History, Progress) for c in given)
        self.wants_test_batches = any(_overrides(c, _TEST_HOOKS) for c in given)
        self.wants_predict_batches = any(_overrides(c, _PREDICT_HOOKS) for c in given)
        for c in given:
            c.set_params(params)
            c.set_model(model)
            c._progress = self.progress

    def on_train_batch_end(self, batch, logs=None) -> None:
        """The hook of every callback, then the progress display."""
        logs = {} if logs is None else logs
        for c in self.callbacks:
            c.on_train_batch_end(batch, logs)
        self.on_progress(batch + 1, lambda: logs)

    def on_epochs(self, epochs, logs, seconds) -> None:
        """Several epochs are done, about `seconds` each; logs holds lists, one value an epoch."""
        for c in self.callbacks:
            c.on_epochs(epochs, logs, seconds)

    def close(self) -> None:
        """The call has ended, be it by an exception: nothing stays held back or half drawn."""
        if self.progress is not None:
            self.progress.close()

    def on_progress(self, step, logs) -> None:
        """Some steps of a long epoch are done; logs is a function."""
        if self.progress is not None:
            self.progress.on_progress(step, logs)


def _as_list(callbacks) -> list:
    """The callbacks given, flat; TypeError for what is none, with the likely mistake named."""
    if callbacks is None:
        return []
    given = flatten(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    for c in given:
        if isinstance(c, type) and issubclass(c, Callback):
            raise TypeError(f"callbacks: a Callback object expected, got the class {c.__name__}; write {c.__name__}(...)")
        if not isinstance(c, Callback):
            raise TypeError(
                f"callbacks: Callback objects expected, got {c!r} of type {type(c).__name__}; a function goes into "
                "LambdaCallback(on_epoch_end=...)"
            )
    return given


def _forward(hook, with_index):
    # Every hook gets a dict, as in Keras: {} where there is nothing to tell.
    if with_index:

        def call(self, index, logs=None):
            logs = {} if logs is None else logs
            for c in self.callbacks:
                getattr(c, hook)(index, logs)

    else:

        def call(self, logs=None):
            logs = {} if logs is None else logs
            for c in self.callbacks:
                getattr(c, hook)(logs)

    return call


for _hook in ("on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_test_batch_begin", "on_test_batch_end",
              "on_predict_batch_begin", "on_predict_batch_end"):  # fmt: skip
    setattr(CallbackList, _hook, _forward(_hook, True))
for _hook in ("on_train_begin", "on_train_end", "on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end"):
    setattr(CallbackList, _hook, _forward(_hook, False))
