"""`linkage explain`: a case's variants, command lines and claims, without compiling."""

import argparse
import os

from rich.console import Console
from rich.text import Text

from linkage.case.matrix import row_id
from linkage.case.model import CaseModel
from linkage.commands import add_keywords, add_others, add_targets, add_toolchains
from linkage.errors import ExitCode
from linkage.host.terminal import escape, escape_lines
from linkage.judge.judge import shown_step
from linkage.judge.known_bugs import applicable
from linkage.plan.name_filter import selected
from linkage.plan.plan import Plan, PlannedStep, Variant
from linkage.render.claims import claims, compact, expectations, invariants
from linkage.run.selection import check_targets, chosen, one_case, variants
from linkage.run.session import Session, choose_others, chosen_toolchains, session_for

_LINE = 10_000
"""Characters of a command line or a claim that are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `linkage explain`."""
    parser.add_argument("case", metavar="CASE[VARIANT]", help="a case file, or the node id of a variant")
    add_keywords(parser)
    add_toolchains(parser)
    add_others(parser)
    add_targets(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what a run of the case would do. Raises LinkageError."""
    selected(arguments.chosen, "")  # a wrong expression is reported before anything is printed
    case, named, cell = one_case(arguments.case)
    targets = check_targets(arguments.target)
    case = case.for_targets(targets) if targets and cell is None else case
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    console.print(Text.assemble((case.name, "bold"), ": ", escape(case.model.summary, _LINE)))
    _print_head(case.model, console)
    session = session_for(os.environ)
    toolchains = chosen_toolchains(session, arguments.toolchain, named)
    others = choose_others(session, case, arguments.other_toolchain, cell)
    for toolchain in toolchains:
        for variant in variants(case, toolchain, cell, others):
            if chosen(arguments.chosen, case, row_id(variant.row), toolchain.name):
                _print_variant(session, variant, console)
    return ExitCode.OK


def _print_head(model: CaseModel, console: Console) -> None:
    if model.description:
        console.print(Text(escape_lines(model.description.strip())))
    if model.refs:
        console.print(Text("refs: " + escape(", ".join(model.refs), _LINE)))


def _print_variant(session: Session, variant: Variant, console: Console) -> None:
    console.print()
    console.print(Text(variant.id, "bold"))
    planned = session.planned(variant)
    if isinstance(planned, str):
        console.print(Text(f"  skipped: {escape(planned, _LINE)}", "dim"))
        return
    for step in planned.steps:
        _print_step(step, console)
    for line in claims(planned.end):
        console.print(Text(f"  at the end {escape(line, _LINE)}"))
    _print_bugs(planned, console)


def _print_step(step: PlannedStep, console: Console) -> None:
    for part in step.parallel or (step,):
        console.print(Text.assemble(("  $ ", "dim"), escape_lines(shown_step(part), _LINE)))
        for line in (*expectations(part), *claims(part.claims), *invariants(part)):
            console.print(Text(f"      {escape(line, _LINE)}"))


def _print_bugs(planned: Plan, console: Console) -> None:
    for bug in applicable(planned):
        seen = compact(bug.signature)
        console.print(Text(escape(f"  known bug {bug.name}: {seen}", _LINE), "yellow"))
