"""Convolution, transposed convolution and pooling against PyTorch: values and every gradient."""

import numpy as np
import pytest

from brisknet.ops.conv import conv_dgrad, conv_nhwc
from brisknet.ops.pool import avg_pool, max_pool_nhwc
from brisknet import ops
from tests.golden.compare import Golden, close, mode, run_traced, weighted_sum  # noqa: F401
from tests.golden.torch_cases import CONVOLUTIONS, POOLS

GOLDEN = Golden("torch_conv")
RTOL = {"float64": 1e-13, "float32": 2e-6}


def each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def convolution(name, x, w, b):
    shape, _, args = CONVOLUTIONS[name]
    rank = len(shape) - 2
    strides, dilation = each(args.get("stride", 1), rank), each(args.get("dilation", 1), rank)
    padding = tuple((p, p) for p in each(args.get("padding", 0), rank))
    if not name.startswith("transposed"):
        return conv_nhwc(x, w, b, strides=strides, padding=padding, dilation=dilation, groups=args.get("groups", 1))
    size = GOLDEN[f"{name}/y"].shape[1:-1]
    return ops.add(conv_dgrad(x, w, strides=strides, padding=padding, dilation=dilation, groups=1, size=size), b)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name, mode):  # noqa: F811
    def step(x, w, b):
        y = convolution(name, x, w, b)
        return [y], weighted_sum(y, GOLDEN[f"{name}/cot"])

    got = run_traced(step, [GOLDEN[f"{name}/{k}"] for k in "xwb"], mode[1])
    for value, want in zip(got, ("y", "dx", "dw", "db"), strict=True):
        close(value, GOLDEN[f"{name}/{want}"], RTOL[mode[1]], want)


@pytest.mark.parametrize("name", POOLS)
def test_pooling(name, mode):  # noqa: F811
    shape, args = POOLS[name]
    rank = len(shape) - 2
    size = each(args["kernel_size"], rank)
    padding = tuple((p, p) for p in each(args.get("padding", 0), rank))
    pool = max_pool_nhwc if name.startswith("max") else avg_pool

    def step(x):
        y = pool(x, pool=size, strides=each(args.get("stride", size), rank), padding=padding)
        return [y], weighted_sum(y, GOLDEN[f"{name}/cot"])

    y, dx = run_traced(step, [GOLDEN[f"{name}/x"]], mode[1])
    close(y, GOLDEN[f"{name}/y"], RTOL[mode[1]], "y")
    close(dx, GOLDEN[f"{name}/dx"], RTOL[mode[1]], "dx")


def test_a_nan_is_the_maximum_and_takes_the_gradient(mode):  # noqa: F811
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    x[0, 1, 0, 0] = np.nan

    def step(x):
        y = max_pool_nhwc(x, pool=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0)))
        return [y], ops.sum(y)

    y, dx = run_traced(step, [x], mode[1])
    assert np.isnan(y[0, 0, 0, 0]) and np.isfinite(y.ravel()[1:]).all()
    np.testing.assert_array_equal(np.argwhere(dx[0, :, :, 0]), [[1, 0], [1, 3], [3, 1], [3, 3]])
