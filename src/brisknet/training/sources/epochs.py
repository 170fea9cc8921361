"""The epochs of fit, evaluate and predict, over a loop on arrays or over a source of batches: one interface for both.

    left() -> bool    whether there can be another epoch: False for an iterator that has been used up
    begin()           start an epoch (as fit counts them)
    more() -> bool    whether the epoch has another step
    run(...) -> bool  run steps; True where the epoch has ended
    end()             the epoch has ended; warns where the data had fewer batches than were asked for
    step, steps       steps done in the epoch; their number where it is known, else None
"""

from __future__ import annotations

import time
import warnings

__all__ = ["ArrayEpochs", "SourceEpochs"]


def _ran_out(done: int, wanted: int | None) -> None:
    told = f"after {done} of {wanted} steps" if wanted else "before the last epoch"
    warnings.warn(
        f"the input ran out of data {told}; make sure that it gives at least steps_per_epoch * epochs batches (or steps, "
        "in evaluate and predict), for instance by a generator without an end",
        stacklevel=3,
    )


class ArrayEpochs:
    """Epochs over the rows of arrays. `wanted` steps, where fewer than there are batches, go on where the last ended.

    loop      a native or reference loop
    numbers   a function that gives the number of the next pass over the rows, for the shuffle
    """

    def __init__(self, loop, wanted: int | None = None, numbers=lambda: 0, afresh=False):
        self.loop, self.wanted, self.numbers, self.afresh = loop, wanted, numbers, afresh
        self._first, self._stop = 0, None

    @property
    def steps(self) -> int:
        return self.wanted or self.loop.steps

    @property
    def step(self) -> int:
        return self.loop.step - self._first

    @property
    def whole(self) -> bool:
        """True where an epoch is one pass over the rows."""
        return self.steps == self.loop.steps

    def left(self) -> bool:
        return True

    def begin(self) -> None:
        if self.afresh or self._stop is None or self._stop == self.loop.steps:
            self.loop.begin_epoch(self.numbers())
        self._first = self.loop.step
        self._stop = min(self._first + self.steps, self.loop.steps)

    def more(self) -> bool:
        return self.loop.step < self._stop

    def run(self, max_steps: int = 0, seconds: float = float("inf")) -> bool:
        if not max_steps and self._stop < self.loop.steps:
            max_steps = self._stop - self.loop.step
        return self.loop.run(max_steps=max_steps, seconds=seconds) or not self.more()

    def end(self) -> None:
        if not self.more() and self.step < self.steps:
            _ran_out(self.step, self.wanted)

    def close(self) -> None:
        """Nothing to close."""


class SourceEpochs:
    """Epochs over a source; run_batch(batch) does one step.

    With `wanted` steps an epoch goes on in the pass over the source where the last one ended, else it is a whole pass.
    """

    whole = False

    def __init__(self, source, run_batch, wanted: int | None = None, afresh=False):
        self.source, self.run_batch, self.wanted, self.afresh = source, run_batch, wanted, afresh
        self.step = 0
        self._once = getattr(source, "once", False)
        self._pass = self._taken = 0  # passes begun; batches taken from the one under way
        self._batches, self._next = None, []
        self._open = False

    @property
    def steps(self) -> int | None:
        return self.wanted or self.source.num_batches

    def left(self) -> bool:
        if not self._once or self._peek():
            return True
        _ran_out(0, self.wanted)
        return False

    def begin(self) -> None:
        self.step = 0
        self.source.begin()
        self._open = True
        known = self.source.num_batches
        over = self.wanted is None or self.afresh or known is not None and self._taken >= known
        if self._batches is None or over and not self._once:
            self._renew()

    def _renew(self) -> None:
        self._close_batches()
        self._batches, self._taken = iter(self.source.batches(self._pass)), 0
        self._pass += 1

    def more(self) -> bool:
        return (self.steps is None or self.step < self.steps) and self._peek()

    def _peek(self) -> bool:
        """Whether there is another batch; takes it from the source, as only that can tell."""
        if not self._next and self._batches is None and self._once and not self._pass:
            self._renew()
        if not self._next and self._batches is not None:
            try:
                self._next.append(next(self._batches))
                self._taken += 1
            except StopIteration:
                self._batches = None
        return bool(self._next)

    def run(self, max_steps: int = 0, seconds: float = float("inf")) -> bool:
        deadline, first = time.monotonic() + seconds, self.step
        while self.more():
            self.run_batch(self._next.pop())
            self.step += 1
            if self.step - first == max_steps or time.monotonic() >= deadline:
                return False
        return True

    def end(self) -> None:
        if self.wanted and self.step < self.wanted and not self.more():
            _ran_out(self.step, self.wanted)
        self._end_pass()

    def _end_pass(self) -> None:
        if self._open:
            self._open = False
            self.source.end()

    def _close_batches(self) -> None:
        batches, self._batches, self._next = self._batches, None, []
        # Workers end with the generator that owns them; a generator of the user's stays as it is.
        if batches is not None and hasattr(batches, "close") and not self._once:
            batches.close()

    def close(self) -> None:
        """End what is under way: workers, and an epoch that an exception has cut short."""
        self._close_batches()
        self._end_pass()
