"""`linkage probe`: run one case on one compiler and report the result to a bisection tool.

`git bisect run` reads an exit status of 0 as good, 125 as skip and 1 to 127 as bad, and stops at
any other: https://git-scm.com/docs/git-bisect. `cargo bisect-rustc --script` reads 0 as baseline
and anything else as regression: https://rust-lang.github.io/cargo-bisect-rustc/.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from linkage.commands import add_others, add_sandbox, output
from linkage.errors import LinkageError, ToolchainError
from linkage.host.interruption import NO_ANSWER
from linkage.host.terminal import escape

if TYPE_CHECKING:
    from linkage.bisect.signature import ProbeResult
    from linkage.case.case import Case
    from linkage.run.session import Session

GOOD, BAD, INCONCLUSIVE = 0, 1, 125
"""`git bisect run`'s exit statuses."""
OTHER = -1
"""A different failure."""
_WORDS = {GOOD: "good", BAD: "bad", INCONCLUSIVE: "inconclusive", OTHER: "inconclusive"}
_LINE = 2000
"""Characters of a reason that are printed."""
EXIT_STATUS = (
    "Exit status, for `git bisect run`: 0: good; 1: bad; 125: inconclusive; 255: wrong input. With "
    "--script-mode, for `cargo bisect-rustc --script`: 0: baseline, also a different failure; 1: regression; "
    "255: it could not be judged, and cargo-bisect-rustc is interrupted."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = EXIT_STATUS
    parser.add_argument("case", metavar="CASE[VARIANT]", help="a case file, or a node id")
    parser.add_argument(
        "--toolchain", metavar="SPEC", help="the compiler (default: $RUSTUP_TOOLCHAIN, else $RUSTC)"
    )
    parser.add_argument("--save", metavar="FILE", help="write the failure's signature, for --like")
    parser.add_argument(
        "--like",
        metavar="FILE",
        help="only a failure that matches this signature is bad; a different one is inconclusive",
    )
    parser.add_argument(
        "--regress",
        choices=("failed", "fixed"),
        default="failed",
        help="with `fixed`, a compiler without the failure is bad: finds what fixed it",
    )
    parser.add_argument(
        "--script-mode", action="store_true", help="use the exit statuses of `cargo bisect-rustc --script`"
    )
    add_others(parser)
    add_sandbox(parser)
    parser.add_argument(
        "--ignore-limits", action="store_true", help="also try compilers outside the case's `toolchains`"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run a case on a compiler and report its result. Raises LinkageError for wrong input."""
    try:
        answer = _answered(arguments)
    except LinkageError:
        if arguments.script_mode:
            _stop()
        raise
    except Exception:  # noqa: BLE001 - Python's own exit status would be an answer
        traceback.print_exc()
        if arguments.script_mode:
            _stop()
        return NO_ANSWER
    if arguments.script_mode and answer == INCONCLUSIVE:
        _stop()
        return NO_ANSWER
    # A script has two answers: a different failure is the baseline.
    return GOOD if arguments.script_mode and answer == OTHER else INCONCLUSIVE if answer == OTHER else answer


def _answered(arguments: argparse.Namespace) -> int:
    from linkage.bisect import signature_file  # noqa: PLC0415
    from linkage.run.selection import one_case, without_limits  # noqa: PLC0415
    from linkage.run.session import session_for  # noqa: PLC0415

    file = output(arguments, "--save")
    case, named, cell = one_case(arguments.case)
    if arguments.ignore_limits:
        case = without_limits(case)
    spec = arguments.toolchain or named or _chosen(os.environ)
    saved = signature_file.load(arguments.like, case.name) if arguments.like else None
    try:
        found = _results(session_for(os.environ), case, cell, spec, arguments.other_toolchain)
    except ToolchainError as error:
        print(f"{_WORDS[INCONCLUSIVE]}: {escape(str(error), _LINE)}", file=sys.stderr)
        return INCONCLUSIVE
    if file is not None:
        if not any(one.failures for one in found.values()):
            raise LinkageError(
                "nothing fails, so there is no failure to save",
                where=case.name,
                help="probe a compiler on which it fails",
            )
        signature_file.save(file, signature_file.SavedSignatures(case.name, spec, found))
        saved = saved or found  # what is saved is what --like will find, known bugs too
    fixed = arguments.regress == "fixed"
    answers = [_answer(case.name, name, one, saved, fixed=fixed) for name, one in found.items()]
    return next(answer for answer in (BAD, INCONCLUSIVE, OTHER, GOOD) if answer in answers)


def _stop() -> None:
    """End the search of cargo-bisect-rustc: no exit status tells it that there is no answer."""
    from linkage.bisect.callers import interrupt_cargo_bisect_rustc  # noqa: PLC0415

    stopped = interrupt_cargo_bisect_rustc()
    print(
        "cargo-bisect-rustc is interrupted: this compiler could not be judged"
        if stopped
        else "this compiler could not be judged: take no notice of the search's answer",
        file=sys.stderr,
    )


def _chosen(env: Mapping[str, str]) -> str:
    """The compiler that the bisection tool chose. Raises LinkageError if there is none."""
    spec = env.get("RUSTUP_TOOLCHAIN") or ("$RUSTC" if env.get("RUSTC") else None)
    if spec is None:
        raise LinkageError(
            "no compiler is named", where="probe", help="--toolchain SPEC, or set RUSTC or RUSTUP_TOOLCHAIN"
        )
    return spec


def _results(
    session: "Session", case: "Case", cell: str | None, spec: str, others: Sequence[str]
) -> "dict[str, ProbeResult]":
    from linkage.bisect.signature import probe_result  # noqa: PLC0415
    from linkage.case.matrix import row_id  # noqa: PLC0415
    from linkage.run.selection import variants  # noqa: PLC0415
    from linkage.run.session import choose_others  # noqa: PLC0415

    (toolchain,) = session.toolchains([spec])
    tried = variants(case, toolchain, cell, choose_others(session, case, others, cell))
    return {row_id(one.row): probe_result(session.verdict(one)) for one in tried}


def _answer(
    case: str,
    name: str,
    found: "ProbeResult",
    saved: "Mapping[str, ProbeResult] | None",
    *,
    fixed: bool,
) -> int:
    """One variant's answer, printed as a line; with `fixed`, what passes is bad."""
    from linkage.bisect.question import ProbeOutcome, questions, why  # noqa: PLC0415

    failing = found if saved is None else saved.get(name)
    asked = questions(name, failing) if failing is not None else ()
    if saved is None and found.outcome in ("pass", "known"):
        outcomes, reason = [ProbeOutcome.PASS], found.reason or "passes"
    elif saved is None and found.outcome == "fixed":
        outcomes, reason = [ProbeOutcome.SAME], found.reason
    elif saved is None and (found.outcome == "skip" or not asked or not _says_something(found)):
        outcomes = [ProbeOutcome.UNJUDGED]
        reason = found.reason or str(next(iter(found.failures), found.outcome))
    elif not asked:
        outcomes, reason = [ProbeOutcome.PASS], "did not fail where the signature was saved"
    else:
        outcomes, reason = [one.outcome(found) for one in asked], why(asked[0], found)
    same, passes = ProbeOutcome.SAME in outcomes, set(outcomes) == {ProbeOutcome.PASS}
    other = ProbeOutcome.OTHER in outcomes and ProbeOutcome.UNJUDGED not in outcomes
    answer = BAD if same else GOOD if passes else OTHER if other else INCONCLUSIVE
    if fixed:
        answer = {BAD: GOOD, GOOD: BAD}.get(answer, answer)
    print(f"{_WORDS[answer]}: {case}{f'[{name}]' if name else ''}: {escape(reason, _LINE)}", file=sys.stderr)
    return answer


def _says_something(found: "ProbeResult") -> bool:
    """Whether a failure is the compiler's: a claim that does not hold, or a crash."""
    return found.outcome != "error" or all(one.claim == "exit" for one in found.failures)
