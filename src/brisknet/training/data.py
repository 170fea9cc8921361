"""What users feed, as checked C-contiguous arrays: one row a sample, errors that name the argument."""

from __future__ import annotations

import numpy as np

from brisknet.layers.keras_tensor import flatten
from brisknet.utils.counts import check_count

__all__ = ["as_rows", "check_count", "class_weights_to_sample_weights", "match_inputs", "same_length", "split_validation", "validation_epochs"]

_KINDS = {"O": "objects", "U": "strings", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "time spans", "V": "records"}


def to_array(x, name: str) -> np.ndarray:
    """Anything with __array__, a buffer, DLPack or nested lists of numbers, as an array of numbers."""
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise ValueError(f"{name}: an array without gaps expected, got a masked array; fill its {np.ma.count_masked(x)} "
                         "masked entries with x.filled(...), or drop their rows")  # fmt: skip
    if isinstance(x, np.ndarray) and x.dtype.kind in "fiub":
        return x
    if _is_polars(x):
        return _from_frame(x, name) if type(x).__name__ == "DataFrame" else _from_polars(x, name)
    if hasattr(x, "dtypes") and hasattr(x, "columns"):  # a frame: nullable columns have NaN for missing
        return _from_frame(x, name)
    if hasattr(x, "to_numpy") and not isinstance(x, np.ndarray):
        try:
            x = x.to_numpy(dtype=None if getattr(x.dtype, "kind", "O") in "fiub" and _plain_dtype(x) else "float64")
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name}: numbers expected, got a series of dtype {x.dtype} ({error})") from None
    elif not hasattr(x, "__array__") and hasattr(x, "__dlpack__"):
        x = np.from_dlpack(x)
    if hasattr(x, "_keras_history"):
        raise TypeError(f"{name}: an array expected, got a symbolic KerasTensor of shape {x.shape}")
    if not (isinstance(x, (list, tuple, bool, int, float, complex)) or hasattr(x, "__array__") or _is_sequence(x)):
        raise TypeError(f"{name}: an array of numbers expected, got {_kind(x)}")
    try:
        array = np.asarray(x)
    except ValueError as error:
        shapes = [a.shape for a in x if hasattr(a, "shape")] if isinstance(x, (list, tuple)) else []
        what = f"a {type(x).__name__} of arrays of shapes {shapes}" if 0 < len(shapes) <= 8 else "a ragged sequence"
        raise ValueError(f"{name}: rows of equal length expected, got {what} ({str(error).split('.')[0]})") from None
    except TypeError as error:
        raise TypeError(f"{name}: an array of numbers expected, got {_kind(x)} ({error})") from None
    if array.dtype.kind not in "fiub":
        what = _KINDS.get(array.dtype.kind, str(array.dtype))
        hint = ""
        if array.dtype.kind == "O":
            hint = "; convert it with .astype('float32') once every entry is a number"
        if array.dtype.kind in "US":
            hint = "; encode the words as numbers first, e.g. by layers.TextVectorization or layers.StringLookup"
        raise TypeError(f"{name}: an array of numbers expected, got {what} (dtype {array.dtype}){hint}")
    return array


def _is_sequence(x) -> bool:
    """True for what NumPy reads as an array: buffers, and other sequences than text."""
    if isinstance(x, (str, bytes, dict, set, frozenset)):
        return False
    return isinstance(x, (memoryview, bytearray)) or hasattr(x, "__len__") and hasattr(x, "__getitem__")


def _kind(x) -> str:
    name = type(x).__name__
    return f"the {name} {x!r}" if isinstance(x, str) else f"a {name}"


def _plain_dtype(x) -> bool:
    return isinstance(getattr(x, "dtype", None), np.dtype)


def _from_frame(frame, name: str) -> np.ndarray:
    columns = []
    for column in frame.columns:
        series = frame[column]
        try:
            if _is_polars(series):
                columns.append(_from_polars(series, name))
            else:
                columns.append(np.asarray(series.to_numpy(dtype="float64")))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{name}: column {column!r} of dtype {series.dtype} can't be turned into numbers ({error}); encode or "
                "drop it"
            ) from None
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def _is_polars(x) -> bool:
    return type(x).__module__.partition(".")[0] == "polars"


def _from_polars(series, name: str) -> np.ndarray:
    """A polars series: missing values become NaN, as in pandas; TypeError where it holds no numbers."""
    array = series.to_numpy() if type(series).__name__ == "Series" else None
    if array is None or array.dtype.kind not in "fiub":
        if array is None or array.dtype.kind != "O" or not (series.dtype.is_numeric() or str(series.dtype) == "Boolean"):
            got = f"a series of dtype {series.dtype}" if type(series).__name__ == "Series" else f"a {type(series).__name__}"
            hint = "; call .collect() first" if type(series).__name__ == "LazyFrame" else ""
            raise TypeError(f"{name}: numbers expected, got {got}{hint}")
        array = np.array([np.nan if v is None else v for v in array], np.float64)
    return array


def as_rows(x, name: str) -> np.ndarray:
    """An array of at least one row, native byte order, C-contiguous (a copy only where needed)."""
    array = to_array(x, name)
    if array.ndim == 0:
        raise ValueError(f"{name}: an array with one row a sample expected, got the single number {array}")
    if array.dtype.kind == "f" and array.dtype.itemsize not in (2, 4, 8):
        array = array.astype(np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array)


def match_inputs(x, names: list[str], ranks: list[int], name: str) -> list:
    """One entry of x an input, in the order of `names`: x is an array (one input), a list in order, or a dict by name."""
    n = len(names)
    if isinstance(x, dict):
        missing = [k for k in names if k not in x]
        if missing:
            raise ValueError(f"{name}: no array for input(s) {missing}; got {sorted(map(str, x))}")
        return [x[k] for k in names]
    if n == 1:
        wrapped = isinstance(x, (list, tuple)) and len(x) == 1 and np.ndim(x[0]) == ranks[0] and hasattr(x[0], "ndim")
        return [x[0]] if wrapped else [x]
    if not isinstance(x, (list, tuple)):
        raise ValueError(f"{name}: a list of {n} arrays for the inputs {names} expected, got one {type(x).__name__}")
    if len(x) != n:
        raise ValueError(f"{name}: one array for each of the {n} inputs {names} expected, got {len(x)}")
    return list(x)


def is_structure(x) -> bool:
    """True for a dict, or for a list or tuple of arrays of rank >= 2: the inputs of a model that takes several."""
    if isinstance(x, dict):
        return True
    return isinstance(x, (list, tuple)) and len(x) > 1 and all(getattr(a, "ndim", 0) >= 2 for a in x)


def same_length(arrays: dict) -> int:
    """The number of rows that all arrays have; ValueError names those that differ, or that are empty."""
    sizes = {name: len(a) for name, a in arrays.items() if a is not None}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{n} has {k}" for n, k in sizes.items())
        raise ValueError(f"all arrays must have the same number of rows, but {listed}")
    rows = next(iter(sizes.values()))
    if rows == 0:
        raise ValueError(f"{next(iter(sizes))}: at least one row expected, got an empty array")
    return rows


class ClassWeights(np.ndarray):
    """Weights of rows that come from class_weight: they hold for training, not for the part held out for validation."""


def class_weights_to_sample_weights(y: np.ndarray, class_weight: dict, classes: int | None = None) -> np.ndarray:
    """One weight a row from {class: weight}; y holds labels [n], [n, 1] or one-hot rows. Classes not named weigh 1.

    ValueError for weights that are no numbers >= 0, and for a class that is neither below `classes` nor among the labels.
    """
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight: a dict {{class: weight}} expected, got {type(class_weight).__name__}")
    for key, value in class_weight.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not isinstance(key, (int, np.integer)) or not number or not np.isfinite(value) or value < 0:
            raise ValueError(f"class_weight: whole class numbers and weights >= 0 expected, got {{{key!r}: {value!r}}}")
    if y.ndim > 2:
        raise ValueError(f"class_weight: targets of rank 1 or 2 expected, got shape {y.shape}")
    labels = np.argmax(y, axis=1) if y.ndim == 2 and y.shape[1] > 1 else np.round(y.reshape(len(y))).astype(np.int64)
    weights = np.ones(len(y), np.float32)
    for key, value in class_weight.items():
        rows = labels == key
        if classes is not None and not 0 <= key < classes and not rows.any():
            raise ValueError(f"class_weight: classes 0 to {classes - 1} expected, got {key}, which no label has")
        weights[rows] = value
    return weights.view(ClassWeights)


def check_fraction(fraction, rows: int) -> int:
    """Where to cut `rows` rows to hold out the last `fraction`; ValueError where one of the parts would be empty."""
    number = isinstance(fraction, (int, float, np.floating)) and not isinstance(fraction, bool)
    if not number or not 0 < fraction < 1:
        raise ValueError(f"validation_split must be a number between 0 and 1, got {fraction!r}")
    at = int(np.floor(rows * (1.0 - fraction)))
    if at == 0 or at == rows:
        raise ValueError(
            f"validation_split={fraction} of {rows} rows leaves {at} for training and {rows - at} for validation; "
            "both need at least one"
        )
    return at


def split_validation(arrays: list, fraction: float):
    """(training part, validation part): the last `fraction` of the rows is held out, before any shuffling."""
    rows = len(next(a for a in flatten(arrays) if a is not None))
    at = check_fraction(fraction, rows)

    def cut(structure, part):
        if isinstance(structure, list):
            return [cut(s, part) for s in structure]
        held = part.start > 0
        return None if structure is None or held and isinstance(structure, ClassWeights) else structure[part]

    return cut(arrays, slice(0, at)), cut(arrays, slice(at, rows))


def validation_epochs(freq):
    """A function epoch -> whether it ends with a validation: every freq-th epoch, or those numbered (from 1) in a list."""
    if isinstance(freq, (list, tuple, set, frozenset, range)):
        chosen = {check_count(n, "validation_freq") for n in freq}
        return lambda epoch: epoch + 1 in chosen
    every = check_count(freq, "validation_freq")
    return lambda epoch: (epoch + 1) % every == 0
