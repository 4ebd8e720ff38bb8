"""`linkage store`: what is kept, and making it smaller."""

import os
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.errors import ExitCode
from linkage.host.folders import store_folder
from linkage.store import maintenance as store_upkeep
from linkage.store.maintenance import KINDS, Contents, Removed
from linkage.store.size import parse_size, shown_size
from linkage.store.store import Store


def upkeep(word: str, folder: str | None, to: str | None) -> int:
    """Carry out one word of `linkage store`. Raises LinkageError where there is no store."""
    size = parse_size(to, "--to") if to is not None else 0
    console = Console(highlight=False, soft_wrap=True)
    store = store_upkeep.existing(store_folder(folder, os.environ))
    match word:
        case "trim":
            return _removed(store_upkeep.trim(store, size), console)
        case "check":
            return _check(store, console)
        case "clear":
            return _removed(store_upkeep.clear(store), console)
        case _:
            return _show(store, console)


def _show(store: Store, console: Console) -> ExitCode:
    found = store_upkeep.contents(store)
    console.print(Text(str(store.folder.parent), "bold"))
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
        console.print(Text(line))
    return ExitCode.OK


def _notes(found: Contents) -> list[str]:
    lines = [
        f"{count} steps by {name or 'a compiler that was not noted'}"
        for name, count in sorted(found.compilers.items())
    ]
    if found.other_versions:
        lines.append(f"{found.other_versions} entries of other versions of linkage")
    if found.at_work:
        lines.append(f"in use: runs are working on {found.at_work} variants or files now")
    if found.left_behind:
        lines.append(f"{found.left_behind} left behind by runs that were killed: the next run removes them")
    return lines


def _moment(when: float) -> str:
    if not when:
        return "in the future"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))


def _removed(removed: Removed, console: Console) -> ExitCode:
    console.print(f"removed {removed.count} entries, {shown_size(removed.size)}")
    if removed.held:
        console.print(f"left {removed.held} that a run is using")
    return ExitCode.OK


def _check(store: Store, console: Console) -> ExitCode:
    found = store_upkeep.check(store)
    for entry in found.damaged:
        console.print(Text(f"damaged, removed: {Path(entry.place).relative_to(store.folder.parent)}"))
    console.print(f"{found.read.total()} entries read, {len(found.damaged)} damaged")
    if found.held:
        console.print(f"left {found.held} damaged ones that a run is about to replace")
    return ExitCode.FAILED if found.damaged or found.held else ExitCode.OK
