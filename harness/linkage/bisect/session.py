"""A bisection session: from the cases and the range to the answer."""

import contextlib
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.bisect.answer import (
    Answer,
    FailingExample,
    FlakyResult,
    Flip,
    FlipGroup,
    case_of,
    flips,
    grouped,
)
from linkage.bisect.axis import Range
from linkage.bisect.ci_artifacts import SERVER
from linkage.bisect.confirmation import Confirmation
from linkage.bisect.download import Downloads
from linkage.bisect.engine import Bisection
from linkage.bisect.github import open_history
from linkage.bisect.journal import Journal
from linkage.bisect.narrowing import Narrowing
from linkage.bisect.progress import BisectProgress
from linkage.bisect.provisioning import Provisioning, ToolchainProber
from linkage.bisect.redaction import Redaction
from linkage.bisect.request import Request
from linkage.bisect.subject import Finding, MissingError
from linkage.bisect.surroundings import differing, surroundings
from linkage.case.reader import read_case
from linkage.compare.artifacts import Differ, DiffOptions
from linkage.compare.builds import ComparedVariant, ToolchainSource, compare
from linkage.compare.change_groups import ChangeGroup as Changes
from linkage.compare.change_groups import grouped as grouped_changes
from linkage.compare.noise_filters import NoiseFilters
from linkage.compare.normalization import Normalizer
from linkage.errors import LinkageError
from linkage.host.folders import bisect_folder, cache_folder, store_folder
from linkage.host.size import parse_size
from linkage.plan.plan import Variant
from linkage.run.job_server import JobServer, processors
from linkage.run.sandbox import find_sandbox
from linkage.run.selection import case_files, case_name, split, without_limits
from linkage.run.session import Session, sources
from linkage.store.results import Results
from linkage.store.store import Store
from linkage.toolchain import Toolchain
from linkage.toolchain.release import RustcVersion
from linkage.toolchain.sources.rustup.folders import machine_host

if TYPE_CHECKING:
    from linkage.case.case import Case

_DATED = re.compile(r"(\S+)(?: \(\S* ?(\d{4}-\d{2}-\d{2})\))?")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What depends on this machine, not on the question."""

    disk_limit: str = "20G"
    ci_server: str = SERVER
    stall: float = 60.0
    prefetch: bool = True


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Talk:
    """How a session tells what it does: lines that stay, and a line of progress with a detail."""

    say: Callable[[str], None]
    show: Callable[[str, str], None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class Sessions:
    """The session that variants are tried in, and one with an empty store that confirms answers."""

    session: Session
    fresh: Session
    width: int = 1
    """How many variants are tried at once."""


@contextlib.contextmanager
def sessions(
    env: Mapping[str, str], *, no_store: bool, width: int | None, linker: str, sandbox: bool
) -> Iterator[Sessions]:
    """The sessions of a bisection. Raises LinkageError for a linker or a sandbox that this machine does not
    have.
    """
    width = width or processors()
    program = find_sandbox(env) if sandbox else ""
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(_temporary()))
        store = Store(folder / "store") if no_store else Store(store_folder(None, env))
        jobs = JobServer.make(folder, width)
        if jobs is not None:
            held.callback(jobs.close)
        session = Session(store, cache_folder(env), dict(env), jobs=jobs, linker=linker, sandbox=program)
        if linker and not session.machine.has_linker(linker):
            known = ", ".join(sorted(session.machine.linkers)) or "none"
            raise LinkageError(
                f"this machine has no linker {linker}", where="--linker", help=f"it has {known}"
            )
        yield Sessions(session, replace(session, store=Store(folder / "fresh")), width)


def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="linkage-bisect-", ignore_cleanup_errors=True)


Make = Callable[[Toolchain], Variant]


def variants_of(request: Request) -> dict[str, Make]:
    """The variants by name, each to be completed by a toolchain. Raises LinkageError for wrong cases."""
    found: dict[str, Make] = {}
    folder = Path(request.folder)
    for text in request.cases:
        place, _, cell = split(text)
        for file in case_files([place], folder):
            name = case_name(file.absolute(), folder)
            case = read_case(file, name)
            if request.ignore_limits:
                case = without_limits(case)
            if cell is not None and cell not in case.ids:
                raise LinkageError(f"no variant [{cell}]", where=name, help=f"run `linkage list {name}`")
            for row, one in zip(case.rows, case.ids, strict=True):
                if cell in (None, one):
                    found[f"{name}[{one}]" if one else name] = partial(Variant, case, row)
    if not found:
        raise LinkageError("no case given", where="bisect", help="name a case, or use --failed")
    return found


class BisectSession:
    """One session, from its range to its answer."""

    def __init__(
        self,
        request: Request,
        options: SessionOptions,
        journal: Journal,
        sessions: Sessions,
        talk: Talk,
    ) -> None:
        self.request = request
        self.journal = journal
        self.session = sessions.session
        self.say = talk.say
        self.variants = variants_of(request)
        history = open_history(request.rust_src, self.session.environment, talk.say, ask=request.github)
        self.range, merges = request.range(history)
        self.ci_server = options.ci_server.rstrip("/")
        progress = BisectProgress(talk.show)
        provisioning = Provisioning(
            bisect_folder(self.session.environment) / "toolchains",
            self.session.environment,
            Downloads(stall=options.stall, meter=progress),
            targets_of(self.variants, request.targets),
            parse_size(options.disk_limit, "--disk-limit"),
            self.ci_server,
            options.prefetch,
            request.no_skip,
        )
        self.prober = ToolchainProber(
            self.session, self.variants, provisioning, self.say, progress, sessions.width
        )
        self.narrowing = Narrowing(request, self.range.axis, merges, history, self.prober, journal, self.say)
        self.confirmation = Confirmation(self.prober, journal, sessions.fresh, self.say)

    def answer(self) -> Answer:
        """Search, confirm what was found, and compare the two sides of each flip."""
        hints = hints_of(self.variants, self.range, self.session)
        search = Bisection(
            self.range, list(self.variants), self.prober, self.journal, self.request.options, self.say
        )
        result = search.run(hints)
        groups: list[FlipGroup] = []
        flaky: list[FlakyResult] = []
        problems = list(result.problems)
        for gaps, found in grouped(result):
            for part, at in self.narrowing.narrowed(found, flips(gaps, found[0], result.range)):
                if (told := self._one_commit(at)) is not None:
                    problems += dict.fromkeys((one.question.variant, told) for one in part)
                    continue
                steady, confirmed, unlike = self.confirmation.confirmed(part, at)
                flaky += unlike
                if steady:
                    groups.append(self._group(steady, confirmed))
        return Answer(
            result.range,
            tuple(groups),
            tuple(problems),
            result.tried,
            self.prober.installed,
            tuple(dict.fromkeys(self.narrowing.notes)),
            tuple(flaky),
            machine_host(),
            f"linkage {version('rustc-linkage')}",
            self.request.command,
            self._redaction(),
        )

    def _one_commit(self, at: Sequence[Flip]) -> str | None:
        """Why this cannot be an answer, if both sides of a flip are built from one commit."""
        flip = next((one for one in at if one.same_commit), None)
        if flip is None:
            return None
        before, after = flip.before, flip.after
        try:
            pair = [surroundings(self.session, self.prober.toolchain(side.name)) for side in (before, after)]
            differ = "; ".join(differing(pair[0], pair[1])) or "nothing that is known"
        except MissingError:
            differ = "nothing that is known"
        return (
            f"{before.name} and {after.name} behave differently, but both are built from the commit "
            f"{before.commit}: no change of rustc is the cause; what differs beside it: {differ}"
        )

    def _redaction(self) -> Redaction:
        """What of this machine an answer does not show."""
        env = self.session.environment
        folders = {
            one.rpartition("/")[0].rpartition("/")[0]: "…"
            for one in (spec.partition("=")[2] or spec for spec in self.request.toolchains)
            if one.startswith("/") and one.count("/") > 2  # noqa: PLR2004 - two parts are kept
        }
        folders |= {str(bisect_folder(env)): "$LINKAGE_CACHE/bisect", self.request.folder: "."}
        folders |= {env["HOME"]: "~"} if len(env.get("HOME", "")) > 1 else {}
        if self.ci_server != SERVER:
            folders[self.ci_server] = "$LINKAGE_CI_SERVER"
        if mirror := env.get("RUSTUP_DIST_SERVER"):
            folders[mirror.rstrip("/")] = "$RUSTUP_DIST_SERVER"
        name = platform.node()
        # A name that may be a word of the text is left: it tells nothing.
        words = {name: "HOST"} if re.search(r"[\d.-]", name) else {}
        return Redaction({one: instead for one, instead in folders.items() if one}, words)

    def _group(self, found: Sequence[Finding], at: Sequence[Flip]) -> FlipGroup:
        variant = found[0].question.variant
        looked = [replace(flip, changes=self._changes(variant, flip)) for flip in at]
        first = next((flip for flip in looked if flip.becomes == "bad"), looked[0])
        by_case: dict[str, Finding] = {}
        for one in found:
            by_case.setdefault(case_of(one.question.variant), one)
        examples = (self._example(one, first) for one in by_case.values())
        return FlipGroup(tuple(found), tuple(looked), tuple(one for one in examples if one is not None))

    def _changes(self, variant: str, flip: Flip) -> tuple[Changes, ...]:
        """The differences between a variant's outputs on the two sides, as `linkage compare` finds them."""
        rules = NoiseFilters.without(())
        reader = Normalizer(rules)
        try:
            pair = [self.prober.toolchain(side.name) for side in (flip.before, flip.after)]
        except MissingError:
            return ()
        before, after = (ToolchainSource(self.session, one, reader) for one in pair)
        one = self.variants[variant](pair[0])
        differ = Differ(rules, DiffOptions(sizes=False, bytes=False))
        found = compare(
            [ComparedVariant(variant, one.case, one.row)], (before, after), differ, 1, lambda *_: None
        )
        return tuple(grouped_changes((each, "") for each in found.found))

    def _example(self, finding: Finding, flip: Flip) -> FailingExample | None:
        """The finding's variant on the failing side."""
        side = flip.after if flip.becomes == "bad" else flip.before
        try:
            variant = self.variants[finding.question.variant](self.prober.toolchain(side.name))
        except MissingError:
            return None
        verdict = self.session.verdict(variant)
        case = case_of(finding.question.variant)
        planned = self.session.planned(variant)
        if isinstance(planned, str):
            return FailingExample(case, variant.id, verdict, None, {})
        return FailingExample(case, variant.id, verdict, planned, sources(variant))


def targets_of(variants: Mapping[str, Make], more: Sequence[str]) -> tuple[str, ...]:
    """The targets, besides the host, whose std the variants need or the user asked for."""
    rows = (make.args[1] for make in variants.values() if isinstance(make, partial))
    named = {str(row["target"]) for row in rows if row.get("target")}
    return tuple(sorted({*named, *more} - {machine_host()}))


def hints_of(variants: Mapping[str, Make], asked: Range, session: Session) -> list[int]:
    """Where a good end may be: the newest nightly that each variant passed on, from stored results."""
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
    """The date of a nightly, from its version's text."""
    found = _DATED.match(version)
    if found is None or not found[2]:
        return None
    try:
        parsed = replace(RustcVersion.parse(found[1]), commit_date=date.fromisoformat(found[2]))
    except ValueError:
        return None
    return parsed.nightly_date
