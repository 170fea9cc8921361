"""GroupedQueryAttention."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.attention.heads import Heads

__all__ = ["GroupedQueryAttention"]


class GroupedQueryAttention(Heads):
    """Attention whose query heads share fewer heads of keys and values: query [B,T,c], value and key [B,S,c'] -> [B,T,c].

    head_dim              size of every head
    num_query_heads       heads of the query, a multiple of num_key_value_heads
    num_key_value_heads   heads of key and value; 1 is multi-query attention
    The other arguments, and those of the call, are MultiHeadAttention's. Ainslie et al. 2023.
    """

    def __init__(
        self, head_dim, num_query_heads, num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None,
        flash_attention=None, kernel_initializer="glorot_uniform", bias_initializer="zeros", kernel_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, use_gate=False,
        seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        name = type(self).__name__
        self.head_dim = positive_int(head_dim, f"{name}: head_dim")
        self.num_query_heads = positive_int(num_query_heads, f"{name}: num_query_heads")
        self.num_key_value_heads = positive_int(num_key_value_heads, f"{name}: num_key_value_heads")
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"{name}: num_query_heads must be a multiple of num_key_value_heads, got {num_query_heads} and "
                f"{num_key_value_heads}"
            )
        self.dropout, self.use_bias, self.sliding_window = self._rate, self._use_bias, self._window

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        if len(query_shape) != 3:
            raise ValueError(f"{type(self).__name__} {self.name!r}: query of rank 3 expected, got shape {tuple(query_shape)}")
        many, few = (self.num_query_heads, self.head_dim), (self.num_key_value_heads, self.head_dim)
        self._query_dense = self._projection(query_shape, 1, many, "query")
        self._key_dense = self._projection(key_shape, 1, few, "key")
        if self._use_gate:
            self._gate_dense = self._projection(query_shape, 1, many, "gate", "sigmoid")
        self._value_dense = self._projection(value_shape, 1, few, "value")
        self._output_dense = self._projection((*query_shape[:-1], *many), 2, query_shape[-1:], "attention_output")

    def call(
        self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
        return_attention_scores=False, training=None, use_causal_mask=False,
    ):  # fmt: skip
        self._check_rows(query, value, key, (query_mask, value_mask, key_mask))
        mask = self._attention_mask(query, value, query_mask, value_mask, key_mask, attention_mask)
        decoding = self._decoding(query, value, key, attention_mask, use_causal_mask, return_attention_scores)
        q, k, v = self._query_dense(query), self._key_dense(value if key is None else key), self._value_dense(value)
        gate = self._gate_dense(query) if self._use_gate else None
        scale = self.head_dim**-0.5
        out = scores = None
        if decoding is not None:
            out = self._attend_cached(decoding, q, k, v, scale, query_mask)
        if out is None:
            mask = self._mask_of_scores(mask, 1, (q.shape[0], q.shape[2], q.shape[1], k.shape[1]))
            out, scores = self._attend(q, k, v, mask, use_causal_mask, scale, training, return_attention_scores)
        out = self._output_dense(out if gate is None else out * gate)
        return (out, scores) if return_attention_scores else out

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        self._check_shapes(query_shape, value_shape, value_shape if key_shape is None else key_shape)
        return tuple(query_shape)

    def get_config(self):
        return {
            **super().get_config(), "head_dim": self.head_dim, "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads, **self._heads_config(),
        }  # fmt: skip
