"""What fit, evaluate and predict run over: epochs of an array loop, or of a source of batches."""

from __future__ import annotations

import numpy as np

from brisknet.runtime.philox import derive
from brisknet.runtime.program import make_loop
from brisknet.training import data
from brisknet.training.sources import ArrayEpochs, SourceEpochs, find_source, unpack_x_y_sample_weight
from brisknet.training.sources.rows import RowsSource

__all__ = ["Feeds"]


class Feeds:
    """The part of Trainer that turns checked data into epochs of steps."""

    # ---- training -----------------------------------------------------------------------------------------------
    def _train_feed(self, x, y, sample_weight, class_weight, batch_size, shuffle, steps, split):
        """(a function from state variables to epochs, steps of an epoch, the rows held out for validation or None).

        All that can be wrong with the data, or with the model on them, is said here, before any callback runs.
        """
        key = derive(self._shuffle_key, 1) if shuffle else None
        source = find_source(x, y, sample_weight, batch_size, key)
        if source is None:
            return self._array_feed(x, y, sample_weight, class_weight, batch_size, key, steps, split)
        held = None
        if split:
            source, held = self._split_source(source, split)
        epochs = SourceEpochs(source, self._step_on("train", class_weight), steps)
        self._check_batch("train", source.first(), class_weight)
        return (lambda states: epochs), epochs.steps, held

    def _array_feed(self, x, y, sample_weight, class_weight, batch_size, key, steps, split):
        parts, rows = self._batches(x, y, sample_weight, class_weight)
        held = None
        if split:
            parts, held = data.split_validation([list(p) for p in parts], split)
            rows, held = len(parts[0][0]), (held, len(held[0][0]))
        batch = min(batch_size, rows)
        sig = self._signature(parts, batch)
        self._program("train", sig)

        def epochs(states):
            loop = make_loop(
                lambda n: self._program("train", sig.with_rows(n)), self._feeds(parts), rows, batch, key, metrics=states,
            )  # fmt: skip
            return ArrayEpochs(loop, steps, self._next_pass)

        return epochs, steps or -(-rows // batch), held

    def _next_pass(self) -> int:
        """The number of the pass over the training data that begins; shuffles depend on it."""
        self._epochs_begun += 1
        return self._epochs_begun - 1

    @staticmethod
    def _split_source(source, fraction):
        if not isinstance(source, RowsSource):
            raise ValueError(f"validation_split: 0 expected, as x is a {source.what}, which can't be split; got {fraction}, "
                             "give validation_data instead")  # fmt: skip
        data.check_fraction(fraction, len(source.rows))
        return source.split(fraction)

    # ---- single batches of a source -----------------------------------------------------------------------------
    def _step_on(self, mode: str, class_weight=None, name="x"):
        """A function that runs one "train" or "test" step on a batch of a source.

        As in a loop over arrays, the program of batches of one form is looked up once; of the plain ones, (x, y) of
        arrays that were fed as they are, only the values are checked again.
        """
        programs: dict = {}
        plain: dict = {}

        def run(program, feeds):
            program.run([a.astype(t.dtype, copy=False) for a, t in zip(feeds, program.graph.inputs, strict=True)])

        def step(batch):
            form = _plain_form(batch)
            if form in plain:
                self._losses_of_outputs.check_targets([batch[1]], self._output_shapes(), name.removesuffix("x") + "y")
                return run(plain[form], batch)
            parts, rows = self._batch_parts(batch, class_weight, name)
            form_of_parts = tuple(None if a is None else (a.shape, a.dtype) for part in parts for a in part)
            program = programs.get(form_of_parts)
            if program is None:
                program = programs[form_of_parts] = self._program(mode, self._signature(parts, rows))
            feeds = self._feeds(parts)
            if form is not None and not self._own_step and len(feeds) == 2 and feeds[0] is batch[0] and feeds[1] is batch[1]:
                plain[form] = program
            return run(program, feeds)

        return step

    def _batch_parts(self, batch, class_weight=None, name="x"):
        return self._batches(*unpack_x_y_sample_weight(batch), class_weight, name)

    def _check_batch(self, mode: str, batch, class_weight=None, name="x") -> None:
        """Errors of a batch, and of the model on batches of its shapes; nothing runs."""
        parts, rows = self._batch_parts(batch, class_weight, name)
        self._program(mode, self._signature(parts, rows))

    # ---- evaluation ---------------------------------------------------------------------------------------------
    def _validation_feed(self, validation_data, held, batch_size, steps):
        """The epochs that validate, or None: over validation_data, else over the rows held out."""
        if validation_data is None:
            if held is None:
                return None
            return self._source_test(held, steps, "validation x") if isinstance(held, RowsSource) else (
                self._test_feed(*held, batch_size, steps))  # fmt: skip
        given = validation_data
        if not isinstance(given, (tuple, list)):
            source = find_source(given, name="validation x")
            if source is not None:
                return self._checked_test(source, steps)
        x, y, weight = self._validation(given)
        source = find_source(x, y, weight, batch_size, name="validation x")
        if source is not None:
            return self._checked_test(source, steps)
        return self._test_feed(*self._batches(x, y, weight, name="validation x"), batch_size, steps)

    def _checked_test(self, source, steps):
        """The epochs of a source that validates, whose first batch has been looked at: errors come before the training."""
        self._check_batch("test", source.first(), name="validation x")
        return self._source_test(source, steps, "validation x")

    def _evaluation_feed(self, x, y, sample_weight, batch_size, steps):
        source = find_source(x, y, sample_weight, batch_size)
        if source is not None:
            return self._source_test(source, steps)
        return self._test_feed(*self._batches(x, y, sample_weight), batch_size, steps)

    def _source_test(self, source, steps, name="x"):
        return SourceEpochs(source, self._step_on("test", name=name), steps, afresh=True)

    def _test_feed(self, parts, rows: int, batch_size: int, steps=None):
        batch = min(batch_size, rows)
        sig = self._signature(parts, batch)
        loop = make_loop(lambda n: self._program("test", sig.with_rows(n)), self._feeds(parts), rows, batch)
        return ArrayEpochs(loop, steps, afresh=True)

    # ---- prediction ---------------------------------------------------------------------------------------------
    def _predict_source(self, source, steps, callbacks):
        """The outputs for all batches of a source, one after another."""
        found: list[list] = []

        def step(batch):
            xs = self._inputs(unpack_x_y_sample_weight(batch)[0])
            self._check_shapes(xs)
            rows = data.same_length({f"x[{i}]" if len(xs) > 1 else "x": a for i, a in enumerate(xs)})
            program = self._program("predict", self._signature((xs, (), ()), rows))
            found.append(program.run([a.astype(t.dtype, copy=False) for a, t in zip(xs, program.graph.inputs, strict=True)]))

        epochs = SourceEpochs(source, step, steps)
        hooks = callbacks is not None and callbacks.wants_predict_batches
        try:
            epochs.begin()
            while epochs.more():
                if hooks:
                    callbacks.on_predict_batch_begin(epochs.step)
                epochs.run(max_steps=1)
                if hooks:
                    callbacks.on_predict_batch_end(epochs.step - 1, {"outputs": self._pack_outputs(found[-1])})
            epochs.end()
        finally:
            epochs.close()
        if not found:
            raise ValueError("x: at least one batch expected, got none")
        return self._pack_outputs([np.concatenate(outs) for outs in zip(*found, strict=True)])


def _plain_form(batch):
    """What a batch (x, y) of two contiguous arrays looks like, where no value of x can be wrong; None for any other."""
    if type(batch) is not tuple or len(batch) != 2:
        return None
    x, y = batch
    if type(x) is not np.ndarray or type(y) is not np.ndarray or not (x.flags.c_contiguous and y.flags.c_contiguous):
        return None
    return None if x.dtype.kind in "iu" and x.dtype.itemsize > 2 else (x.shape, x.dtype, y.shape, y.dtype)
