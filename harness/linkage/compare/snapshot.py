"""A snapshot: what one toolchain made of the cases, as text that a person can read and compare. Pure.

A line is a fact, with the variants of its case that it is about before it: `*` for all of them, or their
numbers. What says something of the toolchain's own libraries, and the sizes, which another compiler has
otherwise in any case, stand behind all that is the variants' own. `lines.py` has the words.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from linkage.compare.blocks import BLOCK, USUAL, Blocks, divided
from linkage.compare.from_lines import built_of
from linkage.compare.lines import Head, build_lines, line, words
from linkage.compare.model import Built
from linkage.compare.reduction import THE_TOOLCHAINS
from linkage.compare.result import Left, Side
from linkage.compare.tables import ALL
from linkage.errors import LinkageError

FORMAT = 2
"""Counted up when what stands in it changes its meaning."""
MAGIC = "linkage snapshot"
SUFFIX = ".snapshot"

_OWN, _LIBRARIES, _SIZES = "the variants", "the toolchain's own libraries in them", "sizes and digests"
_ALL = "*"
_FAR = re.compile(r"(\d+)(?:-(\d+))?")
_MANY_STEPS = 10_000
_Name = tuple[str, Head]
"""A variant, and what of it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A toolchain's builds by variant."""

    side: Side
    built: Mapping[str, Built]
    left: Mapping[str, Left]
    rules_off: tuple[str, ...] = ()
    linker: str = ""


def encoded(snapshot: Snapshot) -> str:
    """The snapshot as text."""
    side = snapshot.side
    said = [
        line(MAGIC, str(FORMAT)),
        line("toolchain", side.name, side.version, side.llvm, side.fingerprint, str(side.bootstrap)),
        *(line("linked by", name, str(count)) for name, count in side.linkers.items()),
        *(line("--keep", name) for name in snapshot.rules_off),
        *([line("--linker", snapshot.linker)] if snapshot.linker else []),
        *(line("not built", name, left.reason) for name, left in sorted(snapshot.left.items())),
    ]
    facts: dict[_Name, frozenset[str]] = {
        (name, head): lines
        for name, built in sorted(snapshot.built.items())
        for head, lines in build_lines(built).items()
    }
    families = {
        (name, head): _family(lines, facts[name, ("step", head[1])]) if head[0] == "output" else ""
        for (name, head), lines in facts.items()
    }
    for title, wanted in ((_OWN, False), (_LIBRARIES, True)):
        part = {
            key: frozenset(one for one in lines if _is_library(one) == wanted) for key, lines in facts.items()
        }
        said += [f"== {title}", *_part(part, families, list_variants=not wanted)]
    said += [f"== {_SIZES}", *_sizes(snapshot.built)]
    return "\n".join([*said, line("end", str(len(said))), ""])


def _family(lines: frozenset[str], step: frozenset[str]) -> str:
    """Outputs that have much in common: of one type, from one program, with or without std."""
    program = next(words(one)[1] for one in step if one.startswith("runs\t"))
    kind = next((words(one)[2] for one in lines if one.startswith("is\ttype\t")), None)
    kind = kind or next((words(one)[1] for one in lines if one.startswith("kind\t")), "")
    with_std = any(f"std{ALL}" in one or "\tstd" in one[:20] for one in lines)
    return f"{kind} of {program}{' with std' if with_std else ''}"


def _is_library(text: str) -> bool:
    return f"{ALL}\t" in text or THE_TOOLCHAINS in text or "\tGCC_except_table*\t" in text


def _part(
    part: Mapping[_Name, frozenset[str]], families: Mapping[_Name, str], *, list_variants: bool
) -> Iterator[str]:
    own, blocks = divided({key: lines for key, lines in part.items() if key[1][0] == "output"}, families)
    for word, known in ((USUAL, blocks.usual), (BLOCK, blocks.together)):
        for name in sorted(known):
            yield word + name
            yield from (f"\t{one}" for one in sorted(known[name]))
    cases: dict[str, dict[Head, dict[str, list[str]]]] = {}
    variants: dict[str, dict[str, None]] = {}
    for key, lines in part.items():
        (variant, head), case = key, key[0].partition("[")[0]
        variants.setdefault(case, {})[variant] = None
        heads = cases.setdefault(case, {}).setdefault(head, {})
        for one in own.get(key, lines):
            heads.setdefault(one, []).append(variant)
    for case, those in cases.items():
        numbers = {variant: number for number, variant in enumerate(variants[case], 1)}
        inside = [*_heads(those, numbers)]
        if inside or list_variants:
            yield line("case", case)
        if list_variants:
            yield from (line("", str(number), name[len(case) :]) for name, number in numbers.items())
        yield from inside


def _heads(heads: Mapping[Head, Mapping[str, Sequence[str]]], numbers: Mapping[str, int]) -> Iterator[str]:
    for head, lines in heads.items():
        if lines:
            yield line(*head)
        for one in sorted(lines, key=lambda text: (not text.startswith((USUAL, BLOCK)), text)):
            yield f"{_far([numbers[name] for name in lines[one]], len(numbers))}\t{one}"


def _far(those: Sequence[int], of: int) -> str:
    """Numbers in a word: `1-4,7`, or `*` for all."""
    if len(those) == of:
        return _ALL
    runs: list[list[int]] = []
    for number in sorted(those):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _sizes(built: Mapping[str, Built]) -> Iterator[str]:
    case = ""
    for name, one in sorted(built.items()):
        if name.partition("[")[0] != case:
            case = name.partition("[")[0]
            yield line("case", case)
        artifacts = [artifact for step in one.steps for _, artifact in sorted(step.artifacts.items())]
        yield line(name[len(case) :], *(f"{found.size} {found.digest}".rstrip() for found in artifacts))


def decoded(text: str, file: str) -> Snapshot:
    """The snapshot that a text holds. Raises LinkageError."""
    reading = _Reading(text.split("\n"))
    try:
        return reading.snapshot(file)
    except _WRONG as error:
        what = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        where = f"{file}:{reading.at}" if reading.at else file
        help = "linkage snapshot TOOLCHAIN -o FILE"
        raise LinkageError(f"no snapshot of linkage: {what}"[:200], where=where, help=help) from None


_WRONG = (ValueError, KeyError, IndexError, StopIteration)


@dataclass
class _Reading:
    """A snapshot's lines, as they are read."""

    lines: Sequence[str]
    at: int = 0
    """The line that is read, from 1 on."""
    head: dict[str, list[list[str]]] = field(default_factory=dict)
    facts: dict[_Name, set[str]] = field(default_factory=dict)
    sizes: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    numbers: dict[str, dict[int, str]] = field(default_factory=dict)
    """The variants of every case, by their numbers."""

    def snapshot(self, file: str) -> Snapshot:
        """All that the lines say. Raises ValueError and what else a wrong line leads to."""
        self._check()
        sections: dict[str, Callable[[list[str]], None]] = {_SIZES: self._size}
        titles = iter((_OWN, _LIBRARIES, _SIZES))
        read: Callable[[list[str]], None] = self._headline
        part = _PartReading(self)
        for number, text in enumerate(self.lines[:-2], 1):
            self.at = number
            if text.startswith("== "):
                part.finish()
                if text[3:] != next(titles, None):
                    raise ValueError(f"`{text}` is not at its place")
                part = _PartReading(self)
                read = sections.get(text[3:], part.add)
            else:
                read(words(text))
        self.at = 0
        if next(titles, None) is not None:
            raise ValueError("a part is missing")
        part.finish()
        return self._made(file)

    def _check(self) -> None:
        first = self.lines[0].split("\t")
        if first[0] != MAGIC:
            raise ValueError("its first line says something else")
        if first[1:] != [str(FORMAT)]:
            raise ValueError(
                f"it is of format {first[1] if first[1:] else 'none'}, this is {FORMAT}: take it again"
            )
        if self.lines[-1] or self.lines[-2:-1] != [line("end", str(len(self.lines) - 2))]:
            raise ValueError("it does not end as it should: it was cut off, or lines of it are gone")

    def _headline(self, said: list[str]) -> None:
        self.head.setdefault(said[0], []).append(said[1:])

    def _size(self, said: list[str]) -> None:
        if said[0] == "case":
            self.head["case"] = [said[1:]]
            return
        found = (one.partition(" ") for one in said[1:])
        self.sizes[self.head["case"][0][0] + said[0]] = [(int(size), digest) for size, _, digest in found]

    def _made(self, file: str) -> Snapshot:
        by_variant: dict[str, dict[Head, set[str]]] = {}
        for (name, head), lines in self.facts.items():
            by_variant.setdefault(name, {})[head] = lines
        built = {}
        for name, heads in by_variant.items():
            try:
                built[name] = built_of(heads, self.sizes[name])
            except _WRONG as error:
                raise ValueError(f"{name}: {error}") from None
        ((toolchain, version, llvm, fingerprint, bootstrap),) = self.head["toolchain"]
        linkers = {name: int(count) for name, count in self.head.get("linked by", ())}
        side = Side(toolchain, version, llvm, fingerprint, linkers, int(bootstrap), snapshot=file)
        left = {name: Left(name, reason) for name, reason in self.head.get("not built", ())}
        off = tuple(name for (name,) in self.head.get("--keep", ()))
        ((linker,),) = self.head.get("--linker", [[""]])
        return Snapshot(side, built, left, off, linker)


class _PartReading:
    """One part of a snapshot: its blocks, and the lines of every case."""

    def __init__(self, reading: _Reading) -> None:
        self.reading = reading
        self.blocks = Blocks()
        self.block: set[str] | None = None
        self.opened: list[tuple[dict[str, frozenset[str]], str, set[str]]] = []
        self.case = ""
        self.head: Head = ()
        self.own: dict[_Name, set[str]] = {}

    def add(self, said: list[str]) -> None:
        """A line's words."""
        match said:
            case ["usual" | "block" as word, name] if not self.case:
                self.block = set()
                known = self.blocks.usual if word == "usual" else self.blocks.together
                self.opened.append((known, name, self.block))
            case ["case", name]:
                self.case, self.head = name, ()
                self.reading.numbers.setdefault(name, {})
            case ["variant"] | ["step", _] | ["output", _, _] if self.case:
                self.head = tuple(said)
            case ["", number, name] if self.case and not self.head:
                self.reading.numbers[self.case][int(number)] = self.case + name
            case ["", *rest] if self.block is not None and not self.case:
                self.block.add(line(*rest))
            case [far, *rest] if self.head and rest:
                for name in self._those(far):
                    self.own.setdefault((name, self.head), set()).add(line(*rest))
            case _:
                raise ValueError("it is not of a form that stands here")

    def _those(self, far: str) -> Iterable[str]:
        known = self.reading.numbers[self.case]
        if far == _ALL:
            return known.values()
        return [known[number] for number in _numbers(far)]

    def finish(self) -> None:
        """Put what blocks say in their place, and hand on all that was read."""
        for known, name, lines in self.opened:
            known[name] = frozenset(lines)
        whole = lru_cache(maxsize=None)(self.blocks.whole)
        for key, lines in self.own.items():
            self.reading.facts.setdefault(key, set()).update(whole(frozenset(lines)))


@lru_cache(maxsize=1 << 12)
def _numbers(far: str) -> tuple[int, ...]:
    found: list[int] = []
    for one in far.split(","):
        run = _FAR.fullmatch(one)
        if run is None or int(run[2] or 0) > _MANY_STEPS:
            raise ValueError(f"`{far}` are no variants")
        found += range(int(run[1]), int(run[2] or run[1]) + 1)
    return tuple(found)
