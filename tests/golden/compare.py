"""What the golden tests share: the stored arrays, the executors to try, running a traced function on one of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from brisknet import config, ops
from brisknet.graph.trace import Trace
from brisknet.passes.autodiff import gradients
from brisknet.runtime.program import compile_graph

HERE = Path(__file__).parent
# (back end, float type); float64 runs on the reference executor only
MODES = [("numpy", "float64"), ("numpy", "float32")] + ([("native", "float32")] if config.native_available() else [])


class Golden:
    """The arrays of one golden file, read when they are asked for."""

    def __init__(self, name: str):
        self._file = np.load(HERE / f"{name}.npz", allow_pickle=False)
        self.names = set(self._file.files)

    def __getitem__(self, key: str) -> np.ndarray:
        return self._file[key]

    def __contains__(self, key: str) -> bool:
        return key in self.names

    def group(self, prefix: str) -> list[np.ndarray]:
        """prefix0, prefix1, ... as long as there are such arrays."""
        found = []
        while f"{prefix}{len(found)}" in self.names:
            found.append(self[f"{prefix}{len(found)}"])
        return found


def notes() -> dict:
    """Versions, configs, names and signatures of the Keras that made the golden files."""
    return json.loads((HERE / "keras.json").read_text())


@pytest.fixture(params=MODES, ids="-".join)
def mode(request):
    """(back end, float type), set for the test and put back after it."""
    before = config.backend(), config.floatx()
    config.set_backend(request.param[0])
    config.set_floatx(request.param[1])
    yield request.param
    config.set_backend(before[0])
    config.set_floatx(before[1])


def close(got, want, rtol: float, what: str = "") -> None:
    """Assert one shape and |got - want| <= rtol (|want| + max |want|), NaN nowhere."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, Keras has {want.shape}"
    if not want.size:
        return
    got, want = got.astype(np.float64), want.astype(np.float64)
    scale = np.abs(want) + np.max(np.abs(want))
    with np.errstate(invalid="ignore"):
        error = np.abs(got - want)
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error - rtol * scale)))
    assert np.all(error <= rtol * scale), (
        f"{what}: {got.flat[worst]!r} at {np.unravel_index(worst, want.shape)}, Keras has {want.flat[worst]!r}: "
        f"error {error.flat[worst] / max(scale.flat[worst], 1e-300):.2e} of the scale"
    )


def run_traced(fn, arrays, floatx: str, variables=()) -> list[np.ndarray]:
    """Trace fn(*tensors) -> (outputs, total or None); give outputs and the gradients of total, from one program run.

    Gradients are taken with respect to the float arrays, then the variables.
    """
    arrays = [a.astype(floatx) if a.dtype.kind == "f" else a for a in arrays]
    with Trace(floatx=floatx) as graph:
        tensors = [graph.add_input(a.shape, a.dtype.name) for a in arrays]
        reads = [graph.read(v) for v in variables]
        outputs, total = fn(*tensors)
        grads = []
        if total is not None:
            wrt = [t for t in tensors if t.dtype.startswith("float")] + reads
            zero = lambda t: graph.add_constant(np.zeros(t.shape, t.dtype))  # noqa: E731
            grads = [zero(t) if g is None else g for t, g in zip(wrt, gradients(total, wrt), strict=True)]
        graph.outputs = [*outputs, *grads]
    return compile_graph(graph).run(arrays)


def traced_program(fn, shapes, floatx: str):
    """The program of fn(*tensors of these shapes), for steps that update variables and give nothing."""
    with Trace(floatx=floatx) as graph:
        fn(*[graph.add_input(s, floatx) for s in shapes])
    return compile_graph(graph)


def weighted_sum(y, weight):
    """sum(y * weight) of a traced tensor and an array: the scalar whose gradients the golden files have."""
    return ops.sum(ops.multiply(y, weight.astype(y.dtype)))
