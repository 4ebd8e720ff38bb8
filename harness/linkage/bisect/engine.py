"""The bisection of many variants at once: the ends first, then the most informative toolchain.

`Prober` hides the outside world. What has been tried is in the journal and is not tried again, so a
session that is read from its file continues where it ended.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from linkage.bisect.axis import Range, outward, steps_back
from linkage.bisect.journal import Journal, JournalEntry
from linkage.bisect.probing import Probing
from linkage.bisect.question import Question, only, questions, why
from linkage.bisect.search import Mark, asking, choose, gaps, remaining, spread, upcoming
from linkage.bisect.subject import (
    Finding,
    OpenQuestion,
    Prober,
    SearchOptions,
    SearchResult,
    Subject,
)
from linkage.judge.verdict import VerdictKind

MISSING = 30
"""How many toolchains in a row may be missing at an end of the range."""
_UNJUDGED = 4
"""At how many more toolchains in each direction, in growing steps, a variant is tried that cannot be judged
at an end."""


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
        self.subjects = [Subject(variant, options.fixed) for variant in variants]
        self.probing = Probing(asked.axis, prober, journal, options, say)

    def run(self, hints: Sequence[int] = ()) -> SearchResult:
        """Search until nothing can be narrowed; `hints` are places where a good end may be."""
        ends = [place for place in (self.range.new, self.range.old) if place is not None]
        self.prober.prefetch([self.probing.name(place) for place in ends if self._wanted(place)])
        self._new_end()
        tried = [subject.new for subject in self.subjects if subject.new is not None]
        if not tried:
            return self._result(self.range)
        if not any(map(self._alive, self.subjects)):
            return self._result(Range(self.range.axis, self.range.old, max(tried)))
        self._old_end(min(tried), hints)
        self._judge_new_end()
        places = {place for subject in self.subjects for place in subject.marks}
        lowest, highest = min(places), max(places)
        self._spread(lowest, highest)
        self._check_ends()
        self._narrow()
        return self._result(Range(self.range.axis, lowest if lowest < highest else self.range.old, highest))

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
            self._probe(place, open_ones, [self.probing.name(one) for one in coming])
        return {asked.question: asked.known for subject in self.subjects for asked in subject.asked}

    def _wanted(self, place: int) -> bool:
        """Whether the toolchain must be tried."""
        name = self.probing.name(place)
        return name not in self.journal.missing and not all(
            self.probing.has(name, one) for one in self.subjects
        )

    def _at_end(
        self,
        directions: Iterable[Iterable[int]],
        open_ones: Callable[[], list[Subject]],
        visit: Callable[[int, Subject, JournalEntry], None],
        *,
        failing: Callable[[Subject], bool],
    ) -> None:
        """Try positions, direction after direction, until no subject is open."""
        for places in directions:
            missing = 0
            for subject in self.subjects:
                subject.tries = 0
            for place in self._spaced(places):
                subjects = open_ones()
                if not subjects or missing >= MISSING:
                    break
                if not self.probing.prepare(place, subjects):
                    missing += 1
                    continue
                missing = 0
                for subject, entry in self.probing.entries(place, subjects, failing=failing):
                    visit(place, subject, entry)

    def _spaced(self, places: Iterable[int]) -> Iterator[int]:
        """After each position that exists, the next one is twice as far: its neighbours are like it."""
        found = left = 0
        for place in places:
            if left > 0:
                left -= 1
                continue
            yield place
            if self.probing.name(place) not in self.journal.missing:
                left = (1 << found) - 1
                found += 1

    def _new_end(self) -> None:
        """Derive questions at the newer end; a variant that cannot be judged there is, at the next one."""
        stop = self.range.axis.floor if self.range.old is None else self.range.old + 1
        asked = self.range.new

        def visit(place: int, subject: Subject, entry: JournalEntry) -> None:
            subject.new = place if subject.new is None or entry.mark is not Mark.SKIP else subject.new
            subject.tries += 1
            gone = entry.result is not None and entry.result.outcome == VerdictKind.FIXED
            if gone and not self.options.fixed:
                subject.backwards = True  # find what fixed the known bug
            if subject.backwards:
                subject.marks[place] = entry.mark
            else:
                self._ask(place, subject, entry)

        def open_ones() -> list[Subject]:
            return [
                one
                for one in self.subjects
                if one.new is None
                or (not one.backwards and one.tries <= _UNJUDGED and one.marks.get(one.new) is Mark.SKIP)
            ]

        places = outward(asked, 1, self.range.axis.ceiling, stop)
        self._at_end(places, open_ones, visit, failing=lambda subject: not subject.backwards)
        for subject in self.subjects:
            if subject.new is None:
                subject.problem = f"no toolchain at or near {self.probing.name(asked)}"

    def _old_end(self, new: int, hints: Sequence[int]) -> None:
        if self.range.old is not None:
            places = outward(self.range.old, -1, self.range.axis.floor, new - 1)
            self._old_ends(places, self._undecided)
            return
        near = sorted({place for place in hints if place < new}, reverse=True)[:1]
        back = steps_back(new, self.range.axis.floor)
        back = near + [place for place in back if not near or place < near[0]]
        for index, place in enumerate(back):
            until = back[index + 1] if index + 1 < len(back) else place - 1
            self._first_of(range(place, until, -1))
        for subject in self.subjects:
            if subject.backwards and not subject.asked:
                subject.problem, subject.passes = "", False  # nobody said that it fails there

    def _first_of(self, places: Iterable[int]) -> None:
        """Try the first position that exists for the subjects that have no older end yet."""
        done: list[int] = []

        def wants(subject: Subject) -> bool:
            if subject.backwards:
                return not subject.asked
            return not all(Mark.GOOD in asked.known.values() for asked in subject.asked)

        self._old_ends([places], lambda subject: not done and wants(subject), done)

    def _old_ends(
        self,
        places: Iterable[Iterable[int]],
        wants: Callable[[Subject], bool],
        done: list[int] | None = None,
    ) -> None:
        def visit(place: int, subject: Subject, entry: JournalEntry) -> None:
            subject.tries += 1
            if done is not None:
                done.append(place)
            if subject.passes and entry.mark is Mark.BAD:
                subject.backwards = True  # it passes at the newer end
            if subject.backwards:
                self._ask(place, subject, entry)
            else:
                self.probing.note(place, subject, entry)
            subject.old = place if subject.old is None or entry.mark is not Mark.SKIP else subject.old

        def open_ones() -> list[Subject]:
            return [one for one in self.subjects if self._alive(one) and wants(one)]

        self._at_end(places, open_ones, visit, failing=lambda subject: subject.backwards or subject.passes)

    def _alive(self, subject: Subject) -> bool:
        """Whether something may still be found out about it."""
        if subject.new is None:
            return False
        inside = subject.passes and self.options.spread > 0
        return not subject.problem or inside or subject.backwards

    def _undecided(self, subject: Subject) -> bool:
        """Whether its older end has not told anything yet."""
        if subject.tries > _UNJUDGED:
            return False
        if subject.old is None:
            return True
        return subject.marks.get(subject.old) is Mark.SKIP

    def _judge_new_end(self) -> None:
        """What failed at the older end is asked at the newer one, or at the next one that can tell."""
        waiting = [one for one in self.subjects if one.backwards and one.asked and one.new is not None]
        for subject in waiting:
            subject.problem, subject.new = "", None

        def visit(place: int, subject: Subject, entry: JournalEntry) -> None:
            subject.tries += 1
            self.probing.note(place, subject, entry)
            told = any(asked.known[place] is not Mark.SKIP for asked in subject.asked)
            subject.new = place if subject.new is None or told else subject.new

        def open_ones() -> list[Subject]:
            return [
                one
                for one in waiting
                if one.tries <= _UNJUDGED
                and (one.new is None or all(a.known[one.new] is Mark.SKIP for a in one.asked))
            ]

        stop = max((one.old for one in waiting if one.old is not None), default=self.range.axis.floor) + 1
        places = outward(self.range.new, 1, self.range.axis.ceiling, stop)
        self._at_end(places, open_ones, visit, failing=lambda _: False)

    def _ask(self, place: int, subject: Subject, entry: JournalEntry) -> None:
        """Derive the questions from a failing toolchain."""
        name = self.probing.name(place)
        if entry.result is not None and entry.mark is Mark.BAD:
            subject.problem, subject.passes = "", False
            found = questions(subject.variant, entry.result, self.options.match)
            if self.options.claim is not None and found:
                chosen = only(found, self.options.claim)
                if not chosen:
                    failing = ", ".join(f"{q.signature.step}: {q.signature.claim}" for q in found)
                    subject.problem = f"`{self.options.claim}` does not fail on {name}; failures: {failing}"
                found = chosen
            subject.asked = [OpenQuestion(question) for question in found]
        elif entry.mark is Mark.GOOD:
            subject.passes = True
            advice = [
                *([] if self.options.fixed else ["to find what fixed it, use --regress fixed"]),
                *([] if self.options.spread else ["to look inside the range, use --spread N"]),
            ]
            helped = f" (help: {'; '.join(advice)})" if advice else ""
            subject.problem = f"passes on {name}, the bad end{helped}"
        elif not subject.problem:
            reason = f": {entry.result.reason}" if entry.result is not None and entry.result.reason else ""
            subject.problem = f"could not be judged on {name}, the bad end{reason}"
        self.probing.note(place, subject, entry)

    def _check_ends(self) -> None:
        """Drop the questions whose ends do not differ, with the reason."""
        for subject in self.subjects:
            if subject.problem:
                continue
            if subject.backwards and not subject.asked:
                subject.problem = "no failing toolchain found (help: name one with --bad)"
            keep = [asked for asked in subject.asked if gaps(asked.known)]
            if subject.asked and not keep:
                subject.problem = self._undivided(subject)
            subject.asked = keep

    def _undivided(self, subject: Subject) -> str:
        asked = subject.asked[0]
        place = subject.new if subject.backwards else subject.old
        if place is None:
            return f"no toolchain at or near {self.probing.name(self.range.old or self.range.axis.floor)}"
        name = self.probing.name(place)
        entry = self.journal.entries.get((name, subject.variant))
        end = "the newer end" if subject.backwards else "the good end"
        if asked.known.get(place) is Mark.BAD:
            other = f"choose another {end.removeprefix('the ')}"
            inside = "" if self.options.spread else ", or look inside the range with --spread N"
            return f"fails in the same way on {name} (help: {other}{inside})"
        reason = (
            why(asked.question, entry.result) if entry is not None and entry.result is not None else "skipped"
        )
        return f"{name} cannot be {end}: {reason}"

    def _spread(self, old: int, new: int) -> None:
        """Look inside the range, also where both ends are the same."""
        for place in spread(old, new, self.options.spread):
            self._probe(place, [subject for subject in self.subjects if subject.asked])
            passing = [subject for subject in self.subjects if subject.passes and not subject.asked]
            if not passing or not self.probing.prepare(place, passing):
                continue
            for subject, entry in self.probing.entries(place, passing, failing=lambda _: True):
                subject.marks[place] = entry.mark
                if entry.mark is not Mark.BAD:
                    self.probing.write(place, subject, entry)
                    continue
                seen = [*subject.marks]
                self._ask(place, subject, entry)
                for other in seen:  # what was tried before there was a question
                    known = self.journal.entries.get((self.probing.name(other), subject.variant))
                    if known is not None:
                        self.probing.note(other, subject, known)

    def _narrow(self) -> None:
        while True:
            known = [asked.known for subject in self.subjects for asked in subject.asked]
            ends = {end for one in known for gap in gaps(one) for end in (gap.before, gap.after)}
            self.prober.retain([self.probing.name(end) for end in ends])
            place = choose(known, self._at_hand(known))
            if place is None:
                return
            self.prober.remaining(remaining(known))
            wanting = [
                subject
                for subject in self.subjects
                if any(asking(asked.known, place) for asked in subject.asked)
            ]
            self._probe(place, wanting, [self.probing.name(one) for one in upcoming(known, place)])

    def _at_hand(self, known: Sequence[dict[int, Mark]]) -> set[int]:
        """Positions inside the gaps whose toolchain is installed."""
        inside = {p for one in known for gap in gaps(one) for p in range(gap.before + 1, gap.after)}
        names = {self.probing.name(place): place for place in inside}
        return {names[name] for name in self.prober.available(names)}

    def _probe(self, place: int, subjects: Sequence[Subject], coming: Sequence[str] = ()) -> None:
        if not subjects:
            return
        if not self.probing.prepare(place, subjects):
            for subject in self.subjects:
                for asked in subject.asked:
                    asked.known.setdefault(place, Mark.SKIP)
            return
        if not all(self.probing.has(self.probing.name(place), one) for one in subjects):
            self.prober.prefetch(coming)  # while this one is tried
        for subject, entry in self.probing.entries(place, subjects):
            self.probing.note(place, subject, entry)

    def _result(self, used: Range) -> SearchResult:
        findings = tuple(
            Finding(
                asked.question,
                tuple(at),
                asked.known[at[0].before] is Mark.BAD,
                self._skipped(asked),
            )
            for subject in self.subjects
            for asked in subject.asked
            if (at := gaps(asked.known))
        )
        problems = tuple((one.variant, one.problem) for one in self.subjects if one.problem)
        return SearchResult(findings, problems, used, len(self.probing.tried))

    def _skipped(self, asked: OpenQuestion) -> tuple[tuple[int, str], ...]:
        places = sorted(place for place, answer in asked.known.items() if answer is Mark.SKIP)
        return tuple((place, self.probing.why_not(asked.question, place)) for place in places)
