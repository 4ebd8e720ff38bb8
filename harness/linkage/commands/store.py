"""`linkage store`: inspect and prune the cache."""

import argparse
import os
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.commands import add_store
from linkage.errors import ExitCode
from linkage.host.folders import store_folder
from linkage.host.size import parse_size, shown_size
from linkage.host.terminal import escape
from linkage.store import maintenance
from linkage.store.maintenance import KINDS, Contents, Removal
from linkage.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage store`."""
    words = parser.add_subparsers(dest="word", metavar="show|trim|check|clear", parser_class=type(parser))
    show = words.add_parser("show", help="print the location and contents of the cache (default)")
    trim = words.add_parser("trim", help="remove the least recently used entries")
    trim.add_argument("--to", required=True, metavar="SIZE", help="size to shrink to, such as 500M or 2G")
    check = words.add_parser(
        "check", help="verify every entry and remove damaged ones; exit status 1 if there were any"
    )
    clear = words.add_parser("clear", help="remove every entry that no run is using")
    add_store(parser)
    for one in (show, trim, check, clear):
        add_store(one, argparse.SUPPRESS)  # any other default would replace what stood before the word
        one.set_defaults(parser=one)


def run(arguments: argparse.Namespace) -> int:
    """Do what the word asks for. Raises LinkageError if there is no store."""
    size = parse_size(arguments.to, "--to") if arguments.word == "trim" else 0
    console = Console(highlight=False, soft_wrap=True)
    store = maintenance.existing(store_folder(arguments.store, os.environ))
    match arguments.word:
        case "trim":
            return _removed(maintenance.trim(store, size), console)
        case "check":
            return _check(store, console)
        case "clear":
            return _removed(maintenance.clear(store), console)
        case _:
            return _show(store, console)


def _show(store: Store, console: Console) -> ExitCode:
    found = maintenance.contents(store)
    console.print(Text(escape(str(store.folder.parent), 2000), "bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", "entries", "size", "oldest", "newest"):
        table.add_column(name, justify="right" if name in ("entries", "size") else "left")
    for kind, what in KINDS.items():
        one = found.kinds[kind]
        times = (_moment(one.oldest), _moment(one.newest)) if one.count else ("", "")
        table.add_row(what, str(one.count), shown_size(one.size), *times)
    size = sum(one.size for one in found.kinds.values())
    table.add_row("all", str(sum(one.count for one in found.kinds.values())), shown_size(size))
    console.print(table)
    for line in _notes(found):
        console.print(Text(escape(line, 2000)))
    return ExitCode.OK


def _notes(found: Contents) -> list[str]:
    lines = [
        f"{count} steps by {name or 'an unknown compiler'}" for name, count in sorted(found.compilers.items())
    ]
    if found.other_versions:
        lines.append(f"{found.other_versions} entries of other versions of linkage")
    if found.at_work:
        lines.append(f"in use: {found.at_work} variants or files of current runs")
    if found.left_behind:
        lines.append(f"{found.left_behind} left behind by killed runs; the next run removes them")
    return lines


def _moment(when: float) -> str:
    if not when:
        return "in the future"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))


def _removed(removed: Removal, console: Console) -> ExitCode:
    console.print(f"removed {removed.count} entries, {shown_size(removed.size)}")
    if removed.held:
        console.print(f"kept {removed.held} that a run is using")
    return ExitCode.OK


def _check(store: Store, console: Console) -> ExitCode:
    found = maintenance.check(store)
    for entry in found.damaged:
        console.print(Text(f"removed, damaged: {Path(entry.place).relative_to(store.folder.parent)}"))
    console.print(f"{found.read.total()} entries read, {len(found.damaged)} damaged")
    if found.held:
        console.print(f"kept {found.held} damaged ones that a run is about to replace")
    return ExitCode.FAILED if found.damaged or found.held else ExitCode.OK
