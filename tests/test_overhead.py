"""The guard of the overhead: how it judges, and the counts of this tree against the stored ones."""

import json

import pytest

from benchmarks import overhead_guard as guard


def test_only_what_grew_is_reported():
    stored = {"step": 1000, "predict": 100}
    assert guard.compare({"step": 1099, "predict": 50}, stored) == []
    assert guard.compare({"step": 1101, "predict": 100}, stored) == [
        "step: 1,101 instructions, +10% against the stored 1,000"
    ]  # fmt: skip
    assert guard.compare({"new": 5}, stored) == ["new: nothing is stored; run with --update"]


def test_what_is_stored():
    stored = json.loads(guard.STORED.read_text())
    assert set(stored["instructions"]) == set(guard.JOBS)
    assert set(stored["environment"]) == set(guard.environment())


def test_nothing_is_counted_without_valgrind(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert guard.missing() == "valgrind is not installed"
    assert guard.main([]) == 0
    assert capsys.readouterr().out == "nothing counted: valgrind is not installed\n"


def test_counts_of_this_tree():
    if reason := guard.missing():
        pytest.skip(reason)
    stored = json.loads(guard.STORED.read_text())
    if stored["environment"] != guard.environment():
        pytest.skip(f"counts are stored for {stored['environment']}")
    counted = guard.count()
    assert all(n > 500 for n in counted.values()), counted
    assert guard.compare(counted, stored["instructions"]) == []
