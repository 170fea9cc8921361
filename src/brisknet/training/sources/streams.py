"""Generators, iterators, and iterables such as torch's DataLoader: batches one after another."""

from __future__ import annotations

import itertools

__all__ = ["StreamSource"]


class StreamSource:
    """Batches of an iterator, which come once, or of an iterable, which begins anew with every epoch."""

    def __init__(self, stream):
        self.stream = stream
        self.once = hasattr(stream, "__next__")
        self.what = "generator" if hasattr(stream, "send") else type(stream).__name__
        self._first = []
        self._begun = iter(stream) if self.once else None

    @property
    def num_batches(self):
        """len() of an iterable that has it (a DataLoader), else None."""
        if self.once:
            return None
        try:
            return len(self.stream)
        except TypeError:
            return None

    def first(self):
        """The first batch, to check the model and the data with; it comes again as the first of the epoch."""
        if not self._first:
            if not self.once:
                self._begun = iter(self.stream)
            try:
                self._first.append(next(self._begun))
            except StopIteration:
                raise ValueError(f"x: at least one batch expected, got an empty {self.what}") from None
        return self._first[0]

    def batches(self, epoch: int):
        """The batches of an epoch; of an iterator, those that are left."""
        first, self._first = self._first, []
        begun = self._begun
        if not self.once:
            begun, self._begun = begun or iter(self.stream), None
        return itertools.chain(first, begun)

    def begin(self) -> None:
        """Nothing to tell a stream."""

    end = begin
