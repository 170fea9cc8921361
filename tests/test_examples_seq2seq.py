"""Sequences from sequences, at reduced length."""

from functools import partial

import numpy as np
import pytest

from brisknet import config, utils
from examples import seq2seq

native = pytest.mark.skipif(not config.native_available(), reason="too long for the reference executor")
NETWORKS = {"gru": seq2seq.gru_network, "transformer": seq2seq.transformer_network}


def test_letters_and_ids():
    letters = seq2seq.LETTERS["add"]
    ids = seq2seq.encode(["7+85", "0+0"], letters, 6, before=(seq2seq.START,), after=(seq2seq.END,))
    assert ids.tolist() == [[1, 10, 13, 11, 8, 2], [1, 3, 13, 3, 2, 0]]
    assert [seq2seq.decode(row[1:], letters) for row in ids] == ["7+85", "0+0"]


@pytest.mark.parametrize("task", seq2seq.LETTERS)
def test_pairs_are_right_and_distinct(task):
    found = seq2seq.pairs(task, 300, np.random.default_rng(0))
    assert len({q for q, _ in found}) == 300
    for question, answer in found:
        right = str(sum(map(int, question.split("+")))) if task == "add" else question
        assert answer[::-1] == right


@pytest.mark.parametrize("network", NETWORKS)
def test_greedy_text_and_attention(network, backend):
    utils.set_random_seed(0)
    model = NETWORKS[network](9, width=8)
    model.set_weights([3 * w for w in model.get_weights()])
    questions = np.array([[3, 4, 5, 0], [6, 7, 8, 3]], np.int32)
    written = seq2seq.write(model, questions, 5)
    for question, row in zip(questions, written, strict=True):  # letter by letter, without what comes later
        so_far = [seq2seq.START]
        for letter in row:
            best = model.predict([question[None], np.array([so_far], np.int32)], verbose=0)[0, -1].argmax()
            assert letter == (0 if so_far[-1] in (seq2seq.END, 0) else best)
            so_far.append(letter)
    before = np.array([[seq2seq.START, 4, 5]], np.int32)
    weights = np.asarray(seq2seq.attention_map(model, questions[:1], before))
    assert weights.shape == (3, 4)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights[:, 3], 0, atol=1e-6)  # padding is not looked at


@native
@pytest.mark.parametrize(("network", "width"), [("gru", 64), ("transformer", 32)])
def test_learns_to_reverse(network, width, capsys, monkeypatch):
    monkeypatch.setitem(seq2seq.LETTERS, "reverse", "abcd")
    monkeypatch.setattr(seq2seq, f"{network}_network", partial(NETWORKS[network], width=width))
    pairs = seq2seq.pairs
    monkeypatch.setattr(seq2seq, "pairs", lambda task, count, rng: pairs(task, 3000, rng))
    right = seq2seq.main(["--task", "reverse", "--model", network, "--steps", "400", "--batch", "32", "--verbose", "0"])
    assert right > 0.7
    assert "held-out pairs right" in capsys.readouterr().out


@native
def test_answers_that_never_end(monkeypatch, capsys):
    """A network that has learnt nothing writes to the end of the room there is."""
    pairs = seq2seq.pairs
    monkeypatch.setattr(seq2seq, "pairs", lambda task, count, rng: pairs(task, 1100, rng))
    monkeypatch.setattr(seq2seq, "decode", lambda row, letters: letters[0] * len(row))
    assert seq2seq.main(["--steps", "1", "--verbose", "0"]) == 0
    assert "0.0 % of 1000" in capsys.readouterr().out


def test_the_picture(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    seq2seq.plot(tmp_path / "a.png", np.full((4, 5), 0.2), "abcde", "edc")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
