"""What is searched, oldest first: dated nightlies, releases, a list, merges. Pure.

Positions are integers: a nightly's is its date's ordinal, a release's its minor version, a
list's its index.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from linkage.errors import LinkageError
from linkage.toolchain.release import CYCLE, FIRST_RELEASE, RustcVersion

_DATE = re.compile(r"(?:nightly-)?(\d{4}-\d{2}-\d{2})", re.ASCII)
_RELEASE = re.compile(r"1\.(\d{1,4})(?:\.(\d{1,3}))?(?:=(beta-\d{4}-\d{2}-\d{2}))?", re.ASCII)
"""A release, or a beta by its release and its name."""
_COMMIT = re.compile(r"[0-9a-f]{7,40}", re.ASCII)
FULL_COMMIT = 40
"""How many digits a commit has."""
FIRST_NIGHTLY = date(2015, 5, 16)
"""The first nightly after 1.0."""


@dataclass(frozen=True, slots=True)
class Nightlies:
    """Dated nightlies: at most one per day."""

    ceiling: int = date.max.toordinal()
    """Today's."""
    kind = "nightly"

    def name(self, place: int) -> str:
        return f"nightly-{date.fromordinal(place)}"

    @property
    def floor(self) -> int:
        return FIRST_NIGHTLY.toordinal()


@dataclass(frozen=True, slots=True)
class Releases:
    """Releases by their minor version; `exact` has the full version that a bound names."""

    exact: Mapping[int, str] = field(default_factory=dict)
    ceiling: int = 9999
    """The newest release."""
    kind = "release"

    def name(self, place: int) -> str:
        return self.exact.get(place, f"1.{place}.0")

    @property
    def floor(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Listed:
    """Toolchains in the user's order, or merges by their commit."""

    specs: tuple[str, ...]
    kind: str = "listed"

    def name(self, place: int) -> str:
        return self.specs[place]

    @property
    def floor(self) -> int:
        return 0

    @property
    def ceiling(self) -> int:
        return len(self.specs) - 1


Axis = Nightlies | Releases | Listed


@dataclass(frozen=True, slots=True)
class Range:
    """An axis with its ends; an `old` end of None is searched back in time."""

    axis: Axis
    old: int | None
    new: int

    def describe(self) -> str:
        """The range as the answer shows it."""
        new = self.axis.name(self.new)
        return f"{self.axis.name(self.old)} … {new}" if self.old is not None else f"… {new}"


def listed(specs: Sequence[str], old: str | None, new: str | None) -> Range:
    """A range over a list; its ends are the first and the last if they are not named.

    Raises LinkageError for an end that is not in the list, or a list of fewer than two.
    """
    names = tuple(specs)
    for index, name in enumerate(names):
        if name in names[:index]:
            raise LinkageError("is listed twice", where=name, help="list each toolchain once")
    ends = [_index(names, old, 0), _index(names, new, len(names) - 1)]
    if len(names) < 2 or ends[0] >= ends[1]:  # noqa: PLR2004 - two ends
        raise LinkageError(
            f"no toolchain between {old or 'the first'} and {new or 'the last'} of the list",
            where="--toolchains",
            help="list at least two, oldest first",
        )
    return Range(Listed(names), ends[0], ends[1])


def whole(specs: tuple[str, ...], kind: str) -> Range:
    """The range over all of these, oldest first."""
    return Range(Listed(specs, kind), 0, len(specs) - 1)


def _index(names: Sequence[str], name: str | None, default: int) -> int:
    if name is None:
        return default
    if name not in names:
        raise LinkageError(f"{name} is not in the list", where="--toolchains", help=", ".join(names))
    return names.index(name)


def between(old: str | None, new: str | None, today: date) -> Range:
    """The range between two bounds, dates or releases; the default of the newer one is today's nightly.

    If only one bound is a release, it means the nightly of the day on which it branched off the main
    branch. Raises LinkageError for a bound that is neither, and for bounds in the wrong order.
    """
    bounds = [None if bound is None else _bound(bound) for bound in (old, new)]
    released = (today - FIRST_RELEASE) // CYCLE
    for given, bound in zip((old, new), bounds, strict=True):
        # A beta is the next release.
        minor = bound.minor - (bound.name != bound.version) if isinstance(bound, _Release) else 0
        if (isinstance(bound, date) and bound > today) or minor > released:
            newest = f"1.{released}" if isinstance(bound, _Release) else today
            raise LinkageError("is in the future", where=str(given), help=f"the newest is {newest}")
        if isinstance(bound, date) and bound < FIRST_NIGHTLY:
            raise LinkageError(
                "is older than Rust 1.0",
                where=str(given),
                help=f"the first nightly after it is {FIRST_NIGHTLY}",
            )
    releases = [bound for bound in bounds if isinstance(bound, _Release)]
    if isinstance(bounds[1], _Release) and not isinstance(bounds[0], date):
        first = bounds[0].minor if isinstance(bounds[0], _Release) else None
        found = Range(
            Releases({one.minor: one.name for one in releases}, max(released, bounds[1].minor)),
            first,
            bounds[1].minor,
        )
    else:
        days = [bound.branched if isinstance(bound, _Release) else bound for bound in bounds]
        last = days[1] or today
        old_place = days[0].toordinal() if days[0] else None
        found = Range(Nightlies(today.toordinal()), old_place, last.toordinal())
    if found.old is not None and found.old >= found.new:
        raise LinkageError(
            f"{found.axis.name(found.old)} is not older than {found.axis.name(found.new)}",
            where="bisect",
            help="the older end is the good one; with --regress fixed it is the bad one",
        )
    return found


@dataclass(frozen=True, slots=True)
class _Release:
    """A bound that is a release or a beta."""

    minor: int
    name: str
    version: str

    @property
    def branched(self) -> date:
        """The nightly of the day on which it branched off the main branch."""
        return RustcVersion.parse(self.version).left_master


def is_bound(text: str) -> bool:
    """Whether a text has the form of a date, a release or a commit."""
    return any(pattern.fullmatch(text) for pattern in (_DATE, _RELEASE, _COMMIT))


def is_commit(bound: str | None) -> bool:
    """Whether a bound has the form of a commit."""
    return bound is not None and _COMMIT.fullmatch(bound) is not None


def is_full_commit(name: str) -> bool:
    """Whether a name is a commit with all its digits, which no other one can have."""
    return len(name) == FULL_COMMIT and is_commit(name)


def is_date(bound: str | None) -> bool:
    """Whether a bound has the form of a date."""
    return bound is not None and _DATE.fullmatch(bound) is not None


def _bound(text: str) -> "date | _Release":
    if dated := _DATE.fullmatch(text):
        try:
            return date.fromisoformat(dated[1])
        except ValueError:
            raise LinkageError("is not a valid date", where=text) from None
    if release := _RELEASE.fullmatch(text):
        version = f"1.{release[1]}.{release[2] or 0}"
        return _Release(int(release[1]), release[3] or version, version)
    raise LinkageError(
        "is not a date, a release or a commit",
        where=text,
        help="write 2026-05-19 or 1.95, or list the toolchains with --toolchains",
    )


def steps_back(new: int, floor: int) -> list[int]:
    """Where a good end is searched: 1, 2, 4, 8 … back."""
    found, step = [], 1
    while new - step > floor:
        found.append(new - step)
        step *= 2
    return [*found, floor] if new > floor else found


def nightly_of(version: RustcVersion) -> str | None:
    """The dated nightly that a compiler is, if it is one."""
    day = version.nightly_date if version.channel.value == "nightly" else None
    return f"nightly-{day}" if day else None


def outward(end: int, step: int, limit: int, stop: int) -> tuple[range, range]:
    """Where an end of the range may be instead: from it away from the other end, up to `limit`; then
    towards the other end, up to `stop`.
    """
    return range(end, limit + step, step), range(end - step, stop - step, -step)
