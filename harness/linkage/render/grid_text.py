"""The table of recorded verdicts, as Markdown and as data; the texts of its cells. Pure."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from linkage.host.terminal import escape, printable_name
from linkage.judge.verdict import VerdictKind
from linkage.render.grid import Grid, GridCell, GridRow, SeenBug

FORMAT = 1
"""Of the JSON; incremented when the meaning of a key changes or a key is removed."""
LETTERS = {
    VerdictKind.PASS: "", VerdictKind.KNOWN: "k", VerdictKind.SKIP: "s",
    VerdictKind.FAIL: "F", VerdictKind.FIXED: "X",
    VerdictKind.ERROR: "E",
}  # fmt: skip
NOTHING = "—"
LEGEND = (
    "A number alone counts variants that pass; k: known bug; s: skipped, a capability is missing; F: fail; "
    "X: fixed, a known bug that no longer occurs; E: could not be judged"
)
UNKNOWN = f"?: no recorded verdict ({NOTHING}: for any variant)"
OUTDATED = "*: judged before the case or its sources changed"


def cell_parts(cell: GridCell, *, word: bool) -> list[tuple[str, VerdictKind | None]]:
    """The parts of a cell, each with its outcome; `word`: the cell is about one variant."""
    if not cell.outcomes:
        return [(NOTHING, None)]
    mark = "*" if cell.outdated else ""
    if word:
        return [(f"{outcome}{mark}", VerdictKind(outcome)) for outcome in cell.outcomes]
    parts: list[tuple[str, VerdictKind | None]] = [
        (f"{cell.outcomes[outcome]}{letter}", outcome)
        for outcome, letter in LETTERS.items()
        if cell.outcomes[outcome]
    ]
    if cell.missing:
        parts.append((f"{cell.missing}?", None))
    return [*parts, (mark, None)] if mark else parts


_NOTE = 10_000
"""Characters of a note that are printed."""


def cell_text(cell: GridCell, *, word: bool = False) -> str:
    """A cell as one text: `18 2k 4s`."""
    return " ".join(text for text, _ in cell_parts(cell, word=word)).replace(" *", "*")


def row_label(row: GridRow, base: Path) -> str:
    """The file of a row, relative to a folder, with its variant or its target."""
    file = shown_file(row.case.file, base)
    return f"{file}[{row.variant}]" if row.variant else f"{file}, {row.target}" if row.target else file


def bug_place(bug: SeenBug, base: Path) -> str:
    return shown_file(bug.case.file, base)


def report_place(bug: SeenBug, base: Path) -> str | None:
    """The file with the report of an unreported bug."""
    return shown_file(bug.case.folder / bug.report, base) if bug.report else None


def shown_file(file: Path, base: Path) -> str:
    """A file as tables, pages and the history name it: relative to a folder."""
    return printable_name(os.path.relpath(file.resolve(), base.resolve()).replace(os.sep, "/"))


def seen_in(bug: SeenBug, grid: Grid) -> str:
    """On which compilers a bug occurred, in the order of the columns."""
    counted = ((column.label, bug.seen[column.label]) for column in grid.columns)
    return ", ".join(f"{count} on {label}" for label, count in counted if count)


def notes(grid: Grid) -> list[str]:
    """The legend of the table, and what to do about gaps."""
    lines = [LEGEND + "."]
    if grid.count(lambda cell: cell.missing):
        lines.append(f"{UNKNOWN}. `linkage run` records it.")
    if rebuilt := grid.count(lambda cell: cell.rebuilt):
        lines.append(f"{rebuilt} of these have a verdict of an earlier compiler of the same name.")
    if outdated := grid.count(lambda cell: cell.outdated):
        lines.append(f"{OUTDATED}: {outdated} variants. `linkage run` judges them again.")
    if different := different_tools(grid):
        listing = "; ".join(f"{tool}: {', '.join(versions)}" for tool, versions in different.items())
        lines.append(
            f"The verdicts were obtained with different versions of tools: {listing}. `linkage run` judges "
            "again with this machine's."
        )
    return lines


def different_tools(grid: Grid) -> dict[str, list[str]]:
    """The tools of which several versions were used, and how many verdicts each version has."""
    names = sorted({name for versions in grid.tools.values() for name in versions})
    found: dict[str, list[str]] = {}
    for name in names:
        counted: dict[str, Counter[str]] = {}
        for column, cell in zip(grid.columns, grid.totals, strict=True):
            for key, count in cell.tools.items():
                if key in grid.tools:
                    version = grid.tools[key].get(name, "absent")
                    counted.setdefault(version, Counter())[column.label] += count
        if len(counted) > 1:
            found[name] = [
                f"{version} ({', '.join(f'{count} on {label}' for label, count in counts.items())})"
                for version, counts in sorted(counted.items())
            ]
    return found


def markdown(grid: Grid, base: Path) -> str:
    """The table for a file in the folder `base`."""
    return "\n".join(_markdown(grid, base)) + "\n"


def _markdown(grid: Grid, base: Path) -> Iterator[str]:
    yield _md_row(["case", *(column.label for column in grid.columns)])
    yield _md_row(["---"] * (len(grid.columns) + 1))
    for row in grid.rows:
        word = row.variant is not None
        yield _md_row([_md_label(row, base), *(cell_text(cell, word=word) for cell in row.cells)])
    if len(grid.rows) > 1:
        yield _md_row(["all", *(cell_text(cell) for cell in grid.totals)])
    yield ""
    yield _escaped(" ".join(notes(grid)))
    yield ""
    yield "Compilers: " + "; ".join(
        _md_column(c.label, c.compiler.name, c.compiler.version) for c in grid.columns
    )
    if grid.bugs:
        yield ""
        yield "Known bugs:"
        yield ""
    for bug in grid.bugs:
        place, report = bug_place(bug, base), report_place(bug, base)
        more = f" ([report]({report}))" if report else ""
        where = f"[{place}]({place}): {seen_in(bug, grid)}"
        yield f"- {_md_name(bug.name)}: {_escaped(bug.note)}{more} — {where}"


def _md_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _md_label(row: GridRow, base: Path) -> str:
    file = shown_file(row.case.file, base)
    shown = row.variant or row.target
    return f"[{file}]({file})" + (f" `{shown}`" if shown else "")


def _md_column(label: str, name: str, version: str) -> str:
    return f"{label} is `{name}`, {version}" if label != version or name != label else f"{label}"


def _md_name(name: str) -> str:
    repository, number_sign, number = name.partition("#")
    return f"[{name}](https://github.com/{repository}/issues/{number})" if number_sign else name


def _escaped(text: str) -> str:
    return escape(" ".join(text.split()), _NOTE).replace("|", "\\|").replace("<", "&lt;")


def data(grid: Grid, base: Path) -> dict[str, Any]:
    """The table as plain data, for JSON."""
    return {
        "format": FORMAT,
        "toolchains": [
            {
                "name": column.compiler.name,
                "label": column.label,
                "version": column.compiler.version,
                "fingerprint": column.compiler.fingerprint,
                "tools": [
                    {"variants": count, "versions": dict(grid.tools[key])}
                    for key, count in total.tools.items()
                    if key in grid.tools
                ],
            }
            for column, total in zip(grid.columns, grid.totals, strict=True)
        ],
        "cases": [
            {
                "case": shown_file(row.case.file, base),
                "variant": row.variant,
                "target": row.target,
                "summary": row.case.model.summary,
                "toolchains": {
                    column.compiler.name: _cell_data(cell)
                    for column, cell in zip(grid.columns, row.cells, strict=True)
                },
            }
            for row in grid.rows
        ],
        "bugs": [
            {
                "name": bug.name,
                "note": bug.note,
                "case": bug_place(bug, base),
                "report": report_place(bug, base),
                "toolchains": {
                    column.compiler.name: bug.seen[column.label]
                    for column in grid.columns
                    if bug.seen[column.label]
                },
            }
            for bug in grid.bugs
        ],
    }


def _cell_data(cell: GridCell) -> dict[str, int]:
    counted = {str(outcome): cell.outcomes[outcome] for outcome in LETTERS}
    return counted | {"missing": cell.missing, "outdated": cell.outdated, "rebuilt": cell.rebuilt}
