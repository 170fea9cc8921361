"""Images as Pillow has them and as arrays: array_to_img, img_to_array, save_img, load_img. Names and arguments are Keras'."""

from __future__ import annotations

import io
import pathlib
import warnings

import numpy as np

from brisknet import config

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]

_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}
_METHODS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def _pillow(what: str):
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(f"{what} needs Pillow, which comes with matplotlib: pip install brisknet[plot]") from None
    return Image


def _channels_first(data_format) -> bool:
    data_format = config.image_data_format() if data_format is None else data_format
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f'data_format must be "channels_first" or "channels_last", got {data_format!r}')
    return data_format == "channels_first"


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """A Pillow image of an array [height, width, channels] (or channels first), with 1, 3 or 4 channels.

    data_format   "channels_last" or "channels_first"; config.image_data_format() by default
    scale         the smallest value becomes 0 and the largest 255; else values are taken as they are, cut to integers
    dtype         what the scaling is computed in; config.floatx() by default

    One channel is grey: of 8 bits, or of 32 where unscaled values are above 255. ValueError for any other rank or number of
    channels. Needs Pillow (pip install brisknet[plot]).
    """
    first, image = _channels_first(data_format), _pillow("array_to_img()")
    x = np.asarray(x, dtype=dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(f"array_to_img: one image, an array of rank 3, expected, got shape {x.shape}")
    x = x.transpose(1, 2, 0) if first else x
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(f"array_to_img: 1, 3 or 4 channels expected, got shape {x.shape} (channels last)")
    if scale:
        x = x - np.min(x)
        top = np.max(x)
        x = (x / top if top != 0 else x) * 255
    if x.shape[2] > 1:
        return image.fromarray(x.astype("uint8"))
    return image.fromarray(x[:, :, 0].astype("int32" if np.max(x) > 255 else "uint8"))


def img_to_array(img, data_format=None, dtype=None):
    """A Pillow image as an array [height, width, channels] (or channels first), grey ones with one channel.

    dtype    config.floatx() by default; the values stay, 0 to 255
    """
    first = _channels_first(data_format)
    x = np.asarray(img, dtype=dtype or config.floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"img_to_array: an image of rank 2 or 3 expected, got shape {x.shape}")
    x = x[..., None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if first else x


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Write an array [height, width, channels] as an image file.

    path          a path, or a file that is open (then file_format must be given)
    file_format   by default that of the path's ending; jpg is jpeg, which leaves out a fourth channel (with a warning)
    scale         as for array_to_img()
    kwargs        what Pillow's save() takes besides, such as quality
    """
    if file_format is None and isinstance(path, (str, pathlib.Path)):
        file_format = pathlib.Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2)
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    """Read an image file; gives a Pillow image.

    path                a path or an io.BytesIO
    color_mode          "rgb", "rgba" or "grayscale" (then images of 8, 16 and 32 bits stay what they are)
    target_size         (height, width) to resize to
    interpolation       "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming"
    keep_aspect_ratio   cut to the target's proportions, around the centre, before resizing

    TypeError for another kind of path; ValueError for names that are not among these.
    """
    image = _pillow("load_img()")
    if color_mode not in _MODES:
        raise ValueError(f'load_img: color_mode must be "grayscale", "rgb" or "rgba", got {color_mode!r}')
    if interpolation not in _METHODS:
        raise ValueError(f"load_img: interpolation must be one of {', '.join(_METHODS)}, got {interpolation!r}")
    if isinstance(path, (pathlib.Path, bytes, str)):
        path = io.BytesIO(pathlib.Path(path.decode() if isinstance(path, bytes) else path).read_bytes())
    elif not isinstance(path, io.BytesIO):
        raise TypeError(f"load_img: a path or an io.BytesIO expected, got {type(path).__name__}")
    img = image.open(path)
    if img.mode not in _MODES[color_mode]:
        img = img.convert(_MODES[color_mode][0])
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    size = target_size[1], target_size[0]
    method = getattr(image.Resampling, interpolation.upper())
    return img.resize(size, method, box=_middle(img.size, size) if keep_aspect_ratio else None)


def _middle(size, target) -> tuple:
    """(left, top, right, bottom) of the largest part around the centre that has the target's proportions."""
    (width, height), (wide, high) = size, target
    cut_height, cut_width = min(height, width * high // wide), min(width, height * wide // high)
    left, top = (width - cut_width) // 2, (height - cut_height) // 2
    return left, top, left + cut_width, top + cut_height
