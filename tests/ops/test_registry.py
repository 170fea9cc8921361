"""The registry walk: every op is checked by its record alone."""

import numpy as np
import pytest

import brisknet.ops  # noqa: F401  (registers every op)
from brisknet.autograd.check import check_op
from brisknet.ops.registry import all_ops
from tests.conftest import sample_arrays

OPS = all_ops()
CASES = [(name, i) for name, spec in OPS.items() for i in range(len(spec.samples))]


def test_every_op_has_samples():
    assert [name for name, spec in OPS.items() if not spec.samples] == []


@pytest.mark.parametrize(("name", "i"), CASES, ids=[f"{n}-{i}" for n, i in CASES])
def test_inferred_shapes_and_dtypes_are_what_the_reference_gives(name, i):
    sample = OPS[name].samples[i]
    arrays = sample_arrays(sample)
    specs = OPS[name].infer(tuple(a.shape for a in arrays), tuple(a.dtype.name for a in arrays), sample.attrs)
    outs = OPS[name].reference(*arrays, **sample.attrs)
    outs = outs if isinstance(outs, tuple) else (outs,)
    assert [(tuple(s), d) for s, d in specs] == [(np.shape(o), np.asarray(o).dtype.name) for o in outs]


GRADIENTS = [(n, i) for n, i in CASES if OPS[n].vjp is not None and OPS[n].samples[i].wrt != ()]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("name", "i"), GRADIENTS, ids=[f"{n}-{i}" for n, i in GRADIENTS])
def test_gradient_is_the_finite_difference(name, i, seed):
    sample = OPS[name].samples[i]
    for index, analytic, numeric in check_op(name, sample_arrays(sample, seed), sample.attrs, sample.wrt):
        scale = max(1.0, np.abs(numeric).max(initial=0.0))
        error = np.abs(analytic - numeric).max(initial=0.0) / scale
        assert error < 2e-8 * 50, f"{name}, input {index}: off by {error:.2e}\n{analytic}\n{numeric}"
