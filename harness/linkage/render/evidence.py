"""The evidence of a verdict as text: what was claimed, what was found, where, and how to reproduce it."""

from collections.abc import Iterator

from linkage.host.terminal import escape
from linkage.judge.verdict import Failure, Verdict, VerdictKind

_INDENT = "    "


def explain_verdict(verdict: Verdict, node: str) -> str:
    """Everything that did not hold, ready to paste into an issue."""
    lines: list[str] = []
    if verdict.outcome is VerdictKind.FIXED:
        lines.append(f"known bug gone: {verdict.reason}")
        lines += [f"{_INDENT}{bug.note}" for bug in verdict.bugs if bug.note]
    elif verdict.outcome is VerdictKind.SKIP:
        lines.append(f"skipped, which --no-skip turns into a failure: {verdict.reason}")
    for failure in verdict.failures:
        lines += explain_failure(failure)
    if verdict.reason and verdict.outcome is VerdictKind.FAIL:
        lines.append(f"note: {verdict.reason}")
    if verdict.commands:
        lines.append("to reproduce by hand, in an empty directory $WORK with the case's sources:")
        lines += [f"{_INDENT}{escape(command, 2000)}" for command in verdict.commands]
        lines += [
            f"{_INDENT}{look}"
            for look in dict.fromkeys(look for one in verdict.failures for look in one.look)
        ]
    if verdict.stored and verdict.obtained:
        lines.append(f"note: cached, first obtained {verdict.obtained}")
    lines.append(f"repro: linkage repro {_quoted(node)}")
    return "\n".join(lines)


def explain_failure(failure: Failure) -> Iterator[str]:
    """One claim that does not hold: a headline, then claimed and found under each other."""
    kind = "could not be judged" if failure.error else "does not hold"
    name = ": ".join(part for part in (failure.step, failure.claim) if part)
    yield f"{failure.where}: {f'{name} ' if name else ''}{kind}"
    if not failure.error:
        yield f"{_INDENT}claimed: {_shown(failure.claimed)}"
    yield f"{_INDENT}{'because' if failure.error else 'found'}:   {_shown(failure.found)}"
    for index, near in enumerate(failure.nearest):
        yield f"{_INDENT}{'nearest:' if not index else '        '} {escape(near)}"


def _shown(text: str) -> str:
    lines = [escape(line, 400) for line in text.splitlines()] or [""]
    return f"\n{_INDENT}         ".join(lines)


def _quoted(node: str) -> str:
    return f"'{node}'" if any(char in node for char in "[]$ ") else node
