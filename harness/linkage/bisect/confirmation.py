"""An answer is confirmed before it is given: both sides are tried once more, without the store.

What does not repeat is flaky. What repeats, but not if both compilers link with one linker, is the
linker's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from linkage.bisect.answer import Endpoint, FlakyResult, Flip, HeldLinker
from linkage.bisect.journal import Journal
from linkage.bisect.provisioning import ToolchainProber
from linkage.bisect.question import Question, why
from linkage.bisect.search import Mark
from linkage.bisect.signature import ProbeResult
from linkage.bisect.subject import Finding, MissingError
from linkage.bisect.surroundings import Surroundings, differing, surroundings
from linkage.run.session import Session

_LINKERS = ("bfd", "lld")
"""Those that are held constant to find out whether a change is the linker's."""


@dataclass
class Confirmation:
    """Confirms answers; `fresh` is a session with an empty store."""

    prober: ToolchainProber
    journal: Journal
    fresh: Session
    say: Callable[[str], None]
    _results: dict[tuple[str, str, str], ProbeResult] = field(default_factory=dict)
    """By linker, toolchain and variant."""
    _surroundings: dict[str, Surroundings] = field(default_factory=dict)

    def confirmed(
        self, found: Sequence[Finding], at: Sequence[Flip]
    ) -> tuple[list[Finding], list[Flip], list[FlakyResult]]:
        """The findings that repeat, their flips with what each side showed, and those that do not repeat."""
        flaky: dict[Finding, FlakyResult] = {}
        flips: list[Flip] = []
        for flip in at:
            expected = (Mark.GOOD, Mark.BAD) if flip.becomes == "bad" else (Mark.BAD, Mark.GOOD)
            sides = []
            for side, mark in zip((flip.before, flip.after), expected, strict=True):
                told, unlike = self._side(side, mark, found)
                sides.append(told)
                flaky.update({finding: one for finding, one in unlike.items() if finding not in flaky})
            flips.append(replace(flip, before=sides[0], after=sides[1]))
        steady = [finding for finding in found if finding not in flaky]
        if steady:
            flips = [self._beside(flip, steady[0].question) for flip in flips]
        return steady, flips, list(flaky.values())

    def _side(
        self, side: Endpoint, expected: Mark, found: Sequence[Finding]
    ) -> tuple[Endpoint, dict[Finding, FlakyResult]]:
        name = side.name
        by_hand = {
            finding.question.variant
            for finding in found
            if (entry := self.journal.entries.get((name, finding.question.variant))) is not None
            and (entry.result is None or finding.question.mark(entry.result) is not expected)
        }
        variants = list(dict.fromkeys(one.question.variant for one in found))
        try:
            results = self._tried("", side, [one for one in variants if one not in by_hand])
        except MissingError as error:
            return replace(side, told=f"not tried again: {error}"), {}
        flaky = {}
        for finding in found:
            question = finding.question
            result = results.get(question.variant)
            if result is None or question.mark(result) is expected:
                continue
            entry = self.journal.entries.get((name, question.variant))
            first = (
                why(question, entry.result) if entry is not None and entry.result is not None else expected
            )
            flaky[finding] = FlakyResult(
                question.variant, str(question.signature), name, (str(first), why(question, result))
            )
        for finding, one in flaky.items():
            self.say(f"{name}: flaky: {finding.question.variant}: first: {one.runs[0]}; again: {one.runs[1]}")
        first_question = found[0].question
        if first_question.variant in by_hand:
            return replace(side, told="set by hand"), flaky
        return replace(side, told=why(first_question, results[first_question.variant])), flaky

    def _tried(self, linker: str, side: Endpoint, variants: Sequence[str]) -> Mapping[str, ProbeResult]:
        """What variants show on a toolchain without the store, with a linker or the default one."""
        name = side.name
        wanted = [one for one in variants if (linker, name, one) not in self._results]
        if wanted:
            session = replace(self.fresh, linker=linker) if linker else self.fresh
            if not linker:
                self.say(f"{name}: tried once more, without the store")
            for variant, result in self._again(session, side, wanted).items():
                self._results[linker, name, variant] = result
        return {one: self._results[linker, name, one] for one in variants}

    def _again(self, session: Session, side: Endpoint, variants: Sequence[str]) -> dict[str, ProbeResult]:
        try:
            return self.prober.again(session, side.name, variants)
        except MissingError:
            if not side.nightly:
                raise
            return self.prober.again(session, side.nightly, variants)  # it is built from the same commit

    def _beside(self, flip: Flip, question: Question) -> Flip:
        """The flip with what else changed there, and whether it is the linker's."""
        try:
            before, after = self._around(flip.before), self._around(flip.after)
        except MissingError:
            return flip
        beside = differing(before, after)
        held: tuple[HeldLinker, ...] = ()
        if before.linker != after.linker and self.prober.trials[question.variant].holds_linker:
            pairs = (self._held(linker, flip, question) for linker in _LINKERS)
            held = tuple(one for one in pairs if one is not None)
        return replace(flip, beside=beside, held=held)

    def _around(self, side: Endpoint) -> Surroundings:
        if side.name not in self._surroundings:
            toolchain = self.prober.toolchain(side.nightly or side.name)
            self._surroundings[side.name] = surroundings(self.fresh, toolchain)
        return self._surroundings[side.name]

    def _held(self, linker: str, flip: Flip, question: Question) -> HeldLinker | None:
        """What both sides show with one linker; None if one of them cannot link with it."""
        marks = []
        for side in (flip.before, flip.after):
            toolchain = self.prober.toolchain(side.nightly or side.name)
            if not self.fresh.machine.has_linker(linker) and not toolchain.brings_linker(linker):
                return None
            result = self._tried(linker, side, [question.variant])[question.variant]
            marks.append(question.mark(result))
        return None if Mark.SKIP in marks else HeldLinker(linker, marks[0].value, marks[1].value)
