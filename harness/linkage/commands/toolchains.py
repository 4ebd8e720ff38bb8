"""`linkage toolchains`: the toolchains that are found and their capabilities; install and remove them."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.commands import add_toolchains
from linkage.errors import ExitCode, LinkageError, ToolchainError
from linkage.host.folders import cache_folder
from linkage.host.terminal import escape
from linkage.run.containment import Containment, examine_containment
from linkage.run.selection import check_targets
from linkage.toolchain import (
    Tool,
    Toolchain,
    ask_rustup,
    describe,
    discover,
    examine,
    probe,
    resolve_all,
    sources,
)
from linkage.toolchain.sources import InstallOptions, Say
from linkage.toolchain.tools import ABSENT

_VALUE = 10_000
"""Characters of a value that are printed."""
_LONG = 0.05
"""Seconds; the time of a shorter step is not printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage toolchains`."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="also list this machine's tools with paths and versions, "
        "what keeps steps within their limits, and the sandbox",
    )
    add_toolchains(parser)
    words = parser.add_subparsers(metavar="install|remove", parser_class=type(parser))
    installing = words.add_parser(
        "install",
        help="install toolchains into linkage's own directory",
        description="Install toolchains into linkage's own directory; no root is needed.",
    )
    installing.add_argument(
        "specs",
        nargs="+",
        metavar="SPEC",
        help="a rustup toolchain, or a release or suite of Debian: debian:1.63, debian:bookworm, "
        "debian:1.85-dynamic",
    )
    installing.add_argument(
        "--mirror", metavar="URL", help="Debian mirror (default: the one in apt's configuration)"
    )
    installing.add_argument(
        "--keyring",
        action="append",
        default=[],
        metavar="FILE",
        help="also trust the keys in FILE for Debian archives; may be repeated",
    )
    installing.add_argument(
        "--allow-unsigned", action="store_true", help="do not verify the signatures of Debian archives"
    )
    installing.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="TRIPLE",
        help="also install the std of this target; may be repeated, or name several: A,B",
    )
    installing.set_defaults(run=_install, parser=installing)
    summary = "remove toolchains that linkage has installed"
    removing = words.add_parser("remove", help=summary, description=f"{summary.capitalize()}.")
    removing.add_argument("specs", nargs="+", metavar="SPEC", help="as given to install")
    removing.set_defaults(run=_remove, parser=removing)


def run(arguments: argparse.Namespace) -> int:
    """Print every toolchain that is found; report one that cannot be asked and continue.

    Raises ToolchainError for one of `--toolchain` that cannot be used.
    """
    specs: list[str] = arguments.toolchain
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
    if arguments.json:
        contained = examine_containment(os.environ)
        data = {
            "toolchains": [dict(describe(one)) for one in found],
            "unusable": wrong,
            "linkers": sorted(machine.linkers),
            "tools": {
                tool.name: {"path": str(tool.path), "version": tool.version} if tool.path else None
                for tool in (*machine.tools, ask_rustup(cache, os.environ))
            },
            "limits": {"groups": contained.groups, "folders": contained.folders},
            "sandbox": {
                "path": contained.sandbox,
                "version": contained.sandbox_version,
                "problem": contained.no_sandbox,
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
            table.add_row(label, Text(escape(value, _VALUE), "bold" if label == "name" else ""))
        console.print(table)
        console.print()
    if not found and not wrong:
        console.print("no toolchain found (help: linkage toolchains install stable)")
    for text in wrong:
        console.print(Text(escape(text, _VALUE), "bold red"))
    if arguments.verbose:
        _print_tools((*machine.tools, ask_rustup(cache, os.environ)), console)
        _print_containment(examine_containment(os.environ), console)
    console.print(
        Text(
            escape(f"this machine: {machine.cc_version or 'no C compiler'}; working linkers: {linkers}"),
            "dim",
        )
    )
    return ExitCode.OK


def _print_tools(tools: Sequence[Tool], console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for tool in tools:
        path = str(tool.path) if tool.path else ABSENT
        table.add_row(
            tool.name,
            Text(escape(path, _VALUE), "" if tool.path else "dim"),
            Text(escape(tool.recorded or "", _VALUE)),
        )
    console.print(table)
    console.print()


def _print_containment(found: Containment, console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    sandbox = (
        f"{found.sandbox}  {found.sandbox_version or ''}" if found.sandbox else f"none: {found.no_sandbox}"
    )
    table.add_row("limits", Text(escape(found.limits, _VALUE)))
    table.add_row("sandbox", Text(escape(sandbox, _VALUE)))
    console.print(table)
    console.print()


def _install(arguments: argparse.Namespace) -> int:
    options = InstallOptions(
        arguments.mirror,
        tuple(Path(file) for file in arguments.keyring),
        arguments.allow_unsigned,
        check_targets(arguments.target),
    )
    return _each(arguments.specs, lambda spec, say: sources.install(spec, options, os.environ, say))


def _remove(arguments: argparse.Namespace) -> int:
    return _each(arguments.specs, lambda spec, say: sources.remove(spec, os.environ, say))


def _each(specs: Sequence[str], act: Callable[[str, Say], None]) -> int:
    """Do it for each toolchain for which it can be done.

    Raises ToolchainError at once for a spec that cannot be valid.
    """
    sources.check(specs, os.environ)
    steps = InstallProgress(sys.stdout)
    status = int(ExitCode.OK)
    for spec in dict.fromkeys(specs):
        try:
            act(spec, steps.say)
        except ToolchainError as error:
            steps.end()
            print(f"linkage: {escape(str(error), _VALUE)}", file=sys.stderr)
            status = int(error.exit_code)
        finally:
            steps.end()
    return status


class InstallProgress:
    """Steps on a terminal, each with the time that it took, or in a log, one line each."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._since: float | None = None

    def say(self, text: str) -> None:
        """Begin a step and end the one before."""
        self.end()
        text = escape(text, _VALUE)
        self._stream.write(text if self._live else f"{text}\n")
        self._stream.flush()
        self._since = self._clock() if self._live else None

    def end(self) -> None:
        """End the last step."""
        if self._since is not None:
            took = self._clock() - self._since
            self._stream.write(f"  {took:.1f} s\n" if took > _LONG else "\n")
            self._stream.flush()
            self._since = None
