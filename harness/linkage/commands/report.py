"""`linkage report`: a page from the recorded verdicts, as static files."""

import argparse
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from linkage.case.case import Case
from linkage.commands import add_cases, add_keywords, add_shipped, add_store, add_toolchains
from linkage.commands.table import chosen_compilers, kept_results, require_results
from linkage.errors import ExitCode, LinkageError
from linkage.host.files import OutputFile
from linkage.host.folders import store_folder
from linkage.host.terminal import escape, escape_lines, printable_name
from linkage.judge.nights import Night
from linkage.judge.results import KeptResult
from linkage.render.grid import Grid, grid
from linkage.render.grid_text import shown_file
from linkage.store.history import read_nights, write_night


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage report`."""
    add_cases(parser)
    add_keywords(parser)
    add_shipped(parser)
    add_toolchains(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        required=True,
        help="write the page into this directory, which is created; open its index.html",
    )
    parser.add_argument(
        "--history",
        metavar="DIR",
        help="add these verdicts to the nights in this directory, and show what changed since",
    )
    parser.add_argument(
        "--night",
        metavar="DATE",
        type=_date,
        help="the night that --history records, as in 2026-11-28 (default: today, UTC)",
    )
    add_store(parser)


def _date(text: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).strftime("%Y-%m-%d")
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"must be a date such as 2026-11-28, not '{text}'")


def run(arguments: argparse.Namespace) -> int:
    """Write the page. Raises LinkageError if there are no verdicts, or for wrong input."""
    from linkage.render.page.site import ReportInput, site  # noqa: PLC0415 - `--help` needs none of it

    target = Path(arguments.output)
    _check(target)
    base = Path.cwd()
    folder = store_folder(arguments.store, os.environ)
    kept, wrong = kept_results(arguments, folder)
    found = grid(kept, chosen_compilers(arguments.toolchain), by_variant=True)
    for error in wrong:
        print(f"linkage: {escape_lines(str(error))}")
    require_results(found, folder)
    now = datetime.now(UTC)
    nights: Sequence[Night] = ()
    if arguments.history is not None:
        nights = _remember(Path(arguments.history), arguments.night or f"{now:%Y-%m-%d}", kept, found, base)
    written = f"{now:%Y-%m-%d %H:%M} UTC"
    count = 0
    for name, text in site(ReportInput(kept, found, base, written, nights, _reports(found))):
        _write(target / name, text)
        count += 1
    print(f"{count} files; open {escape(printable_name(str(target / 'index.html')), 2000)}")
    return ExitCode.USAGE if wrong else ExitCode.OK


def _remember(
    folder: Path, date: str, kept: Sequence[tuple[Case, Sequence[KeptResult]]], found: Grid, base: Path
) -> list[Night]:
    """Add the night to the history; the nights up to it. Raises LinkageError."""
    shown = {column.compiler for column in found.columns}
    results = [
        (shown_file(case.file, base), one)
        for case, several in kept
        for one in several
        if one.compiler in shown and one.cell in case.ids
    ]
    before = [night for night in read_nights(folder) if night.date < date]
    night = Night.of(date, results)
    write_night(folder, night)
    return [*before, night]


def _reports(found: Grid) -> Mapping[Path, str]:
    return dict(_read_reports(found))


def _read_reports(found: Grid) -> Iterator[tuple[Path, str]]:
    for bug in found.bugs:
        if bug.report:
            place = bug.case.folder / bug.report
            try:
                yield place, place.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                where = printable_name(str(place))
                raise LinkageError(f"cannot be read: {error.strerror}", where=where) from None


def _check(target: Path) -> None:
    """Refuse a directory that holds something else: files of this report's names would be replaced."""
    page = target / "index.html"
    try:
        if target.is_dir() and any(target.iterdir()) and not (target / "filter.js").is_file():
            raise LinkageError(
                "is a directory with other files",
                where=f"--output {printable_name(str(target))}",
                help="name a new or an empty directory",
            )
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        where = f"--output {printable_name(str(target))}"
        raise LinkageError(
            f"cannot be written: {error.strerror}", where=where, help="choose another"
        ) from None
    OutputFile(str(page), "--output")


def _write(place: Path, text: str) -> None:
    OutputFile(str(place), "--output", parents=True).write(text)
