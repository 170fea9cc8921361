"""Functional: a model made of the calls between symbolic inputs and outputs."""

from __future__ import annotations

import numpy as np

from brisknet.layers.core import InputLayer
from brisknet.layers.keras_tensor import CallNode, KerasTensor, flatten, map_structure, source_layers
from brisknet.layers.layer import Layer, call_context
from brisknet.layers.masks import get_mask, set_mask
from brisknet.models.model import Model
from brisknet.models.order import layers_by_depth
from brisknet.saving.objects import deserialize_layer, serialize_layer

__all__ = ["Functional"]


class Functional(Model):
    """A model from symbolic inputs to symbolic outputs, each a tensor or a list or dict of tensors."""

    def __init__(self, inputs=None, outputs=None, name=None, trainable=True, **kwargs):
        if inputs is None or outputs is None:
            raise ValueError("Model: inputs and outputs must both be given")
        super().__init__(name=name, **kwargs)
        _require_symbolic(inputs, "inputs")
        _require_symbolic(outputs, "outputs")
        if any(not isinstance(source_layers(t).layer, InputLayer) for t in flatten(inputs)):
            inputs, outputs = _cut(inputs, outputs)
        self._init_graph(inputs, outputs)
        if not trainable:
            self.trainable = False

    def _init_graph(self, inputs, outputs) -> None:
        object.__setattr__(self, "_inputs_struct", inputs)
        object.__setattr__(self, "_outputs_struct", outputs)
        object.__setattr__(self, "_nodes", _order_nodes(flatten(inputs), flatten(outputs)))
        _require_unique_names(self._nodes)
        self._layers[:] = layers_by_depth(flatten(inputs), flatten(outputs))
        self.built = True
        self._build_shape = [t.shape for t in flatten(inputs)]

    # ---- structure ----------------------------------------------------------------------------------------------
    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return flatten(self._inputs_struct)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return flatten(self._outputs_struct)

    @property
    def input(self):
        return self._inputs_struct

    @property
    def output(self):
        return self._outputs_struct

    @property
    def input_names(self) -> list[str]:
        return [source_layers(t).layer.name for t in self.inputs]

    @property
    def output_names(self) -> list[str]:
        return [t._keras_history[0].name for t in self.outputs]

    @property
    def input_shape(self):
        """The shape of the input, or a list of shapes."""
        shapes = [t.shape for t in self.inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self):
        """The shape of the output, or a list of shapes."""
        shapes = [t.shape for t in self.outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    # ---- running ------------------------------------------------------------------------------------------------
    def call(self, inputs, training=None, mask=None):
        """Run every call of the graph, in order, on traced tensors, arrays or other symbolic tensors."""
        def call(layer, *args, **kwargs):
            if "training" in layer._accepts and kwargs.get("training") is None and training is not None:
                kwargs["training"] = training
            return layer(*args, **kwargs)

        inputs = self._match_inputs(inputs)
        for x, m in zip(inputs, flatten(mask) if mask is not None else (), strict=False):
            if m is not None:
                set_mask(x, m)
        return self._run_nodes(inputs, lambda layer: layer, call)

    def _run_nodes(self, inputs, layer_of, call=None):
        """The outputs for flat inputs, with layer_of(layer) in place of each layer, called by call(layer, *args, **kwargs)."""
        values = dict(zip((id(t) for t in self.inputs), inputs, strict=True))
        for node in self._nodes:
            if isinstance(node.layer, InputLayer):
                continue
            args, kwargs = map_structure(lambda t: _value(t, values), (node.args, node.kwargs))
            layer = layer_of(node.layer)
            outs = flatten(layer(*args, **kwargs) if call is None else call(layer, *args, **kwargs))
            values.update((id(t), v) for t, v in zip(flatten(node.outputs), outs, strict=True))
        return map_structure(lambda t: values[id(t)], self._outputs_struct)

    def _match_inputs(self, inputs) -> list:
        """The given inputs in the order of self.inputs: one value, a list, or a dict by input name."""
        if isinstance(inputs, dict):
            names = list(self._inputs_struct) if isinstance(self._inputs_struct, dict) else self.input_names
            missing = [n for n in names if n not in inputs]
            if missing:
                raise ValueError(f"model {self.name!r}: no value for input(s) {missing}; got {sorted(inputs)}")
            given = [inputs[n] for n in names]
        else:
            given = flatten(inputs)
        if len(given) != len(self.inputs):
            raise ValueError(f"model {self.name!r} has {len(self.inputs)} input(s), got {len(given)}")
        return [self._fit_rank(x, t) for x, t in zip(given, self.inputs, strict=True)]

    def _fit_rank(self, x, expected: KerasTensor):
        """x as is, or with the trailing axis of 1 that the model expects and the data lack (as in Keras)."""
        from brisknet.ops.shape import expand_dims, squeeze

        shape, want, symbolic, mask = tuple(x.shape), expected.shape, isinstance(x, KerasTensor), get_mask(x)
        if len(shape) == len(want) - 1 and want[-1] == 1:
            x, shape = x if symbolic else expand_dims(x, -1), (*shape, 1)
        elif len(shape) == len(want) + 1 and shape[-1] == 1:
            x, shape = x if symbolic else squeeze(x, -1), shape[:-1]
        if call_context() is not None and call_context().decoding is not None:  # one position of many
            return x
        same = len(shape) == len(want) and all(
            w is None or s is None or s == w for s, w in zip(shape[1:], want[1:], strict=True)
        )
        if not same:
            name = source_layers(expected).layer.name
            raise ValueError(f"model {self.name!r}: input {name!r} expects shape {want}, got {shape}")
        if mask is not None and get_mask(x) is None:
            set_mask(x, mask)
        return x

    def compute_output_shape(self, input_shape):
        return map_structure(lambda t: t.shape, self._outputs_struct)

    def compute_output_spec(self, inputs, training=None, mask=None):
        given = self._match_inputs(inputs)
        if all(tuple(x.shape[1:]) == t.shape[1:] for x, t in zip(given, self.inputs, strict=True)):
            return map_structure(_like, self._outputs_struct)
        return self._traced_spec((inputs,), {})  # sizes that are open here are known there

    def compute_mask(self, inputs, previous_mask=None):
        """None: the layers inside have given the outputs their masks."""

    def build(self, input_shape=None) -> None:
        """Nothing to do: the calls that made the model have built its layers."""

    def _has_graph(self) -> bool:
        return type(self).call is Functional.call

    # ---- config -------------------------------------------------------------------------------------------------
    def get_config(self) -> dict:
        """Layers, the calls between them, inputs and outputs, as plain data in Keras' form."""
        numbers = {}  # (layer id, call number) -> number among this model's calls
        per_layer: dict[int, list[CallNode]] = {}
        for node in self._nodes:
            calls = per_layer.setdefault(id(node.layer), [])
            numbers[id(node)] = len(calls)
            calls.append(node)

        def place(t: KerasTensor):
            node = source_layers(t)
            return [node.layer.name, numbers[id(node)], t._keras_history[2]]

        def ref(t: KerasTensor):
            config = {"shape": list(t.shape), "dtype": t.dtype, "keras_history": place(t)}
            return {"class_name": "__keras_tensor__", "config": config}

        def plain(structure):
            return map_structure(lambda t: ref(t) if isinstance(t, KerasTensor) else t, structure)

        layers = []
        for layer in self._layers:
            calls = [] if isinstance(layer, InputLayer) else per_layer[id(layer)]
            nodes = [{"args": plain(list(n.args)), "kwargs": plain(n.kwargs)} for n in calls]
            layers.append({**serialize_layer(layer), "name": layer.name, "inbound_nodes": nodes})
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": layers,
            "input_layers": map_structure(place, self._inputs_struct),
            "output_layers": map_structure(place, self._outputs_struct),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects=None, layers=None):
        """A new model, with new weights, from get_config()'s dict; `layers` {name: layer} go in place of their configs."""
        layers, made, todo = dict(layers or {}), {}, []
        for entry in config["layers"]:
            layer = layers.get(entry["name"]) or deserialize_layer(entry, custom_objects)
            layers[entry["name"]] = layer
            if isinstance(layer, InputLayer):
                made[entry["name"], 0] = [layer.output]
            todo += [(entry["name"], i, node) for i, node in enumerate(entry["inbound_nodes"])]

        def tensor(place):
            name, call, index = place
            return made[name, call][index]

        def resolve(x):
            if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
                return tensor(x["config"]["keras_history"])
            if isinstance(x, dict):
                return {k: resolve(v) for k, v in x.items()}
            return [resolve(v) for v in x] if isinstance(x, (list, tuple)) else x

        def ends(x):
            if isinstance(x, dict):
                return {k: ends(v) for k, v in x.items()}
            return tensor(x) if x and isinstance(x[0], str) else [ends(v) for v in x]

        while todo:
            later = []
            for name, call, node in todo:
                try:
                    args, kwargs = resolve(node["args"]), resolve(node["kwargs"])
                    if kwargs.get("mask") is not None and kwargs.get("training") is False:
                        kwargs.pop("training")  # Keras writes what the call happened to be told, and runs without
                except KeyError:
                    later.append((name, call, node))
                    continue
                made[name, call] = flatten(layers[name](*args, **kwargs))
            if len(later) == len(todo):
                raise ValueError(f"model config: the calls of {sorted({n for n, _, _ in todo})} never get their inputs")
            todo = later
        model = Layer.__new__(cls)  # a subclass may have a constructor that makes other layers than the config's
        Functional.__init__(
            model, ends(config["input_layers"]), ends(config["output_layers"]), config["name"], config.get("trainable", True)
        )
        return model


def _like(t: KerasTensor) -> KerasTensor:
    """A new symbolic tensor like t."""
    new = KerasTensor(t.shape, t.dtype)
    if t._keras_mask is not None:
        new._keras_mask = KerasTensor(t._keras_mask.shape, t._keras_mask.dtype)
    return new


def _value(t, values):
    return values[id(t)] if isinstance(t, KerasTensor) else t


def _require_symbolic(structure, what) -> None:
    for t in flatten(structure):
        if not isinstance(t, KerasTensor):
            kind = f"an array of shape {t.shape}" if isinstance(t, np.ndarray) else repr(t)
            raise ValueError(f"Model: {what} must be symbolic tensors from Input() and layer calls, got {kind}")


def _require_unique_names(nodes) -> None:
    names = [layer.name for layer in {id(n.layer): n.layer for n in nodes}.values()]
    twice = [n for n in names if names.count(n) > 1]
    if twice:
        raise ValueError(
            f'Model: the name "{twice[0]}" is used {names.count(twice[0])} times in the model; all layers and inputs need '
            "names of their own"
        )


def _cut(inputs, outputs):
    """(inputs, outputs) of the part of a graph that begins at `inputs` that layers have made: new Inputs in their place."""
    values = {}
    for t in flatten(inputs):
        made = not isinstance(source_layers(t).layer, InputLayer)
        values[id(t)] = InputLayer(batch_shape=t.shape, dtype=t.dtype).output if made else t
    for node in _order_nodes(flatten(inputs), flatten(outputs))[len(flatten(inputs)) :]:
        args, kwargs = map_structure(lambda t: _value(t, values), (node.args, node.kwargs))
        outs = flatten(node.layer(*args, **kwargs))
        values.update((id(t), v) for t, v in zip(flatten(node.outputs), outs, strict=True))
    new_inputs = map_structure(lambda t: values[id(t)], inputs)
    return new_inputs, map_structure(lambda t: values[id(t)], outputs)


def _order_nodes(inputs, outputs) -> list[CallNode]:
    """The calls that lead from inputs to outputs, inputs first, in topological order."""
    stop = {id(t) for t in inputs}
    order, state = [source_layers(t) for t in inputs], {}
    state.update((id(n), 2) for n in order if isinstance(n.layer, InputLayer))
    for out in outputs:
        stack = [(out, False)]
        while stack:
            t, done = stack.pop()
            if id(t) in stop:
                continue
            node = source_layers(t)
            if done:
                if state.get(id(node)) != 2:
                    state[id(node)] = 2
                    order.append(node)
                continue
            if state.get(id(node)) == 2:
                continue
            if isinstance(node.layer, InputLayer):
                raise ValueError(f"Model: outputs depend on input {node.layer.name!r}, which is not among the inputs")
            stack.append((t, True))
            stack += [(x, False) for x in reversed(node.inputs)]
    return order
