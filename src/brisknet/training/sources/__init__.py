"""Where batches come from when they are no arrays in memory: data sets, generators, iterables, arrays on disk."""

from __future__ import annotations

from brisknet.training.sources.epochs import ArrayEpochs, SourceEpochs
from brisknet.training.sources.find import find_source
from brisknet.training.sources.pydataset import PyDataset
from brisknet.training.sources.unpack import pack_x_y_sample_weight, unpack_x_y_sample_weight

__all__ = [
    "ArrayEpochs", "PyDataset", "SourceEpochs", "find_source", "pack_x_y_sample_weight", "unpack_x_y_sample_weight",
]  # fmt: skip
