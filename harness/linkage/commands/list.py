"""`linkage list`: the cases and their variants, without compiling."""

import argparse

from rich.console import Console
from rich.text import Text

from linkage.case.reader import read_case
from linkage.commands import add_cases, add_shipped, named_cases
from linkage.errors import ExitCode, LinkageError
from linkage.judge.name_set import plural
from linkage.run.selection import case_files, case_name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage list`."""
    add_cases(parser)
    add_shipped(parser)
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
    status, total = ExitCode.OK, 0
    for file in case_files(named_cases(arguments)):
        try:
            case = read_case(file, case_name(file))
        except LinkageError as error:
            errors.print(Text(str(error), "bold red"))
            status = ExitCode.USAGE
            continue
        total += len(case.ids)
        count = plural(len(case.ids), "variant")
        console.print(Text.assemble((case.name, "bold"), ": ", case.model.summary, (f" ({count})", "dim")))
        for name in case.ids:
            console.print(Text(f"    {case.name}[{name}]" if name else f"    {case.name}"))
        for name, where in case.excluded if arguments.verbose else ():
            console.print(Text(f"    [{name}] is excluded at {where}", "dim"))
    console.print(Text(f"{plural(total, 'variant')} on each toolchain", "dim"))
    return status
