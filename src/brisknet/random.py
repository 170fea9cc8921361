"""Seeds. One global seed, from which every object without a seed of its own draws one, in the order of their making."""

from __future__ import annotations

import threading

import numpy as np

from brisknet.runtime.philox import derive

__all__ = ["SeedGenerator", "draw_seed", "set_seed"]

_lock = threading.Lock()
_state = {"seed": None, "drawn": 0}


def set_seed(seed: int) -> None:
    """Make everything that draws from now on repeatable."""
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be an integer >= 0, got {seed!r}")
    with _lock:
        _state.update(seed=int(seed), drawn=0)


def draw_seed(seed=None) -> int:
    """`seed` if given, else the next seed of the global stream (random where none was set)."""
    if seed is not None:
        if isinstance(seed, SeedGenerator):
            return seed.next()
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
            raise ValueError(f"seed must be an integer, a SeedGenerator or None, got {seed!r}")
        return int(seed)
    with _lock:
        if _state["seed"] is None:
            _state["seed"] = int(np.random.SeedSequence().entropy & ((1 << 62) - 1))
        _state["drawn"] += 1
        return derive(_state["seed"], _state["drawn"])


class SeedGenerator:
    """A stream of seeds: each `next()` gives another."""

    def __init__(self, seed=None, name=None):
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ValueError(f"SeedGenerator: seed must be an integer or None, got {seed!r}")
        from brisknet.utils.naming import auto_name  # here, as utils needs this module

        self._given = seed
        self.seed, self.drawn, self.name = draw_seed(seed), 0, name or auto_name("seed_generator")

    def next(self) -> int:
        """The next seed."""
        self.drawn += 1
        return derive(self.seed, self.drawn)

    def get_config(self):
        return {"seed": self._given, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
