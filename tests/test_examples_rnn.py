"""Forecasts of temperatures, at reduced length, on both executors."""

import os
from pathlib import Path

import pytest

from examples import temperatures

DATA = Path(os.environ.get("BRISKNET_DATA", "/nonexistent"))


def test_temperatures(backend, monkeypatch, capsys):
    monkeypatch.delenv("BRISKNET_DATA", raising=False)
    monkeypatch.setattr(temperatures, "DAYS", 1500)
    results = temperatures.main(["--epochs", "8", "--window", "10", "--units", "12"])
    assert results["data"] == "a made series"
    for kind in ("LSTM", "GRU"):
        assert results[kind]["RMSE"] < results["persistence"]["RMSE"]
    assert "730 to forecast" in capsys.readouterr().out


def test_the_picture(monkeypatch, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.delenv("BRISKNET_DATA", raising=False)
    monkeypatch.setattr(temperatures, "DAYS", 900)
    picture = tmp_path / "forecast.png"
    temperatures.main(["--epochs", "1", "--window", "5", "--units", "4", "--plot", str(picture)])
    assert picture.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.skipif(not (DATA / "daily-min-temperatures.csv").is_file(), reason="BRISKNET_DATA has no daily minima")
def test_temperatures_of_melbourne():
    results = temperatures.main(["--epochs", "4"])
    assert results["data"] == "Melbourne, 1981-1990"
    assert results["persistence"]["RMSE"] == pytest.approx(2.48, abs=0.01)
    for kind in ("LSTM", "GRU"):
        assert results[kind]["RMSE"] < 0.93 * results["persistence"]["RMSE"]
