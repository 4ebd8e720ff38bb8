"""The version of a rustc: release, channel and commit, in one total order.

The order, earliest first:

1. by release: everything called 1.96.x comes before everything called 1.97.x;
2. within a release by channel: its nightlies (and local builds, which are made from the same
   branch), then its betas, then the stable release;
3. nightlies by their date, betas by their number; an unknown date counts as the newest.

So nightly 1.97.0 comes after stable 1.96 and before stable 1.97.0.

https://forge.rust-lang.org/infra/channel-layout.html and `src/version`, `src/bootstrap` of
rust-lang/rust describe how the release strings are made.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import total_ordering

Release = tuple[int, int, int]


class Channel(StrEnum):
    """The release channel of a compiler; `dev` is a build from a checkout."""

    DEV = "dev"
    NIGHTLY = "nightly"
    BETA = "beta"
    STABLE = "stable"

    @property
    def from_master(self) -> bool:
        """Whether it was built from the main branch, before that was branched off as beta."""
        return self in (Channel.DEV, Channel.NIGHTLY)

    @property
    def stage(self) -> int:
        """Its place on the release train, on which a local build and a nightly are alike."""
        return 0 if self.from_master else 1 if self is Channel.BETA else 2


_RELEASE = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:-(nightly|beta|dev)(?:\.(\d{1,6}))?)?", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_KEY = re.compile(r"^([A-Za-z][A-Za-z -]*): *(.*)$", re.MULTILINE)

FIRST_RELEASE = date(2015, 5, 14)
CYCLE = timedelta(weeks=6)
FORK_BEFORE_RELEASE = timedelta(days=48)


@total_ordering
@dataclass(frozen=True, slots=True)
class RustcVersion:
    """A compiler's version as `rustc -vV` states it."""

    release: Release
    channel: Channel = Channel.STABLE
    beta: int | None = None
    commit_hash: str | None = None
    commit_date: date | None = None

    @classmethod
    def parse(cls, text: str) -> "RustcVersion":
        """Read a release string: `1.95.0`, `1.97.0-nightly`, `1.98.0-beta.3`, `1.97.0-dev`.

        Raises ValueError, with one sentence, if it is not one.
        """
        found = _RELEASE.fullmatch(text.strip())
        if not found or (found[5] and found[4] != "beta"):
            raise ValueError(
                f"{text[:60]!r} is not a rustc release such as 1.95.0, 1.98.0-beta.3 or 1.97.0-nightly"
            )
        major, minor, patch, channel, beta = found.groups()
        return cls(
            release=(int(major), int(minor), int(patch)),
            channel=Channel(channel or "stable"),
            beta=int(beta) if beta else None,
        )

    @classmethod
    def from_verbose(cls, answer: str) -> "RustcVersion":
        """Read the whole answer to `rustc -vV`.

        A build from a source tarball does not know its commit: it prints `unknown`, or leaves the lines
        out. Raises ValueError if the answer is not rustc's.
        """
        keys = verbose_keys(answer)
        if "release" not in keys:
            raise ValueError("it has no `release:` line")
        plain = cls.parse(keys["release"])
        commit = keys.get("commit-hash", "")
        return cls(
            release=plain.release,
            channel=plain.channel,
            beta=plain.beta,
            commit_hash=commit if _HASH.fullmatch(commit) else None,
            commit_date=_date_or_none(keys.get("commit-date", "")),
        )

    @classmethod
    def parse_shown(cls, text: str) -> "RustcVersion":
        """Read the text that `str` gives for a version, as records have it. Raises ValueError."""
        release, _, rest = text.partition(" ")
        words = rest.strip("()").split()
        plain = cls.parse(release)
        return cls(
            release=plain.release,
            channel=plain.channel,
            beta=plain.beta,
            commit_hash=next((word for word in words if _HASH.fullmatch(word)), None),
            commit_date=next((day for word in words if (day := _date_or_none(word))), None),
        )

    @property
    def nightly_date(self) -> date | None:
        """The date in the nightly's name: one day after its commit, if that is known."""
        if not self.channel.from_master or self.commit_date is None:
            return None
        return self.commit_date + timedelta(days=1)

    @property
    def order(self) -> tuple[Release, int, int, date, str]:
        """The place in the order that the module describes; the hash only breaks ties."""
        unknown = date.max if self.channel.from_master else date.min
        when = self.nightly_date or self.commit_date or unknown
        beta = self.beta or 0
        return (self.release, self.channel.stage, beta, when, f"{self.channel}{self.commit_hash or ''}")

    @property
    def left_master(self) -> date:
        """The date of the last nightly that this compiler fully contains; for a nightly its own.

        A beta or stable compiler left the main branch when its beta was made, long before
        its own commit date. That day follows from the release train: 1.N is published
        N times six weeks after 1.0, its beta is branched on the Friday before 1.(N-1) is
        published (https://doc.rust-lang.org/book/appendix-07-nightly-rust.html). A commit date
        that is earlier than this date is used instead.
        """
        if self.channel.from_master:
            return self.nightly_date or date.max
        major, minor, _ = self.release
        try:
            fork = FIRST_RELEASE + CYCLE * minor - FORK_BEFORE_RELEASE if major == 1 else date.max
        except OverflowError:
            fork = date.max
        return min(fork, self.commit_date + timedelta(days=1)) if self.commit_date else fork

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, RustcVersion):
            return NotImplemented
        return self.order < other.order

    def __str__(self) -> str:
        text = ".".join(map(str, self.release))
        if self.channel is not Channel.STABLE:
            text += f"-{self.channel}" + (f".{self.beta}" if self.beta is not None else "")
        commit = [part for part in ((self.commit_hash or "")[:9], str(self.commit_date or "")) if part]
        return text + (f" ({' '.join(commit)})" if commit else "")


def verbose_keys(answer: str) -> dict[str, str]:
    """The `key: value` lines of `rustc -vV`; the first of two equal keys counts."""
    keys: dict[str, str] = {}
    for found in _KEY.finditer(answer):
        keys.setdefault(found[1], found[2].strip())
    return keys


def _date_or_none(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date.min < found < date.max - timedelta(days=1) else None
