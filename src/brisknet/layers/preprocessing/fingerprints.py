"""The hashes that Keras' hashing layers use: FarmHash's Fingerprint64, SipHash-2-4, and how crossed features are joined.

Plain integers of Python: a column has few distinct values, and each is hashed once (hashing.py). Farm: Pike's FarmHash,
farmhashna::Hash64. Sip: Aumasson and Bernstein, 2012, "SipHash: a fast short-input PRF". All results are 64-bit.
"""

from __future__ import annotations

__all__ = ["CROSS_KEY", "concatenated", "fingerprint64", "siphash"]

_M = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
CROSS_KEY = 0xDECAFCAFFE  # where TensorFlow's crosses of features begin


def _word(s: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(s[at : at + size], "little")


def _rotate(x: int, by: int) -> int:
    """x turned right by `by` bits."""
    x &= _M
    return (x >> by | x << (64 - by)) & _M


def _mix(x: int) -> int:
    x &= _M
    return x ^ x >> 47


def _join(u: int, v: int, mul: int) -> int:
    a = _mix((u ^ v) * mul)
    return _mix((v & _M ^ a) * mul) * mul & _M


def fingerprint64(s: bytes) -> int:
    """FarmHash's Fingerprint64 of a byte string."""
    n = len(s)
    if n <= 16:
        return _up_to_16(s, n)
    if n <= 32:
        return _up_to_32(s, n)
    return _up_to_64(s, n) if n <= 64 else _long(s, n)


def _up_to_16(s: bytes, n: int) -> int:
    mul = _K2 + n * 2
    if n >= 8:
        a, b = _word(s, 0) + _K2 & _M, _word(s, n - 8)
        return _join(_rotate(b, 37) * mul + a & _M, (_rotate(a, 25) + b) * mul & _M, mul)
    if n >= 4:
        return _join(n + (_word(s, 0, 4) << 3), _word(s, n - 4, 4), mul)
    if n:
        y, z = s[0] + (s[n >> 1] << 8), n + (s[-1] << 2)
        return _mix(y * _K2 & _M ^ z * _K0 & _M) * _K2 & _M
    return _K2


def _up_to_32(s: bytes, n: int) -> int:
    mul = _K2 + n * 2
    a, b = _word(s, 0) * _K1, _word(s, 8)
    c, d = _word(s, n - 8) * mul, _word(s, n - 16) * _K2
    return _join(_rotate(a + b, 43) + _rotate(c, 30) + d & _M, a + _rotate(b + _K2, 18) + c & _M, mul)


def _up_to_64(s: bytes, n: int) -> int:
    mul = _K2 + n * 2
    a, b = _word(s, 0) * _K2, _word(s, 8)
    c, d = _word(s, n - 8) * mul, _word(s, n - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d & _M
    z = _join(y, a + _rotate(b + _K2, 18) + c & _M, mul)
    e, f = _word(s, 16) * mul, _word(s, 24)
    g, h = (y + _word(s, n - 32)) * mul, (z + _word(s, n - 24)) * mul
    return _join(_rotate(e + f, 43) + _rotate(g, 30) + h & _M, e + _rotate(f + a, 18) + g & _M, mul)


def _pair(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Two sums of the 32 bytes from `at`, seeded by a and b."""
    w, x, y, z = (_word(s, at + 8 * i) for i in range(4))
    a += w
    b = _rotate(b + a + z, 21)
    return a + x + y + z & _M, b + _rotate(a + x + y, 44) + a & _M


def _long(s: bytes, n: int) -> int:
    x, y = 81, 81 * _K1 + 113 & _M
    z = _mix(y * _K2 + 113) * _K2 & _M
    x = x * _K2 + _word(s, 0) & _M
    state = x, y, z, (0, 0), (0, 0)
    for at in range(0, (n - 1) // 64 * 64, 64):
        state = _block(s, at, state, _K1, 1)
    x, y, z, v, w = state
    # The last 64 bytes once more, with a multiplier that depends on all before. (x and z have changed places.)
    mul = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + (n - 1 & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = _block(s, n - 64, (x, y, z, v, w), mul, 9)
    return _join(_join(v[0], w[0], mul) + _mix(y) * _K0 + z & _M, _join(v[1], w[1], mul) + x & _M, mul)


def _block(s: bytes, at: int, state, mul: int, factor: int):
    x, y, z, v, w = state
    x = _rotate(x + y + v[0] + _word(s, at + 8), 37) * mul & _M
    y = _rotate(y + v[1] + _word(s, at + 48), 42) * mul & _M
    x ^= w[1] * factor & _M
    y = y + v[0] * factor + _word(s, at + 40) & _M
    z = _rotate(z + w[0], 33) * mul & _M
    v, w = _pair(s, at, v[1] * mul, x + w[0]), _pair(s, at + 32, z + w[1], y + _word(s, at + 16))
    return z, y, x, v, w


def _left(x: int, by: int) -> int:
    return (x << by | x >> (64 - by)) & _M


def _rounds(v: list, count: int) -> None:
    a, b, c, d = v
    for _ in range(count):
        a, c = a + b & _M, c + d & _M
        b, d = _left(b, 13) ^ a, _left(d, 16) ^ c
        a = _left(a, 32)
        c, a = c + b & _M, a + d & _M
        b, d = _left(b, 17) ^ c, _left(d, 21) ^ a
        c = _left(c, 32)
    v[:] = a, b, c, d


def siphash(s: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 of a byte string under a key of two 64-bit integers."""
    k0, k1 = key[0] & _M, key[1] & _M
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    whole = len(s) // 8 * 8
    words = [_word(s, at) for at in range(0, whole, 8)] + [_word(s, whole) | (len(s) & 0xFF) << 56]
    for word in words:
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def concatenated(first: int, second: int) -> int:
    """The fingerprint of two fingerprints in order, as TensorFlow joins crossed features."""
    mul = 0xC6A4A7935BD1E995
    result = first & _M ^ mul ^ _mix((second & _M) * mul) * mul & _M
    return _mix(_mix(result * mul) * mul)
