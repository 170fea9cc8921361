"""Kernel by kernel: brisknet.kernels native and reference against plain NumPy. Run: pytest benchmarks

A kernel's result is checked against NumPy's, or its reference's, before it is timed. GFLOP/s and GB/s of the fastest round are
in extra_info. `--benchmark-only`, `--benchmark-json` and the like are pytest-benchmark's;
`-k "matmul and 512"` chooses. Environment variables that choose or bound the kernels of NumPy's BLAS must be unset for a fair
comparison: the report's header warns where they are.
"""

import numpy as np
import pytest

from benchmarks import kernel_calls
from benchmarks.workloads import GEMM_TARGETS, optimizers
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


@each
@pytest.mark.parametrize("n", PARAMETERS)
def test_adam(benchmark, n, implementation):
    call, parameters = kernel_calls.adam_call(implementation, n)
    plain, expected = kernel_calls.adam_call("numpy", n)
    call(), plain()
    np.testing.assert_allclose(parameters, expected, rtol=0, atol=1e-6)
    time(benchmark, f"adam {n}", call, moved=28.0 * n)


def on(implementation: str, make, *arguments):
    """(program, variable) that `make` builds, for the executor that is asked for."""
    before, wanted = config.backend(), "numpy" if implementation == "reference" else "native"
    config.set_backend(wanted)
    try:
        program, variable = make(*arguments)
    finally:
        config.set_backend(before)
    assert program.executor == wanted
    return program, variable


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS[:2])
@pytest.mark.parametrize("shape", [(43, 64), tuple(optimizers.PARAMETERS)], ids=str)
@pytest.mark.parametrize("rule", optimizers.RULES)
def test_optimizer(benchmark, rule, shape, implementation):
    workload = optimizers.WORKLOADS[f"opt-{rule}"]
    program, parameters = on(implementation, kernel_calls.optimizer_program, workload["class"], workload["args"], shape)
    if implementation == "native":
        other, expected = on("reference", kernel_calls.optimizer_program, workload["class"], workload["args"], shape)
        program.run([]), other.run([])
        equal(parameters.numpy(), expected.numpy())
    time(benchmark, f"{rule} {shape}", lambda: program.run([]), moved=float(workload["bytes"] * shape[0] * shape[1]))


CONVOLUTIONS = {  # shape of the images, kernel, filters, groups
    "lenet first": ((128, 28, 28, 1), 5, 6, 1), "lenet second": ((128, 12, 12, 6), 5, 16, 1), "resnet 16": ((64, 32, 32, 16), 3, 16, 1),
    "resnet 64": ((64, 8, 8, 64), 3, 64, 1), "pointwise": ((64, 16, 16, 128), 1, 128, 1), "depthwise": ((64, 16, 16, 128), 3, 128, 128),
}  # fmt: skip


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS[:2])
@pytest.mark.parametrize("direction", ["forward", "input", "kernel"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(benchmark, name, direction, implementation):
    images, kernel, filters, groups = CONVOLUTIONS[name]
    program, _ = on(implementation, kernel_calls.conv_program, direction, images, kernel, filters, groups)
    if implementation == "native":
        reference, _ = on("reference", kernel_calls.conv_program, direction, images, kernel, filters, groups)
        depth = np.prod(images[:3]) if direction == "kernel" else kernel * kernel * max(images[3], filters) // groups
        equal(tuple(a.copy() for a in program.run([])), tuple(reference.run([])), depth)
    flops = 2.0 * np.prod(images) * kernel * kernel * filters / groups
    time(benchmark, f"convolution {name}, {direction}", lambda: program.run([]), flops=flops)
