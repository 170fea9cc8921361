"""Layers that say where in a sequence a vector is; names and formulas of KerasHub."""

from __future__ import annotations

import numpy as np

from brisknet import initializers, ops, regularizers
from brisknet.layers.arguments import constraint, positive_int, serialize_constraint
from brisknet.layers.core.embedding import Embedding
from brisknet.layers.layer import Layer, call_context
from brisknet.ops.embedding import embedding

__all__ = ["PositionEmbedding", "RotaryEmbedding", "SinePositionEncoding", "TokenAndPositionEmbedding"]


def positive_number(value, name: str) -> float:
    """A finite number > 0 as a float; ValueError for anything else."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be a number > 0, got {value!r}")
    return float(value)


def _stepping():
    """The state of generation where this call is one of its steps, each row at a position of its own, else None."""
    decoding = None if call_context() is None else call_context().decoding
    return None if decoding is None or decoding.position is None else decoding


def rows_at(table, start_index, count: int, batch: int | None):
    """Rows start_index ... start_index + count - 1 of a table, [count,c]; in a step of generation, those of the positions of each
    row, [B,1,c]. `batch`: the size of the first axis of the inputs, where it can be told from positions and features."""
    decoding = _stepping()
    if decoding is None or not isinstance(start_index, (int, np.integer)) or start_index:
        if not 0 <= start_index <= table.shape[0] - count:
            raise ValueError(
                f"positions {start_index} ... {start_index + count - 1} of {table.shape[0]} asked for: make sequence_length "
                "larger"
            )
        return table[int(start_index) : int(start_index) + count]
    if (batch, count) != (decoding.rows, 1):
        decoding.refuse("a layer of positions is not given one position at a time")
    return embedding(table, ops.reshape(decoding.position, (decoding.rows, 1)))


def _room(count: int) -> int:
    """Rows that a table needs: those of a step of generation may be any of its cache."""
    decoding = _stepping()
    return count if decoding is None else decoding.room


def _broadcast(table, start_index, shape):
    """Rows of a table for inputs [..., T, c] of this shape."""
    return ops.broadcast_to(rows_at(table, start_index, shape[-2], shape[0] if len(shape) == 3 else None), shape)


class _Positions(Layer):
    supports_masking = True

    def compute_output_shape(self, input_shape, start_index=0):
        return tuple(input_shape)


class PositionEmbedding(_Positions):
    """A trained vector for each position, to be added to the inputs: [..., T, c] -> [..., T, c].

    sequence_length   positions that there are vectors for
    call(inputs, start_index=0): the position of the first input.
    """

    def __init__(self, sequence_length, initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.sequence_length = positive_int(sequence_length, "PositionEmbedding: sequence_length")
        self.initializer = initializers.get(initializer)

    def build(self, inputs_shape):
        self.position_embeddings = self.add_weight(
            (self.sequence_length, inputs_shape[-1]), self.initializer, name="embeddings"
        )

    def call(self, inputs, start_index=0):
        return _broadcast(self.position_embeddings.value, start_index, inputs.shape)

    def get_config(self):
        return {
            **super().get_config(), "sequence_length": self.sequence_length,
            "initializer": initializers.serialize(self.initializer),
        }  # fmt: skip


class SinePositionEncoding(_Positions):
    """Sines and cosines of the position, to be added to the inputs: [..., T, c] -> [..., T, c]. Vaswani et al. 2017.

    max_wavelength   the longest of their periods, divided by 2 pi
    call(inputs, start_index=0): the position of the first input.
    """

    def __init__(self, max_wavelength=10000, **kwargs):
        super().__init__(**kwargs)
        self.max_wavelength = positive_number(max_wavelength, "SinePositionEncoding: max_wavelength")
        self.built = True

    def call(self, inputs, start_index=0):
        count, size = inputs.shape[-2:]
        channel = np.arange(size)
        speeds = (1 / self.max_wavelength) ** (2 * (channel // 2) / size)
        angles = np.arange(_room(start_index + count))[:, None] * speeds
        table = np.where(channel % 2, np.cos(angles), np.sin(angles)).astype(str(inputs.dtype))
        return _broadcast(table, start_index, inputs.shape)

    def get_config(self):
        return {**super().get_config(), "max_wavelength": self.max_wavelength}


class RotaryEmbedding(_Positions):
    """Turns pairs of features by angles that grow with the position, as for queries and keys. Su et al. 2021.

    max_wavelength   the longest period, divided by 2 pi
    scaling_factor   positions are divided by it
    sequence_axis, feature_axis   where positions and features are; feature i is paired with i + features / 2
    call(inputs, start_index=0, positions=None): the position of the first input, or all positions, [T].
    """

    def __init__(self, max_wavelength=10000, scaling_factor=1.0, sequence_axis=1, feature_axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.max_wavelength = positive_number(max_wavelength, "RotaryEmbedding: max_wavelength")
        self.scaling_factor = positive_number(scaling_factor, "RotaryEmbedding: scaling_factor")
        for name, axis in (("sequence_axis", sequence_axis), ("feature_axis", feature_axis)):
            if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
                raise ValueError(f"RotaryEmbedding: {name} must be an integer, got {axis!r}")
        self.sequence_axis, self.feature_axis = sequence_axis, feature_axis
        self.built = True

    def call(self, inputs, start_index=0, positions=None):
        rank = len(inputs.shape)
        where, features = self.sequence_axis % rank, self.feature_axis % rank
        if self.sequence_axis >= rank or self.feature_axis >= rank or where == features or inputs.shape[features] % 2:
            raise ValueError(
                f"RotaryEmbedding {self.name!r}: an even number of features on axis {self.feature_axis} and positions on another "
                f"axis, {self.sequence_axis}, expected, got shape {tuple(inputs.shape)}"
            )
        count, size = inputs.shape[where], inputs.shape[features]
        if positions is not None:
            given, start_index = np.asarray(positions), None
            if given.shape != (count,):
                raise ValueError(f"RotaryEmbedding {self.name!r}: {count} positions expected, got shape {given.shape}")
        else:
            given = np.arange(_room(start_index + count))
        speeds = 1.0 / self.max_wavelength ** (np.arange(0, size, 2) / size)
        angles = np.tile(given[:, None] / self.scaling_factor * speeds, 2)
        cos, sin = (
            self._along(f(angles).astype(str(inputs.dtype)), start_index, inputs.shape, where, features)
            for f in (np.cos, np.sin)
        )  # fmt: skip
        lead = (slice(None),) * features
        first, second = (*lead, slice(None, size // 2)), (*lead, slice(size // 2, None))
        turned = ops.concatenate([ops.negative(inputs[second]), inputs[first]], axis=features)
        return inputs * cos + turned * sin

    @staticmethod
    def _along(table, start, shape, where, features):
        count = shape[where]
        rows = table if start is None else rows_at(table, start, count, shape[0] if where and features else None)
        sizes = {where: count, features: shape[features]}
        if len(rows.shape) == 3:  # one position for each of the batch
            sizes[0] = rows.shape[0]
        elif where > features:
            rows = ops.transpose(rows, (1, 0))
        return ops.reshape(rows, tuple(sizes.get(i, 1) for i in range(len(shape))))

    def get_config(self):
        return {
            **super().get_config(), "max_wavelength": self.max_wavelength, "scaling_factor": self.scaling_factor,
            "sequence_axis": self.sequence_axis, "feature_axis": self.feature_axis,
        }  # fmt: skip


class TokenAndPositionEmbedding(Layer):
    """Ids [..., T] -> [..., T, embedding_dim]: a trained vector of the id plus one of the position.

    vocabulary_size, sequence_length, embedding_dim   sizes
    mask_zero   id 0 is padding: the outputs carry the mask inputs != 0
    """

    def __init__(
        self, vocabulary_size, sequence_length, embedding_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
        embeddings_constraint=None, mask_zero=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.sequence_length = positive_int(sequence_length, "TokenAndPositionEmbedding: sequence_length")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraint(embeddings_constraint, "TokenAndPositionEmbedding: embeddings_constraint")
        self.supports_masking = bool(mask_zero)
        self.token_embedding = Embedding(
            vocabulary_size, embedding_dim, self.embeddings_initializer, self.embeddings_regularizer,
            self.embeddings_constraint, mask_zero, dtype=self.dtype, name="token_embedding",
        )  # fmt: skip
        self.position_embedding = PositionEmbedding(
            sequence_length, self.embeddings_initializer, dtype=self.dtype, name="position_embedding"
        )

    def build(self, input_shape):
        self.token_embedding.build(input_shape)
        self.position_embedding.build((*input_shape, self.token_embedding.output_dim))

    def call(self, inputs, start_index=0):
        tokens = self.token_embedding(inputs)
        return tokens + self.position_embedding(tokens, start_index=start_index)

    def compute_mask(self, inputs, previous_mask=None):
        return self.token_embedding.compute_mask(inputs, previous_mask)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.token_embedding.output_dim)

    def get_config(self):
        return {
            **super().get_config(), "vocabulary_size": self.token_embedding.input_dim, "sequence_length": self.sequence_length,
            "embedding_dim": self.token_embedding.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": self.embeddings_regularizer and regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": serialize_constraint(self.embeddings_constraint),
            "mask_zero": self.token_embedding.mask_zero,
        }  # fmt: skip
