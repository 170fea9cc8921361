"""The layers of sequences.py written once for brisknet and Keras: see kerasish.py."""

from __future__ import annotations

from benchmarks.workloads import sequences


def makers(K, layer: dict) -> dict:
    """{op: function that makes the layer of the namespace K (brisknet or keras)}."""
    L = K.layers
    return {
        "embedding": lambda: L.Embedding(layer["vocabulary"], layer["n"]),
        "positions": lambda: L.PositionEmbedding(layer["steps"]) if hasattr(L, "PositionEmbedding") else positions(K),
        "layernorm": lambda: L.LayerNormalization(epsilon=sequences.EPSILON),
        "attention": lambda: L.MultiHeadAttention(layer["heads"], layer["size"]),
        "lstm": lambda: L.LSTM(layer["n"]), "gru": lambda: L.GRU(layer["n"]), "rnn": lambda: L.SimpleRNN(layer["n"]),
    }  # fmt: skip


def positions(K):
    """A layer that Keras has not: a learned vector a position, [steps, width], whatever the input holds."""

    class Positions(K.layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=shape[1:], initializer="uniform")

        def call(self, x):
            return K.ops.convert_to_tensor(self.table)

    return Positions()


def joined(K, layer: dict, made, x):
    """The symbolic answer of a made layer to x."""
    if layer["op"] == "attention":
        return made(x, x, use_causal_mask=True)
    return x + made(x) if layer["op"] == "positions" else made(x)
