"""Runs one check of a graph on a toolchain, by the same path as any case, and says what came of it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from linkage.bisect.signature import Signature, signature
from linkage.fuzz.graph import Graph
from linkage.fuzz.graph_case import GraphCheck, graph_case
from linkage.fuzz.relations import RELATIONS
from linkage.judge.verdict import Failure, VerdictKind
from linkage.plan.plan import Variant
from linkage.run.session import Session
from linkage.toolchain import Toolchain

_CRATE = re.compile(r"\b(lib)?k\d+(?=[._:\W]|$)")
_NUMBERED = re.compile(r"k\d+_")
_LINKER = re.compile(r"linking with `")
_ERROR = re.compile(r"^error(\[E\d+\])?: (?P<text>.*)$", re.MULTILINE)
_CRASH = re.compile(r"internal compiler error|panicked at")
_UNUSABLE = re.compile(
    r"E0460|E0461|E0462|E0463|E0514|E0786|invalid metadata|can't find crate|malformed|truncated"
    r"|failed to (?:add|load|open|parse|read)|could not find native"
)
"""What rustc says of a file that it or the archiver made before: the refusal is of an unusable output."""
_SECOND = re.compile(r"^(link-)?(again|third|alone-\w+)")
_COMPILES = re.compile(r"^(link-)?(k\d+|again|third|alone-\w+|user)$")


class CheckOutcome(StrEnum):
    """What came of a check."""

    HOLDS = "holds"
    REFUSED = "refused"  # rustc refused it with a message
    SKIPPED = "skipped"  # the toolchain lacks something
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class RelationResult:
    """A check's outcome, the signature by which its failure is found again, and the failures."""

    outcome: CheckOutcome
    reason: str = ""
    """Of a refusal, rustc's message; of a skip, what is missing."""
    signatures: tuple[Signature, ...] = ()
    failures: tuple[Failure, ...] = ()
    commands: tuple[str, ...] = ()
    seconds: float = 0.0


def check_result(
    session: Session, toolchain: Toolchain, graph: Graph, check: GraphCheck, without: Collection[str] = ()
) -> RelationResult:
    """Run a check. Raises CaseErrors if the generated case is not valid."""
    case, _ = graph_case(graph, check, without)
    verdict = session.verdict(Variant(case, case.rows[0], toolchain))
    if verdict.outcome is VerdictKind.SKIP:
        return RelationResult(CheckOutcome.SKIPPED, verdict.reason)
    if verdict.outcome is VerdictKind.PASS:
        return RelationResult(CheckOutcome.HOLDS, commands=verdict.commands, seconds=verdict.seconds)
    refused = _refusal(verdict.failures, check)
    if refused is not None:
        return RelationResult(CheckOutcome.REFUSED, refused)
    found = tuple(dict.fromkeys(graph_signature(one) for one in verdict.failures))
    commands = tuple(one.replace(str(toolchain.rustc), "rustc") for one in verdict.commands)
    return RelationResult(CheckOutcome.FAILS, "", found, verdict.failures, commands, verdict.seconds)


def _refusal(failures: tuple[Failure, ...], check: GraphCheck) -> str | None:
    """The message of rustc, if the check ended because rustc refused with one; None if it is a finding.

    The linker's errors are no refusal, although rustc reports them; nor is the refusal of an output that
    rustc made, or of a second build that must be accepted as the first was.
    """
    ended = [one for one in failures if one.claim == "exit" and _COMPILES.match(one.step)]
    if len(ended) != 1 or len(failures) != 1 or failures[0].error:
        return None
    text = ended[0].found
    if not text.startswith("exit") or any(one.search(text) for one in (_LINKER, _CRASH, _UNUSABLE)):
        return None
    found = _ERROR.search(text)
    if found is None or (RELATIONS[check.relation].strict and _SECOND.match(ended[0].step)):
        return None
    return " ".join(found["text"].split())


def graph_signature(failure: Failure) -> Signature:
    """A failure's signature, in which the numbers of crates do not count."""
    found = signature(failure)
    words = tuple(sorted({_NUMBERED.sub("k_", word) for word in found.words}))
    return replace(
        found,
        step=re.sub(r"^(link-)?k\d+$", r"\1k", found.step),
        claim=_CRATE.sub(r"\1k", found.claim),
        words=words,
    )


def same_failure(mine: tuple[Signature, ...], theirs: tuple[Signature, ...]) -> bool:
    """Whether two checks failed in the same way: in their first failure."""
    return bool(mine and theirs) and mine[0].same(theirs[0])
