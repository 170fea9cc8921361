"""Sequential: a stack of layers, each fed by the one before."""

from __future__ import annotations

from brisknet.layers.core import Input, InputLayer
from brisknet.layers.keras_tensor import KerasTensor, flatten
from brisknet.layers.call_context import owning, undone_on_error
from brisknet.layers.layer import Layer
from brisknet.layers.shapes import is_shape
from brisknet.models.functional import Functional
from brisknet.models.model import Model
from brisknet.saving.objects import deserialize_layer, serialize_layer

__all__ = ["Sequential"]


class Sequential(Model):
    """Sequential([layers]): with a known input shape it is built at once, else on the first data it sees."""

    def __init__(self, layers=None, trainable=True, name=None):
        super().__init__(name=name)
        object.__setattr__(self, "_functional", None)
        object.__setattr__(self, "_stack", [])
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_build()
        if not trainable:
            self.trainable = False

    # ---- structure ----------------------------------------------------------------------------------------------
    def add(self, layer, rebuild=True) -> None:
        """Put a layer on top of the stack."""
        if isinstance(layer, KerasTensor) and isinstance(layer._keras_history[0], InputLayer):
            layer = layer._keras_history[0]
        if not isinstance(layer, Layer):
            if isinstance(layer, type) and issubclass(layer, Layer):
                raise ValueError(f"Sequential.add: a Layer expected, got the class {layer.__name__}; write {layer.__name__}(...)")
            if callable(layer):
                raise ValueError(f"Sequential.add: a Layer expected, got the function {layer!r}; wrap it in Activation")
            raise ValueError(f"Sequential.add: a Layer expected, got {layer!r} of type {type(layer).__name__}")
        if any(x.name == layer.name and x is not layer for x in self._stack):
            raise ValueError(
                f"Sequential.add: a layer named {layer.name!r} is in the model already; layer names must be unique"
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                f"Sequential.add: an Input must come first, got {layer.name!r} after {self._stack[-1].name!r}; make a new "
                "model for another input"
            )
        if not self._stack and not isinstance(layer, InputLayer) and layer._input_shape_arg is not None:
            self._stack.append(Input(layer._input_shape_arg)._keras_history[0])
        self._stack.append(layer)
        try:
            if self._functional is not None:
                self._extend(layer)
            elif rebuild:
                self._maybe_build()
        except BaseException:  # a layer that does not fit is not in the model
            self._stack.pop()
            raise
        finally:
            self._stack_changed()

    def _stack_changed(self) -> None:
        """Forget what was derived from the layers."""
        self._layers[:] = {id(x): x for x in self.layers}.values()
        self._forget_programs()
        self._losses_of_outputs = self._metrics = None  # named after the outputs

    def pop(self, rebuild=True) -> Layer:
        """Take the top layer off and return it."""
        if not self._stack:
            raise ValueError("Sequential.pop: there is no layer to take off")
        layer = self._stack.pop()
        self.built = False
        object.__setattr__(self, "_functional", None)
        if rebuild:
            self._maybe_build()
        self._stack_changed()
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The layers of the stack, without the input layer."""
        return [x for x in self._stack if not isinstance(x, InputLayer)]

    def _maybe_build(self) -> None:
        if self._stack and isinstance(self._stack[0], InputLayer):
            if len(self._stack) > 1:
                self._connect()
        elif self._stack and isinstance(self._stack[0], Functional):
            self._connect()

    def _connect(self) -> None:
        first = self._stack[0]
        if isinstance(first, InputLayer):
            inputs, rest = first.output, self._stack[1:]
        elif len(first.inputs) == 1:
            inputs, rest = Input(batch_shape=first.input_shape), self._stack
        else:
            raise ValueError(
                f"Sequential {self.name!r}: layers of one input expected, got model {first.name!r} with "
                f"{len(first.inputs)}; use Model(inputs, outputs)"
            )
        x = inputs
        with undone_on_error(rest), owning(self):
            for layer in rest:
                x = self._call_next(layer, x)
        self._set_functional(inputs, x)

    def _extend(self, layer) -> None:
        """One more layer on a model that is connected: the others need no new call."""
        with undone_on_error([layer]), owning(self):
            x = self._call_next(layer, self._functional.output)
        self._set_functional(self._functional.input, x)

    def _call_next(self, layer, x):
        if not isinstance(x, KerasTensor):
            raise ValueError(
                f"Sequential {self.name!r}: every layer must have one output, the one before {layer.name!r} has "
                f"{len(flatten(x))}; use Model(inputs, outputs)"
            )
        return layer(x)

    def _set_functional(self, inputs, outputs) -> None:
        object.__setattr__(self, "_functional", Functional(inputs, outputs, name=self.name))
        self.built = True
        self._build_shape = inputs.shape

    def build(self, input_shape=None) -> None:
        """Build the weights for inputs of this shape (batch first)."""
        if self._functional is not None and self.built:
            return
        if not self.layers:
            raise ValueError(f"Sequential {self.name!r} has no layers yet: add() some before using it")
        if isinstance(self._stack[0], InputLayer):
            return self._connect()
        if input_shape is None:
            raise ValueError(f"Sequential {self.name!r}: input_shape is needed to build it")
        if not is_shape(input_shape) or not len(input_shape):
            raise ValueError(
                f"Sequential {self.name!r}: the shape of one input, e.g. (None, 10), expected, got {input_shape!r}"
            )
        self._stack.insert(0, Input(batch_shape=(None, *tuple(input_shape)[1:]))._keras_history[0])
        try:
            self._connect()
        except BaseException:  # other data may fit
            self._stack.pop(0)
            raise

    # ---- delegation to the functional model inside ------------------------------------------------------------------
    def call(self, inputs, training=None, mask=None):
        if self._functional is None:
            raise ValueError(f"Sequential {self.name!r} has no layers yet: add() some before calling it")
        return self._functional.call(inputs, training=training, mask=mask)

    def compute_output_spec(self, inputs, training=None, mask=None):
        return self._functional.compute_output_spec(inputs)

    def compute_mask(self, inputs, previous_mask=None):
        """None: the layers inside have given the outputs their masks."""

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def _need_built(self) -> Functional:
        if self._functional is None:
            raise AttributeError(
                f"Sequential {self.name!r} is not built yet: give its first layer an Input, call build(input_shape), "
                "or call the model on data"
            )
        return self._functional

    inputs = property(lambda self: self._need_built().inputs)
    outputs = property(lambda self: self._need_built().outputs)
    input = property(lambda self: self._need_built().input)
    output = property(lambda self: self._need_built().output)
    input_shape = property(lambda self: self._need_built().input_shape)
    output_shape = property(lambda self: self._need_built().output_shape)
    input_names = property(lambda self: self._need_built().input_names)
    output_names = property(lambda self: self._need_built().output_names)

    def _has_graph(self) -> bool:
        return type(self).call is Sequential.call

    # ---- config -------------------------------------------------------------------------------------------------
    def get_config(self) -> dict:
        return {"name": self.name, "trainable": self.trainable, "layers": [serialize_layer(x) for x in self._stack]}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        layers, by_name = [], {}
        for entry in config["layers"]:
            name = (entry.get("config") or {}).get("name") if isinstance(entry, dict) else None
            layer = by_name.get(name) or deserialize_layer(entry, custom_objects)
            if name is not None:
                by_name[name] = layer  # a layer that is in the stack twice is one layer
            layers.append(layer)
        model = Layer.__new__(cls)  # a subclass may have a constructor that makes other layers than the config's
        Sequential.__init__(model, layers, config.get("trainable", True), config["name"])
        return model
