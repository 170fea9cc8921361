"""CellLayer: the base of the layers that are an RNN around one built-in cell."""

from __future__ import annotations

import inspect

from brisknet.layers.input_spec import InputSpec
from brisknet.layers.rnn.rnn import RNN
from brisknet.regularizers import serialize

__all__ = ["CellLayer"]


class CellLayer(RNN):
    """Subclasses set cell_class and cell_name, and their constructor is its signature and self._start(locals())."""

    cell_class, cell_name = None, ""

    def _start(self, given: dict) -> None:
        """Make the layer from the arguments of its constructor."""
        kwargs = given["kwargs"]
        taken = set(inspect.signature(self.cell_class.__init__).parameters)
        own = {k: v for k, v in given.items() if k in taken and k not in ("self", "kwargs")}
        shared = {k: kwargs[k] for k in ("dtype", "trainable") if k in kwargs}
        if "implementation" in kwargs:
            kwargs.pop("implementation")  # Keras' argument; there is one implementation
        if given.get("use_cudnn", "auto") not in ("auto", True, False):
            raise ValueError(f"{type(self).__name__}: use_cudnn must be 'auto', True or False, got {given['use_cudnn']!r}")
        cell = self.cell_class(**own, **shared, name=self.cell_name)
        options = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "activity_regularizer")
        RNN.__init__(self, cell, **{k: given[k] for k in options}, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self):
        config = {**super().get_config(), "activity_regularizer": None}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer)
        cell = {k: v for k, v in self.cell.get_config().items() if k not in ("name", "trainable", "dtype")}
        config.pop("cell")
        return {**config, **cell}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)


def _of_the_cell(name: str) -> property:
    return property(lambda self: getattr(self.cell, name), doc=f"The cell's {name}.")


for _name in (
    "units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "kernel_initializer",
    "recurrent_initializer", "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
    "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after",
):  # fmt: skip
    setattr(CellLayer, _name, _of_the_cell(_name))
