"""`linkage repro`: a shell script that reproduces a variant and needs only rustc and cc."""

import argparse
import os
import sys

from linkage.commands import add_toolchains
from linkage.errors import ExitCode, LinkageError
from linkage.host.files import write_whole
from linkage.plan.plan import plan
from linkage.render.script import repro_script
from linkage.run.selection import one_case, variants
from linkage.run.session import chosen_toolchains, session_for, sources


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage repro`."""
    parser.add_argument("case", metavar="CASE[VARIANT]", help="the node id of a variant, as a run prints it")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it to FILE instead of standard output")
    add_toolchains(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the script of one variant. Raises LinkageError if the id means several."""
    text, output = arguments.case, arguments.output
    case, named, cell = one_case(text)
    if cell is None and len(case.rows) > 1:
        raise LinkageError(
            f"the case has {len(case.rows)} variants",
            where=text,
            help=f"name one, such as {case.name}[{case.ids[0]}]",
        )
    session = session_for(os.environ)
    toolchain = chosen_toolchains(session, arguments.toolchain, named)[0]
    variant = variants(case, toolchain, cell)[0]
    reason = session.skip_reason(variant)
    if reason is not None:
        raise LinkageError(f"cannot be run: {reason}", where=variant.id)
    script = repro_script(plan(variant), sources(variant), session.verdict(variant))
    if output is None:
        sys.stdout.write(script)
        return ExitCode.OK
    write_whole(output, script, mode=0o755)
    return ExitCode.OK
