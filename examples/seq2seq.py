"""Sums and reversed words, letter by letter: an encoder reads, a decoder with attention writes.

Two networks: GRUs with additive attention (Bahdanau et al. 2015), and a Transformer (Vaswani et al. 2017). Both learn with
the right answer so far as the decoder's input, and are tested on pairs they have never seen by what they write themselves,
greedily: 99 % of them or more are right after 2,000 steps. Sums are written from their last digit on, as one adds by hand.

Run: python examples/seq2seq.py [--task add|reverse] [--model gru|transformer] [--steps 2000] [--plot attention.png]
"""

import argparse

import numpy as np

from brisknet import ops, utils
from brisknet.keras import layers
from brisknet.keras.losses import SparseCategoricalCrossentropy
from brisknet.keras.models import Model
from brisknet.keras.optimizers import Adam
from brisknet.keras.optimizers.schedules import CosineDecay
from brisknet.layers import TokenAndPositionEmbedding

try:
    from transformer import decoder_block, encoder_block
except ImportError:  # as part of the package of examples
    from examples.transformer import decoder_block, encoder_block

LETTERS = {"add": "0123456789+", "reverse": "abcdefghijklmnopqrstuvwxyz"}
PADDING, START, END = 0, 1, 2  # ids; letters follow


def pairs(task, count, rng):
    """Distinct (question, answer) of the task: "7+85" and "29" (92 from its end), "abcd" and "dcba"."""
    found = {}
    while len(found) < count:
        if task == "add":
            a, b = rng.integers(0, 100, 2)
            found[f"{a}+{b}"] = str(a + b)[::-1]
        else:
            word = "".join(rng.choice(list(LETTERS[task]), rng.integers(3, 9)))
            found[word] = word[::-1]
    return list(found.items())


def encode(texts, letters, length, before=(), after=()):
    """int32 [texts, length] of ids, padded with zeros."""
    ids = np.zeros((len(texts), length), np.int32)
    for row, text in zip(ids, texts, strict=True):
        line = [*before, *(letters.index(c) + END + 1 for c in text), *after]
        row[: len(line)] = line
    return ids


def decode(row, letters):
    """The text of a row of ids, up to its end."""
    text = ""
    for i in row:
        if i in (PADDING, START, END):
            break
        text += letters[i - END - 1]
    return text


def gru_network(letters, width=128):
    """(question ids [batch, S], answer so far [batch, T]) -> scores of the next letter [batch, T, letters]."""
    question, answer = layers.Input((None,), dtype="int32"), layers.Input((None,), dtype="int32")
    x = layers.Embedding(letters, width // 2, mask_zero=True)(question)
    read, state = layers.GRU(width, return_sequences=True, return_state=True)(x)
    y = layers.Embedding(letters, width // 2, mask_zero=True)(answer)
    y = layers.GRU(width, return_sequences=True)(y, initial_state=state)
    seen = layers.AdditiveAttention()([y, read])
    y = layers.Dense(width, "tanh")(layers.Concatenate()([y, seen]))
    return Model([question, answer], layers.Dense(letters)(y))


def transformer_network(letters, width=64, heads=4):
    """The same by two blocks each of encoder and decoder."""
    question, answer = layers.Input((None,), dtype="int32"), layers.Input((None,), dtype="int32")
    x, y = (TokenAndPositionEmbedding(letters, 16, width, mask_zero=True)(ids) for ids in (question, answer))
    for _ in range(2):
        x = encoder_block(x, heads, 2 * width)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    for _ in range(2):
        y = decoder_block(y, heads, 2 * width, memory=x)
    y = layers.LayerNormalization(epsilon=1e-5)(y)
    return Model([question, answer], layers.Dense(letters)(y))


def write(model, questions, length):
    """int32 [questions, length]: greedily the best letter after those before it, until all have ended."""
    written = np.zeros((len(questions), length + 1), np.int32)
    written[:, 0] = START
    for t in range(length):
        scores = model.predict([questions, written[:, :length]], batch_size=500, verbose=0)
        written[:, t + 1] = np.where(np.isin(written[:, t], (END, PADDING)), PADDING, scores[:, t].argmax(-1))
    return written[:, 1:]


def attention_map(model, question, answer):
    """[T, S]: how much of the question's letters went into each letter of the answer, by the last attention to the encoder."""
    kinds = layers.AdditiveAttention, layers.MultiHeadAttention
    last = [x for x in model.layers if isinstance(x, kinds)][-1]
    inputs = last.input
    args = [inputs] if isinstance(last, layers.AdditiveAttention) else inputs
    _, scores = last(*args, return_attention_scores=True)
    scores = Model(model.inputs, scores).predict([question, answer], verbose=0)[0]
    return scores if scores.ndim == 2 else ops.mean(scores, axis=0)


def show(weights, question, answer):
    """The map as text: a line for each letter of the answer, darker signs for more attention."""
    shades = " .:-=+*#%@"
    print("\n    " + "  ".join(question))
    for letter, row in zip(answer + "$", weights, strict=False):
        print(f"{letter}   " + "  ".join(shades[min(int(10 * w), 9)] for w in row[: len(question)]))


def plot(path, weights, question, answer):
    """The map as a picture."""
    from brisknet.utils.plotting import finish, pyplot

    figure, axes = pyplot("--plot").subplots(figsize=(5, 4))
    axes.imshow(np.asarray(weights)[: len(answer) + 1, : len(question)], cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(question)), question)
    axes.set_yticks(range(len(answer) + 1), [*answer, "end"])
    axes.set_xlabel("question")
    axes.set_ylabel("answer")
    finish(figure, path)


def main(argv=None):
    """Returns the share of held-out pairs that are answered exactly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=list(LETTERS), default="add")
    parser.add_argument("--model", choices=["gru", "transformer"], default="gru")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--plot", help="write a picture of an attention map there")
    parser.add_argument("--verbose", type=int, default=1)
    args = parser.parse_args(argv)

    utils.set_random_seed(1)
    letters, rng = LETTERS[args.task], np.random.default_rng(1)
    data = pairs(args.task, 9_000 if args.task == "add" else 20_000, rng)
    questions, answers = zip(*data, strict=True)
    s, t = max(map(len, questions)), max(map(len, answers)) + 1
    x = encode(questions, letters, s)
    so_far, goal = encode(answers, letters, t, before=(START,)), encode(answers, letters, t, after=(END,))
    held = 1_000

    network = gru_network if args.model == "gru" else transformer_network
    model = network(len(letters) + END + 1)
    rate = CosineDecay(1e-4, max(args.steps - 100, 1), alpha=0.02, warmup_target=3e-3, warmup_steps=100)
    model.compile(Adam(rate), SparseCategoricalCrossentropy(from_logits=True))
    epochs = max(1, round(args.steps * args.batch / (len(data) - held)))
    model.fit([x[held:], so_far[held:]], goal[held:], batch_size=args.batch, epochs=epochs, verbose=args.verbose)

    written = [decode(row, letters) for row in write(model, x[:held], t)]
    right = float(np.mean([a == b for a, b in zip(written, answers[:held], strict=True)]))
    print(f"{args.model}, {args.task}: {100 * right:.1f} % of {held} held-out pairs right, {model.count_params():,} weights")
    for q, a, w in list(zip(questions, answers, written, strict=False))[:5]:
        print(f"  {q:>10} -> {w}" + ("" if a == w else f"   (should be {a})"))

    weights = attention_map(model, x[:1], encode(written[:1], letters, t + 1, before=(START,)))
    show(weights, questions[0], written[0])
    if args.plot:
        plot(args.plot, weights, questions[0], written[0])
        print(f"picture: {args.plot}")
    return right


if __name__ == "__main__":
    main()
