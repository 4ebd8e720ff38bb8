"""A cache of a fixed number of values, for what is decoded or read again soon, or never.

`functools.lru_cache` computes a value from its arguments and holds on to both. Here the arguments are
views of mapped files, which would stay mapped, and the store puts in what it has just written.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """The `most` values that were used last. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, which is then the most recently used; None if there is none."""
        found = self._values.pop(key, None)
        if found is not None:
            self._values[key] = found
        return found

    def put(self, key: K, value: V) -> V:
        """Keep a value and return it; the least recently used one is evicted."""
        self._values[key] = value
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()
