"""Deterministic noise: equal arguments give equal numbers in every process and on every machine."""

from functools import lru_cache
from statistics import NormalDist

_MASK = (1 << 64) - 1
_NORMAL = NormalDist()


def hash64(key: int, salt: int, index: int = 0) -> int:
    """64 well-mixed bits (the finaliser of splitmix64 over a linear combination of the arguments)."""
    x = (key * 0x9E3779B97F4A7C15 + salt * 0xD1342543DE82EF95 + index * 0xA0761D6478BD642F) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def unit(key: int, salt: int, index: int = 0) -> float:
    """A number in the open interval (0, 1)."""
    return ((hash64(key, salt, index) >> 12) + 0.5) / (1 << 52)


def normal(key: int, salt: int, index: int = 0) -> float:
    """A standard normal number."""
    return _NORMAL.inv_cdf(unit(key, salt, index))


def smooth(key: int, salt: int, period: int, at: int) -> float:
    """Value noise: standard normals on every `period`-th integer, eased in between; stationary, O(1)."""
    index, rest = divmod(at, period)
    left = _lattice(key, salt, index)
    if rest == 0:
        return left
    share = rest / period
    share = share * share * (3 - 2 * share)
    return left + (_lattice(key, salt, index + 1) - left) * share


# Days are mostly requested in order, so neighbours share their lattice points.
_lattice = lru_cache(maxsize=16_384)(normal)
