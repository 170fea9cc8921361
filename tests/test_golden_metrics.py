"""Metrics against real Keras: on arrays, and in traced steps on both executors; configs, names, directions."""

import json
import warnings

import numpy as np
import pytest

import brisknet as bn
from brisknet import config
from brisknet.graph.trace import Trace
from brisknet.metrics.names import resolve
from brisknet.runtime.program import compile_graph
from tests.conftest import BACKENDS
from tests.golden import metric_cases as cases
from tests.golden.compare import HERE, Golden

GOLDEN = Golden("keras_metrics")
NOTES = json.loads((HERE / "keras_metrics.json").read_text())
WEIGHTED = [n for n in cases.ALL if n not in NOTES["without_row_weights"]]
RUNS = [(n, None) for n in cases.ALL] + [(n, "w") for n in WEIGHTED] + [(n, "each") for n in cases.EACH_WEIGHTED]


def data(kind):
    return GOLDEN[f"data/{kind}"]


def weights_of(name, run):
    if run is None:
        return None
    if run == "each":
        return data("each_weight")
    if name not in cases.IOU:
        return data("weight")
    whole = data("whole_weight")
    return np.repeat(whole[:, None], 3, 1) if name == "binary_iou_one" else whole


def traced_update(metric, *arrays):
    """One update_state in a program of its own, as in a step."""
    with Trace() as graph:
        metric.update_state(*[graph.add_input(a.shape, a.dtype.name) for a in arrays])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program = compile_graph(graph)
    assert program.executor == config.backend()
    program.run(arrays)


@pytest.fixture(params=["arrays", *BACKENDS])
def way(request):
    """On arrays, or in steps of each executor."""
    before = config.backend()
    if request.param != "arrays":
        config.set_backend(request.param)
    yield request.param
    config.set_backend(before)


@pytest.mark.parametrize(("name", "run"), RUNS, ids=[f"{n}/{r or 'plain'}" for n, r in RUNS])
def test_metric(name, run, way):
    make, t, p = cases.ALL[name]
    metric, seen, weights = make(bn), [], weights_of(name, run)
    for part in cases.PARTS:
        arrays = [data(t)[part], data(p)[part]] + ([] if weights is None else [weights[part]])
        if way == "arrays":
            metric.update_state(*arrays)
        else:
            traced_update(metric, *arrays)
        seen.append(metric.result())
    want = GOLDEN[f"{name}/{run}" if run else name]
    np.testing.assert_allclose(seen, want, rtol=3e-6, atol=1e-6, equal_nan=True)
    before = [v.numpy() for v in metric.variables]
    metric.reset_state()
    assert any(b.any() for b in before) and not any(v.numpy().any() for v in metric.variables)


@pytest.mark.parametrize("name", cases.FUNCTIONS)
def test_function(name):
    call, t, p = cases.FUNCTIONS[name]
    np.testing.assert_allclose(call(bn, data(t), data(p)), GOLDEN[f"function/{name}"], rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", cases.ALL)
def test_config_and_direction(name):
    metric, theirs = cases.ALL[name][0](bn), NOTES["configs"][name]
    assert type(metric).__name__ == theirs["class_name"] and metric._direction == theirs["direction"]
    ours, wanted = metric.get_config(), dict(theirs["config"])
    if name in ("cosine", "cosine_axis"):  # Keras forgets the axis
        ours.pop("axis")
    if isinstance(wanted.get("label_weights"), list):
        assert wanted.pop("label_weights") == pytest.approx(ours.pop("label_weights"))
    # numbered by how many there were before
    assert ours.pop("name").rstrip("_0123456789") == wanted.pop("name").rstrip("_0123456789")
    if wanted["dtype"] == "int64":  # TensorFlow's "int"
        wanted["dtype"] = "int32"
    assert ours == wanted
    again = bn.metrics.deserialize(bn.metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
    read = bn.metrics.deserialize({"class_name": theirs["class_name"], "config": theirs["config"]})
    assert type(read) is type(metric) and read.name == theirs["name"]


@pytest.mark.parametrize("name", NOTES["names"])
def test_names_in_compile(name):
    metric = resolve(name, (8, 3), (8, 3))
    cls, label = NOTES["names"][name]
    assert (type(metric).__name__, metric.name) == (cls, label)
    if name != "acc":  # known to compile() only
        assert isinstance(bn.metrics.get(name), bn.metrics.Metric)
