"""Weight initializers, as in keras.initializers. Each is callable: init(shape, dtype=None) -> array."""

from __future__ import annotations

import math

import numpy as np

from brisknet import config
from brisknet.random import SeedGenerator, draw_seed
from brisknet.runtime.philox import derive
from brisknet.utils.naming import ByName, to_snake_case

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "deserialize", "get", "glorot_normal",
    "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal",
    "random_normal", "random_uniform", "serialize", "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip


class Initializer:
    """Base class. Subclasses define __call__(shape, dtype=None) and get_config()."""

    def __call__(self, shape, dtype=None):
        raise TypeError(f"{type(self).__name__} must define __call__(shape, dtype=None)")

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def clone(self):
        return type(self).from_config(self.get_config())


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape, dtype=None):
        return np.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """All of one value (a number, or an array that broadcasts to the shape)."""

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.broadcast_to(np.asarray(self.value, dtype or config.floatx()), shape).copy()

    def get_config(self):
        return {"value": self.value if np.isscalar(self.value) else np.asarray(self.value).tolist()}


class Identity(Initializer):
    """gain on the diagonal of a matrix, zero elsewhere; ValueError unless the shape has two dimensions."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(f"Identity needs a shape of two dimensions, got {tuple(shape)}")
        return self.gain * np.eye(*shape, dtype=dtype or config.floatx())

    def get_config(self):
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """Base of those that draw. An initializer gives the same values each time it is called with one shape, unless its seed
    is a SeedGenerator (Keras 3)."""

    def __init__(self, seed=None):
        if isinstance(seed, dict):  # the config of a SeedGenerator
            seed = SeedGenerator.from_config(seed.get("config", seed))
        # A seed drawn here is not part of the config: a layer made from a config gets weights of its own (Keras 3).
        self._given_seed = seed
        self.seed = seed if isinstance(seed, SeedGenerator) else draw_seed(seed)

    def _rng(self):
        return np.random.Generator(np.random.Philox(key=derive(draw_seed(self.seed))))

    def get_config(self):
        seed = self._given_seed
        if isinstance(seed, SeedGenerator):
            seed = {"class_name": "SeedGenerator", "config": seed.get_config()}
        return {"seed": seed}

    def clone(self):
        """The same distribution with a seed of its own."""
        return type(self).from_config({**self.get_config(), "seed": None})


def _truncated_draws(rng, shape, mean, stddev):
    """Normal draws, drawn again while further than two standard deviations from the mean."""
    z = rng.standard_normal(shape)
    bad = np.abs(z) > 2
    while bad.any():
        z[bad] = rng.standard_normal(int(bad.sum()))
        bad = np.abs(z) > 2
    return mean + stddev * z


class RandomNormal(RandomInitializer):
    """Normal with mean and stddev."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape, dtype=None):
        return self._rng().normal(self.mean, self.stddev, shape).astype(dtype or config.floatx())

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Normal, drawn again beyond two standard deviations."""

    def __call__(self, shape, dtype=None):
        shape = tuple(shape)
        return _truncated_draws(self._rng(), shape, self.mean, self.stddev).astype(dtype or config.floatx())


class RandomUniform(RandomInitializer):
    """Uniform in [minval, maxval)."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape, dtype=None):
        return self._rng().uniform(self.minval, self.maxval, shape).astype(dtype or config.floatx())

    def get_config(self):
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


def compute_fans(shape, input_axes=None, output_axes=None) -> tuple[int, int]:
    """(fan in, fan out) of a weight: [in, out] for matrices, [..., in, out] with a receptive field for kernels.

    Where both lists of axes are given, the fans are the products of the sizes of those axes.
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = int(np.prod(shape[:-2], dtype=np.int64))
    return shape[-2] * field, shape[-1] * field


class VarianceScaling(RandomInitializer):
    """Draws scaled to the size of the weight: variance scale / n, n = fan_in, fan_out or their mean (fan_avg).

    distribution: "truncated_normal" (default), "untruncated_normal" or "uniform" (limit sqrt(3 scale / n)).
    input_axes, output_axes: the axes whose sizes make the fans, where the weight is not [..., in, out].
    """

    def __init__(
        self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, input_axes=None, output_axes=None
    ):
        if not scale > 0:
            raise ValueError(f"scale must be a positive number, got {scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f'mode must be "fan_in", "fan_out" or "fan_avg", got {mode!r}')
        distribution = distribution.lower() if isinstance(distribution, str) else distribution
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f'distribution must be "uniform", "truncated_normal" or "untruncated_normal", got {distribution!r}'
            )
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape, dtype=None):
        shape = tuple(shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        scale = self.scale / max(1.0, n)
        rng = self._rng()
        if self.distribution == "uniform":
            limit = np.sqrt(3 * scale)
            value = rng.uniform(-limit, limit, shape)
        elif self.distribution == "untruncated_normal":
            value = rng.normal(0, np.sqrt(scale), shape)
        else:  # 0.8796... is the standard deviation of a standard normal cut at +-2
            value = _truncated_draws(rng, shape, 0.0, np.sqrt(scale) / 0.87962566103423978)
        return value.astype(dtype or config.floatx())

    def with_axes(self, input_axes, output_axes):
        """The same distribution and seed for a weight whose fans are the sizes of these axes."""
        config = {**self.get_config(), "seed": self.seed, "input_axes": input_axes, "output_axes": output_axes}
        return type(self)(**config)

    def get_config(self):
        return {
            "scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config(),
            "input_axes": self.input_axes, "output_axes": self.output_axes,
        }  # fmt: skip


def _named_scaling(name, scale, mode, distribution, doc):
    def __init__(self, seed=None, input_axes=None, output_axes=None):
        VarianceScaling.__init__(self, scale, mode, distribution, seed, input_axes, output_axes)

    def get_config(self):
        return {**RandomInitializer.get_config(self), "input_axes": self.input_axes, "output_axes": self.output_axes}

    return type(name, (VarianceScaling,), {
        "__init__": __init__, "get_config": get_config, "__doc__": doc, "__module__": __name__, "__qualname__": name
    })  # fmt: skip


GlorotUniform = _named_scaling(
    "GlorotUniform", 1.0, "fan_avg", "uniform", "Glorot & Bengio 2010 (Xavier): uniform, limit sqrt(6 / (in + out))."
)
GlorotNormal = _named_scaling(
    "GlorotNormal", 1.0, "fan_avg", "truncated_normal", "Glorot & Bengio 2010 (Xavier): normal, variance 2 / (in + out)."
)
HeUniform = _named_scaling("HeUniform", 2.0, "fan_in", "uniform", "He et al. 2015: uniform, limit sqrt(6 / in).")
HeNormal = _named_scaling("HeNormal", 2.0, "fan_in", "truncated_normal", "He et al. 2015: normal, variance 2 / in.")
LecunUniform = _named_scaling("LecunUniform", 1.0, "fan_in", "uniform", "LeCun 1998: uniform, limit sqrt(3 / in).")
LecunNormal = _named_scaling("LecunNormal", 1.0, "fan_in", "truncated_normal", "LeCun 1998: normal, variance 1 / in.")


class Orthogonal(RandomInitializer):
    """A (semi-)orthogonal matrix times gain (Saxe et al. 2013); higher ranks are flattened to [prod(...), last]."""

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs a shape of at least two dimensions, got {tuple(shape)}")
        rows, cols = int(np.prod(shape[:-1])), shape[-1]
        a = self._rng().standard_normal((max(rows, cols), min(rows, cols)))
        q, r = np.linalg.qr(a)
        q = q * np.sign(np.diag(r))
        q = q.T if rows < cols else q
        return (self.gain * q.reshape(shape)).astype(dtype or config.floatx())

    def get_config(self):
        return {"gain": self.gain, **super().get_config()}


# Keras' other names of the same classes.
constant, zeros, ones, identity, orthogonal = Constant, Zeros, Ones, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, glorot_uniform, glorot_normal = VarianceScaling, GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

_CLASSES = {
    c.__name__: c
    for c in (
        Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform,
        GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal,
    )
}  # fmt: skip
_TABLE = {alias: c for n, c in _CLASSES.items() for alias in (n, n.lower(), to_snake_case(n))}
_TABLE |= {"xavier_uniform": GlorotUniform, "xavier_normal": GlorotNormal, "normal": RandomNormal, "uniform": RandomUniform}
_TABLE |= {"zero": Zeros, "one": Ones, "eye": Identity, "identity_initializer": Identity}
_TABLE |= {"IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal}


_by_name = ByName("initializer", _TABLE)
deserialize = _by_name.deserialize


def get(identifier):
    """An initializer from a name, a class, an instance, a callable, a config dict or an array-like constant."""
    if isinstance(identifier, (int, float, np.ndarray)):
        return Constant(identifier)
    return _by_name.get(identifier)


def serialize(initializer):
    """{"class_name", "config"} of an initializer; ValueError for one without get_config()."""
    return _by_name.serialize(initializer)
