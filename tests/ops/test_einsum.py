"""einsum, dot and tensordot against NumPy, with gradients by finite differences, eager, traced and as layers."""

import numpy as np
import pytest

from brisknet import Input, Model, ops
from brisknet.autograd.check import numeric_gradient
from tests.golden.compare import mode, run_traced  # noqa: F401

EQUATIONS = {
    "ij,jk->ik": ((3, 4), (4, 5)),
    "ij,jk->ki": ((3, 4), (4, 5)),
    "ij,kj": ((3, 4), (5, 4)),
    "bij,bjk->bik": ((2, 3, 4), (2, 4, 5)),
    "bij,bkj->bik": ((2, 3, 4), (2, 5, 4)),
    "bji,bjk->bki": ((2, 4, 3), (2, 4, 5)),
    "abc,cd->abd": ((2, 3, 4), (4, 5)),
    "abc,cde->abde": ((2, 3, 4), (4, 5, 2)),
    "bqhd,bkhd->bhqk": ((2, 3, 2, 4), (2, 5, 2, 4)),
    "bhqk,bkhd->bqhd": ((2, 2, 3, 5), (2, 5, 2, 4)),
    "...x,xy->...y": ((2, 3, 4), (4, 5)),
    "ab...,bc->ac...": ((2, 3, 4, 2), (3, 5)),
    "...ij,...jk->...ik": ((2, 1, 3, 4), (5, 4, 2)),
    "i,i->": ((7,), (7,)),
    "i,j->ij": ((3,), (4,)),
    "bi,bi->b": ((3, 7), (3, 7)),
    "ij,ij->ij": ((3, 4), (3, 4)),
    "ij,j->i": ((3, 4), (4,)),
    "ijk->ki": ((2, 3, 4),),
    "ii->i": ((4, 4),),
    "ii": ((4, 4),),
    "iji,jk->ki": ((3, 2, 3), (2, 4)),
    "ij,ik->": ((3, 4), (3, 5)),
    "ij,jk,kl->il": ((3, 4), (4, 5), (5, 2)),
    "ij,jk,kl,l->i": ((3, 4), (4, 5), (5, 2), (2,)),
    "ai,bi,ci->abc": ((2, 5), (3, 5), (4, 5)),
    "ba": ((2, 3),),
}


def arrays(name, dtype="float64"):
    rng = np.random.default_rng(len(name))
    return [rng.standard_normal(s).astype(dtype) for s in EQUATIONS[name]]


@pytest.mark.parametrize("name", EQUATIONS)
def test_value_and_gradients(name, mode):  # noqa: F811
    xs = arrays(name, mode[1])
    want = np.einsum(name, *[x.astype(np.float64) for x in xs])
    weight = np.random.default_rng(1).standard_normal(want.shape)
    tolerance = 1e-12 if mode[1] == "float64" else 1e-5
    np.testing.assert_allclose(ops.einsum(name, *xs), want, rtol=0, atol=tolerance)

    def step(*tensors):
        y = ops.einsum(name, *tensors)
        return [y], ops.sum(ops.multiply(y, weight.astype(y.dtype)))

    y, *grads = run_traced(step, xs, mode[1])
    np.testing.assert_allclose(y, want, rtol=0, atol=tolerance)
    for i, got in enumerate(grads):
        def total(x, i=i):
            return np.sum(np.einsum(name, *[x if j == i else z for j, z in enumerate(xs)]) * weight)

        slope = numeric_gradient(total, xs[i].astype(np.float64))
        np.testing.assert_allclose(got, slope, rtol=0, atol=2e-7 if mode[1] == "float64" else 2e-5)


def test_one_instruction_for_a_batch_of_products():
    from brisknet.graph.trace import Trace

    with Trace() as graph:
        q, k = graph.add_input((2, 6, 4, 8), "float32"), graph.add_input((2, 6, 5, 8), "float32")
        ops.einsum("bhqd,bhkd->bhqk", q, k)
    assert [n.op for n in graph.nodes if n.op not in ("input", "reshape")] == ["matmul"]


def test_dot_and_tensordot():
    rng = np.random.default_rng(0)
    for a, b in (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (4, 3, 2)), ((), (2, 3)), ((3,), (3, 4))):
        x, y = rng.standard_normal(a), rng.standard_normal(b)
        np.testing.assert_allclose(ops.dot(x, y), np.dot(x, y), rtol=1e-12, atol=1e-12)
    x, y = rng.standard_normal((2, 3, 4)), rng.standard_normal((4, 3, 5))
    for axes in (1, ([1, 2], [1, 0]), ([2], [0]), (2, 0)):
        np.testing.assert_allclose(ops.tensordot(x, y, axes), np.tensordot(x, y, axes), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ops.tensordot(x, rng.standard_normal(()), 0).shape, (2, 3, 4))


def test_matmul_broadcasts():
    rng = np.random.default_rng(0)
    for a, b in (((4,), (4,)), ((2, 3), (5, 3, 4)), ((2, 1, 3, 4), (5, 4, 2)), ((6, 3), (3,)), ((5, 2, 3), (3,))):
        x, y = rng.standard_normal(a), rng.standard_normal(b)
        np.testing.assert_allclose(ops.matmul(x, y), np.matmul(x, y), rtol=1e-12, atol=1e-12)


def test_in_the_layer_graph():
    x, w = Input((3, 4)), Input((5, 4))
    score = ops.einsum("bij,bkj->bik", x, w)
    out = ops.matmul(score, ops.dot(w, np.ones((4, 2), "float32")))
    assert score.shape == (None, 3, 5) and out.shape == (None, 3, 2)
    model = Model([x, w], out)
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s).astype("float32") for s in ((6, 3, 4), (6, 5, 4)))
    want = np.einsum("bij,bkj->bik", a, b) @ (b @ np.ones((4, 2)))
    np.testing.assert_allclose(model.predict([a, b], verbose=0), want, rtol=2e-5, atol=2e-5)
    again = Model.from_config(model.get_config())
    np.testing.assert_array_equal(again.predict([a, b], verbose=0), model.predict([a, b], verbose=0))


BAD = {
    "'ij,jk->ik' has 2 operands, got 1": lambda x: ops.einsum("ij,jk->ik", x),
    "has 3 axes, got a tensor of rank 2": lambda x: ops.einsum("ijk,jk->i", x, x),
    "gives axis 'j' the sizes 4 and 3": lambda x: ops.einsum("ij,jk->ik", x, x),
    "the letter 'z', which no operand has": lambda x: ops.einsum("ij->iz", x),
    "a letter twice": lambda x: ops.einsum("ij->ii", x),
    "letters, commas": lambda x: ops.einsum("i1,jk->ik", x, x),
    "as many axes of x1 as of x2": lambda x: ops.tensordot(x, x, ([0, 1], [0])),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_equations(message):
    with pytest.raises(ValueError, match=message):
        BAD[message](np.ones((3, 4)))
