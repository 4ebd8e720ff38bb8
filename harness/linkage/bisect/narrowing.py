"""From a release to a nightly, from a nightly to a merge, and from a rollup to a pull request.

Cases that flip at the same toolchain may flip at different merges: each level splits the groups.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from linkage.bisect.answer import Endpoint, Flip, flips
from linkage.bisect.axis import Axis, Nightlies, Range, whole
from linkage.bisect.engine import Bisection
from linkage.bisect.history import History
from linkage.bisect.journal import Journal, JournalEntry
from linkage.bisect.merges import Merge, Pull
from linkage.bisect.provisioning import ToolchainProber
from linkage.bisect.request import Request
from linkage.bisect.rollup import Build, RollupMember, built, told_apart
from linkage.bisect.search import Gap, Mark
from linkage.bisect.subject import Finding, MissingError, SearchResult
from linkage.errors import LinkageError
from linkage.toolchain.release import RustcVersion

Part = tuple[tuple[Finding, ...], Flip]
Key = TypeVar("Key", bound=Hashable)
_KEPT = "rust-lang/rust keeps them for about 167 days"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Narrows flips down to nightlies, merges and pull requests."""

    request: Request
    axis: Axis
    """What was searched first."""
    merges: tuple[Merge, ...]
    """All merges of the range, if the bounds are commits."""
    history: History | None
    prober: ToolchainProber
    journal: Journal
    say: Callable[[str], None]
    notes: list[str] = field(default_factory=list)
    """What the answer has to tell about where it stopped."""

    def narrowed(
        self, found: Sequence[Finding], at: Sequence[Flip]
    ) -> list[tuple[list[Finding], list[Flip]]]:
        """The findings, grouped by their flips, as narrow as possible."""
        parts: list[tuple[tuple[Finding, ...], list[Flip]]] = [(tuple(found), [])]
        for flip in at:
            parts = [
                (narrower, [*done, one])
                for findings, done in parts
                for dated in self._by_nightly(findings, self._sided(flip))
                for merged in self._by_merge(*dated)
                for narrower, one in self._by_member(*merged)
            ]
        return [(list(findings), done) for findings, done in parts]

    def side(self, name: str) -> Endpoint:
        """What is known about the toolchain before or after a flip."""
        version = self._version(name)
        return Endpoint(name) if version is None else Endpoint(name, str(version), version.commit_hash)

    def _sided(self, flip: Flip) -> Flip:
        return replace(flip, before=self.side(flip.before.name), after=self.side(flip.after.name))

    def _version(self, name: str) -> RustcVersion | None:
        try:
            return self.prober.toolchain(name).version
        except MissingError:
            return None

    def _note(self, line: str) -> None:
        self.say(line)
        self.notes.append(line)

    def _by_nightly(self, found: tuple[Finding, ...], flip: Flip) -> list[Part]:
        """Search the nightlies between the days on which two releases left the main branch."""
        if self.axis.kind != "release":
            return [(found, flip)]
        place = f"{flip.before.name} and {flip.after.name}"
        days = []
        for side in (flip.before, flip.after):
            day = self._branched(side.name)
            if day is None:
                self._note(
                    f"when {side.name} left the main branch is not known: the search ends at the releases"
                )
                return [(found, flip)]
            days.append(day)
        if not days[0] < days[1]:
            self._note(f"{place} left the main branch on the same day: the change is a backport")
            return [(found, flip)]
        self.say(f"the nightlies of {days[0]} to {days[1]}, between which {place} left the main branch")
        newest = date.fromisoformat(self.request.today).toordinal()
        asked = Range(Nightlies(newest), days[0].toordinal(), days[1].toordinal())
        variants = list(dict.fromkeys(one.question.variant for one in found))
        result = self._bisection(asked, variants).run()
        parts: list[Part] = []
        for gap, part in _parted(found, lambda one: _gap(one, result.findings)):
            if gap is None:
                self._note(
                    f"the nightlies between {place} do not show the change of {part[0].question.variant}: "
                    "it may have been backported"
                )
                parts.append((part, flip))
            else:
                parts.append((part, self._sided(_dated(gap, result, flip))))
        return parts

    def _branched(self, name: str) -> date | None:
        version = self._version(name)
        return None if version is None else version.left_master

    def _by_merge(self, found: tuple[Finding, ...], flip: Flip) -> list[Part]:
        if self.merges:
            chosen = {flip.after.name, *flip.candidates}
            merges = tuple(one for one in self.merges if one.commit in chosen)
            return [(found, replace(flip, merges=merges, by_merge=True))]
        versions = [self._version(side.name) for side in (flip.before, flip.after)]
        commits = [one.commit_hash for one in versions if one is not None and one.channel.from_master]
        if self.history is None or len(commits) != len(versions) or not (commits[0] and commits[1]):
            return [(found, flip)]
        old, new = commits[0], commits[1]
        place = f"between {flip.before.name} and {flip.after.name}"
        try:
            merges = tuple(self.history.between(old, new))
        except LinkageError as error:
            self.say(str(error))
            self._note(f"the merges {place} could not be listed (help: linkage bisect --resume)")
            return [(found, flip)]
        if not merges:
            return [(found, flip)]
        specs = tuple(dict.fromkeys((old, *(one.commit for one in merges), new)))
        if not any(self.prober.offers(commit) for commit in specs[-2:]):
            self._note(f"the compilers of the merges {place} are gone: {_KEPT}")
            return [(found, replace(flip, merges=merges))]
        result = self._search(found, flip, specs)
        return [
            (part, _merged(gap, result, flip, merges) if gap else replace(flip, merges=merges))
            for gap, part in _parted(found, lambda one: _gap(one, result.findings))
        ]

    def _search(self, found: Sequence[Finding], flip: Flip, commits: tuple[str, ...]) -> SearchResult:
        """Search among the merges between the two nightlies of a flip."""
        self.say(f"{len(commits) - 1} merges between {flip.before.name} and {flip.after.name}")
        variants = list(dict.fromkeys(one.question.variant for one in found))
        for variant in variants:
            # The two nightlies are the compilers of these commits: their results hold for them.
            for side, commit in ((flip.before, commits[0]), (flip.after, commits[-1])):
                entry = self.journal.entries.get((side.name, variant))
                if entry is not None:
                    self.journal.entries.setdefault((commit, variant), JournalEntry(entry.mark, entry.result))
        return self._bisection(whole(commits, "merge"), variants).run()

    def _by_member(self, found: tuple[Finding, ...], flip: Flip) -> list[Part]:
        """Try each pull request of a rollup alone, for every rollup that may be the cause."""
        rollups = [merge for merge in flip.merges if merge.rolled_up] if flip.by_merge else []
        tried = [one for merge in rollups if (one := self._members_of(merge, found, flip)) is not None]
        if not tried:
            return [(found, flip)]

        def members(one: Finding) -> tuple[RollupMember, ...]:
            return tuple(member for each in tried for member in each(one))

        return [
            (part, replace(flip, members=members(part[0])))
            for _, part in _parted(found, lambda one: told_apart(members(one)))
        ]

    def _members_of(
        self, merge: Merge, found: Sequence[Finding], flip: Flip
    ) -> Callable[[Finding], tuple[RollupMember, ...]] | None:
        """What each pull request of a rollup shows for a finding; None if no build is known."""
        listed = built(merge, self._builds(merge))
        commits = tuple(dict.fromkeys(build.commit for _, build in listed if build.commit))
        if not commits:
            self._missing_builds(merge)
            return None
        self.say(f"{len(commits)} builds of single pull requests in {merge}")
        effect = Mark.BAD if flip.becomes == "bad" else Mark.GOOD
        only = len(flip.merges) == 1
        questions = [one.question for one in found]
        variants = list(dict.fromkeys(one.variant for one in questions))
        search = self._bisection(whole(commits, "pull"), variants)
        # What the rollup was merged on has the effect, too, if all of its pull requests have it alone.
        answers = search.each(questions, effect if only else None)

        def members(one: Finding) -> tuple[RollupMember, ...]:
            known = answers[one.question]
            older = not only and set(known.values()) == {effect}
            return tuple(shown(one, pull, build, known, older=older) for pull, build in listed)

        def shown(
            one: Finding, pull: Pull, build: Build, known: Mapping[int, Mark], *, older: bool
        ) -> RollupMember:
            if not build.commit:
                return _member(pull, build, effect, None, build.why, older=older)
            place = commits.index(build.commit)
            if place not in known:
                why = "not needed: another one has the effect alone"
            else:
                why = search.probing.why_not(one.question, place)
            return _member(pull, build, effect, known.get(place), why, older=older)

        return members

    def _builds(self, merge: Merge) -> tuple[Build, ...]:
        """The builds that the user gave, and those that a bot lists in the rollup."""
        if self.history is None or merge.pull is None:
            return self.request.rollup_builds
        numbers = {build.number for build in self.request.rollup_builds}
        if any(pull.number in numbers for pull in merge.rolled_up):
            return self.request.rollup_builds
        try:
            return self.history.builds(merge.pull)
        except LinkageError as error:
            self.say(str(error))
            self._note(f"the builds of {merge.pull.link} could not be listed (help: linkage bisect --resume)")
            return ()

    def _missing_builds(self, merge: Merge) -> None:
        link = merge.pull.link if merge.pull else merge.commit
        if self.request.rollup_builds:
            self.say(f"--rollup-builds lists no pull request of {link}")
        else:
            self.say(
                f"{merge} is a rollup, and no builds of its pull requests are known (help: save the bot's"
                f" comment in {link}, then: linkage bisect --resume {self.journal.file} --rollup-builds FILE)"
            )

    def _bisection(self, asked: Range, variants: Sequence[str]) -> Bisection:
        return Bisection(asked, variants, self.prober, self.journal, self.request.options, self.say)


def _member(
    pull: Pull, build: Build, effect: Mark, answer: Mark | None, why: str, *, older: bool
) -> RollupMember:
    """What the build of one pull request shows."""
    if older and answer is effect:
        same = "fails" if effect is Mark.BAD else "passes"
        return RollupMember(pull, build.commit, None, f"{same} like all others: the cause may be older")
    decided = answer in (Mark.GOOD, Mark.BAD)
    return RollupMember(pull, build.commit, answer is effect if decided else None, "" if decided else why)


def _dated(gap: Gap, result: SearchResult, flip: Flip) -> Flip:
    """A flip between two releases, narrowed by the search among the nightlies."""
    (narrow,) = flips([gap], next(one for one in result.findings if one.flips == (gap,)), result.range)
    return replace(narrow, becomes=flip.becomes, releases=(flip.before.name, flip.after.name))


def _merged(gap: Gap, result: SearchResult, flip: Flip, merges: Iterable[Merge]) -> Flip:
    """A nightly's flip, narrowed by the search among its merges."""
    (narrow,) = flips([gap], next(one for one in result.findings if one.flips == (gap,)), result.range)
    chosen = {result.range.axis.name(place) for place in gap.candidates}
    nightlies = {side.commit: side.name for side in (flip.before, flip.after)}
    before, after = (
        Endpoint(side.name, "", side.name, nightlies.get(side.name, ""))
        for side in (narrow.before, narrow.after)
    )
    return replace(
        narrow,
        before=replace(before, version=f"after {flip.before.name}"),
        after=replace(after, version=f"in {flip.after.name}"),
        becomes=flip.becomes,
        merges=tuple(merge for merge in merges if merge.commit in chosen),
        by_merge=True,
    )


def _gap(one: Finding, others: Iterable[Finding]) -> Gap | None:
    """Where a finding flips among the merges, if it flips once."""
    return next(
        (
            other.flips[0]
            for other in others
            if len(other.flips) == 1
            and other.question.variant == one.question.variant
            and other.question.signature.same(one.question.signature)
        ),
        None,
    )


def _parted(found: Sequence[Finding], key: Callable[[Finding], Key]) -> list[tuple[Key, tuple[Finding, ...]]]:
    """The findings, grouped by a key, in the order of their first occurrence."""
    parts: dict[Key, list[Finding]] = {}
    for one in found:
        parts.setdefault(key(one), []).append(one)
    return [(one, tuple(part)) for one, part in parts.items()]
