"""`linkage probe`: run one case on one compiler and report the result to a bisection tool.

`git bisect run` reads an exit status of 0 as good, 125 as skip and 1 to 127 as bad, and stops at
any other: https://git-scm.com/docs/git-bisect. `cargo bisect-rustc --script` reads 0 as baseline
and anything else as regression: https://rust-lang.github.io/cargo-bisect-rustc/.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from linkage.commands import add_sandbox
from linkage.errors import LinkageError, ToolchainError

if TYPE_CHECKING:
    from linkage.bisect.signature import ProbeResult
    from linkage.case.case import Case
    from linkage.run.session import Session

GOOD, BAD, INCONCLUSIVE = 0, 1, 125
"""`git bisect run`'s exit statuses."""
_WORDS = {GOOD: "good", BAD: "bad", INCONCLUSIVE: "inconclusive"}
EXIT_STATUS = (
    "Exit status, for `git bisect run`: 0: good; 1: bad; 125: inconclusive; 255: wrong input. With "
    "--script-mode, for `cargo bisect-rustc --script`: 0: baseline; 1: regression."
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
        "--script-mode", action="store_true", help="use the exit statuses of `cargo bisect-rustc --script`"
    )
    add_sandbox(parser)
    parser.add_argument(
        "--ignore-limits", action="store_true", help="also try compilers outside the case's `toolchains`"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run a case on a compiler and report its result. Raises LinkageError for wrong input."""
    from linkage.bisect import signature_file  # noqa: PLC0415
    from linkage.run.selection import one_case, without_limits  # noqa: PLC0415
    from linkage.run.session import session_for  # noqa: PLC0415

    case, named, cell = one_case(arguments.case)
    if arguments.ignore_limits:
        case = without_limits(case)
    spec = arguments.toolchain or named or _chosen(os.environ)
    saved = signature_file.load(arguments.like, case.name) if arguments.like else None
    try:
        found = _results(session_for(os.environ, sandbox=arguments.sandbox), case, cell, spec)
    except ToolchainError as error:
        print(f"{_WORDS[INCONCLUSIVE]}: {error}", file=sys.stderr)
        return _status(INCONCLUSIVE, script_mode=arguments.script_mode)
    if arguments.save:
        signature_file.save(arguments.save, signature_file.SavedSignatures(case.name, spec, found))
    answers = [_answer(case.name, name, one, saved) for name, one in found.items()]
    worst = BAD if BAD in answers else INCONCLUSIVE if INCONCLUSIVE in answers else GOOD
    return _status(worst, script_mode=arguments.script_mode)


def _chosen(env: Mapping[str, str]) -> str:
    """The compiler that the bisection tool chose. Raises LinkageError if there is none."""
    spec = env.get("RUSTUP_TOOLCHAIN") or ("$RUSTC" if env.get("RUSTC") else None)
    if spec is None:
        raise LinkageError(
            "no compiler is named", where="probe", help="--toolchain SPEC, or set RUSTC or RUSTUP_TOOLCHAIN"
        )
    return spec


def _results(session: "Session", case: "Case", cell: str | None, spec: str) -> "dict[str, ProbeResult]":
    from linkage.bisect.signature import probe_result  # noqa: PLC0415
    from linkage.run.selection import variants  # noqa: PLC0415

    (toolchain,) = session.toolchains([spec])
    tried = variants(case, toolchain, cell)
    names = [name for name in case.ids if cell in (None, name)]
    return {name: probe_result(session.verdict(variant)) for name, variant in zip(names, tried, strict=True)}


def _answer(case: str, name: str, found: "ProbeResult", saved: "Mapping[str, ProbeResult] | None") -> int:
    """One variant's answer, printed as a line."""
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
    answer = BAD if same else GOOD if passes else INCONCLUSIVE
    print(f"{_WORDS[answer]}: {case}{f'[{name}]' if name else ''}: {reason}", file=sys.stderr)
    return answer


def _says_something(found: "ProbeResult") -> bool:
    """Whether a failure is the compiler's: a claim that does not hold, or a crash."""
    return found.outcome != "error" or all(one.claim == "exit" for one in found.failures)


def _status(answer: int, *, script_mode: bool) -> int:
    # A script of cargo bisect-rustc has two answers: what is not the failure is the baseline.
    return int(answer == BAD) if script_mode else answer
