"""brisknet.ops against real Keras: values on arrays and in traced steps, argument names, and what is left out."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from brisknet import ops, random
from brisknet.graph.trace import Trace, as_tensor
from brisknet.runtime.program import compile_graph
from tests.golden.ops_cases import ARRAYS, HOST, TRACED, evaluate

HERE = Path(__file__).parent / "golden"
NOTES = json.loads((HERE / "keras_ops.json").read_text())
with np.load(HERE / "keras_ops.npz") as _file:
    VALUES = dict(zip(NOTES["keys"], [_file[k] for k in sorted(_file.files)], strict=True))

# Names of keras.ops that brisknet does not have, and why.
COMPLEX = "complex numbers: brisknet's tensors are real"
LEFT_OUT = {
    **dict.fromkeys(("fft", "fft2", "ifft2", "rfft", "irfft", "stft", "istft", "polar", "view_as_complex", "view_as_real"), COMPLEX),
    "adaptive_average_pool": "windows of unequal sizes have no kernel",
    "adaptive_max_pool": "windows of unequal sizes have no kernel",
    "ctc_loss": "losses.CTC and losses.ctc compute it",
    "ctc_decode": "decoding is no part of a step",
    "fold": "no layer uses it", "unfold": "no layer uses it",
    "jvp": "forward-mode differentiation: gradients are reverse-mode",
    "rearrange": "the patterns of einops are a language of their own: use transpose and reshape",
    "view": "tensors have no bytes to look at",
}  # fmt: skip


# ---- values -----------------------------------------------------------------------------------------------------------
def expected(expression):
    out = []
    while (key := f"{expression}|{len(out)}") in VALUES:
        out.append(VALUES[key])
    return out


def same(got, expression, tolerance=3e-6):
    want = expected(expression)
    assert len(got) == len(want) > 0
    for g, w in zip(got, want, strict=True):
        g = np.asarray(g)
        assert g.shape == w.shape
        assert g.dtype.kind == w.dtype.kind or {g.dtype.kind, w.dtype.kind} <= set("iu"), f"{g.dtype}, Keras has {w.dtype}"
        scale = np.abs(w[np.isfinite(w)]).max(initial=1.0) if w.dtype.kind == "f" else 1.0
        np.testing.assert_allclose(g, w, rtol=10 * tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("expression", TRACED + HOST)
def test_on_arrays(expression):
    same(evaluate(expression, ops, ARRAYS), expression)


def traced(expression):
    """(outputs, executor) of an expression whose arrays are inputs of a traced step."""
    names = [n for n in ARRAYS if n in compile(expression, "", "eval").co_names or f"{n}" in _inner_names(expression)]
    with Trace() as graph:
        tensors = {n: graph.add_input(ARRAYS[n].shape, ARRAYS[n].dtype.name) for n in names}
        outputs = evaluate(expression, ops, {**ARRAYS, **tensors})
        graph.outputs = [as_tensor(ops.convert_to_tensor(o), graph) for o in outputs]
    program = compile_graph(graph)
    return program.run([ARRAYS[n] for n in names]), program.executor


def _inner_names(expression):
    inner = [c for c in compile(expression, "", "eval").co_consts if inspect.iscode(c)]
    return {n for code in inner for n in code.co_names}


# What must be known while a step is traced: counts, indices of a shape.
KNOWN = {"repeat(v,n[:3],axis=0)"}


@pytest.mark.parametrize("expression", [e for e in TRACED if e not in KNOWN])
def test_in_a_traced_step(expression, backend):
    got, executor = traced(expression)
    assert executor == backend
    same(got, expression)


# ---- names ------------------------------------------------------------------------------------------------------------
def test_every_name_of_keras_is_here_or_left_out_with_a_reason():
    names = set(NOTES["signatures"]["ops"])
    assert sorted(n for n in names if n not in ops.__all__ and n not in LEFT_OUT) == []
    assert sorted(n for n in LEFT_OUT if n in ops.__all__ or n not in names) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [(m, n) for m, names in NOTES["signatures"].items() for n in names if n not in LEFT_OUT],
)
def test_arguments(module, name):
    """Keras' arguments in Keras' order with Keras' defaults; what brisknet adds comes behind them."""
    ours = [p for p in inspect.signature(getattr({"ops": ops, "random": random}[module], name)).parameters.values()]
    wanted = [a for a in NOTES["signatures"][module][name] if a[1] == "POSITIONAL_OR_KEYWORD"]
    positional = [p for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    got = [(p.name, "" if p.default is p.empty else repr(p.default)) for p in positional[: len(wanted)]]
    assert got == [(a[0], a[2]) for a in wanted]
    assert all(p.default is not p.empty for p in positional[len(wanted) :])


def test_every_name_has_a_function_with_words():
    for name in ops.__all__:
        assert callable(getattr(ops, name)) and getattr(ops, name).__doc__, name
