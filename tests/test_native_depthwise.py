"""Depthwise convolutions that are wide enough for whole tiles, and their gradients, against the reference on every ISA."""

import numpy as np
import pytest

from brisknet import config, ops
from brisknet.graph.trace import Trace
from brisknet.passes.autodiff import gradients
from brisknet.runtime.program import optimize
from brisknet.runtime.reference import ReferenceProgram

_core = pytest.importorskip("brisknet._core") if config.native_available() else None
pytestmark = pytest.mark.skipif(_core is None, reason="the pure-Python package has no kernels")


def graph_of(size, channels, kernel, strides, padding, repeat):
    """The outputs, and the gradients of relu(x) and of the filters, of a convolution of relu(x)."""
    with Trace() as graph:
        x = ops.relu(graph.add_input((2, *size, channels), "float32"))
        w = graph.add_input((*kernel, channels, repeat), "float32")
        y = ops.depthwise_conv(x, w, strides=strides, padding=padding)
        seed = graph.add_input(y.shape, "float32")
        graph.outputs += [ops.relu(y), *gradients(y, [graph.inputs[0], w], seed=seed)]
    return graph


CASES = [
    ((11, 23), 32, (3, 3), 2, "same", 1), ((11, 23), 19, (3, 3), 2, "valid", 1), ((7, 26), 5, (5, 5), 3, "same", 1),
    ((8, 22), 48, (3, 2), 2, "same", 1), ((6, 21), 12, (1, 1), 2, "valid", 1), ((6, 21), 6, (3, 3), 2, "same", 2),
    ((9, 14), 32, (3, 3), 1, "same", 1), ((9, 15), 21, (2, 3), 1, "valid", 1), ((4, 3), 16, (5, 5), 4, "same", 1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_native_is_the_reference(case):
    from brisknet.runtime.native import NativeProgram

    rng = np.random.default_rng(3)
    graph = optimize(graph_of(*case))
    feeds = [rng.standard_normal(t.shape).astype("float32") for t in graph.inputs]
    expected = ReferenceProgram(graph).run(feeds)
    before = _core.isa()
    try:
        for isa in _core.isas():
            _core.set_isa(isa)
            for got, e in zip(NativeProgram(graph).run(feeds), expected, strict=True):
                np.testing.assert_allclose(got, e, rtol=2e-5, atol=2e-5 * np.abs(e).max(), err_msg=isa)
    finally:
        _core.set_isa(before)
