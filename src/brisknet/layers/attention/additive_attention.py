"""AdditiveAttention."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.attention.attention import Attention

__all__ = ["AdditiveAttention"]


class AdditiveAttention(Attention):
    """Attention with the scores sum over c of scale[c] tanh(query[c] + key[c]); see Attention for inputs and masks.

    use_scale   whether there is a trained `scale`, of the size of the query; else it is 1
    dropout     share of the attention scores that training drops
    Bahdanau et al. 2015.
    """

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape):
        self._check_inputs(input_shape)
        self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale") if self.use_scale else None

    def _scores(self, query, key):
        both = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(both if self.scale is None else both * self.scale, axis=-1)

    def get_config(self):
        config = super().get_config()
        del config["score_mode"]
        return config
