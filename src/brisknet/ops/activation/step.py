"""The perceptron's step."""

from __future__ import annotations

import numpy as np

from brisknet.ops.activation.from_output import off_zero, typed
from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.registry import OpSpec, Sample, register


def _step_vjp(node, grads):
    raise ValueError(
        "the step activation has no usable gradient (it is 0 wherever it exists): train a perceptron with the "
        'perceptron rule, i.e. loss="hinge" on the score before the step (a last layer with activation="step" and '
        'loss="hinge" does that), or use sigmoid or tanh instead'
    )


register(
    OpSpec(
        "step",
        lambda s, d, a: ((s[0], d[0]),),
        lambda x, low, high: typed(x, np.where(np.isnan(x), x, np.where(x > 0, high, low))),
        _step_vjp,
        (Sample((off_zero((3, 5)),), {"low": -1.0, "high": 1.0}, wrt=()),),
        inplace=(0,),
        form="unary",
        parameters=("low", "high"),
    )
)


def step(x, low=-1.0, high=1.0):
    """high where x > 0, else low: the perceptron's threshold (-1/1), or Heaviside's with low=0."""
    return apply("step", (float_array(x),), low=float(low), high=float(high))


register(
    OpSpec(  # -1/1 by the sign of the score, its gradient handed straight through: the perceptron rule
        "straight_step",
        lambda s, d, a: ((s[0], d[0]),),
        lambda x: typed(x, np.where(np.isnan(x), x, np.where(x > 0, 1.0, -1.0))),
        lambda n, g: (g[0],),
        (Sample((off_zero((3, 5)),), wrt=()),),
        inplace=(0,),
        form="unary",
    )
)
