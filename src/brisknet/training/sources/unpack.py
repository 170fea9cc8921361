"""A batch as (x, y, sample_weight), from whatever a data set gives."""

from __future__ import annotations

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def unpack_x_y_sample_weight(data):
    """(x, y, sample_weight), with None for what is missing, from x, (x,), (x, y) or (x, y, sample_weight).

    ValueError for a tuple or list of another length.
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"a batch: x, (x,), (x, y) or (x, y, sample_weight) expected, got a {type(data).__name__} of {len(data)}; put "
            "several inputs into a list or a dict of their own, ([a, b], y)"
        )
    return tuple(data) + (None,) * (3 - len(data))


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """What fit takes for a batch: x, (x, y) or (x, y, sample_weight); a list or tuple of inputs alone becomes (x,)."""
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
