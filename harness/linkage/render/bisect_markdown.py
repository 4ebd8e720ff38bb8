"""The answer of a bisection as Markdown for an issue. Pure.

The lines `searched nightlies:`, `regressed nightly:`, `searched commit range:` and `regressed commit:` are
those of cargo-bisect-rustc, which triagers and their bots look for.
"""

import shlex
from collections.abc import Iterator, Sequence

from linkage.bisect.answer import Answer, Endpoint, FlakyResult, Flip, FlipGroup
from linkage.bisect.merges import Merge
from linkage.bisect.regress_option import FAILURE
from linkage.bisect.rollup import RollupMember, culprits
from linkage.compare.change_groups import ChangeGroup as Changes
from linkage.host.terminal import escape
from linkage.judge.name_set import listing
from linkage.render.evidence import explain_verdict
from linkage.render.script import repro_script

COMMITS = "https://github.com/rust-lang/rust/commit/"
ISSUES = "https://github.com/"
_SHOWN = 12
_NIGHTLY = "nightly-"
_VERBS = {
    "success": (("succeeds", "succeed"), ("no longer succeeds", "no longer succeed")),
    "ice": (("crashes rustc", "crash rustc"), ("no longer crashes rustc", "no longer crash rustc")),
    "non-ice": (("no longer crashes rustc", "no longer crash rustc"), ("crashes rustc", "crash rustc")),
    "non-error": (("is no longer rejected", "are no longer rejected"), ("is rejected", "are rejected")),
    "changed": (("has other outputs", "have other outputs"), ("has the old outputs", "have the old outputs")),
}
"""What a change to `bad` and one to `good` mean, of one variant and of several, if not a failure."""


def answer_text(answer: Answer) -> str:
    """Each case with what changed it, then what did not repeat and what could not be searched."""
    lines: list[str] = []
    for group in answer.groups:
        for case in group.cases:
            lines += [*_case(group, case, answer), ""]
    if answer.flaky:
        lines += [*_flaky(answer.flaky), ""]
    if answer.problems:
        lines += [*_problems(answer.problems), ""]
    asked = answer.asked
    tried = _counted(answer.tried, "toolchain")
    lines.append(f"Searched {asked.describe()}: {tried} tried, {answer.installed} installed.")
    lines += answer.notes
    return answer.redaction.apply("\n".join(map(_printable, "\n".join(lines).split("\n"))) + "\n")


def _printable(line: str) -> str:
    return "\t".join(escape(part, len(part)) for part in line.split("\t"))


def _case(group: FlipGroup, case: str, answer: Answer) -> Iterator[str]:
    found = group.of_case(case)
    yield f"## {_headline(group, case, answer.regress)}"
    yield ""
    for variant in dict.fromkeys(one.question.variant for one in found):
        yield f"- `{variant}`"
        for finding in found:
            if finding.question.variant == variant:
                yield f"  - {escape(str(finding.question.signature), 400)}"
    if bugs := _bugs(group, case):
        yield ""
        yield f"known bug: {', '.join(bugs)}"
    yield ""
    if case == group.cases[0]:
        yield from _changes_of(group, answer)
    else:
        yield f"It changed with `{group.cases[0]}`: see there for the toolchains and the commits."
    if text := evidence(group, case):
        yield ""
        yield from _folded("What fails", "text", text)
    text = script(group, case)
    if text:
        yield ""
        yield from _folded("Script to reproduce it, `repro.sh` (needs only rustc and cc)", "sh", text)
    yield ""
    yield f"host triple: {answer.host}"
    yield f"bisected with {answer.tool}"
    yield f"reproduce with: `{_command(group, answer, script=bool(text))}`"


def _changes_of(group: FlipGroup, answer: Answer) -> Iterator[str]:
    """What the cases of a group have in common: where they change, and what changes there."""
    asked = answer.asked
    if asked.axis.kind == "nightly" and asked.old is not None:
        yield f"searched nightlies: from {asked.axis.name(asked.old)} to {asked.axis.name(asked.new)}"
    if len(group.flips) > 1:
        yield f"It changes {len(group.flips)} times in this range:"
    for flip in group.flips:
        yield from _found_lines(flip)
        yield ""
        yield from _flip(flip)


def _found_lines(flip: Flip) -> Iterator[str]:
    """The lines for triagers' bots."""
    word = "regressed" if flip.becomes == "bad" else "fixed"
    nightly = _nightlies(flip)[1]
    if nightly.startswith(_NIGHTLY) and (flip.by_merge or len(flip.candidates) == 1):
        yield f"{word} nightly: {nightly}"
    if flip.by_linker:
        return  # no commit of rustc's is to blame
    if flip.compare:
        yield f"searched commit range: {flip.compare}"
    alone = culprits(flip.members)
    if len(alone) == 1:
        yield f"{word} pull request: {alone[0].link}"
    elif flip.by_merge and len(flip.merges) == 1:
        yield f"{word} commit: {COMMITS}{flip.merges[0].commit}"


def _command(group: FlipGroup, answer: Answer, *, script: bool) -> str:
    """A command that shows the same anywhere: with the script, if there is one."""
    if not script or answer.regress not in FAILURE:
        return answer.command
    flip = group.flips[0]
    before, after = _bounds(flip)
    regress = "" if flip.becomes == "bad" else " --regress=success"
    if flip.by_merge or flip.after.name.startswith(_NIGHTLY):
        return f"cargo bisect-rustc --start={before} --end={after} --script=./repro.sh{regress}"
    if answer.asked.axis.kind == "release":
        fails = before if flip.becomes == "good" else after
        return f"RUSTUP_TOOLCHAIN={shlex.quote(fails)} sh repro.sh"
    return "RUSTC=/path/to/rustc sh repro.sh"


def _bounds(flip: Flip) -> tuple[str, str]:
    """The ends of a search that finds a flip again: two dates or two commits: cargo-bisect-rustc needs that.

    Nightlies are kept for longer than the compilers of merges.
    """
    names = _nightlies(flip)
    if not all(one.startswith(_NIGHTLY) for one in names):
        names = flip.before.name, flip.after.name
    return names[0].removeprefix(_NIGHTLY), names[1].removeprefix(_NIGHTLY)


def _nightlies(flip: Flip) -> tuple[str, str]:
    """The nightlies between which a flip is, if they are known; else its toolchains."""
    if not flip.by_merge:
        return flip.before.name, flip.after.name
    told = flip.before.version.removeprefix("after "), flip.after.version.removeprefix("in ")
    before, after = (
        nightly if nightly.startswith(_NIGHTLY) else side.name
        for nightly, side in zip(told, (flip.before, flip.after), strict=True)
    )
    return before, after


def _bugs(group: FlipGroup, case: str) -> list[str]:
    """The issues of the known bugs of a case."""
    example = group.example(case)
    names = [] if example is None else [bug.name for bug in example.verdict.bugs]
    return list(dict.fromkeys(_issue(name) for name in names))


def _issue(name: str) -> str:
    """The address of an issue that is named `owner/repository#number`."""
    repository, hash_sign, number = name.partition("#")
    return (
        f"{ISSUES}{repository}/issues/{number}"
        if hash_sign and number.isdecimal() and "/" in repository
        else name
    )


def evidence(group: FlipGroup, case: str) -> str:
    """What fails in a case of the group."""
    example = group.example(case)
    if example is None:
        return ""
    lines = explain_verdict(example.verdict, example.node).splitlines()
    if example.plan is None or case.endswith(".rs"):
        lines = [line for line in lines if not line.startswith("repro: ")]  # it is not a case
    return "\n".join(lines)


def script(group: FlipGroup, case: str) -> str:
    """The shell script of a case of the group."""
    example = group.example(case)
    if example is None or example.plan is None:
        return ""
    return repro_script(example.plan, example.sources, example.verdict, rustc="rustc")


def _headline(group: FlipGroup, case: str, regress: str) -> str:
    flip = group.flips[0]
    variants = dict.fromkeys(one.question.variant for one in group.of_case(case))
    verb = "fail" if flip.becomes == "bad" else "pass"
    if len(variants) == 1:
        verb = {"fail": "fails", "pass": "passes"}[verb]
    if regress in _VERBS:
        verb = _VERBS[regress][flip.becomes != "bad"][len(variants) != 1]
    line = f"{case}: {_counted(len(variants), 'variant')} {verb}: {_changed(flip)} by {_first(flip)}"
    more = len(group.flips) - 1
    return f"{line}, then changed {_counted(more, 'more time')}" if more else line


def _changed(flip: Flip) -> str:
    return "introduced" if flip.becomes == "bad" else "fixed"


def _first(flip: Flip) -> str:
    if flip.by_linker:
        return f"the linker that {_nightlies(flip)[1]} uses, not by rustc"
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
    for one in flip.beside:
        yield f"- differs beside rustc: {escape(one, 300)}"
    words = {"good": "passes", "bad": "fails"}
    for held in flip.held:
        before, after = words[held.before], words[held.after]
        both = f"{before} on both" if before == after else f"{before} before and {after} after"
        yield f"- with --linker {held.linker}: {both}"
    if not flip.by_linker:  # else none of them is to blame
        yield from _merges(flip)
    yield from _changes(flip.changes)


def _side(side: Endpoint) -> str:
    named = f"{side.name} ({side.version})" if side.version else side.name
    return f"{named}: {escape(side.told, 300)}" if side.told else named


def _flaky(found: Sequence[FlakyResult]) -> Iterator[str]:
    """What did not repeat, with both runs."""
    yield "## Flaky"
    yield ""
    for one in found:
        first, again = (escape(run, 300) for run in one.runs)
        yield f"- `{one.variant}`: {escape(one.failure, 300)}"
        yield f"  - {one.toolchain}, first run: {first}"
        yield f"  - {one.toolchain}, once more: {again}"


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
