"""Runs a random share of the cached steps again, and compares the outcomes. Pure, except that it remembers.

Two runs of a deterministic compiler still differ in a few things that say nothing about it. Each of them
has a named rule here, seen with rustc 1.95 and 1.97; any other difference is reported.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from linkage.artifact.facts import Facts
from linkage.plan.expectation import how
from linkage.plan.observation import Outcome
from linkage.plan.state import Node, State

_SHOWN = 5
"""How many differences are listed; the others are counted."""
_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Rule:
    """A text that varies between two runs of the same step, and its replacement for the comparison."""

    name: str
    pattern: re.Pattern[str]
    stands: str


TEXT_RULES = (
    Rule(
        "the name of rustc's crash report has time and process",
        re.compile(r"rustc-ice-[\dT_-]+\.txt"),
        "rustc-ice.txt",
    ),
    Rule("a panic's message has its thread's number", re.compile(r"(thread '[^'\n]*') \(\d+\)"), r"\1"),
    Rule(
        "rustc's temporary folders have random names",
        re.compile(r"\b(rustc|rmeta)[A-Za-z0-9]{6}\b"),
        r"\1XXXXXX",
    ),
    Rule(
        "the C compiler's temporary files have random names",
        re.compile(r"\bcc[A-Za-z0-9]{6}(?=\.\w+)"),
        "ccXXXXXX",
    ),
    Rule("where a program is loaded is random", re.compile(r"0x[0-9a-f]{6,16}\b"), "0xADDRESS"),
    Rule(
        "valgrind's lines begin with its process's number",
        re.compile(r"^(==|--)\d+(==|--)", re.MULTILINE),
        r"\1PID\2",
    ),
    Rule(
        "libtest prints how long the tests took", re.compile(r"\bfinished in \d+\.\d+s"), "finished in TIME"
    ),
    Rule(
        "a session of incremental compilation is named by its time and a random number",
        re.compile(r"\bs-[0-9a-z]{8,}-[0-9a-z]{6,}(?=-\w+/|-\w+$|\.lock)", re.MULTILINE),
        "s-TIME-RANDOM",
    ),
    Rule(
        "which of two racing threads ThreadSanitizer reports depends on their timing",
        re.compile(r"(WARNING: ThreadSanitizer: data race).*?^=+$", re.MULTILINE | re.DOTALL),
        r"\1",
    ),
    Rule("ThreadSanitizer's messages have the process's number", re.compile(r"\(pid=\d+\)"), "(pid=PID)"),
)
"""For streams, diagnostics, arguments of the linker and names of files."""

_SESSION = r"\bs-[0-9a-z]{8,}-[0-9a-z]{6,}"
_OF_A_PROCESS = re.compile(rf"rustc-ice-[\dT_-]+\.txt$|\.profraw$|{_SESSION}-\w+/")
"""Files whose content is not compared, because it depends on the process: rustc's crash report and a raw
profile hold addresses, and what incremental compilation keeps names its session.
"""


@dataclass(slots=True)
class Recheck:
    """Which cached steps are run again: a share of them, the same ones for the same seed."""

    share: float
    """Of all cached steps, from 0 to 1."""
    seed: int
    found: dict[str, str] = field(default_factory=dict)
    """The difference of each step that was run again, by its key; empty if there is none."""

    def chooses(self, key: str) -> bool:
        """Whether the step of this key is to be run again, and was not yet."""
        if key in self.found:
            return False
        digest = blake2b(f"{self.seed}:{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) < self.share * 2**64


def difference(kept: Outcome, before: State, again: Outcome, after: State) -> str:
    """How the outcomes of a step differ; empty if they do not. The states are those after the step."""
    if not again.lasting:
        return f"it could not be run again: {how(again)}"
    found = list(_differences(kept, before, again, after))
    if not found:
        return ""
    more = [f"and {len(found) - _SHOWN} more differences"] if len(found) > _SHOWN else []
    since = f"cached {kept.obtained}" if kept.obtained else "cached earlier"
    return "\n".join([f"run again, it differs from what was {since}:", *found[:_SHOWN], *more])


def neutral(text: str) -> str:
    """A text with the rules' replacements."""
    for rule in TEXT_RULES:
        text = rule.pattern.sub(rule.stands, text)
    return text


def _differences(kept: Outcome, before: State, again: Outcome, after: State) -> Iterator[str]:
    if (kept.status, kept.ice) != (again.status, again.ice):
        yield f"exit: {how(again)}; cached: {how(kept)}"
    codes = [
        [f"{one.level} {one.code or ''}".strip() for one in outcome.diagnostics] for outcome in (kept, again)
    ]
    if codes[0] != codes[1]:
        yield _two("diagnostics", ", ".join(codes[1]), ", ".join(codes[0]))
    for name in ("stdout", "stderr"):
        yield from _text(name, getattr(kept, name), getattr(again, name))
    calls = [[neutral(" ".join(call.args)) for call in outcome.linker_calls] for outcome in (kept, again)]
    if calls[0] != calls[1] or [one.exports for one in kept.linker_calls] != [
        one.exports for one in again.linker_calls
    ]:
        yield _two("linker calls", "; ".join(calls[1]), "; ".join(calls[0]))
    for what in ("produced", "removed"):
        names = [sorted(map(neutral, getattr(outcome, what))) for outcome in (kept, again)]
        if names[0] != names[1]:
            yield _two(f"files {what}", ", ".join(names[1]), ", ".join(names[0]))
    yield from _files(before, after)
    yield from _facts(kept, again)
    for number, (old, new) in enumerate(zip(kept.parts, again.parts, strict=False)):
        yield from (f"part {number + 1}: {one}" for one in _differences(old, {}, new, {}))


def _text(name: str, kept: str, again: str) -> Iterator[str]:
    old, new = neutral(kept).splitlines(), neutral(again).splitlines()
    if old != new:
        at = next(
            (i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]),
            min(len(old), len(new)),
        )
        lines = [(text[at] if at < len(text) else "(its end)") for text in (new, old)]
        yield _two(f"{name}, line {at + 1}", *lines)


def _files(before: State, after: State) -> Iterator[str]:
    old, new = _by_name(before), _by_name(after)
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield _two(f"{name} differs", ", ".join(new[name]), ", ".join(old[name]))


def _by_name(state: State) -> dict[str, list[str]]:
    """The values of each name; a name with a random part may have several."""
    found: dict[str, list[str]] = {}
    for name, node in sorted(state.items()):
        found.setdefault(neutral(name), []).append(_described(name, node))
    return {name: sorted(described) for name, described in found.items()}


def _described(name: str, node: Node) -> str:
    if _OF_A_PROCESS.search(name):
        return f"{node.kind} {node.mode:o}"
    return f"{node.kind} {node.mode:o} {neutral(node.content)}"


def _facts(kept: Outcome, again: Outcome) -> Iterator[str]:
    for name in sorted(kept.facts.keys() | again.facts.keys()):
        old, new = kept.facts.get(name), again.facts.get(name)
        if old is None or new is None:
            yield f"{name}: its facts exist only {'in the new run' if old is None else 'in the cache'}"
            continue
        parts = [part for part in Facts.__dataclass_fields__ if getattr(old, part) != getattr(new, part)]
        if _OF_A_PROCESS.search(name):
            parts = [part for part in parts if part != "digest"]
        if parts:
            yield f"{name}: its facts differ in {', '.join(parts)}"


def _two(what: str, again: str, kept: str) -> str:
    return f"{what}: {_short(again)}; cached: {_short(kept)}"


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"
