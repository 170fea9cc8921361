"""The benchmark runner with tiny sizes: it runs, judges and reports. Nothing here looks at a clock."""

import json
import os

import numpy as np
import pytest

import brisknet
from benchmarks import compare, gate, machine, oneshot, reference, report, stats, workloads
from benchmarks.peers import brisknet_fit, kerasish
from benchmarks.processes import PeerError, Worker, environment
from brisknet import config

PEERS = ["brisknet-numpy"] + (["brisknet"] if config.native_available() else [])


@pytest.mark.parametrize("peer", PEERS)
def test_quick_comparison(peer, tmp_path, capsys):
    names = "ads,xor4,call1,predict1,first_step,accuracy,two_fits,adam10m,gemm-TN-32x10x64,growth-predict"
    out, history = tmp_path / "out.json", tmp_path / "history.jsonl"
    compare.main(["--quick", "--peers", peer, "--only", names, "--json", str(out), "--history", str(history)])
    result = json.loads(out.read_text())
    assert set(result["workloads"]) == set(names.split(","))
    executor = "numpy" if peer == "brisknet-numpy" else "native"
    for name in names.split(",")[:-1]:
        entry = result["workloads"][name]["peers"][peer]
        assert entry["executor"] == executor
        assert entry["median"] > 0 and len(entry["rounds"]) == 2
    assert len(result["workloads"]["ads"]["peers"][peer]["gate"]) == 2
    assert "Ads net" in capsys.readouterr().out
    assert json.loads(history.read_text())["medians"]["ads"] > 0


def test_the_wrong_executor_is_an_error():
    before = config.backend()
    config.set_backend("numpy")
    try:
        task = kerasish.fit_task(brisknet, workloads.shrink(workloads.WORKLOADS["xor4"]), 1)
        task.run()
    finally:
        config.set_backend(before)
    assert brisknet_fit.BACKEND == "native"
    with pytest.raises(RuntimeError, match="native executor was to be measured"):
        brisknet_fit.executor(task)


@pytest.mark.skipif(config.native_available(), reason="the native executor is here")
def test_brisknet_without_native_executor_stops_the_comparison():
    with pytest.raises(PeerError, match="brisknet"):
        compare.main(["--quick", "--peers", "brisknet", "--only", "xor4"])


def test_gate_lets_equal_losses_pass_and_stops_others():
    spec = {**workloads.WORKLOADS["ads"], "name": "ads"}
    judge = gate.Gate(spec, quick=True)
    right = judge.expected("curve", "jax")
    assert judge.judge("curve", right * (1 + 1e-6), "jax")[0]
    assert not judge.judge("curve", right * (1 + 1e-3), "jax")[0]
    assert not judge.judge("curve", right * np.nan, "jax")[0]
    small, seeds, epochs = judge.specs["random"]
    others = [reference.losses(small, 50 + s, epochs) for s in seeds]
    assert judge.judge("random", others, "jax")[0]
    without = [reference.losses({**small, "dropout": 0.0}, 50 + s, epochs) for s in seeds]
    assert not judge.judge("random", without, "jax")[0]


def test_reference_gradients_against_differences():
    spec = {**workloads.ADS, "rows": 32, "dropout": 0.0}
    x, y = workloads.data(spec)
    weights = [w.astype(np.float64) + 0.01 for w in workloads.initial_weights(spec)]
    _, grads = reference.loss_and_gradients(spec, weights, x.astype(np.float64), y, None)
    for w, g in zip(weights, grads, strict=True):
        at, h = (0,) * w.ndim, 1e-6
        w[at] += h
        up, _ = reference.loss_and_gradients(spec, weights, x.astype(np.float64), y, None)
        w[at] -= 2 * h
        down, _ = reference.loss_and_gradients(spec, weights, x.astype(np.float64), y, None)
        w[at] += h
        assert abs((up - down) / (2 * h) - g[at]) < 1e-6


def test_hand_written_programs_come_from_a_folder(tmp_path, monkeypatch):
    line = '{"work": "ads", "unit": "us/step", "best": 7.0, "median": 8.0, "threads": 1}'
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\necho '{line}'\n")
    script.chmod(0o755)
    monkeypatch.setenv("BRISKNET_YARDSTICKS", str(tmp_path))
    worker = Worker("c", 1, {})
    try:
        spec = {**workloads.WORKLOADS["ads"], "name": "ads"}
        assert worker.ask(do="tune", spec=spec, threads=1, seconds=0)["variant"] == "run.sh small"
        assert worker.ask(do="run", seconds=0)["per_unit"] == pytest.approx(8e-6)
        with pytest.raises(PeerError, match="unknown"):
            worker.ask(do="unknown")
    finally:
        worker.close()


def test_blas_settings_do_not_reach_the_peers(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "generic")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1")
    env = environment("numpy", 2)
    assert "OPENBLAS_CORETYPE" not in env and "OPENBLAS_L2_SIZE" not in env
    assert env["OPENBLAS_NUM_THREADS"] == "2"


def test_machine_measures_or_says_nothing(monkeypatch):
    limits = machine.Machine()
    assert limits.gflops(1) is None and limits.bandwidth(1, 1e6) is None and limits.lines() == []
    if any(os.access(os.path.join(p, "cc"), os.X_OK) for p in os.environ["PATH"].split(os.pathsep)):
        monkeypatch.delenv("CC", raising=False)
        limits = machine.Machine.measure(1, quick=True)
        assert limits.gflops(1) > 0.1 and limits.bandwidth(1, 1e9) > 0.01 and len(limits.lines()) == 1


def test_bandwidth_is_that_of_the_working_set():
    rows = [{"what": "update", "threads": 1, "bytes": b, "gbytes": g} for b, g in ((1e6, 100.0), (1e7, 50.0), (1e8, 10.0))]
    limits = machine.Machine(rows)
    assert [limits.bandwidth(1, size) for size in (1e5, 1e6, 2e6, 1e7, 9e7, 1e9)] == [100.0, 100.0, 50.0, 50.0, 10.0, 10.0]


def test_ratio_is_paired_by_round():
    ours, theirs = {0: 1.0, 1: 2.0, 2: 4.0, 3: 1.0}, {0: 3.0, 1: 6.0, 2: 12.0}
    assert stats.ratio(ours, theirs) == (3.0, 3.0, 3.0)
    median, low, high = stats.bootstrap([1.0, 2.0, 3.0, 4.0, 100.0])
    assert median == 3.0 and 1.0 <= low < median < high <= 100.0


def test_targets_are_judged():
    ours = {"median": 2.0, "fractions": {"peak": 0.5}, "value": False}
    peers = {"torch": {"ratio": (3.0, 2.0, 4.0)}, "jax": {"ratio": (1.4, 1.3, 1.5)}}
    assert report.judge("best", 1.5, ours, peers)["met"] is False
    assert report.judge("torch", 1.5, ours, peers)["met"] is True
    assert report.judge("keras", 1.5, ours, peers)["met"] is None
    assert report.judge("peak", 0.6, ours, peers)["met"] is False
    assert report.judge("seconds", 3.0, ours, peers)["met"] is True


def test_unknown_names_are_refused(capsys):
    for arguments in (["--only", "nothing"], ["--peers", "nothing"], ["--rounds", "3"]):
        with pytest.raises(SystemExit):
            compare.parse(arguments)
    assert "no workload 'nothing'" in capsys.readouterr().err
    assert oneshot.select_with(workloads.select, "growth,xor4") == ["growth-predict", "growth-fit", "xor4"]


def test_arithmetic_of_a_step():
    assert workloads.flops(workloads.WORKLOADS["ads"]) == 2 * 32 * (3 * (640 + 2048 + 32) - 640)
    assert workloads.flops(workloads.WORKLOADS["gemm-NT-32x10x64"]) == 2 * 32 * 10 * 64
    assert workloads.traffic(workloads.WORKLOADS["adam10m"]) == (280e6, 160e6)
    assert workloads.traffic(workloads.WORKLOADS["mlp32"]) is None
