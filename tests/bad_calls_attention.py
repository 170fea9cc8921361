"""Bad calls of embeddings, attention, positions and generate(): sizes that do not fit, ids out of range, masks of the wrong shape,
empty sequences, settings that make no sense."""

import numpy as np

from brisknet import layers as L
from brisknet.losses import SparseCategoricalCrossentropy
from brisknet.models import Model
from tests.bad_calls import case


def words():
    inputs = L.Input((None,), dtype="int32")
    x = L.Embedding(7, 4)(inputs)
    x = x + L.MultiHeadAttention(2, 2)(x, x, use_causal_mask=True)
    model = Model(inputs, L.Dense(7)(x))
    model.compile("sgd", SparseCategoricalCrossentropy(from_logits=True))
    ids = np.random.default_rng(0).integers(0, 7, (8, 5))
    return model, ids.astype("int32"), ids


def made(name, make, *fragments, error=ValueError):
    case(name, words, lambda m, x, y: make(), error, *fragments)


def given(name, call, *fragments, error=ValueError):
    case(name, words, call, error, *fragments)


def changed(x, value):
    x = x.copy()
    x[3, 2] = value
    return x


# ---- embeddings -----------------------------------------------------------------------------------------------------------
made("embedding entries zero", lambda: L.Embedding(0, 4), "Embedding: input_dim", "positive integer", "0")
made("embedding size float", lambda: L.Embedding(3, 2.5), "Embedding: output_dim", "2.5")
made("embedding lora", lambda: L.Embedding(3, 2, lora_rank=2), "Embedding", "lora_rank")
given("id too large in fit", lambda m, x, y: m.fit(changed(x, 7), y, verbose=0), "x: ids in 0 ... 6", "7 entries", "got 7", "(3, 2)")
given("id negative in fit", lambda m, x, y: m.fit(changed(x, -1), y, verbose=0), "x: ids in 0 ... 6", "got -1", "(3, 2)")
given("id too large in predict", lambda m, x, y: m.predict(changed(x, 99), verbose=0), "got 99 at position (3, 2)")
given("id too large in a call", lambda m, x, y: m(changed(x, 9)), "got 9 at position (3, 2)")
given("id too large in train_on_batch", lambda m, x, y: m.train_on_batch(changed(x, 8), y), "got 8 at position (3, 2)")
given("id too large in evaluate", lambda m, x, y: m.evaluate(changed(x, 8), y, verbose=0), "got 8 at position (3, 2)")
made("id too large in a layer", lambda: L.Embedding(3, 2)(np.array([[0, 3]])), "3 entries", "got 3 at position (0, 1)")
made("ids that are not whole in a layer", lambda: L.Embedding(3, 2)(np.array([[0, 0.5]])), "whole token ids", "0.5", "(0, 1)")
made("ids that are nan", lambda: L.Embedding(3, 2)(np.array([np.nan])), "whole token ids", "nan", "(0,)")

# ---- attention ------------------------------------------------------------------------------------------------------------
made("attention heads zero", lambda: L.MultiHeadAttention(0, 4), "MultiHeadAttention: num_heads", "positive integer", "0")
made("attention key size", lambda: L.MultiHeadAttention(2, "4"), "MultiHeadAttention: key_dim", "'4'")
made("attention value size", lambda: L.MultiHeadAttention(2, 4, value_dim=-1), "MultiHeadAttention: value_dim", "-1")
made("attention dropout", lambda: L.MultiHeadAttention(2, 4, dropout=1.5), "MultiHeadAttention", "rate", "1.5")
made("attention output shape", lambda: L.MultiHeadAttention(2, 4, output_shape="8"), "MultiHeadAttention: output_shape", "'8'")
made("attention axes", lambda: L.MultiHeadAttention(2, 4, attention_axes="1"), "MultiHeadAttention: attention_axes", "'1'")
made("attention axes out of range", lambda: L.MultiHeadAttention(2, 4, attention_axes=2)(*[L.Input((3, 4))] * 2), "attention_axes", "(2,)")
made("attention window", lambda: L.MultiHeadAttention(2, 4, sliding_window=0), "MultiHeadAttention: sliding_window", "0")
made("attention flash", lambda: L.MultiHeadAttention(2, 4, flash_attention=True), "MultiHeadAttention", "flash_attention")
made("attention rank", lambda: L.MultiHeadAttention(2, 4)(*[L.Input((4,))] * 2), "query of shape (batch, positions, size)", "(None, 4)")
made("attention ranks", lambda: L.MultiHeadAttention(2, 4)(L.Input((3, 4)), L.Input((2, 3, 4))), "query and value of one rank")
made("attention key positions", lambda: L.MultiHeadAttention(2, 4)(L.Input((3, 4)), L.Input((5, 4)), L.Input((6, 4))), "value and key")
made("attention mask shape", lambda: L.MultiHeadAttention(2, 4)(*[np.ones((2, 3, 4))] * 2, attention_mask=np.ones((2, 3, 4))),
     "attention_mask", "(2, 3, 3)", "got shape (2, 3, 4)")  # fmt: skip
made("attention width of a built layer", lambda: _called_twice(L.MultiHeadAttention(2, 4), 4, 5), "input that fits", "(2, 3, 5)")
made("attention of nothing", lambda: L.MultiHeadAttention(2, 4)(np.ones((2, 3, 4)), np.ones((2, 0, 4))), "at least one position")
made("attention without value", lambda: L.MultiHeadAttention(2, 4)(np.ones((2, 3, 4))), "value of shape", "got none")
made("attention batch", lambda: _on(L.MultiHeadAttention(2, 4), (2, 3, 4), (3, 3, 4)), "query and value of one batch", "(3, 3, 4)")
made("attention value mask", lambda: _on(L.MultiHeadAttention(2, 4), *[(2, 3, 4)] * 2, value_mask=np.ones((2, 4), bool)),
     "value_mask of shape", "(2, 3)", "(2, 4)")  # fmt: skip
made("grouped query mask", lambda: _on(L.GroupQueryAttention(2, 4, 2), *[(2, 3, 4)] * 2, query_mask=np.ones((3, 3), bool)),
     "query_mask of shape", "(2, 3)", "(3, 3)")  # fmt: skip
made("luong batch", lambda: L.Attention()([np.ones((2, 3, 4)), np.ones((3, 3, 4))]), "of one batch", "(3, 3, 4)")
made("luong value mask", lambda: L.Attention()([np.ones((2, 3, 4))] * 2, mask=[None, np.ones((2, 4), bool)]),
     "Attention", "value_mask of shape", "(2, 3)", "(2, 4)")  # fmt: skip
made("additive query mask", lambda: L.AdditiveAttention()([np.ones((2, 3, 4))] * 2, mask=[np.ones(3, bool), None]),
     "AdditiveAttention", "query_mask of shape", "(3,)")  # fmt: skip
made("additive of nothing", lambda: L.AdditiveAttention()([np.ones((2, 3, 4)), np.ones((2, 0, 4))]), "at least one position")
made("grouped heads", lambda: L.GroupQueryAttention(4, 6, 4), "num_query_heads must be a multiple", "6", "4")
made("grouped rank", lambda: L.GroupQueryAttention(4, 6, 2)(*[L.Input((2, 3, 4))] * 2), "rank 3")
made("luong one input", lambda: L.Attention()([np.ones((2, 3, 4))]), "[query, value]")
made("luong mode", lambda: L.Attention(score_mode="sum"), "score_mode", '"dot" or "concat"', "'sum'")
made("luong sizes", lambda: L.Attention()([np.ones((2, 3, 4)), np.ones((2, 3, 5))]), "size of the query", "(2, 3, 4)", "(2, 3, 5)")
made("additive rank", lambda: L.AdditiveAttention()([np.ones((2, 4)), np.ones((2, 4))]), "(batch, positions, size)")
made("luong mask", lambda: L.Attention()([np.ones((2, 3, 4))] * 2, mask=np.ones((2, 3), bool)), "[query_mask, value_mask]")


def _on(layer, *shapes, **call):
    return layer(*(np.ones(s) for s in shapes), **call)


def _called_twice(layer, first, second):
    for size in (first, second):
        layer(*[np.ones((2, 3, size))] * 2)


# ---- positions ------------------------------------------------------------------------------------------------------------
made("positions zero", lambda: L.PositionEmbedding(0), "PositionEmbedding: sequence_length", "0")
made("positions too many", lambda: L.PositionEmbedding(4)(np.ones((1, 5, 2))), "0 ... 4 of 4", "sequence_length")
made("wavelength", lambda: L.SinePositionEncoding(max_wavelength=0), "SinePositionEncoding: max_wavelength", "0")
made("rotary odd", lambda: L.RotaryEmbedding()(np.ones((1, 5, 3))), "even number of features", "(1, 5, 3)")
made("rotary axis", lambda: L.RotaryEmbedding(sequence_axis="1"), "RotaryEmbedding: sequence_axis", "'1'")
made("rotary positions", lambda: L.RotaryEmbedding()(np.ones((1, 5, 4)), positions=np.arange(4)), "5 positions", "(4,)")

# ---- generate -------------------------------------------------------------------------------------------------------------
given("generate from nothing", lambda m, x, y: m.generate([], 3), "prompt must be integer ids", "(0,)")
given("generate from text", lambda m, x, y: m.generate("abc", 3), "prompt must be integer ids")
given("generate from floats", lambda m, x, y: m.generate([1.5], 3), "prompt must be integer ids", "float64")
given("generate an id too large", lambda m, x, y: m.generate([1, 7], 3), "prompt", "7 entries", "got 7 at position (0, 1)")
given("generate too few", lambda m, x, y: m.generate([1], -1), "max_new_tokens", "-1")
given("generate a part", lambda m, x, y: m.generate([1], 1.5), "max_new_tokens", "1.5")
given("generate cold", lambda m, x, y: m.generate([1], 3, temperature=-1), "temperature must be a number >= 0", "-1")
given("generate nan", lambda m, x, y: m.generate([1], 3, temperature=float("nan")), "temperature", "nan")
given("generate top_k", lambda m, x, y: m.generate([1], 3, top_k=0), "top_k must be an integer >= 1", "0")
given("generate top_p", lambda m, x, y: m.generate([1], 3, top_p=1.5), "top_p must be a number in (0, 1]", "1.5")
given("generate from an empty row", lambda m, x, y: m.generate([[1, 2], []], 3), "prompt must be integer ids", "at least one id a row", "(0,)")
given("generate from rows of floats", lambda m, x, y: m.generate([[1, 2], [3.5]], 3), "prompt must be integer ids", "float64")
given("generate a ragged id too large", lambda m, x, y: m.generate([[1, 2], [9]], 3), "prompt", "7 entries", "got 9 at position (1, 0)")
given("generate to a float", lambda m, x, y: m.generate([1], 3, stop_tokens=1.5), "stop_tokens must be an integer id", "1.5")
given("generate to a table", lambda m, x, y: m.generate([1], 3, stop_tokens=[[1]]), "stop_tokens must be an integer id", "[[1]]")
given("generate to an unknown id", lambda m, x, y: m.generate([1], 3, stop_tokens=7), "stop_tokens", "7 entries", "got 7")
