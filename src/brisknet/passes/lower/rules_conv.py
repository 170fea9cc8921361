"""Convolution and pooling: which kernel computes a convolution, its two gradients and the windows' maxima and means.

An ordinary convolution is an implicit matrix product (conv_forward); one of 1x1 is a dense layer over all pixels. Its input's
gradient is either a convolution of dz with the weights turned round or, where the stride is not 1 or where that would
multiply many zeros, a product whose rows are scattered. One filter a channel is a kernel family of its own (depthwise).
"""

from __future__ import annotations

import math

import numpy as np

from brisknet.passes.lower.builder import size_of
from brisknet.passes.lower.rules_dense import input_gradient
from brisknet.passes.lower.rules_elementwise import activation_code, float32
from brisknet.variables import PANEL

RULES: dict = {}

SHARDS = 16  # copies of dw that images are summed into, at most
SHARD_FLOATS = 1 << 20  # of all copies together, at most about
FORWARD, TURNED, SCATTER = range(3)  # enum bk_conv_order
FEW = 8  # channels
SCATTER_ADD = 6.0  # cost of adding one float of a scattered product, in multiply-adds


def _three(values, missing) -> tuple:
    return (missing,) * (3 - len(values)) + tuple(values)


def _panel(n: int) -> int:
    """Lanes that n columns take: half panels are cheaper, not by half."""
    return 9 if n <= PANEL // 2 else -(-n // PANEL) * PANEL


class Conv:
    """The geometry of one convolution (struct bk_conv of csrc/kernels/conv.h)."""

    def __init__(self, x_shape, kernel, y_shape, attrs):
        self.n, self.c, self.f = x_shape[0], x_shape[-1], y_shape[-1]
        self.groups = attrs.get("groups", 1)
        self.size, self.out, self.kernel = (_three(v, 1) for v in (x_shape[1:-1], y_shape[1:-1], kernel))
        self.stride = _three(attrs["strides"], 1)
        self.dilation = _three(attrs.get("dilation", (1,) * len(kernel)), 1)
        self.before = _three([lo for lo, _ in attrs["padding"]], 0)

    def array(self) -> np.ndarray:
        """As the kernels read it."""
        fields = (self.size, self.kernel, self.out, self.stride, self.dilation, self.before)
        return np.array([self.n, self.c, self.f, self.groups, *(v for three in fields for v in three)], np.int64)

    def blocks(self) -> Conv:
        """Of blocks of 16 images."""
        new = object.__new__(Conv)
        new.__dict__.update(self.__dict__, n=-(-self.n // PANEL))
        return new

    def turned(self) -> Conv:
        """The convolution of dz, with the taps backwards, that gives dx where the stride is 1."""
        new = object.__new__(Conv)
        new.__dict__.update(self.__dict__, c=self.f, f=self.c, size=self.out, out=self.size)
        reach = tuple((k - 1) * d for k, d in zip(self.kernel, self.dilation, strict=True))
        new.before = tuple(r - lo for r, lo in zip(reach, self.before, strict=True))
        return new

    @property
    def taps(self) -> int:
        return math.prod(self.kernel)

    @property
    def depthwise(self) -> bool:
        return self.groups == self.c > 1

    @property
    def pointwise(self) -> bool:
        """Whether it is a dense layer over pixels."""
        plain = self.kernel == self.stride == (1, 1, 1) and self.before == (0, 0, 0)
        return plain and self.groups == 1 and self.size == self.out

    @property
    def narrow(self) -> bool:
        """Whether its channels are too few to fill vectors, and its images are not."""
        few = min(self.c, self.f) <= FEW and max(self.c, self.f) <= 4 * FEW
        return self.groups == 1 and few and (self.n % PANEL == 0 or self.n >= 4 * PANEL)

    @property
    def can_turn(self) -> bool:
        return self.stride == (1, 1, 1) and min(self.turned().before) >= 0

    def segments(self) -> tuple[int, int]:
        """(how many, length) of the runs of a window under a filter: bk_conv_segments."""
        whole = self.groups == 1 and (self.dilation[2] == 1 or self.kernel[2] == 1)
        return (self.taps // self.kernel[2], self.kernel[2] * self.c) if whole else (self.taps, self.c // self.groups)

    def scatters(self) -> bool:
        """Whether scattering costs less than turning round; in multiply-adds of one group."""
        if not self.can_turn:
            return True
        count, length = self.segments()
        f, c = self.f // self.groups, self.c // self.groups
        turned = math.prod(self.size) * self.taps * f * _panel(c)
        scattered = math.prod(self.out) * count * (-(-length // PANEL) * PANEL * f * 1.1 + SCATTER_ADD * length)
        return scattered < turned

    def packed_floats(self, order: int) -> int:
        """Size of what conv_pack makes: bk_conv_pack_shape."""
        c, f = self.c // self.groups, self.f // self.groups
        if order == FORWARD:
            panels, rows = -(-f // PANEL), self.taps * c
        elif order == TURNED:
            panels, rows = -(-c // PANEL), self.taps * f
        else:
            count, length = self.segments()
            panels, rows = count * -(-length // PANEL), f
        return self.groups * panels * rows * PANEL

    def shards(self, copy: int) -> int:
        """Into how many copies of `copy` floats the images are summed: by shapes alone."""
        n = min(self.n, SHARDS)
        while n > 4 and n * copy > SHARD_FLOATS:
            n //= 2
        return n


def _of(node) -> Conv:
    """The geometry of a convolution or of one of its gradients."""
    if node.op == "conv":
        return Conv(node.inputs[0].shape, node.inputs[1].shape[:-2], node.outputs[0].shape, node.attrs)
    if node.op == "conv_dgrad":
        return Conv(node.outputs[0].shape, node.inputs[1].shape[:-2], node.inputs[0].shape, node.attrs)
    return Conv(node.inputs[0].shape, node.attrs["kernel"], node.inputs[1].shape, node.attrs)


def in_lanes(nodes) -> list:
    """The convolutions whose images are the lanes: all of the graph, where all have few channels and a full vector of images."""
    convs = [n for n in nodes if n.op in ("conv", "conv_dgrad", "conv_wgrad")]
    return convs if all(_of(n).narrow for n in convs) else []


def _packed(b, conv, geometry, w, order):
    """The weights in the order of a product, packed by an instruction in this step."""
    panels = conv.groups == 1 and "panel" in b.places[w]
    source = b.places[w]["panel"] if panels else b.row(w)
    out = b.new(4 * conv.packed_floats(order))
    b.emit("conv_pack", (geometry, source, out), (order, int(panels)), writes=(2,))
    return out


def _conv(b, node):
    x, w, *bias = node.inputs
    y = node.outputs[0]
    float32(*node.inputs)
    conv = _of(node)
    act, alpha = activation_code(node.attrs.get("activation", "linear")), node.attrs.get("alpha", 0.0)
    shift = b.row(bias[0]) if bias else None
    if node in b.in_lanes:
        refs = b.constant(conv.blocks().array()), b.lanes(x), b.row(w), shift, b.out(y, "lanes")
        b.emit("lanes_forward", refs, (act,), (alpha,), writes=(4,), images=conv.blocks().n, sliced=(1, 4))
        return
    source = b.row(x)
    if conv.pointwise:
        refs = source, b.panel(w), shift, b.out(y)
        b.emit("dense_forward", refs, (size_of(x.shape[:-1]), conv.c, conv.f, act), (alpha,), writes=(3,))
        return
    geometry = b.constant(conv.array())
    if conv.depthwise:
        refs = geometry, source, b.row(w), shift, None, b.out(y)
        b.emit("depthwise_forward", refs, (act, 0), (alpha, 1.0), writes=(5,), images=conv.n, sliced=(1, 5))
        return
    weights = b.panel(w) if conv.groups == 1 and conv.f > 1 else _packed(b, conv, geometry, w, FORWARD)
    refs = geometry, source, weights, shift, None, b.out(y)
    b.emit("conv_forward", refs, (act,), (alpha, 1.0), writes=(5,), images=conv.n, sliced=(1, 5))


def _conv_dgrad(b, node):
    dz, w, *y = node.inputs
    dx = node.outputs[0]
    float32(*node.inputs)
    conv = _of(node)
    act = activation_code(node.attrs.get("kind", "linear"))
    floats = node.attrs.get("alpha", 0.0), node.attrs.get("scale", 1.0)
    if node in b.in_lanes:
        stored = b.lanes(y[0]) if y else None
        refs = b.constant(conv.blocks().array()), b.lanes(dz), b.row(w), stored, b.out(dx, "lanes")
        b.emit("lanes_dgrad", refs, (act,), floats, writes=(4,), images=conv.blocks().n, sliced=(1, 3, 4))
        return
    source, stored = b.row(dz), b.row(y[0]) if y else None
    if conv.pointwise:
        input_gradient(b, source, b.panel(w), stored, b.out(dx), size_of(dz.shape[:-1]), conv.c, conv.f, act, floats)
        return
    geometry = b.constant(conv.array())
    if conv.depthwise:
        turned = conv.c == conv.f and conv.can_turn
        weights = b.row(w)
        if turned:
            refs = b.constant(conv.turned().array()), source, weights, None, stored, b.out(dx)
            b.emit("depthwise_forward", refs, (act, 1), floats, writes=(5,), images=conv.n, sliced=(1, 4, 5))
        else:
            refs = geometry, source, weights, stored, b.out(dx)
            b.emit("depthwise_gather", refs, (act,), floats, writes=(4,), images=conv.n, sliced=(1, 3, 4))
        return
    if conv.scatters():
        weights = _packed(b, conv, geometry, w, SCATTER)
        refs = geometry, source, weights, stored, b.out(dx)
        b.emit("conv_scatter", refs, (act,), floats, writes=(4,), images=conv.n, sliced=(1, 3, 4))
        return
    weights = _packed(b, conv, geometry, w, TURNED)
    refs = b.constant(conv.turned().array()), source, weights, None, stored, b.out(dx)
    b.emit("conv_forward", refs, (act,), floats, writes=(5,), images=conv.n, sliced=(1, 4, 5))


def _conv_wgrad(b, node):
    x, dz = node.inputs
    dw = node.outputs[0]
    float32(x, dz)
    conv = _of(node)
    by_panels = node not in b.in_lanes and not conv.depthwise
    if by_panels:
        f, k = conv.f // conv.groups, conv.taps * (conv.c // conv.groups)
        copy = conv.groups * -(-f // PANEL) * (k + 1) * PANEL
    else:
        rows = conv.taps * (1 if conv.depthwise else conv.c)
        copy = (rows + 1) * -(-conv.f // PANEL) * PANEL
    if node in b.in_lanes:
        conv, kernel, refs = conv.blocks(), "lanes_wgrad", (b.lanes(x), b.lanes(dz))
    else:
        kernel, refs = "depthwise_wgrad" if conv.depthwise else "conv_wgrad", (b.row(x), b.row(dz))
    geometry, shards = b.constant(conv.array()), conv.shards(copy)
    copies = b.new(4 * shards * copy)
    whole = conv.n % shards == 0  # each shard is of as many images
    ints = (shards, int(node.attrs["bias"])) if kernel == "depthwise_wgrad" else (shards,)
    b.emit(kernel, (geometry, *refs, copies), ints, writes=(3,), images=shards if whole else 0, sliced=(1, 2, 3))
    panels = by_panels and conv.groups == 1 and conv.f > 1
    out = b.out(dw, "panel" if panels else "row")
    db = b.out(node.outputs[1]) if node.attrs["bias"] else None
    if by_panels:
        b.emit("conv_wgrad_sum", (geometry, copies, out, db), (shards, int(panels)), writes=(2, 3))
    else:
        b.emit("shard_sum", (copies, out, db), (shards, rows, conv.f), writes=(1, 2))


def _pool_geometry(b, x_shape, y_shape, attrs, lanes):
    """With images as lanes, an array is one of N/16 images of 16 C channels."""
    if lanes:
        x_shape, y_shape = ((-(-s[0] // PANEL), *s[1:-1], PANEL * s[-1]) for s in (x_shape, y_shape))
    return b.constant(Conv(x_shape, attrs["pool"], y_shape, attrs).array())


def _pool(kernel: str):
    """A kernel of windows of the first input, or of its gradient."""

    def rule(b, node):
        out, ins = node.outputs[0], node.inputs
        float32(*ins)
        if kernel in ("max_pool", "avg_pool"):
            shapes = ins[0].shape, out.shape
        elif kernel == "avg_pool_grad":
            shapes = out.shape, ins[0].shape
        else:
            shapes = ins[0].shape, ins[1].shape
        layout = "lanes" if any(b.layout(t) == "lanes" for t in ins) else "row"
        act = activation_code(node.attrs.get("kind", "linear"))
        geometry = _pool_geometry(b, *shapes, node.attrs, layout == "lanes")
        refs = geometry, *(b.as_layout(t, layout) for t in ins), b.out(out, layout)
        images = -(-out.shape[0] // PANEL) if layout == "lanes" else out.shape[0]
        sliced = range(1, len(refs))
        b.emit(kernel, refs, (act,), (node.attrs.get("alpha", 0.0),), writes=(len(refs) - 1,), images=images, sliced=sliced)

    return rule


RULES.update({"conv": _conv, "conv_dgrad": _conv_dgrad, "conv_wgrad": _conv_wgrad})
RULES.update({k: _pool(k) for k in ("max_pool", "max_pool_grad", "max_pool_gather", "avg_pool", "avg_pool_grad")})
