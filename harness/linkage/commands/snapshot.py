"""`linkage snapshot`: what a toolchain builds, recorded for a later comparison."""

import argparse
import sys

from linkage.commands.compare import add_build_arguments, options
from linkage.compare.request import snapshotted
from linkage.compare.snapshot import encoded
from linkage.errors import ExitCode
from linkage.host.files import OutputFile, reporting_beside
from linkage.host.interruption import interruption
from linkage.host.terminal import escape
from linkage.render.progress import ProgressLine, interrupted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage snapshot`."""
    parser.add_argument("toolchain", metavar="TOOLCHAIN", help="as for `linkage run --toolchain`")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the file to write")
    add_build_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Build every variant, and write what was built. Raises LinkageError."""
    file = OutputFile(arguments.output, "-o")
    with ProgressLine(sys.stderr) as progress:
        interruption.describe = lambda: interrupted(*progress.counted, kept=not arguments.no_store)
        snapshot = snapshotted(options(arguments, arguments.toolchain), progress.count)
    not_built = snapshot.not_built
    broken = [one for one in not_built if one.error]
    for one in broken:
        print(f"linkage: {escape(one.variant)}: {escape(one.reason, 2000)}", file=sys.stderr)
    content = encoded(snapshot)
    file.write(content)
    built = len(snapshot.builds) - len(not_built)
    with reporting_beside(file):
        counts = f"{built} variants, {len(not_built)} not built, {len(content):,} bytes"
        print(f"{escape(arguments.output)}: {counts}")
    if not built:
        return int(ExitCode.NOTHING_RUN)
    return int(ExitCode.FAILED if broken else ExitCode.OK)
