"""The convolutional examples, at reduced length."""

import os
from pathlib import Path

import numpy as np
import pytest

from brisknet import config
from brisknet.layers import Layer
from examples import convnets, lenet, resnet

DATA = Path(os.environ.get("BRISKNET_DATA", "/nonexistent"))
native = pytest.mark.skipif(not config.native_available(), reason="too long for the reference executor")
with_mnist = pytest.mark.skipif(not list(DATA.glob("*t10k-images-idx3-ubyte*")), reason="no MNIST files in BRISKNET_DATA")


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    """Neither data files nor a cache: what someone has who has just installed the package."""
    monkeypatch.delenv("BRISKNET_DATA", raising=False)
    monkeypatch.setenv("BRISKNET_CACHE", str(tmp_path / "cache"))


def few(load, rows=64, test=40):
    """load() of an example, cut down."""

    def cut():
        name, (x, y), (x_test, y_test) = load()
        return name, (x[:rows], y[:rows]), (x_test[:test], y_test[:test])

    return cut


@native
def test_lenet_without_mnist(no_data, capsys):
    results = lenet.main(["--epochs", "4", "--verbose", "0"])
    assert results["data"] == "digits" and results["accuracy"] > 0.9
    assert results["confusion"].sum() == 360
    assert np.trace(results["confusion"]) == round(results["accuracy"] * 360)
    assert "mnist.npz" in capsys.readouterr().out  # says what it looked for


@native
@with_mnist
def test_lenet_reads_98_of_100_digits(capsys):
    results = lenet.main(["--epochs", "12", "--verbose", "1"])
    assert results["data"] == "MNIST" and results["accuracy"] >= 0.98
    assert "Epoch 12/12" in capsys.readouterr().out


def test_pictures(no_data, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(lenet, "load", few(lenet.load))
    lenet.main(["--epochs", "1", "--verbose", "0", "--pictures", str(tmp_path / "pictures")])
    for name in ("features.png", "confusion.png"):
        assert (tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG")


def test_pictures_without_matplotlib_say_what_to_install(no_data, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    monkeypatch.setattr(lenet, "load", few(lenet.load))
    with pytest.raises(ImportError, match=r"pip install brisknet\[plot\]"):
        lenet.main(["--epochs", "1", "--verbose", "0", "--pictures", str(tmp_path)])


@pytest.mark.parametrize("net", ["vgg", "separable"])
def test_convnets(backend, no_data, monkeypatch, net):
    monkeypatch.setattr(convnets, "load", few(convnets.load))
    results = convnets.main(["--net", net, "--epochs", "1", "--width", "4", "--verbose", "0"])
    assert results["data"] == "digits" and np.isfinite(results["loss"])


@native
@with_mnist
@pytest.mark.parametrize(("net", "width", "epochs"), [("vgg", 8, 2), ("separable", 16, 4)])
def test_convnets_learn_mnist(monkeypatch, net, width, epochs):
    monkeypatch.setattr(convnets, "load", few(convnets.load, 3000, 1000))
    results = convnets.main(["--net", net, "--epochs", str(epochs), "--width", str(width), "--verbose", "0"])
    assert results["data"] == "MNIST" and results["accuracy"] > 0.5


def test_resnet20_is_the_network_of_the_paper():
    model = resnet.ResNet20()
    convolutions = [x for x in model.layers if type(x).__name__ == "Conv2D"]
    assert len([x for x in convolutions if x.kernel_size == (3, 3)]) == 19 and len(convolutions) == 21
    assert model.count_params() == 274_042  # of which the two projections and their normalisations have 2,944
    assert resnet.ResNet20(shortcut="identity").count_params() == 274_042 - (16 * 32 + 32 * 64 + 4 * 32 + 4 * 64)
    assert model.output_shape == (None, 10)
    assert resnet.ResNet20(include_top=False).output_shape == (None, 8, 8, 64)
    assert resnet.ResNet20(include_top=False, pooling="max", input_shape=(28, 28, 1)).output_shape == (None, 64)
    assert resnet.ResNet(9).name == "resnet56"
    assert all(isinstance(x, Layer) for x in model.layers)


def test_identity_shortcut_carries_every_second_pixel():
    from brisknet.layers import Input
    from brisknet.models import Model

    inputs = Input((6, 5, 2))
    model = Model(inputs, resnet.block(inputs, 4, 2, "identity", "b"))
    for layer in model.layers:  # the two convolutions give nothing, so that the input alone comes through
        if "conv" in layer.name:
            layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    x = np.abs(np.random.default_rng(0).normal(size=(2, 6, 5, 2))).astype("float32")
    y = model.predict(x, verbose=0)
    np.testing.assert_allclose(y[..., :2], x[:, ::2, ::2], rtol=1e-6)
    assert not y[..., 2:].any()


@pytest.mark.parametrize("shortcut", ["projection", "identity"])
def test_resnet_trains(backend, no_data, monkeypatch, shortcut):
    monkeypatch.setattr(resnet, "load", few(resnet.load))
    results = resnet.main(["--epochs", "1", "--shortcut", shortcut, "--verbose", "0"])
    assert results["data"] == "digits" and np.isfinite(results["loss"])
