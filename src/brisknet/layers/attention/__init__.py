"""Attention layers, as in keras.layers."""

from brisknet.layers.attention.additive_attention import AdditiveAttention
from brisknet.layers.attention.attention import Attention
from brisknet.layers.attention.grouped_query_attention import GroupedQueryAttention
from brisknet.layers.attention.multi_head_attention import MultiHeadAttention
from brisknet.layers.attention.positions import (
    PositionEmbedding, RotaryEmbedding, SinePositionEncoding, TokenAndPositionEmbedding,
)  # fmt: skip

__all__ = [
    "AdditiveAttention", "Attention", "GroupedQueryAttention", "MultiHeadAttention", "PositionEmbedding", "RotaryEmbedding",
    "SinePositionEncoding", "TokenAndPositionEmbedding",
]  # fmt: skip
