"""The Wasserstein GAN and the autoencoders, at reduced length."""

import numpy as np
import pytest

from brisknet import config, utils
from examples import denoising_autoencoder, digits, vae, wgan_gp

native = pytest.mark.skipif(not config.native_available(), reason="too long for the reference executor")


@pytest.fixture(scope="module")
def images():
    """The built-in digits, enlarged: what someone has who has just installed the package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BRISKNET_DATA", raising=False)
        patch.setenv("BRISKNET_CACHE", "/nonexistent")
        return digits.load()


@pytest.fixture
def few(images, monkeypatch):
    """digits.load(), cut down to some images."""

    def cut(rows):
        name, x, y = images
        monkeypatch.setattr(digits, "load", lambda: (name, x[:rows], y[:rows]))

    return cut


@pytest.fixture
def no_judge(monkeypatch):
    """The judge's own training is tested with the examples that came first."""
    seen = []

    def judge(samples):
        seen.append(np.asarray(samples))
        return {"confidence": 1.0, "classes": 10, "counts": None, "accuracy": 1.0}

    monkeypatch.setattr(digits, "judge", judge)
    return seen


# ---- the Wasserstein GAN ------------------------------------------------------------------------------------------------
def programs(model):
    return [p for p in model._programs.values() if hasattr(p, "executor")]


@pytest.mark.parametrize("kind", ["conv", "dense"])
def test_the_whole_step_with_gradients_of_gradients_is_one_program(kind, images, backend):
    """Three steps of the critic and one of the generator: no op of it is left to the reference (that would warn)."""
    utils.set_random_seed(0)
    wgan = wgan_gp.build(kind, latent_dim=5)
    before = wgan.get_weights()
    history = wgan.fit(images[1][:16], batch_size=16, epochs=2, verbose=0).history
    assert set(history) == {"distance", "penalty", "g_loss"} and np.isfinite(list(history.values())).all()
    (program,) = programs(wgan)
    assert program.executor == backend
    assert (int(wgan.c_optimizer.iterations), int(wgan.g_optimizer.iterations)) == (6, 2)
    moved = [not np.array_equal(a, b) for a, b in zip(before, wgan.get_weights(), strict=True)]
    assert all(m for m, w in zip(moved, wgan.weights, strict=True) if w.trainable and w.path.endswith("kernel"))


@native
@pytest.mark.parametrize("kind", ["conv", "dense"])
def test_the_step_is_that_of_the_reference(kind, images):
    config.set_backend("native")
    found = []
    for eagerly in (False, True):
        utils.set_random_seed(0)
        wgan = wgan_gp.build(kind, latent_dim=5)
        wgan.run_eagerly = eagerly
        history = wgan.fit(images[1][:12], batch_size=12, verbose=0, shuffle=False).history
        found.append([np.array(list(history.values())), *wgan.get_weights()])
    for a, b in zip(*found, strict=True):
        # Adam divides by the size of a gradient: where that is rounding, a step may go either way.
        assert np.mean(np.abs(a - b) > 1e-4) < 2e-3


def test_the_penalty_is_the_slopes_distance_from_one(images):
    """A linear critic has the same slope everywhere: the length of its kernel."""
    wgan = wgan_gp.WGAN(wgan_gp.Sequential([wgan_gp.layers.Input((28, 28, 1)), wgan_gp.layers.Flatten(),
                                            wgan_gp.layers.Dense(1)]), None, 5)  # fmt: skip
    kernel = wgan.critic.layers[-1].kernel.numpy()
    x = images[1][:8]
    expected = (np.sqrt(np.sum(np.square(kernel))) - 1) ** 2
    assert np.isclose(wgan.gradient_penalty(x, x[::-1].copy()), expected, rtol=1e-5)


@native
def test_wgan_gp_learns(few, no_judge, capsys):
    few(640)
    result = wgan_gp.main(["--critic", "dense", "--epochs", "8", "--verbose", "0"])
    (samples,) = no_judge
    assert samples.shape == (1000, 28, 28, 1) and samples.min() >= 0 and samples.max() <= 1
    # The margin around every digit is black, and samples differ from each other.
    assert samples[:, :2].mean() < 0.05 < samples.mean() and samples.std(axis=0).max() > 0.2
    assert result["history"]["penalty"][-1] < 0.1 and abs(result["history"]["distance"][-1]) < 20
    assert "80 steps of the generator, 240 of the critic" in capsys.readouterr().out


# ---- the variational autoencoder ----------------------------------------------------------------------------------------
@native
def test_vae_learns(few, no_judge, capsys):
    few(600)
    result = vae.main(["--epochs", "8", "--verbose", "0", "--batch-size", "32"])
    history = result["history"]
    assert set(history) == {"loss", "reconstruction_loss", "kl_loss"}
    assert np.allclose(np.add(history["reconstruction_loss"], history["kl_loss"]), history["loss"], rtol=1e-5)
    assert history["loss"][-1] < 0.75 * history["loss"][0] and history["kl_loss"][-1] > 0.5
    assert -result["elbo"] < 1.1 * history["loss"][-1]  # of images it has not seen
    assert no_judge[0].shape == (1000, 28, 28, 1)
    assert "120 images held out: ELBO -" in capsys.readouterr().out


def test_vae_is_one_program_and_samples_anew(images, backend):
    utils.set_random_seed(0)
    model = vae.build(3, width=2)
    x = images[1][:12]
    model.fit(x, batch_size=12, epochs=2, verbose=0)
    assert [p.executor for p in programs(model)] == [backend]
    mean, log_var, z = model.encoder.predict(x, verbose=0)
    again = model.encoder.predict(x, verbose=0)
    assert mean.shape == log_var.shape == z.shape == (12, 3) and np.array_equal(mean, again[0])
    assert not np.array_equal(z, again[2])
    draws = np.concatenate([(model.encoder.predict(x, verbose=0)[2] - mean) / np.exp(log_var / 2) for _ in range(30)])
    assert abs(draws.mean()) < 0.15 and abs(draws.std() - 1) < 0.1


# ---- the denoising autoencoder ------------------------------------------------------------------------------------------
@native
@pytest.mark.parametrize("net", ["conv", "dense"])
def test_denoising_halves_the_error_and_more(net, few, capsys):
    few(800)
    result = denoising_autoencoder.main(["--net", net, "--epochs", "6", "--verbose", "0", "--batch-size", "32"])
    (before, low), (after, high) = result["noisy"], result["denoised"]
    assert 0.24 < before < 0.26 and after < 0.3 * before
    assert np.isclose(high - low, 10 * np.log10(before / after), atol=0.01)
    assert "denoised: mean squared error" in capsys.readouterr().out


def test_noise_is_there_in_training_only(images, backend):
    model = denoising_autoencoder.build("dense", 0.5, width=1)
    x = images[1][:9]
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))
    assert not np.array_equal(model(x, training=True), model(x, training=True))
    noise = denoising_autoencoder.spoilt(x, 0.5, 3) - x
    assert abs(noise.std() - 0.5) < 0.02 and np.array_equal(denoising_autoencoder.spoilt(x, 0.5, 3) - x, noise)


# ---- pictures -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("example", "arguments", "names"), [
    (wgan_gp, ["--critic", "dense"], {"epoch_001.png", "losses.png"}),
    (vae, [], {"samples_001.png", "plane_001.png", "losses.png"}),
    (denoising_autoencoder, ["--net", "dense"], {"epoch_001.png", "losses.png"}),
], ids=["wgan_gp", "vae", "denoising"])  # fmt: skip
def test_pictures(example, arguments, names, few, no_judge, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    few(40)
    folder = tmp_path / "new" / "pictures"
    example.main([*arguments, "--epochs", "1", "--every", "1", "--verbose", "0", "--out", str(folder)])
    assert {p.name for p in folder.iterdir()} == names
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in folder.iterdir())
    assert str(folder) in capsys.readouterr().out
