"""Philox4x32-7 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") in NumPy.

The specification of csrc/core/rng.c and csrc/kernels/random.h: the same (key, step, element) gives the same bits in
both executors, on any number of threads. Seven rounds pass the whole of BigCrush.
"""

from __future__ import annotations

import numpy as np

ROUNDS = 7
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MASK64 = (1 << 64) - 1


def philox(key: int, counter_hi: int, counter_lo) -> np.ndarray:
    """uint32 [n, 4]: one block for each 64-bit value of counter_lo, under a 64-bit key and a 64-bit counter_hi."""
    lo = np.asarray(counter_lo, np.uint64).ravel()
    hi = int(counter_hi) & _MASK64
    key = int(key) & _MASK64
    c0, c1 = lo & _LOW, lo >> _32
    c2 = np.full_like(lo, hi & 0xFFFFFFFF)
    c3 = np.full_like(lo, hi >> 32)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ np.uint64(k0), p1 & _LOW, (p0 >> _32) ^ c3 ^ np.uint64(k1), p0 & _LOW
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def _lane_order(words: np.ndarray) -> np.ndarray:
    """[groups * 8, w] words -> elements in order: e = 8 * word + lane within each group of 8 blocks."""
    return words.reshape(-1, 8, words.shape[1]).transpose(0, 2, 1).ravel()


def dropout_bits(n: int, key: int, step: int) -> np.ndarray:
    """uint16 [n]: 8 blocks make a group of 64 elements; element 16j + 8h + l is half h of word j of block l."""
    blocks = philox(key, step, np.arange(-(-n // 64) * 8))
    halves = np.stack([blocks & 0xFFFF, blocks >> 16], axis=2).reshape(-1, 8)
    return _lane_order(halves)[:n].astype(np.uint16)


def words(n: int, key: int, step: int) -> np.ndarray:
    """uint32 [n]: 8 blocks make a group of 32 elements; element 8j + l is word j of block l."""
    return _lane_order(philox(key, step, np.arange(-(-n // 32) * 8)))[:n]


def uniform(n: int, key: int, step: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """float32 [n] in [low, high): 24 bits of each word."""
    u = (words(n, key, step) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    return np.float32(low) + u * (np.float32(high) - np.float32(low))


def normal(n: int, key: int, step: int, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
    """float32 [n] by Box and Muller: within a group of 32, words 0/1 and 2/3 of a block make a pair."""
    w = words(-(-n // 32) * 32, key, step).reshape(-1, 2, 2, 8)
    u1 = ((w[:, :, 0] >> np.uint32(8)).astype(np.float64) + 1.0) * 2.0**-24
    u2 = (w[:, :, 1] >> np.uint32(8)).astype(np.float64) * 2.0**-24
    r, angle = np.sqrt(-2.0 * np.log(u1)), 2.0 * np.pi * u2
    z = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=2).ravel()[:n]
    return (mean + stddev * z).astype(np.float32)


def shuffle(n: int, key: int, epoch: int) -> np.ndarray:
    """uint32 [n]: a permutation of 0..n-1 by Fisher and Yates; swap i (from n-1 down to 1) uses one word."""
    draws = philox(key, epoch, np.arange(-(-max(n - 1, 1) // 4))).ravel()
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = (int(draws[n - 1 - i]) * (i + 1)) >> 32
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.uint32)


def derive(*parts: int) -> int:
    """A 63-bit key from integers (splitmix64 over each in turn)."""
    z = 0x9E3779B97F4A7C15
    for part in parts:
        z = (z + (int(part) & _MASK64) + 0x9E3779B97F4A7C15) & _MASK64
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK64
        z ^= z >> 31
    return z >> 1
