"""The examples that learn text, at reduced length."""

import os
from pathlib import Path

import numpy as np
import pytest

from brisknet import config, layers
from brisknet.datasets import movie_reviews, tiny_shakespeare
from brisknet.models import Model
from examples import char_gpt, sentiment
from examples.transformer import decoder_block, encoder_block

DATA = Path(os.environ.get("BRISKNET_DATA", "/nonexistent"))
native = pytest.mark.skipif(not config.native_available(), reason="too long for the reference executor")
TEXT = "the quick brown fox jumps over the lazy dog. " * 200


@native
def test_gpt_learns_a_sentence(capsys):
    loss, written = char_gpt.main(steps=60, write=40, temperature=0.0, text=TEXT)
    assert loss < 0.7  # 3.3 at the start
    assert len(written) == 41 and written.startswith("the quick brown fox")


def test_windows_are_one_apart():
    ids = np.arange(50)
    x, y = char_gpt.windows(ids, np.array([0, 7]), 5)
    assert x.tolist() == [[0, 1, 2, 3, 4], [7, 8, 9, 10, 11]] and (y == x + 1).all()


def test_encoder_and_decoder(backend):
    source, target = layers.Input((None,), dtype="int32"), layers.Input((None,), dtype="int32")
    memory = encoder_block(layers.Embedding(7, 8, mask_zero=True)(source), 2, 16)
    x = decoder_block(layers.Embedding(7, 8)(target), 2, 16, memory=memory)
    model = Model([source, target], layers.Dense(7)(x))
    a, b = np.array([[3, 4, 5]], np.int32), np.array([[1, 2, 3, 4]], np.int32)
    out = model.predict([a, b], verbose=0)
    padded = model.predict([np.array([[3, 4, 5, 0, 0]], np.int32), b], verbose=0)
    np.testing.assert_allclose(out, padded, rtol=1e-4, atol=1e-5)  # padding of the source is hidden
    later = model.predict([a, np.array([[1, 2, 3, 6]], np.int32)], verbose=0)
    np.testing.assert_allclose(out[:, :3], later[:, :3], rtol=1e-4, atol=1e-5)
    assert np.abs(out[:, 3] - later[:, 3]).max() > 1e-3


def test_the_text_is_looked_for_before_it_is_downloaded(monkeypatch, tmp_path):
    monkeypatch.setenv("BRISKNET_CACHE", str(tmp_path))
    monkeypatch.delenv("BRISKNET_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"tinyshakespeare\.txt"):
        tiny_shakespeare.load_text(download=False)
    monkeypatch.setenv("BRISKNET_DATA", str(tmp_path))
    (tmp_path / "tinyshakespeare.txt").write_text("To be")
    assert tiny_shakespeare.load_text() == "To be"


# ---- sentiment --------------------------------------------------------------------------------------------------------
@native
def test_sentiment_of_made_reviews(capsys):
    found = sentiment.main(["--length", "30", "--epochs", "15"], ("made reviews", *sentiment.made()))
    assert set(found) == {"LSTM", "Transformer"} and min(found.values()) > 0.85
    text = capsys.readouterr().out
    assert "made reviews: 480 to learn from, 120 held out" in text and "taken as against  in favour" in text


def test_the_last_words_of_reviews_are_read():
    vectorize = layers.TextVectorization(vocabulary=["a", "b", "c", "d"])
    ids = sentiment.word_ids(["a b c d", "d"], vectorize, 3)
    assert ids.tolist() == [[3, 4, 5], [5, 0, 0]] and ids.dtype == np.int32


def test_confusion():
    assert sentiment.confusion(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])).tolist() == [[1, 1], [1, 2]]


def test_without_reviews_it_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("BRISKNET_CACHE", str(tmp_path))
    monkeypatch.delenv("BRISKNET_DATA", raising=False)
    monkeypatch.setattr(movie_reviews, "URL", (tmp_path / "nowhere").as_uri())
    name, (texts, _), _ = sentiment.load()
    assert name == "made reviews" and len(texts) == 480 and "the real ones are not there" in capsys.readouterr().out


@native
@pytest.mark.skipif(not (DATA / "review_polarity.tar.gz").is_file(), reason="BRISKNET_DATA has no film reviews")
def test_sentiment_of_real_reviews():
    found = sentiment.main(["--only", "LSTM", "--length", "200", "--epochs", "8"])
    assert found["LSTM"] > 0.75
