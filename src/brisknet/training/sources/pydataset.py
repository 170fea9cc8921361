"""PyDataset: batches by number, made by the user's class; in threads or processes where it asks for them."""

from __future__ import annotations

import itertools
import warnings

import numpy as np

__all__ = ["DatasetSource", "PyDataset"]


class PyDataset:
    """Base class of data sets that make their own batches (keras.utils.PyDataset, also known as Sequence).

    Subclasses define `__getitem__(i)`, batch i as (x,), (x, y) or (x, y, sample_weight), and `__len__()`, the number of
    batches, or the property `num_batches`, where None means that there is no end. on_epoch_begin() and on_epoch_end() may
    change the data set between epochs.

    workers               batches are made by so many threads (more than 1) or processes, ahead of the training, and come
                          in the same order as without
    use_multiprocessing   processes instead of threads; the data set must be picklable where processes do not fork
    max_queue_size        batches that may be under way or waiting
    """

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    def _setting(self, name: str, default):
        if name not in self.__dict__:
            warnings.warn(
                f"{type(self).__name__} should call super().__init__(**kwargs) in its constructor, so that workers, "
                "use_multiprocessing and max_queue_size can be given",
                stacklevel=3,
            )
            self.__dict__[name] = default
        return self.__dict__[name]

    workers = property(lambda self: self._setting("_workers", 1), lambda self, v: setattr(self, "_workers", v))
    use_multiprocessing = property(
        lambda self: self._setting("_use_multiprocessing", False),
        lambda self, v: setattr(self, "_use_multiprocessing", v),
    )
    max_queue_size = property(
        lambda self: self._setting("_max_queue_size", 10), lambda self, v: setattr(self, "_max_queue_size", v)
    )

    def __getitem__(self, index):
        """Batch `index`."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index), which gives a batch")

    def __iter__(self):
        n = self.num_batches
        for index in itertools.count() if n is None else range(n):
            yield self[index]

    @property
    def num_batches(self):
        """The number of batches; None where there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must define __len__() or the property num_batches")

    def on_epoch_begin(self):
        """Called at the beginning of every epoch."""

    def on_epoch_end(self):
        """Called at the end of every epoch."""


class DatasetSource:
    """A PyDataset as fit sees it. shuffle_key puts the batches of an epoch into a random order."""

    what = "PyDataset"

    def __init__(self, dataset: PyDataset, shuffle_key=None):
        self.dataset, self.shuffle_key = dataset, shuffle_key
        self._numbers = itertools.count()  # of a data set without an end: goes on from epoch to epoch
        if self.num_batches == 0:
            raise ValueError(f"x: a PyDataset of at least one batch expected, got {type(dataset).__name__} of length 0")

    @property
    def num_batches(self):
        """The number of batches, which may change from epoch to epoch; None without an end."""
        return self.dataset.num_batches

    def first(self):
        """A batch to check the model and the data with."""
        return self.dataset[0]

    def batches(self, epoch: int):
        """The batches of an epoch, in order."""
        n = self.num_batches
        order = self._numbers if n is None else range(n)
        if n is not None and self.shuffle_key is not None:
            order = np.random.default_rng((self.shuffle_key, epoch)).permutation(n).tolist()
        workers, processes = self.dataset.workers, bool(self.dataset.use_multiprocessing)
        if workers > 1 or (workers > 0 and processes):
            from brisknet.training.sources.workers import ordered_batches

            return ordered_batches(self.dataset, order, workers, processes, self.dataset.max_queue_size)
        return (self.dataset[int(i)] for i in order)

    def begin(self) -> None:
        self.dataset.on_epoch_begin()

    def end(self) -> None:
        self.dataset.on_epoch_end()
