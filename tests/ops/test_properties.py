"""Random shapes: products, broadcasting, reductions and data movement, native against reference (derandomised: the same every run)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brisknet import config
from tests.ops.test_native import OPS, run_native

pytestmark = pytest.mark.skipif(not config.native_available(), reason="the pure-Python package has no kernels")
often = settings(max_examples=60, deadline=None, derandomize=True)
sizes = st.one_of(st.integers(1, 20), st.sampled_from([31, 32, 33, 63, 64, 65, 127, 129, 144, 145, 255, 257, 300]))


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def bounded_product(got, a, b):
    """The product of a and b within c K 2^-24 sum |a||b| of the exact one."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    bound = 4 * a.shape[1] * 2.0**-24 * (np.abs(a) @ np.abs(b)) + 1e-30
    assert (np.abs(got - a @ b) <= bound).all()


@often
@given(sizes, sizes, sizes)
def test_dense_and_both_its_gradients(m, k, n):
    x, w, dz = normal((m, k)), normal((k, n), 1), normal((m, n), 2)
    bounded_product(run_native("dense", [x, w], {})[0], x, w)
    bounded_product(run_native("dense_dgrad", [dz, w], {})[0], dz, w.T)
    dw, db = run_native("dense_wgrad", [x, dz], {"bias": True})
    bounded_product(dw, x.T, dz)
    bounded_product(db[None], np.ones((1, m), np.float32), dz)


@often
@given(sizes, sizes, sizes, st.booleans(), st.booleans())
def test_matmul(m, k, n, ta, tb):
    a, b = normal((k, m) if ta else (m, k)), normal((n, k) if tb else (k, n), 1)
    got = run_native("matmul", [a, b], {"transpose_a": ta, "transpose_b": tb})[0]
    bounded_product(got, a.T if ta else a, b.T if tb else b)


@st.composite
def broadcasting(draw):
    """Two shapes of up to four dimensions that broadcast together."""
    full = draw(st.lists(st.integers(1, 7), min_size=0, max_size=4))
    shapes = []
    for _ in range(2):
        kept = [1 if draw(st.booleans()) else d for d in full]
        shapes.append(tuple(kept[draw(st.integers(0, len(full))) if draw(st.booleans()) else 0 :]))
    return shapes


@often
@given(broadcasting(), st.sampled_from(["add", "subtract", "multiply", "maximum", "minimum", "less", "equal"]))
def test_broadcasting_is_exact(shapes, op):
    a, b = normal(shapes[0]), normal(shapes[1], 1)
    got = run_native(op, [a, b], {})[0]
    np.testing.assert_array_equal(got, OPS[op].reference(a, b))


@often
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.data())
def test_reductions_over_any_axes(shape, data):
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))
    op = data.draw(st.sampled_from(["reduce_sum", "reduce_mean", "reduce_max", "reduce_min"]))
    x, attrs = normal(shape), {"axes": axes, "keepdims": data.draw(st.booleans())}
    got, want = run_native(op, [x], attrs)[0], OPS[op].reference(x.astype(np.float64), **attrs)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 if op in ("reduce_sum", "reduce_mean") else 0)


@often
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.data())
def test_transposes_and_slices_are_exact(shape, data):
    x = normal(shape)
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    np.testing.assert_array_equal(run_native("transpose", [x], {"axes": axes})[0], np.transpose(x, axes))
    slices = []
    for d in shape:
        start = data.draw(st.integers(0, d - 1))
        slices.append((start, data.draw(st.integers(start + 1, d)), data.draw(st.integers(1, 3))))
    attrs = {"slices": tuple(slices)}
    small = run_native("slice", [x], attrs)[0]
    np.testing.assert_array_equal(small, OPS["slice"].reference(x, **attrs))
    back = {**attrs, "shape": tuple(shape)}
    np.testing.assert_array_equal(run_native("slice_grad", [small], back)[0], OPS["slice_grad"].reference(small, **back))


@often
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.integers(1, 20), st.integers(1, 9), st.booleans())
def test_normalisation_within_groups(b, s, groups, k, t, rms):
    shape, attrs = (b, s, groups * k, t), {"groups": groups, "rms": rms}
    x, dy, gamma, beta = normal(shape), normal(shape, 1), normal(shape[2:3], 2), normal(shape[2:3], 3)
    forward = {**attrs, "epsilon": 0.1, "scale": True, "center": True}
    wide = [a.astype(np.float64) for a in (x, gamma, beta)]
    for got, want in zip(run_native("group_norm", [x, gamma, beta], forward), OPS["group_norm"].reference(*wide, **forward), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)
    stats = [a.astype(np.float32) for a in OPS["group_norm"].reference(*wide, **forward)[1:]]
    for name, ins, extra in (("group_norm_grad_x", [dy, x, *stats, gamma], attrs),
                             ("group_norm_grad_sums", [dy, x, *stats], {"groups": groups})):  # fmt: skip
        want = OPS[name].reference(*[a.astype(np.float64) for a in ins], **extra)
        for got, exact in zip(run_native(name, ins, extra), want if isinstance(want, tuple) else (want,), strict=True):
            np.testing.assert_allclose(got, exact, rtol=1e-4, atol=1e-4)
