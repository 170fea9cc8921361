"""What goes with an optimizer's update: learning-rate schedules, gradients summed over steps, averages of weights, counts.

Every op reads `iterations`, an int64 scalar: the steps taken before this one.
"""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.optim import due, number
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = ["SCHEDULES", "accumulate", "average", "nadam_product", "scheduled_rate", "step_due", "step_number"]

_IT = np.array(5, np.int64)


# ---- schedules ----------------------------------------------------------------------------------------------------------
# Each is a function of (step, parameters) on Python floats: what csrc/kernels/optim_state.h computes in doubles.
def _exponential(step, p):
    rate, steps, factor, stairs = p
    x = step / steps
    return rate * factor ** (math.floor(x) if stairs else x)


def _inverse_time(step, p):
    rate, steps, factor, stairs = p
    x = step / steps
    return rate / (1 + factor * (math.floor(x) if stairs else x))


def _piecewise(step, p):
    n = len(p) // 2  # boundaries, then one value more
    return p[n + sum(step > b for b in p[:n])]


def _polynomial(step, p):
    rate, steps, end, power, cycle = p
    if cycle:
        steps *= math.ceil(step / steps) if step else 1
    else:
        step = min(step, steps)
    return (rate - end) * (1 - step / steps) ** power + end


def _cosine(step, p):
    rate, steps, alpha, target, warm = p
    if warm >= 0:  # -1: no warm-up
        step = min(step, steps + warm)
        if step < warm:
            return (target - rate) * (step / warm) + rate
        rate, step = target, step - warm
    return rate * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps)) + alpha)


def _restarts(step, p):
    rate, first, longer, lower, alpha = p
    x = step / first
    if longer == 1:
        i = math.floor(x)
        x -= i
    else:
        i = math.floor(math.log(1 - x * (1 - longer)) / math.log(longer))
        x = (x - (1 - longer**i) / (1 - longer)) / longer**i
    return rate * ((1 - alpha) * 0.5 * lower**i * (1 + math.cos(math.pi * x)) + alpha)


SCHEDULES = {
    "exponential": _exponential, "inverse_time": _inverse_time, "piecewise": _piecewise, "polynomial": _polynomial,
    "cosine": _cosine, "restarts": _restarts,
}  # fmt: skip
_PARAMETERS = {
    "exponential": ((0.1, 4.0, 0.5, 0.0), (0.1, 4.0, 0.5, 1.0)),
    "inverse_time": ((0.1, 4.0, 0.5, 0.0), (0.1, 4.0, 0.5, 1.0)),
    "piecewise": ((2.0, 5.0, 7.0, 0.1, 0.2, 0.3, 0.4), (0.5,)),
    "polynomial": ((0.1, 8.0, 0.01, 2.0, 0.0), (0.1, 3.0, 0.01, 0.5, 1.0), (0.1, 3.0, 0.01, 1.0, 0.0)),
    "cosine": ((0.1, 9.0, 0.1, 0.0, -1.0), (0.1, 9.0, 0.0, 0.5, 8.0), (0.0, 9.0, 0.2, 0.5, 2.0)),
    "restarts": ((0.1, 3.0, 2.0, 0.9, 0.1), (0.1, 3.0, 1.0, 0.5, 0.0)),
}
register(
    OpSpec(
        "scheduled_rate",
        lambda s, d, a: (((), a["dtype"]),),
        lambda it, kind, parameters, dtype: np.asarray(SCHEDULES[kind](float(it), parameters), dtype),
        None,
        tuple(
            Sample((_IT,), {"kind": kind, "parameters": p, "dtype": "float32"}, wrt=())
            for kind, several in _PARAMETERS.items()
            for p in several
        )
        + (Sample((np.array(2.5),), {"kind": "exponential", "parameters": (0.1, 4.0, 0.5, 0.0), "dtype": "float32"}, wrt=()),),
    )
)


def scheduled_rate(iterations, kind: str, parameters, dtype: str):
    """A built-in schedule's learning rate after `iterations` steps."""
    return apply("scheduled_rate", (iterations,), kind=kind, parameters=tuple(float(p) for p in parameters), dtype=dtype)


# ---- counts -------------------------------------------------------------------------------------------------------------
register(
    OpSpec(
        "step_number",
        lambda s, d, a: (((), a["dtype"]),),
        lambda it, every, dtype: np.asarray(number(it, every), dtype),
        None,
        (Sample((_IT,), {"every": 1, "dtype": "float32"}, wrt=()), Sample((_IT,), {"every": 3, "dtype": "float32"}, wrt=())),
    )
)
register(
    OpSpec(
        "step_due",
        lambda s, d, a: (((), "bool"),),
        lambda it, every: np.asarray(due(it, every)),
        None,
        (Sample((_IT,), {"every": 3}, wrt=()), Sample((_IT,), {"every": 4}, wrt=())),
    )
)
register(
    OpSpec(
        "nadam_product",
        lambda s, d, a: (((), d[0]),),
        lambda u, it, beta_1, every: np.asarray(
            u * beta_1 * (1 - 0.5 * 0.96 ** number(it, every)) if due(it, every) else u, u.dtype
        ),
        None,
        (Sample((np.array(0.3), _IT), {"beta_1": 0.9, "every": 1}, wrt=()),
         Sample((np.array(0.3), _IT), {"beta_1": 0.9, "every": 4}, wrt=())),
    )
)  # fmt: skip


def step_number(iterations, every: int, dtype: str):
    """The number of the update that comes, from 1, as a float scalar."""
    return apply("step_number", (iterations,), every=every, dtype=dtype)


def step_due(iterations, every: int):
    """Whether this step updates: a boolean scalar."""
    return apply("step_due", (iterations,), every=every)


def nadam_product(product, iterations, beta_1: float, every: int):
    """The product of Nadam's momenta up to the update that comes."""
    return apply("nadam_product", (product, iterations), beta_1=beta_1, every=every)


# ---- gradients summed over several steps --------------------------------------------------------------------------------
def _accumulate(it, *groups, n, every):
    _, grads, sums = groups[:n], groups[n : 2 * n], groups[2 * n :]
    if due(it, every):
        means = [np.asarray((g + s) / every, g.dtype) for g, s in zip(grads, sums, strict=True)]
        return (*means, *(np.zeros_like(s) for s in sums))
    return (*grads, *(g + s for g, s in zip(grads, sums, strict=True)))


_TWO = ((5, 3), (37,))
register(
    OpSpec(  # iterations, params..., grads..., sums... -> means..., sums...; the params only say how memory is laid out
        "accumulate",
        lambda s, d, a: tuple(zip(s[1 + a["n"] :], d[1 + a["n"] :], strict=True)),
        _accumulate,
        None,
        (Sample((_IT, *_TWO, *_TWO, *_TWO), {"n": 2, "every": 3}, wrt=()),
         Sample((_IT, *_TWO, *_TWO, *_TWO), {"n": 2, "every": 4}, wrt=())),
    )
)  # fmt: skip


def accumulate(iterations, params, grads, sums, every: int):
    """([gradients], [sums]): at every `every`-th step the mean over these steps, and sums of zero; else sums + gradients."""
    n = len(params)
    out = apply("accumulate", (iterations, *params, *grads, *sums), n=n, every=every)
    return list(out[:n]), list(out[n:])


# ---- averages of weights ------------------------------------------------------------------------------------------------
def _average(it, *groups, n, momentum, overwrite, every):
    params, averages = groups[:n], groups[n:]
    m = momentum if int(it) // every else 0.0
    new = [np.asarray(m * a + (1 - m) * p, a.dtype) for p, a in zip(params, averages, strict=True)]
    if not overwrite:
        return tuple(new)
    return (*new, *(new if number(it, every) % overwrite == 0 else params))


def _average_infer(shapes, dtypes, attrs):
    out = tuple(zip(shapes[1 + attrs["n"] :], dtypes[1 + attrs["n"] :], strict=True))
    return out + out if attrs["overwrite"] else out


_EMA = {"n": 2, "momentum": 0.9, "overwrite": 0, "every": 1}
register(
    OpSpec(  # iterations, params..., averages... -> averages..., [params...]
        "average",
        _average_infer,
        _average,
        None,
        tuple(
            Sample((it, *_TWO, *_TWO), {**_EMA, **a}, wrt=())
            for it, a in (
                (_IT, {}), (np.array(0, np.int64), {}), (_IT, {"overwrite": 3}), (_IT, {"overwrite": 4}),
                (_IT, {"overwrite": 2, "every": 3}),
            )
        ),
    )
)  # fmt: skip


def average(iterations, params, averages, momentum: float, overwrite: int, every: int):
    """([averages], [params]): exponential moving averages of weights (the first value at step 0), which at every
    `overwrite`-th update take the place of the weights (0: never)."""
    n = len(params)
    out = apply("average", (iterations, *params, *averages), n=n, momentum=momentum, overwrite=overwrite, every=every)
    out = out if isinstance(out, tuple) else (out,)
    return list(out[:n]), list(out[n:]) or list(params)
