"""Images: interpolation along an axis, and affine transforms of a batch by one matrix an image, with their gradients.

Both are linear in the image, so their gradients are the transposed maps. Channels are last.
"""

from __future__ import annotations

import functools

import numpy as np

from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.registry import OpSpec, Sample, register
from brisknet.ops.spatial_arguments import data_format_name, int_tuple

__all__ = ["FILL_MODES", "INTERPOLATIONS", "affine", "affine_transform", "band_table", "resample", "resize"]

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_FAR = 1e9  # coordinates beyond are as good as infinite


# ---- interpolation along one axis -----------------------------------------------------------------------------------------
def _kernel(method, x):
    """The weight of an element at distance x >= 0 from a sample. Keys 1981 for bicubic (a = -1/2)."""
    if method == "bilinear":
        return np.maximum(0.0, 1.0 - x)
    if method == "bicubic":
        near = ((1.5 * x - 2.5) * x) * x + 1.0
        far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
        return np.where(x >= 2.0, 0.0, np.where(x >= 1.0, far, near))
    radius = float(method[-1])
    with np.errstate(all="ignore"):
        wave = radius * np.sin(np.pi * x) * np.sin(np.pi * x / radius) / (np.pi**2 * x**2)
    return np.where(x > radius, 0.0, np.where(x > 1e-3, wave, 1.0))


def _weights(source: int, target: int, method: str, antialias: bool) -> np.ndarray:
    """[target, source]: each output as a weighted sum of inputs, pixel centres at half-integers, as in jax.image.resize."""
    if method == "nearest":
        at = np.minimum(np.floor((np.arange(target) + 0.5) * (source / target)).astype(int), source - 1)
        return np.eye(source)[at]
    step = source / target
    width = max(step, 1.0) if antialias else 1.0
    centre = (np.arange(target) + 0.5) * step - 0.5
    w = _kernel(method, np.abs(centre[:, None] - np.arange(source)) / width)
    total = np.sum(w, axis=1, keepdims=True)
    w = np.where(np.abs(total) > 1e-4, w / np.where(total == 0, 1.0, total), 0.0)
    inside = (centre >= -0.5) & (centre <= source - 0.5)
    return np.where(inside[:, None], w, 0.0)


@functools.lru_cache(maxsize=256)
def band_table(sizes: tuple, method: str, antialias: bool, transposed: bool):
    """(start [O] int, weights [O,T]): output i is the sum over t of weights[i,t] x[start[i] + t]."""
    matrix = _weights(*sizes, method, antialias)
    matrix = matrix.T if transposed else matrix
    used = matrix != 0
    first = np.where(used.any(1), used.argmax(1), 0)
    last = np.where(used.any(1), matrix.shape[1] - 1 - used[:, ::-1].argmax(1), 0)
    taps = int((last - first).max()) + 1
    first = np.minimum(first, matrix.shape[1] - taps)
    return first, np.take_along_axis(matrix, first[:, None] + np.arange(taps), axis=1)


def _resample_infer(shapes, dtypes, attrs):
    (x,), axis, sizes = shapes, attrs["axis"], attrs["sizes"]
    if attrs["method"] not in INTERPOLATIONS:
        raise ValueError(f"resample: interpolation must be one of {INTERPOLATIONS}, got {attrs['method']!r}")
    if min(sizes) < 1:
        raise ValueError(f"resample: sizes must be positive, got {sizes}")
    given, out = sizes[::-1] if attrs["transposed"] else sizes
    if x[axis] != given:
        raise ValueError(f"resample: {given} elements along axis {axis} expected, got shape {x}")
    return (((*x[:axis], out, *x[axis + 1 :]), dtypes[0]),)


def _resample_reference(x, *, axis, sizes, method, antialias, transposed):
    first, weights = band_table(sizes, method, antialias, transposed)
    along = (-1, *(1,) * (x.ndim - axis - 1))
    out = 0.0
    for t in range(weights.shape[1]):
        out = out + np.take(x, first + t, axis=axis) * weights[:, t].reshape(along).astype(x.dtype)
    return np.ascontiguousarray(out)


def _resample_samples():
    cases = [
        ((2, 3, 4), 1, (3, 6), "nearest"), ((2, 3, 4), 1, (3, 7), "bilinear"), ((1, 5, 3, 2), 2, (3, 8), "bicubic"),
        ((1, 9, 4), 1, (9, 4), "lanczos3"), ((1, 12, 2), 1, (12, 5), "lanczos5"), ((3, 7), 1, (7, 3), "nearest"),
        ((2, 1, 5), 1, (1, 4), "bilinear"), ((2, 5, 6, 17), 1, (5, 9), "bilinear"), ((2, 8, 3), 1, (8, 1), "bilinear"),
    ]  # fmt: skip
    out = []
    for i, (shape, axis, sizes, method) in enumerate(cases):
        attrs = {"axis": axis, "sizes": sizes, "method": method, "antialias": i % 2 == 1}
        y = (*shape[:axis], sizes[1], *shape[axis + 1 :])
        out += [Sample((shape,), {**attrs, "transposed": False}), Sample((y,), {**attrs, "transposed": True})]
    return tuple(out)


register(
    OpSpec(
        "resample",
        _resample_infer,
        _resample_reference,
        lambda n, g: (apply("resample", (g[0],), **{**n.attrs, "transposed": not n.attrs["transposed"]}),),
        _resample_samples(),
    )
)


def resample(x, axis: int, size: int, method: str = "bilinear", antialias: bool = False):
    """x with `size` elements along an axis, interpolated by one of INTERPOLATIONS."""
    if x.shape[axis] == size and not antialias:
        return x
    return apply(
        "resample", (x,), axis=int(axis), sizes=(int(x.shape[axis]), int(size)), method=method,
        antialias=bool(antialias), transposed=False,
    )  # fmt: skip


# ---- affine transforms ----------------------------------------------------------------------------------------------------
def _affine_infer(shapes, dtypes, attrs):
    x, t = shapes
    if len(x) != 4 or t != (x[0], 8):
        raise ValueError(f"affine: images [N,H,W,C] and transforms [N,8] expected, got shapes {x} and {t}")
    if attrs["method"] not in ("nearest", "bilinear"):
        raise ValueError(f"affine: interpolation must be 'nearest' or 'bilinear', got {attrs['method']!r}")
    if attrs["fill_mode"] not in FILL_MODES:
        raise ValueError(f"affine: fill_mode must be one of {FILL_MODES}, got {attrs['fill_mode']!r}")
    return (((x[0], *attrs["size"], x[3]), dtypes[0]),)


def _mirrored(i, size):
    """Index i reflected at the first and last of `size` elements, neither repeated."""
    s = size - 1
    return np.zeros_like(i) if s == 0 else np.abs((i + s) % (2 * s) - s)


def _fixed(i, size, mode):
    """(index within the image, whether it was there before) of integer coordinates."""
    inside = (i >= 0) & (i < size)
    if mode == "wrap":
        return i % size, np.ones_like(inside)
    if mode == "mirror":
        return _mirrored(i, size), np.ones_like(inside)
    if mode == "reflect":
        return (_mirrored(2 * i + 1, 2 * size + 1) - 1) // 2, np.ones_like(inside)
    return np.clip(i, 0, size - 1), inside if mode == "constant" else np.ones_like(inside)


def _taps(transforms, in_size, size, method, mode):
    """(rows, columns, weights, inside) of every element that an output is made of, each [N,OH,OW]."""
    t = np.asarray(transforms, np.float64)[:, :, None, None]
    y, x = np.meshgrid(np.arange(size[0], dtype=np.float64), np.arange(size[1], dtype=np.float64), indexing="ij")
    at = (t[:, 3] * x + t[:, 4] * y + t[:, 5], t[:, 0] * x + t[:, 1] * y + t[:, 2])  # row, column
    at = [np.clip(c, -_FAR, _FAR) for c in at]
    if method == "nearest":
        options = [[(np.trunc(c + np.copysign(0.5, c)).astype(np.int64), np.ones_like(c))] for c in at]
    else:
        low = [np.floor(c).astype(np.int64) for c in at]
        options = [[(i, 1.0 - (c - i)), (i + 1, c - i)] for c, i in zip(at, low, strict=True)]
    for row, wy in options[0]:
        for column, wx in options[1]:
            r, in_r = _fixed(row, in_size[0], mode)
            c, in_c = _fixed(column, in_size[1], mode)
            yield r, c, wy * wx, in_r & in_c


def _affine_reference(x, transforms, *, size, method, fill_mode, fill_value):
    n, out = np.arange(x.shape[0])[:, None, None], np.zeros((x.shape[0], *size, x.shape[3]), x.dtype)
    fill = np.asarray(fill_value, x.dtype)
    for r, c, w, inside in _taps(transforms, x.shape[1:3], size, method, fill_mode):
        out += np.where(inside[..., None], x[n, r, c], fill) * w[..., None].astype(x.dtype)
    return out


def _affine_vjp(node, grads):
    x, t = node.inputs
    attrs = {k: node.attrs[k] for k in ("method", "fill_mode")}
    return apply("affine_grad", (grads[0], t), size=x.shape[1:3], **attrs), None


def _affine_grad_infer(shapes, dtypes, attrs):
    dy, t = shapes
    if len(dy) != 4 or t != (dy[0], 8):
        raise ValueError(f"affine_grad: dy [N,OH,OW,C] and transforms [N,8] expected, got shapes {dy} and {t}")
    return (((dy[0], *attrs["size"], dy[3]), dtypes[0]),)


def _affine_grad_reference(dy, transforms, *, size, method, fill_mode):
    n, dx = np.arange(dy.shape[0])[:, None, None], np.zeros((dy.shape[0], *size, dy.shape[3]), dy.dtype)
    for r, c, w, inside in _taps(transforms, size, dy.shape[1:3], method, fill_mode):
        np.add.at(dx, (n, r, c), dy * np.where(inside, w, 0.0)[..., None].astype(dy.dtype))
    return dx


def _affine_grad_vjp(node, grads):
    dy, t = node.inputs
    attrs = {k: node.attrs[k] for k in ("method", "fill_mode")}
    return apply("affine", (grads[0], t), size=dy.shape[1:3], fill_value=0.0, **attrs), None


def _affine_samples(gradient: bool):
    rng = np.random.default_rng(6)
    cases = [("bilinear", m, (2, 5, 4, 2), (5, 4)) for m in FILL_MODES] + [("nearest", m, (2, 4, 5, 1), (3, 6)) for m in FILL_MODES]
    cases += [("bilinear", "reflect", (1, 1, 1, 3), (2, 2)), ("bilinear", "constant", (3, 9, 8, 17), (9, 8))]
    out = []
    for method, mode, x, size in cases:
        turn = rng.normal(0, 0.6, (x[0], 8)) + np.array([1.0, 0, 0.3, 0, 1.0, -0.4, 0, 0])
        turn[:, 6:] = 0.0
        attrs = {"method": method, "fill_mode": mode, "size": x[1:3] if gradient else size}
        shape = (x[0], *size, x[3]) if gradient else x
        out.append(Sample((shape, turn.astype(np.float32)), attrs if gradient else {**attrs, "fill_value": 0.25}, wrt=(0,)))
    return tuple(out)


register(OpSpec("affine", _affine_infer, _affine_reference, _affine_vjp, _affine_samples(False)))
register(OpSpec("affine_grad", _affine_grad_infer, _affine_grad_reference, _affine_grad_vjp, _affine_samples(True)))


def affine(x, transforms, size=None, method="bilinear", fill_mode="reflect", fill_value=0.0):
    """Output pixel (column X, row Y) of image n is the input at (a0 X + a1 Y + a2, b0 X + b1 Y + b2).

    x [N,H,W,C]; transforms [N,8]: a0, a1, a2, b0, b1, b2 and two zeros of each image; size (H, W by default) of the output.
    Outside the image: fill_value ("constant"), its edge ("nearest"), or the image repeated ("wrap") or reflected.
    """
    size = tuple(x.shape[1:3]) if size is None else tuple(int(s) for s in size)
    return apply("affine", (x, transforms), size=size, method=method, fill_mode=fill_mode, fill_value=float(fill_value))



# ---- as in keras.ops.image ------------------------------------------------------------------------------------------------
def _batch_last(images, data_format, name):
    """(images as [N,H,W,C], function that brings the result back)."""
    from brisknet.ops.shape import reshape
    from brisknet.ops.spatial import to_channels_first, to_channels_last

    data_format = data_format_name(data_format, f"{name}: data_format")
    x = float_array(images)
    if len(x.shape) not in (3, 4):
        raise ValueError(f"{name}: one image or a batch of images (rank 3 or 4) expected, got shape {tuple(x.shape)}")
    single = len(x.shape) == 3
    x = to_channels_last(reshape(x, (1, *x.shape)) if single else x, data_format)

    def back(y):
        y = to_channels_first(y, data_format)
        return reshape(y, tuple(y.shape[1:])) if single else y

    return x, back


def aspect_crop(height: int, width: int, size) -> tuple:
    """(top, left, height, width) of the largest part in the middle that has the aspect ratio of size."""
    h = max(min(height, int(float(width * size[0]) / size[1])), 1)
    w = max(min(width, int(float(height * size[1]) / size[0])), 1)
    return int(float(height - h) / 2), int(float(width - w) / 2), h, w


def crop(x, top: int, left: int, height: int, width: int):
    """Rows top.. and columns left.. of images [N,H,W,C]."""
    n, _, _, c = x.shape
    return apply("slice", (x,), slices=((0, n, 1), (top, top + height, 1), (left, left + width, 1), (0, c, 1)))


def _padded(x, size, fill_value):
    """Images with the aspect ratio of size, by fill_value above and below or left and right."""
    from brisknet.ops.shape import pad

    height, width = x.shape[1:3]
    rows = int(float(max(height, int(float(width * size[0]) / size[1])) - height) / 2)
    columns = int(float(max(width, int(float(height * size[1]) / size[0])) - width) / 2)
    if rows:
        return pad(x, ((0, 0), (rows, rows), (0, 0), (0, 0)), constant_values=fill_value)
    return pad(x, ((0, 0), (0, 0), (columns, columns), (0, 0)), constant_values=fill_value) if columns else x


def resize(
    images, size, interpolation="bilinear", antialias=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
    fill_mode="constant", fill_value=0.0, data_format=None,
):  # fmt: skip
    """Images of another size (height, width), interpolated between the centres of pixels.

    The aspect ratio may be kept by cutting the longer side off or by padding the shorter one with fill_value.
    """
    size = int_tuple(size, 2, "resize: size")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"resize: interpolation must be one of {INTERPOLATIONS}, got {interpolation!r}")
    if fill_mode != "constant":
        raise ValueError(f"resize: fill_mode must be 'constant', got {fill_mode!r}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: crop_to_aspect_ratio and pad_to_aspect_ratio can't both be True")
    x, back = _batch_last(images, data_format, "resize")
    if crop_to_aspect_ratio:
        x = crop(x, *aspect_crop(*x.shape[1:3], size))
    elif pad_to_aspect_ratio:
        x = _padded(x, size, fill_value)
    for axis in (0, 1):
        x = resample(x, axis + 1, size[axis], interpolation, antialias)
    return back(x)


def affine_transform(images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, data_format=None):
    """Images under one transform [8] or one an image [N,8]: output (X, Y) is the input at (a0 X + a1 Y + a2, b0 X + b1 Y + b2)."""
    from brisknet.ops.shape import broadcast_to, reshape

    x, back = _batch_last(images, data_format, "affine_transform")
    transform = float_array(transform)
    if tuple(transform.shape) not in ((8,), (1, 8), (x.shape[0], 8)):
        raise ValueError(f"affine_transform: transform of shape (8,) or ({x.shape[0]}, 8) expected, got {tuple(transform.shape)}")
    transform = broadcast_to(reshape(transform, (-1, 8)), (x.shape[0], 8))
    return back(affine(x, transform, None, interpolation, fill_mode, fill_value))
