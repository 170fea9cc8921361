"""CategoryEncoding."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.arguments import positive_int
from brisknet.layers.keras_tensor import KerasTensor, flatten
from brisknet.layers.layer import Layer
from brisknet.layers.preprocessing.encoding import check_output_mode, check_sparse, encode

__all__ = ["CategoryEncoding"]


class CategoryEncoding(Layer):
    """Int categories 0..num_tokens-1 as rows of num_tokens numbers.

    output_mode   "multi_hot": 1 for each category of the last axis; "one_hot": a row for each category;
                  "count": how often each category is in the last axis, or the sums of count_weights

    An integer out of range has a row of zeros (one_hot) or is left out (the other modes).
    """

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__(**kwargs)
        self.sparse = check_sparse(sparse, "CategoryEncoding")
        self.output_mode = check_output_mode(output_mode, ("count", "one_hot", "multi_hot"), "CategoryEncoding")
        if num_tokens is None:
            raise ValueError("CategoryEncoding: num_tokens must be given; IntegerLookup finds out the number by adapt()")
        self.num_tokens = positive_int(num_tokens, "CategoryEncoding: num_tokens")
        self.built = True

    def __call__(self, inputs, count_weights=None):
        leaves = flatten([inputs])
        if isinstance(inputs, (list, tuple)) and not any(isinstance(t, KerasTensor) for t in leaves):
            inputs = np.asarray(inputs)
        return super().__call__(inputs) if count_weights is None else super().__call__(inputs, count_weights=count_weights)

    def call(self, inputs, count_weights=None):
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    f'CategoryEncoding: count_weights belong to output_mode="count", this layer has {self.output_mode!r}'
                )
            given = hasattr(count_weights, "shape")
            count_weights = ops.cast(count_weights if given else np.asarray(count_weights), self.dtype)
        return encode(ops.cast(inputs, "int32"), self.output_mode, self.num_tokens, self.dtype, count_weights)

    def get_config(self):
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
