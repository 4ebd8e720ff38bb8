"""What many outputs have in common, written once: blocks of lines. Pure.

A family's block is what most of its outputs have; an output that lacks a line of it says so with `not`.
Of what is left, lines that always come together are a block, too.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

NOT = "not\t"
USUAL = "usual\t"
BLOCK = "block\t"
_FEWEST_LINES = 2
_FEWEST_OUTPUTS = 3
_NAME = 3  # bytes of a digest


@dataclass
class Blocks:
    """Lines by the name of their block."""

    usual: dict[str, frozenset[str]] = field(default_factory=dict)
    """By family."""
    together: dict[str, frozenset[str]] = field(default_factory=dict)

    def whole(self, lines: Iterable[str]) -> frozenset[str]:
        """Lines with all that their blocks say. Raises KeyError for a block that there is not."""
        own = set(lines)
        for one in [one for one in own if one.startswith(BLOCK)]:
            own |= self.together[one.removeprefix(BLOCK)]
        named = [one for one in own if one.startswith(USUAL)]
        lacking = {one.removeprefix(NOT) for one in own if one.startswith(NOT)}
        found = {one for one in own if not one.startswith((USUAL, BLOCK, NOT))}
        for one in named:
            found |= self.usual[one.removeprefix(USUAL)] - lacking
        return frozenset(found)


def divided(
    outputs: Mapping[K, frozenset[str]], families: Mapping[K, str]
) -> tuple[dict[K, frozenset[str]], Blocks]:
    """Outputs in terms of blocks, and the blocks."""
    blocks = Blocks(_usual(outputs, families))
    own = {key: _beside(lines, families[key], blocks.usual) for key, lines in outputs.items()}
    named = _together(list(set(own.values())))
    blocks.together = {name: frozenset(lines) for name, lines in _by_block(named).items()}
    known: dict[frozenset[str], frozenset[str]] = {}
    for lines in set(own.values()):
        known[lines] = frozenset(BLOCK + named[one] if one in named else one for one in lines)
    return {key: known[lines] for key, lines in own.items()}, blocks


def _usual(outputs: Mapping[K, frozenset[str]], families: Mapping[K, str]) -> dict[str, frozenset[str]]:
    distinct: dict[str, set[frozenset[str]]] = {}
    for key, lines in outputs.items():
        distinct.setdefault(families[key], set()).add(lines)
    found: dict[str, frozenset[str]] = {}
    for family, those in distinct.items():
        counts = Counter(line for lines in those for line in lines)
        most = frozenset(line for line, count in counts.items() if count > len(those) / 2)
        if most and len(those) > 1:
            found[family] = most
    return found


def _beside(lines: frozenset[str], family: str, usual: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if family not in usual:
        return lines
    lacking = {NOT + line for line in usual[family] - lines}
    return frozenset({USUAL + family, *lacking, *(lines - usual[family])})


def _together(outputs: Sequence[frozenset[str]]) -> dict[str, str]:
    """The name of the block that each line is in, for lines that are in one."""
    where: dict[str, list[int]] = {}
    for number, lines in enumerate(outputs):
        for line in lines:
            if not line.startswith(USUAL):
                where.setdefault(line, []).append(number)
    alike: dict[tuple[int, ...], list[str]] = {}
    for line, numbers in where.items():
        alike.setdefault(tuple(numbers), []).append(line)
    return {
        line: _named(min(lines))
        for numbers, lines in alike.items()
        if len(numbers) >= _FEWEST_OUTPUTS and len(lines) >= _FEWEST_LINES
        for line in lines
    }


def _named(first: str) -> str:
    """A block's name: that of its first line, so that it stays when others come and go."""
    return blake2b(first.encode(errors="surrogatepass"), digest_size=_NAME).hexdigest()


def _by_block(named: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line, name in named.items():
        found.setdefault(name, set()).add(line)
    return found
