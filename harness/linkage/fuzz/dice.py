"""A stream of numbers from a seed, the same on every machine and in every version of Python. Pure.

The arithmetic is SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
OOPSLA 2014), written here because the sequences of `random` are not promised for all of its methods.
"""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


def mixed(*numbers: int) -> int:
    """One seed of 64 bits from several numbers; their order matters."""
    state = 0
    for number in numbers:
        state = _finished((state + (number & _MASK) + _STEP) & _MASK)
    return state


def _finished(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Dice:
    """Draws from one seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def number(self, below: int) -> int:
        """A number from 0 to `below` - 1; `below` is small, so that the modulus favours none noticeably."""
        self._state = (self._state + _STEP) & _MASK
        return _finished(self._state) % below

    def chance(self, percent: int) -> bool:
        """True in so many of 100 draws."""
        return self.number(100) < percent

    def choice(self, values: Sequence[T]) -> T:
        """One of the values; one that is in it twice is drawn twice as often."""
        return values[self.number(len(values))]

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """So many different places of the values, in a drawn order."""
        left = list(values)
        return [left.pop(self.number(len(left))) for _ in range(min(count, len(left)))]
