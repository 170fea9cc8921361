"""fit, evaluate, predict: how a model is trained and used. The arithmetic happens in traced programs."""

from __future__ import annotations

import sys
import time

import numpy as np

from brisknet.callbacks.callback_list import CallbackList
from brisknet.callbacks.history import History
from brisknet.graph.trace import _state as _tracing  # current_graph() without the call, where a microsecond counts
from brisknet.graph.trace import current_graph
from brisknet.layers.keras_tensor import KerasTensor, flatten, map_structure
from brisknet.layers.layer import Layer
from brisknet.runtime.program import make_loop
from brisknet.training import bulk, data
from brisknet.training.compiling import Compiling, results
from brisknet.training.feeding import Feeding
from brisknet.training.feeds import Feeds
from brisknet.training.ids import id_bounds
from brisknet.training.short import MOST, batch_key, short_step
from brisknet.training.sources import find_source
from brisknet.training.sources.streams import StreamSource
from brisknet.training.steps import Steps

__all__ = ["Trainer"]

# How long a native call may run before Python looks at signals and the progress bar.
POLL_SECONDS = 0.05
# Rows that predict computes at a time, at least: enough that reading the weights costs little.
PREDICT_ROWS = 1024


class Trainer(Compiling, Feeding, Feeds, Steps):
    """The part of Model that trains."""

    # ---- fit ----------------------------------------------------------------------------------------------------
    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
        validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0,
        steps_per_epoch=None, validation_steps=None, validation_batch_size=None, validation_freq=1,
    ) -> History:  # fmt: skip
        """Train for a number of epochs; returns the History callback, with .history and .epoch.

        x is an array, a list or dict of arrays, a frame of pandas or polars, or something that gives batches of
        (x, y) or (x, y, sample_weight): a generator, a utils.PyDataset, a DataLoader, any iterable. batch_size defaults
        to 32. validation_split holds out the last rows; validation_data is (x, y), (x, y, sample_weight) or gives
        batches. Raises ValueError or TypeError for data that do not fit, before anything is changed; a warning tells
        where a source has fewer batches than steps_per_epoch * epochs.
        """
        self._need_compiled("fit")
        whole = self.optimizer.full_batch
        batch_size = data.check_count(batch_size, "batch_size", none=True) or (sys.maxsize if whole else 32)
        epochs = data.check_count(epochs, "epochs", least=0)
        initial_epoch = data.check_count(initial_epoch, "initial_epoch", least=0)
        validates = data.validation_epochs(validation_freq)
        for count, name in ((steps_per_epoch, "steps_per_epoch"), (validation_steps, "validation_steps"),
                            (validation_batch_size, "validation_batch_size")):  # fmt: skip
            data.check_count(count, name, none=True)
        if verbose not in ("auto", 0, 1, 2, True, False):
            raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}')
        with self._exclusive("fit"):
            feed, steps, held = self._train_feed(
                x, y, sample_weight, class_weight, batch_size, bool(shuffle) and not whole, steps_per_epoch,
                0 if validation_data is not None else validation_split,
            )  # fmt: skip
            if whole and steps != 1:
                raise ValueError(
                    f"{type(self.optimizer).__name__} trains on all rows at once: one batch an epoch expected, got {steps}; "
                    "leave batch_size out, or set it to the number of rows"
                )
            tested = self._validation_feed(validation_data, held, validation_batch_size or batch_size, validation_steps)
            callback_list = CallbackList(
                callbacks, add_history=True, add_progbar=verbose != 0, model=self,
                epochs=epochs, steps=steps, verbose=verbose,
            )  # fmt: skip
            states = bulk.states(self._named_metrics("train")) if tested is None and callback_list.only_record else None
            feed = feed(states or ())
            try:
                return self._fit_epochs(feed, range(initial_epoch, epochs), callback_list, tested, validates, states)
            finally:
                callback_list.close()
                for used in (feed, tested):
                    if used is not None:
                        used.close()

    def _exclusive(self, method: str):
        return _Exclusive(self._lock, self.name, method)

    def _fit_epochs(self, feed, epochs, callbacks, tested, validates, states):
        self.stop_training, self._initial_epoch = False, None
        callbacks.on_train_begin()
        if self._initial_epoch is not None:  # BackupAndRestore goes on from there
            epochs = range(self._initial_epoch, epochs.stop)
        logs: dict = {}
        in_bulk = states is not None and feed.whole and feed.loop.executor == "native"
        for epoch in epochs:
            if self.stop_training:
                break
            started = time.perf_counter()
            if not feed.left():  # an iterator that has been used up gives no further epochs
                break
            callbacks.on_epoch_begin(epoch)
            self.reset_metrics()
            feed.begin()
            self._run_epoch(feed, callbacks)
            feed.end()
            logs = self._logs()
            if tested is not None and validates(epoch):  # also where a batch hook has ended training (Keras)
                logs.update(self._validate(tested, callbacks))
            callbacks.on_epoch_end(epoch, logs)
            if getattr(self.optimizer, "converged", False):
                break
            if in_bulk and time.perf_counter() - started < bulk.SHORT_EPOCH:
                logs = bulk.run(self, feed.loop, callbacks, range(epoch + 1, epochs.stop)) or logs
                break
        if len(epochs):
            self.optimizer.finalize_variable_values(self.trainable_weights)
        callbacks.on_train_end(logs)
        return callbacks.history

    def _run_epoch(self, feed, callbacks) -> None:
        done = False
        while not done and feed.more():
            if callbacks.wants_batches:
                callbacks.on_train_batch_begin(feed.step)
                done = feed.run(max_steps=1)
                callbacks.on_train_batch_end(feed.step - 1, self._logs())
                if self.stop_training:
                    return
            else:
                done = feed.run(seconds=POLL_SECONDS)
                if not done:
                    callbacks.on_progress(feed.step, self._logs)

    def _validate(self, tested, callbacks) -> dict:
        """The logs of a validation, with val_ before their names; none where the validation data are used up."""
        callbacks.on_test_begin()
        found = self._run_test(tested, callbacks)
        callbacks.on_test_end(found)
        return {"val_" + k: v for k, v in found.items()}

    # ---- evaluate and predict -----------------------------------------------------------------------------------
    def _run_test(self, feed, callbacks=None) -> dict:
        self.reset_metrics()
        if not feed.left():
            return {}
        feed.begin()
        while feed.more():
            if callbacks is not None and callbacks.wants_test_batches:
                callbacks.on_test_batch_begin(feed.step)
                feed.run(max_steps=1)
                callbacks.on_test_batch_end(feed.step - 1, self._logs("test"))
            elif feed.run(seconds=POLL_SECONDS):
                break
        feed.end()
        return self._logs("test")

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None,
        return_dict=False,
    ):  # fmt: skip
        """Loss and metrics on data: the loss alone, a list [loss, metrics...], or a dict."""
        self._need_compiled("evaluate")
        batch_size = data.check_count(batch_size, "batch_size", none=True) or 32
        data.check_count(steps, "steps", none=True)
        with self._exclusive("evaluate"):
            feed = self._evaluation_feed(x, y, sample_weight, batch_size, steps)
            callback_list = CallbackList(callbacks, model=self, verbose=0)
            callback_list.on_test_begin()
            started = time.perf_counter()
            try:
                logs = self._run_test(feed, callback_list)
            finally:
                feed.close()
            if not logs:
                raise ValueError("x: at least one batch expected, got none")
            callback_list.on_test_end(logs)
            if verbose:
                from brisknet.callbacks.progress import print_line

                print_line(logs, time.perf_counter() - started)
            return logs if return_dict else self._flat_logs(logs)

    def _flat_logs(self, logs: dict):
        """The values of logs in the order of metrics_names, others after them; a single one alone."""
        values = [logs[n] for n in self._log_order(logs)]
        return values[0] if len(values) == 1 else values

    def _log_order(self, logs: dict) -> list:
        return list(dict.fromkeys([*(n for n in self.metrics_names if n in logs), *sorted(logs)]))

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Outputs for the samples of x, as arrays with one row a sample."""
        fast = self._fast
        if fast is not None and callbacks is None and steps is None and batch_size is None and type(x) is np.ndarray:
            out = fast(x)
            if out is not None:
                return out
        batch_size = data.check_count(batch_size, "batch_size", none=True) or 32
        source = find_source(x, batch_size=batch_size)
        if source is not None:
            data.check_count(steps, "steps", none=True)
            return self._predict_source(source, steps, CallbackList(callbacks, model=self, verbose=0) if callbacks else None)
        xs = self._inputs(x)
        self._check_shapes(xs)
        rows = data.same_length({f"x[{i}]" if len(xs) > 1 else "x": a for i, a in enumerate(xs)})
        if data.check_count(steps, "steps", none=True) is not None:
            rows = min(rows, steps * batch_size)
            xs = [a[:rows] for a in xs]
        if callbacks is None and rows <= batch_size:
            return self._run_whole(xs, rows)
        callback_list = CallbackList(callbacks, model=self, verbose=0) if callbacks else None
        per_batch = callback_list is not None and callback_list.wants_predict_batches
        if self.run_eagerly:
            return self._predict_source(StreamSource(self._eager_batches(xs, rows, batch_size)), None, callback_list)
        # Predictions of a row do not depend on its batch: larger batches than asked for only save calls.
        batch = min(batch_size if per_batch else max(batch_size, PREDICT_ROWS), rows)
        sig = self._signature((xs, (), ()), batch)
        program = self._program("predict", sig)
        outs = [np.empty((rows, *t.shape[1:]), t.dtype) for t in program.graph.outputs]
        loop = make_loop(lambda n: self._program("predict", sig.with_rows(n)), xs, rows, batch, None, outs)
        loop.begin_epoch(0)
        if callback_list:
            callback_list.on_predict_begin()
        while per_batch and loop.step < loop.steps:
            done = slice(loop.step * batch, (loop.step + 1) * batch)
            callback_list.on_predict_batch_begin(loop.step)
            loop.run(max_steps=1)
            callback_list.on_predict_batch_end(loop.step - 1, {"outputs": self._pack_outputs([o[done] for o in outs])})
        while not per_batch and not loop.run(seconds=POLL_SECONDS):
            pass
        if callback_list:
            callback_list.on_predict_end()
        return self._pack_outputs(outs)

    def _eager_batches(self, xs, rows: int, batch_size: int) -> list:
        """The inputs cut into batches, each put together as the model takes them."""
        struct, batches = self._input_structure(len(xs)), []
        for start in range(0, rows, batch_size):
            todo = [a[start : start + batch_size] for a in xs]
            batches.append((map_structure(lambda _: todo.pop(0), struct),))  # noqa: B023
        return batches

    # ---- single batches -----------------------------------------------------------------------------------------
    def _on_batch(self, mode, x, y, sample_weight, class_weight, return_dict):
        self._need_compiled(f"{mode}_on_batch")
        with self._exclusive(f"{mode}_on_batch"):
            key = batch_key(mode, x, y) if sample_weight is None and class_weight is None else None
            short = self._short.get(key)
            if short is not None and short.holds(self):
                short.run(self, x, y)
                logs = results(short.named)
                flat = [logs[n] for n in short.order]
                return dict(sorted(logs.items())) if return_dict else flat[0] if len(flat) == 1 else flat
            parts, rows = self._batches(x, y, sample_weight, class_weight)
            program = self._program(mode, self._signature(parts, rows))
            self.reset_metrics()
            feeds = [a.astype(t.dtype, copy=False) for a, t in zip(self._feeds(parts), program.graph.inputs, strict=True)]
            program.run(feeds)
            logs = self._logs(mode)
            if key is not None:
                self._remember_short(key, short_step(self, mode, x, y, program, logs))
            return logs if return_dict else self._flat_logs(logs)

    def _remember_short(self, key, short) -> None:
        while len(self._short) >= MOST:
            self._short.pop(next(iter(self._short)))
        if short is not None:
            self._short[key] = short

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One update on one batch; returns the loss, a list [loss, metrics...], or a dict, of this batch."""
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Loss and metrics of one batch, nothing updated."""
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x):
        """Outputs for one batch."""
        return self._infer(x, "predict")

    def __call__(self, *args, **kwargs):
        fast = self._fast
        if fast is not None and len(args) == 1 and not kwargs and getattr(_tracing, "graph", None) is None:
            out = fast(args[0])
            if out is not None:
                return out
        if current_graph() is not None or not args or any(isinstance(t, KerasTensor) for t in flatten([args, kwargs])):
            return Layer.__call__(self, *args, **kwargs)
        if kwargs.get("training") or set(kwargs) - {"training"} or len(args) > 1:
            return Layer.__call__(self, *args, **kwargs)
        return self._infer(args[0], "call" if self._overrides("predict_step") else "predict")

    def _infer(self, x, mode: str):
        xs = self._inputs(x)
        self._check_shapes(xs)
        rows = data.same_length({f"x[{i}]" if len(xs) > 1 else "x": a for i, a in enumerate(xs)})
        return self._run_whole(xs, rows, mode)

    def _run_whole(self, xs, rows: int, mode="predict"):
        """The outputs for checked inputs as one batch; the next call with one of this shape takes the short way."""
        program = self._program(mode, self._signature((xs, (), ()), rows))
        short = not id_bounds(self, xs)  # the short way looks at no values
        if short and program.executor == "native" and len(xs) == 1 and not self._overrides("predict_step"):
            object.__setattr__(self, "_fast", program.fast_call())
        feeds = [a.astype(t.dtype, copy=False) for a, t in zip(xs, program.graph.inputs, strict=True)]
        return self._pack_outputs(program.run(feeds), mode)


class _Exclusive:
    """One fit or evaluate at a time on one model; a second one from another thread is an error, not a race."""

    def __init__(self, lock, name, method):
        self.lock, self.name, self.method = lock, name, method

    def __enter__(self):
        if not self.lock.acquire(blocking=False):
            raise RuntimeError(
                f"{self.method}() on model {self.name!r} while another thread trains or evaluates it: use one model a "
                "thread, or wait for the other call to end"
            )

    def __exit__(self, *exc):
        self.lock.release()
