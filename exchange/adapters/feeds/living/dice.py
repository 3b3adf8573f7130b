"""Seeded chance in whole numbers: the same throws on any machine and any Python.

Only ``getrandbits`` of the Mersenne Twister is drawn from; no float and no library function
whose last digit could differ takes part.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

UNIT: Final = 1_000_000  # one standard deviation of ``normal``
# -1000 * ln(1 - i/32): the waiting time that a share i/32 of all waits stays below; the last
# entry bounds the tail so that the mean of the interpolated table is 1000.
WAITS: Final = (
    0, 32, 65, 98, 134, 170, 208, 247, 288, 330, 375, 421, 470, 521, 575, 633, 693,
    758, 827, 901, 981, 1068, 1163, 1269, 1386, 1520, 1674, 1856, 2079, 2367, 2773, 3466, 5280,
)  # fmt: skip


def derive(seed: int, *names: object) -> int:
    """The seed of a child generator; names tell the children apart."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


class Dice:
    """One stream of chance."""

    __slots__ = ("_bits",)

    def __init__(self, seed: int) -> None:
        self._bits = random.Random(seed).getrandbits

    def below(self, n: int) -> int:
        """0 <= result < n, for n up to 2**32."""
        return (self._bits(32) * n) >> 32

    def between(self, low: int, high: int) -> int:
        """Both ends included."""
        return low + ((self._bits(32) * (high - low + 1)) >> 32)

    def hits(self, percent: int) -> bool:
        return self._bits(32) * 100 >> 32 < percent

    def pick(self, items: Sequence[T]) -> T:
        return items[(self._bits(32) * len(items)) >> 32]

    def normal(self) -> int:
        """Close to a normal variate, in millionths of its standard deviation, within 3.47 of them.

        The sum of four even 16-bit throws; 37_837 is the standard deviation of that sum.
        """
        bits = self._bits(64)
        total = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (total - 131_070) * UNIT // 37_837

    def wait(self, mean: int) -> int:
        """An exponential waiting time with this mean, within 5.28 of it."""
        bits = self._bits(21)
        at = bits >> 16
        low = WAITS[at]
        thousandths = low + ((WAITS[at + 1] - low) * (bits & 0xFFFF) >> 16)
        return mean * thousandths // 1000
