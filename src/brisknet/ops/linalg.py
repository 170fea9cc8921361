"""Dense layers and matrix products. `dense` carries its bias and activation, so that kernels fuse them."""

from __future__ import annotations

import numpy as np

from brisknet.ops.activation import FROM_OUTPUT, act_grad, activation_array
from brisknet.ops.dispatch import apply, composite, float_array, match_floats
from brisknet.ops.registry import OpSpec, Sample, register


def _dense_infer(shapes, dtypes, attrs):
    x, w = shapes[:2]
    if len(x) != 2 or len(w) != 2 or x[1] != w[0]:
        raise ValueError(f"dense: x [M,K] and kernel [K,N] expected, got shapes {x} and {w}")
    if len(shapes) == 3 and shapes[2] != (w[1],):
        raise ValueError(f"dense: bias of shape {(w[1],)} expected, got {shapes[2]}")
    if attrs.get("activation", "linear") not in FROM_OUTPUT:
        raise ValueError(f"dense: activation must be one of {FROM_OUTPUT}, got {attrs['activation']!r}")
    return (((x[0], w[1]), dtypes[0]),)


def _dense_reference(x, w, b=None, activation="linear", alpha=0.0):
    z = np.matmul(x, w)
    return activation_array(z if b is None else z + b, activation, alpha)


def _dense_vjp(node, grads):
    # forward: y = f(x w + b)  ->  dz = dy f'(y);  dx = dz w^T;  dw = x^T dz;  db = column sums of dz
    x, w = node.inputs[:2]
    dz = act_grad(grads[0], node.outputs[0], node.attrs.get("activation", "linear"), node.attrs.get("alpha", 0.0))
    bias = len(node.inputs) == 3
    dw = dense_wgrad(x, dz, bias)
    return (dense_dgrad(dz, w), *dw) if bias else (dense_dgrad(dz, w), dw)


_SIZES = ((1, 1, 1), (4, 2, 4), (5, 3, 1), (7, 17, 16), (6, 16, 17), (3, 33, 10))
register(
    OpSpec(
        "dense",
        _dense_infer,
        _dense_reference,
        _dense_vjp,
        tuple(Sample(((m, k), (k, n), (n,)), {"activation": "tanh"}) for m, k, n in _SIZES)
        + tuple(Sample(((5, 4), (4, 6), (6,)), {"activation": a}) for a in ("linear", "sigmoid"))
        + (Sample(((5, 4), (4, 6)), {"activation": "elu", "alpha": 1.0}), Sample(((5, 4), (4, 1)))),
    )
)


def dense(x, w, b=None, activation="linear", alpha=0.0):
    """f(x w + b) for x [M,K], w [K,N], b [N] or None; f one of activation.FROM_OUTPUT."""
    attrs = {"activation": activation}
    if activation in ("leaky_relu", "elu"):
        attrs["alpha"] = float(alpha)
    return apply("dense", (x, w) if b is None else (x, w, b), **attrs)


# ---- the two gradients; both are bilinear, so their gradients are dense products again ----------------------------------
def _dgrad_infer(shapes, dtypes, attrs):
    dz, w = shapes[:2]
    if len(dz) != 2 or len(w) != 2 or dz[1] != w[1]:
        raise ValueError(f"dense_dgrad: dz [M,N] and kernel [K,N] expected, got shapes {dz} and {w}")
    return (((dz[0], w[0]), dtypes[0]),)


def _dgrad_reference(dz, w, y=None, kind="linear", alpha=0.0, scale=1.0):
    from brisknet.ops.registry import get_op

    dx = np.matmul(dz, np.transpose(w))
    if y is None:
        return dx
    return get_op("act_grad").reference(dx, y, kind=kind, alpha=alpha, scale=scale)


def _dgrad_vjp(node, grads):
    if len(node.inputs) == 3:
        raise RuntimeError("dense_dgrad with an epilogue is made after differentiation; it has no gradient itself")
    # dx = dz w^T  ->  d(dz) = g w;  dw[k,n] = sum_m g[m,k] dz[m,n]
    dz, w = node.inputs
    return dense(grads[0], w), dense_wgrad(grads[0], dz, False)


register(
    OpSpec(
        "dense_dgrad",
        _dgrad_infer,
        _dgrad_reference,
        _dgrad_vjp,
        tuple(Sample(((m, n), (k, n))) for m, k, n in _SIZES)
        + (
            Sample(((5, 6), (4, 6), (5, 4)), {"kind": "tanh"}, wrt=()),
            Sample(((5, 1), (4, 1), (5, 4)), {"kind": "relu", "scale": 2.0}, wrt=()),
        ),
    )
)


def dense_dgrad(dz, w):
    """dx [M,K] = dz [M,N] w^T."""
    return apply("dense_dgrad", (dz, w))


def _wgrad_infer(shapes, dtypes, attrs):
    x, dz = shapes
    if len(x) != 2 or len(dz) != 2 or x[0] != dz[0]:
        raise ValueError(f"dense_wgrad: x [M,K] and dz [M,N] expected, got shapes {x} and {dz}")
    dw = ((x[1], dz[1]), dtypes[0])
    return (dw, ((dz[1],), dtypes[0])) if attrs["bias"] else (dw,)


def _wgrad_reference(x, dz, bias):
    dw = np.matmul(np.transpose(x), dz)
    return (dw, np.sum(dz, axis=0)) if bias else dw


def _wgrad_vjp(node, grads):
    # dw[k,n] = sum_m x[m,k] dz[m,n], db[n] = sum_m dz[m,n]  ->  dx = dz gw^T;  d(dz) = x gw + gb
    from brisknet.ops.elementwise import add
    from brisknet.ops.shape import broadcast_to

    x, dz = node.inputs
    gw, gb = (grads[0], grads[1] if node.attrs["bias"] else None)
    dx = ddz = None
    if gw is not None:
        dx, ddz = dense_dgrad(dz, gw), dense(x, gw)
    if gb is not None:
        ddz = broadcast_to(gb, dz.shape) if ddz is None else add(ddz, gb)
    return dx, ddz


register(
    OpSpec(
        "dense_wgrad",
        _wgrad_infer,
        _wgrad_reference,
        _wgrad_vjp,
        tuple(Sample(((m, k), (m, n)), {"bias": b}) for (m, k, n), b in zip(_SIZES, (True, False) * 3, strict=True)),
    )
)


def dense_wgrad(x, dz, bias: bool):
    """dw [K,N] = x^T dz; with bias also db [N], the column sums of dz."""
    return apply("dense_wgrad", (x, dz), bias=bool(bias))


# ---- matmul -------------------------------------------------------------------------------------------------------------
def _matmul_infer(shapes, dtypes, attrs):
    a, b = shapes
    if len(a) < 2 or len(b) < 2:
        raise ValueError(f"matmul: operands of rank >= 2 expected, got shapes {a} and {b}")
    m, ka = (a[-1], a[-2]) if attrs.get("transpose_a") else (a[-2], a[-1])
    kb, n = (b[-1], b[-2]) if attrs.get("transpose_b") else (b[-2], b[-1])
    if ka != kb:
        raise ValueError(f"matmul: inner dimensions must agree, got shapes {a} and {b} ({ka} and {kb})")
    if a[:-2] != b[:-2] and len(a) > 2 and len(b) > 2:
        raise ValueError(f"matmul: batch dimensions must agree, got shapes {a} and {b}")
    return (((*(a[:-2] or b[:-2]), m, n), dtypes[0]),)


def _matmul_reference(a, b, transpose_a=False, transpose_b=False):
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    b = np.swapaxes(b, -1, -2) if transpose_b else b
    return np.matmul(a, b)


def _matmul_vjp(node, grads):
    # C = op(A) op(B)  ->  d op(A) = g op(B)^T;  d op(B) = op(A)^T g; a transposed operand's gradient is transposed, and
    # that of a matrix that all products of a batch share is their sum
    from brisknet.ops.elementwise import unbroadcast

    a, b = node.inputs
    ta, tb, g = node.attrs.get("transpose_a", False), node.attrs.get("transpose_b", False), grads[0]
    da = product(b, g, tb, True) if ta else product(g, b, False, not tb)
    db = product(g, a, True, ta) if tb else product(a, g, not ta, False)
    return unbroadcast(da, a.shape), unbroadcast(db, b.shape)


def product(a, b, transpose_a=False, transpose_b=False):
    """op(a) op(b) over the last two axes, one instruction; the axes before must agree, or one operand has none."""
    return apply("matmul", (a, b), transpose_a=bool(transpose_a), transpose_b=bool(transpose_b))


def _matmul_samples():
    out = []
    for m, k, n, batch in ((3, 4, 5, ()), (1, 7, 16, ()), (6, 17, 33, ()), (3, 5, 4, (2,)), (2, 3, 2, (2, 3))):
        for ta in (False, True):
            for tb in (False, True):
                a, b = ((k, m) if ta else (m, k)), ((n, k) if tb else (k, n))
                out.append(Sample(((*batch, *a), (*batch, *b)), {"transpose_a": ta, "transpose_b": tb}))
    for ta in (False, True):
        out.append(Sample(((4, 3) if ta else (3, 4), (5, 4, 7)), {"transpose_a": ta}))
        out.append(Sample(((2, 5, 3, 4), (7, 4) if ta else (4, 7)), {"transpose_b": ta}))
    return tuple(out)


register(OpSpec("matmul", _matmul_infer, _matmul_reference, _matmul_vjp, _matmul_samples()))


@composite
def matmul(x1, x2):
    """Matrix product over the last two axes; batch axes broadcast and 1-D operands are treated as in NumPy."""
    from brisknet.ops.elementwise import broadcast_shape
    from brisknet.ops.shape import broadcast_to, reshape, squeeze

    a, b = match_floats(float_array(x1), float_array(x2))
    if not a.shape or not b.shape:
        raise ValueError(f"matmul: operands of rank >= 1 expected, got shapes {tuple(a.shape)} and {tuple(b.shape)}")
    va, vb = len(a.shape) == 1, len(b.shape) == 1
    a = reshape(a, (1, a.shape[0])) if va else a
    b = reshape(b, (b.shape[0], 1)) if vb else b
    if len(b.shape) == 2 and len(a.shape) > 2:  # [..., K] x [K, N]: one flat product
        rows = a.size // max(a.shape[-1], 1)
        out = reshape(product(reshape(a, (rows, a.shape[-1])), b), (*a.shape[:-1], b.shape[1]))
    elif len(a.shape) == 2:
        out = product(a, b)
    else:
        lead = broadcast_shape(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
        out = product(broadcast_to(a, (*lead, *a.shape[-2:])), broadcast_to(b, (*lead, *b.shape[-2:])))
    axes = ([-2] if va else []) + ([-1] if vb else [])
    return squeeze(out, axes) if axes else out
