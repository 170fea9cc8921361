"""A line search for the strong Wolfe conditions: Nocedal & Wright 2006, algorithms 3.5 and 3.6, with cubic interpolation."""

from __future__ import annotations

import math

__all__ = ["strong_wolfe"]


def strong_wolfe(phi, f0, slope0, first, c1=1e-4, c2=0.9, most=25, noise=0.0):
    """(step, phi's result there) of a step > 0 along a line, or None where no step lowers the function.

    phi(step) gives (value, slope, anything); f0 and slope0 < 0 belong to step 0; `first` is tried first. Values that differ
    by less than `noise` count as equal: there slopes decide, as rounding hides the descent.
    """
    before, f_before, slope_before = 0.0, f0, slope0
    step, best = first, None
    for count in range(most):
        got = phi(step)
        f, slope = got[:2]
        if math.isfinite(f) and f < f0 + noise and (best is None or f < best[1][0]):
            best = step, got
        if not math.isfinite(f) or f > f0 + c1 * step * slope0 + noise or (count and f >= f_before + noise):
            return _zoom(phi, f0, slope0, (before, f_before, slope_before), (step, f, slope), c1, c2, most - count, noise, best)
        if abs(slope) <= -c2 * slope0:
            return step, got
        if slope >= 0:
            return _zoom(phi, f0, slope0, (step, f, slope), (before, f_before, slope_before), c1, c2, most - count, noise, best)
        before, f_before, slope_before = step, f, slope
        step *= 2.0
    return best


def _zoom(phi, f0, slope0, low, high, c1, c2, most, noise, best):
    """A step between low and high, which bracket one that fulfils the conditions; low has the lower value."""
    for _ in range(most):
        step = _cubic(low, high)
        got = phi(step)
        f, slope = got[:2]
        if math.isfinite(f) and f < f0 + noise and (best is None or f < best[1][0]):
            best = step, got
        if not math.isfinite(f) or f > f0 + c1 * step * slope0 + noise or f >= low[1] + noise:
            high = step, f, slope
        else:
            if abs(slope) <= -c2 * slope0:
                return step, got
            if slope * (high[0] - low[0]) >= 0:
                high = low
            low = step, f, slope
        if abs(high[0] - low[0]) <= 1e-9 * max(abs(high[0]), abs(low[0])):
            break
    return best


def _cubic(a, b) -> float:
    """Where the cubic through two points with these slopes is lowest, kept off the ends; the middle where it has no minimum."""
    (x1, f1, g1), (x2, f2, g2) = a, b
    middle, width = 0.5 * (x1 + x2), abs(x2 - x1)
    if not (math.isfinite(f2) and math.isfinite(g2)):
        return x1 + 0.1 * (x2 - x1)
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if square < 0 or not math.isfinite(square):
        return middle
    d2 = math.copysign(math.sqrt(square), x2 - x1)
    under = g2 - g1 + 2 * d2
    x = x2 - (x2 - x1) * ((g2 + d2 - d1) / under) if under else middle
    low, high = min(x1, x2) + 0.1 * width, max(x1, x2) - 0.1 * width
    return min(max(x, low), high) if math.isfinite(x) else middle
