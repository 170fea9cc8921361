"""Is a film review in favour of the film? A bidirectional LSTM and a Transformer encoder, on words alone, nothing pretrained.

2,000 reviews (datasets.movie_reviews, from BRISKNET_DATA, the cache or the network), of which a fifth is held out, as many of
each kind. What a step learns from so few of them is noisy: the weights that count are averages over the last steps (use_ema).
The LSTM's gradients, which can explode over hundreds of words, are clipped (clipnorm). Both get more than 80 % right.
Where there are no reviews, made ones of a few words take their place.

Run: python examples/sentiment.py [--words 10000] [--seed 1] [--only LSTM]
"""

import argparse

import numpy as np

from brisknet import utils
from brisknet.datasets import movie_reviews
from brisknet.keras.layers import (
    LSTM, Bidirectional, Concatenate, Dense, Dropout, Embedding, GlobalAveragePooling1D, Input, LayerNormalization,
    SpatialDropout1D, TextVectorization,
)  # fmt: skip
from brisknet.keras.models import Model
from brisknet.keras.optimizers import Adam

try:
    from transformer import encoder_block
except ImportError:  # as part of the package of examples
    from examples.transformer import encoder_block


def load():
    """(name, (texts, labels) to learn from, (texts, labels) held out)."""
    try:
        return ("2,000 film reviews", *movie_reviews.load_data())
    except OSError as error:
        print(f"made reviews, as the real ones are not there: {error}")
        return ("made reviews", *made())


def made(rows=600, seed=0):
    """(texts, labels) twice: rows of common words, with two that praise or blame, and "not" before the wrong kind at times."""
    rng = np.random.default_rng(seed)
    verdicts = [["dull", "boring", "awful", "weak"], ["great", "moving", "funny", "superb"]]
    common = ["the", "film", "has", "a", "plot", "and", "actors", "who", "talk", "in", "rooms", "while", "it", "rains"]
    texts, labels = [], rng.integers(0, 2, rows)
    for label in labels:
        words = list(rng.choice(common, rng.integers(8, 20)))
        for _ in range(2):
            says = rng.choice(verdicts[label]) if rng.random() < 0.85 else "not " + rng.choice(verdicts[1 - label])
            words.insert(rng.integers(len(words)), says)
        texts.append(" ".join(words))
    texts, cut = np.array(texts, object), rows * 4 // 5
    return (texts[:cut], labels[:cut]), (texts[cut:], labels[cut:])


def word_ids(texts, vectorize, length):
    """The ids of the last words, where the verdict is, int32 [texts, length], 0 behind the end of shorter texts."""
    return utils.pad_sequences([row[row > 0] for row in vectorize(texts)], length, padding="post", truncating="pre")


def lstm(words, length, width=64, units=16):
    """Means over the review of what the words say, and of the states of an LSTM that reads it in both directions.

    With so few reviews it would learn them by heart: half of the words are left out in training, and most of what is left
    of their vectors.
    """
    inputs = Input((length,), dtype="int32")
    x = Dropout(0.5, noise_shape=(None, length, 1))(Embedding(words, width, mask_zero=True)(inputs))
    x = SpatialDropout1D(0.7)(x)
    states = Bidirectional(LSTM(units, return_sequences=True))(x)
    mean = GlobalAveragePooling1D()(Concatenate()([x, states]))
    return Model(inputs, Dense(1, "sigmoid")(Dropout(0.5)(mean)), name="LSTM")


def transformer(words, length, width=32, heads=4):
    """An encoder block, and the mean over the review; the order of words is left out, as it tells little here."""
    inputs = Input((length,), dtype="int32")
    x = Dropout(0.3)(Embedding(words, width, mask_zero=True)(inputs))
    x = LayerNormalization()(encoder_block(x, heads, 2 * width, 0.3))
    return Model(inputs, Dense(1, "sigmoid")(Dropout(0.5)(GlobalAveragePooling1D()(x))), name="Transformer")


# The model, words of a review that it reads, epochs, and what its optimizer is told.
MODELS = {
    "LSTM": (lstm, 600, 10, {"learning_rate": 0.002, "clipnorm": 0.3}),
    "Transformer": (transformer, 400, 4, {"learning_rate": 0.001}),
}


def confusion(true, said):
    """int [2, 2]: rows by what the reviews are, columns by what they were taken for."""
    table = np.zeros((2, 2), int)
    np.add.at(table, (true, said), 1)
    return table


def show(name, table):
    against, favour = table
    print(f"{name}: {np.trace(table) / table.sum():.1%} of {table.sum()} reviews right")
    print(f"                     taken as against  in favour\n  against the film   {against[0]:16d}  {against[1]:9d}")
    print(f"  in favour          {favour[0]:16d}  {favour[1]:9d}")


def main(argv=None, data=None):
    """Returns {model: its accuracy on the reviews held out}."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, help="words of a review, the last ones; else 600 and 400")
    parser.add_argument("--words", type=int, default=10_000, help="size of the vocabulary")
    parser.add_argument("--epochs", type=int, help="else 10 and 4")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=MODELS)
    parser.add_argument("--verbose", type=int, default=0)
    args = parser.parse_args(argv)

    name, (texts, y), (texts_test, y_test) = data or load()
    vectorize = TextVectorization(max_tokens=args.words)
    vectorize.adapt(texts)
    print(f"{name}: {len(y)} to learn from, {len(y_test)} held out; {vectorize.vocabulary_size()} words")

    found = {}
    for kind, (make, length, epochs, settings) in MODELS.items():
        if args.only not in (None, kind):
            continue
        utils.set_random_seed(args.seed)
        length = args.length or length
        x, x_test = (word_ids(t, vectorize, length) for t in (texts, texts_test))
        model = make(vectorize.vocabulary_size(), length)
        model.compile(Adam(use_ema=True, ema_momentum=0.98, **settings), "binary_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=args.epochs or epochs, verbose=args.verbose)
        table = confusion(y_test, (model.predict(x_test, verbose=0)[:, 0] > 0.5).astype(int))
        found[kind] = float(np.trace(table) / table.sum())
        show(kind, table)
    return found


if __name__ == "__main__":
    main()
