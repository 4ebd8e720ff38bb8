"""The evidence of verdicts as text: what was claimed, what was found, where, and how to reproduce it.

A failure that is the same in many members, variants or toolchains is shown once, with all its places.
"""

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from linkage.host.terminal import escape
from linkage.judge.name_set import listing, plural
from linkage.judge.verdict import FAILING, Failure, Verdict, VerdictKind
from linkage.render.run_data import VariantReport

_INDENT = "    "
_LINE = 240
"""Characters of a line; the middle of a longer one is left out."""
_COMMAND = 2000
_ID = 400
_TOLD = 60
_FINDINGS = 3
"""How many different findings of one claim are shown."""
_CLAIMED = 6
_NEAREST = 5
_NAMES = 2
_CELLS = 4
_PLACES = 4
_VARYING = re.compile(
    r"[^\s'\"`,:()=]*/|[\w.+-]+\.rcgu\.\w+|\bcc\w{6}\.\w+|Cs[0-9A-Za-z]{6,14}_|[0-9a-f]{8,}"
)
"""Folders, hashes and random file names: they differ although the failure is the same."""

Place = tuple[str, Failure]
"""A failure and the variant in which it was found."""
Where = Callable[[Iterable[str]], Iterable[str]]
"""Describes variants, line by line; nothing for evidence of a single one."""


def explain_verdict(verdict: Verdict, node: str) -> str:
    """Everything that does not hold in a variant, ready to be pasted into an issue."""
    return "\n".join(_explained(verdict, node, [(node, one) for one in verdict.failures], _nowhere))


@dataclass(frozen=True, slots=True)
class EvidenceBlock:
    """What fails in the same way in some variants, with the evidence of the first of them."""

    report: VariantReport
    others: int
    """The other variants with the same failure."""
    text: str

    @property
    def headline(self) -> str:
        """What failed, in one line."""
        others = f" and {plural(self.others, 'other variant')}" if self.others else ""
        return f"{self.report.outcome}: {escape(self.report.id, _ID)}{others}"


def explain_run(reports: Sequence[VariantReport]) -> Iterator[EvidenceBlock]:
    """Everything that does not hold in a run, each claim once."""
    bad = [one for one in reports if one.outcome in FAILING]
    places: dict[object, list[Place]] = defaultdict(list)
    sharing: dict[object, dict[str, None]] = defaultdict(dict)
    for report in bad:
        for key in _told(report):
            sharing[key][report.id] = None
        for failure in report.failures:
            places[_claim_key(failure)].append((report.id, failure))
    variants = _Variants(reports)
    done: set[object] = set()
    for report in bad:
        new = [key for key in _told(report) if key not in done]
        done.update(new)
        others = {node: None for key in new for node in sharing[key] if node != report.id}
        found = [place for key in new for place in places[key]]
        where = variants.lines if others else _nowhere
        lines = _explained(report.verdict, report.id, found, where, (report.id, *others))
        if new:
            yield EvidenceBlock(report, len(others), "\n".join(lines))


def _told(report: VariantReport) -> Iterable[object]:
    """What is shown of a variant: its claims that do not hold, or the reason for its verdict."""
    claims = dict.fromkeys(map(_claim_key, report.failures))
    return claims or ((report.outcome, report.refused, report.reason),)


def _claim_key(failure: Failure) -> object:
    return failure.where, failure.step, failure.claim, failure.error


def _nowhere(_: Iterable[str]) -> tuple[str, ...]:
    return ()


class _Variants:
    """The variants of a run, to describe a subset of them."""

    def __init__(self, reports: Sequence[VariantReport]) -> None:
        self.reports = {one.id: one for one in reports}
        self.judged = Counter(
            (one.case, one.toolchain) for one in reports if one.refused or one.outcome != VerdictKind.SKIP
        )

    def lines(self, nodes: Iterable[str]) -> Iterator[str]:
        """For each case and toolchain the number of variants, and which ones if not all."""
        cells: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for report in (self.reports[node] for node in nodes):
            cells[report.case, report.toolchain][report.cell] = None
        toolchains: dict[tuple[str, str], list[str]] = defaultdict(list)
        for (case, toolchain), named in cells.items():
            total = self.judged[case, toolchain]
            text = f"all {total} variants"
            if len(named) < total:
                text = f"{len(named)} of {total} variants ({listing([*named], _CELLS)})"
            toolchains[case, "" if total == 1 else f"{text} on "].append(escape(toolchain))
        lines = [
            f"{f'{escape(case)}: ' if len({case for case, _ in cells}) > 1 else ''}{text}{', '.join(names)}"
            for (case, text), names in toolchains.items()
        ]
        yield from lines[:_PLACES]
        if len(lines) > _PLACES:
            yield f"… {len(lines) - _PLACES} more"


def _explained(
    verdict: Verdict, node: str, found: Sequence[Place], where: Where, others: Sequence[str] = ()
) -> Iterator[str]:
    if verdict.outcome is VerdictKind.FIXED:
        yield f"known bug gone: {escape(verdict.reason, _LINE)}"
        yield from (f"{_INDENT}{escape(bug.note, _LINE)}" for bug in verdict.bugs if bug.note)
        yield from _labelled("in:", where(others))
    elif verdict.outcome is VerdictKind.SKIP:
        yield f"skipped, which --no-skip turns into a failure: {escape(verdict.reason, _LINE)}"
        yield from _labelled("in:", where(others))
    claims: dict[object, list[Place]] = defaultdict(list)
    for place in found:
        claims[_claim_key(place[1])].append(place)
    shown: list[Failure] = []
    for group in _same_errors(claims.values()):
        findings = _findings(group[0])
        yield from _claim(findings, where, [claim[0][1].claim for claim in group])
        first = (finding[0] for finding in findings[:_FINDINGS])
        shown += [failure for variant, failure in first if variant == node]
    if verdict.reason and verdict.outcome is VerdictKind.FAIL:
        yield f"note: {escape(verdict.reason, _LINE)}"
    if verdict.commands:
        yield from _commands(verdict.commands, shown)
    if verdict.stored and verdict.obtained:
        yield f"note: cached, first obtained {verdict.obtained}"
    yield f"repro: linkage repro {shlex.quote(escape(node, _COMMAND))}"


def _commands(commands: Iterable[str], failures: Sequence[Failure]) -> Iterator[str]:
    """The commands that show the failures."""
    looks = dict.fromkeys(look for failure in failures for look in failure.look)
    others = dict.fromkeys(failure.other for failure in failures if failure.other is not None)
    folder = "in an empty directory"
    parts = [(f"to reproduce by hand, {folder} $WORK with the case's sources:", (*commands,))]
    for other in others:
        title = f"and {escape(other.node, _LINE)}, which it is compared with, {folder} ${other.variable}:"
        parts.append((title, other.commands))
    if others:
        parts.append(("then, in $WORK:", (*looks,)))
    else:
        parts = [(title, (*lines, *looks)) for title, lines in parts]
    for title, lines in parts:
        yield title
        yield from (f"{_INDENT}{_typed(line)}" for line in lines)


def _typed(command: str) -> str:
    """A command; one that is too long to be typed as a comment."""
    if len(command) <= _COMMAND:
        return escape(command, _COMMAND * 2)
    return f"# {escape(command[:_TOLD], _LINE)}… ({len(command)} characters, which `linkage repro` writes)"


def _findings(claim: Sequence[Place]) -> list[list[Place]]:
    """The failures of one claim, grouped by what was found."""
    found: dict[str, list[Place]] = defaultdict(list)
    for place in claim:
        found[_VARYING.sub("…", place[1].wrong or place[1].found)].append(place)
    return list(found.values())


def _same_errors(claims: Iterable[Sequence[Place]]) -> Iterator[list[Sequence[Place]]]:
    """The claims one by one, those together that could not be judged for the same reason."""
    groups: dict[object, list[Sequence[Place]]] = defaultdict(list)
    for number, claim in enumerate(claims):
        same = tuple((variant, one.step, one.file, one.member, one.found) for variant, one in claim)
        groups[same if claim[0][1].error else number].append(claim)
    yield from groups.values()


def _claim(findings: Sequence[Sequence[Place]], where: Where, names: Sequence[str]) -> Iterator[str]:
    """A claim that does not hold: a headline, then what was claimed and what was found.

    `names` are the claims of which the same is said.
    """
    failure = findings[0][0][1]
    kind = "could not be judged" if failure.error else "does not hold"
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _NAMES} more" if len(distinct) > _NAMES else ""
    more = more or (f" ({len(names)} claims)" if len(names) > len(distinct) else "")
    name = ": ".join(part for part in (failure.step, ", ".join(distinct[:_NAMES]) + more) if part)
    yield f"{escape(failure.where, _LINE)}: {f'{escape(name, _LINE)} ' if name else ''}{kind}"
    lines: list[str] = []
    for finding in findings[:_FINDINGS]:
        claimed = [*dict.fromkeys(one.claimed for _, one in finding)]
        if claimed != lines and not failure.error:
            yield from _labelled("claimed:", claimed, _CLAIMED)
        yield from _finding(finding, where)
        lines = claimed
    rest = [place for finding in findings[_FINDINGS:] for place in finding]
    if rest:
        yield f"{_INDENT}… {plural(len(rest), 'more failure')} with other findings"
        yield from _places(rest, where)


def _finding(finding: Sequence[Place], where: Where) -> Iterator[str]:
    failures = [failure for _, failure in finding]
    yield from _labelled(
        "because:" if failures[0].error else "found:", failures[0].found.splitlines() or [""]
    )
    yield from _labelled("nearest:", (near for one in failures for near in one.nearest), _NEAREST)
    yield from _places(finding, where)


def _places(places: Sequence[Place], where: Where) -> Iterator[str]:
    """The files, members and variants of a finding; of several variants, the members of the first."""
    nodes = list(dict.fromkeys(variant for variant, _ in places))
    in_first = [failure for variant, failure in places if variant == nodes[0]]
    for label, names in (
        ("file", dict.fromkeys(one.file for one in in_first if one.file)),
        ("member", dict.fromkeys(one.member for one in in_first if one.member)),
    ):
        if names:
            yield from _labelled(f"{label}{'s' if len(names) > 1 else ''}:", [listing([*names], _NAMES)])
    yield from _labelled("in:", where(nodes))


def _labelled(label: str, lines: Iterable[str], limit: int | None = None) -> Iterator[str]:
    """A label, and next to it each line once."""
    shown = list(dict.fromkeys(lines)) if limit else list(lines)
    if limit and len(shown) > limit:
        shown[limit:] = [f"… {len(shown) - limit} more"]
    for index, line in enumerate(shown):
        yield f"{_INDENT}{'' if index else label:8} {_cut(line)}".rstrip()


def _cut(line: str) -> str:
    """A line, without its middle if it is long: linkers print a symbol after two long paths."""
    if len(line) <= _LINE:
        return escape(line, _LINE * 2)
    half = _LINE // 2
    return f"{escape(line[:half], _LINE * 2)} … {escape(line[-half:], _LINE * 2)}"
