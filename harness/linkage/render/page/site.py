"""All files of a report, by name. Starts nothing, writes nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import jinja2

from linkage.case.case import Case
from linkage.host.terminal import escape_lines
from linkage.judge.name_set import listing
from linkage.judge.nights import TITLES, Night, NightChange, VariantName, changes, histories
from linkage.judge.results import KeptResult
from linkage.judge.verdict import VerdictKind
from linkage.render.grid import Grid
from linkage.render.page.chart import HEIGHT, WIDTH, Chart, chart
from linkage.render.page.content import (
    ShownCase,
    failing,
    issue_link,
    shown_bugs,
    shown_cases,
)

_COPIED = ("style.css", "filter.js")
_CELLS = 3
_TEXT = 10_000
"""Characters of a line that a page shows."""
_FAILING = 200
"""Failing variants that the first page lists."""


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What a report is made from."""

    kept: Sequence[tuple[Case, Sequence[KeptResult]]]
    grid: Grid
    base: Path
    """The folder that files are named relative to."""
    written: str
    """When, as it is shown."""
    nights: Sequence[Night] = ()
    reports: Mapping[Path, str] = field(default_factory=dict)
    """The texts of reports of known bugs, by file."""


def site(given: ReportInput) -> Iterator[tuple[str, str]]:
    """Each file of the report: its name, relative to the report's folder, and its text."""
    cases = shown_cases(given.kept, given.grid.columns, given.base)
    bugs = shown_bugs(given.grid, cases, given.base, given.reports)
    changed = list(changes(given.nights))
    known = histories(given.nights)
    pages = _templates()
    shared = {
        "columns": given.grid.columns,
        "written": given.written,
        "kinds": list(VerdictKind),
        "has_history": bool(given.nights),
        "has_bugs": bool(bugs),
    }
    links = {case.file: case.page for case in cases}
    topics = [(topic, list(found)) for topic, found in groupby(cases, key=lambda case: case.topic)]
    bad = list(failing(cases))
    first = {
        "topics": topics,
        "totals": [
            sum((case.counts[at] for case in cases), Counter()) for at in range(len(given.grid.columns))
        ],
        "overall": sum((counted for case in cases for counted in case.counts), Counter[VerdictKind]()),
        "failing": bad[:_FAILING],
        "more_failing": max(0, len(bad) - _FAILING),
        "news": _news(changed[-1][1]) if changed else [],
        "night": changed[-1][0].date if changed else None,
        "links": links,
    }
    yield "index.html", pages.get_template("index.html.j2").render(shared | first | {"root": ""})
    for case in cases:
        past = _past(case, known)
        text = pages.get_template("case.html.j2").render(shared | {"case": case, "root": "../", "past": past})
        yield case.page, text
    if bugs:
        by_name = [(name, list(found)) for name, found in groupby(bugs, key=lambda bug: bug.name)]
        yield "bugs.html", pages.get_template("bugs.html.j2").render(shared | {"bugs": by_name, "root": ""})
    if given.nights:
        history = {
            "charts": _charts(given.nights, changed),
            "nights": [(night, _news(found)) for night, found in reversed(changed) if found],
            "count": len(given.nights),
            "size": (WIDTH, HEIGHT),
            "links": links,
            "root": "",
        }
        yield "history.html", pages.get_template("history.html.j2").render(shared | history)
    for name in _COPIED:
        yield name, (files("linkage.render.page") / "templates" / name).read_text(encoding="utf-8")


def _templates() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("linkage.render.page", "templates"),
        autoescape=True,
        finalize=_without_control_characters,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["issue_link"] = issue_link
    return found


def _without_control_characters(value: object) -> object:
    plain = isinstance(value, str) and not hasattr(value, "__html__")  # what is not markup already
    return escape_lines(str(value), _TEXT) if plain else value


@dataclass(frozen=True, slots=True)
class NewsGroup:
    """What changed in one case in the same way."""

    case: str
    before: VerdictKind | None
    after: VerdictKind
    toolchains: tuple[str, ...]
    cells: str
    """The first cells; empty if the case has no matrix."""
    count: int


@dataclass(frozen=True, slots=True)
class NewsSection:
    """The changes under one heading."""

    title: str
    groups: tuple[NewsGroup, ...]
    count: int
    """How many variants."""


def _news(found: Sequence[NightChange]) -> list[NewsSection]:
    """Changes by heading, the most urgent first. A first verdict is news only if it fails a run."""
    return [
        NewsSection(title, tuple(_news_groups(some)), len(some))
        for title in TITLES
        if (some := [one for one in found if one.title == title])
    ]


def _news_groups(changes: Sequence[NightChange]) -> Iterator[NewsGroup]:
    groups: dict[object, list[NightChange]] = {}
    for one in changes:
        groups.setdefault((one.variant.case, one.before, one.after), []).append(one)
    for some in groups.values():
        first = some[0]
        cells = dict.fromkeys(one.variant.cell for one in some if one.variant.cell)
        toolchains = tuple(sorted({one.variant.toolchain for one in some}))
        shown = listing([*cells], _CELLS) if cells else ""
        yield NewsGroup(first.variant.case, first.before, first.after, toolchains, shown, len(some))


def _past(
    case: ShownCase, known: Mapping[VariantName, list[tuple[str, VerdictKind]]]
) -> dict[tuple[str, str], list[tuple[str, VerdictKind]]]:
    """What each variant's verdict was, by cell and toolchain."""
    return {(name.cell, name.toolchain): steps for name, steps in known.items() if name.case == case.file}


def _charts(nights: Sequence[Night], changed: Sequence[tuple[Night, list[NightChange]]]) -> list[Chart]:
    # The first night has nothing to differ from.
    by_night = [Counter[str]()]
    by_night += [Counter(one.variant.toolchain for one in some if one.title != "new") for _, some in changed]
    names = sorted({name for night in nights for name in night.toolchains})
    return [chart(name, nights, [one[name] for one in by_night]) for name in names]
