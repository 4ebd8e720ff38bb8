"""`linkage table`: the recorded verdicts, cases by compilers."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.case.case import Case
from linkage.commands import add_cases, add_keywords, add_store, add_toolchains, named_cases
from linkage.errors import ExitCode, LinkageError, NoResultError
from linkage.host.files import OutputFile
from linkage.host.folders import cache_folder, store_folder
from linkage.host.terminal import escape, escape_lines
from linkage.judge.results import Compiler, KeptResult
from linkage.render.grid import Grid, grid, with_others
from linkage.render.grid_text import (
    bug_place,
    cell_parts,
    data,
    markdown,
    notes,
    report_place,
    row_label,
    seen_in,
)
from linkage.render.run_table import STYLES, summary_console
from linkage.run.selection import read_cases, split
from linkage.store.results import Results
from linkage.toolchain import probe, resolve_all

BEGIN = "<!-- linkage table: begin -->"
END = "<!-- linkage table: end -->"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage table`."""
    add_cases(parser)
    add_keywords(parser)
    add_toolchains(parser)
    rows = parser.add_mutually_exclusive_group()
    rows.add_argument("--variants", action="store_true", help="print a row for each variant")
    rows.add_argument(
        "--targets", action="store_true", help="print a row for each target of each case, by target"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument(
        "--into", metavar="FILE", help="with --markdown, replace the table between the marks in FILE"
    )
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the recorded verdicts. Raises LinkageError if there are none, or for wrong input."""
    into: str | None = arguments.into
    if into is not None:
        if not arguments.markdown:
            raise LinkageError("--into needs --markdown", help=f"--markdown --into {into}")
        _between_marks(into)  # before anything else is done
        OutputFile(into, "--into")
    folder = store_folder(arguments.store, os.environ)
    kept, wrong = kept_results(arguments, folder)
    tools = {key: versions for case, _ in kept for key, versions in _tools(folder, case).items()}
    found = grid(
        kept,
        chosen_compilers(arguments.toolchain),
        tools=tools,
        by_variant=arguments.variants,
        by_target=arguments.targets,
    )
    for error in wrong:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            Text(escape_lines(str(error)), "bold red")
        )
    require_results(found, folder)
    if into is not None:
        _put(into, markdown(found, Path(into).parent))
    elif arguments.markdown:
        print(markdown(found, Path.cwd()), end="")
    elif arguments.json:
        print(json.dumps(data(found, Path.cwd()), indent=1))
    else:
        _show(found, summary_console())
    return ExitCode.USAGE if wrong else ExitCode.OK


def kept_results(
    arguments: argparse.Namespace, folder: Path
) -> tuple[list[tuple[Case, list[KeptResult]]], list[LinkageError]]:
    """The cases that the arguments mean with their results, and the cases that could not be read.

    If only some variants of a case are meant, the results of the others are left out. Raises LinkageError.
    """
    wrong: list[LinkageError] = []
    cases = list(read_cases(named_cases(arguments), arguments.chosen, wrong.append))
    narrowed = arguments.chosen is not None or any(split(text)[2] for text in arguments.cases)
    stored = [(case, _kept(folder, case)) for case in cases]
    paired = [(with_others(case, found), found) for case, found in stored]
    kept = [(case, [one for one in found if not narrowed or one.cell in case.ids]) for case, found in paired]
    return kept, wrong


def require_results(found: Grid, folder: Path) -> None:
    """Raise NoResultError if nothing is recorded of the cases."""
    if not found.columns:
        raise NoResultError(
            "no verdicts of these cases are recorded",
            where=str(folder),
            help="use `linkage run` first, or another --store",
        )


def _kept(folder: Path, case: Case) -> Sequence[KeptResult]:
    return Results.open(folder).of_case(case.file) if folder.is_dir() else ()


def _tools(folder: Path, case: Case) -> Mapping[str, Mapping[str, str]]:
    return Results.open(folder).tools_of(case.file) if folder.is_dir() else {}


def chosen_compilers(specs: Sequence[str]) -> list[Compiler] | None:
    """The compilers that were asked for, as they are now."""
    if not specs:
        return None
    cache = cache_folder(os.environ)
    return [Compiler.of(probe(one, cache, os.environ)) for one in resolve_all(specs, os.environ)]


def _show(found: Grid, console: Console) -> None:
    base = Path.cwd()
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    shown.add_column("case", overflow="fold")
    for column in found.columns:
        shown.add_column(Text(escape(column.label)), overflow="fold")
    for row in found.rows:
        parts = (cell_parts(cell, word=row.variant is not None) for cell in row.cells)
        shown.add_row(Text(row_label(row, base)), *map(_cell, parts))
    if len(found.rows) > 1:
        shown.add_row(Text("all", "bold"), *(_cell(cell_parts(cell, word=False)) for cell in found.totals))
    console.print(shown)
    console.print()
    width = max(len(column.label) for column in found.columns)
    for column in found.columns:
        names = escape(f"{column.label.ljust(width)}  {column.compiler.name}  {column.compiler.version}")
        console.print(Text(names, "dim"))
    console.print()
    for line in notes(found):
        console.print(Text(escape(line, 2000), "dim"))
    for bug in found.bugs:
        report = report_place(bug, base)
        note = f": {escape(bug.note, 2000)}" + (f" (report: {report})" if report else "")
        console.print(
            Text.assemble(
                (bug.name, "yellow"), note, (f"  {bug_place(bug, base)}: {seen_in(bug, found)}", "dim")
            )
        )


def _cell(parts: Sequence[tuple[str, object]]) -> Text:
    text = Text()
    for index, (part, outcome) in enumerate(parts):
        text.append(" " if index and part != "*" else "")
        text.append(part, next((style for one, style in STYLES.items() if one == outcome), "dim"))
    return text


def _between_marks(place: str) -> tuple[str, str]:
    """The text of a file before and after the table. Raises LinkageError if it has no place for one."""
    try:
        text = Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise LinkageError(f"cannot be read: {why}", where=place, help="name a Markdown file") from None
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise LinkageError(
            "has no marks for the table",
            where=place,
            help=f"put the lines {BEGIN} and {END} where the table belongs",
        )
    return before + begin, end + after


def _put(place: str, text: str) -> None:
    before, after = _between_marks(place)
    OutputFile(place, "--into").write(f"{before}\n{text}\n{after}")
