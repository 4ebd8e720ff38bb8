"""`linkage list`: the cases and their variants, without compiling."""

import argparse

from rich.console import Console
from rich.text import Text

from linkage.commands import add_cases, add_keywords, add_shipped, named_cases
from linkage.errors import ExitCode, LinkageError
from linkage.host.terminal import escape, escape_lines
from linkage.judge.name_set import plural
from linkage.run.selection import read_cases


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage list`."""
    add_cases(parser)
    add_shipped(parser)
    add_keywords(parser)
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="also show the cells that a matrix excludes, each with the line that excludes it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print each case with its variants; report a case that cannot be read and continue."""
    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    wrong: list[LinkageError] = []

    def report(error: LinkageError) -> None:
        wrong.append(error)
        errors.print(Text(escape_lines(str(error)), "bold red"))

    total = 0
    for case in read_cases(named_cases(arguments), arguments.chosen, report):
        total += len(case.ids)
        pairs = ", with each other toolchain" if case.pairs_toolchains else ""
        count = (f" ({plural(len(case.ids), 'variant')}{pairs})", "dim")
        console.print(Text.assemble((case.name, "bold"), ": ", escape(case.model.summary, 2000), count))
        for name in case.ids:
            console.print(Text(f"    {case.name}[{name}]" if name else f"    {case.name}"))
        for name, where in case.excluded if arguments.verbose else ():
            console.print(Text(f"    [{name}] is excluded at {where}", "dim"))
    console.print(Text(f"{plural(total, 'variant')} on each toolchain", "dim"))
    return ExitCode.USAGE if wrong else ExitCode.OK
