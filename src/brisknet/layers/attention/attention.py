"""Attention."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.arguments import check_rate
from brisknet.layers.attention.heads import check_flag, lower_triangle
from brisknet.layers.layer import Layer
from brisknet.layers.regularization.dropout import Dropout
from brisknet.ops.attention import attention, need_positions

__all__ = ["Attention"]

HIDDEN = 1e9  # what Keras takes from the scores that are masked


class Attention(Layer):
    """Attention of one head without projections: [query [B,T,c], value [B,S,e], key [B,S,c] = value] -> [B,T,e].

    use_scale    scores are multiplied by a trained scalar
    score_mode   "dot": query . key; "concat": a trained scalar times the sum of tanh(query + key) over features
    dropout      share of the attention scores that training drops

    call(inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False): mask is
    [query_mask [B,T], value_mask [B,S]], as the inputs carry them by default. Outputs are 0 where query_mask is False.
    Luong et al. 2015.
    """

    supports_masking = True

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.use_scale = check_flag(use_scale, f"{type(self).__name__}: use_scale")
        if score_mode not in ("dot", "concat"):
            raise ValueError(f'{type(self).__name__}: score_mode must be "dot" or "concat", got {score_mode!r}')
        self.score_mode = score_mode
        self.dropout = check_rate(dropout, type(self).__name__)
        self.seed = seed
        self._dropout_layer = Dropout(self.dropout, seed=seed, dtype=self.dtype)

    def build(self, input_shape):
        self._check_inputs(input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _check_inputs(self, shapes) -> None:
        name = f"{type(self).__name__} {self.name!r}"
        shapes = list(shapes) if isinstance(shapes, (list, tuple)) else shapes
        if not isinstance(shapes, list) or len(shapes) not in (2, 3) or not all(isinstance(s, (list, tuple)) for s in shapes):
            raise ValueError(f"{name}: a list [query, value] or [query, value, key] expected, got inputs of shape {shapes}")
        query, value, key = *shapes[:2], shapes[-1]
        if any(len(s) != 3 for s in shapes):
            raise ValueError(f"{name}: query, value and key of shape (batch, positions, size) expected, got {shapes}")
        if query[2] != key[2] or value[1] != key[1]:
            raise ValueError(
                f"{name}: a key with the size of the query and the positions of the value expected, got query {tuple(query)}, "
                f"value {tuple(value)}, key {tuple(key)}"
            )
        if len({s[0] for s in shapes if s[0] is not None}) > 1:
            raise ValueError(f"{name}: query, value and key of one batch expected, got {shapes}")
        if value[1] is not None:
            need_positions(name, value)

    def _check_input(self, shapes):
        self._check_inputs(shapes)

    def call(self, inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False):
        query, value, key = *inputs[:2], inputs[-1]
        query_mask, value_mask = self._masks(mask, query, value)
        plain = self.score_mode == "dot" and type(self)._scores is Attention._scores
        if plain and not return_attention_scores and not (training and self.dropout):
            out, scores = self._fused(query, value, key, value_mask, use_causal_mask), None
        else:
            scores = self._scores(query, key)
            out, scores = self._apply(scores, value, value_mask, use_causal_mask, training)
        if query_mask is not None:
            out = ops.where(ops.expand_dims(query_mask, -1), out, np.zeros((), str(out.dtype)))
        return (out, scores) if return_attention_scores else out

    def _masks(self, mask, query, value):
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
            raise ValueError(f"{type(self).__name__} {self.name!r}: a mask [query_mask, value_mask] expected, got {mask!r}")
        masks = tuple(None if m is None else ops.cast(m if hasattr(m, "shape") else np.asarray(m), "bool") for m in mask[:2])
        for name, m, x in (("query_mask", masks[0], query), ("value_mask", masks[1], value)):
            if m is not None and tuple(m.shape) != tuple(x.shape[:2]):
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: {name} of shape (batch, positions), {tuple(x.shape[:2])}, expected, got "
                    f"{tuple(m.shape)}"
                )
        return masks

    def _fused(self, query, value, key, value_mask, causal):
        query = query if self.scale is None else query * self.scale
        q, k, v = (ops.expand_dims(x, 2) for x in (query, key, value))
        mask = None if value_mask is None else ops.reshape(value_mask, (value_mask.shape[0], 1, 1, value_mask.shape[1]))
        return ops.squeeze(attention(q, k, v, mask, causal, scale=1.0)[0], 2)

    def _scores(self, query, key):
        """[B,T,S]"""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return scores if self.scale is None else scores * self.scale
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        both = both if self.scale is None else both * self.scale
        return ops.sum(ops.tanh(both), axis=-1) * self.concat_score_weight

    def _apply(self, scores, value, value_mask, causal, training):
        shown = None if value_mask is None else ops.expand_dims(value_mask, -2)
        if causal:
            below = lower_triangle(*scores.shape[1:])[None]
            shown = below if shown is None else ops.logical_and(shown, below)
        if shown is not None:
            scores = ops.where(shown, scores, scores - HIDDEN)
        weights = ops.softmax(scores)
        if training and self.dropout:
            weights = self._dropout_layer(weights, training=True)
        return ops.matmul(weights, value), weights

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask[0] if previous_mask else None

    def compute_output_shape(self, input_shape):
        self._check_inputs(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(self, inputs, *args, **kwargs):
        return self._traced_spec((inputs, *args), kwargs)

    def get_config(self):
        return {
            **super().get_config(), "use_scale": self.use_scale, "score_mode": self.score_mode, "dropout": self.dropout,
            "seed": self.seed,
        }  # fmt: skip
