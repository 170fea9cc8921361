"""Model: a Layer that can be compiled, trained, evaluated and asked for predictions."""

from __future__ import annotations

import copy

from brisknet.layers.keras_tensor import KerasTensor
from brisknet.layers.layer import Layer, is_shape, map_structure_shapes
from brisknet.training.trainer import Trainer
from brisknet.utils.naming import near_names

__all__ = ["Model"]


class Model(Trainer, Layer):
    """Model(inputs, outputs) makes a functional model; a subclass with call() is a subclassed one."""

    def __new__(cls, *args, **kwargs):
        from brisknet.models.functional import Functional

        if cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs):
            return object.__new__(Functional)
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        if type(self) is Model and not args and not kwargs:
            raise TypeError("Model() needs inputs and outputs, or a subclass with its own call(); see also Sequential")
        Layer.__init__(self, *args, **kwargs)
        Trainer.__init__(self)

    # ---- structure ----------------------------------------------------------------------------------------------
    @property
    def layers(self) -> list[Layer]:
        """The layers, in order; the input layers of a functional model first."""
        return list(self._layers)

    def get_layer(self, name=None, index=None) -> Layer:
        """The layer of a name or at an index; ValueError where there is none."""
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: a name or an index, one of the two, expected, got name={name!r}, index={index!r}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"get_layer: index {index} is out of range for {len(self.layers)} layers")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        near = near_names(str(name), [x.name for x in self.layers], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {[x.name for x in self.layers]}"
        raise ValueError(f"get_layer: no layer named {name!r}; {hint}")

    def summary(
        self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
        layer_range=None,
    ):  # fmt: skip
        """Print a table of the layers, their output shapes and their weights."""
        from brisknet.utils.summary import summary

        return summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def build(self, input_shape) -> None:
        """Build the weights of a subclassed model by tracing call() once on inputs of this shape (or shapes)."""
        if type(self).call is Layer.call:
            raise TypeError(f"{type(self).__name__} must define call(self, inputs)")
        self.built = True
        try:
            self.compute_output_spec(map_structure_shapes(lambda s: KerasTensor(s, self.dtype), input_shape))
        except BaseException:
            self.built = False
            raise
        if not is_shape(input_shape):
            object.__setattr__(self, "_inputs_struct", map_structure_shapes(lambda s: 0, input_shape))
        self._build_shape = input_shape

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """A new model, with new weights, from get_config()'s dict."""
        if cls is Model and {"layers", "inputs", "outputs"} <= set(config):
            from brisknet.models.functional import Functional

            return Functional.from_config(config, custom_objects)
        return cls(**config)

    # ---- copies -------------------------------------------------------------------------------------------------
    def __deepcopy__(self, memo):
        new = type(self).from_config(self.get_config())
        memo[id(self)] = new
        _copy_state(self, new, memo)
        return new

    def __reduce__(self):
        return _rebuild, (type(self), self.get_config()), self._pickled_state()

    def __setstate__(self, state):
        if state["weights"] is not None:
            if not self.built:
                self.build(state["build_shape"])
            self.set_weights(state["weights"])
        self._restore_compiled(state["compiled"])

    def _pickled_state(self) -> dict:
        return {
            "weights": self.get_weights() if self.built else None,
            "build_shape": getattr(self, "_build_shape", None),
            "compiled": self._compiled_state(),
        }


def _rebuild(cls, config):
    return cls.from_config(config)


def _copy_state(old, new, memo) -> None:
    state = old._pickled_state()
    state["compiled"] = copy.deepcopy(state["compiled"], memo)
    new.__setstate__(state)

