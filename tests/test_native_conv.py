"""How convolutional nets run natively: images as lanes, chains, shards; the same bits whatever the threads and the planner."""

import numpy as np
import pytest

import brisknet as bn
from brisknet import config
from brisknet import layers as L

pytestmark = pytest.mark.skipif(not config.native_available(), reason="the pure-Python package has no kernels")


def lenet(images=64):
    model = bn.Sequential([
        L.Input((14, 14, 1)), L.Conv2D(6, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(9, 3, activation="tanh"),
        L.MaxPooling2D(), L.Flatten(), L.Dense(10),
    ])  # fmt: skip
    return model, (14, 14, 1), images


def residual(images=24):
    x = inputs = L.Input((9, 8, 3))
    x = L.Conv2D(16, 3, padding="same", use_bias=False)(x)
    for filters, strides in ((16, 1), (32, 2)):
        y = L.ReLU()(L.BatchNormalization()(x))
        y = L.Conv2D(filters, 3, strides=strides, padding="same")(y)
        y = L.DepthwiseConv2D(3, padding="same")(y)
        shortcut = x if strides == 1 else L.Conv2D(filters, 1, strides=2)(x)
        x = L.ReLU()(L.Add()([L.BatchNormalization()(y), shortcut]))
    x = L.Conv2D(20, 3, groups=4, dilation_rate=2, padding="same", activation="elu")(x)
    x = L.GlobalAveragePooling2D()(L.AveragePooling2D(2, padding="same")(x))
    return bn.Model(inputs, L.Dense(10)(x)), (9, 8, 3), images


NETS = {"lenet": lenet, "residual": residual}


def trained(name, epochs=2):
    """The weights after a few epochs, and the training program."""
    bn.utils.set_random_seed(3)
    model, shape, images = NETS[name]()
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2 * images + 5, *shape), dtype=np.float32), rng.integers(0, 10, 2 * images + 5)
    model.compile("adam", bn.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(x, y, batch_size=images, epochs=epochs, verbose=0)
    programs = [p for p in model._programs.values() if len(p.graph.updates) > 4]
    return [np.array(w) for w in model.get_weights()], history.history["loss"], programs


def plans(programs):
    assert all(p.executor == "native" for p in programs)
    return [p.plan for p in programs]


@pytest.mark.parametrize("name", NETS)
def test_the_same_bits_for_any_number_of_threads(name, monkeypatch):
    monkeypatch.setenv("BRISKNET_THREAD_FLOPS", "0")
    before = config.num_threads()
    try:
        results = []
        for threads in (1, 2, 3, 7):
            config.set_num_threads(threads)
            results.append(trained(name))
    finally:
        config.set_num_threads(before)
    for weights, losses, _ in results[1:]:
        assert losses == results[0][1]
        for w, first in zip(weights, results[0][0], strict=True):
            np.testing.assert_array_equal(w, first)


@pytest.mark.parametrize("name", NETS)
def test_buffers_that_share_memory_hold_what_they_should(name, monkeypatch):
    planned, losses, programs = trained(name)
    monkeypatch.setenv("BRISKNET_PLANNER", "off")
    apart, losses_apart, others = trained(name)
    assert losses == losses_apart
    for w, first in zip(apart, planned, strict=True):
        np.testing.assert_array_equal(w, first)
    assert plans(others)[0].arena_bytes > plans(programs)[0].arena_bytes


@pytest.mark.parametrize("name", NETS)
def test_native_trains_as_the_reference_does(name, monkeypatch):
    native, losses, _ = trained(name)
    before = config.backend()
    try:
        config.set_backend("numpy")
        reference, losses_reference, _ = trained(name)
    finally:
        config.set_backend(before)
    np.testing.assert_allclose(losses, losses_reference, rtol=2e-5)
    for w, r in zip(native, reference, strict=True):
        np.testing.assert_allclose(w, r, atol=2e-4)


def test_few_channels_have_images_as_lanes_and_many_have_not():
    def ops(name):
        _, _, programs = trained(name, epochs=1)
        return {i.op for i in plans(programs)[0].instructions}

    assert {"lanes_forward", "lanes_dgrad", "lanes_wgrad"} <= ops("lenet") and "conv_forward" not in ops("lenet")
    assert {"conv_forward", "conv_wgrad", "depthwise_forward"} <= ops("residual") and "lanes_forward" not in ops("residual")


def test_what_works_image_by_image_is_a_chain():
    _, _, programs = trained("lenet", epochs=1)
    plan = plans(programs)[0]
    heads = [k for k, i in enumerate(plan.instructions) if i.chain[0]]
    chained = [[i.op for i in plan.instructions[k : k + plan.instructions[k].chain[0]]] for k in heads]
    assert ["to_lanes", "lanes_forward", "max_pool", "lanes_forward", "max_pool", "from_lanes"] in chained
    assert any(c.count("lanes_wgrad") == 2 and "lanes_dgrad" in c for c in chained)
    for k in heads:
        length, parts = plan.instructions[k].chain
        assert parts == 4 and {i.images for i in plan.instructions[k : k + length]} == {4}


def test_a_chain_keeps_apart_what_its_parts_do_not_own():
    from brisknet.passes.chain import chain_instructions
    from brisknet.passes.lower.plan import Buf, Instruction, Plan, Ref

    def step(x, y, sliced=(0, 1), images=4, op="relu"):
        i = Instruction(op, (x, y), writes=(1,))
        i.images, i.sliced = images, sliced
        return i

    a, b, c, d = (Ref(Buf(64)) for _ in range(4))
    chains_of = lambda *steps: [i.chain[0] for i in chain_instructions(Plan(list(steps))).instructions]  # noqa: E731
    assert chains_of(step(a, b), step(b, c), step(c, d)) == [3, 0, 0]
    assert chains_of(step(a, b), step(b, c, sliced=(1,)), step(c, d)) == [0, 2, 0]  # the second needs all of b
    assert chains_of(step(a, b), step(b, c, images=2), step(c, d)) == [0, 0, 0]
    assert chains_of(step(a, b), step(b, a), step(a, c)) == [3, 0, 0]
    assert chains_of(step(a, b), step(c, Ref(b.base, 16))) == [0, 0]  # another slicing of the same memory
    moved = chain_instructions(Plan([step(a, b), step(b, c, images=0, op="shard_sum"), step(b, d)])).instructions
    assert [i.op for i in moved] == ["relu", "relu", "shard_sum"]
    kept = chain_instructions(Plan([step(a, b), step(b, c, images=0, op="shard_sum"), step(c, d)])).instructions
    assert [i.op for i in kept] == ["relu", "shard_sum", "relu"]


@pytest.mark.parametrize("layer", [
    L.Conv2D(4, 3), L.Conv2D(4, 3, groups=2), L.DepthwiseConv2D(3), L.Conv2DTranspose(4, 3), L.MaxPooling2D(2), L.AveragePooling2D(2),
], ids=lambda layer: layer.name)  # fmt: skip
def test_no_images_give_no_images(layer):
    full = np.asarray(layer(np.ones((2, 8, 8, 2), np.float32))).shape
    assert np.asarray(layer(np.ones((0, 8, 8, 2), np.float32))).shape == (0, *full[1:])
