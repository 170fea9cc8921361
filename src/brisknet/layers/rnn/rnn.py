"""RNN: a cell over the steps of a sequence."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.graph.ir import Tensor
from brisknet.layers.call_context import owning, weight_path
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.layers.layer import Layer
from brisknet.layers.rnn.recurrent_cell import RecurrentCell
from brisknet.layers.rnn.stacked_rnn_cells import StackedRNNCells, call_cell, checked_cell, output_size_of
from brisknet.ops.dispatch import cast, dtype_of, float_array
from brisknet.variables import Variable

__all__ = ["RNN"]


class RNN(Layer):
    """A cell over sequences [batch, steps, ...]: the last output, or with return_sequences all outputs [batch, steps, ...].

    cell            has call(inputs, states) -> (output, new states), `state_size` (an integer, or one a state), and may have
                    `output_size`, get_initial_state(batch_size) and build(input_shape). Built-in cells with their default
                    activations run over the whole sequence at once; the steps of others are laid out in the graph one by one
    return_state    return the last states, too: (output, state, ...)
    go_backwards    take the steps from the last to the first; the outputs come in that order
    stateful        begin with the states that the batch before ended with; the batch size must be fixed
    unroll          Keras' argument; it changes nothing
    zero_output_for_mask   masked steps have outputs of zeros, instead of the outputs of the step before

    A mask [batch, steps] is False at steps to skip: they leave the states as they are.
    """

    supports_masking = True

    def __init__(
        self, cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
        zero_output_for_mask=False, **kwargs,
    ):  # fmt: skip
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        checked_cell(cell, "RNN")
        sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
        if not all(isinstance(d, (int, np.integer)) and d > 0 for d in flatten(list(sizes))):
            raise ValueError(f"RNN: state_size of the cell must be a positive integer or a list of them, got {cell.state_size!r}")
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful, self.unroll = bool(go_backwards), bool(stateful), bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.state_size = list(sizes)
        object.__setattr__(self, "states", None)  # Variables, which are no weights

    # ---- shapes and masks ---------------------------------------------------------------------------------------
    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        rows, steps = tuple(sequences_shape)[:2]
        size = output_size_of(self.cell)
        output = (rows, steps, size) if self.return_sequences else (rows, size)
        if not self.return_state:
            return output
        return (output, *([(rows, d) for d in s] if isinstance(s, (list, tuple)) else (rows, s) for s in self.state_size))

    def compute_mask(self, _, mask):
        """That of the sequence where all outputs are returned; states have none."""
        mask = flatten(mask)[0] if self.return_sequences and mask is not None else None
        return [mask, *(None for _ in flatten(self.state_size))] if self.return_state else mask

    # ---- weights and states -------------------------------------------------------------------------------------
    def build(self, sequences_shape, initial_state_shape=None):
        shape = tuple(sequences_shape)
        if len(shape) < 3:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: sequences of shape (batch, steps, features) expected, got {shape}; give one "
                "feature as x[..., None]"
            )
        if isinstance(self.cell, Layer) and not self.cell.built:
            with owning(self.cell):
                self.cell.build((shape[0], *shape[2:]))
            self.cell.built = True
        if self.stateful and self.states is None:
            if shape[0] is None:
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: stateful=True needs a fixed batch size, got shape {shape}; give the "
                    "model an Input(shape, batch_size=...)"
                )
            states = map_structure(self._state_variable, self.get_initial_state(shape[0]))
            object.__setattr__(self, "states", states)

    def _state_variable(self, value):
        v = Variable(np.array(value), dtype=self.dtype, trainable=False, name="rnn_state")
        v.path = weight_path(self, v.name)
        return v

    def get_initial_state(self, batch_size):
        """The states that a sequence begins with where none are given: the cell's, or zeros; as a list."""
        if hasattr(self.cell, "get_initial_state"):
            states = self.cell.get_initial_state(batch_size=batch_size)
            return list(states) if isinstance(states, (list, tuple)) else [states]
        return [np.zeros((batch_size, d), self.dtype) for d in self.state_size]

    def reset_state(self) -> None:
        """Set the states that a stateful layer keeps back to zero."""
        for v in flatten(self.states) if self.states is not None else ():
            v.assign(np.zeros(v.shape, v.dtype))

    reset_states = reset_state

    def _first_states(self, initial_state, rows, dtype):
        if initial_state is None:
            states = self.states if self.stateful else self.get_initial_state(rows)
        else:
            states = initial_state
        if self.stateful and flatten(self.states)[0].shape[0] != rows:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: stateful=True fixes the batch size, {flatten(self.states)[0].shape[0]} rows "
                f"expected, got {rows}; give batches of that size (batch_size=..., and as many rows as are a multiple of it)"
            )
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        want = flatten(self.state_size)
        if len(flatten(states)) != len(want):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: initial_state needs {len(want)} state(s) of sizes {want}, got "
                f"{len(flatten(states))}"
            )
        for s, d in zip(flatten(states), want, strict=True):
            got = tuple(s.shape) if hasattr(s, "shape") else s
            if got != (rows, d):
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: a state of shape {(rows, d)} expected in initial_state, got {got!r}"
                )
        return map_structure(lambda s: cast(s.value if isinstance(s, Variable) else float_array(s), dtype), states)

    # ---- calling ------------------------------------------------------------------------------------------------
    def call(self, sequences, initial_state=None, mask=None, training=False):
        x = float_array(sequences)
        rows, steps = x.shape[:2]
        if steps == 0:
            raise ValueError(f"{type(self).__name__} {self.name!r}: sequences of at least one step expected, got shape {x.shape}")
        mask = self._checked_mask(mask, rows, steps)
        states = self._first_states(initial_state, rows, dtype_of(x))
        self._reset_dropout(self.cell)
        try:
            last, outputs, states = self.inner_loop(x, states, mask, training)
        finally:
            self._reset_dropout(self.cell)
        if self.stateful:
            for v, s in zip(flatten(self.states), flatten(states), strict=True):
                v.assign(s)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def _checked_mask(self, mask, rows, steps):
        mask = flatten(mask)[0] if mask is not None else None
        if mask is None:
            return None
        mask = mask if hasattr(mask, "shape") else np.asarray(mask)
        if tuple(mask.shape) == (rows, steps, 1):
            mask = ops.squeeze(mask, -1)
        if tuple(mask.shape) != (rows, steps):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: a mask of shape {(rows, steps)} expected, got {tuple(mask.shape)}"
            )
        return cast(mask, "bool")

    def _reset_dropout(self, cell) -> None:
        for one in cell.cells if isinstance(cell, StackedRNNCells) else (cell,):
            if isinstance(one, StackedRNNCells):
                self._reset_dropout(one)
            elif hasattr(one, "reset_dropout_mask"):
                one.reset_dropout_mask()
                one.reset_recurrent_dropout_mask()

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """(last output, all outputs or None, last states) over sequences [batch, steps, ...]."""
        x = ops.transpose(sequences, (1, 0, *range(2, len(sequences.shape))))
        mask = None if mask is None else ops.transpose(mask, (1, 0))
        if self.go_backwards and x.shape[0] > 1:
            x, mask = x[::-1], None if mask is None else mask[::-1]
        cell = self.cell
        if isinstance(cell, (RecurrentCell, StackedRNNCells)) and cell.runs_whole(training):
            last, ys, states = self._whole(x, initial_state, mask, training)
        else:
            last, ys, states = self._step_by_step(x, initial_state, mask, training)
        if ys is not None:
            ys = ops.transpose(ys, (1, 0, *range(2, len(ys.shape))))
        return last, ys, states

    def _whole(self, x, initial, mask, training):
        """All steps at once. A kernel's output at a masked step is the state, which before the first step that counts is the
        initial one; Keras' is zero there, and zero anywhere with zero_output_for_mask."""
        with owning(self.cell):
            ys, states = self.cell.run(x, flatten(initial) if isinstance(self.cell, RecurrentCell) else initial, mask, training)
        last = _top_state(self.cell, states)
        if mask is None:
            return last, ys, states
        kept = None
        if self.zero_output_for_mask:
            kept = mask
        elif not all(_is_zero(s) for s in flatten(initial)):
            steps = x.shape[0]
            earlier = np.tril(np.ones((steps, steps), dtype_of(x)))
            kept = ops.greater(ops.matmul(earlier, cast(mask, dtype_of(x))), 0.0)
        if kept is not None:
            ys = ops.where(ops.expand_dims(kept, -1), ys, 0.0)
            last = ops.where(ops.expand_dims(kept[-1], -1), last, 0.0)
        return last, ys, states

    def _step_by_step(self, x, states, mask, training):
        outputs, last = [], None
        for t in range(x.shape[0]):
            output, new = self._stepped(call_cell(self.cell, x[t], states, training), states)
            if mask is not None:
                before = ops.zeros_like(output) if last is None or self.zero_output_for_mask else last
                output = _where(mask[t], output, before)
                kept = iter([_where(mask[t], n, s) for n, s in zip(flatten(new), flatten(states), strict=True)])
                new = map_structure(lambda _, kept=kept: next(kept), new)
            states, last = new, output
            if self.return_sequences:
                outputs.append(output)
        return last, ops.stack(outputs) if self.return_sequences else None, states

    def _stepped(self, result, states):
        """(output, new states as a list) of what a cell has returned; ValueError where it is anything else."""
        what = f"{type(self).__name__} {self.name!r}: call() of the cell {type(self.cell).__name__}"
        if not isinstance(result, (list, tuple)) or len(result) != 2:
            raise ValueError(f"{what} must return (output, new states), got {_brief(result)}")
        output, new = result
        new = list(new) if isinstance(new, (list, tuple)) else [new]
        got, want = ([tuple(getattr(s, "shape", ())) for s in flatten(each)] for each in (new, states))
        if got != want:
            raise ValueError(f"{what} must return states of the shapes of those that it is given, {want}, got {got}")
        return output, new

    # ---- config -------------------------------------------------------------------------------------------------
    def get_config(self):
        from brisknet.saving.objects import serialize_layer

        return {
            **super().get_config(), "return_sequences": self.return_sequences, "return_state": self.return_state,
            "go_backwards": self.go_backwards, "stateful": self.stateful, "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask, "cell": serialize_layer(self.cell),
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        from brisknet.saving.objects import deserialize_layer

        config = dict(config)
        cell = config.pop("cell")
        return cls(cell if isinstance(cell, Layer) else deserialize_layer(cell, custom_objects), **config)


def _top_state(cell, states):
    """The output after the last step of built-in cells: the first state of the topmost one."""
    if isinstance(cell, StackedRNNCells):
        return _top_state(cell.cells[-1], states[-1])
    return states[0] if isinstance(states, (list, tuple)) else states


def _brief(x) -> str:
    """A value in an error message: arrays and tensors by their shape."""
    if isinstance(x, (list, tuple)):
        return f"a {type(x).__name__} of {len(x)}"
    return f"one tensor of shape {tuple(x.shape)}" if hasattr(x, "shape") else repr(x)


def _is_zero(x) -> bool:
    return not isinstance(x, Tensor) and not np.any(x)


def _where(kept, new, old):
    """`new` in the rows that are kept, else `old`."""
    for _ in range(len(new.shape) - 1):
        kept = ops.expand_dims(kept, -1)
    return ops.where(kept, new, old)
