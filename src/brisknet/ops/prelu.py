"""PReLU (He et al. 2015): a leaky ReLU whose slope is learnt, one per position or shared along axes."""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew


def prelu(x, alpha):
    """max(x, 0) + alpha * min(x, 0); alpha broadcasts against x."""
    zero = np.zeros((), "float32" if not hasattr(x, "dtype") else str(np.dtype(x.dtype)))
    return ew.where(ew.greater(x, zero), x, ew.multiply(x, alpha))
