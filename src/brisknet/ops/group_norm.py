"""Normalisation within each row or group of channels, with its two gradients as ops of their own.

x is seen as [B, S, C, T] with C channels in G groups; the statistics of (b, g) are taken over S, the group's channels and T.
Layer normalisation is S = T = G = 1. With `rms` the mean is left in place (taken as zero).
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.by_parts import by_parts
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = ["group_norm"]


def _split(rest, scale, center):
    rest = list(rest)
    return (rest.pop(0) if scale else None), (rest.pop(0) if center else None)


def _channels(x, groups, op) -> tuple:
    if len(x) != 4:
        raise ValueError(f"{op}: x [B, S, C, T] expected, got shape {x}")
    if groups < 1 or x[2] % groups:
        raise ValueError(f"{op}: {x[2]} channels can't be divided into {groups} groups")
    return (x[2],)


def _infer(shapes, dtypes, attrs):
    x = shapes[0]
    channels = _channels(x, attrs["groups"], "group_norm")
    for s in shapes[1:]:
        if s != channels:
            raise ValueError(f"group_norm: parameters of shape {channels} expected, got {s}")
    stats = ((x[0], attrs["groups"]), dtypes[0])
    return ((x, dtypes[0]), stats, stats)


def _grouped(x, groups):
    b, s, c, t = x.shape
    return x.reshape(b, s, groups, c // groups, t)


def _spread(v):
    """[B, G] next to [B, S, G, K, T]."""
    return v[:, None, :, None, None]


def _channel(v):
    """[C] next to [B, S, C, T]."""
    return v[None, None, :, None]


def _reference(x, *rest, groups, epsilon, rms, scale, center):
    gamma, beta = _split(rest, scale, center)
    g = _grouped(x, groups)
    mean = np.zeros((x.shape[0], groups), x.dtype) if rms else np.mean(g, axis=(1, 3, 4))
    d = g - _spread(mean)
    rstd = (1.0 / np.sqrt(np.mean(np.square(d), axis=(1, 3, 4)) + np.asarray(epsilon, x.dtype))).astype(x.dtype)
    y = (d * _spread(rstd)).reshape(x.shape)
    y = y if gamma is None else y * _channel(gamma)
    return np.asarray(y if beta is None else y + _channel(beta), x.dtype), np.asarray(mean, x.dtype), rstd


def _vjp(node, grads):
    attrs = {"groups": node.attrs["groups"]}
    gamma, _ = _split(node.inputs[1:], node.attrs["scale"], node.attrs["center"])
    x, (_, mean, rstd) = node.inputs[0], node.outputs
    dx = dgamma = dbeta = None
    if grads[0] is not None:
        ins = (grads[0], x, mean, rstd)
        if node.attrs["scale"] or node.attrs["center"]:
            dgamma, dbeta = apply("group_norm_grad_sums", ins, **attrs)
        dx = apply("group_norm_grad_x", ins if gamma is None else (*ins, gamma), rms=node.attrs["rms"], **attrs)
    dx = _through_statistics(node, grads, dx)
    return (dx, *((dgamma,) if node.attrs["scale"] else ()), *((dbeta,) if node.attrs["center"] else ()))


def _through_statistics(node, grads, dx):
    """dx plus what comes by the statistics, where something else used them: dmean / n - drstd rstd^3 (x - mean) / n."""
    from brisknet.ops import elementwise as ew
    from brisknet.ops.shape import reshape

    x, (_, mean, rstd), groups = node.inputs[0], node.outputs, node.attrs["groups"]
    b, s, c, t = x.shape
    n = float(max(s * (c // groups) * t, 1))
    wide, spread = (b, s, groups, c // groups, t), (b, 1, groups, 1, 1)
    terms = []
    if grads[1] is not None and not node.attrs["rms"]:
        terms.append(ew.multiply(reshape(grads[1], spread), np.full(wide, 1.0 / n, x.dtype)))
    if grads[2] is not None:
        factor = ew.multiply(ew.multiply(grads[2], ew.multiply(rstd, ew.square(rstd))), -1.0 / n)
        terms.append(ew.multiply(ew.subtract(reshape(x, wide), reshape(mean, spread)), reshape(factor, spread)))
    for term in terms:
        term = reshape(term, x.shape)
        dx = term if dx is None else ew.add(dx, term)
    return dx


_SHAPES = (((5, 1, 7, 1), 1), ((3, 1, 33, 1), 1), ((2, 3, 6, 1), 3), ((2, 5, 17, 1), 17), ((2, 3, 4, 5), 2), ((3, 2, 20, 3), 5))


def _samples():
    out = []
    for i, (shape, groups) in enumerate(_SHAPES):
        for scale, center in ((True, True), (False, False), (i % 2 == 0, i % 2 == 1)):
            parameters = ((shape[2],),) * (scale + center)
            attrs = {"groups": groups, "epsilon": 1e-3, "rms": i % 3 == 1, "scale": scale, "center": center}
            out.append(Sample((shape, *parameters), attrs))
    out.append(Sample(((4, 1, 9, 1), (9,)), {"groups": 1, "epsilon": 1e-6, "rms": True, "scale": True, "center": False}))
    return tuple(out)


register(OpSpec("group_norm", _infer, _reference, _vjp, _samples()))


# ---- gradients: with u = dy gamma, dx = rstd (u - mean(u) - xhat mean(u xhat)); dgamma = sum dy xhat, dbeta = sum dy -------
def _grad_infer(shapes, dtypes, attrs):
    x = shapes[1]
    _channels(x, attrs["groups"], "group_norm_grad_x")
    return ((x, dtypes[0]),)


def _grad_x_reference(dy, x, mean, rstd, gamma=None, *, groups, rms):
    xhat = (_grouped(x, groups) - _spread(mean)) * _spread(rstd)
    u = _grouped(dy if gamma is None else dy * _channel(gamma), groups)
    axes = (1, 3, 4)
    du = u - xhat * np.mean(u * xhat, axis=axes, keepdims=True)
    du = du if rms else du - np.mean(u, axis=axes, keepdims=True)
    return np.asarray((du * _spread(rstd)).reshape(x.shape), x.dtype)


def _grad_sums_reference(dy, x, mean, rstd, *, groups):
    xhat = ((_grouped(x, groups) - _spread(mean)) * _spread(rstd)).reshape(x.shape)
    return np.sum(dy * xhat, axis=(0, 1, 3)), np.sum(dy, axis=(0, 1, 3))


def _pieces(node):
    """(x - mean) rstd and dy in their groups [B, S, G, K, T], and a function that brings [B, G] beside them."""
    from brisknet.ops import elementwise as ew
    from brisknet.ops.shape import reshape

    dy, x, mean, rstd = node.inputs[:4]
    groups = node.attrs["groups"]
    b, s, c, t = x.shape
    wide = (b, s, groups, c // groups, t)

    def spread(v):
        return reshape(v, (b, 1, groups, 1, 1))

    xhat = ew.multiply(ew.subtract(reshape(x, wide), spread(mean)), spread(rstd))
    return xhat, reshape(dy, wide), spread


def _grad_x_parts(node):
    from brisknet.ops import elementwise as ew
    from brisknet.ops.reduction import mean as reduce_mean
    from brisknet.ops.shape import reshape

    xhat, u, spread = _pieces(node)
    groups = node.attrs["groups"]
    if len(node.inputs) == 5:
        u = ew.multiply(u, reshape(node.inputs[4], (1, 1, groups, xhat.shape[3], 1)))
    axes = (1, 3, 4)
    du = ew.subtract(u, ew.multiply(xhat, reduce_mean(ew.multiply(u, xhat), axis=axes, keepdims=True)))
    if not node.attrs["rms"]:
        du = ew.subtract(du, reduce_mean(u, axis=axes, keepdims=True))
    return (reshape(ew.multiply(du, spread(node.inputs[3])), node.inputs[1].shape),)


def _grad_sums_parts(node):
    from brisknet.ops import elementwise as ew
    from brisknet.ops.reduction import sum as reduce_sum
    from brisknet.ops.shape import reshape

    xhat, dy, _ = _pieces(node)
    channels = (node.inputs[1].shape[2],)
    return reshape(reduce_sum(ew.multiply(dy, xhat), axis=(0, 1, 4)), channels), reshape(reduce_sum(dy, axis=(0, 1, 4)), channels)


def _grad_samples(with_gamma):
    rng = np.random.default_rng(4)
    out = []
    for i, (shape, groups) in enumerate(_SHAPES):
        stats = rng.normal(size=(shape[0], groups)), rng.uniform(0.5, 2.0, (shape[0], groups))
        attrs = {"groups": groups, **({"rms": i % 3 == 1} if with_gamma else {})}
        out.append(Sample((shape, shape, *stats), attrs))
        if with_gamma:
            out.append(Sample((shape, shape, *stats, (shape[2],)), attrs))
    return tuple(out)


register(
    OpSpec(
        "group_norm_grad_x", _grad_infer, _grad_x_reference, by_parts(_grad_x_parts), _grad_samples(True), inplace=(0,)
    )
)
register(
    OpSpec(
        "group_norm_grad_sums",
        lambda s, d, a: ((_channels(s[1], a["groups"], "group_norm_grad_sums"), d[0]),) * 2,
        _grad_sums_reference,
        by_parts(_grad_sums_parts),
        _grad_samples(False),
    )
)


def group_norm(x, gamma, beta, groups, epsilon, rms=False):
    """x [B, S, C, T] normalised within each of `groups` groups of channels, times gamma [C] plus beta [C] (None: without)."""
    rest = tuple(p for p in (gamma, beta) if p is not None)
    attrs = {"groups": int(groups), "epsilon": float(epsilon), "rms": bool(rms)}
    return apply("group_norm", (x, *rest), scale=gamma is not None, center=beta is not None, **attrs)[0]
