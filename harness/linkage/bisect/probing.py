"""The results of toolchains for the subjects of a search: from the journal, else from new probes."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from linkage.bisect.axis import Axis
from linkage.bisect.journal import Journal, JournalEntry
from linkage.bisect.question import ProbeOutcome, Question, questions, why
from linkage.bisect.search import Mark
from linkage.bisect.signature import ProbeResult
from linkage.bisect.subject import MissingError, Prober, SearchOptions, Subject
from linkage.judge.verdict import VerdictKind


class Probing:
    """Runs each variant once with a toolchain, and keeps the journal. `say` gets a line for each probe."""

    def __init__(
        self, axis: Axis, prober: Prober, journal: Journal, options: SearchOptions, say: Callable[[str], None]
    ) -> None:
        self.axis = axis
        self.prober = prober
        self.journal = journal
        self.options = options
        self.say = say
        self.tried: set[int] = set()
        """The positions whose toolchain was made available."""
        self._probed: dict[tuple[str, str], ProbeResult] = {}

    def name(self, place: int) -> str:
        return self.axis.name(place)

    def prepare(self, place: int, subjects: Iterable[Subject]) -> bool:
        """Make a toolchain available if it must be tried; False if it is missing."""
        name = self.name(place)
        if name in self.journal.missing:
            return False
        if all(self.has(name, one) for one in subjects):
            return True
        try:
            self.prober.get(name)
        except MissingError as error:
            self.journal.note_missing(name, str(error), for_now=error.for_now)
            self.say(f"{name}: skipped: {error}")
            return False
        self.tried.add(place)
        return True

    def has(self, name: str, subject: Subject) -> bool:
        """Whether the journal has the result; for a failing end its signature, too."""
        entry = self.journal.entries.get((name, subject.variant))
        return entry is not None and (
            entry.result is not None or bool(subject.asked) or entry.mark is not Mark.BAD
        )

    def entries(
        self,
        place: int,
        subjects: Sequence[Subject],
        *,
        failing: Callable[[Subject], bool] = lambda _: False,
    ) -> Iterator[tuple[Subject, JournalEntry]]:
        """The journal's entries, or those of new probes, which run at the same time.

        `failing` tells for which subjects the questions are derived from them.
        """
        name = self.name(place)
        wanted = [one.variant for one in subjects if not self.has(name, one)]
        wanted = [one for one in wanted if (name, one) not in self._probed]
        results = iter(self.prober.results(name, wanted)) if wanted else iter(())
        for subject in subjects:
            known = self.journal.entries.get((name, subject.variant))
            if known is not None and self.has(name, subject):
                yield subject, known
                continue
            while (name, subject.variant) not in self._probed:
                variant, result = next(results)
                self._probed[name, variant] = result
            found = self._probed[name, subject.variant]
            yield subject, JournalEntry(self._overall(subject, found, failing=failing(subject)), found)

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

    def note(self, place: int, subject: Subject, entry: JournalEntry) -> None:
        """Apply an entry to every question of its subject, and write it to the journal if it is new."""
        corrected = entry.result is None or (
            bool(subject.asked) and entry.mark is not self._overall(subject, entry.result)
        )
        for asked in subject.asked:
            given = entry.mark if corrected or entry.result is None else asked.question.mark(entry.result)
            asked.known[place] = given
        subject.marks[place] = entry.mark
        self.write(place, subject, entry)

    def write(self, place: int, subject: Subject, entry: JournalEntry) -> None:
        name = self.name(place)
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

    def why_not(self, question: Question, place: int) -> str:
        """Why a position is inconclusive for a question."""
        name = self.name(place)
        entry = self.journal.entries.get((name, question.variant))
        if entry is not None and entry.result is not None:
            return why(question, entry.result)
        return self.journal.missing.get(name, "set by hand")
