"""CallbackList: the callbacks of one call, told everything together."""

from __future__ import annotations

from brisknet.callbacks.base import Callback, overrides
from brisknet.callbacks.history import History
from brisknet.callbacks.progress import ProgbarLogger
from brisknet.layers.keras_tensor import flatten

__all__ = ["CallbackList"]

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
_TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
_PREDICT_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")


class CallbackList(Callback):
    """Calls a hook of all its callbacks in order; for training loops of one's own, and what fit uses.

    callbacks     a Callback, or a nested list of them
    add_history   append a History where there is none
    add_progbar   append a ProgbarLogger where there is none
    model         the model they belong to
    params        "epochs", "steps" and "verbose", which every callback gets

    wants_batches, wants_test_batches, wants_predict_batches say whether any callback overrides a batch hook; only_record
    says that nothing but History and the progress display listens, which take several epochs at once.
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        self.callbacks = _as_list(callbacks)
        self.history = self._find(History)
        if self.history is None and add_history:
            self.history = History()
            self.callbacks.append(self.history)
        self.progress = self._find(ProgbarLogger)
        if self.progress is None and add_progbar:
            self.progress = ProgbarLogger()
            self.callbacks.append(self.progress)
        self._look()
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def _find(self, kind):
        return next((c for c in self.callbacks if isinstance(c, kind)), None)

    def _look(self) -> None:
        """Note what the callbacks listen to."""
        given = self.callbacks
        # The progress display draws within an epoch without being called after every step.
        listening = [c for c in given if type(c) is not ProgbarLogger]
        self.only_record = all(type(c) in (History, ProgbarLogger) for c in given)
        self.wants_batches = any(overrides(c, _BATCH_HOOKS) for c in listening)
        self.wants_test_batches = any(overrides(c, _TEST_HOOKS) for c in listening)
        self.wants_predict_batches = any(overrides(c, _PREDICT_HOOKS) for c in listening)
        if self.progress is not None:
            # Callbacks that are not ours may print: then every line is written at once, to keep the order.
            self.progress.at_once = any(not type(c).__module__.startswith("brisknet.") for c in given)
        for c in given:
            c._progress = self.progress

    def append(self, callback) -> None:
        """Add a callback at the end."""
        self.callbacks += _as_list(callback)
        self._look()

    def set_params(self, params) -> None:
        if not params:
            self.params = {}
            return
        verbose = params.get("verbose")
        self.params = {**params, "verbose": 1 if verbose == "auto" else int(verbose or 0)}
        for c in self.callbacks:
            c.set_params(self.params)

    def set_model(self, model) -> None:
        self.model = model
        for c in self.callbacks:
            c.set_model(model)

    def on_train_batch_end(self, batch, logs=None) -> None:
        """The hook of every callback; the progress display draws where that is due."""
        logs = {} if logs is None else logs
        for c in self.callbacks:
            c.on_train_batch_end(batch, logs)

    def on_batch_begin(self, batch, logs=None) -> None:
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch, logs=None) -> None:
        self.on_train_batch_end(batch, logs)

    def on_epochs(self, epochs, logs, seconds) -> None:
        """Several epochs are done, about `seconds` each; logs holds lists, one value an epoch."""
        for c in self.callbacks:
            c.on_epochs(epochs, logs, seconds)

    def close(self) -> None:
        """The call has ended, be it by an exception: nothing stays held back, half drawn or half restored."""
        for c in self.callbacks:
            c.close()

    def on_progress(self, step, logs) -> None:
        """Some steps of a long epoch are done; logs is a function."""
        if self.progress is not None:
            self.progress.on_progress(step, logs)


def _as_list(callbacks) -> list:
    """The callbacks given, flat; TypeError for what is none, with the likely mistake named."""
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks.callbacks)
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
