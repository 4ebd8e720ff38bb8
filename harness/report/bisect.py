"""`linkage bisect`: since when, for many cases at once, and for the right reason."""

import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from harness.bisect import artifacts, journal
from harness.bisect.answer import Answer, Flip, Group, Side, flips, grouped
from harness.bisect.axis import Listed, Range, nightly_of
from harness.bisect.download import Downloads
from harness.bisect.drive import Bisection, Finding, MissingError, Result
from harness.bisect.journal import Entry, Journal
from harness.bisect.lab import Bench, Tools
from harness.bisect.merges import between
from harness.bisect.request import Request
from harness.build.plan import Variant, plan
from harness.build.size import parse_size
from harness.case.read import Case, read_case
from harness.compare.artifacts import Asked, Differ
from harness.compare.both import Cell, ToolchainSource, compare
from harness.compare.groups import Group as Changes
from harness.compare.groups import grouped as grouped_changes
from harness.compare.normal import Reader
from harness.compare.rules import Rules
from harness.errors import ExitCode, LinkageError
from harness.places import cache_folder, store_folder
from harness.report.bisect_json import write_answer
from harness.report.bisect_text import answer_text
from harness.report.evidence import explain_verdict
from harness.report.locate import case_files, split
from harness.report.probe import without_limits
from harness.report.repro import session_for
from harness.report.script import repro_script
from harness.results import Results
from harness.session import Session, sources
from harness.toolchain import Toolchain
from harness.toolchain.release import RustcVersion

_DATED = re.compile(r"(\S+)(?: \(\S* ?(\d{4}-\d{2}-\d{2})\))?")


@dataclass(frozen=True, slots=True)
class Words:
    """What of a command is about this machine and this run, not about the question."""

    session: str | None = None
    json: str | None = None
    output: str | None = None
    disk_limit: str = "20G"
    ci_server: str = artifacts.SERVER
    stall: float = 60.0
    ahead: bool = True


def bisect(request: Request, words: Words) -> int:
    """Begin a session. Raises LinkageError for wrong input."""
    file = Path(words.session) if words.session else _new_file(os.environ)
    request = replace_request(request)
    _variants(request)  # what is wrong with the cases is said before a file is made
    book = journal.create(file)
    book.begin(request.line())
    return _search(request, words, book)


def resume(place: str | None, words: Words) -> int:
    """Go on with a session. Raises LinkageError where there is none."""
    book = journal.load(Path(place) if place else _last_file(os.environ))
    return _search(Request.read(book.start, str(book.file)), words, book)


def replay(place: str, words: Words) -> int:
    """Begin a session with the answers of a log. Raises LinkageError with the line that is wrong."""
    given = journal.load(Path(place), going_on=False)
    request = Request.read(given.start, place)
    book = journal.create(Path(words.session) if words.session else _new_file(os.environ))
    book.begin(request.line())
    for (toolchain, variant), entry in given.entries.items():
        book.note(toolchain, variant, entry, f"from {place}")
    for toolchain, reason in given.missing.items():
        book.note_missing(toolchain, reason)
    return _search(request, words, book)


def log(place: str | None) -> int:
    """Print a session's file."""
    file = Path(place) if place else _last_file(os.environ)
    journal.load(file, going_on=False)
    sys.stdout.write(file.read_text(encoding="utf-8"))
    return ExitCode.OK


def failed_cases(env: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
    """The variants that failed in the last run here, and the compiler that they failed on.

    Raises LinkageError where none did.
    """
    results = Results.open(store_folder(None, env))
    here = Path.cwd()
    for root in (here, *here.parents):
        nodes = results.last_failed(root)
        if nodes:
            break
    else:
        raise LinkageError("nothing failed in the last run here", where="--failed", mend="linkage run")
    found: dict[str, None] = {}
    named: dict[str, None] = {}
    for node in nodes:
        case, toolchain, cell = split(node)
        place = os.path.relpath(root / case)
        found[f"{place}[{cell}]" if cell else place] = None
        named[toolchain or ""] = None
    return tuple(found), _end_of(list(named), env)


def _end_of(names: Sequence[str], env: Mapping[str, str]) -> str | None:
    """The newest of the compilers that something failed on, as the bad end of a range."""
    with session_for(env) as session:
        versions = [one.version for name in names if name for one in session.toolchains([name])]
    newest = max(versions, default=None)
    if newest is None:
        return None
    return nightly_of(newest) or ".".join(map(str, newest.release))


def replace_request(request: Request) -> Request:
    """The request with what is only known here and now."""
    from msgspec.structs import replace as changed  # noqa: PLC0415 - dataclasses' own has the name

    today = request.today or datetime.now(UTC).date().isoformat()
    return changed(request, folder=request.folder or str(Path.cwd()), today=today)


def _new_file(env: Mapping[str, str]) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return _folder(env) / "sessions" / f"{stamp}-{os.getpid()}.log"


def _last_file(env: Mapping[str, str]) -> Path:
    """The session that was begun last in this folder."""
    files = sorted((_folder(env) / "sessions").glob("*.log"), key=lambda file: file.name, reverse=True)
    for file in files:
        if f'"folder": "{Path.cwd()}"' in file.read_text(encoding="utf-8", errors="replace"):
            return file
    raise LinkageError(
        "no session was begun in this folder", where="bisect", mend="name its file, or begin one with --bad"
    )


def _folder(env: Mapping[str, str]) -> Path:
    return cache_folder(env) / "bisect"


Make = Callable[[Toolchain], Variant]


def _variants(request: Request) -> dict[str, Make]:
    """The variants by their name, each waiting for a compiler. Raises LinkageError for wrong cases."""
    found: dict[str, Make] = {}
    folder = Path(request.folder)
    for text in request.cases:
        place, _, cell = split(text)
        for file in case_files([os.path.relpath(folder / place)]):
            name = os.path.relpath(file, folder)
            case = read_case(file, name)
            if request.ignore_limits:
                case = without_limits(case)
            if cell is not None and cell not in case.ids:
                raise LinkageError(
                    f"there is no variant [{cell}]", where=name, mend="`linkage list` shows the variants"
                )
            for row, one in zip(case.rows, case.ids, strict=True):
                if cell in (None, one):
                    found[f"{name}[{one}]" if one else name] = partial(Variant, case, row)
    if not found:
        raise LinkageError("no case is named", where="bisect", mend="name one, or --failed")
    return found


def _search(request: Request, words: Words, book: Journal) -> int:
    try:
        with session_for(os.environ) as session:
            work = _Work(request, words, book, session)
            answer = work.answer()
    except KeyboardInterrupt:
        _say(f"interrupted; to go on: linkage bisect --resume {book.file}")
        return ExitCode.INTERRUPTED
    if words.json:
        write_answer(words.json, answer)
    text = answer_text(answer)
    if words.output:
        try:
            Path(words.output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise LinkageError(f"cannot be written: {error.strerror}", where=words.output) from None
    else:
        sys.stdout.write(text)
    return ExitCode.OK if answer.groups else ExitCode.FAILED


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class _Work:
    """One session, from its range to its answer."""

    def __init__(self, request: Request, words: Words, book: Journal, session: Session) -> None:
        self.request = request
        self.book = book
        self.session = session
        self.variants = _variants(request)
        self.range, self.merges = request.range()
        tools = Tools(
            _folder(session.environment) / "toolchains",
            session.environment,
            Downloads(stall=words.stall),
            request.targets,
            parse_size(words.disk_limit, "--disk-limit"),
            words.ci_server.rstrip("/"),
            words.ahead,
            request.lack_fails,
        )
        self.lab = Bench(session, self.variants, tools, _say)

    def answer(self) -> Answer:
        """Search, then look at what is beside each flip."""
        hints = _hints(self.variants, self.range, self.session)
        result = self._bisect(self.range, list(self.variants), hints)
        groups = tuple(
            self._group(found, list(flips(gaps, found[0], result.range))) for gaps, found in grouped(result)
        )
        return Answer(result.range, groups, result.problems, result.tried, self.lab.installed)

    def _bisect(self, asked: Range, variants: Sequence[str], hints: Sequence[int] = ()) -> Result:
        return Bisection(asked, variants, self.lab, self.book, self.request.options, _say).run(hints)

    def _group(self, found: Sequence[Finding], at: Sequence[Flip]) -> Group:
        looked = [self._flip(flip, found) for flip in at]
        first = next((flip for flip in looked if flip.becomes == "bad"), looked[0])
        evidence, script = self._evidence(found[0], first)
        return Group(tuple(found), tuple(looked), evidence, script)

    def _flip(self, flip: Flip, found: Sequence[Finding]) -> Flip:
        flip = replace(flip, before=self._side(flip.before.name), after=self._side(flip.after.name))
        if self.merges:
            flip = self._with_merges(flip)
        elif self.request.rust_src and flip.before.commit and flip.after.commit:
            flip = self._by_merge(flip, found)
        return replace(flip, changes=self._changes(found[0].question.variant, flip))

    def _side(self, name: str) -> Side:
        try:
            version = self.lab.toolchain(name).version
        except MissingError:
            return Side(name)
        return Side(name, str(version), version.commit_hash)

    def _with_merges(self, flip: Flip) -> Flip:
        chosen = {flip.after.name, *flip.candidates}
        merges = tuple(one for one in self.merges if one.commit in chosen)
        return replace(flip, merges=merges, by_merge=True)

    def _by_merge(self, flip: Flip, found: Sequence[Finding]) -> Flip:
        """Search among the merges between the two nightlies of a flip."""
        old, new = flip.before.commit or "", flip.after.commit or ""
        try:
            merges = between(Path(self.request.rust_src or ""), old, new)
        except LinkageError as error:
            _say(f"the merges between {flip.before.name} and {flip.after.name} cannot be searched: {error}")
            return flip
        commits = tuple(dict.fromkeys((old, *(one.commit for one in merges), new)))
        _say(f"{len(merges)} merges between {flip.before.name} and {flip.after.name}")
        variants = list(dict.fromkeys(one.question.variant for one in found))
        for variant in variants:
            # The two nightlies are those commits' own compilers: what they showed holds for them.
            for side, commit in ((flip.before, old), (flip.after, new)):
                entry = self.book.entries.get((side.name, variant))
                if entry is not None:
                    self.book.entries.setdefault((commit, variant), Entry(entry.answer, entry.seen))
        asked = Range(Listed(commits, "merge"), 0, len(commits) - 1)
        result = self._bisect(asked, variants)
        same = [one for one in result.findings if any(_same(one, other) for other in found)]
        gap = next((one.flips[0] for one in same if len(one.flips) == 1), None)
        if gap is None:
            return replace(flip, merges=tuple(merges))
        (narrow,) = flips([gap], same[0], result.range)
        chosen = {commits[place] for place in gap.candidates}
        before, after = (Side(one.name, "", one.name) for one in (narrow.before, narrow.after))
        return replace(
            narrow,
            before=replace(before, version=f"after {flip.before.name}"),
            after=replace(after, version=f"in {flip.after.name}"),
            becomes=flip.becomes,
            merges=tuple(one for one in merges if one.commit in chosen),
            by_merge=True,
        )

    def _changes(self, variant: str, flip: Flip) -> tuple[Changes, ...]:
        """What differs in what a variant makes on the two sides, as `linkage compare` has it."""
        rules = Rules.without(())
        reader = Reader(rules)
        try:
            pair = [self.lab.toolchain(side.name) for side in (flip.before, flip.after)]
        except MissingError:
            return ()
        before, after = (ToolchainSource(self.session, one, reader) for one in pair)
        one = self.variants[variant](pair[0])
        differ = Differ(rules, Asked(sizes=False, bytes=False))
        found = compare([Cell(variant, one.case, one.row)], (before, after), differ, 1, lambda *_: None)
        return tuple(grouped_changes((each, "") for each in found.found))

    def _evidence(self, finding: Finding, flip: Flip) -> tuple[str, str]:
        """What fails on the failing side, and the script that shows it."""
        side = flip.after if flip.becomes == "bad" else flip.before
        try:
            variant = self.variants[finding.question.variant](self.lab.toolchain(side.name))
        except MissingError:
            return "", ""
        verdict = self.session.verdict(variant)
        if self.session.skip_reason(variant) is not None:
            return explain_verdict(verdict, variant.id), ""
        return explain_verdict(verdict, variant.id), repro_script(plan(variant), sources(variant), verdict)


def _same(one: Finding, other: Finding) -> bool:
    return one.question.variant == other.question.variant and one.question.signature.same(
        other.question.signature
    )


def _hints(variants: Mapping[str, Make], asked: Range, session: Session) -> list[int]:
    """Where a good end may be, by the results kept: the newest nightly that each variant passed on."""
    if asked.old is not None or asked.axis.kind != "nightly":
        return []
    results = Results(session.store)
    newest: list[int] = []
    for name, make in variants.items():
        case: Case = make.args[0] if isinstance(make, partial) else None  # type: ignore[assignment]
        cell = split(name)[2] or ""
        days = [
            day.toordinal()
            for one in results.of_case(case.folder / Path(case.name).name)
            if one.cell == cell and one.outcome in ("pass", "known") and (day := _day(one.compiler.version))
        ]
        newest += [max((day for day in days if day < asked.new), default=0)]
    return [min(newest)] if newest and min(newest) > 0 else []


def _day(version: str) -> date | None:
    """The nightly's date of a compiler by its version's text."""
    found = _DATED.match(version)
    if found is None or not found[2]:
        return None
    try:
        parsed = replace(RustcVersion.parse(found[1]), commit_date=date.fromisoformat(found[2]))
    except ValueError:
        return None
    return parsed.nightly_date
