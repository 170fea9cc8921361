"""Batches of numbered samples, made when they are asked for: what the *_dataset_from_* functions give."""

from __future__ import annotations

import numpy as np

__all__ = ["Batches", "MappedBatches"]


class Batches:
    """Batches that fit(), evaluate(), predict(), adapt() and `for` take again and again, each pass from the beginning.

    A subclass gives `read(numbers)`, the samples of an int array as x or (x, y). `batch_size` samples a batch, the last may
    be smaller; None: single samples without the axis of batches. With shuffle=True the passes differ, and the same seed gives
    the same passes.
    """

    def __init__(self, samples: int, batch_size: int | None, shuffle=False, seed=None):
        self.samples, self.batch_size, self.shuffle = samples, batch_size, shuffle
        self._seed = np.random.randint(1 << 31) if seed is None else seed
        self._passes = 0

    def __len__(self):
        return -(-self.samples // (self.batch_size or 1))

    def __iter__(self):
        order = np.arange(self.samples)
        if self.shuffle:
            order = np.random.default_rng((self._seed, self._passes)).permutation(self.samples)
        self._passes += 1
        if self.batch_size is None:
            return (self.read(i) for i in order)
        return (self.read(order[at : at + self.batch_size]) for at in range(0, self.samples, self.batch_size))

    def read(self, numbers):
        """The samples of these numbers."""
        raise NotImplementedError(f"{type(self).__name__} must define read(self, numbers), which gives a batch")

    def map(self, function, num_parallel_calls=None, deterministic=None):
        """The same batches after function(x) or function(x, y); the other arguments are tf.data's and change nothing."""
        return MappedBatches(self, function)


class MappedBatches:
    """Batches after a function."""

    def __init__(self, batches, function):
        self.batches, self.function = batches, function

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return (self.function(*b) if isinstance(b, tuple) else self.function(b) for b in self.batches)

    map = Batches.map
