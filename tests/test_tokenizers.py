"""Tokenizers: every text comes back, merges are those of the textbook, and files hold data only."""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brisknet import tokenizers
from brisknet.tokenizers import BytePairTokenizer, CharacterTokenizer, LibraryTokenizer
from brisknet.tokenizers.merges import learn_merges, split_words

TEXT = "low low low low low lower lower newest newest newest newest newest newest widest widest widest, don't! " * 3
ODD = ["", " ", "\n\n a\t\t b  ", "naïve Straße İ", "日本語のテキスト", "\U0001f600\U0001f468‍\U0001f469‍\U0001f467", "a\x00b\x7f", "\ud800 alone", "ℵ₀ ½ ٣",
       "it's _under_score 3.14 ...", "\u2028\u00a0"]  # fmt: skip


@pytest.fixture(scope="module")
def pairs():
    return BytePairTokenizer(special_tokens=["<|end|>", "<|end|>>"]).train(TEXT, 272)


# ---- byte pairs -------------------------------------------------------------------------------------------------------
def merges_by_counting_anew(words, count, least=2):
    """The textbook's algorithm: all pairs are counted anew for every merge."""
    parts = {word: list(word) for word in words}
    merges = []
    while len(merges) < count:
        found = Counter()
        for word, part in parts.items():
            for pair in zip(part, part[1:], strict=False):
                found[pair] += words[word]
        if not found:
            break
        pair = min(found, key=lambda p: (-found[p], p))
        if found[pair] < least:
            break
        for word, part in parts.items():
            at, out = 0, []
            while at < len(part):
                both = tuple(part[at : at + 2]) == pair
                out.append(256 + len(merges) if both else part[at])
                at += 1 + both
            parts[word] = out
        merges.append(pair)
    return merges


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=12), st.integers(0, 12), st.integers(1, 3))
def test_merges_are_the_textbooks(words, count, least):
    words = Counter(w.encode() for w in words)
    assert learn_merges(words, count, least) == merges_by_counting_anew(words, count, least)


def test_merges_of_the_papers_example():
    tokens = BytePairTokenizer().train("low low low low low lower lower newest newest newest newest newest newest widest widest widest", 270)
    assert tokens.get_vocabulary()[256:260] == [b"es", b"est", b"lo", b"low"]  # as in the paper
    assert [tokens.decode([i]) for i in tokens.encode(" newest")] == [" newest"]


@pytest.mark.parametrize("text", ODD)
def test_every_text_comes_back(pairs, text):
    ids = pairs.encode(text)
    assert ids.dtype == np.int32 and pairs.decode(ids) == text and "".join(split_words(text)) == text


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_comes_back(text):
    tokens = BytePairTokenizer([[32, 97], [256, 98], [195, 164]])
    assert tokens.decode(tokens.encode(text)) == text


def test_training_makes_texts_shorter_and_is_repeatable(pairs):
    assert pairs.vocabulary_size() == len(pairs.get_vocabulary()) == 272
    assert len(pairs.encode(TEXT)) < 0.5 * len(TEXT)
    assert BytePairTokenizer().train([TEXT], 270).merges == pairs.merges
    assert BytePairTokenizer().train("ab" * 9, 999).vocabulary_size() < 999  # nothing is left to merge
    assert BytePairTokenizer().train("abcd", 300).merges == []  # no pair occurs twice


def test_special_tokens_are_text_unless_asked_for(pairs):
    text = "low<|end|>>low<|end|>"
    plain, special = pairs.encode(text), pairs.encode(text, special=True)
    assert pairs.decode(plain) == pairs.decode(special) == text and max(plain) < 270
    assert [i for i in special.tolist() if i >= 270] == [pairs.token_id("<|end|>>"), pairs.token_id("<|end|>")] == [271, 270]


def test_half_a_character_is_replaced(pairs):
    assert pairs.decode(pairs.encode("é")[:1]) == "\ufffd" and pairs.decode([]) == ""


# ---- characters -------------------------------------------------------------------------------------------------------
def test_characters():
    tokens = CharacterTokenizer().train(["banana", "né\U0001f600"])
    assert tokens.get_vocabulary() == ["a", "b", "n", "é", "\U0001f600"] and tokens.vocabulary_size() == 5
    ids = tokens.encode("nab\U0001f600é")
    assert ids.tolist() == [2, 0, 1, 4, 3] and ids.dtype == np.int32 and tokens.decode(ids) == "nab\U0001f600é"
    assert tokens.encode("").tolist() == [] and tokens.decode([]) == ""
    own = CharacterTokenizer("zyx", unknown="?")
    assert own.get_vocabulary() == ["z", "y", "x", "?"] and own.decode(own.encode("zebra x")) == "z?????x"


# ---- files ------------------------------------------------------------------------------------------------------------
def test_files_bring_the_same_tokenizer(tmp_path, pairs):
    for tokens in (pairs, CharacterTokenizer("aé\ud800\U0001f600", unknown="a"), BytePairTokenizer()):
        tokens.save(tmp_path / "t.json")
        for new in (tokenizers.load(tmp_path / "t.json"), type(tokens).load(tmp_path / "t.json")):
            assert new.get_config() == tokens.get_config()
            np.testing.assert_array_equal(new.encode("aaé low<|end|>".replace(" ", "a")[:3]), tokens.encode("aaé"))
    with pytest.raises(FileExistsError):
        pairs.save(tmp_path / "t.json", overwrite=False)
    with pytest.raises(ValueError, match="holds a BytePairTokenizer, a CharacterTokenizer was expected"):
        CharacterTokenizer.load(tmp_path / "t.json")


GOOD = {"format": "brisknet.tokenizer", "version": 1, "class_name": "BytePairTokenizer", "config": {"merges": [[97, 98]]}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_name": "Popen"}, "one of .* expected, got 'Popen'"), ({"config": None}, "with a config expected"),
        ({"config": {"command": "ls"}}, "a config that BytePairTokenizer does not take"),
        ({"config": {"merges": [[97, 256]]}}, "ids below their own, here 256, got \\[97, 256\\]"),
        ({"config": {"merges": [[97, -1]]}}, "merges must be"), ({"config": {"merges": [[97, 98], [97, 98]]}}, "different pairs"),
        ({"config": {"merges": [[97, 98, 99]]}}, "merges must be"), ({"config": {"special_tokens": [3]}}, "special_tokens must be"),
        ({"format": "other"}, "not a file of a tokenizer of brisknet"), ({"version": 2}, "not a file of a tokenizer of brisknet"),
        ({"class_name": "CharacterTokenizer", "config": {"characters": ["ab"]}}, "different single characters"),
    ],
)  # fmt: skip
def test_damaged_files(tmp_path, change, message):
    path = tmp_path / "t.json"
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(ValueError, match=message):
        tokenizers.load(path)


def test_files_of_something_else(tmp_path):
    for content in (b"", b"{", b"\x80\x04\x95", b"[1]"):
        (tmp_path / "t.json").write_bytes(content)
        with pytest.raises(ValueError, match="is not a file of a tokenizer"):
            tokenizers.load(tmp_path / "t.json")
    with pytest.raises(FileNotFoundError):
        tokenizers.load(tmp_path / "none.json")


# ---- bad input --------------------------------------------------------------------------------------------------------
BAD = [
    (lambda: CharacterTokenizer().encode("a"), ValueError, "there is no vocabulary yet"),
    (lambda: CharacterTokenizer("ab").encode("abxa"), ValueError, "got 'x' at position 2; .*unknown"),
    (lambda: CharacterTokenizer("ab").encode(["a"]), TypeError, "one text, a str, expected, got a list"),
    (lambda: CharacterTokenizer("ab").decode([0, 2]), ValueError, "ids from 0 to 1 expected, got 2 at position 1"),
    (lambda: CharacterTokenizer("ab").decode([0.5]), TypeError, "integer ids expected, got float64"),
    (lambda: CharacterTokenizer("ab").decode([[0], [1]]), ValueError, "shape \\(ids,\\), expected, got shape \\(2, 1\\)"),
    (lambda: CharacterTokenizer("aba"), ValueError, "different single characters expected"),
    (lambda: CharacterTokenizer("ab", unknown="??"), ValueError, "unknown must be one character or None"),
    (lambda: CharacterTokenizer().train(""), ValueError, "at least one character expected"),
    (lambda: CharacterTokenizer().train([b"a"]), TypeError, "a str, expected, got a bytes"),
    (lambda: BytePairTokenizer().train("abab", 100), ValueError, "vocabulary_size must be an integer >= 256, got 100"),
    (lambda: BytePairTokenizer().train("abab", 300, 0), ValueError, "min_frequency must be an integer >= 1, got 0"),
    (lambda: BytePairTokenizer().decode([256]), ValueError, "ids from 0 to 255 expected, got 256 at position 0"),
    (lambda: BytePairTokenizer().token_id("<s>"), ValueError, "one of the special tokens \\[\\] expected, got '<s>'"),
    (lambda: BytePairTokenizer(special_tokens=["a", "a"]), ValueError, "special_tokens must be different texts"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_calls(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---- the library ------------------------------------------------------------------------------------------------------
def test_without_the_library_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ImportError, match=r"pip install brisknet\[tokenizers\]"):
        LibraryTokenizer.load("tokenizer.json")


def test_tokenizers_of_the_library(tmp_path):
    library = pytest.importorskip("tokenizers")
    theirs = library.ByteLevelBPETokenizer()
    theirs.train_from_iterator([TEXT], vocab_size=290, show_progress=False)
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokens = LibraryTokenizer.load(tmp_path / "tokenizer.json")
    ids = tokens.encode(TEXT)
    assert ids.dtype == np.int32 and tokens.decode(ids) == TEXT and ids.max() < tokens.vocabulary_size()
    tokens.save(tmp_path / "again.json")
    np.testing.assert_array_equal(LibraryTokenizer.load(tmp_path / "again.json").encode(TEXT), ids)
    # The same algorithm: as many tokens as ours makes of the text with as many merges.
    ours = BytePairTokenizer().train(TEXT, 256 + len(json.loads((tmp_path / "tokenizer.json").read_text())["model"]["merges"]))
    assert abs(len(ours.encode(TEXT)) - len(ids)) <= 0.02 * len(ids)
    with pytest.raises(ValueError, match=r"can't be read as a tokenizer\.json"):
        LibraryTokenizer.load(tmp_path / "none.json")
    with pytest.raises(TypeError, match=r"a tokenizers\.Tokenizer expected, got a str"):
        LibraryTokenizer("x")


@pytest.mark.skipif(not Path(os.environ.get("BRISKNET_DATA", "/nonexistent"), "tinyshakespeare.txt").is_file(), reason="no text")
def test_byte_pairs_of_shakespeare():
    from brisknet.datasets import tiny_shakespeare

    text = tiny_shakespeare.load_text()[:200_000]
    tokens = BytePairTokenizer().train(text, 600)
    ids = tokens.encode(text)
    assert tokens.decode(ids) == text and len(text) / len(ids) > 1.9
