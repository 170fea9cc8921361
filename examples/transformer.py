"""The blocks of Transformers, encoder and decoder, as functions over layers. Vaswani et al. 2017; normalised first."""

from brisknet.keras.layers import Dense, Dropout, LayerNormalization, MultiHeadAttention


def feed_forward(x, hidden, dropout=0.0, activation="gelu"):
    """x plus two dense layers of x, position by position."""
    y = Dense(hidden, activation)(LayerNormalization(epsilon=1e-5)(x))
    return x + Dropout(dropout)(Dense(x.shape[-1])(y))


def encoder_block(x, heads, hidden, dropout=0.0):
    """Every position looks at all: [batch, T, width] -> the same. A mask that x carries hides padding."""
    y = LayerNormalization(epsilon=1e-5)(x)
    y = MultiHeadAttention(heads, x.shape[-1] // heads, dropout=dropout)(y, y)
    return feed_forward(x + Dropout(dropout)(y), hidden, dropout)


def decoder_block(x, heads, hidden, dropout=0.0, memory=None):
    """Every position looks at itself and those before it, then, where there is a `memory` (an encoder's output), at that."""
    y = LayerNormalization(epsilon=1e-5)(x)
    y = MultiHeadAttention(heads, x.shape[-1] // heads, dropout=dropout)(y, y, use_causal_mask=True)
    x = x + Dropout(dropout)(y)
    if memory is not None:
        y = LayerNormalization(epsilon=1e-5)(x)
        y = MultiHeadAttention(heads, x.shape[-1] // heads, dropout=dropout)(y, memory)
        x = x + Dropout(dropout)(y)
    return feed_forward(x, hidden, dropout)
