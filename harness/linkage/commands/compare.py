"""`linkage compare`: how the outputs of two toolchains differ."""

import argparse
import sys

from linkage.commands import add_cases, add_keywords, add_others, add_sandbox, add_store, output
from linkage.compare.comparison import Comparison
from linkage.compare.request import ComparisonOptions, compared
from linkage.errors import ExitCode
from linkage.host.files import reporting_beside
from linkage.host.interruption import interruption
from linkage.render.compare_data import as_json, as_markdown
from linkage.render.compare_text import print_result
from linkage.render.progress import ProgressLine, interrupted
from linkage.run.options import width


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage compare`."""
    side = "a toolchain, as for `linkage run --toolchain`, or a file written by `linkage snapshot`"
    parser.add_argument("base", metavar="BASE", help=side)
    parser.add_argument("head", metavar="HEAD", help="likewise")
    add_build_arguments(parser)
    parser.add_argument("--sizes", action="store_true", help="report a different size as a difference")
    parser.add_argument("--bytes", action="store_true", help="report different bytes as a difference")
    parser.add_argument("--expect", metavar="FILE", help="expected changes, with their reasons")
    parser.add_argument("--json", metavar="FILE", help="write all differences to FILE as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write a report for a pull request to FILE")
    cargo = parser.add_argument_group("Cargo")
    cargo.add_argument("--cargo", metavar="DIR", help="build this Cargo project instead of cases")
    cargo.add_argument("--profile", default="dev", metavar="NAME", help="profile (default: dev)")
    cargo.add_argument("--offline", action="store_true", help="do not let Cargo access the network")


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """What is built and how, for `linkage compare` and `linkage snapshot`."""
    add_cases(parser)
    add_keywords(parser)
    add_others(parser)
    parser.add_argument("-j", "--jobs", type=width, metavar="N", help="run at most N processes at once")
    parser.add_argument("--linker", default="", metavar="NAME", help="link with bfd, lld, mold or gold")
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="FILTER",
        help="disable this noise filter; may be repeated",
    )
    add_sandbox(parser)
    add_store(parser)
    parser.add_argument("--no-store", action="store_true", help="neither read nor write the cache")


def options(arguments: argparse.Namespace, *sides: str) -> ComparisonOptions:
    """What the arguments ask for."""
    given = {name: value for name, value in vars(arguments).items() if name in ComparisonOptions.__slots__}
    return ComparisonOptions(sides, **given)


def run(arguments: argparse.Namespace) -> int:
    """Compare, and print the report; the exit status. Raises LinkageError."""
    files = output(arguments, "--json"), output(arguments, "--markdown")
    with ProgressLine(sys.stderr) as progress:
        interruption.describe = lambda: interrupted(*progress.counted, kept=not arguments.no_store)
        result = compared(options(arguments, arguments.base, arguments.head), progress.count)
    for file, text in zip(files, (as_json, as_markdown), strict=True):
        if file is not None:
            file.write(text(result))
    with reporting_beside(*files):
        print_result(result)
    return _exit_status(result)


def _exit_status(result: Comparison) -> int:
    if not result.compared and not result.unmet and not any(one.error for one in result.not_compared):
        return int(ExitCode.NOTHING_RUN)
    return int(ExitCode.OK if result.same else ExitCode.FAILED)
