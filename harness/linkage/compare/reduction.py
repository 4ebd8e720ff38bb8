"""What a snapshot has of a build: its own symbols, and sums of the toolchain's libraries. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from linkage.compare.model import ComparedArtifact, ComparedMember, CrateTables, Table, VariantBuild
from linkage.compare.names import C_WANTED, RUNTIME, C, crate, is_runtime
from linkage.compare.tables import ALL

_MANY = 20
"""More C members without a crate than this are compiler-rt's."""
_MANY_WANTED = 40
"""More undefined C names than this are std's references to the C library."""
_MANY_DEFINED = 300
"""More defined C names than this are a C library, or a sanitizer's runtime."""
_DIGEST = 6  # bytes
_LINES = 8  # that are kept of a stream
_SHORT = 8  # digits of an output's digest


def reduced(built: VariantBuild) -> VariantBuild:
    """A build for a snapshot: names of the toolchain's own libraries become a number and a digest."""
    sums = _Reduction.of(built)
    steps = (
        replace(
            step,
            stdout=_stream(step.stdout),
            stderr=_stream(step.stderr),
            artifacts={name: _artifact(one, sums) for name, one in step.artifacts.items()},
        )
        for step in built.steps
    )
    return replace(built, steps=tuple(steps), commands=())


@dataclass(frozen=True)
class _Reduction:
    """What is summed up in a variant's tables."""

    own: frozenset[str]
    """C names from small tables: those of the variant's own sources."""

    @classmethod
    def of(cls, built: VariantBuild) -> "_Reduction":
        own: set[str] = set()
        for step in built.steps:
            for one in step.artifacts.values():
                for part in one.parts.values():
                    for table in (part.symbols, part.private):
                        undefined, defined = _c_names(table)
                        own |= (undefined if len(undefined) <= _MANY_WANTED else set()) | (
                            defined if len(defined) <= _MANY_DEFINED else set()
                        )
        return cls(frozenset(own))

    def table(self, table: Table, exports: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
        """A table, with sums of the toolchain's libraries and of C libraries."""
        undefined, defined = (names - self.own for names in _c_names(table))
        foreign = undefined if len(undefined) > _MANY_WANTED else set()
        if len(defined) > _MANY_DEFINED:
            foreign = foreign | defined.difference(exports)
        found: dict[str, tuple[str, ...]] = {}
        summed: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, values in table.items():
            if name in foreign:
                summed.setdefault(C_WANTED if name in undefined else C, {})[name] = values
            elif is_runtime(name):
                summed.setdefault(crate(name) or "", {})[name] = values
            else:
                found[name] = values
        return found | {f"{name}{ALL}": (_sum(one),) for name, one in summed.items()}

    def names(self, names: frozenset[str], *, held: bool = False) -> frozenset[str]:
        """Some names; `held`: of a member, whose C names are in its crate's table."""
        foreign = {name for name in names if is_runtime(name)}
        if held:
            foreign |= {name for name in names if "::" not in name and name not in self.own}
        if not foreign:
            return names
        return (names - foreign) | {f"{len(foreign)} of the toolchain's, {_digest(sorted(foreign))}"}


def _stream(text: str) -> str:
    """A stream: its first lines, and the number and a digest of the others."""
    lines = text.split("\n")
    rest = lines[_LINES:]
    if len(rest) < _LINES:
        return text
    return "\n".join([*lines[:_LINES], f"{len(rest)} more lines, {_digest(rest)}"])


def _c_names(table: Table) -> tuple[set[str], set[str]]:
    """The C names of a table: the undefined ones, and the others."""
    references: set[str] = set()
    defined: set[str] = set()
    for name, values in table.items():
        if "::" not in name and not name.endswith("*"):
            undefined = all(" UND" in value for value in values)
            (references if undefined else defined).add(name)
    return references, defined


def _artifact(one: ComparedArtifact, sums: _Reduction) -> ComparedArtifact:
    exports = one.exports or {}
    parts = {
        name: _whole(name, part) if name in RUNTIME else _part(part, sums, exports)
        for name, part in one.parts.items()
    }
    return replace(
        one,
        digest=one.digest[:_SHORT],
        text=None if one.text is None else f"text {_digest([one.text])}",
        exports=sums.table(exports) or None,
        imports=sums.table(one.imports or {}) or None,
        parts=parts,
        members=tuple(_members(one.members, sums)),
        index=None if one.index is None else frozenset(_own_index(one, sums)),
        references={name: sums.names(targets) for name, targets in one.references.items()},
        comment="",
    )


def _own_index(one: ComparedArtifact, sums: _Reduction) -> Iterable[str]:
    """What the index lists of the variant's own crates."""
    own = {name for crate_, part in one.parts.items() if crate_ not in RUNTIME for name in part.symbols}
    return (
        name
        for name in one.index or ()
        if name in own and not is_runtime(name) and ("::" in name or name in sums.own)
    )


def _part(part: CrateTables, sums: _Reduction, exports: Collection[str]) -> CrateTables:
    symbols, private = sums.table(part.symbols, exports), sums.table(part.private)
    return replace(part, symbols=symbols, private=private, sizes={})


def _whole(name: str, part: CrateTables) -> CrateTables:
    """The sums of one of the toolchain's own crates."""
    tables = (part.symbols, part.private, part.sections)
    symbols, private, sections = ({f"{name}{ALL}": (_sum(one),)} if one else {} for one in tables)
    return CrateTables(symbols, private, sections, part.schemes)


def _sum(table: Mapping[str, tuple[str, ...]]) -> str:
    count = sum(len(values) for values in table.values())
    lines = [f"{name} {value}" for name, values in sorted(table.items()) for value in values]
    return f"{count} {_digest(lines)}"


def _members(members: Iterable[ComparedMember], sums: _Reduction) -> Iterable[ComparedMember]:
    """The variant's own members, with sums of the toolchain's and of a C runtime's."""
    listed = tuple(members)
    foreign = sum(member.crate is None for member in listed) > _MANY
    runtime: dict[str, list[ComparedMember]] = {}
    for member in listed:
        if member.crate in RUNTIME or (foreign and member.crate is None):
            runtime.setdefault(member.crate or "no crate", []).append(member)
        else:
            yield replace(member, symbols=sums.names(member.symbols, held=True), size=0)
    for name, found in sorted(runtime.items()):
        lines = [f"{one.name} {one.kind} {' '.join(sorted(one.symbols))}" for one in found]
        summary = f"{len(found)} members of {name} of the toolchain's, {_digest(lines)}"
        yield ComparedMember(summary, "object", name, frozenset())


def _digest(lines: Iterable[str]) -> str:
    return blake2b("\n".join(lines).encode(errors="surrogatepass"), digest_size=_DIGEST).hexdigest()
