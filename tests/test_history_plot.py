"""History.plot(): what the panels show."""

import sys

import numpy as np
import pytest

from brisknet.callbacks import History
from brisknet.layers import Dense, Input
from brisknet.models import Sequential


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt = sys.modules.get("matplotlib.pyplot")
    if plt is not None:
        plt.close("all")


@pytest.fixture
def agg():
    pytest.importorskip("matplotlib").use("Agg")


def trained(epochs=5, **options):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype("float32")
    model = Sequential([Input((4,)), Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", "mae"])
    return model.fit(x, (x[:, 0] > 0).astype("float32"), epochs=epochs, verbose=0, **options)


def lines(figure):
    """{panel: {label: [(epoch, value)]}}"""
    return {
        ax.get_title(): {line.get_label(): [tuple(p) for p in line.get_xydata()] for line in ax.get_lines()}
        for ax in figure.axes
    }


def series(values, epochs=None):
    return list(zip(epochs or range(1, len(values) + 1), values, strict=True))


def test_every_metric_has_a_panel_with_validation(agg, tmp_path):
    history = trained(validation_split=0.2)
    figure = history.plot(tmp_path / "h.png")
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    h = history.history
    assert list(lines(figure)) == ["loss", "accuracy", "mae"]
    for name, panel in lines(figure).items():
        assert panel == {"training": series(h[name]), "validation": series(h[f"val_{name}"])}
    assert all(ax.get_xlabel() == "epoch" and ax.get_yscale() == "linear" for ax in figure.axes)
    history.plot(tmp_path / "h.svg", metrics="mae")
    assert "<svg" in (tmp_path / "h.svg").read_text()


def test_chosen_metrics_and_log_scale(agg):
    figure = trained().plot(metrics=["mae", "loss"], log_scale=True)
    assert [(ax.get_title(), ax.get_yscale()) for ax in figure.axes] == [("mae", "linear"), ("loss", "log")]
    assert list(lines(figure)["loss"]) == ["training"]


def test_epochs_of_a_validation_now_and_then_and_of_a_later_start(agg):
    history = trained(epochs=9, initial_epoch=2, validation_split=0.2, validation_freq=3)
    panel = lines(history.plot())["loss"]
    assert [e for e, _ in panel["training"]] == [3, 4, 5, 6, 7, 8, 9]
    assert panel["validation"] == series(history.history["val_loss"], [3, 6, 9])


def test_one_history_of_two_fits_counts_on(agg):
    kept = History()
    trained(3, callbacks=[kept])
    trained(4, callbacks=[kept])
    assert [e for e, _ in lines(kept.plot())["loss"]["training"]] == list(range(1, 8))
    bulk = trained(400)  # many short epochs in one call
    assert len(lines(bulk.plot())["loss"]["training"]) == 400


def test_values_that_are_no_numbers_have_no_panel(agg):
    history = History()
    history.model = type("Model", (), {})()
    history.on_epoch_end(0, {"loss": 1.0, "per_class": np.array([0.5, 0.25]), "learning_rate": 0.1})
    assert list(lines(history.plot())) == ["loss", "learning_rate"]


def test_errors(agg):
    with pytest.raises(ValueError, match=r"call fit\(\) first"):
        History().plot()
    for wrong in ("f1", ["loss", "f1"], []):
        with pytest.raises(ValueError, match=r"metrics must be names among \['accuracy', 'loss', 'mae'\]"):
            trained(1).plot(metrics=wrong)


def test_without_matplotlib(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"History.plot\(\) needs matplotlib: pip install brisknet\[plot\]"):
        trained(1).plot()
