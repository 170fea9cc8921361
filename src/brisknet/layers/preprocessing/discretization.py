"""Discretization: numbers as indices of bins."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.layer import Layer
from brisknet.layers.preprocessing.adapting import changed, number_batches
from brisknet.layers.preprocessing.encoding import check_output_mode, check_sparse, encode
from brisknet.ops.dispatch import float_array
from brisknet.utils.counts import check_count

__all__ = ["Discretization"]


class Discretization(Layer):
    """The index of the bin of each number: bins (-inf, b0), [b0, b1), ..., [bn, inf) for boundaries b0 < ... < bn.

    bin_boundaries   the boundaries; or
    num_bins         how many bins of about equal counts adapt() makes
    epsilon          how exact its quantiles are: a summary of about 1 / epsilon values is kept (Keras' algorithm)
    output_mode      "int" (int32), "one_hot", "multi_hot" or "count", as in CategoryEncoding
    """

    def __init__(
        self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False, dtype=None, name=None,
    ):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self.sparse = check_sparse(sparse, "Discretization")
        self.output_mode = check_output_mode(output_mode, ("int", "one_hot", "multi_hot", "count"), "Discretization")
        check_count(num_bins, "Discretization: num_bins", least=0, none=True)
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                f"Discretization: bin_boundaries or num_bins, one of the two, expected, got {bin_boundaries!r} and {num_bins!r}"
            )
        if not isinstance(epsilon, (int, float)) or not 0 < epsilon <= 1:
            raise ValueError(f"Discretization: epsilon must be a number in (0, 1], got {epsilon!r}")
        self.bin_boundaries = None if bin_boundaries is None else _sorted(bin_boundaries)
        self.num_bins, self.epsilon = num_bins, epsilon
        self._summary = None
        self.built = True

    def adapt(self, data, steps=None):
        """Learn the boundaries from an array, or from (at most `steps`) batches of a PyDataset or iterable."""
        if self.num_bins is None:
            raise ValueError("Discretization: adapt() is for layers made with num_bins; this one has bin_boundaries")
        summary = np.zeros((2, 0), np.float32)
        for batch in number_batches(data, steps, block=None):
            summary = _merged(_summary_of(batch, self.epsilon), summary, self.epsilon)
        if not summary.shape[1]:
            raise ValueError("adapt: at least one number expected, got none")
        self.bin_boundaries = _compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist() if self.num_bins else []
        changed()

    def call(self, inputs):
        if self.bin_boundaries is None:
            raise ValueError(
                f"Discretization {self.name!r} has no boundaries yet: call adapt(data), or give bin_boundaries to the layer"
            )
        indices = ops.digitize(ops.cast(float_array(inputs), self.dtype), self.bin_boundaries)
        dtype = "int32" if self.output_mode == "int" else self.dtype
        return encode(indices, self.output_mode, len(self.bin_boundaries) + 1, dtype)

    def get_config(self):
        return {"bin_boundaries": self.bin_boundaries, "num_bins": self.num_bins, "epsilon": self.epsilon,
                "output_mode": self.output_mode, "sparse": self.sparse, "name": self.name, "dtype": self.dtype}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict):
        """A layer from get_config()'s dict; one that has been adapted keeps its boundaries."""
        learnt = config.get("num_bins") is not None and config.get("bin_boundaries")
        layer = cls(**{**config, "bin_boundaries": None} if learnt else config)
        if learnt:
            layer.bin_boundaries = list(learnt)
        return layer


def _sorted(boundaries) -> list[float]:
    """The boundaries as floats; ValueError unless they are increasing numbers."""
    try:
        values = [float(b) for b in boundaries]
    except (TypeError, ValueError):
        values = None
    if not values or any(not a < b for a, b in zip(values, values[1:])):
        raise ValueError(f"Discretization: bin_boundaries must be increasing numbers, got {boundaries!r}")
    return values


# ---- quantiles: Keras' summaries [values; weights] -------------------------------------------------------------------
def _summary_of(values, epsilon):
    """About 1 / epsilon of the values, evenly spaced in order, each with the number of values it stands for."""
    values = np.sort(np.asarray(values, np.float32).ravel())
    step = max(values.size / (1.0 / epsilon), 1)
    chosen = values[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _merged(a, b, epsilon):
    both = np.concatenate((a, b), axis=1)
    return _compressed(both[:, np.argsort(both[0])], epsilon)


def _compressed(summary, epsilon):
    """The summary with 1 / epsilon values, interpolated between its own."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    cumulated = summary[1].cumsum()
    own = cumulated / cumulated[-1]
    values, weights = np.interp(shares, own, summary[0]), np.interp(shares, own, cumulated)
    return np.stack((values, np.diff(weights, prepend=0.0))).astype(np.float32)
