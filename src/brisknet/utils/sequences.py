"""pad_sequences: sequences of different lengths as one array."""

from __future__ import annotations

import numpy as np

from brisknet.utils.counts import check_count

__all__ = ["pad_sequences"]

_SIDES = ("pre", "post")


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """Sequences of numbers, or of vectors of one shape, as an array [sequences, maxlen, ...].

    maxlen       the length of the rows; None: that of the longest sequence
    dtype        of the array; object for strings
    padding      "pre" or "post": where shorter sequences get `value`
    truncating   "pre" or "post": where longer ones lose elements

    ValueError for what is no list of sequences, and for vectors of different shapes.
    """
    for side, name in ((padding, "padding"), (truncating, "truncating")):
        if side not in _SIDES:
            raise ValueError(f'pad_sequences: {name} must be "pre" or "post", got {side!r}')
    if not hasattr(sequences, "__len__") or isinstance(sequences, (str, bytes, dict)):
        raise ValueError(f"pad_sequences: sequences must be a list of sequences, got a {type(sequences).__name__}")
    maxlen = check_count(maxlen, "pad_sequences: maxlen", none=True)
    lengths = [_length(s, i) for i, s in enumerate(sequences)]
    width = max(lengths, default=0) if maxlen is None else maxlen
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OUS":
        raise ValueError(f"pad_sequences: value {value!r} does not fit dtype {dtype}; use dtype=object for strings")
    first = next((s for s, n in zip(sequences, lengths, strict=True) if n), None)
    shape = () if first is None else np.asarray(first).shape[1:]
    out = np.full((len(lengths), width, *shape), value, dtype)
    for i, sequence in enumerate(sequences):
        if lengths[i] == 0:
            continue
        part = _numbers(sequence[-width:] if truncating == "pre" else sequence[:width], dtype, i)
        if part.shape[1:] != shape:
            raise ValueError(
                f"pad_sequences: elements of one shape expected, {shape} as in the first sequence, got {part.shape[1:]} in "
                f"sequence {i}"
            )
        at = slice(width - len(part), width) if padding == "pre" else slice(0, len(part))
        out[i, at] = part
    return out


def _length(sequence, i: int) -> int:
    if isinstance(sequence, (str, bytes)) or not hasattr(sequence, "__len__"):
        raise ValueError(
            f"pad_sequences: sequences must be a list of sequences, got the {type(sequence).__name__} {sequence!r} at position "
            f"{i}; turn texts into numbers first, e.g. with TextVectorization"
        )
    return len(sequence)


def _numbers(part, dtype, i: int) -> np.ndarray:
    try:
        return np.asarray(part, dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"pad_sequences: sequence {i} can't be read as an array of {dtype} ({error})") from None
