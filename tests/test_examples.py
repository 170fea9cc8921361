"""The course's programs, at reduced length, on both executors."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brisknet import utils
from examples import ads, backprop_by_hand, mnist_mlp, optimizers, perceptron, regression, vanishing_gradients


DATA = Path(os.environ.get("BRISKNET_DATA", "/nonexistent"))


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    """Neither data files nor a cache: what someone has who has just installed the package."""
    monkeypatch.delenv("BRISKNET_DATA", raising=False)
    monkeypatch.setenv("BRISKNET_CACHE", str(tmp_path / "cache"))


def test_ads(backend, capsys):
    results = ads.main(["--epochs", "3", "--verbose", "0"])
    assert set(results) == {"L1", "L2", "elastic net"}
    assert all(np.isfinite(v).all() for v in results.values())
    assert capsys.readouterr().out.count("test accuracy") == 3


def test_optimizers(backend, capsys):
    results = optimizers.main(["--epochs", "3"])
    assert {name.lower() for name in results["by name"]} == {"sgd", "rmsprop", "adam", "adagrad", "adadelta"}
    assert len(results["objects"]) == 7
    for group in results.values():
        for r in group.values():
            assert np.isfinite(r["loss"])
    for name, r in results["objects"].items():
        assert r["accuracy"] > (0.6 if name == "AdaDelta" else 0.85), name
    assert results["by name"]["adam"]["accuracy"] > 0.6
    sizes = results["batch sizes"]
    rows = 1437
    assert [r["steps"] for r in sizes.values()] == [3, 3 * rows, 3 * -(-rows // 32)]
    # with one learning rate, more steps an epoch get further
    losses = [sizes[name]["loss"] for name in ("batch (all rows)", "mini-batch (32)", "stochastic (1)")]
    assert losses[0] > losses[1] > losses[2]
    assert sizes["stochastic (1)"]["accuracy"] > 0.93
    assert capsys.readouterr().out.count("test accuracy") == 3


def test_optimizer_names_and_default_objects_are_the_same():
    for name, cls in {"SGD": optimizers.SGD, "Adam": optimizers.Adam, "adaGRAD": optimizers.Adagrad}.items():
        by_name, by_object = optimizers.train(name, 128, 1), optimizers.train(cls(), 128, 1)
        assert by_name["loss"] == by_object["loss"] and by_name["accuracy"] == by_object["accuracy"]


def test_perceptron(backend, capsys):
    results = perceptron.main(["--epochs", "20"])
    assert results["AND"][0] == 1.0 and results["OR"][0] == 1.0
    assert results["XOR"][0] <= 0.75  # no line gets more than three of the four rows right
    assert results["MLP on XOR"] == 1.0
    for gate, labels in perceptron.GATES.items():
        w, b = perceptron.rosenblatt(perceptron.X, labels, 20)
        np.testing.assert_array_equal(results[gate][1], w)
        assert results[gate][2] == b
    assert "NOT" not in capsys.readouterr().out


def test_perceptron_never_learns_xor():
    labels = np.array(perceptron.GATES["XOR"], np.float32)
    for epochs in (1, 2, 3, 50):
        assert perceptron.train_perceptron(labels, epochs)[0] <= 0.75


@pytest.mark.parametrize("seed", range(3))
def test_mlp_learns_xor_from_any_start(seed):
    utils.set_random_seed(seed)
    assert perceptron.train_mlp(np.array(perceptron.GATES["XOR"], np.float32), 150) == 1.0


def test_backprop_by_hand(backend, capsys):
    results = backprop_by_hand.main(["--epochs", "20"])
    assert results["steps"] == 20 and results["worst"] < 1e-6
    assert results["losses"][-1] < 0.5 * results["losses"][0]
    out = capsys.readouterr().out
    assert out.count("gradient") == 20 * 4 + 1 and out.count("updated") == 20 * 4


def test_formulas_of_backprop_by_hand_are_the_slopes_of_its_loss():
    values, gradients, _ = backprop_by_hand.step_by_hand(backprop_by_hand.START)
    for name, gradient in gradients.items():
        for at in np.ndindex(gradient.shape):
            moved = {k: v.copy() for k, v in backprop_by_hand.START.items()}
            moved[name][at] += 1e-6
            slope = (backprop_by_hand.step_by_hand(moved)[0]["loss"] - values["loss"]) / 1e-6
            assert slope == pytest.approx(gradient[at], rel=1e-4)


def test_backprop_by_hand_notices_a_wrong_value():
    by_hand = backprop_by_hand.step_by_hand(backprop_by_hand.START)
    wrong = [{k: np.array(v) for k, v in part.items()} for part in by_hand]
    wrong[1]["W1"][0, 1] += 2e-6
    with pytest.raises(AssertionError, match="gradient W1"):
        backprop_by_hand.compare(1, by_hand, wrong, verbose=0)


def test_vanishing_gradients(backend, capsys):
    results = vanishing_gradients.main(["--epochs", "2"])
    sigmoid = results.pop("sigmoid")
    assert sigmoid["ratio"] < 1e-4
    for name, r in results.items():
        assert r["ratio"] > 0.05, name
        assert r["norms"][0] > 1e3 * sigmoid["norms"][0], name
        assert len(r["norms"]) == vanishing_gradients.DEPTH
    assert results["ReLU, He"]["norms"][0] > 10 * results["ReLU"]["norms"][0]
    assert sigmoid["accuracy"] < 0.2  # twelve sigmoid layers learn nothing in two epochs, the normalised ones do
    assert results["sigmoid, batch norm"]["accuracy"] > 0.6
    assert "1st/last" in capsys.readouterr().out


def test_gradient_norms_are_those_of_the_chain_rule(backend):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 64)), rng.integers(0, 10, 50)
    model, hidden = vanishing_gradients.build(*vanishing_gradients.NETS["sigmoid"])
    norms = vanishing_gradients.gradient_norms(model, hidden, x, y)
    weights = [w.astype(np.float64) for w in model.get_weights()]
    kernels, biases = weights[::2], weights[1::2]
    activations = [x.astype(np.float32).astype(np.float64)]
    for k, b in zip(kernels[:-1], biases[:-1]):
        activations.append(1 / (1 + np.exp(-(activations[-1] @ k + b))))
    z = activations[-1] @ kernels[-1] + biases[-1]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    delta = (p / p.sum(axis=1, keepdims=True) - np.eye(10)[y]) / len(y)
    expected = []
    for i in reversed(range(len(kernels) - 1)):
        delta = (delta @ kernels[i + 1].T) * activations[i + 1] * (1 - activations[i + 1])
        expected.insert(0, np.linalg.norm(activations[i].T @ delta))
    np.testing.assert_allclose(norms, expected, rtol=1e-3)


def test_mnist_mlp_without_mnist(backend, no_data, capsys):
    results = mnist_mlp.main(["--epochs", "8", "--verbose", "0"])
    assert results["data"] == "digits" and results["accuracy"] > 0.93
    assert sum(results["errors"].values()) == round((1 - results["accuracy"]) * 360)
    assert "mnist.npz" in capsys.readouterr().out  # says what it looked for


@pytest.mark.skipif(not list(DATA.glob("*t10k-images-idx3-ubyte*")), reason="no MNIST files in BRISKNET_DATA")
def test_mnist_mlp_on_mnist(backend):
    results = mnist_mlp.main(["--epochs", "6", "--verbose", "0"])
    assert results["data"] == "MNIST" and results["accuracy"] >= 0.95


def better_than_knowing_nothing(results, factor):
    for loss in ("MSE", "MAE", "Huber"):
        for measure in ("MAE", "RMSE"):
            assert results[loss][measure] < factor * results["baseline"][measure], (loss, measure)


def test_regression(backend, no_data, capsys):
    results = regression.main(["--epochs", "30"])
    assert results["data"] == "diabetes"
    better_than_knowing_nothing(results, 0.85)
    assert "Huber" in capsys.readouterr().out


@pytest.mark.skipif(not (DATA / "winequality-red.csv").is_file(), reason="no winequality-red.csv in BRISKNET_DATA")
def test_regression_on_wine(backend):
    results = regression.main(["--epochs", "12"])
    assert results["data"] == "red wine"
    better_than_knowing_nothing(results, 0.9)


def test_wine_is_read_with_and_without_header(tmp_path):
    for text in ('"acid";"sugar";"quality"\n7.4;1.9;5\n7.8;2.6;6\n', "7.4,1.9,5\n7.8,2.6,6\n"):
        path = tmp_path / "wine.csv"
        path.write_text(text)
        x, y = regression.read_wine(path)
        np.testing.assert_array_equal(x, [[7.4, 1.9], [7.8, 2.6]])
        np.testing.assert_array_equal(y, [5, 6])


@pytest.mark.parametrize("name", ["backprop_by_hand", "perceptron"])
def test_examples_run_from_the_command_line(name):
    script = Path(__file__).parent.parent / "examples" / f"{name}.py"
    done = subprocess.run([sys.executable, script, "--epochs", "25"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout and not done.stderr
