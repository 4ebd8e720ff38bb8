"""`linkage table`: cases by compilers, from results kept."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.case.case import Case
from linkage.case.reader import read_case
from linkage.errors import ExitCode, LinkageError, NoResultError
from linkage.host.folders import cache_folder, store_folder
from linkage.judge.results import Compiler, KeptResult
from linkage.render.grid import Grid, grid
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
from linkage.run.selection import case_files, case_name
from linkage.store.results import Results
from linkage.toolchain import probe, resolve_all

BEGIN = "<!-- linkage table: begin -->"
END = "<!-- linkage table: end -->"


def table(
    paths: Sequence[str],
    specs: Sequence[str],
    store: str | None,
    *,
    variants: bool = False,
    as_json: bool = False,
    as_markdown: bool = False,
    into: str | None = None,
) -> int:
    """Show the results kept of these cases. Raises LinkageError for what is not there, or says nothing."""
    if into is not None:
        _between_marks(into)  # before anything else is done
    cases, wrong = _read(paths)
    folder = store_folder(store, os.environ)
    kept = [(case, _kept(folder, case)) for case in cases]
    tools = {key: versions for case in cases for key, versions in _tools(folder, case).items()}
    found = grid(kept, _chosen(specs), tools=tools, by_variant=variants)
    for text in wrong:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(text, "bold red"))
    if not found.columns:
        raise NoResultError(
            "no result is kept of these cases", where=str(folder), help="linkage run, or name another --store"
        )
    if into is not None:
        _put(into, markdown(found, Path(into).parent))
    elif as_markdown:
        print(markdown(found, Path.cwd()), end="")
    elif as_json:
        print(json.dumps(data(found, Path.cwd()), indent=1))
    else:
        _show(found, summary_console())
    return ExitCode.USAGE if wrong else ExitCode.OK


def _read(paths: Sequence[str]) -> tuple[list[Case], list[str]]:
    """The cases, and what is wrong with those that cannot be read."""
    cases: list[Case] = []
    wrong: list[str] = []
    for file in case_files(paths):
        try:
            cases.append(read_case(file, case_name(file)))
        except LinkageError as error:
            wrong.append(str(error))
    return cases, wrong


def _kept(folder: Path, case: Case) -> Sequence[KeptResult]:
    return Results.open(folder).of_case(case.file) if folder.is_dir() else ()


def _tools(folder: Path, case: Case) -> Mapping[str, Mapping[str, str]]:
    return Results.open(folder).tools_of(case.file) if folder.is_dir() else {}


def _chosen(specs: Sequence[str]) -> list[Compiler] | None:
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
        shown.add_column(Text(column.label), overflow="fold")
    for row in found.rows:
        parts = (cell_parts(cell, word=row.variant is not None) for cell in row.cells)
        shown.add_row(Text(row_label(row, base)), *map(_cell, parts))
    if len(found.rows) > 1:
        shown.add_row(Text("all", "bold"), *(_cell(cell_parts(cell, word=False)) for cell in found.totals))
    console.print(shown)
    console.print()
    width = max(len(column.label) for column in found.columns)
    for column in found.columns:
        names = f"{column.label.ljust(width)}  {column.compiler.name}  {column.compiler.version}"
        console.print(Text(names, "dim"))
    console.print()
    for line in notes(found):
        console.print(Text(line, "dim"))
    for bug in found.bugs:
        report = report_place(bug, base)
        note = f": {bug.note}" + (f" (report: {report})" if report else "")
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
    """A file's text before and after the table. Raises LinkageError where it has no place for one."""
    try:
        text = Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise LinkageError(f"cannot be read: {why}", where=place, help="name a Markdown file") from None
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise LinkageError(
            "has no place for the table",
            where=place,
            help=f"put the lines {BEGIN} and {END} where it belongs",
        )
    return before + begin, end + after


def _put(place: str, text: str) -> None:
    """Replace what stands between the marks, whole or not at all."""
    before, after = _between_marks(place)
    target = Path(place).absolute()
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{before}\n{text}\n{after}")
        temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise LinkageError(
            f"cannot be written: {error.strerror}", where=place, help="name another file"
        ) from None
