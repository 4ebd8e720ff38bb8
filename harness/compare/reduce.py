"""What of a build goes into a snapshot: all that is its own, of the toolchain's libraries the sum. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b

from harness.compare.model import Artifact, Built, Member, Part, Table
from harness.compare.names import RUNTIME, crate, is_runtime
from harness.compare.tables import ALL

_MANY = 20
"""Members of no crate, in C, that a case does not bring: compiler-rt's."""
_DIGEST = 6  # bytes: two sums of thousands differ by chance once in a lifetime


def reduced(built: Built) -> Built:
    """A build as a snapshot holds it: names of the toolchain's own libraries as a number and a digest."""
    steps = (
        replace(step, artifacts={name: _artifact(one) for name, one in step.artifacts.items()})
        for step in built.steps
    )
    return replace(built, steps=tuple(steps), commands=())


def _artifact(one: Artifact) -> Artifact:
    return replace(
        one,
        text=None if one.text is None else f"text {_digest([one.text])}",
        exports=None if one.exports is None else _table(one.exports),
        imports=None if one.imports is None else _table(one.imports),
        parts={
            name: _whole(name, part) if name in RUNTIME else _part(part) for name, part in one.parts.items()
        },
        members=tuple(_members(one.members)),
        index=None if one.index is None else frozenset(_own_index(one)),
        comment="",
    )


def _own_index(one: Artifact) -> Iterable[str]:
    """What the index lists of the variant's own crates."""
    own = {name for crate_, part in one.parts.items() if crate_ not in RUNTIME for name in part.symbols}
    return (name for name in one.index or () if name in own and not is_runtime(name))


def _part(part: Part) -> Part:
    return replace(part, symbols=_table(part.symbols), private=_table(part.private), sizes={})


def _whole(name: str, part: Part) -> Part:
    """A part from one of the toolchain's own crates."""
    tables = (part.symbols, part.private, part.sections)
    symbols, private, sections = ({f"{name}{ALL}": (_sum(one),)} if one else {} for one in tables)
    return Part(symbols, private, sections, part.schemes)


def _table(table: Table) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    summed: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, values in table.items():
        if is_runtime(name):
            summed.setdefault(crate(name) or "", {})[name] = values
        else:
            found[name] = values
    return found | {f"{name}{ALL}": (_sum(one),) for name, one in summed.items()}


def _sum(table: Mapping[str, tuple[str, ...]]) -> str:
    count = sum(len(values) for values in table.values())
    lines = [f"{name} {value}" for name, values in sorted(table.items()) for value in values]
    return f"{count} {_digest(lines)}"


def _members(members: Iterable[Member]) -> Iterable[Member]:
    """The variant's own members; of the toolchain's, and of a runtime in C, the sum."""
    listed = tuple(members)
    foreign = sum(member.crate is None for member in listed) > _MANY
    runtime: dict[str, list[Member]] = {}
    for member in listed:
        if member.crate in RUNTIME or (foreign and member.crate is None):
            runtime.setdefault(member.crate or "no crate", []).append(member)
        else:
            yield member
    for name, found in sorted(runtime.items()):
        lines = [f"{one.name} {one.kind} {' '.join(sorted(one.symbols))}" for one in found]
        size = sum(one.size for one in found)
        yield Member(f"{len(found)} members of {name}, {_digest(lines)}", "object", name, frozenset(), size)


def _digest(lines: Iterable[str]) -> str:
    return blake2b("\n".join(lines).encode(errors="surrogatepass"), digest_size=_DIGEST).hexdigest()
