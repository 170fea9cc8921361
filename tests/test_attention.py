"""Attention, embeddings and positions in models: training on both executors, masks, threads, files, formulas by hand."""

import numpy as np
import pytest

import brisknet as bn
from brisknet import layers as L
from brisknet.layers.masks import get_mask
from brisknet.ops.attention import attention

RNG = np.random.default_rng(0)
IDS = RNG.integers(1, 9, (20, 7)).astype("int32")
IDS[:, 5:] *= RNG.integers(0, 2, (20, 2))  # padding
TARGETS = RNG.integers(0, 3, 20)


def encoder(dropout=0.0, causal=False, layer="multi"):
    """Classifies rows of ids with padding."""
    bn.utils.set_random_seed(3)
    inputs = L.Input((None,), dtype="int32")
    x = L.Embedding(9, 8, mask_zero=True)(inputs)
    x = L.Add()([x, L.SinePositionEncoding()(x)])
    made = L.MultiHeadAttention(2, 4, dropout=dropout) if layer == "multi" else L.GroupQueryAttention(4, 4, 2, dropout=dropout)
    x = L.LayerNormalization()(L.Add()([x, made(x, x, use_causal_mask=causal)]))
    model = bn.Model(inputs, L.Dense(3, "softmax")(L.GlobalAveragePooling1D()(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("layer", ["multi", "grouped"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_training_is_the_same_on_both_executors(dropout, layer):
    histories, predictions = [], []
    before = bn.config.backend()
    for name in ["numpy"] + (["native"] if bn.config.native_available() else []):
        bn.config.set_backend(name)
        model = encoder(dropout, causal=True, layer=layer)
        histories.append(model.fit(IDS, TARGETS, batch_size=8, epochs=4, verbose=0).history["loss"])
        predictions.append(model.predict(IDS, verbose=0))
    bn.config.set_backend(before)
    assert histories[0][-1] < histories[0][0]
    for h, p in zip(histories, predictions, strict=True):
        np.testing.assert_allclose(h, histories[0], rtol=2e-5)
        np.testing.assert_allclose(p, predictions[0], rtol=1e-3, atol=1e-5)


def test_padding_changes_nothing(backend):
    model = encoder()
    short = IDS[:, :4].copy()
    short[short == 0] = 1
    padded = np.pad(short, ((0, 0), (0, 3)))
    np.testing.assert_allclose(model.predict(short, verbose=0), model.predict(padded, verbose=0), rtol=2e-5, atol=1e-6)
    assert not np.allclose(model.predict(short, verbose=0), model.predict(np.pad(short, ((0, 0), (0, 3)), constant_values=2), verbose=0))


def test_no_position_sees_a_later_one(backend):
    x = RNG.standard_normal((2, 30, 6)).astype("float32")
    layer = L.MultiHeadAttention(3, 4)
    before = np.asarray(layer(x, x, use_causal_mask=True))
    changed = x.copy()
    changed[:, 20:] += 1
    after = np.asarray(layer(changed, changed, use_causal_mask=True))
    np.testing.assert_allclose(after[:, :20], before[:, :20], rtol=1e-6)
    assert np.abs(after[:, 20:] - before[:, 20:]).min(axis=(0, 2)).max() > 1e-3


def test_the_same_bits_for_any_number_of_threads(monkeypatch):
    monkeypatch.setenv("BRISKNET_THREAD_FLOPS", "0")
    if not bn.config.native_available():
        pytest.skip("the pure-Python package has no threads")
    before, weights = bn.config.num_threads(), []
    for threads in (1, 2, 3):
        bn.config.set_num_threads(threads)
        model = encoder(0.3, causal=True)
        ids = np.random.default_rng(1).integers(0, 9, (64, 40)).astype("int32")
        ids[:, 0] = 1
        model.fit(ids, np.arange(64) % 3, batch_size=32, epochs=2, verbose=0)
        weights.append(model.get_weights())
    bn.config.set_num_threads(before)
    for other in weights[1:]:
        for a, b in zip(weights[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_attention_by_hand():
    q, k, v = (RNG.standard_normal((1, n, 2, 3)) for n in (2, 4, 4))
    out, lse = attention(q, k, v)
    for h in range(2):
        for i in range(2):
            scores = np.array([q[0, i, h] @ k[0, j, h] for j in range(4)]) / np.sqrt(3)
            p = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(out[0, i, h], p @ v[0, :, h])
            np.testing.assert_allclose(lse[0, i, h], np.log(np.exp(scores).sum()))


def test_dropped_scores_are_scaled(backend):
    layer = L.MultiHeadAttention(1, 4, dropout=0.5, seed=1)
    x = RNG.standard_normal((8, 12, 4)).astype("float32")
    _, scores = layer(x, x, return_attention_scores=True, training=True)
    np.testing.assert_allclose(np.asarray(scores).sum(-1), 1, rtol=1e-5)  # as they were before
    mean = np.mean([np.asarray(layer(x, x, training=True)) for _ in range(300)], axis=0)
    expected = np.asarray(layer(x, x))
    assert np.abs(mean - expected).max() < 0.2 * np.abs(expected).max() and not np.array_equal(mean, expected)


def test_draws_within_attention():
    b, t, h, s, rate = 3, 50, 2, 70, 0.3
    q, k = np.zeros((b, t, h, 4)), np.zeros((b, s, h, 4))
    v = np.broadcast_to(np.eye(s)[None, :, None], (b, s, h, s))  # each output says which keys were kept

    def kept(step, key=11):
        out = attention(q, k, v, rate=rate, step=np.array(step, np.int64), key=key)[0] * s * (1 - rate)
        np.testing.assert_allclose(out, np.round(out), atol=1e-9)
        assert set(np.round(out).ravel()) == {0, 1}
        return np.round(out)

    first, second = kept(1), kept(2)
    assert np.array_equal(first, kept(1)) and not np.array_equal(first, kept(1, key=12))
    sigma = np.sqrt(rate * (1 - rate))
    for draws in (first, second, first[:, :, 0] * first[:, :, 1] - (1 - rate) ** 2 + (1 - rate)):  # heads are independent
        assert abs(draws.mean() - (1 - rate)) < 4.5 * sigma / np.sqrt(draws.size)
    for axes in ((0, 1, 2), (0, 2, 3), (1, 2, 3)):  # each key, query and row of the batch
        share = first.mean(axis=axes)
        assert np.abs(share - (1 - rate)).max() < 4.5 * sigma / np.sqrt(first.size / share.size)
    for x, y in ((first, second), (first[..., 1:], first[..., :-1]), (first[:, 1:], first[:, :-1])):
        assert abs(np.corrcoef(x.ravel(), y.ravel())[0, 1]) < 4.5 / np.sqrt(x.size)


def test_training_with_dropout_keeps_no_scores():
    model = encoder(0.1, causal=True)
    model.fit(IDS, TARGETS, batch_size=20, verbose=0)
    ops = {n.op for p in model._programs.values() if hasattr(p, "graph") for n in p.graph.nodes}
    assert {"attention", "attention_grad"} <= ops and not {"dropout", "matmul"} & ops


# ---- masks --------------------------------------------------------------------------------------------------------------
def test_masks_go_on_with_the_query():
    x = L.Embedding(9, 4, mask_zero=True)(IDS)
    np.testing.assert_array_equal(get_mask(x), IDS != 0)
    y = L.MultiHeadAttention(2, 2)(x, x)
    np.testing.assert_array_equal(get_mask(y), IDS != 0)
    np.testing.assert_array_equal(get_mask(x), IDS != 0)  # and stay where they were
    other = L.Embedding(9, 4)(IDS)
    assert get_mask(L.MultiHeadAttention(2, 2)(other, x)) is None
    np.testing.assert_array_equal(get_mask(L.Attention()([x, other])), IDS != 0)


def test_masked_queries_of_luong_attention_give_zero(backend):
    x = RNG.standard_normal((2, 3, 4)).astype("float32")
    mask = np.array([[True, False, True], [True, True, False]])
    out = np.asarray(L.Attention()([x, x], mask=[mask, mask]))
    assert np.all(out[~mask] == 0) and np.all(out[mask] != 0)


@pytest.mark.parametrize("layer", [L.Attention, L.AdditiveAttention])
def test_sequences_of_open_length(layer, backend):
    query, value = L.Input((None, 4)), L.Input((None, 4))
    out, scores = layer()([query, value], return_attention_scores=True)
    model = bn.Model([query, value], [out, scores])
    for t, s in ((3, 5), (1, 2)):
        arrays = [RNG.standard_normal((2, n, 4)).astype("float32") for n in (t, s)]
        for a, b in zip(model.predict(arrays, verbose=0), model.layers[-1](arrays, return_attention_scores=True), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        assert model.predict(arrays, verbose=0)[1].shape == (2, t, s)


# ---- embeddings ---------------------------------------------------------------------------------------------------------
def test_embedding_trains_only_the_rows_that_are_read(backend):
    model = bn.Sequential([L.Input((3,), dtype="int32"), L.Embedding(6, 2), L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(np.array([[1, 4, 4], [4, 1, 1]], np.int32), np.array([3.0, -2.0]), verbose=0)
    moved = np.any(model.get_weights()[0] != before, axis=1)
    assert moved.tolist() == [False, True, False, False, True, False]


def test_ids_may_be_floats_and_of_any_rank(backend):
    layer = L.Embedding(5, 3)
    ids = np.array([[[1.0, 4.0]], [[0.0, 2.0]]], np.float32)
    np.testing.assert_array_equal(layer(ids), layer(ids.astype("int64")))
    model = bn.Sequential([L.Input((4,)), layer, L.GlobalAveragePooling1D(), L.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(np.full((4, 4), 3.0), np.zeros((4, 2)), verbose=0)
    with pytest.raises(ValueError, match=r"whole token ids expected, got 1.5 at position \(0, 0\)"):
        model.predict(np.full((4, 4), 1.5), verbose=0)


# ---- positions ----------------------------------------------------------------------------------------------------------
def test_sines_and_cosines():
    got = np.asarray(L.SinePositionEncoding(max_wavelength=100)(np.zeros((2, 3, 5)), start_index=4))
    for i in range(3):
        for c in range(5):
            angle = (i + 4) * 100 ** (-2 * (c // 2) / 5)
            np.testing.assert_allclose(got[:, i, c], np.cos(angle) if c % 2 else np.sin(angle), rtol=1e-6, atol=1e-7)


def test_rotary_scores_depend_on_distance_only(backend):
    layer = L.RotaryEmbedding()
    q, k = (np.repeat(RNG.standard_normal((1, 1, 2, 6)), 9, axis=1).astype("float32") for _ in range(2))
    q, k = np.asarray(layer(q)), np.asarray(layer(k))
    scores = np.einsum("bthd,bshd->hts", q, k)
    for distance in range(-5, 6):
        along = np.stack([np.diagonal(s, distance) for s in scores])
        np.testing.assert_allclose(along, along[:, :1].repeat(along.shape[1], 1), rtol=1e-4, atol=1e-5)
    assert not np.allclose(scores[:, 0, 1], scores[:, 0, 2])


def test_rotary_by_hand():
    x = RNG.standard_normal((1, 3, 4))
    got = np.asarray(L.RotaryEmbedding(max_wavelength=50, scaling_factor=2.0)(x, start_index=1))
    for i in range(3):
        for c in range(2):
            angle = (i + 1) / 2 * 50 ** (-2 * c / 4)
            a, b = x[0, i, c], x[0, i, c + 2]
            want = a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)
            np.testing.assert_allclose(got[0, i, [c, c + 2]], want, rtol=1e-5, atol=1e-6)
    positions = np.array([5, 0, 2])
    got = np.asarray(L.RotaryEmbedding()(x, positions=positions))
    for i, p in enumerate(positions):
        np.testing.assert_allclose(got[:, i], np.asarray(L.RotaryEmbedding()(x[:, i : i + 1], start_index=int(p)))[:, 0], rtol=1e-5)
    swapped = np.asarray(L.RotaryEmbedding(sequence_axis=2, feature_axis=1)(x.transpose(0, 2, 1)))
    np.testing.assert_allclose(swapped.transpose(0, 2, 1), L.RotaryEmbedding()(x), rtol=1e-6)


def test_tokens_with_positions(backend):
    layer = L.TokenAndPositionEmbedding(9, 10, 4, mask_zero=True)
    y = np.asarray(layer(IDS))
    table, places = layer.get_weights()
    np.testing.assert_allclose(y, table[IDS] + places[:7], rtol=1e-6)
    assert [w.path.split("/", 1)[1] for w in layer.weights] == ["token_embedding/embeddings", "position_embedding/embeddings"]


@pytest.mark.parametrize(
    "layer",
    [L.PositionEmbedding(7), L.SinePositionEncoding(500), L.RotaryEmbedding(50, 2.0, 2, 1), L.TokenAndPositionEmbedding(9, 8, 4)],
    ids=lambda x: type(x).__name__,
)
def test_configs_of_positions(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_saved_and_loaded(tmp_path, backend):
    model = encoder(0.1)
    model.fit(IDS, TARGETS, verbose=0)
    model.save(tmp_path / "model.npz")
    again = bn.models.load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.predict(IDS, verbose=0), model.predict(IDS, verbose=0))
