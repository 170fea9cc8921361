"""Bidirectional."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.layer import Layer
from brisknet.layers.rnn.rnn import RNN
from brisknet.layers.shapes import is_shape

__all__ = ["Bidirectional"]

_MODES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Layer):
    """A recurrent layer and a copy of it that runs backwards, their outputs put together.

    layer            an RNN, LSTM, GRU or SimpleRNN, or a layer with go_backwards, return_sequences, return_state and stateful;
                     one that runs backwards itself needs a backward_layer that does not
    merge_mode       how outputs become one: "concat" (default), "sum", "mul", "ave"; None: both are returned
    weights          initial weights, the forward layer's first
    backward_layer   the layer that runs backwards, where it is no copy
    With return_state the states of both layers follow the output, the forward layer's first. Schuster and Paliwal 1997.
    """

    supports_masking = True

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        for name, one in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(one, Layer) and (one is not None or name == "layer"):
                raise ValueError(f"Bidirectional: {name} must be a recurrent layer, e.g. LSTM(32), got {one!r}")
        if merge_mode not in _MODES:
            raise ValueError(f"Bidirectional: merge_mode must be one of {', '.join(map(repr, _MODES))}, got {merge_mode!r}")
        missing = [n for n in _SHARED + ("go_backwards",) if not hasattr(layer, n)]
        if missing:
            raise ValueError(
                f"Bidirectional: layer must be a recurrent layer, got a {type(layer).__name__}, which has no {missing[0]}"
            )
        super().__init__(**kwargs)
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward_")
        given = backward_layer is not None
        self.backward_layer = backward_layer if given else _copy(layer, "backward_", True)
        self._check_layers()
        for one in (self.forward_layer, self.backward_layer):
            if isinstance(one, RNN):
                one.zero_output_for_mask = one.return_sequences
        for name in _SHARED:
            setattr(self, name, getattr(layer, name))
        self.input_spec = layer.input_spec
        self._first_weights = list(weights) if weights is not None else None

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"Bidirectional: layer and backward_layer must run in opposite directions, got go_backwards={forward.go_backwards} "
                "for both; the copy of layer that is made where backward_layer is None runs backwards"
            )
        for name in _SHARED:
            a, b = getattr(forward, name), getattr(backward, name)
            if a != b:
                raise ValueError(f"Bidirectional: layer and backward_layer must agree in {name}, got {a} and {b}")

    def build(self, sequences_shape, initial_state_shape=None):
        for one in (self.forward_layer, self.backward_layer):
            if not one.built:
                one.build(tuple(sequences_shape))
        if self._first_weights is not None:
            half = len(self._first_weights) // 2
            self.forward_layer.set_weights(self._first_weights[:half])
            self.backward_layer.set_weights(self._first_weights[half:])

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        output, states = (shape, ()) if is_shape(shape) else (shape[0], tuple(shape[1:]))
        if self.merge_mode == "concat":
            output = (*output[:-1], 2 * output[-1])
        outputs = [tuple(output)] * 2 if self.merge_mode is None else [tuple(output)]
        shapes = (*outputs, *states, *states)
        return shapes if len(shapes) > 1 else shapes[0]

    def compute_mask(self, _, mask):
        """That of the sequence for what is returned of all steps; states have none."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        outputs = [mask] * (2 if self.merge_mode is None else 1)
        if self.return_state:
            return outputs + [None] * 2 * len(self.forward_layer.state_size)
        return outputs if len(outputs) > 1 else mask

    def call(self, sequences, initial_state=None, mask=None, training=None):
        first = second = None
        if initial_state is not None:
            half = len(initial_state) // 2
            first, second = list(initial_state[:half]), list(initial_state[half:])
        out = [self._run(self.forward_layer, sequences, first, mask, training),
               self._run(self.backward_layer, sequences, second, mask, training)]  # fmt: skip
        states = ()
        if self.return_state:
            states = (*out[0][1:], *out[1][1:])
            out = [one[0] for one in out]
        y, back = out
        if self.return_sequences and back.shape[1] > 1:
            back = back[:, ::-1]
        merged = self._merged(y, back)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    @staticmethod
    def _run(layer, sequences, states, mask, training):
        kwargs = {"training": training, "mask": mask, "initial_state": states}
        return layer(sequences, **{k: v for k, v in kwargs.items() if k in layer._accepts and v is not None})

    def _merged(self, y, back):
        if self.merge_mode == "concat":
            return ops.concatenate([y, back], -1)
        if self.merge_mode == "mul":
            return ops.multiply(y, back)
        if self.merge_mode is None:
            return y, back
        total = ops.add(y, back)
        return ops.multiply(total, 0.5) if self.merge_mode == "ave" else total

    def reset_state(self) -> None:
        """Set the states of both layers back to zero."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    @property
    def states(self):
        """The states of both layers where they are stateful and built, else None."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if not forward or not backward else [*forward, *backward]

    def get_config(self):
        from brisknet.saving.objects import serialize_layer

        return {
            **super().get_config(), "merge_mode": self.merge_mode, "layer": serialize_layer(self.forward_layer),
            "backward_layer": serialize_layer(self.backward_layer),
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        from brisknet.saving.objects import deserialize_layer

        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None and not isinstance(config[name], Layer):
                config[name] = deserialize_layer(config[name], custom_objects)
        return cls(**config)


_SHARED = ("stateful", "return_sequences", "return_state")


def _copy(layer, prefix: str, backwards=None):
    """A new layer of the same config, named with the prefix."""
    config = {**layer.get_config(), "name": prefix + layer.name.removeprefix(prefix)}
    if backwards is not None:
        config["go_backwards"] = backwards
    return type(layer).from_config(config)
