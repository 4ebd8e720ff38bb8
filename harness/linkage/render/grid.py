"""Cases by compilers, from stored results: what `linkage table` shows. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from linkage.case.case import Case
from linkage.case.condition import OTHER_COMPILER
from linkage.case.matrix import origin
from linkage.case.variables import text as axis_text
from linkage.judge.results import Compiler, KeptResult
from linkage.judge.verdict import VerdictKind
from linkage.plan.other_toolchain import divided_cell


@dataclass(frozen=True, slots=True)
class Column:
    """A compiler, and the heading of its column."""

    label: str
    compiler: Compiler


@dataclass(slots=True)
class GridCell:
    """The verdicts on the variants of a case, or on one variant, with one compiler."""

    outcomes: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    """How many variants have no result."""
    outdated: int = 0
    """How many were judged before their case or its sources changed."""
    rebuilt: int = 0
    """How many are missing, but have a result of an earlier compiler with this name."""

    tools: Counter[str] = field(default_factory=Counter)
    """How many were obtained with which tools, by the key in the results; some results have none."""

    def add(self, other: "GridCell") -> None:
        self.outcomes += other.outcomes
        self.missing += other.missing
        self.outdated += other.outdated
        self.rebuilt += other.rebuilt
        self.tools += other.tools


@dataclass(frozen=True, slots=True)
class GridRow:
    """A case, its variants for one target, or one variant of it."""

    case: Case
    variant: str | None
    """None in the row of a whole case, or of a target."""
    cells: tuple[GridCell, ...]
    target: str | None = None
    """In a table by target; None for the variants that name none."""


@dataclass(slots=True)
class SeenBug:
    """A known bug, and in how many variants it occurred in each column."""

    name: str
    note: str
    case: Case
    report: str | None
    """The file next to the case with the report, if the bug is unreported."""
    seen: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Grid:
    """The content of the table."""

    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...]
    bugs: tuple[SeenBug, ...]
    tools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The versions of tools, by the key in the results."""

    @property
    def totals(self) -> tuple[GridCell, ...]:
        """All cases together, for each column."""
        sums = tuple(GridCell() for _ in self.columns)
        for row in self.rows:
            for total, cell in zip(sums, row.cells, strict=True):
                total.add(cell)
        return sums

    def count(self, of: Callable[[GridCell], int]) -> int:
        return sum(of(cell) for row in self.rows for cell in row.cells)


def grid(
    kept: Sequence[tuple[Case, Sequence[KeptResult]]],
    chosen: Sequence[Compiler] | None = None,
    *,
    tools: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    by_variant: bool = False,
    by_target: bool = False,
) -> Grid:
    """The table of cases with their results; without `chosen`, of the newest compiler of each name.

    `by_target`: a row for each target of each case, target by target.
    """
    compilers = newest_of_each_name(one for _, found in kept for one in found) if chosen is None else chosen
    columns = _labelled(sorted(dict.fromkeys(compilers), key=lambda compiler: compiler.age))
    single = by_variant or by_target
    rows = [row for case, found in kept for row in _rows(case, found, columns, by_variant=single)]
    if by_target:
        rows = _by_target(rows)
    bugs = [bug for case, found in kept for bug in _bugs(case, found, columns)]
    return Grid(columns, tuple(rows), tuple(sorted(bugs, key=lambda bug: (bug.name, bug.note))), tools)


def newest_of_each_name(results: Iterable[KeptResult]) -> list[Compiler]:
    """The compilers that have results; for each name, the one that was used last."""
    last: dict[str, KeptResult] = {}
    for one in results:
        name = one.compiler.name
        if name not in last or one.when > last[name].when:
            last[name] = one
    return [one.compiler for one in last.values()]


def _labelled(compilers: Sequence[Compiler]) -> tuple[Column, ...]:
    """Columns, headed by the release alone if that distinguishes them."""
    releases = [compiler.version.partition(" ")[0] for compiler in compilers]
    counted = Counter(releases)
    return tuple(
        Column(release if counted[release] == 1 else compiler.name, compiler)
        for release, compiler in zip(releases, compilers, strict=True)
    )


def _rows(
    case: Case, kept: Sequence[KeptResult], columns: Sequence[Column], *, by_variant: bool
) -> Iterator[GridRow]:
    latest = {(one.cell, one.compiler): one for one in kept}
    other = {(one.cell, one.compiler.name) for one in kept}
    cells = [
        [
            GridCell() if is_itself(row, column) else _cell(case, id_, column, latest, other)
            for column in columns
        ]
        for row, id_ in zip(case.rows, case.ids, strict=True)
    ]
    if by_variant:
        yield from (GridRow(case, id_, tuple(each)) for id_, each in zip(case.ids, cells, strict=True))
        return
    sums = tuple(GridCell() for _ in columns)
    for each in cells:
        for total, cell in zip(sums, each, strict=True):
            total.add(cell)
    yield GridRow(case, None, sums)


def is_itself(row: Mapping[str, Any], column: Column) -> bool:
    """Whether a cell is about a compiler beside itself, which no run has."""
    return origin(row) is not None and row.get(OTHER_COMPILER) == column.compiler.name


def with_others(case: Case, kept: Sequence[KeptResult]) -> Case:
    """The case with the other toolchains with which its results were obtained."""
    divided = (divided_cell(one.cell) for one in kept)
    return case.with_others(sorted({other for cell, other in divided if other and cell in case.ids}))


def _by_target(rows: Iterable[GridRow]) -> list[GridRow]:
    """The rows of variants, summed for each case and target; rows without a target come first."""
    found: dict[tuple[str, str], GridRow] = {}
    for row in rows:
        target = axis_text(row.case.rows[row.case.ids.index(row.variant or "")].get("target")) or None
        empty = GridRow(row.case, None, tuple(GridCell() for _ in row.cells), target)
        into = found.setdefault((target or "", str(row.case.file)), empty)
        for total, cell in zip(into.cells, row.cells, strict=True):
            total.add(cell)
    return [found[key] for key in sorted(found)]


def _cell(
    case: Case,
    id_: str,
    column: Column,
    latest: Mapping[tuple[str, Compiler], KeptResult],
    other: set[tuple[str, str]],
) -> GridCell:
    found = latest.get((id_, column.compiler))
    if found is None:
        return GridCell(missing=1, rebuilt=int((id_, column.compiler.name) in other))
    tools = Counter([found.tools] if found.tools else [])
    return GridCell(Counter([found.outcome]), outdated=int(found.sources != case.digest), tools=tools)


def _bugs(case: Case, kept: Sequence[KeptResult], columns: Sequence[Column]) -> Iterator[SeenBug]:
    labels = {column.compiler: column.label for column in columns}
    reports = {(bug.name, bug.unreported or bug.note): bug.report for bug in case.model.known_bugs}
    found: dict[tuple[str, str | None], SeenBug] = {}
    for one in kept:
        if one.outcome != VerdictKind.KNOWN or one.compiler not in labels or one.cell not in case.ids:
            continue
        # A bug that a case describes by several signatures occurs once in a variant.
        for bug in {(bug.name, bug.note): bug for bug in one.bugs}.values():
            name = (bug.name, bug.note)
            new = SeenBug(bug.name, bug.note or case.model.summary, case, reports.get(name))
            found.setdefault(name, new).seen[labels[one.compiler]] += 1
    yield from found.values()
