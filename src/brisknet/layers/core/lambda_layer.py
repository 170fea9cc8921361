"""Lambda: a function as a layer."""

from __future__ import annotations

import inspect

from brisknet.layers.keras_tensor import flatten
from brisknet.layers.layer import Layer
from brisknet.layers.shapes import is_shape, map_structure_shapes
from brisknet.saving import functions

__all__ = ["Lambda"]


class Lambda(Layer):
    """A function of tensors as a layer. It is traced with symbolic tensors: compute with brisknet.ops or with operators.

    output_shape   a shape without the batch, or a function from input shape to output shape; None: found by tracing
    mask           Keras' argument: the mask of the outputs, or a function (inputs, mask) that gives it
    arguments      keyword arguments for every call of the function, which may also take `training` and `mask`

    A function that is registered or comes from brisknet.ops or brisknet.activations is written into configs by its name.
    Any other is written as its code, as in Keras, which loads only with safe_mode=False; copies within one process find
    the function itself.
    """

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda: function must be callable, e.g. lambda x: x * 2, got {function!r}")
        if arguments is not None and not isinstance(arguments, dict):
            raise TypeError(f"Lambda: arguments must be a dict of keyword arguments, got {arguments!r}")
        if output_shape is not None and not callable(output_shape) and not _is_shapes(output_shape):
            raise TypeError(f"Lambda: output_shape must be a tuple of sizes or a function of the input shape, got {output_shape!r}")
        self.function, self.mask, self._output_shape = function, mask, output_shape
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        try:
            taken = inspect.signature(function).parameters
        except ValueError:  # a function written in C
            taken = {}
        self._takes = {name: name in taken for name in ("training", "mask")}
        self.built = True

    def call(self, inputs, mask=None, training=None):
        given = {"training": training, "mask": mask}
        return self.function(inputs, **self.arguments, **{k: v for k, v in given.items() if self._takes[k]})

    def compute_mask(self, inputs, mask=None):
        """The mask of the outputs, from what the constructor was given."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape):
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        batch = flatten(input_shape)[0]
        return map_structure_shapes(lambda s: (batch, *s), self._output_shape)

    def compute_output_spec(self, *args, **kwargs):
        if self._output_shape is None:
            return self._traced_spec(args, kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def get_config(self):
        config = {**super().get_config(), "function": functions.serialize(self.function), "arguments": self.arguments}
        if self._output_shape is not None:
            shape = self._output_shape
            config["output_shape"] = functions.serialize(shape) if callable(shape) else shape
        if self.mask is not None:
            config["mask"] = functions.serialize(self.mask) if callable(self.mask) else self.mask
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects=None, safe_mode=None):
        """A layer from get_config()'s dict. ValueError for the code of a function, unless safe_mode=False."""
        config = dict(config)
        for key in ("function", "output_shape", "mask"):
            if functions.is_config(config.get(key)):
                config[key] = functions.deserialize(config[key], custom_objects, safe_mode)
        if is_shape(config.get("output_shape")):
            config["output_shape"] = tuple(config["output_shape"])
        return cls(**config)


def _is_shapes(x) -> bool:
    return is_shape(x) or isinstance(x, (list, tuple, dict)) and all(
        _is_shapes(v) for v in (x.values() if isinstance(x, dict) else x)
    )
