"""The state of a working folder as a value that shares what it has in common with the states before it. Pure.

A variant with thousands of steps has a state after each of them. Each holds only what differs from a state
that it shares with its neighbours, and its digest follows from that of the state that it was made from.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import chain
from typing import Self

from linkage.plan.state import Node, State

_BITS = 256
_LEAST = 32
"""As many differences may always be kept beside the shared part."""


class FolderState(Mapping[str, Node]):
    """What is in a folder, by relative path. It never changes; `changed` makes another one."""

    __slots__ = ("_count", "_differences", "_shared", "_sum")

    def __init__(
        self, shared: Mapping[str, Node], differences: Mapping[str, Node | None], count: int, total: int
    ) -> None:
        """`differences` come before what is shared, with None for what is not there; `count` is how many
        nodes there are, `total` the sum of their numbers.
        """
        self._shared, self._differences = shared, differences
        self._count, self._sum = count, total

    @classmethod
    def of(cls, nodes: State) -> Self:
        """A state that shares nothing."""
        total = sum(_number(name, node) for name, node in nodes.items())
        return cls(dict(nodes), {}, len(nodes), total % 2**_BITS)

    def changed(self, now: State, gone: Iterable[str] = ()) -> Self:
        """The state with other nodes at some paths, and nothing at others."""
        differences = dict(self._differences)
        count, total = self._count, self._sum
        for name, node in chain(now.items(), ((name, None) for name in gone)):
            old = differences[name] if name in differences else self._shared.get(name)
            differences[name] = node
            if old is not None:
                count, total = count - 1, total - _number(name, old)
            if node is not None:
                count, total = count + 1, total + _number(name, node)
        made = type(self)(self._shared, differences, count, total % 2**_BITS)
        # Copying the differences costs as much as they are many, and sharing anew as much as there is: with
        # the square root, neither costs a state more than a small part of what is in it.
        if len(differences) ** 2 > max(len(self._shared), _LEAST**2):
            return type(self)(dict(made.items()), {}, count, total % 2**_BITS)
        return made

    def until(self, later: State) -> tuple[dict[str, Node], list[str]]:
        """What `changed` needs to make another state from this one."""
        now = {name: node for name, node in sorted(later.items()) if self.get(name) != node}
        return now, sorted(name for name in self if name not in later)

    @property
    def digest(self) -> str:
        """Equal for states with the same nodes at the same paths, and for no others."""
        return f"{self._sum:0{_BITS // 4}x}"

    def __getitem__(self, name: str) -> Node:
        node = self._differences[name] if name in self._differences else self._shared[name]
        if node is None:
            raise KeyError(name)
        return node

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._shared if name not in self._differences)
        yield from (name for name, node in self._differences.items() if node is not None)

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FolderState):
            return self._sum == other._sum and self._count == other._count
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self._sum)


def _number(name: str, node: Node) -> int:
    """One that hardly any other path and node have; the sum of those of a state tells it from others."""
    text = f"{name}\0{node.kind}\0{node.content}\0{node.mode}\0{node.size}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_BITS // 8).digest())
