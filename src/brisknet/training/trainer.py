"""compile, fit, evaluate, predict: how a model is trained and used. The arithmetic happens in traced programs."""

from __future__ import annotations

import threading
import time

import numpy as np

from brisknet import config, losses, optimizers
from brisknet.callbacks.base import CallbackList
from brisknet.callbacks.core import History
from brisknet.graph.trace import current_graph
from brisknet.layers.keras_tensor import KerasTensor, flatten, map_structure
from brisknet.layers.layer import Layer
from brisknet.layers.shapes import map_structure_shapes
from brisknet.metrics.metric import Mean
from brisknet.random import draw_seed
from brisknet.runtime.philox import derive
from brisknet.runtime.program import collector_paused, compile_graph, make_loop, optimize
from brisknet.runtime.reference import ReferenceProgram
from brisknet.training import bulk, data
from brisknet.training.compiled import (
    CompiledLosses, CompiledMetrics, check_loss_weights, check_metrics, per_output,
)  # fmt: skip
from brisknet.training.step import Signature, trace_step
from brisknet.variables import Variable

__all__ = ["Trainer"]

# How long a native call may run before Python looks at signals and the progress bar.
POLL_SECONDS = 0.05


class Trainer:
    """The part of Model that trains."""

    def __init__(self):
        object.__setattr__(self, "_step_counter", Variable(np.zeros((), np.int64), trainable=False, name="step"))
        self._shuffle_key = draw_seed()
        self._epochs_begun = 0
        self.stop_training = False
        self._renew()

    def _renew(self) -> None:
        """What no copy of a model takes along: nothing compiled, a lock of its own."""
        self._reset_compiled()
        object.__setattr__(self, "_lock", threading.RLock())

    def _reset_compiled(self) -> None:
        object.__setattr__(self, "optimizer", None)
        self.compiled = False
        self._compile_args = None
        self._losses_of_outputs = self._metrics = None
        self._loss_tracker = Mean("loss")
        self._forget_programs()

    def _forget_programs(self) -> None:
        object.__setattr__(self, "_programs", {})
        object.__setattr__(self, "_fast", None)

    # ---- compile ------------------------------------------------------------------------------------------------
    def compile(
        self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
        run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True,
    ):  # fmt: skip
        """Set optimizer, losses and metrics, by name or as objects; lists or dicts for several outputs.

        run_eagerly runs every step on the reference executor. steps_per_execution, jit_compile and auto_scale_loss
        are accepted for Keras' sake: steps are always compiled, and as many run at once as Python allows.
        """
        optimizer = optimizers.get(optimizer)
        data.check_count(steps_per_execution, "steps_per_execution")
        for item in flatten(loss) if loss is not None else []:
            losses.get(item)
        check_loss_weights(loss_weights)
        check_metrics(metrics, "metrics")
        check_metrics(weighted_metrics, "weighted_metrics")
        args = {
            "loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics
        }  # fmt: skip
        made = None
        if self.built and getattr(self, "output_names", None):
            made = self._make_compiled(args, self._names_of_outputs())
        # From here on nothing fails: a bad call leaves the model as it was.
        self._reset_compiled()
        object.__setattr__(self, "optimizer", optimizer)
        self.run_eagerly = bool(run_eagerly)
        object.__setattr__(self, "loss", loss)
        self.steps_per_execution, self.jit_compile = steps_per_execution, jit_compile
        self._compile_args = args
        self.compiled = True
        if made is not None:
            self._losses_of_outputs, self._metrics = made

    def _make_compiled(self, args, names):
        keyed = isinstance(self._output_structure(), dict)
        return (
            CompiledLosses(args["loss"], args["loss_weights"], names, keyed),
            CompiledMetrics(args["metrics"], args["weighted_metrics"], names),
        )

    def _build_compiled(self, names) -> None:
        self._losses_of_outputs, self._metrics = self._make_compiled(self._compile_args, names)

    def _need_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"model {self.name!r} must be compiled before {method}(): call model.compile(...) first")

    def __setattr__(self, name, value):
        if name == "optimizer":
            object.__setattr__(self, name, value)
        else:
            Layer.__setattr__(self, name, value)

    @property
    def metrics(self) -> list:
        """The loss tracker and all metrics of compile()."""
        made = [self._loss_tracker]
        if self._losses_of_outputs is not None:
            made += self._losses_of_outputs.trackers
        return made + ([m for _, m in self._metrics.named()] if self._metrics else [])

    @property
    def metrics_names(self) -> list[str]:
        return [n for n, _ in self._named_metrics()]

    def _named_metrics(self):
        named = [("loss", self._loss_tracker)]
        if self._losses_of_outputs is None:  # compiled, but not built yet
            return named
        named += [(t.name, t) for t in self._losses_of_outputs.trackers]
        return named + self._metrics.named()

    def reset_metrics(self) -> None:
        """All metrics back to the start."""
        for m in self.metrics:
            m.reset_state()

    def get_metrics_result(self) -> dict:
        """The loss and all metrics, as they are now."""
        return self._logs()

    def _logs(self, prefix="") -> dict:
        return {prefix + n: m.result() for n, m in sorted(self._named_metrics(), key=lambda pair: pair[0])}

    # ---- data ---------------------------------------------------------------------------------------------------
    def _inputs(self, x, name="x") -> list[np.ndarray]:
        """The flat input arrays, in the order of the model's inputs."""
        if x is None:
            raise ValueError(f"{name}: an array of samples expected, got None")
        struct = self._input_shape_structure()
        if struct is None:  # a subclassed model, or one that is not built: the data say what the inputs are
            many = not hasattr(type(self), "input_names") and data.is_structure(x)
            struct = map_structure(lambda _: 0, x) if many else 0
        names, ranks = _input_keys(struct, getattr(self, "input_names", None) if self.built else None)
        parts = data.match_inputs(x, names, ranks, name)
        labels = [name] if len(parts) == 1 else [f"{name}[{k!r}]" for k in names]
        arrays = [data.as_rows(p, label) for p, label in zip(parts, labels, strict=True)]
        if not self.built:
            self._build_from(arrays, struct)
        return arrays

    def _input_shape_structure(self):
        """The structure of the inputs with a KerasTensor or 0 at each leaf; None where it is not known yet."""
        struct = getattr(self, "_inputs_struct", None)
        if struct is None and getattr(self, "_functional", None) is not None:
            struct = self._functional._inputs_struct
        return 0 if struct is None and self.built else struct

    def _build_from(self, arrays, struct=0) -> None:
        if not isinstance(struct, (dict, list, tuple)):
            self._check_rank(arrays[0])
        todo = [KerasTensor((None, *a.shape[1:]), config.floatx()) for a in arrays]
        self._ensure_built((map_structure(lambda _: todo.pop(0), struct),), {})

    def _check_rank(self, x) -> None:
        if x.ndim < 2:
            raise ValueError(f"x: rows of features, shape (rows, features), expected, got shape {x.shape}; "
                             f"use x.reshape({len(x)}, 1) for one feature, x[None, :] for one row")  # fmt: skip

    def _check_shapes(self, arrays, name="x") -> None:
        expected = self.inputs if hasattr(self, "inputs") and self.built else []
        for i, (a, t) in enumerate(zip(arrays, expected, strict=False)):
            want = t.shape
            shape = a.shape
            if len(shape) == len(want) - 1 and want[-1] == 1:
                shape = (*shape, 1)
            elif len(shape) == len(want) + 1 and shape[-1] == 1:
                shape = shape[:-1]
            if len(shape) != len(want) or any(w not in (None, s) for s, w in zip(shape[1:], want[1:], strict=True)):
                label = name if len(arrays) == 1 else f"{name}[{self._input_label(i)!r}]"
                hint = ""
                if len(shape) == len(want) - 1:
                    hint = f"; a single sample is given as {label}[None, :]"
                raise ValueError(f"{label}: shape (rows, {', '.join(map(str, want[1:]))}) expected, got {a.shape}{hint}")

    def _input_label(self, i: int):
        struct = self._input_shape_structure()
        return _input_keys(struct, getattr(self, "input_names", None))[0][i]

    def _targets(self, y, name="y") -> list:
        """One array (or None) an output."""
        if self._losses_of_outputs is None:
            self._build_compiled(self._names_of_outputs())
        names = self._losses_of_outputs.names
        if y is None:
            if any(loss is not None for loss in self._losses_of_outputs.losses):
                raise ValueError(f"{name}: targets expected, got None")
            return [None] * len(names)
        if isinstance(y, dict) or len(names) > 1:
            if not isinstance(y, (dict, list, tuple)):
                raise ValueError(
                    f"{name}: a list or dict of {len(names)} arrays for the outputs {names} expected, got one "
                    f"{type(y).__name__}"
                )
            parts = per_output(y, names, name)
        else:
            parts = [y[0] if isinstance(y, (list, tuple)) and len(y) == 1 and isinstance(y[0], np.ndarray) else y]
        labels = [name] if len(parts) == 1 else [f"{name}[{n!r}]" for n in names]
        return [None if p is None else data.as_rows(p, label) for p, label in zip(parts, labels, strict=True)]

    def _output_structure(self):
        """The structure of the outputs, or None where it is not known yet."""
        struct = getattr(self, "_outputs_struct", None)
        if struct is None and getattr(self, "_functional", None) is not None:
            struct = self._functional._outputs_struct
        return struct

    def _names_of_outputs(self) -> list[str]:
        struct = self._output_structure()
        if struct is None and not getattr(self, "output_names", None):
            struct = self._output_specs
        if isinstance(struct, dict) and len(struct) == len(flatten(struct)):
            return list(struct)
        names = getattr(self, "output_names", None)
        if names:
            return names
        n = len(flatten(struct))
        return [f"output_{i + 1}" for i in range(n)] if n > 1 else ["output"]

    def _weights(self, sample_weight, class_weight, ys, name="sample_weight") -> list:
        names = self._losses_of_outputs.names
        if class_weight is not None and sample_weight is not None:
            raise ValueError("sample_weight and class_weight can't both be given; multiply them into sample_weight")
        if class_weight is not None:
            if len(names) > 1 or ys[0] is None:
                raise ValueError(f"class_weight is for models of one output with targets, this one has {names}; "
                                 "use sample_weight")  # fmt: skip
            return [data.class_weights_to_sample_weights(ys[0], class_weight, self._classes())]
        if sample_weight is None:
            return [None] * len(names)
        single = not isinstance(sample_weight, (dict, tuple)) and not (
            isinstance(sample_weight, list) and len(names) > 1 and len(sample_weight) == len(names)
        )
        parts = [sample_weight] * len(names) if single else per_output(sample_weight, names, name)
        out = []
        for part, shape in zip(parts, self._output_shapes(), strict=True):
            w = None if part is None else data.as_rows(part, name).astype(np.float32, copy=False)
            if w is not None and not np.isfinite(w).all():
                raise ValueError(f"{name}: finite numbers expected, got NaN or infinity")
            if w is not None and not _weights_fit(w.shape[1:], tuple(shape[1:-1])):
                places = f" or one a place, shape (rows, {', '.join(map(str, shape[1:-1]))})," if len(shape) > 2 else ""
                raise ValueError(
                    f"{name}: one weight a row, shape (rows,),{places} expected for outputs {tuple(shape)}, got shape "
                    f"{w.shape}"
                )
            out.append(w)
        return out

    def _classes(self) -> int | None:
        """How many classes the only output tells apart; None where that is not known."""
        loss, shape = self._losses_of_outputs.losses[0], self._output_shapes()[0]
        if shape[-1] != 1:
            return shape[-1]
        return 2 if isinstance(loss, losses.BinaryCrossentropy) else None

    def _batches(self, x, y, sample_weight, class_weight=None, name="x"):
        """((inputs, targets, weights), rows) of checked data for a train or test step. `name` ends in "x"."""
        before = name.removesuffix("x")
        xs = self._inputs(x, name)
        self._check_shapes(xs, name)
        ys = self._targets(y, before + "y")
        shown = {"x": name, "y": before + "y", "w": before + "sample_weight"}
        self._losses_of_outputs.check_targets(ys, self._output_shapes(), shown["y"])
        ws = self._weights(sample_weight, class_weight, ys, shown["w"])
        outputs = self._losses_of_outputs.names
        keys = {"x": [self._input_label(i) for i in range(len(xs))] if len(xs) > 1 else [], "y": outputs, "w": outputs}
        rows = data.same_length({
            f"{shown[kind]}[{keys[kind][i]!r}]" if len(arrays) > 1 else shown[kind]: a
            for kind, arrays in (("x", xs), ("y", ys), ("w", ws)) for i, a in enumerate(arrays)
        })  # fmt: skip
        return (xs, ys, ws), rows

    def _output_shapes(self):
        return [t.shape for t in flatten(self.outputs if hasattr(self, "outputs") else self._output_specs)]

    @property
    def _output_specs(self):
        if not hasattr(self, "_specs_cache"):
            x = map_structure_shapes(lambda s: KerasTensor((None, *s[1:]), config.floatx()), self._build_shape)
            object.__setattr__(self, "_specs_cache", self.compute_output_spec(x))
        return self._specs_cache

    def _signature(self, parts, rows: int) -> Signature:
        xs, ys, ws = parts
        x_specs = [((rows, *a.shape[1:]), self._input_dtype(i, a)) for i, a in enumerate(xs)]
        floatx = config.floatx()
        y_specs = [
            None if a is None else ((rows, *a.shape[1:]), "int32" if self._losses_of_outputs.is_sparse(i) else floatx)
            for i, a in enumerate(ys)
        ]
        w_specs = [None if a is None else ((rows, *a.shape[1:]), floatx) for a in ws]
        return Signature(x_specs, y_specs, w_specs)

    def _input_dtype(self, i: int, a) -> str:
        if hasattr(self, "inputs") and self.built:
            return self.inputs[i].dtype
        return config.floatx() if a.dtype.kind == "f" else "int32"

    # ---- programs -----------------------------------------------------------------------------------------------
    def _program(self, mode: str, sig: Signature):
        """The program of a step, from the cache where it was traced before under the same settings."""
        frozen = tuple(v.id for v in self.trainable_weights) if mode == "train" else ()
        eager = mode != "predict" and getattr(self, "run_eagerly", False)
        key = (mode, sig, config.generation, frozen, self._trainable_pattern())
        program = self._programs.get(key)
        if program is None:
            if self._metrics is not None and mode != "predict" and not self._metrics.built:
                self._metrics.build([s and s[0] for s in sig.y], self._output_shapes())
            with collector_paused():
                graph = trace_step(self, mode, sig, self._input_structure(len(sig.x)))
                program = ReferenceProgram(optimize(graph)) if eager else compile_graph(graph)
            while len(self._programs) >= 64:  # shapes come and go (variable-length predict): keep the latest
                self._programs.pop(next(iter(self._programs)))
            self._programs[key] = program
        return program

    def _trainable_pattern(self) -> tuple:
        return tuple(layer._trainable for layer in self._walk())

    def _input_structure(self, n: int):
        struct = self._input_shape_structure()
        if struct is not None and len(flatten(struct)) == n:
            return map_structure(lambda _: 0, struct)
        return 0 if n == 1 else [0] * n

    # ---- fit ----------------------------------------------------------------------------------------------------
    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
        validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0,
        steps_per_epoch=None, validation_steps=None, validation_batch_size=None, validation_freq=1,
    ) -> History:  # fmt: skip
        """Train for a number of epochs; returns the History callback, with .history and .epoch.

        batch_size defaults to 32. validation_split holds out the last rows; validation_data is (x, y) or
        (x, y, sample_weight). Raises ValueError or TypeError for data that do not fit, before anything is changed.
        """
        self._need_compiled("fit")
        batch_size = data.check_count(batch_size, "batch_size", none=True) or 32
        epochs = data.check_count(epochs, "epochs", least=0)
        initial_epoch = data.check_count(initial_epoch, "initial_epoch", least=0)
        validates = data.validation_epochs(validation_freq)
        for count, name in ((steps_per_epoch, "steps_per_epoch"), (validation_steps, "validation_steps"),
                            (validation_batch_size, "validation_batch_size")):  # fmt: skip
            data.check_count(count, name, none=True)
        if verbose not in ("auto", 0, 1, 2, True, False):
            raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}')
        with self._exclusive("fit"):
            parts, rows = self._batches(x, y, sample_weight, class_weight)
            validation = None
            if validation_data is not None:
                validation = self._validation(validation_data)
            elif validation_split:
                parts, held = data.split_validation([list(p) for p in parts], validation_split)
                rows = len(parts[0][0])
                validation = (held, len(held[0][0]))
            batch = min(batch_size, rows)
            self._program("train", self._signature(parts, batch))  # errors of the model come before any callback
            callback_list = CallbackList(
                callbacks, self,
                {"epochs": epochs, "steps": steps_per_epoch or -(-rows // batch), "verbose": verbose},
            )  # fmt: skip
            validator = None
            if validation is not None:
                v_loop = self._test_loop(*validation, validation_batch_size or batch_size)
                validator = lambda: self._run_test(v_loop, validation_steps, callback_list)  # noqa: E731
            try:
                return self._fit_epochs(
                    parts, rows, batch, range(initial_epoch, epochs), callback_list, validator, bool(shuffle),
                    steps_per_epoch, validates,
                )  # fmt: skip
            finally:
                callback_list.close()

    def _exclusive(self, method: str):
        return _Exclusive(self._lock, self.name, method)

    def _validation(self, validation_data):
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise ValueError(
                "validation_data: (x, y) or (x, y, sample_weight) expected, got "
                f"{type(validation_data).__name__} of {len(validation_data) if hasattr(validation_data, '__len__') else '?'}"
            )
        x, y, *rest = validation_data
        return self._batches(x, y, rest[0] if rest else None, name="validation x")

    def _feeds(self, parts) -> list:
        xs, ys, ws = parts
        return [a for a in (*xs, *ys, *ws) if a is not None]

    def _fit_epochs(self, parts, rows, batch, epochs, callbacks, validator, shuffle, steps_per_epoch, validates):
        sig = self._signature(parts, batch)
        states = bulk.states(self._named_metrics()) if validator is None and callbacks.only_record else None
        loop = make_loop(
            lambda n: self._program("train", sig.with_rows(n)), self._feeds(parts), rows, batch,
            derive(self._shuffle_key, 1) if shuffle else None, metrics=states or (),
        )  # fmt: skip
        self.stop_training = False
        callbacks.on_train_begin()
        logs: dict = {}
        limit = min(steps_per_epoch or loop.steps, loop.steps)
        in_bulk = states is not None and loop.executor == "native" and limit == loop.steps
        todo = iter(epochs)
        for epoch in todo:
            if self.stop_training:
                break
            started = time.perf_counter()
            callbacks.on_epoch_begin(epoch)
            self.reset_metrics()
            loop.begin_epoch(self._epochs_begun)
            self._epochs_begun += 1
            self._run_epoch(loop, callbacks, limit)
            logs = self._logs()
            if validator is not None and validates(epoch):  # also where a batch hook has ended training (Keras)
                callbacks.on_test_begin()
                found = validator()
                callbacks.on_test_end(found)
                logs.update(("val_" + k, v) for k, v in found.items())
            callbacks.on_epoch_end(epoch, logs)
            if in_bulk and time.perf_counter() - started < bulk.SHORT_EPOCH:
                logs = bulk.run(self, loop, callbacks, range(epoch + 1, epochs.stop)) or logs
                break
        callbacks.on_train_end(logs)
        return callbacks.history

    def _run_epoch(self, loop, callbacks, limit: int) -> None:
        done = False
        while not done and loop.step < limit:
            if callbacks.wants_batches:
                callbacks.on_train_batch_begin(loop.step)
                done = loop.run(max_steps=1)
                callbacks.on_train_batch_end(loop.step - 1, self._logs())
                if self.stop_training:
                    return
            else:
                left = limit - loop.step if limit < loop.steps else 0
                done = loop.run(max_steps=left, seconds=POLL_SECONDS)
                if not done:
                    callbacks.on_progress(loop.step, self._logs)

    # ---- evaluate and predict -----------------------------------------------------------------------------------
    def _test_loop(self, parts, rows: int, batch_size: int):
        batch = min(batch_size, rows)
        sig = self._signature(parts, batch)
        return make_loop(lambda n: self._program("test", sig.with_rows(n)), self._feeds(parts), rows, batch)

    def _run_test(self, loop, steps=None, callbacks=None) -> dict:
        self.reset_metrics()
        loop.begin_epoch(0)
        limit = min(steps or loop.steps, loop.steps)
        while loop.step < limit:
            if callbacks is not None and callbacks.wants_test_batches:
                callbacks.on_test_batch_begin(loop.step)
                loop.run(max_steps=1)
                callbacks.on_test_batch_end(loop.step - 1, self._logs())
            elif loop.run(max_steps=limit - loop.step, seconds=POLL_SECONDS):
                break
        return self._logs()

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None,
        return_dict=False,
    ):  # fmt: skip
        """Loss and metrics on data: the loss alone, a list [loss, metrics...], or a dict."""
        self._need_compiled("evaluate")
        batch_size = data.check_count(batch_size, "batch_size", none=True) or 32
        data.check_count(steps, "steps", none=True)
        with self._exclusive("evaluate"):
            parts, rows = self._batches(x, y, sample_weight)
            callback_list = CallbackList(callbacks, self, {"verbose": 0}, history=False)
            callback_list.on_test_begin()
            started = time.perf_counter()
            logs = self._run_test(self._test_loop(parts, rows, batch_size), steps, callback_list)
            callback_list.on_test_end(logs)
            if verbose and verbose != "auto" or verbose == "auto" and rows:
                from brisknet.callbacks.progress import print_line

                print_line(logs, time.perf_counter() - started)
            return logs if return_dict else self._flat_logs(logs)

    def _flat_logs(self, logs: dict):
        values = [logs[n] for n, _ in self._named_metrics()]
        return values[0] if len(values) == 1 else values

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Outputs for the samples of x, as arrays with one row a sample."""
        fast = self._fast
        if fast is not None and callbacks is None and steps is None and batch_size is None and type(x) is np.ndarray:
            out = fast(x)
            if out is not None:
                return out
        batch_size = data.check_count(batch_size, "batch_size", none=True) or 32
        xs = self._inputs(x)
        self._check_shapes(xs)
        rows = data.same_length({f"x[{i}]" if len(xs) > 1 else "x": a for i, a in enumerate(xs)})
        if data.check_count(steps, "steps", none=True) is not None:
            rows = min(rows, steps * batch_size)
            xs = [a[:rows] for a in xs]
        callback_list = CallbackList(callbacks, self, {"verbose": 0}, history=False) if callbacks else None
        per_batch = callback_list is not None and callback_list.wants_predict_batches
        # Predictions of a row do not depend on its batch: larger batches than asked for only save calls.
        batch = min(batch_size if per_batch else max(batch_size, 256), rows)
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

    def _pack_outputs(self, outs):
        todo = list(outs)
        struct = getattr(self, "_outputs_struct", None)
        if struct is None and getattr(self, "_functional", None) is not None:
            struct = self._functional._outputs_struct
        if struct is None:
            struct = self._output_specs
        return map_structure(lambda _: todo.pop(0), struct)

    # ---- single batches -----------------------------------------------------------------------------------------
    def _on_batch(self, mode, x, y, sample_weight, class_weight, return_dict):
        self._need_compiled(f"{mode}_on_batch")
        with self._exclusive(f"{mode}_on_batch"):
            parts, rows = self._batches(x, y, sample_weight, class_weight)
            program = self._program(mode, self._signature(parts, rows))
            self.reset_metrics()
            feeds = [a.astype(t.dtype, copy=False) for a, t in zip(self._feeds(parts), program.graph.inputs, strict=True)]
            program.run(feeds)
            logs = self._logs()
            return logs if return_dict else self._flat_logs(logs)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One update on one batch; returns the loss, a list [loss, metrics...], or a dict, of this batch."""
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Loss and metrics of one batch, nothing updated."""
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x):
        """Outputs for one batch."""
        return self._infer(x)

    def __call__(self, *args, **kwargs):
        fast = self._fast
        if fast is not None and len(args) == 1 and not kwargs:
            out = fast(args[0])
            if out is not None:
                return out
        if current_graph() is not None or not args or any(isinstance(t, KerasTensor) for t in flatten([args, kwargs])):
            return Layer.__call__(self, *args, **kwargs)
        if kwargs.get("training") or set(kwargs) - {"training"} or len(args) > 1:
            return Layer.__call__(self, *args, **kwargs)
        return self._infer(args[0])

    def _infer(self, x):
        xs = self._inputs(x)
        self._check_shapes(xs)
        rows = data.same_length({f"x[{i}]" if len(xs) > 1 else "x": a for i, a in enumerate(xs)})
        program = self._program("predict", self._signature((xs, (), ()), rows))
        if program.executor == "native" and len(xs) == 1:
            object.__setattr__(self, "_fast", program.fast_call())
        feeds = [a.astype(t.dtype, copy=False) for a, t in zip(xs, program.graph.inputs, strict=True)]
        return self._pack_outputs(program.run(feeds))

    # ---- state --------------------------------------------------------------------------------------------------
    def _compiled_state(self):
        if not self.compiled:
            return None
        opt = self.optimizer
        return {
            "optimizer": optimizers.serialize(opt),
            "args": self._compile_args,
            "optimizer_built": opt.built,
            "optimizer_state": opt.get_state(),
            "run_eagerly": self.run_eagerly,
        }

    def _restore_compiled(self, state) -> None:
        if state is None:
            return
        optimizer = optimizers.deserialize(state["optimizer"])
        self.compile(optimizer, **state["args"], run_eagerly=state["run_eagerly"])
        if state["optimizer_built"]:
            optimizer.build(self.trainable_weights)
        for v, value in zip(optimizer.variables, state["optimizer_state"], strict=True):
            v.assign(value)


def _weights_fit(given, places) -> bool:
    """Whether sample weights of a row, shape `given`, fit outputs with these axes between rows and the last."""
    given = given[:-1] if given[-1:] == (1,) and len(given) > min(len(places), 1) else given
    return given in ((), (1,)) or given == places[: len(given)]


def _input_keys(struct, names):
    """(names, ranks) of the leaves of an input structure: its keys where it is a flat dict, else `names` or numbers."""
    leaves = flatten(struct)
    if isinstance(struct, dict) and len(struct) == len(leaves):
        names = list(struct)
    elif not names or len(names) != len(leaves):
        names = list(range(len(leaves)))
    return names, [len(getattr(t, "shape", (0, 0))) for t in leaves]


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
