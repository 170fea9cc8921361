"""The benchmark runner with tiny sizes: it runs, judges and reports. Nothing here looks at a clock."""

import json
import os

import numpy as np
import pytest

import brisknet
from benchmarks import compare, gate, history as past, machine, oneshot, reference, report, stats, workloads
from benchmarks.peers import brisknet_fit, kerasish
from benchmarks.processes import PeerError, Worker, environment
from benchmarks.workloads import nets
from brisknet import config

PEERS = ["brisknet-numpy"] + (["brisknet"] if config.native_available() else [])


@pytest.mark.parametrize("peer", PEERS)
def test_quick_comparison(peer, tmp_path, capsys):
    names = "ads,xor4,call1,predict1,first_step,accuracy,two_fits,adam10m,opt-lamb,gemm-TN-32x10x64,lenet128,lenet_call1,gan-points,grad,generate,lstm_step,lstm32,gpt128,growth-predict"
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
    assert "largest difference" in result["workloads"]["lenet_call1"]["peers"][peer]["gate"][0]
    assert "Ads net" in capsys.readouterr().out
    assert json.loads(history.read_text())["medians"]["ads"] > 0
    past.main(["--file", str(history), "--only", "dense"])
    assert "| ads, µs/step | " in capsys.readouterr().out


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


@pytest.mark.parametrize("net", ["lenet", "vgg", "resnet20", "mobilenet"])
def test_networks_for_images_are_those_of_the_reference(net):
    spec = {**workloads.WORKLOADS["lenet128" if net == "lenet" else net], "rows": 4, "batch": 4, "shuffle": False}
    np.testing.assert_allclose(kerasish.losses(brisknet, spec, 0, 2), reference.losses(spec, 0, 2), rtol=gate.CURVE_TOLERANCE)


@pytest.mark.parametrize("net", ["lenet", "resnet20", "mobilenet"])
def test_reference_gradients_of_images_against_differences(net):
    layers = {
        "lenet": [nets.conv(3, 3, same=False, bias=True, act="relu"), nets.POOL, nets.FLATTEN, nets.dense(10, "softmax")],
        "resnet20": [nets.residual([nets.conv(4, 3, 2), nets.NORM], [nets.conv(4, 1, 2), nets.NORM]), nets.MEAN, nets.dense(10, "softmax")],
        "mobilenet": [nets.depthwise(3, 2), nets.NORM, nets.RELU, nets.conv(4, 1), nets.MEAN, nets.dense(10, "softmax")],
    }[net]  # fmt: skip
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((3, 8, 8, 2)), np.array([1, 5, 9])
    weights = [rng.standard_normal(shape) * 0.5 for layer, before, _ in nets.walk(layers, x.shape[1:]) for shape in nets.weight_shapes(layer, before)]

    def loss():
        return reference.network_loss(layers, weights, x, y, None, "scce")

    for w, g in zip(weights, loss()[1], strict=True):
        at, h = (0,) * w.ndim, 1e-6
        w[at] += h
        up = loss()[0]
        w[at] -= 2 * h
        down = loss()[0]
        w[at] += h
        assert abs((up - down) / (2 * h) - g[at]) < 1e-6


@pytest.mark.parametrize("name", ["lstm32", "gru32", "rnn32", "gpt128"])
def test_networks_for_sequences_are_those_of_the_reference(name):
    spec = {**workloads.sequences.smaller(workloads.WORKLOADS[name], 10), "vocabulary": 65, "shuffle": False}
    np.testing.assert_allclose(kerasish.losses(brisknet, spec, 0, 3), reference.losses(spec, 0, 3), rtol=gate.CURVE_TOLERANCE)


@pytest.mark.parametrize("name", ["lstm32", "gru32", "rnn32", "gpt128"])
def test_reference_gradients_of_sequences_against_differences(name):
    small = {"vocabulary": 7, "steps": 5, "batch": 3, "rows": 3, "blocks": 1}
    of_kind = {"width": 8, "heads": 2} if name == "gpt128" else {"features": 4, "units": 3}
    spec = {**workloads.WORKLOADS[name], **small, **of_kind}
    x, y = workloads.data(spec)
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal(w.shape) * 0.5 for w in workloads.initial_weights(spec)]

    def loss():
        return reference.loss_and_gradients(spec, weights, x.astype(np.float64), y, None)

    for w, g in zip(weights, loss()[1], strict=True):
        at = np.unravel_index(np.argmax(np.abs(g)), g.shape)  # not a word that no row holds
        h = 1e-6
        w[at] += h
        up = loss()[0]
        w[at] -= 2 * h
        down = loss()[0]
        w[at] += h
        assert abs((up - down) / (2 * h) - g[at]) < 1e-6


@pytest.mark.skipif(not config.native_available(), reason="measures the native executor")
def test_metrics_are_measured_as_an_addition_to_the_step():
    spec = workloads.shrink(workloads.WORKLOADS["metric-AUC"])
    task = kerasish.metric_task(brisknet, spec, 1)
    assert task.value and np.isfinite(task.run())
    for name in workloads.select("metrics"):
        spec = workloads.shrink(workloads.WORKLOADS[name])
        getattr(brisknet.metrics, spec["metric"])(**spec["args"])


def test_bytes_and_groups():
    spec = workloads.WORKLOADS["opt-amsgrad"]
    assert workloads.traffic(spec) == (360e6, 200e6)
    assert workloads.traffic(workloads.WORKLOADS["opt-sgd"]) == (120e6, 80e6)
    assert workloads.flops(workloads.WORKLOADS["lenet128"]) == 128 * (6 * (576 * 150 + 64 * 2400 + 41640) - 2 * 576 * 150)
    assert workloads.select("images,lenet128") == list(workloads.GROUPS["images"])
    assert workloads.flops(workloads.WORKLOADS["lstm32"]) == 2 * 32 * 3 * (100 * 192 * 512 + 128)
    gpt = 4 * (64 * 12 * 128**2 + 64 * 64 * 128) + 64 * 128 * 65  # dense products and half of the pairs in each block, then the head
    assert workloads.flops(workloads.WORKLOADS["gpt128"]) == 2 * 12 * 3 * gpt


def test_history_sets_equal_machines_side_by_side(tmp_path):
    file = tmp_path / "h.jsonl"
    run = {"cpu": "a", "threads": 2, "quick": False, "peer": "brisknet"}
    lines = [{**run, "commit": "1", "medians": {"ads": 1e-5}}, {**run, "cpu": "b", "commit": "2", "medians": {"ads": 3e-5}},
             {**run, "commit": "3", "medians": {"ads": 2e-5, "size": 2.0}}]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert past.table(past.read(file)).splitlines() == [
        "| workload | 1 | 3 |", "|---|--:|--:|", "| ads, µs/step | 10.0 | 20.0 |", "| size, MB | – | 2.00 |",
    ]  # fmt: skip


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
    assert report.judge("best", 1.5, ours, peers, "s")["met"] is False
    assert report.judge("torch", 1.5, ours, peers, "s")["met"] is True
    assert report.judge("keras", 1.5, ours, peers, "s")["met"] is None
    assert report.judge("peak", 0.6, ours, peers, "s")["met"] is False
    assert report.judge("seconds", 3.0, ours, peers, "s")["met"] is True
    assert report.judge("at_most", 5.0, ours, peers, "%") == {"text": "≤ 5 %", "figure": 2.0, "words": "2.00 %", "met": True}
    assert report.judge("value", 3.0, ours, peers, "×")["met"] is False
    peers["torch-compile"] = {"ratio": (1.2, 1.1, 1.3)}
    assert report.judge("pytorch", 1.3, ours, peers, "s") == {"text": "≥ 1.3× pytorch", "figure": 1.2, "words": "1.20×", "met": False}


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
