"""Attention layers and embeddings as golden cases: odd sizes, one position, one row, cross-attention, masks of every kind, rows
that see nothing, several attention axes.

The layers have dropout and are called without training: so Keras computes the scores one by one in float64, where its fused
attention on JAX keeps them in float32.
"""

import numpy as np


def mask(*shape, seed=0, empty=None):
    """Booleans, about 60 % True and the first always; row `empty` all False."""
    out = np.random.default_rng(seed).random(shape) < 0.6
    out[..., 0] = True
    if empty is not None:
        out[empty] = False
    return out


# name -> (make, shapes of the inputs, keywords of the call, masks that the inputs carry: {input: mask}, as one list)
CASES = {}


def multi(name, shapes, *args, carried=None, call=None, layer="MultiHeadAttention", **kwargs):
    made = {"dropout": 0.25, **kwargs}
    CASES[name] = (lambda k: getattr(k.layers, layer)(*args, **made), shapes, {"training": False, **(call or {})}, carried or {}, False)


def grouped(name, shapes, *args, **kwargs):
    multi(name, shapes, *args, layer="GroupQueryAttention", **kwargs)


def single(name, shapes, layer="Attention", carried=None, call=None, **kwargs):
    CASES[name] = (lambda k: getattr(k.layers, layer)(**kwargs), shapes, {"training": False, **(call or {})}, carried or {}, True)


_SELF = ((2, 5, 6),) * 2
multi("self", _SELF, 2, 3)
multi("causal", _SELF, 2, 3, call={"use_causal_mask": True})
multi("one_position", ((3, 1, 4),) * 2, 2, 2, call={"use_causal_mask": True})
multi("one_row", ((1, 7, 5),) * 2, 3, 4, call={"use_causal_mask": True})
multi("cross", ((2, 3, 4), (2, 7, 5)), 2, 3, value_dim=4)
multi("cross_key", ((2, 3, 4), (2, 7, 5), (2, 7, 3)), 2, 3, value_dim=5, output_shape=7)
multi("cross_causal", ((2, 3, 4), (2, 5, 4)), 1, 3, call={"use_causal_mask": True})
multi("no_bias", _SELF, 2, 3, use_bias=False)
multi("output_shape", _SELF, 2, 3, output_shape=(2, 3))
multi("mask", _SELF, 2, 3, call={"attention_mask": mask(2, 5, 5)})
multi("mask_shared", _SELF, 2, 3, call={"attention_mask": mask(1, 5, 5)})
multi("mask_heads", _SELF, 2, 3, call={"attention_mask": mask(2, 2, 5, 5)})
multi("mask_empty_row", _SELF, 2, 3, call={"attention_mask": mask(2, 5, 5, empty=(1, 2))})
multi("mask_empty_row_mean", _SELF, 2, 3, dropout=0.0, call={"attention_mask": mask(2, 5, 5, empty=(1, 2))})
multi("causal_empty_row_mean", _SELF, 2, 3, dropout=0.0, call={"attention_mask": mask(2, 5, 5, empty=(1, 2)), "use_causal_mask": True})
multi("mask_causal", _SELF, 2, 3, call={"attention_mask": mask(2, 5, 5, seed=3), "use_causal_mask": True})
multi("value_mask", ((2, 3, 4), (2, 7, 4)), 2, 3, call={"value_mask": mask(2, 7)})
multi("key_mask", ((2, 3, 4), (2, 7, 4), (2, 7, 4)), 2, 3, call={"value_mask": mask(2, 7), "key_mask": mask(2, 7, seed=5)})
multi("carried", ((2, 5, 6), (2, 4, 6)), 2, 3, carried={0: mask(2, 5, seed=1)}, call={"value_mask": mask(2, 4, seed=2)})
multi("carried_causal", _SELF, 2, 3, carried={0: mask(2, 5, seed=1)}, call={"value_mask": mask(2, 5), "use_causal_mask": True})
multi("scores", _SELF, 2, 3, call={"return_attention_scores": True, "use_causal_mask": True})
multi("scores_mask", ((2, 3, 4), (2, 4, 4)), 2, 3, call={"return_attention_scores": True, "attention_mask": mask(2, 3, 4, empty=(0, 1))})
multi("window", _SELF, 2, 3, sliding_window=2, call={"use_causal_mask": True})
multi("window_both_ways", _SELF, 2, 3, sliding_window=3)
multi("gate", _SELF, 2, 3, use_gate=True)
multi("axes_all", ((2, 3, 4, 5),) * 2, 2, 3)
multi("axes_first", ((2, 3, 4, 5),) * 2, 2, 3, attention_axes=1)
multi("axes_last", ((2, 3, 4, 5),) * 2, 2, 3, attention_axes=(2,), call={"return_attention_scores": True})
multi("axes_mask", ((2, 3, 4, 5),) * 2, 2, 3, attention_axes=(2,), call={"attention_mask": mask(2, 3, 4, 4)})
multi("wide", ((2, 19, 33),) * 2, 3, 17, call={"use_causal_mask": True})

grouped("grouped", _SELF, 3, 4, 2)
grouped("grouped_causal", _SELF, 3, 4, 2, call={"use_causal_mask": True})
grouped("grouped_one", ((1, 6, 5),) * 2, 2, 3, 1, call={"use_causal_mask": True})
grouped("grouped_cross", ((2, 3, 6), (2, 4, 6)), 3, 4, 2, call={"value_mask": mask(2, 4), "query_mask": mask(2, 3, seed=9)})
grouped("grouped_mask", _SELF, 3, 4, 2, call={"attention_mask": mask(2, 5, 5, empty=(0, 3)), "return_attention_scores": True})
grouped("grouped_window_gate", _SELF, 3, 2, 2, sliding_window=2, use_gate=True, use_bias=False)

_LUONG = ((2, 3, 4), (2, 5, 4))
for _layer, _short in (("Attention", "dot"), ("AdditiveAttention", "additive")):
    single(f"{_short}", _LUONG, _layer)
    single(f"{_short}_scale", _LUONG, _layer, use_scale=_short == "dot")
    single(f"{_short}_key", ((2, 3, 4), (2, 5, 6), (2, 5, 4)), _layer)
    single(f"{_short}_causal", ((2, 4, 3), (2, 4, 3)), _layer, call={"use_causal_mask": True})
    single(f"{_short}_mask", _LUONG, _layer, call={"mask": [mask(2, 3, seed=1), mask(2, 5, seed=2)]})
    single(f"{_short}_value_mask", _LUONG, _layer, call={"mask": [None, mask(2, 5, seed=2)], "use_causal_mask": True})
    single(f"{_short}_scores", _LUONG, _layer, call={"return_attention_scores": True, "use_causal_mask": True})
    single(f"{_short}_one", ((1, 1, 3), (1, 1, 3)), _layer)
single("concat", _LUONG, score_mode="concat")
single("concat_scale", _LUONG, score_mode="concat", use_scale=True, call={"mask": [None, mask(2, 5, seed=2)]})

# name -> (arguments, ids)
EMBEDDINGS = {
    "plain": ((5, 3), np.array([[0, 4, 4], [1, 0, 4]], np.int32)),
    "one": ((1, 4), np.array([[0]], np.int32)),
    "flat": ((7, 19), np.array([6, 0, 6, 3, 2], np.int32)),
    "deep": ((4, 2), np.arange(24, dtype=np.int32).reshape(2, 3, 4) % 4),
}

# Layers made only to compare get_config() and from_config(): name -> make
CONFIGS = {
    "multi": lambda k: k.layers.MultiHeadAttention(2, 3, name="a"),
    "multi_all": lambda k: k.layers.MultiHeadAttention(
        2, 3, 4, 0.1, False, (5,), (1,), kernel_initializer="he_normal", kernel_regularizer="l2", seed=4, use_gate=True, name="a"
    ),
    "grouped": lambda k: k.layers.GroupQueryAttention(4, 6, 2, 0.1, sliding_window=3, seed=3, name="a"),
    "dot": lambda k: k.layers.Attention(True, "concat", 0.5, seed=3, name="a"),
    "additive": lambda k: k.layers.AdditiveAttention(False, 0.5, name="a"),
    "embedding": lambda k: k.layers.Embedding(5, 3, "normal", embeddings_regularizer="l2", mask_zero=True, name="a"),
}

# The attention of PyTorch: name -> (shape of q, of k, of v, causal, mask or None), all [B,T,H,d]
TORCH = {
    "plain": ((2, 5, 2, 3), (2, 5, 2, 3), (2, 5, 2, 3), False, None),
    "causal": ((2, 9, 3, 4), (2, 9, 3, 4), (2, 9, 3, 4), True, None),
    "cross": ((1, 3, 2, 5), (1, 7, 2, 5), (1, 7, 2, 4), False, None),
    "mask": ((2, 4, 2, 3), (2, 6, 2, 3), (2, 6, 2, 3), False, mask(2, 1, 4, 6)),
    "groups": ((2, 5, 6, 3), (2, 5, 2, 3), (2, 5, 2, 3), True, None),
    "long": ((1, 31, 1, 8), (1, 31, 1, 8), (1, 31, 1, 8), True, None),
}
