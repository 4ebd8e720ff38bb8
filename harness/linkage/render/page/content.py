"""What the pages show, from cases and their recorded results. Pure."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from linkage.case.case import Case
from linkage.host.terminal import escape, escape_lines
from linkage.judge.results import KeptResult
from linkage.judge.verdict import FAILING, VerdictKind
from linkage.render.grid import Column, Grid, SeenBug, is_itself
from linkage.render.grid_text import shown_file

_TEXT = 4000
"""Characters of a text that a page shows."""


@dataclass(frozen=True, slots=True)
class ShownFailure:
    """A claim that does not hold."""

    where: str
    claim: str
    found: str
    error: bool


@dataclass(frozen=True, slots=True)
class ShownResult:
    """The verdict on a variant with one toolchain."""

    anchor: str
    """Of its place in the case's page."""
    toolchain: str
    version: str
    kind: VerdictKind
    reason: str
    bugs: tuple[tuple[str, str], ...]
    """Names and notes."""
    failures: tuple[ShownFailure, ...]
    obtained: str
    judged: str
    outdated: bool
    """The case or its sources have changed since."""
    repro: str


@dataclass(frozen=True, slots=True)
class ShownVariant:
    """A cell of a case: its verdict with each toolchain, None without one."""

    name: str
    """Empty if the case has no matrix."""
    results: tuple[ShownResult | None, ...]
    impossible: tuple[bool, ...]
    """For each toolchain, whether it has no such variant: it would be beside itself."""


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case: its page, and its row in the matrix."""

    file: str
    topic: str
    page: str
    """The name of its page, relative to the folder of the report."""
    summary: str
    description: str
    refs: tuple[str, ...]
    variants: tuple[ShownVariant, ...]
    counts: tuple[Counter[VerdictKind], ...]
    """For each toolchain."""
    missing: tuple[int, ...]
    """For each toolchain, how many variants have no verdict."""

    @property
    def bad(self) -> int:
        """How many verdicts fail a run."""
        return sum(count for counted in self.counts for kind, count in counted.items() if kind in FAILING)

    @property
    def kinds(self) -> str:
        """All verdicts in it, for filters."""
        return " ".join(sorted({str(kind) for counted in self.counts for kind in counted}))

    @property
    def words(self) -> str:
        """What a filter by text looks at: the file, the summary and the cells."""
        names = {part for variant in self.variants for part in re.split("[-,]", variant.name) if part}
        return " ".join([self.file, self.summary, *self.refs, *sorted(names)]).lower()


@dataclass(frozen=True, slots=True)
class ShownBug:
    """A known bug: where it occurs, and the report of one that is unreported."""

    name: str
    link: str | None
    note: str
    case: ShownCase
    seen: tuple[int, ...]
    """In how many variants, for each toolchain."""
    report: str | None


def shown_cases(
    kept: Sequence[tuple[Case, Sequence[KeptResult]]], columns: Sequence[Column], base: Path
) -> list[ShownCase]:
    """All cases, by topic."""
    found = [_case(case, results, columns, base) for case, results in kept]
    return sorted(found, key=lambda one: (one.topic, one.file))


def _case(case: Case, results: Sequence[KeptResult], columns: Sequence[Column], base: Path) -> ShownCase:
    file = shown_file(case.file, base)
    latest = {(one.cell, one.compiler): one for one in results}
    variants = tuple(
        ShownVariant(
            name,
            tuple(
                _result(case, file, number, latest.get((name, column.compiler)), column) for column in columns
            ),
            tuple(is_itself(row, column) for column in columns),
        )
        for number, (row, name) in enumerate(zip(case.rows, case.ids, strict=True))
    )
    counts = tuple(
        Counter(one.results[at].kind for one in variants if one.results[at] is not None)  # type: ignore[union-attr]
        for at in range(len(columns))
    )
    missing = tuple(
        sum(one.results[at] is None and not one.impossible[at] for one in variants)
        for at in range(len(columns))
    )
    parent = str(PurePosixPath(file).parent)
    model = case.model
    return ShownCase(
        file=file,
        topic="cases" if parent == "." else parent,
        page=f"case/{_slug(file)}.html",
        summary=escape(model.summary, _TEXT),
        description=escape_lines((model.description or "").strip(), _TEXT),
        refs=tuple(map(str, model.refs)),
        variants=variants,
        counts=counts,
        missing=missing,
    )


def _slug(file: str) -> str:
    """A file's name for a page. No two files have the same: every other character is its number."""
    stem = file.removesuffix(".yaml")
    return re.sub(r"[^a-z0-9-]", lambda char: "_" if char[0] == "/" else f"~{ord(char[0]):x}~", stem)


def _result(
    case: Case, file: str, number: int, found: KeptResult | None, column: Column
) -> ShownResult | None:
    if found is None:
        return None
    name = found.compiler.name
    node = f"{file}::{name}[{found.cell}]" if found.cell else f"{file}::{name}"
    return ShownResult(
        anchor=f"v{number}-{re.sub('[^A-Za-z0-9.]', '_', column.label)}",
        toolchain=escape(column.label),
        version=escape(found.compiler.version),
        kind=VerdictKind(found.outcome),
        reason=escape(found.reason, _TEXT),
        bugs=tuple((escape(bug.name), escape(bug.note or "", _TEXT)) for bug in found.bugs),
        failures=tuple(
            ShownFailure(
                escape(one.where, _TEXT),
                escape(": ".join(part for part in (one.step, one.claim) if part), _TEXT),
                escape_lines(one.found, _TEXT),
                one.error,
            )
            for one in found.failures
        ),
        obtained=escape(found.obtained, _TEXT),
        judged=_time(found.when),
        outdated=found.sources != case.digest,
        repro=f"linkage repro {shlex.quote(escape(node, _TEXT))}",
    )


def _time(when: float) -> str:
    try:
        return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return ""


def shown_bugs(
    grid: Grid, cases: Iterable[ShownCase], base: Path, reports: Mapping[Path, str]
) -> list[ShownBug]:
    """All known bugs that occurred; `reports` are the texts of those that are unreported, by file."""
    by_file = {case.file: case for case in cases}
    return [
        ShownBug(
            name=escape(bug.name),
            link=issue_link(bug.name),
            note=escape(bug.note, _TEXT),
            case=by_file[shown_file(bug.case.file, base)],
            seen=tuple(bug.seen[column.label] for column in grid.columns),
            report=_report(bug, reports),
        )
        for bug in grid.bugs
    ]


def _report(bug: SeenBug, reports: Mapping[Path, str]) -> str | None:
    text = reports.get(bug.case.folder / bug.report) if bug.report else None
    return None if text is None else escape_lines(text.strip(), _TEXT)


def issue_link(name: str) -> str | None:
    """Where an issue such as `rust-lang/rust#145962` is."""
    found = re.fullmatch(r"([\w.-]+/[\w.-]+)#(\d+)", name)
    return f"https://github.com/{found[1]}/issues/{found[2]}" if found else None


def failing(cases: Iterable[ShownCase]) -> Iterator[tuple[ShownCase, ShownVariant, ShownResult]]:
    """Every verdict that fails a run."""
    for case in cases:
        for variant in case.variants:
            for result in variant.results:
                if result is not None and result.kind in FAILING:
                    yield case, variant, result
