"""Ranges of compilers: `>=1.87, <1.91`, `<1.91 || >=1.97`, `>=nightly-2026-01-10`, `nightly`.

A range is a list of alternatives divided by `||`; each is a list of conditions divided by
commas, all of which must hold. A condition is one of:

- `1.95`, `=1.95.1`, `<1.91`, `>=1.87.0` …: compares the number alone, whatever the channel.
  `1.97` means every 1.97.x, its nightlies and betas included:
  `>=1.97` holds from the first nightly of 1.97 on, `<1.97` up to the last 1.96.x, `1.97` for all
  in between, and `>1.97` from the first nightly of 1.98 on;
- `<1.97.0-nightly`, `>=1.98.0-beta`, `>=1.98.0-beta.3`: compares release and channel in the
  order that `release` describes; `1.97.0-nightly` means all nightlies of 1.97.0;
- `nightly-2026-05-19`, `>=nightly-2026-01-10` …: for a nightly or a local build, compares its
  date. For a beta or stable compiler, compares the day on which it left the main branch: it
  is `>=nightly-D` if it left the branch at D or later. It is never equal to a nightly;
- `stable`, `beta`, `nightly` (a local build too) or `dev` (local builds only): the channel;
- `*`: any compiler.

An unknown date counts as the newest.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from linkage.toolchain.release import Channel, RustcVersion

__all__ = ["Channel", "RustcVersion", "VersionRange"]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_CONDITION = re.compile(r"(?P<op><=|>=|!=|==|=|<|>)?\s*(?P<what>\S.*)")
_NUMBER = re.compile(
    r"(?P<release>\d{1,6}\.\d{1,6}(?:\.\d{1,6})?)(?:-(?P<channel>nightly|beta|dev|stable)(?:\.(?P<beta>\d{1,6}))?)?",
    re.ASCII,
)
_DATED = re.compile(r"nightly-(\d{4}-\d{2}-\d{2})", re.ASCII)
_MEANT = "such as `>=1.87, <1.91`, `1.95`, `>=nightly-2026-01-10` or `stable`"


@dataclass(frozen=True, slots=True)
class _ByNumber:
    """A comparison with as many parts of the version as the condition names."""

    op: str
    release: tuple[int, ...]
    stage: tuple[int, ...] = ()

    def holds(self, version: RustcVersion) -> bool:
        stage = (version.channel.stage, version.beta or 0)
        have = (version.release[: len(self.release)], stage[: len(self.stage)])
        return _OPERATORS[self.op](have, (self.release, self.stage))


@dataclass(frozen=True, slots=True)
class _ByDate:
    """A comparison with the main branch of one day."""

    op: str
    day: date

    def holds(self, version: RustcVersion) -> bool:
        if version.channel.from_master:
            return _OPERATORS[self.op](version.left_master, self.day)
        if self.op in ("=", "!="):
            return self.op == "!="
        # It holds the branch of its last day, and what was put on top: after that nightly.
        compare = operator.ge if self.op in (">", ">=") else operator.lt
        return bool(compare(version.left_master, self.day))


@dataclass(frozen=True, slots=True)
class _ByChannel:
    """The channel, or any."""

    channels: frozenset[Channel]

    def holds(self, version: RustcVersion) -> bool:
        return version.channel in self.channels


_Condition = _ByNumber | _ByDate | _ByChannel
_CHANNELS = {
    "stable": frozenset({Channel.STABLE}),
    "beta": frozenset({Channel.BETA}),
    "nightly": frozenset({Channel.NIGHTLY, Channel.DEV}),
    "dev": frozenset({Channel.DEV}),
    "*": frozenset(Channel),
}


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A set of compilers; `text` is what was written."""

    text: str
    alternatives: tuple[tuple[_Condition, ...], ...]

    @classmethod
    def parse(cls, text: str) -> "VersionRange":
        """Read a range. Raises ValueError with one sentence that says what to write."""
        if not text.strip():
            raise ValueError(f"an empty version range; write one {_MEANT}, or `*` for any")
        alternatives = tuple(
            tuple(_condition(" ".join(part.split()), text) for part in alternative.split(","))
            for alternative in text.split("||")
        )
        return cls(text, alternatives)

    def contains(self, version: RustcVersion) -> bool:
        """Whether one alternative's conditions all hold for the compiler."""
        return any(
            all(condition.holds(version) for condition in conditions) for conditions in self.alternatives
        )

    def __str__(self) -> str:
        return self.text


def _condition(part: str, text: str) -> _Condition:
    found = _CONDITION.fullmatch(part)
    if not found:
        raise ValueError(f"a condition is missing in the version range {text[:80]!r}: write one {_MEANT}")
    op, what = found["op"] or "", found["what"].strip()
    if what in _CHANNELS:
        if op:
            raise ValueError(f"`{part}` compares with a channel, which has no order: write `{what}` alone")
        return _ByChannel(_CHANNELS[what])
    op = "=" if op in ("", "==") else op
    if dated := _DATED.fullmatch(what):
        try:
            return _ByDate(op, date.fromisoformat(dated[1]))
        except ValueError:
            raise ValueError(f"`{what}` is not a date of the calendar") from None
    number = _NUMBER.fullmatch(what)
    if not number or (number["beta"] and number["channel"] != "beta"):
        if re.search(r"\s[<>=!0-9]", part):
            raise ValueError(f"`{part[:80]}` holds two conditions: divide them by a comma")
        raise ValueError(f"`{part[:80]}` is not a version condition {_MEANT}")
    return _by_number(op, what, number)


def _by_number(op: str, what: str, number: re.Match[str]) -> _ByNumber:
    release = tuple(map(int, number["release"].split(".")))
    if not number["channel"]:
        return _ByNumber(op, release)
    if len(release) < 3:  # noqa: PLR2004 - the three parts of a release
        raise ValueError(f"`{what}` lacks the third number: write {number['release']}.0-{number['channel']}")
    stage: tuple[int, ...] = (Channel(number["channel"]).stage,)
    return _ByNumber(op, release, (*stage, int(number["beta"])) if number["beta"] else stage)
