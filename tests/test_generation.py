"""Text from decoder-only models: with the cache and without, on both executors, and what bounds them."""

import numpy as np
import pytest

import brisknet as bn
from tests.conftest import BACKENDS

VOCABULARY = 11


def block(x, heads=2, rotary=False, grouped=False):
    width = x.shape[-1]
    y = bn.layers.LayerNormalization()(x)
    attention = bn.layers.GroupQueryAttention(width // heads, heads, 1) if grouped else bn.layers.MultiHeadAttention(heads, width // heads)
    x = x + attention(y, y, use_causal_mask=True)
    y = bn.layers.Dense(2 * width, "gelu")(bn.layers.RMSNormalization()(x))
    return x + bn.layers.Dense(width)(bn.layers.Dropout(0.3)(y))


def gpt(context=16, blocks=2, width=8, positions="learned", fixed=False, **kwargs):
    """A small decoder-only model with weights that make its choices clear."""
    bn.utils.set_random_seed(5)
    inputs = bn.Input((context if fixed else None,), dtype="int32")
    x = bn.layers.Embedding(VOCABULARY, width)(inputs)
    if positions == "learned":
        x = x + bn.layers.PositionEmbedding(context)(x)
    elif positions == "sines":
        x = x + bn.layers.SinePositionEncoding()(x)
    elif positions == "rotary":
        x = bn.layers.RotaryEmbedding()(x)
    for _ in range(blocks):
        x = block(x, **kwargs)
    model = bn.Model(inputs, bn.layers.Dense(VOCABULARY)(x))
    rng = np.random.default_rng(3)
    model.set_weights([w + 0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


def by_hand(model, tokens, count):
    """Greedy text from ordinary calls."""
    for _ in range(count):
        logits = model.predict(np.array([tokens], np.int32), verbose=0)[0, len(tokens) - 1]
        tokens = [*tokens, int(np.argmax(logits))]
    return tokens


def steps(model, rows=1):
    found = [s for k, s in model._programs["generate"].steps.items() if k[0] == rows]
    assert len(found) == 1
    return found[0]


def is_cached(model, rows=1):
    return steps(model, rows) is not None


@pytest.mark.parametrize("positions", ["learned", "sines", "rotary", "none"])
def test_greedy_text_is_that_of_ordinary_calls(positions, backend):
    model = gpt(positions=positions)
    text = model.generate([1, 2, 3], 12, temperature=0)
    assert text.dtype == np.int32 and text.tolist() == by_hand(model, [1, 2, 3], 12)
    assert is_cached(model)


def test_shared_heads_of_keys_and_values(backend):
    model = gpt(grouped=True)
    assert model.generate([5], 10, temperature=0).tolist() == by_hand(model, [5], 10) and is_cached(model)


@pytest.mark.parametrize("window", [1, 3, 30])
def test_windows_of_attention(window, backend):
    inputs = bn.Input((None,), dtype="int32")
    x = bn.layers.Embedding(VOCABULARY, 8)(inputs)
    for _ in range(2):
        x = x + bn.layers.MultiHeadAttention(2, 4, sliding_window=window)(x, x, use_causal_mask=True)
    model = bn.Model(inputs, bn.layers.Dense(VOCABULARY)(x))
    model.set_weights([w + 0.5 * np.random.default_rng(3).standard_normal(w.shape) for w in model.get_weights()])
    assert model.generate([1, 2, 3, 4, 5, 6], 6, temperature=0).tolist() == by_hand(model, [1, 2, 3, 4, 5, 6], 6)
    assert is_cached(model)


def test_rows_are_independent(backend):
    model = gpt()
    both = model.generate([[1, 2], [9, 4]], 8, temperature=0)
    assert both.tolist() == [by_hand(model, [1, 2], 8), by_hand(model, [9, 4], 8)] and is_cached(model, 2)


def test_drawn_text_is_the_same_for_a_seed_and_on_both_executors():
    texts = []
    before = bn.config.backend()
    for name in BACKENDS:
        bn.config.set_backend(name)
        texts.append(gpt().generate([1, 2], 13, temperature=0.9, top_k=6, top_p=0.9, seed=7).tolist())
    bn.config.set_backend(before)
    assert all(t == texts[0] for t in texts)
    model = gpt()
    assert model.generate([1, 2], 13, seed=7).tolist() == model.generate([1, 2], 13, seed=7).tolist()
    assert model.generate([1, 2], 13, seed=7).tolist() != model.generate([1, 2], 13, seed=8).tolist()


def test_draws_follow_the_probabilities(backend):
    model = gpt(blocks=1)
    logits = model.predict(np.array([[4]], np.int32), verbose=0)[0, 0]
    drawn = model.generate(np.full((400, 1), 4), 1, temperature=1.5, seed=1)[:, 1]
    p = np.exp(logits / 1.5) / np.exp(logits / 1.5).sum()
    share = np.bincount(drawn, minlength=VOCABULARY) / 400
    assert np.abs(share - p).max() < 4.5 * np.sqrt(p * (1 - p) / 400).max()
    best = model.generate(np.full((50, 1), 4), 1, top_k=2, seed=1)[:, 1]
    assert set(best) <= set(np.argsort(logits)[-2:])


def test_more_positions_than_the_model_looks_at(backend):
    model = gpt(context=6)
    text = model.generate([1, 2, 3], 20, temperature=0).tolist()
    assert text[:7] == by_hand(model, [1, 2, 3], 4) and len(text) == 23
    for begin in (4, 8, 12, 16):  # filled anew from the last three, then to the end of the context
        assert text[begin : begin + 7] == by_hand(model, text[begin : begin + 3], 4)
    long = list(range(10))
    assert model.generate(long, 1, temperature=0).tolist() == long + by_hand(model, long[-3:], 1)[-1:]


def test_an_input_of_fixed_size(backend):
    model, free = gpt(context=8, fixed=True), gpt(context=8)
    free.set_weights(model.get_weights())
    assert model.generate([1, 2], 6, temperature=0).tolist() == by_hand(free, [1, 2], 6) and is_cached(model)


@pytest.mark.parametrize("positions", ["learned", "sines", "rotary"])
def test_prompts_of_different_lengths(positions, backend):
    model = gpt(positions=positions, grouped=positions == "rotary")
    prompts = [[1, 2, 3, 4, 5], [9], [7, 7]]
    texts = model.generate(prompts, 6, temperature=0)
    assert [t.tolist() for t in texts] == [by_hand(model, p, 6) for p in prompts] and is_cached(model, 3)


def test_rows_move_their_windows_by_themselves(backend):
    model = gpt(context=6)
    for text, prompt in zip(model.generate([[1, 2, 3, 4, 5], [8, 9]], 9, temperature=0), ([1, 2, 3, 4, 5], [8, 9]), strict=True):
        assert text.tolist() == model.generate(prompt, 9, temperature=0).tolist()


def test_prompts_are_read_by_few_programs(backend):
    model = gpt(context=40)
    rng = np.random.default_rng(0)
    for length in (1, 2, 5, 16, 17, 18, 30, 33, 34, 39):
        prompt = rng.integers(0, VOCABULARY, length).tolist()
        assert model.generate(prompt, 2, temperature=0).tolist() == by_hand(model, prompt, 2)
    assert sorted(steps(model).readers) == [16, 32, 40]


def cut(text, given, stops):
    """The text up to the first of the stops after what was given."""
    return text[: next((i + 1 for i in range(given, len(text)) if text[i] in stops), len(text))]


@pytest.mark.parametrize("cached", [True, False])
def test_stop_tokens(cached, backend):
    model = gpt()
    model.generate([1], 1)
    if not cached:
        keys = [(rows, *list(model._programs["generate"].steps)[0][1:]) for rows in (1, 2)]
        model._programs["generate"].steps = dict.fromkeys(keys)
    settings = {"temperature": 2.0, "seed": 1}
    one = model.generate([1, 2, 3], 12, **settings).tolist()
    both = model.generate([[1, 2, 3], [4, 4, 4]], 12, **settings).tolist()
    ragged = [t.tolist() for t in model.generate([[1, 2, 3], [4, 4]], 12, **settings)]
    ends = set()
    for stops in ([t] for t in range(VOCABULARY)):
        assert model.generate([1, 2, 3], 12, stop_tokens=stops[0], **settings).tolist() == cut(one, 3, stops)
        kept = [cut(t, 3, stops) for t in both]
        longest = max(len(t) for t in kept)
        got = model.generate([[1, 2, 3], [4, 4, 4]], 12, stop_tokens=stops, **settings).tolist()
        assert got == [t + t[-1:] * (longest - len(t)) for t in kept]
        ends.update(len(t) for t in kept)
    assert len(ends) > 3
    got = model.generate([[1, 2, 3], [4, 4]], 12, stop_tokens=[one[5], 0], **settings)
    assert [t.tolist() for t in got] == [cut(t, n, [one[5], 0]) for t, n in zip(ragged, (3, 2), strict=True)]


def test_stops_far_apart(backend):
    model = gpt(context=100)
    drawn = model.generate([3], 90, temperature=9.0, seed=4).tolist()
    for stop in range(VOCABULARY):  # beyond the steps that run between two looks
        text = model.generate([3], 90, temperature=9.0, seed=4, stop_tokens=[stop]).tolist()
        assert text == cut(drawn, 1, [stop])
    best = model.generate([3], 90, temperature=0).tolist()
    never = model.generate([3], 90, temperature=0, stop_tokens=[t for t in range(VOCABULARY) if t not in best])
    assert never.tolist() == best


@pytest.mark.parametrize(
    ("dropout", "grouped", "window"), [(0.0, False, None), (0.2, True, None), (0.0, True, 3), (0.2, False, 3)]
)
def test_padding_ids(dropout, grouped, window, backend):
    bn.utils.set_random_seed(5)
    inputs = bn.Input((None,), dtype="int32")
    x = bn.layers.Embedding(VOCABULARY, 8, mask_zero=True)(inputs)
    x = bn.layers.Add()([x, bn.layers.PositionEmbedding(20)(x)])
    for _ in range(2):
        kind, sizes = (bn.layers.GroupQueryAttention, (4, 4, 2)) if grouped else (bn.layers.MultiHeadAttention, (2, 4))
        layer = kind(*sizes, dropout=dropout, sliding_window=window)
        x = bn.layers.Add()([x, layer(x, x, use_causal_mask=True)])
    model = bn.Model(inputs, bn.layers.Dense(VOCABULARY)(x))
    rng = np.random.default_rng(3)
    model.set_weights([w + 0.5 * rng.standard_normal(w.shape) for w in model.get_weights()])
    for prompt in ([1, 2, 3], [0, 0, 5, 0, 4], [3, 0], [0]):
        text = model.generate(prompt, 5, temperature=0)
        assert text.tolist() == by_hand(model, prompt, 5), prompt
        assert is_cached(model)


def test_new_weights_count(backend):
    model = gpt()
    before = model.generate([3], 9, temperature=0).tolist()
    model.set_weights([-w for w in model.get_weights()])
    after = model.generate([3], 9, temperature=0).tolist()
    assert after != before and after == by_hand(model, [3], 9)


def test_a_model_that_mixes_positions_otherwise_is_called_on_the_whole_text(backend):
    inputs = bn.Input((None,), dtype="int32")
    x = bn.layers.Embedding(VOCABULARY, 6)(inputs)
    x = bn.layers.Conv1D(6, 3, padding="causal", activation="tanh")(x)
    model = bn.Model(inputs, bn.layers.Dense(VOCABULARY)(x))
    model.set_weights([3 * w + 0.1 for w in model.get_weights()])
    assert model.generate([1, 2, 3], 5, temperature=0).tolist() == by_hand(model, [1, 2, 3], 5)
    ragged = model.generate([[1, 2, 3], [9]], 3, temperature=0)
    assert [t.tolist() for t in ragged] == [by_hand(model, p, 3) for p in ([1, 2, 3], [9])]
    assert not is_cached(model) and model._programs["generate"]._causal


def test_a_model_that_looks_ahead_is_called_on_the_whole_text(backend):
    inputs = bn.Input((None,), dtype="int32")
    x = bn.layers.Embedding(VOCABULARY, 6)(inputs)
    model = bn.Model(inputs, bn.layers.Dense(VOCABULARY)(bn.layers.MultiHeadAttention(2, 3)(x, x)))
    assert model.generate([1, 2, 3], 5, temperature=0).tolist() == by_hand(model, [1, 2, 3], 5)
    assert not is_cached(model) and not model._programs["generate"]._causal


class Subclassed(bn.Model):
    """Positions by a constant that the cache cannot see through."""

    def __init__(self):
        super().__init__()
        self.tokens, self.places = bn.layers.Embedding(VOCABULARY, 8), bn.layers.Embedding(32, 8)
        self.attention, self.head = bn.layers.MultiHeadAttention(2, 4), bn.layers.Dense(VOCABULARY, "softmax")

    def call(self, x):
        y = self.tokens(x) + self.places(np.arange(x.shape[1], dtype=np.int32))
        return self.head(y + self.attention(y, y, use_causal_mask=True))


def test_a_subclassed_model_whose_last_layer_is_a_softmax(backend):
    model = Subclassed()
    text = model.generate([1, 2, 3], 6, temperature=0)
    model.set_weights([w + np.random.default_rng(0).standard_normal(w.shape) for w in model.get_weights()])
    model._programs.clear()
    text = model.generate([1, 2, 3], 6, temperature=0)
    assert text.tolist() == by_hand(model, [1, 2, 3], 6) and not is_cached(model)
    drawn = model.generate(np.full((200, 1), 4), 1, seed=1)[:, 1]
    p = model.predict(np.array([[4]], np.int32), verbose=0)[0, 0]
    assert np.abs(np.bincount(drawn, minlength=VOCABULARY) / 200 - p).max() < 0.16


def test_nothing_new_and_logits_that_are_none():
    assert gpt().generate([1, 2], 0).tolist() == [1, 2]
    model = bn.Sequential([bn.layers.Embedding(5, 3), bn.layers.GlobalAveragePooling1D(), bn.layers.Dense(2)])
    with pytest.raises(ValueError, match="gives logits of shape"):
        model.generate([1, 2], 3)


def test_ids_out_of_range_are_named(backend):
    model = gpt()
    model.compile("adam", bn.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.zeros((4, 5), np.int32), np.zeros((4, 5), np.int32)
    x[2, 3] = VOCABULARY
    message = r"x: ids in 0 ... 10 expected, as the vocabulary has 11 entries, got 11 at position \(2, 3\)"
    for call in (lambda: model.fit(x, y, verbose=0), lambda: model.predict(x, verbose=0), lambda: model(x)):
        before = model.get_weights()
        with pytest.raises(ValueError, match=message):
            call()
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    model(np.zeros((4, 5), np.int32))
    with pytest.raises(ValueError, match=message):  # also where the shape is known
        model(x)
    with pytest.raises(ValueError, match="vocabulary has 11 entries, got -2"):
        model.generate([1, -2], 3)


@pytest.mark.skipif(not bn.config.native_available(), reason="looks at native instructions")
def test_steps_compute_nothing_of_weights_alone():
    model = gpt()
    model.generate([1, 2], 3)
    found = steps(model)
    assert found.prepare is not None and found.executor == "native"
    assert {i.op for i in found.step.plan.instructions}.isdisjoint({"pack_panel", "unpack_panel", "copy_strided"})


def test_no_cache_is_kept_among_the_weights():
    model = gpt()
    count = len(model.weights)
    model.generate([1], 3)
    assert len(model.weights) == count
