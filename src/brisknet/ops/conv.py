"""Convolution and its two gradients, channels last, with any number (1 to 3) of spatial axes.

x [N,*S,C], w [*K,C/groups,F], b [F] -> y [N,*O,F] with O = (S + lo + hi - dilation (K - 1) - 1) // strides + 1:

    y[n,o,f] = act(b[f] + sum over k, c of x[n, o strides + k dilation - lo, c] w[k,c,f])

Group g reads channels g C/groups ... and makes the filters g F/groups ...; with groups = C the convolution is depthwise.
The three records are bilinear and make up each other's gradients. `conv_dgrad` is transposed convolution, too.
"""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops.activation import FROM_OUTPUT, act_grad, activation_array
from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, get_op, register
from brisknet.ops.windows import columns, fold, window_sizes

__all__ = ["conv_dgrad", "conv_nhwc", "conv_wgrad"]


def _out_shape(op, x, w, attrs):
    """The shape of y for shapes of x and w; ValueError where they or the attributes do not fit."""
    groups = attrs["groups"]
    if len(x) != len(w) or len(x) < 3:
        raise ValueError(f"{op}: x [N,*spatial,C] and kernel [*K,C/groups,F] of one rank expected, got shapes {x} and {w}")
    if groups < 1 or x[-1] % groups or w[-1] % groups:
        raise ValueError(f"{op}: groups={groups} must divide the {x[-1]} channels and the {w[-1]} filters")
    if w[-2] * groups != x[-1]:
        raise ValueError(
            f"{op}: the kernel of shape {w} with groups={groups} takes {w[-2] * groups} channels, but the input has {x[-1]}"
        )
    return (x[0], *window_sizes(op, x[1:-1], w[:-2], attrs["strides"], attrs["padding"], attrs["dilation"]), w[-1])


def _geometry(kernel, strides, padding, dilation):
    return {"kernel": tuple(kernel), "strides": strides, "padding": padding, "dilation": dilation}


# ---- matrices of a group ------------------------------------------------------------------------------------------------
def _grouped_columns(x, groups, geometry):
    """The windows of x as one matrix [M, T C/groups] a group, M = N * prod(O): [groups, M, T C/groups]."""
    cols = columns(x, **geometry)
    *places, taps, channels = cols.shape
    cols = cols.reshape(math.prod(places), taps, groups, channels // groups)
    return np.moveaxis(cols, 2, 0).reshape(groups, cols.shape[0], taps * (channels // groups))


def _grouped_rows(z, groups):
    """z [N,*O,F] as [groups, M, F/groups]."""
    return np.moveaxis(z.reshape(math.prod(z.shape[:-1]), groups, z.shape[-1] // groups), 1, 0)


def _grouped_kernel(w, groups):
    """w [*K,C/groups,F] as [groups, T C/groups, F/groups]."""
    return np.moveaxis(w.reshape(-1, groups, w.shape[-1] // groups), 1, 0)


# ---- forward ------------------------------------------------------------------------------------------------------------
def _conv_infer(shapes, dtypes, attrs):
    x, w = shapes[:2]
    out = _out_shape("conv", x, w, attrs)
    if len(shapes) == 3 and shapes[2] != (w[-1],):
        raise ValueError(f"conv: bias of shape {(w[-1],)} expected, got {shapes[2]}")
    if attrs.get("activation", "linear") not in FROM_OUTPUT:
        raise ValueError(f"conv: activation must be one of {FROM_OUTPUT}, got {attrs['activation']!r}")
    return ((out, dtypes[0]),)


def _conv_reference(x, w, b=None, *, strides, padding, dilation, groups, activation="linear", alpha=0.0):
    geometry = _geometry(w.shape[:-2], strides, padding, dilation)
    out = window_sizes("conv", x.shape[1:-1], *geometry.values())
    z = np.matmul(_grouped_columns(x, groups, geometry), _grouped_kernel(w, groups))  # [groups, M, F/groups]
    z = np.moveaxis(z, 0, 1).reshape(x.shape[0], *out, w.shape[-1])
    return activation_array(z if b is None else z + b, activation, alpha)


def _shared(attrs):
    return {k: attrs[k] for k in ("strides", "padding", "dilation", "groups")}


def _conv_vjp(node, grads):
    # forward: y = f(conv(x, w) + b)  ->  dz = dy f'(y); dx and dw are dz against w and x; db = sums of dz
    x, w = node.inputs[:2]
    dz = act_grad(grads[0], node.outputs[0], node.attrs.get("activation", "linear"), node.attrs.get("alpha", 0.0))
    shared, bias = _shared(node.attrs), len(node.inputs) == 3
    dw = conv_wgrad(x, dz, kernel=w.shape[:-2], bias=bias, **shared)
    return (conv_dgrad(dz, w, size=x.shape[1:-1], **shared), *(dw if bias else (dw,)))


def conv_nhwc(x, w, b=None, *, strides, padding, dilation, groups=1, activation="linear", alpha=0.0):
    """act(conv(x, w) + b) for x [N,*S,C], w [*K,C/groups,F], b [F] or None; see the module for the formula.

    padding holds a pair (before, after) a spatial axis, activation is one of activation.FROM_OUTPUT.
    """
    attrs = _attributes(strides, padding, dilation, groups)
    attrs["activation"] = activation
    if activation in ("leaky_relu", "elu"):
        attrs["alpha"] = float(alpha)
    return apply("conv", (x, w) if b is None else (x, w, b), **attrs)


def _attributes(strides, padding, dilation, groups):
    return {
        "strides": tuple(int(s) for s in strides),
        "padding": tuple((int(lo), int(hi)) for lo, hi in padding),
        "dilation": tuple(int(d) for d in dilation),
        "groups": int(groups),
    }


# ---- the gradient of the input ------------------------------------------------------------------------------------------
def _dgrad_infer(shapes, dtypes, attrs):
    dz, w = shapes[:2]
    x = (dz[0], *attrs["size"], w[-2] * attrs["groups"])
    if len(dz) < 3 or len(x) != len(dz):
        raise ValueError(f"conv_dgrad: dz {dz} and size {tuple(attrs['size'])} need the same number of spatial axes")
    if _out_shape("conv_dgrad", x, w, attrs) != dz:
        expected = _out_shape("conv_dgrad", x, w, attrs)
        raise ValueError(f"conv_dgrad: dz of shape {expected} expected for size {tuple(attrs['size'])}, got {dz}")
    if len(shapes) == 3 and shapes[2] != x:
        raise ValueError(f"conv_dgrad: y of shape {x} expected, got {shapes[2]}")
    return ((x, dtypes[0]),)


def _dgrad_reference(
    dz, w, y=None, *, strides, padding, dilation, groups, size, kind="linear", alpha=0.0, scale=1.0
):  # fmt: skip
    geometry = _geometry(w.shape[:-2], strides, padding, dilation)
    cols = np.matmul(_grouped_rows(dz, groups), np.swapaxes(_grouped_kernel(w, groups), 1, 2))  # [groups, M, T C/groups]
    taps = int(np.prod(w.shape[:-2]))
    cols = cols.reshape(groups, cols.shape[1], taps, w.shape[-2]).transpose(1, 2, 0, 3)
    dx = fold(cols.reshape(*dz.shape[:-1], taps, groups * w.shape[-2]), size, **geometry)
    return dx if y is None else get_op("act_grad").reference(dx, y, kind=kind, alpha=alpha, scale=scale)


def _dgrad_vjp(node, grads):
    if len(node.inputs) == 3:
        raise RuntimeError("conv_dgrad with an epilogue is made after differentiation; it has no gradient itself")
    dz, w = node.inputs
    shared = _shared(node.attrs)
    return conv_nhwc(grads[0], w, **shared), conv_wgrad(grads[0], dz, kernel=w.shape[:-2], bias=False, **shared)


def conv_dgrad(dz, w, *, strides, padding, dilation, groups, size):
    """dx [N,*size,C] of conv: dz [N,*O,F] spread over the inputs that each window saw, weighted by w."""
    return apply("conv_dgrad", (dz, w), **_attributes(strides, padding, dilation, groups), size=tuple(int(s) for s in size))


# ---- the gradients of kernel and bias -------------------------------------------------------------------------------------
def _wgrad_infer(shapes, dtypes, attrs):
    x, dz = shapes
    w = (*attrs["kernel"], x[-1] // max(attrs["groups"], 1), dz[-1])
    if _out_shape("conv_wgrad", x, w, attrs) != dz:
        expected = _out_shape("conv_wgrad", x, w, attrs)
        raise ValueError(f"conv_wgrad: dz of shape {expected} expected for x of shape {x}, got {dz}")
    dw = (w, dtypes[0])
    return (dw, ((dz[-1],), dtypes[0])) if attrs["bias"] else (dw,)


def _wgrad_reference(x, dz, *, strides, padding, dilation, groups, kernel, bias):
    cols = _grouped_columns(x, groups, _geometry(kernel, strides, padding, dilation))
    dw = np.matmul(np.swapaxes(cols, 1, 2), _grouped_rows(dz, groups))  # [groups, T C/groups, F/groups]
    dw = np.moveaxis(dw, 0, 1).reshape(*kernel, x.shape[-1] // groups, dz.shape[-1])
    return (dw, np.sum(dz, axis=tuple(range(dz.ndim - 1)))) if bias else dw


def _wgrad_vjp(node, grads):
    # dw = x against dz, db = sums of dz  ->  dx = dgrad(dz, gw);  d(dz) = conv(x, gw) + gb
    from brisknet.ops.shape import broadcast_to

    x, dz = node.inputs
    gw, gb = grads[0], grads[1] if node.attrs["bias"] else None
    if gw is None:
        return None, broadcast_to(gb, dz.shape)
    shared = _shared(node.attrs)
    return conv_dgrad(dz, gw, size=x.shape[1:-1], **shared), conv_nhwc(x, gw, gb, **shared)


def conv_wgrad(x, dz, *, strides, padding, dilation, groups, kernel, bias):
    """dw [*kernel,C/groups,F] of conv; with bias also db [F], the sums of dz."""
    attrs = _attributes(strides, padding, dilation, groups)
    return apply("conv_wgrad", (x, dz), **attrs, kernel=tuple(int(k) for k in kernel), bias=bool(bias))


# ---- the records --------------------------------------------------------------------------------------------------------
def _case(x, kernel, filters, strides=1, padding=0, dilation=1, groups=1):
    """(shape of x, shape of w, attributes, shape of y) of a case; one number stands for every spatial axis."""
    rank = len(x) - 2
    each = lambda v: (v,) * rank if isinstance(v, int) else v  # noqa: E731
    pairs = tuple((p, p) if isinstance(p, int) else p for p in each(padding))
    attrs = {"strides": each(strides), "padding": pairs, "dilation": each(dilation), "groups": groups}
    w = (*each(kernel), x[-1] // groups, filters)
    return x, w, attrs, _out_shape("conv", x, w, attrs)


# Small, for finite differences: odd and even sizes, stride > kernel, dilation, groups, one-sided padding, 1x1, one pixel.
_SMALL = (
    _case((2, 5, 5, 1), 3, 4),
    _case((1, 7, 6, 3), (3, 2), 4, strides=(2, 1), padding=((1, 1), (0, 1))),
    _case((2, 7, 5, 2), 2, 3, strides=3),
    _case((1, 7, 8, 2), 3, 4, padding=2, dilation=2),
    _case((1, 5, 5, 4), 3, 6, padding=1, groups=2),
    _case((1, 5, 6, 3), 3, 6, padding=1, groups=3),
    _case((2, 5, 5, 3), 1, 5, strides=2),
    _case((1, 1, 1, 3), 3, 2, padding=1),
    _case((2, 9, 3), 3, 4, padding=((2, 0),)),
    _case((1, 10, 4), 4, 4, strides=2, dilation=1, groups=4),
    _case((1, 4, 3, 5, 2), (2, 3, 2), 3, strides=(1, 1, 2), padding=((0, 0), (1, 1), (0, 1))),
    _case((1, 4, 4, 4, 2), 2, 4, padding=1, dilation=2, groups=2),
)
# Larger, for the kernels alone: full vectors of channels and of filters, tails, and large kernels.
_LARGE = (
    _case((2, 28, 28, 1), 5, 6),
    _case((3, 12, 12, 6), 5, 16),
    _case((2, 9, 9, 16), 3, 32, padding=1),
    _case((2, 8, 8, 32), 3, 33, strides=2, padding=((0, 1), (0, 1))),
    _case((1, 8, 8, 40), 1, 17),
    _case((2, 9, 11, 32), 3, 32, padding=1, groups=32),
    _case((2, 9, 9, 24), 3, 48, padding=1, groups=24, strides=2),
    _case((2, 7, 7, 24), 3, 12, padding=1, groups=3),
    _case((17, 6, 7, 3), 3, 8, padding=2, dilation=2),
    _case((2, 40, 8), 7, 20, padding=((6, 0),)),
    _case((2, 6, 5, 7, 4), 3, 18, padding=1),
    # few channels and whole vectors of images, which the native executor takes as lanes
    _case((16, 9, 8, 3), (3, 2), 5, strides=(2, 1), padding=((1, 0), (0, 1))),
    _case((32, 8, 8, 1), 5, 6),
    _case((16, 6, 7, 6), 3, 17, padding=1, dilation=(1, 2)),
    _case((70, 5, 4, 2), 2, 7),
    _case((16, 4, 5, 3, 2), 2, 4),
    _case((48, 11, 4), 3, 8, strides=2),
)


def _samples(make):
    return tuple(make(c, None) for c in _SMALL) + tuple(make(c, ()) for c in _LARGE)


def _conv_samples():
    extra = tuple(
        Sample((x, w, (w[-1],)), {**attrs, "activation": a, "alpha": 0.3 if a == "leaky_relu" else 1.0})
        for a in FROM_OUTPUT
        for x, w, attrs, _ in (_SMALL[1],)
        if a != "relu"  # it has a kink; the walk below covers it without differences
    )
    relu = tuple(Sample((x, w, (w[-1],)), {**attrs, "activation": "relu"}, wrt=()) for x, w, attrs, _ in (*_SMALL, *_LARGE))
    return _samples(lambda c, wrt: Sample((c[0], c[1], (c[1][-1],)), c[2], wrt)) + extra + relu[:4] + relu[-17:]


register(OpSpec("conv", _conv_infer, _conv_reference, _conv_vjp, _conv_samples()))
register(
    OpSpec(
        "conv_dgrad",
        _dgrad_infer,
        _dgrad_reference,
        _dgrad_vjp,
        _samples(lambda c, wrt: Sample((c[3], c[1]), {**c[2], "size": c[0][1:-1]}, wrt))
        + tuple(
            Sample((y, w, x), {**attrs, "size": x[1:-1], "kind": kind, "scale": scale}, wrt=())
            for (x, w, attrs, y), kind, scale in ((_SMALL[1], "tanh", 1.0), (_SMALL[5], "relu", 2.0), (_LARGE[2], "relu", 1.0))
        ),
    )
)
register(
    OpSpec(
        "conv_wgrad",
        _wgrad_infer,
        _wgrad_reference,
        _wgrad_vjp,
        _samples(lambda c, wrt: Sample((c[0], c[3]), {**c[2], "kernel": c[1][:-2], "bias": c[0][1] % 2 == 1}, wrt)),
    )
)
