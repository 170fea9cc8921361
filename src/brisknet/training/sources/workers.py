"""Batches made ahead by threads or processes, given out in the order in which they were asked for."""

from __future__ import annotations

from collections import deque

__all__ = ["ordered_batches"]

_dataset = None  # in a worker process: the data set whose batches it makes


def _take(dataset) -> None:
    global _dataset
    _dataset = dataset


def _make(index):
    return _dataset[index]


def ordered_batches(dataset, order, workers: int, processes: bool, queue_size: int):
    """A generator of dataset[i] for i in `order`, at most `queue_size` of them ahead; None is left out (as in Keras).

    An error of the data set comes out where its batch would have come. Closing the generator ends the workers: batches
    not yet begun are dropped, those under way are waited for.
    """
    if processes:
        from concurrent.futures import ProcessPoolExecutor

        pool = ProcessPoolExecutor(workers, initializer=_take, initargs=(dataset,))
        make = _make
    else:
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(workers, thread_name_prefix="brisknet-data")
        make = dataset.__getitem__
    return _results(pool, make, iter(order), max(int(queue_size), 1))


def _results(pool, make, order, most: int):
    waiting: deque = deque()
    try:
        while True:
            while len(waiting) < most and (index := next(order, None)) is not None:
                waiting.append(pool.submit(make, int(index)))
            if not waiting:
                return
            batch = waiting.popleft().result()
            if batch is not None:
                yield batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
