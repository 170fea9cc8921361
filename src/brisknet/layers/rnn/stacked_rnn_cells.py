"""StackedRNNCells."""

from __future__ import annotations

import inspect

import numpy as np

from brisknet.layers.keras_tensor import flatten
from brisknet.layers.layer import Layer
from brisknet.layers.rnn.recurrent_cell import RecurrentCell

__all__ = ["StackedRNNCells", "call_cell", "checked_cell", "output_size_of"]


def checked_cell(cell, owner: str):
    """The cell; ValueError for what has no call() or no state_size."""
    if not callable(getattr(cell, "call", None)):
        raise ValueError(f"{owner}: a cell needs a method call(inputs, states), got {cell!r} without one")
    if getattr(cell, "state_size", None) is None:
        raise ValueError(
            f"{owner}: a cell needs an attribute state_size, an integer or one a state, got {type(cell).__name__} without one"
        )
    return cell


def output_size_of(cell) -> int:
    """The size of a cell's outputs: output_size, else that of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
        size = size[0] if isinstance(size, (list, tuple)) else size
    return size


def call_cell(cell, inputs, states, training):
    """(output, states) of one step of any cell."""
    if isinstance(cell, Layer):
        return cell(inputs, states, **({"training": training} if "training" in cell._accepts else {}))
    takes = inspect.signature(cell.call).parameters
    return cell.call(inputs, states, **({"training": training} if "training" in takes else {}))


class StackedRNNCells(Layer):
    """Cells one upon the other as one cell, for RNN: each gets the outputs of the one before; the states are a list of theirs."""

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"StackedRNNCells: a list of cells expected, got {cells!r}")
        self.cells = [checked_cell(cell, "StackedRNNCells") for cell in cells]

    @property
    def state_size(self):
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        return output_size_of(self.cells[-1])

    def build(self, input_shape):
        shape = tuple(input_shape)
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(shape)
                cell.built = True
            shape = (shape[0], output_size_of(cell))

    def get_initial_state(self, batch_size=None):
        """The initial states of all cells, a list with one entry a cell."""
        out = []
        for cell in self.cells:
            if hasattr(cell, "get_initial_state"):
                out.append(cell.get_initial_state(batch_size=batch_size))
            elif isinstance(cell.state_size, (list, tuple)):
                out.append([np.zeros((batch_size, d), self.dtype) for d in cell.state_size])
            else:
                out.append(np.zeros((batch_size, cell.state_size), self.dtype))
        return out

    def call(self, inputs, states, training=False):
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            as_list = list(own) if isinstance(own, (list, tuple)) else [own]
            inputs, after = call_cell(cell, inputs, as_list, training)
            after = after if isinstance(after, (list, tuple)) else [after]
            new.append(list(after) if isinstance(own, (list, tuple)) else after[0])
        return inputs, new

    def runs_whole(self, training) -> bool:
        """Whether every cell can run over a whole sequence at once."""
        return all(isinstance(cell, (RecurrentCell, StackedRNNCells)) and cell.runs_whole(training) for cell in self.cells)

    def run(self, x, states, mask, training):
        """(outputs [T,B,units], new states) for time-major inputs: one cell after the other, each over all steps."""
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            x, after = cell.run(x, flatten(own) if isinstance(cell, RecurrentCell) else own, mask, training)
            new.append(after if isinstance(own, (list, tuple)) else after[0])
        return x, new

    def compute_output_shape(self, input_shape, states_shape=None):
        rows = tuple(input_shape)[0]
        return (rows, self.output_size), [(rows, d) for d in flatten(self.state_size)]

    def get_config(self):
        from brisknet.saving.objects import serialize_layer

        return {**super().get_config(), "cells": [serialize_layer(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        from brisknet.saving.objects import deserialize_layer

        config = dict(config)
        cells = [c if isinstance(c, Layer) else deserialize_layer(c, custom_objects) for c in config.pop("cells")]
        return cls(cells, **config)
