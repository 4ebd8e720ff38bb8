"""`linkage repro`: a shell script that reproduces a variant and needs only rustc and cc."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from linkage.case.matrix import row_id
from linkage.commands import add_others, add_toolchains, output
from linkage.errors import ExitCode, LinkageError
from linkage.judge.verdict import Verdict
from linkage.plan.plan import Plan, Variant
from linkage.render.script import OtherBuild, repro_script
from linkage.run.selection import one_case, variants
from linkage.run.session import Session, choose_others, chosen_toolchains, session_for, sources


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage repro`."""
    parser.add_argument("case", metavar="CASE[VARIANT]", help="the node id of a variant, as a run prints it")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it to FILE instead of standard output")
    add_toolchains(parser)
    add_others(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the script of one variant. Raises LinkageError if the id means several."""
    text, file = arguments.case, output(arguments, "--output")
    case, named, cell = one_case(text)
    if cell is None and len(case.rows) > 1:
        raise LinkageError(
            f"the case has {len(case.rows)} variants",
            where=text,
            help=f"name one, such as {case.name}[{case.ids[0]}]",
        )
    session = session_for(os.environ)
    toolchain = chosen_toolchains(session, arguments.toolchain, named)[0]
    others = choose_others(session, case, arguments.other_toolchain, cell)
    every = variants(case, toolchain, None, others)
    found = variants(case, toolchain, cell, others)
    if len(found) > 1:
        help = f"name one, such as {case.name}[{row_id(found[0].row)}]"
        raise LinkageError(f"the case has {len(found)} variants", where=text, help=help)
    variant = found[0]
    planned = session.planned(variant)
    if isinstance(planned, str):
        raise LinkageError(f"cannot be run: {planned}", where=variant.id)
    verdict = session.verdict(variant)
    builds = _others(session, planned, verdict, every)
    script = repro_script(planned, sources(variant), verdict, builds)
    if file is None:
        sys.stdout.write(script)
        return ExitCode.OK
    file.write(script, mode=0o755)
    return ExitCode.OK


def _others(
    session: Session, planned: Plan, verdict: Verdict, variants: Sequence[Variant]
) -> list[OtherBuild]:
    """The variants that failed claims compare with, each up to the last step that is needed."""
    lasting: dict[str, int] = {}
    found: dict[str, OtherBuild] = {}
    by_id = {variant.id: variant for variant in variants}
    for failure in verdict.failures:
        if failure.other is None:
            continue
        other = session.planned(by_id[failure.other.node])
        assert not isinstance(other, str)  # noqa: S101 - it was run for the comparison
        last = next((step for step in planned.steps if step.id == failure.step), planned.steps[-1])
        count = next(index for index, step in enumerate(other.steps, 1) if step.path == last.path)
        count = lasting[failure.other.node] = max(count, lasting.get(failure.other.node, 0))
        found[failure.other.node] = OtherBuild(
            replace(other, steps=other.steps[:count]), sources(other.variant), failure.other.variable
        )
    return list(found.values())
