"""From a nightly to a merge, and from a rollup to a pull request.

Cases that flip at the same nightly may flip at different merges: each level splits the groups.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from linkage.bisect.answer import Endpoint, Flip, flips
from linkage.bisect.axis import Listed, Range
from linkage.bisect.engine import Bisection
from linkage.bisect.journal import Journal, JournalEntry
from linkage.bisect.merges import Merge, between
from linkage.bisect.provisioning import ToolchainProber
from linkage.bisect.request import Request
from linkage.bisect.rollup import RollupMember, built, told_apart
from linkage.bisect.search import Gap, Mark
from linkage.bisect.subject import Finding, MissingError, SearchResult
from linkage.errors import LinkageError

Part = tuple[tuple[Finding, ...], Flip]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Narrows flips down to merges and pull requests."""

    request: Request
    merges: tuple[Merge, ...]
    """All merges of the range, if the bounds are commits."""
    prober: ToolchainProber
    journal: Journal
    say: Callable[[str], None]

    def narrowed(
        self, found: Sequence[Finding], at: Sequence[Flip]
    ) -> list[tuple[list[Finding], list[Flip]]]:
        """The findings, grouped by their flips, as narrow as possible."""
        parts: list[tuple[tuple[Finding, ...], list[Flip]]] = [(tuple(found), [])]
        for flip in at:
            sided = replace(flip, before=self.side(flip.before.name), after=self.side(flip.after.name))
            parts = [
                (narrower, [*done, one])
                for findings, done in parts
                for merged in self._by_merge(findings, sided)
                for narrower, one in self._by_member(*merged)
            ]
        return [(list(findings), done) for findings, done in parts]

    def side(self, name: str) -> Endpoint:
        """What is known about the toolchain before or after a flip."""
        try:
            version = self.prober.toolchain(name).version
        except MissingError:
            return Endpoint(name)
        return Endpoint(name, str(version), version.commit_hash)

    def _by_merge(self, found: tuple[Finding, ...], flip: Flip) -> list[Part]:
        if self.merges:
            chosen = {flip.after.name, *flip.candidates}
            merges = tuple(one for one in self.merges if one.commit in chosen)
            return [(found, replace(flip, merges=merges, by_merge=True))]
        if not (self.request.rust_src and flip.before.commit and flip.after.commit):
            return [(found, flip)]
        old, new = flip.before.commit, flip.after.commit
        try:
            merges = tuple(between(Path(self.request.rust_src), old, new))
        except LinkageError as error:
            place = f"between {flip.before.name} and {flip.after.name}"
            self.say(f"the merges {place} cannot be searched: {error}")
            return [(found, flip)]
        if not merges:
            return [(found, flip)]
        result = self._search(found, flip, tuple(dict.fromkeys((old, *(one.commit for one in merges), new))))
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
        return self._bisection(Listed(commits, "merge"), variants).run()

    def _by_member(self, found: tuple[Finding, ...], flip: Flip) -> list[Part]:
        """Try each pull request of a rollup alone."""
        if not flip.by_merge or len(flip.merges) != 1 or not flip.merges[0].rolled_up:
            return [(found, flip)]
        (merge,) = flip.merges
        listed = built(merge, self.request.rollup_builds)
        commits = tuple(dict.fromkeys(build.commit for _, build in listed if build.commit))
        if not commits:
            self._missing_builds(merge)
            return [(found, flip)]
        self.say(f"{len(commits)} builds of single pull requests in {merge}")
        wanted = Mark.BAD if flip.becomes == "bad" else Mark.GOOD
        questions = [one.question for one in found]
        search = self._bisection(
            Listed(commits, "pull"), list(dict.fromkeys(one.variant for one in questions))
        )
        answers = search.each(questions, wanted)

        def members(one: Finding) -> tuple[RollupMember, ...]:
            known = answers[one.question]
            shown = []
            for pull, build in listed:
                place = commits.index(build.commit) if build.commit else None
                answer = None if place is None else known.get(place)
                decided = answer in (Mark.GOOD, Mark.BAD)
                why = build.why
                if place is not None and not decided:
                    why = (
                        search.why_not(one.question, place)
                        if answer
                        else "not needed: another one has the effect alone"
                    )
                shown.append(RollupMember(pull, build.commit, answer is wanted if decided else None, why))
            return tuple(shown)

        return [
            (part, replace(flip, members=members(part[0])))
            for _, part in _parted(found, lambda one: told_apart(members(one)))
        ]

    def _missing_builds(self, merge: Merge) -> None:
        link = merge.pull.link if merge.pull else merge.commit
        if self.request.rollup_builds:
            self.say(f"--rollup-builds lists no pull request of {link}")
        else:
            self.say(
                f"{merge} is a rollup (help: save the bot's comment in {link}, which lists a build of each of"
                f" its pull requests, then: linkage bisect --resume {self.journal.file} --rollup-builds FILE)"
            )

    def _bisection(self, axis: Listed, variants: Sequence[str]) -> Bisection:
        asked = Range(axis, 0, len(axis.specs) - 1)
        return Bisection(asked, variants, self.prober, self.journal, self.request.options, self.say)


def _merged(gap: Gap, result: SearchResult, flip: Flip, merges: Iterable[Merge]) -> Flip:
    """A nightly's flip, narrowed by the search among its merges."""
    (narrow,) = flips([gap], next(one for one in result.findings if one.flips == (gap,)), result.range)
    chosen = {result.range.axis.name(place) for place in gap.candidates}
    before, after = (Endpoint(side.name, "", side.name) for side in (narrow.before, narrow.after))
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
