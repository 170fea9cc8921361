"""Random numbers as functions: brisknet.random.normal and its kin (Keras' keras.random).

seed   a SeedGenerator, which goes on from draw to draw; an integer, which gives the same numbers at every call; None: the
       global generator, which set_random_seed() starts anew. Within a traced step the state of a generator is a variable, so
       that every step draws others. The same seed gives the same numbers on both executors, for any number of threads.
"""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.arithmetic import erfinv
from brisknet.ops.create import _sizes
from brisknet.ops.dispatch import cast, dtype_of, floatx, is_float, number_array
from brisknet.ops.gather import plain, take
from brisknet.ops.indexing import order
from brisknet.ops.random import dropout as dropout_op
from brisknet.ops.random import random_normal, random_uniform
from brisknet.ops.reduction import argmax, normalize_axes
from brisknet.ops.shape import reshape
from brisknet.random import SeedGenerator, _start, global_generator

__all__ = [
    "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip

KEY = 0x5EED  # streams differ in where their steps begin
MOST = 1 << 24  # numbers that a float32 tells apart


def _step(seed, name):
    """The step at which to draw."""
    if seed is None:
        return global_generator().advance()
    if isinstance(seed, SeedGenerator):
        return seed.advance()
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"random.{name}: seed must be an integer, a SeedGenerator or None, got {seed!r}")
    return np.asarray(_start(int(seed)), np.int64)


def _float_type(dtype, name):
    dtype = np.dtype(dtype or floatx()).name
    if not is_float(dtype):
        raise ValueError(f"random.{name}: a float dtype expected, got {dtype!r}" + ("; use randint" if name == "uniform" else ""))
    return dtype


def _number(x):
    """x as a Python number, None where it is none."""
    known = plain(x)
    return float(known) if known is not None and known.ndim == 0 else None


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal draws of the given mean and standard deviation (numbers, or tensors that broadcast to shape)."""
    dtype, step = _float_type(dtype, "normal"), _step(seed, "normal")
    numbers = _number(mean), _number(stddev)
    if None not in numbers:
        return random_normal(step, _sizes(shape), KEY, *numbers, dtype)
    return ew.add(ew.multiply(random_normal(step, _sizes(shape), KEY, dtype=dtype), stddev), mean)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Uniform draws in [minval, maxval) (numbers, or tensors that broadcast to shape). Of an integer dtype: see randint."""
    if dtype is not None and not is_float(np.dtype(dtype).name):
        return randint(shape, minval, maxval, dtype, seed)
    dtype, step = _float_type(dtype, "uniform"), _step(seed, "uniform")
    numbers = _number(minval), _number(maxval)
    if None not in numbers:
        return random_uniform(step, _sizes(shape), KEY, *numbers, dtype)
    return ew.add(ew.multiply(random_uniform(step, _sizes(shape), KEY, dtype=dtype), ew.subtract(maxval, minval)), minval)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal draws less than two standard deviations away from the mean."""
    dtype = _float_type(dtype, "truncated_normal")
    limit = math.erf(math.sqrt(2.0))
    u = random_uniform(_step(seed, "truncated_normal"), _sizes(shape), KEY, -limit, limit, dtype)
    draws = ew.clip(ew.multiply(erfinv(u), math.sqrt(2.0)), -2.0, 2.0)
    return ew.add(ew.multiply(draws, stddev), mean)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Uniform integers in [minval, maxval), which must be known and no more than 2^24 apart."""
    low, high = _number(minval), _number(maxval)
    if low is None or high is None or not low < high or high - low > MOST:
        raise ValueError(
            f"random.randint: known minval < maxval no more than {MOST} apart expected, got minval={minval!r} and maxval={maxval!r}"
        )
    low, count = int(low), int(high) - int(low)
    u = random_uniform(_step(seed, "randint"), _sizes(shape), KEY, 0.0, 1.0, "float32")
    found = ew.minimum(cast(ew.floor(ew.multiply(u, float(count))), "int32"), count - 1)
    return cast(ew.add(found, low), np.dtype(dtype).name)


def categorical(logits, num_samples, dtype="int32", seed=None):
    """[batch, num_samples] classes, each drawn with probability softmax(logits) from the rows of logits [batch, classes]."""
    logits = ew.as_floats(logits)
    if len(logits.shape) != 2:
        raise ValueError(f"random.categorical: logits of rank 2 expected, got shape {tuple(logits.shape)}")
    rows, classes = logits.shape
    u = random_uniform(_step(seed, "categorical"), (rows, int(num_samples), classes), KEY, 2.0**-25, 1.0, dtype_of(logits))
    gumbel = ew.negative(ew.log(ew.negative(ew.log(u))))
    return cast(argmax(ew.add(reshape(logits, (rows, 1, classes)), gumbel), axis=-1), np.dtype(dtype).name)


def dropout(inputs, rate, noise_shape=None, seed=None):
    """inputs / (1 - rate) where a draw keeps the element, else 0; axes of 1 in noise_shape share a draw."""
    inputs, rate = ew.as_floats(inputs), _number(rate)
    if rate is None or not 0 <= rate <= 1:
        raise ValueError(f"random.dropout: a known rate from 0 to 1 expected, got {rate!r}")
    if rate in (0.0, 1.0):
        return inputs if rate == 0.0 else ew.multiply(inputs, 0.0)
    step = _step(seed, "dropout")
    if noise_shape is None or tuple(noise_shape) == tuple(inputs.shape):
        return dropout_op(inputs, step, rate, KEY)
    noise = tuple(d if n is None else int(n) for n, d in zip(noise_shape, inputs.shape, strict=True))
    keep = ew.greater_equal(random_uniform(step, noise, KEY, 0.0, 1.0, "float32"), rate)
    return ew.where(keep, ew.multiply(inputs, 1.0 / (1.0 - rate)), 0.0)


def shuffle(x, axis=0, seed=None):
    """x with its parts along axis in another order."""
    x = number_array(x)
    (axis,) = normalize_axes(int(axis), len(x.shape), "random.shuffle")
    u = random_uniform(_step(seed, "shuffle"), (x.shape[axis],), KEY, 0.0, 1.0, "float32")
    return take(x, order(u), axis=axis)


# ---- draws without a kernel: known arrays only ----------------------------------------------------------------------------------
def _host(name, seed, *parameters):
    """A NumPy generator at the seed's next step; TypeError within a traced step, which would draw once and for all."""
    step = _step(seed, name)
    values = [plain(p) for p in parameters]
    if plain(step) is None and not hasattr(step, "tolist") or any(v is None for v in values):
        raise TypeError(
            f"random.{name} draws known arrays only, it has no kernel: draw before the step and pass the numbers in, or run with "
            "run_eagerly=True"
        )
    number = int(step) & ((1 << 64) - 1)
    return np.random.Generator(np.random.Philox(key=number)), values


def gamma(shape, alpha, dtype=None, seed=None):
    """Draws of the gamma distribution of shape parameter alpha and scale 1; known arrays only."""
    dtype = _float_type(dtype, "gamma")
    generator, (alpha,) = _host("gamma", seed, alpha)
    return generator.gamma(alpha, size=_sizes(shape)).astype(dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Draws of the beta distribution; known arrays only."""
    dtype = _float_type(dtype, "beta")
    generator, (a, b) = _host("beta", seed, alpha, beta)
    return generator.beta(a, b, size=_sizes(shape)).astype(dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` trials succeed, as floats; known arrays only."""
    dtype = _float_type(dtype, "binomial")
    generator, (n, p) = _host("binomial", seed, counts, probabilities)
    return generator.binomial(n.astype(np.int64), p, size=_sizes(shape)).astype(dtype)
