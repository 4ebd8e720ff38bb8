"""The bisection of many variants at once: the ends first, then the most informative toolchain.

`Prober` hides the outside world. What has been tried is in the journal and is not tried again, so a
session that is read from its file continues where it ended.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from linkage.bisect.axis import Range, neighbours, steps_back
from linkage.bisect.journal import Journal, JournalEntry
from linkage.bisect.question import ProbeOutcome, Question, only, questions, why
from linkage.bisect.search import Mark, asking, choose, gaps, spread, upcoming
from linkage.bisect.signature import ProbeResult
from linkage.bisect.subject import (
    Finding,
    MissingError,
    OpenQuestion,
    Prober,
    SearchOptions,
    SearchResult,
    Subject,
)
from linkage.judge.verdict import VerdictKind


class Bisection:
    """One search over one range. `say` gets a line for each probe."""

    def __init__(
        self,
        asked: Range,
        variants: Sequence[str],
        prober: Prober,
        journal: Journal,
        options: SearchOptions,
        say: Callable[[str], None],
    ) -> None:
        self.range = asked
        self.prober = prober
        self.journal = journal
        self.options = options
        self.say = say
        self.subjects = [Subject(variant, options.fixed) for variant in variants]
        self.tried: set[int] = set()
        self._probed: dict[tuple[str, str], ProbeResult] = {}

    def run(self, hints: Sequence[int] = ()) -> SearchResult:
        """Search until nothing can be narrowed; `hints` are places where a good end may be."""
        new = self._end(self.range.new, -1, self.range.axis.floor)
        if new is None:
            return self._result(self.range)
        self._new_end(new)
        if all(subject.problem for subject in self.subjects):
            return self._result(Range(self.range.axis, self.range.old, new))
        if self.range.old is not None:
            old = self._end(self.range.old, 1, new)
            places = [] if old is None else [old]
        else:
            near = sorted({place for place in hints if place < new}, reverse=True)[:1]
            back = steps_back(new, self.range.axis.floor)
            places = near + [place for place in back if not near or place < near[0]]
        lowest = self._old_ends(places, new)
        self._check_ends(new)
        self._spread(lowest, new)
        self._narrow()
        return self._result(Range(self.range.axis, lowest, new))

    def each(self, questions: Iterable[Question], answer: Mark | None) -> dict[Question, Mapping[int, Mark]]:
        """Try each position for each question until one gives the expected answer; with None, all.

        For toolchains without an order, such as the builds of single pull requests.
        """
        for subject in self.subjects:
            subject.asked = [OpenQuestion(one) for one in questions if one.variant == subject.variant]
        for place in range(self.range.old or 0, self.range.new + 1):
            open_ones = [
                subject
                for subject in self.subjects
                if any(answer not in asked.known.values() for asked in subject.asked)
            ]
            if not open_ones:
                break
            coming = range(place + 1, min(place + 3, self.range.new + 1))
            self._probe(place, open_ones, [self._name(one) for one in coming])
        return {asked.question: asked.known for subject in self.subjects for asked in subject.asked}

    def why_not(self, question: Question, place: int) -> str:
        """Why a position is inconclusive for a question."""
        name = self._name(place)
        entry = self.journal.entries.get((name, question.variant))
        if entry is not None and entry.result is not None:
            return why(question, entry.result)
        return self.journal.missing.get(name, "set by hand")

    def _name(self, place: int) -> str:
        return self.range.axis.name(place)

    def _end(self, place: int, step: int, until: int) -> int | None:
        """The available toolchain that is nearest to an end of the range."""
        for one in neighbours(place, step, until):
            if self._prepare(one, self.subjects):
                return one
        for subject in self.subjects:
            subject.problem = subject.problem or f"no toolchain at or near {self._name(place)}"
        return None

    def _new_end(self, new: int) -> None:
        for subject in self.subjects:
            entry = self._entry(new, subject, failing=not subject.backwards)
            if (
                entry.result is not None
                and entry.result.outcome == VerdictKind.FIXED
                and not self.options.fixed
            ):
                subject.backwards = True  # find what fixed the known bug
            elif not subject.backwards:
                self._ask(new, subject, entry)

    def _old_ends(self, places: Sequence[int], new: int) -> int:
        """Try positions, newest first, until all subjects have an older end; returns the oldest tried."""
        lowest = new
        for index, place in enumerate(places):
            open_ones = [subject for subject in self.subjects if self._wants_old(subject)]
            if not open_ones:
                break
            until = places[index + 1] if index + 1 < len(places) else place - 1
            one = next((p for p in neighbours(place, -1, until) if self._prepare(p, open_ones)), None)
            if one is None:
                continue
            lowest = min(lowest, one)
            for subject in open_ones:
                entry = self._entry(one, subject, failing=subject.backwards)
                if subject.backwards:
                    self._ask(one, subject, entry, last=one == places[-1])
                else:
                    self._note(one, subject, entry)
        return lowest

    def _wants_old(self, subject: Subject) -> bool:
        if subject.problem:
            return False
        if subject.backwards:
            return not subject.asked
        return not all(Mark.GOOD in asked.known.values() for asked in subject.asked)

    def _ask(self, place: int, subject: Subject, entry: JournalEntry, *, last: bool = True) -> None:
        """Derive the questions from the failing end."""
        name = self._name(place)
        if entry.result is not None and entry.mark is Mark.BAD:
            found = questions(subject.variant, entry.result, self.options.match)
            if self.options.claim is not None and found:
                chosen = only(found, self.options.claim)
                if not chosen:
                    failing = ", ".join(f"{q.signature.step}: {q.signature.claim}" for q in found)
                    subject.problem = f"`{self.options.claim}` does not fail on {name}; failures: {failing}"
                found = chosen
            subject.asked = [OpenQuestion(question, {place: Mark.BAD}) for question in found]
        elif last:
            what = "passes" if entry.mark is Mark.GOOD else "could not be judged"
            reason = f": {entry.result.reason}" if entry.result is not None and entry.result.reason else ""
            subject.problem = f"{what} on {name}, the bad end{reason}"
            if entry.mark is Mark.GOOD and not self.options.fixed:
                subject.problem += " (help: to find what fixed it, use --regress fixed)"
        self._note(place, subject, entry)

    def _check_ends(self, new: int) -> None:
        """Drop the questions whose ends do not differ, with the reason."""
        for subject in self.subjects:
            if subject.problem:
                continue
            if subject.backwards and not subject.asked:
                subject.problem = "no failing toolchain found (help: name one with --bad)"
            if subject.backwards and subject.asked:
                entry = self._entry(new, subject, failing=False)
                self._note(new, subject, entry)
            keep = [asked for asked in subject.asked if gaps(asked.known)]
            if subject.asked and not keep:
                subject.problem = self._undivided(subject, new)
            subject.asked = keep

    def _undivided(self, subject: Subject, new: int) -> str:
        asked = subject.asked[0]
        place = new if subject.backwards else min(asked.known)
        name = self._name(place)
        entry = self.journal.entries.get((name, subject.variant))
        end = "the newer end" if subject.backwards else "the good end"
        if asked.known.get(place) is Mark.BAD:
            return f"fails in the same way on {name} (help: choose another {end.removeprefix('the ')})"
        reason = (
            why(asked.question, entry.result) if entry is not None and entry.result is not None else "skipped"
        )
        return f"{name} cannot be {end}: {reason}"

    def _spread(self, old: int, new: int) -> None:
        for place in spread(old, new, self.options.spread):
            self._probe(place, [subject for subject in self.subjects if subject.asked])

    def _narrow(self) -> None:
        while True:
            known = [asked.known for subject in self.subjects for asked in subject.asked]
            ends = {end for one in known for gap in gaps(one) for end in (gap.before, gap.after)}
            self.prober.retain([self._name(end) for end in ends])
            place = choose(known, self._at_hand(known))
            if place is None:
                return
            wanting = [
                subject
                for subject in self.subjects
                if any(asking(asked.known, place) for asked in subject.asked)
            ]
            self._probe(place, wanting, [self._name(one) for one in upcoming(known, place)])

    def _at_hand(self, known: Sequence[dict[int, Mark]]) -> set[int]:
        """Positions inside the gaps whose toolchain is installed."""
        inside = {p for one in known for gap in gaps(one) for p in range(gap.before + 1, gap.after)}
        names = {self._name(place): place for place in inside}
        return {names[name] for name in self.prober.available(names)}

    def _probe(self, place: int, subjects: Sequence[Subject], coming: Sequence[str] = ()) -> None:
        if not self._prepare(place, subjects):
            for subject in self.subjects:
                for asked in subject.asked:
                    asked.known.setdefault(place, Mark.SKIP)
            return
        if not all(self._has(self._name(place), one) for one in subjects):
            self.prober.prefetch(coming)  # while this one is tried
        for subject in subjects:
            self._note(place, subject, self._entry(place, subject))

    def _prepare(self, place: int, subjects: Iterable[Subject]) -> bool:
        """Make a toolchain available if it must be tried; False if it is missing."""
        name = self._name(place)
        if name in self.journal.missing:
            return False
        if all(self._has(name, one) for one in subjects):
            return True
        try:
            self.prober.get(name)
        except MissingError as error:
            self.journal.note_missing(name, str(error), for_now=error.for_now)
            self.say(f"{name}: skipped: {error}")
            return False
        self.tried.add(place)
        return True

    def _has(self, name: str, subject: Subject) -> bool:
        """Whether the journal has the result; for a failing end its signature, too."""
        entry = self.journal.entries.get((name, subject.variant))
        return entry is not None and (
            entry.result is not None or bool(subject.asked) or entry.mark is not Mark.BAD
        )

    def _entry(self, place: int, subject: Subject, *, failing: bool = False) -> JournalEntry:
        """The journal's entry, or a new probe's; `failing` if the questions are derived from it."""
        name = self._name(place)
        known = self.journal.entries.get((name, subject.variant))
        if known is not None and self._has(name, subject):
            return known
        found = self._probed.get((name, subject.variant)) or self.prober.probe(name, subject.variant)
        self._probed[name, subject.variant] = found
        return JournalEntry(self._overall(subject, found, failing=failing), found)

    def _overall(self, subject: Subject, found: ProbeResult, *, failing: bool = False) -> Mark:
        asked = [one.question for one in subject.asked]
        if failing:
            asked = list(questions(subject.variant, found, self.options.match))
        if not asked:
            passes = found.outcome in (VerdictKind.PASS, VerdictKind.KNOWN, VerdictKind.FIXED)
            return Mark.GOOD if passes else Mark.SKIP
        answers = {question.mark(found) for question in asked}
        if Mark.BAD in answers:
            return Mark.BAD
        return Mark.GOOD if answers == {Mark.GOOD} else Mark.SKIP

    def _note(self, place: int, subject: Subject, entry: JournalEntry) -> None:
        """Apply an entry to every question of its subject, and write it to the journal if it is new."""
        name = self._name(place)
        corrected = entry.result is None or (
            bool(subject.asked) and entry.mark is not self._overall(subject, entry.result)
        )
        for asked in subject.asked:
            given = entry.mark if corrected or entry.result is None else asked.question.mark(entry.result)
            asked.known[place] = given
        if self.journal.entries.get((name, subject.variant)) != entry:
            summary = self._told(subject, entry)
            self.journal.note(name, subject.variant, entry, summary)
            self.say(f"{name}: {entry.mark.value}: {subject.variant}: {summary}")

    def _told(self, subject: Subject, entry: JournalEntry) -> str:
        if entry.result is None:
            return "set by hand"
        asked = [one.question for one in subject.asked]
        bad = [one for one in asked if one.outcome(entry.result) is ProbeOutcome.SAME]
        if asked:
            return why((bad or asked)[0], entry.result)
        return entry.result.reason or next(map(str, entry.result.failures), entry.result.outcome)

    def _result(self, used: Range) -> SearchResult:
        findings = tuple(
            Finding(asked.question, tuple(gaps(asked.known)), subject.backwards, self._skipped(asked))
            for subject in self.subjects
            for asked in subject.asked
        )
        problems = tuple((one.variant, one.problem) for one in self.subjects if one.problem)
        return SearchResult(findings, problems, used, len(self.tried))

    def _skipped(self, asked: OpenQuestion) -> tuple[tuple[int, str], ...]:
        places = sorted(place for place, answer in asked.known.items() if answer is Mark.SKIP)
        return tuple((place, self.why_not(asked.question, place)) for place in places)
