"""The registry walk, native: every op against its NumPy reference, on every instruction set that the machine has."""

import numpy as np
import pytest

import brisknet.ops  # noqa: F401  (registers every op)
from brisknet import config
from brisknet.graph.ir import LEAVES
from brisknet.graph.trace import Trace
from brisknet.ops import dispatch
from brisknet.ops.optim import split_inputs
from brisknet.ops.registry import all_ops
from brisknet.runtime.program import optimize
from brisknet.variables import Variable
from tests.conftest import sample_arrays

_core = pytest.importorskip("brisknet._core") if config.native_available() else None
pytestmark = pytest.mark.skipif(_core is None, reason="the pure-Python package has no kernels")
OPS = all_ops()
CASES = [(name, i) for name, spec in OPS.items() for i in range(len(spec.samples))]
ISAS = _core.isas() if _core else []


@pytest.fixture(params=ISAS)
def isa(request):
    before = _core.isa()
    _core.set_isa(request.param)
    yield request.param
    _core.set_isa(before)


def run_native(name, arrays, attrs):
    """The outputs of one op, computed by the native executor in a graph of its own. 8-byte states and what an update
    replaces are variables, as in a real step."""
    from brisknet.runtime.native import NativeProgram

    update = name.endswith("_update")
    with Trace() as graph:
        inputs, feeds = [], []
        for a in arrays:
            if update or a.dtype.itemsize == 8:
                inputs.append(graph.read(Variable(a, dtype=a.dtype.name)))
            else:
                inputs.append(graph.add_input(a.shape, a.dtype.name))
                feeds.append(a)
        targets = None
        if update:
            _, _, _, params, _, slots = split_inputs(inputs, attrs, name.removesuffix("_update"))
            targets = [t.node.attrs["variable"] for group in (params, *slots) for t in group]
            attrs = {**attrs, "variables": tuple(targets)}  # as ops.optim.update notes them
        outs = dispatch.apply(name, inputs, **attrs)
        outs = outs if isinstance(outs, tuple) else (outs,)
        results = []
        if not update:
            targets = [Variable(np.zeros(t.shape, t.dtype), dtype=t.dtype) if t.dtype in ("float64", "int64") else None for t in outs]
        for t, v in zip(outs, targets, strict=True):
            if v is None:
                graph.outputs.append(t)
            else:
                graph.updates[v] = t
    fetched = iter(NativeProgram(optimize(graph)).run(feeds))
    for v in targets:
        results.append(next(fetched) if v is None else v.numpy())
    return results


def check(name, arrays, attrs, tolerance=2e-6):
    with np.errstate(all="ignore"):
        expected = OPS[name].reference(*arrays, **attrs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    got = run_native(name, arrays, attrs)
    for e, g in zip(expected, got, strict=True):
        e, g = np.asarray(e), np.asarray(g)
        assert g.shape == e.shape and g.dtype == e.dtype
        scale = np.abs(e[np.isfinite(e)]).max(initial=1.0) if e.dtype.kind == "f" else 1.0
        np.testing.assert_allclose(g, e, rtol=tolerance * 8, atol=tolerance * scale, err_msg=name)


def samples_of(name, i, seed=0):
    sample = OPS[name].samples[i]
    arrays = [np.array(a) for a in sample_arrays(sample, seed, np.float32)]
    # states of metrics and counters stay 8 bytes wide; every other float is the executor's
    states = OPS[name].states
    arrays[:states] = [a.astype(np.float64) for a in arrays[:states]]
    return arrays, sample.attrs


@pytest.mark.parametrize(("name", "i"), CASES, ids=[f"{n}-{i}" for n, i in CASES])
def test_native_is_the_reference(name, i, isa):
    check(name, *samples_of(name, i))


def test_every_op_has_a_rule_and_every_form_a_kernel():
    from brisknet.passes.lower.lowering import FORMS, RULES

    assert [n for n in OPS if n not in RULES] == []
    assert [n for n in RULES if n not in OPS and n not in LEAVES] == []
    assert [n for n, spec in OPS.items() if spec.form and (spec.form not in FORMS or n not in _core.OPS)] == []


def test_kernels_and_records_agree_on_what_may_be_overwritten():
    for name, spec in OPS.items():
        if spec.form in ("unary", "pair", "broadcast") and spec.inplace:
            assert _core.INPLACE[name] >> spec.inplace[0] & 1, name


def test_python_and_c_agree_on_sizes():
    from brisknet.passes.lower import plan
    from brisknet.variables import PANEL

    assert (_core.PAD, _core.BLOCK, _core.PANEL) == (plan.PAD, plan.BLOCK, PANEL)
    for rows, cols in ((1, 1), (plan.HEAD_ELEMENTS, 1), (plan.HEAD_ELEMENTS + 1, 1), (5000, 10), (3, 20000)):
        units = -(-rows // max(plan.HEAD_ELEMENTS // cols, 1))
        assert _core.plan(_core.OPS["xent_head"], (rows, cols, 1, units))[0] == units
    for rows, blocks in ((plan.STRIP, 1), (plan.STRIP + 1, 2)):  # of 16 panels each
        assert _core.plan(_core.OPS["dense_forward"], (rows, 8, 16 * PANEL, 0))[0] == 16 * blocks
        assert _core.plan(_core.OPS["dense_wgrad"], (600, rows, 16 * PANEL, 0))[0] == 16 * blocks


# ---- tails, special values, aliasing ------------------------------------------------------------------------------------
SAME_SHAPE = [
    n for n, s in OPS.items()
    if s.inplace and s.inplace[0] == 0 and not n.endswith("_update") and not s.states and n != "count_step"
    and all(len(x.inputs) <= 2 and isinstance(x.inputs[0], tuple) or getattr(x.inputs[0], "dtype", None) == np.float64 for x in s.samples)
]  # fmt: skip
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 257, 4095, 4097, 9001)


@pytest.mark.parametrize("name", SAME_SHAPE)
def test_every_size_around_the_vector_length(name, isa):
    sample = OPS[name].samples[0]
    rng = np.random.default_rng(5)
    for n in SIZES if isa == ISAS[-1] else (1, 7, 17, 4097):
        arrays = []
        for x in sample.inputs:
            x = np.asarray(x) if not isinstance(x, tuple) else x
            if not isinstance(x, tuple) and (x.ndim == 0 or x.dtype.kind != "f"):
                arrays.append(x)
            else:
                arrays.append(rng.uniform(0.1, 0.9, n).astype(np.float32))
        check(name, arrays, sample.attrs)


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 88.0, -88.0, 1e-20, 0.5, 2.5, -0.5, 120.0, -120.0], np.float32)


@pytest.mark.parametrize("name", [n for n in SAME_SHAPE if len(OPS[n].samples[0].inputs) == 1])
def test_special_values_go_through_as_in_numpy(name, isa):
    with np.errstate(all="ignore"):
        expected = np.asarray(OPS[name].reference(SPECIAL, **OPS[name].samples[0].attrs))
    values = SPECIAL
    if name in ("sin", "cos"):  # huge arguments are out of the range that the kernels reduce (csrc/kernels/vmath.h)
        values = SPECIAL[np.abs(SPECIAL) < 1e4]
        expected = np.asarray(OPS[name].reference(values))
    (got,) = run_native(name, [values], OPS[name].samples[0].attrs)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(got, expected, rtol=3e-6, atol=1e-30 if name not in ("gelu_tanh", "gelu", "silu", "erf") else 1e-6)
