"""What differs between two builds of an output. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from linkage.compare import members, tables
from linkage.compare.model import Change, ComparedArtifact, ComparedMember, CrateTables, Table
from linkage.compare.names import RUNTIME, is_runtime, skeleton
from linkage.compare.names import crate as crate_of
from linkage.compare.noise_filters import NoiseFilters

_EMPTY = CrateTables()
_LISTS = ("needed", "optional library", "imported from", "forwarder", "linker option")
"""Lists of which each entry that went or came is a change; of the others, the list is."""
_POOLED = re.compile(r"\.group|\.rodata\.(cst|str).*")


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """What is compared only on request."""

    sizes: bool = False
    bytes: bool = False


class Differ:
    """Compares artifacts; caches what many archives share."""

    def __init__(self, filters: NoiseFilters, asked: DiffOptions) -> None:
        self.filters = filters
        self.asked = asked
        self._runtime = lru_cache(maxsize=1 << 10)(self._parts)

    def changes(self, base: ComparedArtifact, head: ComparedArtifact) -> tuple[Change, ...]:
        """All differences. Both artifacts must be readable."""
        return tuple(self._changes(base, head))

    def _changes(self, base: ComparedArtifact, head: ComparedArtifact) -> Iterator[Change]:
        if self.asked.sizes and base.size != head.size:
            yield Change("size", "", "", f"{base.size} bytes", f"{head.size} bytes")
        if self.asked.bytes and base.digest != head.digest:
            yield Change("bytes", "", "", base.digest, head.digest)
        if base is head:
            return
        unread = base.unread or head.unread
        if unread is not None and base.digest != head.digest:
            yield Change("not compared", "", unread, base.digest, head.digest)
        if base.kind != head.kind:
            yield Change("format", "", f"{base.kind} → {head.kind}", base.kind, head.kind)
            return
        yield from _plain(base, head)
        if base.text != head.text:
            yield _text(base.text or "", head.text or "")
        schemes_differ = self.filters.on("mangling") and base_scheme(base) != base_scheme(head)
        dynamic = (
            *self._dynamic("export", base.exports, head.exports, schemes_differ=schemes_differ),
            *self._dynamic("import", base.imports, head.imports, schemes_differ=schemes_differ),
        )
        yield from dynamic
        if base.members or head.members:
            inside = list(self._archive(base, head, schemes_differ=schemes_differ))
        else:
            parts = self._parts(base.parts.get("", _EMPTY), head.parts.get("", _EMPTY), schemes_differ)
            inside = list(_untold(parts, dynamic))
        yield from inside
        renamed = dict(one.name.split(tables.BECOMES) for one in inside if one.kind.endswith("renamed"))
        yield from _references(base, head, renamed, schemes_differ=schemes_differ)

    def _dynamic(
        self, kind: str, base: Table | None, head: Table | None, *, schemes_differ: bool
    ) -> tuple[Change, ...]:
        if base is None and head is None:
            return ()
        base, head = base or {}, head or {}
        found = _between(kind, base, head, schemes_differ=schemes_differ)
        return tuple(tables.in_sum(f"{kind}s", found, base, head))

    def _archive(
        self, base: ComparedArtifact, head: ComparedArtifact, *, schemes_differ: bool
    ) -> Iterator[Change]:
        matched = members.match(base.members, head.members)
        yield from members.changes(base.members, head.members, matched)
        gone = _held([base.members[at] for at in matched.gone])
        new = _held([head.members[at] for at in matched.new])
        if schemes_differ:
            gone, new = {skeleton(name) for name in gone}, {skeleton(name) for name in new}
        lost = {base.members[at].crate or "" for at in (*matched.gone,)}
        lost |= {head.members[at].crate or "" for at in matched.new}
        for crate in sorted(base.parts.keys() | head.parts.keys()):
            old, other = base.parts.get(crate, _EMPTY), head.parts.get(crate, _EMPTY)
            if old is other:
                continue
            if crate in RUNTIME:
                yield from _summed(crate, self._runtime(old, other, schemes_differ), gone | new, lost)
                continue
            for change in self._parts(old, other, schemes_differ):
                # The symbols and sections of a removed member are reported with it.
                if not _explained(change, gone, new, sections=crate in lost):
                    yield change
        yield from _index(base, head, schemes_differ=schemes_differ)

    def _parts(self, base: CrateTables, head: CrateTables, schemes_differ: bool) -> tuple[Change, ...]:  # noqa: FBT001 - a cache's key
        symbols, private = (base.symbols, head.symbols), (base.private, head.private)
        sizes = base.sizes, head.sizes
        found = [
            *tables.in_sum("symbols", _between("symbol", *symbols, schemes_differ=schemes_differ), *symbols),
            *_private(_between("private symbol", *private, schemes_differ=schemes_differ), private, sizes),
        ]
        merged = _merge_runtime(_crossing(found))
        return (*merged, *_sections(base.sections, head.sections))


def _untold(changes: Iterable[Change], dynamic: Sequence[Change]) -> Iterator[Change]:
    """The changes in the symbol table that the dynamic table has not reported."""
    reported: set[tuple[str, str]] = set()
    crossed = {one.name for one in dynamic if one.kind in ("export gone", "export new")}
    lines: dict[str, set[str]] = {}
    for change in dynamic:
        reported.add((change.name, change.kind.rpartition(" ")[2]))
        lines.setdefault(change.name, set()).update(change.details)
    for change in changes:
        if change.kind == "runtime symbols":
            left = tuple(line for line in change.details if line not in lines.get(change.name, ()))
            if left:
                yield replace(change, details=left)
            continue
        kind = change.kind.rpartition(" ")[2]
        # A symbol that is no longer exported is private in the symbol table.
        turned = kind == "changed" and change.name in crossed
        if change.kind.startswith("section") or not (turned or (change.name, kind) in reported):
            yield change


def _between(kind: str, base: Table, head: Table, *, schemes_differ: bool) -> list[Change]:
    """What differs between two tables; `schemes_differ`: in how names are mangled, too."""
    if not schemes_differ:
        return list(tables.differences(kind, base, head))
    base, head = tables.by_skeleton(base), tables.by_skeleton(head)
    return list(tables.without_schemes(list(tables.differences(kind, base, head)), base, head))


def _private(
    changes: Iterable[Change],
    sides: tuple[Table, Table],
    sizes: tuple[Mapping[str, int], Mapping[str, int]],
) -> Iterator[Change]:
    named = tables.in_sum("symbols", changes, *sides)
    plain = list(tables.anonymous(named))
    own = [one for one in plain if one.kind.startswith("private")]
    yield from (one for one in plain if not one.kind.startswith("private"))
    yield from tables.renamed(own, sizes)


def _crossing(changes: list[Change]) -> Iterator[Change]:
    """The changes; a symbol that became private or public is one change."""
    by_name: dict[str, list[Change]] = {}
    for change in changes:
        by_name.setdefault(change.name, []).append(change)
    for name, found in by_name.items():
        kinds = {one.kind: one for one in found}
        for old, new in (("symbol gone", "private symbol new"), ("private symbol gone", "symbol new")):
            if old in kinds and new in kinds:
                base, head = kinds.pop(old).base, kinds.pop(new).head
                yield Change("symbol changed", name, tables.transition([base], [head]), base, head)
        yield from (one for one in found if one.kind in kinds)


def _merge_runtime(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes; of one crate's public and private symbols a single sum."""
    summed: dict[str, Change] = {}
    for change in changes:
        if change.kind != "runtime symbols":
            yield change
            continue
        first = summed.get(change.name)
        if first is None:
            summed[change.name] = change
        else:
            counts = [
                f"{int(one.split()[0]) + int(other.split()[0])} symbols"
                for one, other in ((first.base, change.base), (first.head, change.head))
            ]
            details = first.details + change.details
            summed[change.name] = Change("runtime symbols", change.name, "", counts[0], counts[1], details)
    yield from summed.values()


def base_scheme(artifact: ComparedArtifact) -> frozenset[str]:
    """The mangling schemes of an artifact's names."""
    return frozenset(scheme for part in artifact.parts.values() for scheme in part.schemes)


def _plain(base: ComparedArtifact, head: ComparedArtifact) -> Iterator[Change]:
    for name in sorted(base.plain.keys() | head.plain.keys()):
        old, new = base.plain.get(name, "none"), head.plain.get(name, "none")
        if old != new:
            what = "" if name.startswith("order of") else f"{old} → {new}"
            yield Change("property", name, what, old, new)
    schemes = [" and ".join(sorted(base_scheme(one))) for one in (base, head)]
    if schemes[0] and schemes[1] and schemes[0] != schemes[1]:
        yield Change("property", "mangling", f"{schemes[0]} → {schemes[1]}", schemes[0], schemes[1])
    for name in sorted(base.lists.keys() | head.lists.keys()):
        olds, news = base.lists.get(name, ()), head.lists.get(name, ())
        if olds == news:
            continue
        if name in _LISTS:
            yield from tables.lists(name, olds, news)
        elif name == "symbol version":
            yield from (replace(one, base="", head="") for one in tables.lists(name, olds, news))
        else:
            shown = ", ".join(olds) or "none", ", ".join(news) or "none"
            yield Change(name, "", " → ".join(shown), *shown)


def _text(base: str, head: str) -> Change:
    olds, news = base.splitlines(), head.splitlines()
    at = next((i for i, pair in enumerate(zip(olds, news, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(olds), len(news)) if at is None else at
    shown = [f"line {at + 1}: {lines[at] if at < len(lines) else '(the end)'}" for lines in (olds, news)]
    return Change("text", "", "", shown[0], shown[1])


def _sections(base: Table, head: Table) -> Iterator[Change]:
    """Sections that went or came. How many there are of one for each symbol, or of one that holds what the
    linker merges, says nothing of its own.
    """
    olds, news = _counted(base), _counted(head)
    yield from tables.differences("section", olds, news)


def _counted(table: Table) -> Table:
    return {
        name: tuple(sorted(set(values))) if name.endswith(".*") or _POOLED.fullmatch(name) else values
        for name, values in table.items()
    }


def _summed(crate: str, changes: Iterable[Change], moved: set[str], lost: set[str]) -> Iterator[Change]:
    """All differences in the members of one of the toolchain's crates, summed up."""
    for what in ("symbols", "sections"):
        found = [one for one in changes if one.kind.startswith("section") == (what == "sections")]
        if what == "sections" and crate in lost:
            continue
        details = [
            line
            for one in found
            for line in (one.details or (f"{_sign(one)} {one.name}{f': {one.what}' if one.what else ''}",))
            if crate not in lost or line[2:].partition(": ")[0] not in moved
        ]
        if details:
            gone = sum(line.startswith("-") for line in details)
            new = sum(line.startswith("+") for line in details)
            other = len(details) - gone - new
            yield Change(
                f"runtime {what}",
                crate,
                base=f"{gone} only here" + (f", {other} other" if other else ""),
                head=f"{new} only here",
                details=tuple(details),
            )


def _sign(change: Change) -> str:
    return {"gone": "-", "new": "+"}.get(change.kind.rpartition(" ")[2], "~")


def _held(found: Iterable[ComparedMember]) -> set[str]:
    return {name for member in found for name in member.symbols}


def _explained(change: Change, gone: set[str], new: set[str], *, sections: bool) -> bool:
    if change.kind in ("symbol gone", "symbol new"):
        return change.name in (gone if change.kind.endswith("gone") else new)
    private = change.kind.startswith(("section", "private", "anonymous", "runtime"))
    return sections and private


def _index(base: ComparedArtifact, head: ComparedArtifact, *, schemes_differ: bool) -> Iterator[Change]:
    """Names in only one side's index, although members of both sides define them."""
    if base.index is None or head.index is None or base.index == head.index:
        return  # whether there is an index is a property
    old, new = (
        {skeleton(name) for name in one} if schemes_differ else one for one in (base.index, head.index)
    )
    for kind, names, other in (("gone", old - new, head), ("new", new - old, base)):
        for name in sorted(names & _names(other, schemes_differ=schemes_differ)) if names else ():
            yield Change(f"index {kind}", name)


def _names(artifact: ComparedArtifact, *, schemes_differ: bool) -> set[str]:
    found = {name for part in artifact.parts.values() for name in part.symbols}
    return {skeleton(name) for name in found} if schemes_differ else found


def _references(
    base: ComparedArtifact, head: ComparedArtifact, renamed: Mapping[str, str], *, schemes_differ: bool
) -> Iterator[Change]:
    """References that a function has on one side only; renamed symbols do not count."""
    runtime: dict[str, list[str]] = {}
    for function in sorted(base.references.keys() & head.references.keys()):
        old, new = base.references[function], head.references[function]
        if schemes_differ:
            old, new = frozenset(map(skeleton, old)), frozenset(map(skeleton, new))
        old = frozenset(renamed.get(name, name) for name in old)
        for kind, names in (("gone", old - new), ("new", new - old)):
            for name in sorted(names):
                change = Change(f"reference {kind}", f"{function}{tables.BECOMES}{name}")
                if is_runtime(name):
                    line = f"{_sign(change)} {change.name}"
                    runtime.setdefault(crate_of(name) or "", []).append(line)
                else:
                    yield change
    for crate, lines in sorted(runtime.items()):
        counts = [f"{sum(line[0] == sign for line in lines)} only here" for sign in "-+"]
        yield Change("runtime references", crate, base=counts[0], head=counts[1], details=tuple(lines))
