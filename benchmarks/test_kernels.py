"""Kernel by kernel: brisknet.kernels native and reference against plain NumPy. Run: pytest benchmarks

A kernel's result is checked against NumPy's before it is timed (those of the other optimizers: in tests/). GFLOP/s and GB/s of
the fastest round are in extra_info. `--benchmark-only`, `--benchmark-json` and the like are pytest-benchmark's;
`-k "matmul and 512"` chooses. Environment variables that choose or bound the kernels of NumPy's BLAS must be unset for a fair
comparison: the report's header warns where they are.
"""

import numpy as np
import pytest

from benchmarks import kernel_calls
from benchmarks.workloads import GEMM_TARGETS
from brisknet import config

IMPLEMENTATIONS = [
    pytest.param("native", marks=pytest.mark.skipif(not config.native_available(), reason="native kernels are not built")),
    "reference",
    "numpy",
]
each = pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
SLOW_ON_REFERENCE = 1e9  # floating-point operations beyond which the reference is no rival, only slow


def equal(got, want, depth=1):
    """The same numbers, up to rounding that grows with the length of the sums."""
    got, want = (x if isinstance(x, tuple) else (x,) for x in (got, want))
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=2e-5, atol=2e-6 * np.sqrt(depth) * max(1.0, float(np.abs(w).max())))


def time(benchmark, group, call, flops=0.0, moved=0.0):
    """Times the call; `flops` operations and `moved` bytes of memory traffic become rates."""
    benchmark.group = group
    benchmark(call)
    for rate, amount in (("GFLOP/s", flops), ("GB/s", moved)):
        if amount and benchmark.stats:
            benchmark.extra_info[rate] = round(amount / benchmark.stats.stats.min * 1e-9, 2)


@each
@pytest.mark.parametrize("layout", ["NN", "NT", "TN"])
@pytest.mark.parametrize("shape", [*GEMM_TARGETS, (128, 784, 512)], ids=lambda s: "x".join(map(str, s)))
def test_matmul(benchmark, shape, layout, implementation):
    if implementation == "reference" and 2.0 * np.prod(shape) > SLOW_ON_REFERENCE:
        pytest.skip("too slow to be a comparison")
    call = kernel_calls.matmul_call(implementation, shape, layout)
    equal(call().copy(), kernel_calls.matmul_call("numpy", shape, layout)(), shape[1])
    time(benchmark, f"matmul {layout} {shape}", call, flops=2.0 * np.prod(shape))


@each
@pytest.mark.parametrize("shape", [(1, 10, 64), (32, 10, 64), (32, 64, 32), (32, 784, 512), (128, 784, 512), (128, 512, 512)], ids=str)
def test_dense_forward(benchmark, shape, implementation):
    call = kernel_calls.dense_forward_call(implementation, *shape)
    equal(call().copy(), kernel_calls.dense_forward_call("numpy", *shape)(), shape[1])
    time(benchmark, f"dense forward {shape}", call, flops=2.0 * np.prod(shape))


@each
@pytest.mark.parametrize("shape", [(32, 10, 64), (32, 64, 32), (32, 784, 512), (128, 784, 512), (128, 512, 512)], ids=str)
def test_dense_backward(benchmark, shape, implementation):
    call = kernel_calls.dense_backward_call(implementation, *shape)
    equal(call(), kernel_calls.dense_backward_call("numpy", *shape)(), max(shape))
    time(benchmark, f"dense backward {shape}", call, flops=4.0 * np.prod(shape))


@each
@pytest.mark.parametrize("shape", [(32, 10), (128, 10), (256, 1000)], ids=str)
def test_softmax_cross_entropy(benchmark, shape, implementation):
    call = kernel_calls.softmax_cross_entropy_call(implementation, *shape)
    equal(call(), kernel_calls.softmax_cross_entropy_call("numpy", *shape)())
    time(benchmark, f"softmax cross-entropy {shape}", call)


@each
@pytest.mark.parametrize("n", [2048, 1_000_000])
@pytest.mark.parametrize("kind", ["relu", "tanh", "sigmoid"])
def test_activation(benchmark, kind, n, implementation):
    call = kernel_calls.activation_call(implementation, kind, n)
    equal(call().copy(), kernel_calls.activation_call("numpy", kind, n)())
    time(benchmark, f"{kind} {n}", call, moved=8.0 * n)


@each
@pytest.mark.parametrize("n", [2048, 1_000_000])
def test_dropout(benchmark, n, implementation):
    call = kernel_calls.dropout_call(implementation, n)
    kept = np.count_nonzero(call()) / n
    assert abs(kept - 0.5) < 5 * 0.5 / np.sqrt(n)
    time(benchmark, f"dropout {n}", call, moved=8.0 * n)


PARAMETERS = [2753, 10_000_000]  # of the Ads net, and far beyond any cache
MOVED = {"sgd": 12, "momentum": 20, "rmsprop": 20, "adam": 28, "adagrad": 20, "adadelta": 28}  # bytes a parameter


@each
@pytest.mark.parametrize("n", PARAMETERS)
def test_adam(benchmark, n, implementation):
    call, parameters = kernel_calls.adam_call(implementation, n)
    plain, expected = kernel_calls.adam_call("numpy", n)
    call(), plain()
    np.testing.assert_allclose(parameters, expected, rtol=0, atol=1e-6)
    time(benchmark, f"adam {n}", call, moved=MOVED["adam"] * n)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS[:2])
@pytest.mark.parametrize("n", PARAMETERS)
@pytest.mark.parametrize("rule", ["sgd", "momentum", "rmsprop", "adagrad", "adadelta"])
def test_optimizer(benchmark, rule, n, implementation):
    time(benchmark, f"{rule} {n}", kernel_calls.optimizer_call(implementation, rule, n), moved=MOVED[rule] * n)
