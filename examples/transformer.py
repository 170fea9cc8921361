"""The blocks of Transformers, encoder and decoder, as functions over layers. Vaswani et al. 2017; normalised first.

Sums are `Add` layers, which hand on the masks of padding; `x + y` would lose them.
"""

from brisknet.keras.layers import Add, Dense, Dropout, LayerNormalization, MultiHeadAttention


def attend(x, heads, dropout, memory=None, **kwargs):
    """x plus attention of x to itself, or to a memory."""
    y = LayerNormalization(epsilon=1e-5)(x)
    y = MultiHeadAttention(heads, x.shape[-1] // heads, dropout=dropout)(y, y if memory is None else memory, **kwargs)
    return Add()([x, Dropout(dropout)(y)])


def feed_forward(x, hidden, dropout=0.0, activation="gelu"):
    """x plus two dense layers of x, position by position."""
    y = Dense(hidden, activation)(LayerNormalization(epsilon=1e-5)(x))
    return Add()([x, Dropout(dropout)(Dense(x.shape[-1])(y))])


def encoder_block(x, heads, hidden, dropout=0.0):
    """Every position looks at all: [batch, T, width] -> the same. A mask that x carries hides padding."""
    return feed_forward(attend(x, heads, dropout), hidden, dropout)


def decoder_block(x, heads, hidden, dropout=0.0, memory=None):
    """Every position looks at itself and those before it, then, where there is a `memory` (an encoder's output), at that."""
    x = attend(x, heads, dropout, use_causal_mask=True)
    if memory is not None:
        x = attend(x, heads, dropout, memory)
    return feed_forward(x, hidden, dropout)
