"""The next token of generated text: a draw from the softmax of logits, or the largest."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register
from brisknet.runtime import philox

__all__ = ["sample_tokens"]


def _infer(shapes, dtypes, attrs):
    logits, forced, settings, step = shapes
    if len(logits) != 2 or forced != logits[:1] or settings != (3,) or step != ():
        raise ValueError(f"sample_tokens: logits [B,V], forced [B], settings [3] and a step expected, got {shapes}")
    return ((forced, "int32"),)


def _reference(logits, forced, settings, step, key):
    draws = philox.uniform(len(logits), key, int(step))
    out = [t if t >= 0 else _draw(z, u, *settings) for z, t, u in zip(logits, forced, draws, strict=True)]
    return np.array(out, np.int32)


def _draw(logits, u, temperature, top_k, top_p):
    if not temperature:
        return int(np.argmax(logits))
    p = np.exp((logits - logits.max()) / logits.dtype.type(temperature)).astype(np.float64)
    order, total = np.arange(len(p)), p.sum()
    if top_k or top_p < 1:  # from the likeliest on, the first of equals first
        order = np.argsort(-p, kind="stable")[: int(top_k) if top_k else None]
        total = p[order].sum()
        if top_p < 1:
            order = order[: int(np.searchsorted(np.cumsum(p[order]), np.float64(top_p) * total)) + 1]
            total = p[order].sum()
    sums = np.cumsum(p[order])
    return int(order[min(int(np.searchsorted(sums, np.float64(u) * total, side="right")), len(order) - 1)])


def sample_tokens(logits, forced, settings, step, key=0):
    """int32 [B]: forced[b] where it is >= 0, else a draw from softmax(logits[b] / temperature).

    settings   float [3]: temperature (0: the largest logit), top_k (draw among the k likeliest; 0: all) and top_p (among the
               fewest likeliest whose probabilities reach top_p of those; 1: all)
    step       an int64 scalar: another value gives other draws
    """
    return apply("sample_tokens", (logits, forced, settings, step), key=int(key))


def _case(rows, size, temperature, top_k, top_p, seed=0):
    rng = np.random.default_rng(seed)
    forced = np.full(rows, -1, np.int32)
    forced[-1] = 1 if rows > 2 else -1
    settings = np.array([temperature, top_k, top_p])
    return Sample((3 * rng.standard_normal((rows, size)), forced, settings, np.array(9 + seed, np.int64)), {"key": 5}, wrt=())


register(
    OpSpec(
        "sample_tokens", _infer, _reference, None,
        (
            _case(40, 11, 1.0, 0, 1.0), _case(3, 7, 0.0, 0, 1.0), _case(40, 65, 0.8, 5, 1.0, 1), _case(40, 33, 1.3, 0, 0.7, 2),
            _case(40, 19, 1.0, 7, 0.5, 3), _case(2, 1, 1.0, 0, 1.0), _case(9, 17, 0.7, 100, 0.99, 4), _case(9, 17, 0.7, 1, 1.0, 5),
        ),
    )
)  # fmt: skip
