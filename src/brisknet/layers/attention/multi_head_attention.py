"""MultiHeadAttention."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.arguments import positive_int
from brisknet.layers.attention.heads import Heads

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(Heads):
    """Attention of several heads: query [B,T,c], value and key [B,S,c'] -> [B,T,c] (or output_shape in the place of c).

    num_heads, key_dim   heads, and the size of each for query and key
    value_dim            its size for value, key_dim by default
    dropout              share of the attention scores that training drops
    output_shape         sizes of the output's last axes, the query's last axis by default
    attention_axes       axes over which positions attend, all but batch and features by default
    sliding_window       position i looks at j with |i - j| < sliding_window only
    use_gate             the output is multiplied by a sigmoid of a projection of the query

    call(query, value, key=None, attention_mask=None, return_attention_scores=False, training=None, use_causal_mask=False):
    attention_mask is True where a position of the query may look at one of the value, broadcast to [B,T,S] (or [B,H,T,S]);
    masks that the inputs carry count as well. With return_attention_scores, (output, scores [B,H,T,S]). As in Keras, a
    position that may look at nothing attends to all values alike, but to none where the layer has dropout or gives scores.
    Inputs keep the masks that they carry, so a memory that several layers attend to hides its padding from all of them (Keras
    takes the masks off at the first).
    Vaswani et al. 2017.
    """

    def __init__(
        self, num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None, attention_axes=None,
        sliding_window=None, flash_attention=None, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, use_gate=False, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.num_heads = positive_int(num_heads, "MultiHeadAttention: num_heads")
        self.key_dim = positive_int(key_dim, "MultiHeadAttention: key_dim")
        self.value_dim = self.key_dim if value_dim is None else positive_int(value_dim, "MultiHeadAttention: value_dim")
        self._output_sizes = _sizes(output_shape)
        self._attention_axes = _axes(attention_axes)

    @property
    def dropout(self):
        return self._rate

    @property
    def use_bias(self):
        return self._use_bias

    @property
    def attention_axes(self):
        return self._attention_axes

    query_dense = property(lambda self: self._query_dense)
    key_dense = property(lambda self: self._key_dense)
    value_dense = property(lambda self: self._value_dense)
    output_dense = property(lambda self: self._output_dense)

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        if self._attention_axes is None:
            self._attention_axes = tuple(range(1, rank - 1))
        else:
            self._attention_axes = tuple(a if a >= 0 else rank + a for a in self._attention_axes)
            if not all(0 < a < rank - 1 for a in self._attention_axes):
                raise ValueError(
                    f"MultiHeadAttention {self.name!r}: attention_axes between the batch and the features of {rank} axes "
                    f"expected, got {self._attention_axes}"
                )
        self._query_dense = self._projection(query_shape, 1, (self.num_heads, self.key_dim), "query")
        self._key_dense = self._projection(key_shape, 1, (self.num_heads, self.key_dim), "key")
        if self._use_gate:
            self._gate_dense = self._projection(query_shape, 1, (self.num_heads, self.value_dim), "gate", "sigmoid")
        self._value_dense = self._projection(value_shape, 1, (self.num_heads, self.value_dim), "value")
        inner = (*query_shape[:-1], self.num_heads, self.value_dim)
        self._output_dense = self._projection(inner, 2, self._output_sizes or query_shape[-1:], "attention_output")

    def call(
        self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
        return_attention_scores=False, training=None, use_causal_mask=False,
    ):  # fmt: skip
        self._check_rows(query, value, key, (query_mask, value_mask, key_mask))
        mask = self._attention_mask(query, value, query_mask, value_mask, key_mask, attention_mask)
        decoding = self._decoding(query, value, key, attention_mask, use_causal_mask, return_attention_scores)
        q, k, v = self._query_dense(query), self._key_dense(value if key is None else key), self._value_dense(value)
        gate = self._gate_dense(query) if self._use_gate else None
        out = scores = None
        if decoding is not None:
            out = self._attend_cached(decoding, q, k, v, self.key_dim**-0.5, query_mask)
        if out is None:
            out, scores = self._over_axes(q, k, v, mask, use_causal_mask, training, return_attention_scores)
        out = self._output_dense(out if gate is None else out * gate)
        return (out, scores) if return_attention_scores else out

    # ---- attention over any axes ------------------------------------------------------------------------------------
    def _over_axes(self, q, k, v, mask, causal, training, want_scores):
        """_attend() with the attention axes as one and all other axes but heads and features as the batch."""
        axes, rank = self._attention_axes, len(q.shape)
        if causal and len(axes) > 1:
            raise ValueError(f"MultiHeadAttention {self.name!r}: use_causal_mask needs one attention axis, got {axes}")
        others = [i for i in range(rank - 2) if i not in axes]
        lead = [q.shape[i] for i in others]
        t, s = [q.shape[i] for i in axes], [k.shape[i] for i in axes]
        mask = self._mask_of_scores(mask, len(axes), (*lead, self.num_heads, *t, *s))
        scale = self.key_dim**-0.5
        if rank == 4:
            return self._attend(q, k, v, mask, causal, scale, training, want_scores)
        order = (*others, *axes, rank - 2, rank - 1)
        n, tt, ss = _product(lead), _product(t), _product(s)
        if mask is not None:
            mask = ops.broadcast_to(ops.cast(mask, "int32"), (*lead, mask.shape[len(lead)], *t, *s))
            mask = ops.cast(ops.reshape(mask, (n, mask.shape[len(lead)], tt, ss)), "bool")
        q, k, v = (
            ops.reshape(ops.transpose(x, order), (n, size, *x.shape[-2:])) for x, size in ((q, tt), (k, ss), (v, ss))
        )  # fmt: skip
        out, scores = self._attend(q, k, v, mask, causal, scale, training, want_scores)
        out = ops.reshape(out, (*lead, *t, *out.shape[-2:]))
        out = ops.transpose(out, tuple(int(i) for i in np.argsort(order)))
        return out, None if scores is None else ops.reshape(scores, (*lead, self.num_heads, *t, *s))

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        self._check_shapes(query_shape, value_shape, value_shape if key_shape is None else key_shape)
        return (*query_shape[:-1], *(self._output_sizes or query_shape[-1:]))

    def get_config(self):
        return {
            **super().get_config(), "num_heads": self.num_heads, "key_dim": self.key_dim, "value_dim": self.value_dim,
            "output_shape": self._output_sizes, "attention_axes": self._attention_axes, **self._heads_config(),
        }  # fmt: skip


def _product(sizes) -> int:
    return int(np.prod(sizes, dtype=np.int64))


def _sizes(output_shape):
    if output_shape is None:
        return None
    given = (output_shape,) if isinstance(output_shape, (int, np.integer)) else output_shape
    if not isinstance(given, (tuple, list)) or not given:
        raise ValueError(f"MultiHeadAttention: output_shape must be an integer or a tuple of sizes, got {output_shape!r}")
    return tuple(positive_int(n, "MultiHeadAttention: every size of output_shape") for n in given)


def _axes(attention_axes):
    if attention_axes is None:
        return None
    given = (attention_axes,) if isinstance(attention_axes, (int, np.integer)) else attention_axes
    whole = isinstance(given, (tuple, list)) and given and all(
        isinstance(a, (int, np.integer)) and not isinstance(a, bool) for a in given
    )  # fmt: skip
    if not whole:
        raise ValueError(f"MultiHeadAttention: attention_axes must be an integer or a tuple of them, got {attention_axes!r}")
    return tuple(int(a) for a in given)
