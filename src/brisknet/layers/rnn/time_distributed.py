"""TimeDistributed."""

from __future__ import annotations

from brisknet import ops
from brisknet.graph.trace import name_scope
from brisknet.layers import activation_layers, convolutional, core, pooling, reshaping
from brisknet.layers.call_context import owning
from brisknet.layers.core.wrapper import Wrapper
from brisknet.layers.layer import Layer

__all__ = ["TimeDistributed"]

# Layers whose outputs for a row depend on that row alone: they take all steps as one batch.
_BY_ROW = tuple(
    getattr(package, name) for package in (activation_layers, convolutional, pooling, reshaping) for name in package.__all__
) + (core.Dense, core.EinsumDense, core.Activation, core.Identity, core.Rescaling)  # fmt: skip
_BY_ROW = tuple(c for c in _BY_ROW if isinstance(c, type) and issubclass(c, Layer))


class TimeDistributed(Wrapper):
    """A layer applied to every step of inputs [batch, steps, ...], with the same weights; outputs [batch, steps, ...].

    Layers that treat every row by itself take all steps as one batch; others are called step by step, as in Keras.
    """

    supports_masking = True

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)

    def _step_shape(self, input_shape) -> tuple:
        shape = tuple(input_shape)
        if len(shape) < 3:
            raise ValueError(
                f"TimeDistributed {self.name!r}: inputs of rank >= 3, (batch, steps, ...), expected, got shape {shape}"
            )
        return (shape[0], *shape[2:])

    def build(self, input_shape):
        if not self.layer.built:
            with owning(self.layer):
                self.layer.build(self._step_shape(input_shape))
            self.layer.built = True

    def compute_output_shape(self, input_shape):
        rows, *rest = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (rows, tuple(input_shape)[1], *rest)

    def call(self, inputs, training=None, mask=None):
        self._step_shape(inputs.shape)
        self._check_mask(mask, tuple(inputs.shape))
        with name_scope(self.layer.name), owning(self.layer):
            if type(self.layer) in _BY_ROW and not (mask is not None and "mask" in self.layer._accepts):
                rows, steps = inputs.shape[:2]
                y = self.layer.call(ops.reshape(inputs, (rows * steps, *inputs.shape[2:])))
                return ops.reshape(y, (rows, steps, *y.shape[1:]))
            return ops.stack([self._step(inputs, t, training, mask) for t in range(inputs.shape[1])], axis=1)

    def _step(self, inputs, t, training, mask):
        given = {"training": training, "mask": None if mask is None else mask[:, t]}
        return self.layer.call(inputs[:, t], **{k: v for k, v in given.items() if k in self.layer._accepts and v is not None})

    def _check_mask(self, mask, shape) -> None:
        if mask is not None and (len(mask.shape) < 2 or tuple(mask.shape[:2]) != shape[:2]):
            raise ValueError(
                f"TimeDistributed {self.name!r}: a mask of shape (batch, steps), here {shape[:2]}, expected, got "
                f"{tuple(mask.shape)}"
            )
