"""A small GPT that learns Tiny Shakespeare character by character, then writes.

Four decoder blocks of four heads, width 128, context 64; 2,000 steps of 12 windows with AdamW. The text comes from the folder
BRISKNET_DATA (tinyshakespeare.txt), the cache, or the network.

Run: python examples/char_gpt.py [--steps 2000] [--write 500] [--temperature 0.8] [--verbose 1]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.datasets import tiny_shakespeare
from brisknet.keras.layers import Dense, Embedding, Input, LayerNormalization
from brisknet.keras.losses import SparseCategoricalCrossentropy
from brisknet.keras.models import Model
from brisknet.keras.optimizers import AdamW
from brisknet.keras.optimizers.schedules import CosineDecay
from brisknet.layers import PositionEmbedding
from brisknet.tokenizers import CharacterTokenizer

try:
    from transformer import decoder_block
except ImportError:  # as part of the package of examples
    from examples.transformer import decoder_block


def gpt(vocabulary, context=64, blocks=4, heads=4, width=128, dropout=0.0):
    """ids [batch, T <= context] -> logits of the next id at every position."""
    inputs = Input((None,), dtype="int32")
    x = Embedding(vocabulary, width)(inputs)
    x = x + PositionEmbedding(context, initializer="uniform")(x)
    for _ in range(blocks):
        x = decoder_block(x, heads, 4 * width, dropout)
    return Model(inputs, Dense(vocabulary, use_bias=False)(LayerNormalization(epsilon=1e-5)(x)))


def windows(ids, starts, context):
    """(x, y): the ids from each start on, and the same one further."""
    at = starts[:, None] + np.arange(context + 1)
    return ids[at[:, :-1]], ids[at[:, 1:]]


def main(steps=2000, batch=12, context=64, write=500, temperature=0.8, verbose=0, text=None):
    """Returns (validation loss, what the model has written)."""
    utils.set_random_seed(1)
    text = tiny_shakespeare.load_text() if text is None else text
    letters = CharacterTokenizer().train(text)
    ids = letters.encode(text)
    cut = int(0.9 * len(ids))
    rng = np.random.default_rng(1)
    train = windows(ids[:cut], rng.integers(0, cut - context - 1, steps * batch), context)
    held = ids[cut:]
    tested = windows(held, np.arange(0, len(held) - context - 1, context), context)

    model = gpt(letters.vocabulary_size(), context)
    schedule = CosineDecay(1e-5, max(steps - 100, 1), alpha=1e-1, warmup_target=1e-3, warmup_steps=100)
    model.compile(AdamW(schedule, weight_decay=0.1, beta_2=0.99), SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*train, batch_size=batch, epochs=1, verbose=verbose)
    loss = model.evaluate(*tested, batch_size=64, verbose=0)
    print(f"{model.count_params():,} weights; validation loss {loss:.3f} after {steps} steps")

    written = letters.decode(model.generate(letters.encode(text[:1]), write, temperature=temperature, seed=1))
    print(written)
    return loss, written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--write", type=int, default=500)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--verbose", type=int, default=1)
    given = parser.parse_args()
    main(given.steps, write=given.write, temperature=given.temperature, verbose=given.verbose)
