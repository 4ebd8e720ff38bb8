"""`linkage toolchains`: what is found, and what each can do here."""

import json
import os
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.errors import ExitCode, LinkageError
from linkage.host.folders import cache_folder
from linkage.toolchain import Tool, Toolchain, ask_rustup, describe, discover, examine, probe, resolve_all
from linkage.toolchain.tools import ABSENT


def show_toolchains(specs: Sequence[str], *, as_json: bool, verbose: bool = False) -> int:
    """Print every toolchain that is found; one that cannot be asked is said, the others go on.

    Raises ToolchainError where there is none at all, or one that was asked for is not there.
    """
    cache = cache_folder(os.environ)
    found: list[Toolchain] = []
    wrong: list[str] = []
    for located in resolve_all(specs or discover(os.environ), os.environ):
        try:
            found.append(probe(located, cache, os.environ))
        except LinkageError as error:
            if specs:
                raise
            wrong.append(str(error))
    machine = examine(cache, os.environ)
    linkers = ", ".join(sorted(machine.linkers)) or "none"
    if as_json:
        data = {
            "toolchains": [dict(describe(one)) for one in found],
            "unusable": wrong,
            "linkers": sorted(machine.linkers),
            "tools": {
                tool.name: {"path": str(tool.path), "version": tool.version} if tool.path else None
                for tool in (*machine.tools, ask_rustup(cache, os.environ))
            },
        }
        print(json.dumps(data, indent=1))
        return ExitCode.OK
    console = Console(highlight=False, soft_wrap=True)
    for toolchain in found:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in describe(toolchain):
            table.add_row(label, Text(value, "bold" if label == "name" else ""))
        console.print(table)
        console.print()
    if not found and not wrong:
        console.print("no toolchain is found (help: linkage toolchains install stable)")
    for text in wrong:
        console.print(Text(text, "bold red"))
    if verbose:
        _print_tools((*machine.tools, ask_rustup(cache, os.environ)), console)
    console.print(
        Text(f"this machine: {machine.cc_version or 'no C compiler'}; linkers that work: {linkers}", "dim")
    )
    return ExitCode.OK


def _print_tools(tools: Sequence[Tool], console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for tool in tools:
        path = str(tool.path) if tool.path else ABSENT
        table.add_row(tool.name, Text(path, "" if tool.path else "dim"), Text(tool.recorded or ""))
    console.print(table)
    console.print()
