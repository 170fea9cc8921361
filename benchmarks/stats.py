"""Medians and bootstrap intervals."""

from __future__ import annotations

import numpy as np


def bootstrap(values, level: float = 0.95, draws: int = 2000) -> tuple[float, float, float]:
    """(median, low, high) of the values: the percentile interval of the resampled median."""
    values = np.asarray(values, float)
    rng = np.random.default_rng(0)
    medians = np.median(values[rng.integers(0, len(values), (draws, len(values)))], axis=1)
    low, high = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2])
    return float(np.median(values)), float(low), float(high)


def ratio(ours: dict, theirs: dict) -> tuple[float, float, float] | None:
    """(median, low, high) of their time over ours, paired by round, over the rounds that both have."""
    rounds = sorted(set(ours) & set(theirs))
    return bootstrap([theirs[r] / ours[r] for r in rounds]) if rounds else None
