"""The GAN examples, at reduced length, and what they share."""

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from brisknet import config, utils
from examples import dcgan, digits, gan_combined
from tests.small_models import equal

DATA = Path(os.environ.get("BRISKNET_DATA", "/nonexistent"))
native = pytest.mark.skipif(not config.native_available(), reason="too long for the reference executor")
with_mnist = pytest.mark.skipif(not list(DATA.glob("*t10k-images-idx3-ubyte*")), reason="no MNIST files in BRISKNET_DATA")
PNG = b"\x89PNG"


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    """Neither data files nor a cache: what someone has who has just installed the package."""
    monkeypatch.delenv("BRISKNET_DATA", raising=False)
    monkeypatch.setenv("BRISKNET_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def quick(monkeypatch):
    """Few images, a judge of one epoch."""
    load, learn = digits.load, digits.trained_reader.__wrapped__
    monkeypatch.setattr(digits, "load", lambda: tuple(part if isinstance(part, str) else part[:96] for part in load()))
    monkeypatch.setattr(digits, "trained_reader", lambda epochs: learn(1))


def moved(before, after) -> bool:
    """Whether every kernel has changed (a bias before a batch normalisation has no gradient)."""
    return not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True) if a.ndim > 1)


def images(rows=64):
    return np.random.default_rng(0).random((rows, 28, 28, 1), "float32")


# ---- what they share ------------------------------------------------------------------------------------------------------
def test_digits_without_mnist(no_data, capsys):
    name, x, y = digits.load()
    assert name == "digits" and x.shape == (1797, 28, 28, 1) and x.dtype == np.float32 and 0 == x.min() < x.max() == 1
    assert (np.bincount(y) > 170).all() and "mnist.npz" in capsys.readouterr().out


@with_mnist
def test_digits_of_mnist():
    name, x, y = digits.load()
    assert name == "MNIST" and x.shape == (10000, 28, 28, 1) and 0 == x.min() < x.max() == 1
    assert np.bincount(y[:1000], minlength=10).min() > 50  # in random order


@native
@with_mnist
def test_the_judge_knows_digits_from_noise(capsys):
    _, x, y = digits.load()
    verdict = digits.judge(x[:500], epochs=1)
    assert verdict["accuracy"] > 0.9 and verdict["confidence"] > 0.85 and verdict["classes"] == 10
    assert np.abs(verdict["counts"] - np.bincount(y[:500])).sum() < 60
    assert digits.judge(x[y == 4][:50], epochs=1)["counts"][4] > 40
    assert digits.judge(images(50), epochs=1)["confidence"] < 0.8
    assert capsys.readouterr().out.count("judge: learnt from") == 1  # once a process


def test_pictures(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    x = np.zeros((13, 28, 28, 1), "float32")
    x[:, :14] = 1
    digits.grid(tmp_path / "new" / "grid.png", x, columns=5)
    digits.curves(tmp_path / "curves.png", {"d_loss": [1.0, 0.5], "g_loss": [0.5, 1.0]})
    picture = plt.imread(tmp_path / "new" / "grid.png")[..., 0]
    assert picture.shape == (2 * 3 * 30, 2 * 5 * 30)  # three rows of five; twice as large, a margin of one pixel
    assert picture.mean() == pytest.approx(13 * 14 * 28 / (15 * 900), abs=1e-3)
    assert (tmp_path / "curves.png").read_bytes().startswith(PNG) and not plt.get_fignums()


def test_pictures_without_matplotlib_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"brisknet\[plot\]"):
        digits.grid(tmp_path / "grid.png", images(4))


# ---- a train_step of one's own --------------------------------------------------------------------------------------------
def small_dcgan(kind):
    utils.set_random_seed(3)
    width = {"conv": 4, "dense": 16}[kind]
    return dcgan.build(kind, latent_dim=8, seed=3, width=width)


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_the_whole_step_is_one_program(backend, kind):
    gan = small_dcgan(kind)
    before = {part: getattr(gan, part).get_weights() for part in ("discriminator", "generator")}
    history = gan.fit(images(), batch_size=32, epochs=2, verbose=0).history
    assert list(history) == ["d_loss", "g_loss"] and all(np.isfinite(v).all() and len(v) == 2 for v in history.values())
    (program,) = gan._programs.values()  # both models, both optimizers, the draws and the metrics
    assert program.executor == backend
    for part, weights in before.items():
        assert moved(weights, getattr(gan, part).get_weights()), part
    assert int(gan.d_optimizer.iterations) == int(gan.g_optimizer.iterations) == 4
    if backend == "native":
        assert not program.has_hosts
        assert sum(i.op.endswith("_update") for i in program.plan.instructions) >= 2  # an update of each optimizer


def test_steps_are_the_same_compiled_and_op_by_op(backend):
    results = []
    for eagerly in (False, True):
        gan = small_dcgan("conv")
        gan.run_eagerly = eagerly
        history = gan.fit(images(16), batch_size=8, epochs=1, verbose=0).history
        results.append((history["d_loss"], history["g_loss"], *gan.get_weights()))
    assert all(np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(*results, strict=True))


def test_dcgan_from_the_command_line(no_data, quick, tmp_path, capsys):
    out = []
    if importlib.util.find_spec("matplotlib"):
        out = ["--out", str(tmp_path / "pictures")]
    result = dcgan.main(["--generator", "dense", "--epochs", "2", "--every", "2", "--verbose", "0", *out])
    assert set(result) == {"accuracy", "confidence", "classes", "counts", "history"} and result["counts"].sum() == 1000
    assert "of 10 digits appear" in capsys.readouterr().out
    if out:
        assert {p.name for p in (tmp_path / "pictures").iterdir()} == {"epoch_002.png", "losses.png"}


# ---- the combined model ---------------------------------------------------------------------------------------------------
def small_combined(kind="dense"):
    utils.set_random_seed(3)
    return gan_combined.GAN(kind, steps=6, latent_dim=8)


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_the_combined_step_leaves_the_discriminator_alone(backend, kind):
    gan = small_combined(kind)
    noise, y = np.random.default_rng(0).normal(size=(4, 8)).astype("float32"), np.ones((4, 1))
    frozen, trained = gan.discriminator.get_weights(), gan.generator.get_weights()
    assert np.isfinite(gan.combined.train_on_batch(noise, y))
    assert equal(frozen, gan.discriminator.get_weights())
    assert moved(trained, gan.generator.get_weights())
    assert not gan.discriminator.trainable_weights and gan.combined.trainable_weights == gan.generator.trainable_weights


def test_the_discriminator_learns_while_it_is_thawed(backend):
    gan = small_combined()
    trained = gan.generator.get_weights()
    before = gan.discriminator.get_weights()
    gan.discriminator.trainable = True
    loss, accuracy = gan.discriminator.train_on_batch(images(8), np.ones((8, 1)))
    assert np.isfinite(loss) and 0 <= accuracy <= 1
    assert equal(trained, gan.generator.get_weights()) and moved(before, gan.discriminator.get_weights())


def test_a_frozen_discriminator_that_is_never_thawed_does_not_learn_and_says_so(backend):
    """What notebooks for Keras 2 do; Keras 3 (TensorFlow) warns as well."""
    gan = small_combined()
    before = gan.discriminator.get_weights()
    with pytest.warns(UserWarning, match="any trainable weights.*trainable = True"):
        gan.discriminator.train_on_batch(images(8), np.ones((8, 1)))
    assert equal(before, gan.discriminator.get_weights())


def test_gan_combined_trains_both(backend):
    gan = small_combined()
    history = gan.train(images(), batch_size=8, every=3, verbose=False)
    assert list(history) == ["d_loss", "d_accuracy", "g_loss"] and all(np.isfinite(v).all() and len(v) == 2 for v in history.values())
    programs = [p for m in (gan.discriminator, gan.combined) for p in m._programs.values()]
    assert len(programs) == 2 and {p.executor for p in programs} == {backend}  # nothing is traced twice by thawing and freezing
    assert int(gan.discriminator.optimizer.iterations) == 12 and int(gan.combined.optimizer.iterations) == 6


def test_gan_combined_from_the_command_line(no_data, quick, capsys):
    result = gan_combined.main(["--steps", "4", "--batch-size", "8", "--every", "2"])
    assert result["counts"].sum() == 1000 and capsys.readouterr().out.count("step ") == 2
