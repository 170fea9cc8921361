"""Embedding."""

from __future__ import annotations

import warnings

import numpy as np

from brisknet import initializers, ops, regularizers
from brisknet.layers.arguments import constraint, positive_int, refuse, serialize_constraint
from brisknet.layers.layer import Layer
from brisknet.ops.dispatch import dtype_of
from brisknet.ops.embedding import check_whole, embedding

__all__ = ["Embedding"]


class Embedding(Layer):
    """Turns ids 0 ... input_dim - 1 into trained vectors: [...] -> [..., output_dim].

    mask_zero   id 0 is padding: the outputs carry the mask inputs != 0
    weights     the initial vectors, [input_dim, output_dim]
    An id out of range is an error that names its position.
    """

    def __init__(
        self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
        embeddings_constraint=None, mask_zero=False, weights=None, lora_rank=None, lora_alpha=None,
        quantization_config=None, **kwargs,
    ):  # fmt: skip
        refuse("Embedding", lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        if kwargs.pop("input_length", None) is not None:
            warnings.warn("Embedding: input_length is not needed any more; leave it out", stacklevel=2)
        super().__init__(**kwargs)
        self.input_dim = positive_int(input_dim, "Embedding: input_dim")
        self.output_dim = positive_int(output_dim, "Embedding: output_dim")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraint(embeddings_constraint, "Embedding: embeddings_constraint")
        self.mask_zero = self.supports_masking = bool(mask_zero)
        if weights is not None:
            self.build()
            given = list(weights) if isinstance(weights, (list, tuple)) else [weights]
            self.set_weights(given if len(given) == 1 and np.ndim(given[0]) == 2 else [np.asarray(weights)])

    def build(self, input_shape=None):
        if self.built:
            return
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer, regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint, name="embeddings",
        )  # fmt: skip

    def call(self, inputs):
        x = inputs if hasattr(inputs, "dtype") else np.asarray(inputs)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            check_whole(x)
        return embedding(self.embeddings, x if dtype_of(x) == "int32" else ops.cast(x, "int32"))

    def compute_mask(self, inputs, previous_mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": self.embeddings_regularizer and regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": self.activity_regularizer and regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": serialize_constraint(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
