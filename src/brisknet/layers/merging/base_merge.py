"""Merge: the base of the layers that join several inputs element by element."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.layer import Layer
from brisknet.layers.masks import get_mask, set_mask

__all__ = ["Merge"]


class Merge(Layer):
    """Joins a list of inputs that broadcast together; inputs of lower rank get axes of 1 behind the batch, as in Keras.

    Subclasses define _merge_function(inputs), which is given tensors of one rank, and `least` and `most`, the numbers of
    inputs that they take (most None: any number).
    """

    least, most = 1, None
    supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def _merge_function(self, inputs):
        raise NotImplementedError(f"merge layer {type(self).__name__} must define _merge_function(self, inputs)")

    def call(self, inputs):
        self._shapes([tuple(x.shape) for x in inputs] if isinstance(inputs, (list, tuple)) else tuple(inputs.shape))
        rank = max(len(x.shape) for x in inputs)
        inputs = [x if len(x.shape) == rank else ops.reshape(x, padded(tuple(x.shape), rank)) for x in inputs]
        return self._merge_function(inputs)

    def compute_mask(self, inputs, mask=None):
        """Where any of the inputs keeps a step; None unless all have masks."""
        masks = self._masks(inputs, mask)
        if masks is None or any(m is None for m in masks):
            return None
        out = masks[0]
        for m in masks[1:]:
            out = ops.logical_or(out, m)
        return out

    def _masks(self, inputs, mask):
        """The masks as a list, one an input; ValueError where they are no such list."""
        name = f"{type(self).__name__} {self.name!r}"
        if mask is None:
            return None
        if not isinstance(mask, (tuple, list)) or not isinstance(inputs, (tuple, list)) or len(mask) != len(inputs):
            raise ValueError(f"{name}: mask must be a list with one mask, or None, for each of the inputs, got {mask!r:.80}")
        return list(mask)

    @staticmethod
    def _where_kept(op, inputs):
        """op over the inputs, of which masked places take no part; the result keeps what any of them keeps (Keras)."""
        out = kept = None
        for x in inputs:
            mask = get_mask(x)
            mask = None if mask is None else ops.broadcast_to(ops.expand_dims(mask, -1), tuple(x.shape))
            if out is None:
                out, kept = x, mask
                continue
            x = x if mask is None else ops.where(mask, x, out)
            out = out if kept is None else ops.where(kept, out, x)
            kept = ops.logical_or(kept, mask) if mask is not None and kept is not None else None
            out = op(out, x)
        if kept is not None:
            set_mask(out, ops.any(kept, axis=-1))
        return out

    def _shapes(self, shapes) -> list:
        """The shapes of the inputs as tuples; ValueError for anything but a list of so many shapes as the layer takes."""
        name = f"{type(self).__name__} {self.name!r}"
        if not isinstance(shapes, (list, tuple)) or not shapes or not all(isinstance(s, (tuple, list)) for s in shapes):
            raise ValueError(f"{name}: a list of inputs expected, got {shapes!r}")
        if len(shapes) < self.least or (self.most is not None and len(shapes) > self.most):
            number = f"exactly {self.most}" if self.most == self.least else f"at least {self.least}"
            raise ValueError(f"{name}: {number} inputs expected, got {len(shapes)} of shapes {list(shapes)}")
        return [tuple(s) for s in shapes]

    def compute_output_shape(self, input_shape):
        shapes = self._shapes(input_shape)
        rows = {s[0] for s in shapes if s} - {None}
        if len(rows) > 1:
            raise ValueError(f"{type(self).__name__} {self.name!r}: inputs of one batch size expected, got shapes {shapes}")
        rank = max(len(s) for s in shapes)
        out = padded(shapes[0], rank)
        for s in shapes[1:]:
            out = self._joined(out, padded(s, rank))
        return out

    def _joined(self, a, b) -> tuple:
        """The shape of two shapes of one rank, broadcast."""
        out = []
        for x, y in zip(a, b, strict=True):
            if x is not None and y is not None and x != y and 1 not in (x, y):
                raise ValueError(f"layer {self.name!r}: inputs of shapes {a} and {b} can't be merged")
            out.append(y if x == 1 else x if y == 1 or y is None else y if x is None else x)
        return tuple(out)


def padded(shape, rank: int):
    """The shape with axes of 1 after the batch, so that it has `rank` axes."""
    return (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:])
