"""The answer of a bisection as Markdown for an issue. Pure."""

from collections.abc import Iterator, Sequence

from linkage.bisect.answer import Answer, Endpoint, Flip, FlipGroup
from linkage.bisect.merges import Merge
from linkage.bisect.rollup import RollupMember, culprits
from linkage.compare.change_groups import ChangeGroup as Changes
from linkage.host.terminal import escape
from linkage.judge.name_set import listing
from linkage.render.evidence import explain_verdict
from linkage.render.script import repro_script

_SHOWN = 12


def answer_text(answer: Answer) -> str:
    """Each group, then what could not be searched."""
    lines: list[str] = []
    for group in answer.groups:
        lines += [*_group(group), ""]
    if answer.problems:
        lines += [*_problems(answer.problems), ""]
    asked = answer.asked
    tried = _counted(answer.tried, "toolchain")
    lines.append(f"Searched {asked.describe()}: {tried} tried, {answer.installed} installed.")
    lines += answer.notes
    return "\n".join(lines) + "\n"


def _group(group: FlipGroup) -> Iterator[str]:
    yield f"## {_headline(group)}"
    yield ""
    for variant in group.variants:
        yield f"- `{variant}`"
        for finding in group.findings:
            if finding.question.variant == variant:
                yield f"  - {escape(str(finding.question.signature), 400)}"
    if len(group.flips) > 1:
        yield ""
        yield f"It changes {len(group.flips)} times in this range:"
    for flip in group.flips:
        yield ""
        yield from _flip(flip)
    if text := evidence(group):
        yield ""
        yield from _folded("What fails", "text", text)
    if text := script(group):
        yield ""
        yield from _folded("Script to reproduce it (needs only rustc and cc)", "sh", text)


def evidence(group: FlipGroup) -> str:
    """What fails in the group's example."""
    example = group.example
    return "" if example is None else explain_verdict(example.verdict, example.node)


def script(group: FlipGroup) -> str:
    """The shell script of the group's example."""
    example = group.example
    if example is None or example.plan is None:
        return ""
    return repro_script(example.plan, example.sources, example.verdict)


def _headline(group: FlipGroup) -> str:
    flip = group.flips[0]
    verb = "fail" if flip.becomes == "bad" else "pass"
    if len(group.variants) == 1:
        verb = {"fail": "fails", "pass": "passes"}[verb]
    line = f"{_counted(len(group.variants), 'variant')} {verb}: {_changed(flip)} by {_first(flip)}"
    more = len(group.flips) - 1
    return f"{line}, then changed {_counted(more, 'more time')}" if more else line


def _changed(flip: Flip) -> str:
    return "introduced" if flip.becomes == "bad" else "fixed"


def _first(flip: Flip) -> str:
    alone = culprits(flip.members)
    if len(alone) == 1:
        return str(alone[0])
    if flip.by_merge and len(flip.merges) == 1:
        return str(flip.merges[0])
    if len(flip.candidates) > 1:
        return f"one of {flip.candidates[0]} … {flip.candidates[-1]}"
    return flip.after.name


def _flip(flip: Flip) -> Iterator[str]:
    last, first = ("last good", "first bad") if flip.becomes == "bad" else ("last bad", "first good")
    yield f"- {last}: {_side(flip.before)}"
    yield f"- {first}: {_side(flip.after)}"
    if flip.releases:
        yield f"- first seen between {' and '.join(flip.releases)}"
    if len(flip.candidates) > 1:
        yield f"- {len(flip.candidates)} candidates: {listing(flip.candidates, _SHOWN)}"
    for name, reason in flip.skipped:
        yield f"- {name} is inconclusive: {escape(reason, 300)}"
    if flip.compare:
        yield f"- commits: {flip.compare}"
    yield from _merges(flip)
    yield from _changes(flip.changes)


def _side(side: Endpoint) -> str:
    return f"{side.name} ({side.version})" if side.version else side.name


def _merges(flip: Flip) -> Iterator[str]:
    if not flip.merges:
        return
    which = "the merge" if len(flip.merges) == 1 else f"one of {len(flip.merges)} merges"
    yield f"- {_changed(flip)} by {which}:"
    for merge in flip.merges:
        yield f"  - {_merge(merge)}"
        known = {member.pull: member for member in flip.members}
        for pull in merge.rolled_up:
            result = f": {_member(known[pull], flip)}" if pull in known else ""
            yield f"    - {pull.link} {pull.title}{result}"
    if flip.members and not culprits(flip.members):
        if all(member.alone is False for member in flip.members):
            yield "- none of them has the effect alone: it takes several together"
        else:
            yield "- one of those that could not be tried has it, or several together"


def _member(member: RollupMember, flip: Flip) -> str:
    """What the build of a single pull request showed."""
    if member.alone is None:
        return f"not tried alone: {escape(member.why, 300)}"
    after, before = ("fails", "passes") if flip.becomes == "bad" else ("passes", "fails")
    return f"{after} alone ({member.commit})" if member.alone else f"{before} alone"


def _merge(merge: Merge) -> str:
    if merge.pull is None:
        return f"{merge.commit} of {merge.date}"
    return f"{merge.pull.link} {merge.pull.title} ({merge.commit[:12]} of {merge.date})"


def _changes(changes: Sequence[Changes]) -> Iterator[str]:
    if changes:
        yield "- differences between the outputs:"
    for change in changes[:_SHOWN]:
        yield f"  - {escape(change.headline(), 300)}"
    if len(changes) > _SHOWN:
        yield f"  - and {len(changes) - _SHOWN} more (see `linkage compare`)"


def _folded(title: str, language: str, text: str) -> Iterator[str]:
    fence = "````" if "```" in text else "```"
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield f"{fence}{language}"
    yield text.rstrip("\n")
    yield fence
    yield "</details>"


def _problems(problems: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The problems, grouped by their text."""
    by_text: dict[str, list[str]] = {}
    for variant, problem in problems:
        by_text.setdefault(problem, []).append(variant)
    yield "## Not searched"
    yield ""
    for problem, variants in by_text.items():
        yield f"- {listing(variants, _SHOWN)}: {escape(problem, 400)}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
