"""Seeds and random numbers. One global seed, from which every object without a seed of its own draws one, in the order of their
making, and functions that draw from a seed, on known arrays and within traced steps alike."""

from __future__ import annotations

import threading

import numpy as np

from brisknet.runtime.philox import derive
from brisknet.variables import Variable

__all__ = ["SeedGenerator", "draw_seed", "set_seed", *(
    DRAWS := ("beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle", "truncated_normal", "uniform")
)]  # fmt: skip

_lock = threading.Lock()
_state = {"seed": None, "drawn": 0}
_global: list = []  # the SeedGenerator of draws without a seed, once there were any


def set_seed(seed: int) -> None:
    """Make everything that draws from now on repeatable."""
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be an integer >= 0, got {seed!r}")
    with _lock:
        _state.update(seed=int(seed), drawn=0)
    for generator in _global:
        generator.seed, generator.drawn = _global_seed(), 0
        generator.state.store(np.asarray(_start(generator.seed)))


def draw_seed(seed=None) -> int:
    """`seed` if given, else the next seed of the global stream (random where none was set)."""
    if seed is not None:
        if isinstance(seed, SeedGenerator):
            return seed.next()
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
            raise ValueError(f"seed must be an integer, a SeedGenerator or None, got {seed!r}")
        return int(seed)
    with _lock:
        _state["drawn"] += 1
        return derive(_known_seed(), _state["drawn"])


def __getattr__(name: str):
    """The functions that draw are in ops/draws.py, which `import brisknet.random` alone need not load."""
    if name not in DRAWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from brisknet.ops import draws

    globals()[name] = value = getattr(draws, name)
    return value


def _start(seed: int) -> int:
    """Where the steps of a stream begin: far from those of every other seed."""
    return derive(seed) >> 1


def global_generator():
    """The generator of draws that are given no seed; set_seed() starts it anew."""
    if not _global:
        _global.append(SeedGenerator(_global_seed(), name="global_seed_generator"))
    return _global[0]


def _global_seed() -> int:
    """That of the global generator: none of the seeds that draw_seed() gives, so that using the one changes none of the others."""
    with _lock:
        return derive(_known_seed(), 0)


def _known_seed() -> int:
    if _state["seed"] is None:
        _state["seed"] = int(np.random.SeedSequence().entropy & ((1 << 62) - 1))
    return _state["seed"]


class SeedGenerator:
    """A stream of random numbers: functions that draw from it go on where the last one stopped, also within a traced step,
    and `next()` gives integers to seed something else with.

    state   the int64 variable that counts the draws
    """

    def __init__(self, seed=None, name=None):
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ValueError(f"SeedGenerator: seed must be an integer or None, got {seed!r}")
        from brisknet.utils.naming import auto_name  # here, as utils needs this module

        self._given = seed
        self.seed, self.drawn, self.name = draw_seed(seed), 0, name or auto_name("seed_generator")
        self.state = Variable(np.int64(_start(self.seed)), dtype="int64", trainable=False, name=f"{self.name}_state")

    def next(self) -> int:
        """The next seed."""
        self.drawn += 1
        return derive(self.seed, self.drawn)

    def advance(self):
        """The step of the next draw: a number, or within a traced step the tensor of it; the state counts on."""
        from brisknet.graph.trace import current_graph

        graph = current_graph()
        if graph is None:
            step = self.state.numpy()
            self.state.store(step + 1)
            return step
        from brisknet.ops.metric import count_step

        step = graph.read(self.state)
        self.state.assign(count_step(step))
        return step

    def get_config(self):
        return {"seed": self._given, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
