"""Fixtures and strict settings for the whole suite."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # tiny products only: NumPy's threads would wait for each other

import numpy as np
import pytest

from brisknet import config

BACKENDS = ["numpy"] + (["native"] if config.native_available() else [])


@pytest.fixture(params=BACKENDS)
def backend(request):
    """Each executor in turn."""
    before = config.backend()
    config.set_backend(request.param)
    yield request.param
    config.set_backend(before)


def sample_arrays(sample, seed=0, dtype=np.float64):
    """The arrays of a registry sample: shapes become standard normal values."""
    rng = np.random.default_rng(seed)
    out = []
    for x in sample.inputs:
        if isinstance(x, tuple):
            out.append(rng.standard_normal(x).astype(dtype))
        else:
            x = np.asarray(x)
            # metric totals are float64 in both executors; every other float follows the executor's type
            keep = x.dtype.kind != "f" or (x.ndim == 0 and x.dtype == np.float64 and sample.wrt == () and dtype is None)
            out.append(x if keep else x.astype(dtype))
    return out


@pytest.fixture(autouse=True)
def _seeded():
    import brisknet

    brisknet.utils.set_random_seed(1337)
    yield
