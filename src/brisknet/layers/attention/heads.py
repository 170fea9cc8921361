"""What layers with several attention heads have in common: projections, masks, the attention itself."""

from __future__ import annotations

import numpy as np

from brisknet import initializers, ops, regularizers
from brisknet.layers.arguments import check_rate, constraint, positive_int, refuse, serialize_constraint
from brisknet.layers.core.einsum_dense import EinsumDense
from brisknet.layers.layer import Layer, call_context
from brisknet.layers.regularization.dropout import Dropout
from brisknet.ops.attention import MASKED, attention, need_positions

__all__ = ["Heads", "check_flag", "lower_triangle"]


def check_flag(value, name: str) -> bool:
    """A bool; ValueError for anything else than True, False, 0 and 1."""
    if not isinstance(value, (bool, np.bool_, int)) or value not in (0, 1):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def lower_triangle(t: int, s: int) -> np.ndarray:
    """bool [t, s]: True where position i may look at j <= i."""
    return np.arange(s)[None, :] <= np.arange(t)[:, None]


class Heads(Layer):
    """The base of MultiHeadAttention and GroupedQueryAttention. Subclasses make the projections in build()."""

    supports_masking = True

    def __init__(
        self, dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer, kernel_regularizer,
        bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        name = type(self).__name__
        refuse(name, flash_attention=flash_attention)
        self._rate = check_rate(dropout, name)
        self._use_bias, self._use_gate = check_flag(use_bias, f"{name}: use_bias"), check_flag(use_gate, f"{name}: use_gate")
        self._window = None if sliding_window is None else positive_int(sliding_window, f"{name}: sliding_window")
        self._kernel_initializer = initializers.get(kernel_initializer)
        self._bias_initializer = initializers.get(bias_initializer)
        self._kernel_regularizer = regularizers.get(kernel_regularizer)
        self._bias_regularizer = regularizers.get(bias_regularizer)
        self._kernel_constraint = constraint(kernel_constraint, f"{name}: kernel_constraint")
        self._bias_constraint = constraint(bias_constraint, f"{name}: bias_constraint")
        self.seed = seed
        self._dropout_layer = Dropout(self._rate, seed=seed, dtype=self.dtype)

    # ---- projections --------------------------------------------------------------------------------------------
    def _projection(self, input_shape, bound: int, sizes, name: str, activation=None) -> EinsumDense:
        """A built layer from the last `bound` axes of the input to axes of these sizes."""
        letters = "abcdefghijklmnopqrstuvwxyz"
        free = len(input_shape) - bound
        kept, summed, made = letters[:free], letters[free : free + bound], letters[free + bound : free + bound + len(sizes)]
        layer = EinsumDense(
            f"{kept}{summed},{summed}{made}->{kept}{made}", (*[None] * (free - 1), *sizes), activation=activation,
            bias_axes=made if self._use_bias else None, kernel_initializer=_copied(self._kernel_initializer),
            bias_initializer=_copied(self._bias_initializer), kernel_regularizer=self._kernel_regularizer,
            bias_regularizer=self._bias_regularizer, activity_regularizer=self.activity_regularizer,
            kernel_constraint=self._kernel_constraint, bias_constraint=self._bias_constraint, dtype=self.dtype, name=name,
        )  # fmt: skip
        layer.build(tuple(input_shape))
        layer.supports_masking = True  # masks are the attention's affair
        return layer

    def _check_shapes(self, query_shape, value_shape, key_shape) -> None:
        what = f"{type(self).__name__} {self.name!r}"
        for name, shape in (("query", query_shape), ("value", value_shape), ("key", key_shape)):
            if shape is None or len(shape) < 3 or shape[-1] is None:
                raise ValueError(
                    f"{what}: {name} of shape (batch, positions, size) with a known size expected, got "
                    f"{'none' if shape is None else tuple(shape)}"
                )
        if len(query_shape) != len(value_shape):
            raise ValueError(f"{what}: query and value of one rank expected, got {tuple(query_shape)} and {tuple(value_shape)}")
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                f"{what}: value and key of the same positions expected, got {tuple(value_shape)} and {tuple(key_shape)}"
            )

    def _check_rows(self, query, value, key, masks) -> None:
        """ValueError unless all have one batch, and the masks of query, value and key their batch and positions."""
        key = value if key is None else key
        what = f"{type(self).__name__} {self.name!r}"
        for name, x in (("value", value), ("key", key)):
            if x.shape[0] != query.shape[0]:
                raise ValueError(f"{what}: query and {name} of one batch expected, got {tuple(query.shape)} and {tuple(x.shape)}")
        for name, mask, x in zip(("query_mask", "value_mask", "key_mask"), masks, (query, value, key), strict=True):
            if mask is None or len(x.shape) != 3:
                continue
            shape = tuple(mask.shape if hasattr(mask, "shape") else np.shape(mask))
            if len(shape) != 2 or shape[0] not in (1, x.shape[0]) or shape[1] != x.shape[1]:
                raise ValueError(f"{what}: {name} of shape (batch, positions), {tuple(x.shape[:2])}, expected, got {shape}")

    # ---- masks --------------------------------------------------------------------------------------------------
    def _attention_mask(self, query, value, query_mask, value_mask, key_mask, attention_mask):
        """What the masks say together, to be broadcast to [B, T, S], or None; a causal mask is left to the attention."""
        masks = []
        if query_mask is not None:
            masks.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))  # [B, T, 1]
        masks += [ops.expand_dims(ops.cast(m, "bool"), -2) for m in (value_mask, key_mask) if m is not None]  # [B, 1, S]
        if self._window is not None:
            t, s = query.shape[1], value.shape[1]
            masks.append((np.abs(np.arange(t)[:, None] - np.arange(s)) < self._window)[None])
        if attention_mask is not None:
            given = attention_mask if hasattr(attention_mask, "dtype") else np.asarray(attention_mask)
            masks.insert(0, ops.cast(given, "bool"))
        both = None
        for mask in masks:
            both = mask if both is None else ops.logical_and(both, mask)
        return both

    def _mask_of_scores(self, mask, axes: int, shape):
        """A mask [..., T..., S...] with an axis for heads and leading axes, as the mask of scores of this shape."""
        if mask is None:
            return None
        given = tuple(mask.shape)
        while len(mask.shape) < len(shape):
            mask = ops.expand_dims(mask, -2 * axes - 1)
        fits = len(mask.shape) == len(shape) and all(m in (1, n) for m, n in zip(mask.shape, shape, strict=True))
        if not fits:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: an attention_mask that broadcasts to (batch, positions of the query, "
                f"positions of the value), here {(shape[0], *shape[2:])}, expected, got shape {given}"
            )
        return mask

    # ---- attention ----------------------------------------------------------------------------------------------
    def _attend(self, q, k, v, mask, causal, scale, training, want_scores):
        """(output [B,T,H,e], scores [B,H,T,S] or None) for q [B,T,H,d], k [B,S,G,d], v [B,S,G,e], a mask [B,H,T,S]."""
        need_positions(f"{type(self).__name__} {self.name!r}", k.shape)
        zeros = self._rate > 0 or want_scores  # so differ Keras' two ways to compute it
        rate = self._rate if training else 0.0
        if not want_scores and rate < 1:
            step, key = self._dropout_layer.draw() if rate else (None, 0)
            return attention(q, k, v, mask, causal, scale, zeros=zeros, rate=rate, step=step, key=key)[0], None
        masked = mask is not None
        k, v = _repeated(k, q.shape[2]), _repeated(v, q.shape[2])
        scores = ops.matmul(ops.transpose(q * scale, (0, 2, 1, 3)), ops.transpose(k, (0, 2, 3, 1)))
        if causal:
            below = lower_triangle(q.shape[1], k.shape[1])[None, None]
            mask = below if mask is None else ops.logical_and(mask, below)
        if mask is not None:
            scores = ops.where(mask, scores, np.asarray(MASKED, str(scores.dtype)))
        scores = ops.softmax(scores)
        if masked:  # else every position sees itself
            scores = ops.where(mask, scores, np.zeros((), str(scores.dtype)))
        kept = self._dropout_layer(scores, training=training) if self._rate else scores
        return ops.transpose(ops.matmul(kept, ops.transpose(v, (0, 2, 1, 3))), (0, 2, 1, 3)), scores

    def _decoding(self, query, value, key, attention_mask, causal, want_scores):
        """The state of generation (models/generation) where this call is one of its steps, else None."""
        context = call_context()
        decoding = None if context is None else context.decoding
        if decoding is None:
            return None
        if not causal or value is not query or (key is not None and key is not query):
            decoding.refuse(f"{self.name!r} is not causal self-attention")
        if attention_mask is not None or want_scores:
            decoding.refuse(f"{self.name!r} has a mask of its own, or is asked for its scores")
        return decoding

    def _attend_cached(self, decoding, q, k, v, scale, padding):
        """The output [B,1,H,e] for one new position a row, whose key and value are kept with those before; None where a prompt is
        read, which is attended to as ever. padding: the mask [B,T] that the tokens carry, or None."""
        k, v = decoding.store(self, "key", k), decoding.store(self, "value", v)
        if padding is not None:
            seen = decoding.store(self, "mask", ops.cast(padding, str(q.dtype)))
        if decoding.position is None:
            return None
        where = {"causal": True, "scale": scale, "offset": decoding.position, "zeros": self._rate > 0}
        near = self._near(decoding.position, k.shape[1])
        if padding is None:
            return attention(q, k, v, near, **where)[0]
        # a query that is padding attends to all positions alike so far, or to none with zeros, as in the ordinary call
        real = ops.reshape(ops.cast(padding, str(q.dtype)), (q.shape[0], 1, 1, 1))
        shown = ops.not_equal(ops.reshape(seen, (q.shape[0], 1, 1, k.shape[1])), 0.0)
        shown = ops.logical_or(shown if near is None else ops.logical_and(near, shown), ops.equal(real, 0.0))
        out = attention(q * real, k, v, shown, **where)[0]
        return out * real if self._rate > 0 else out

    def _near(self, position, size: int):
        """bool [B,1,1,size]: the keys within the window of queries at int32 positions [B]; None without a window. Later ones are
        the causal mask's affair."""
        if self._window is None:
            return None
        first = ops.reshape(position, (position.shape[0], 1, 1, 1)) - np.array(self._window, np.int32)
        return ops.greater(np.arange(size, dtype=np.int32).reshape(1, 1, 1, size), first)

    # ---- config -------------------------------------------------------------------------------------------------
    def _heads_config(self) -> dict:
        return {
            "dropout": self._rate, "use_bias": self._use_bias, "use_gate": self._use_gate, "sliding_window": self._window,
            "kernel_initializer": initializers.serialize(self._kernel_initializer),
            "bias_initializer": initializers.serialize(self._bias_initializer),
            "kernel_regularizer": self._kernel_regularizer and regularizers.serialize(self._kernel_regularizer),
            "bias_regularizer": self._bias_regularizer and regularizers.serialize(self._bias_regularizer),
            "activity_regularizer": self.activity_regularizer and regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": serialize_constraint(self._kernel_constraint),
            "bias_constraint": serialize_constraint(self._bias_constraint), "seed": self.seed,
        }  # fmt: skip


def _copied(initializer):
    """An initializer that draws by itself, with the same settings."""
    copy = getattr(initializer, "from_config", None)
    return initializer if copy is None else copy(initializer.get_config())


def _repeated(x, heads: int):
    """x [B,S,G,c] with every head repeated until there are so many."""
    b, s, g, c = x.shape
    if g == heads:
        return x
    x = ops.broadcast_to(ops.reshape(x, (b, s, g, 1, c)), (b, s, g, heads // g, c))
    return ops.reshape(x, (b, s, heads, c))
