"""A bisection session: from the cases and the range to the answer."""

import contextlib
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from itertools import chain
from pathlib import Path

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
from linkage.bisect.axis import Range, outward
from linkage.bisect.ci_artifacts import SERVER
from linkage.bisect.confirmation import Confirmation
from linkage.bisect.contents import ToolchainContents
from linkage.bisect.download import Downloads
from linkage.bisect.engine import MISSING, Bisection
from linkage.bisect.history import History
from linkage.bisect.journal import Journal
from linkage.bisect.narrowing import Narrowing
from linkage.bisect.outputs import groups as changes_of
from linkage.bisect.outputs import output_changes, told
from linkage.bisect.progress import BisectProgress
from linkage.bisect.provisioning import Provisioning, ToolchainProber
from linkage.bisect.redaction import Redaction
from linkage.bisect.regress_option import CHANGED, FAILURE
from linkage.bisect.regression import Ask, ChangedTrial
from linkage.bisect.request import Request
from linkage.bisect.subject import Finding, MissingError
from linkage.bisect.surroundings import differing, surroundings
from linkage.bisect.trial import CaseTrial, Trial
from linkage.bisect.trials import judged_by, trials_of
from linkage.compare.change_groups import ChangeGroup as Changes
from linkage.errors import LinkageError
from linkage.host.folders import bisect_folder, cache_folder, store_folder
from linkage.host.size import parse_size
from linkage.host.terminal import escape_lines
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.run.job_server import JobServer, processors
from linkage.run.sandbox import find_sandbox
from linkage.run.selection import split
from linkage.run.session import Session, sources
from linkage.store.results import Results
from linkage.store.store import Store
from linkage.toolchain import Toolchain
from linkage.toolchain.release import RustcVersion
from linkage.toolchain.sources.rustup.folders import machine_host

_DATED = re.compile(r"(\S+)(?: \(\S* ?(\d{4}-\d{2}-\d{2})\))?")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What depends on this machine, not on the question."""

    disk_limit: str = "20G"
    ci_server: str = SERVER
    stall: float = 60.0
    prefetch: bool = True
    preserve: bool = False
    """Whether no toolchain is removed, whatever the limit is."""
    force: bool = False
    """Whether each toolchain is installed anew."""


def say(line: str) -> None:
    sys.stderr.write(f"{escape_lines(line)}\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Talk:
    """How a session tells what it does: lines that stay, and a line of progress with a detail."""

    say: Callable[[str], None]
    show: Callable[[str, str], None] = lambda *_: None
    output: Callable[[str], None] | None = None
    """Gets what programs of the user print."""
    ask: Ask | None = None
    """Asks the user how to judge a trial; None if there is no terminal."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The session that variants are tried in, and one with an empty store that confirms answers."""

    session: Session
    fresh: Session
    width: int = 1
    """How many variants are tried at once."""


@contextlib.contextmanager
def sessions(
    env: Mapping[str, str],
    *,
    no_store: bool,
    width: int | None,
    linker: str,
    sandbox: bool,
    others: Sequence[str] = (),
) -> Iterator[Sessions]:
    """The sessions of a bisection. `others`: the toolchains for steps with `toolchain: other`. Raises
    LinkageError for a linker, a sandbox or such a toolchain that this machine does not have.
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
        session.choose_others(others)
        yield Sessions(session, replace(session, store=Store(folder / "fresh")), width)


def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="linkage-bisect-", ignore_cleanup_errors=True)


def provisioned(
    session: Session,
    contents: ToolchainContents,
    options: SessionOptions,
    progress: BisectProgress,
    *,
    no_skip: bool = False,
) -> Provisioning:
    """How toolchains with these contents are installed."""
    return Provisioning(
        bisect_folder(session.environment) / "toolchains",
        session.environment,
        Downloads(stall=options.stall, meter=progress),
        contents,
        parse_size(options.disk_limit, "--disk-limit"),
        options.ci_server.rstrip("/"),
        options.prefetch,
        no_skip,
        options.preserve,
        options.force,
    )


def components_of(request: Request) -> tuple[str, ...]:
    """The components that are installed beside rustc and std: Cargo is one of rustup's minimal profile."""
    return tuple(dict.fromkeys([*request.components, *(["cargo"] if request.cargo is not None else [])]))


class BisectSession:
    """One session, from its range to its answer. It raises LinkageError if the request cannot be met."""

    def __init__(
        self,
        request: Request,
        options: SessionOptions,
        history: History | None,
        sessions: Sessions,
        talk: Talk,
    ) -> None:
        self.request = request
        self.history = history
        self.session = sessions.session
        self.fresh = sessions.fresh
        self._older: Toolchain | None = None
        self.say = talk.say
        self.trials = trials_of(request, talk.output)
        self.host = request.host or machine_host()
        self.range, self.merges = request.range(history)
        self.ci_server = options.ci_server.rstrip("/")
        progress = BisectProgress(talk.show)
        contents = ToolchainContents(
            targets_of(self.trials, request.targets), components_of(request), self.host, request.alt
        )
        provisioning = provisioned(self.session, contents, options, progress, no_skip=request.no_skip)
        judged = judged_by(self.trials, request, talk.ask)
        if request.regress == CHANGED:
            judged = {name: self._changed(name, one) for name, one in self.trials.items()}
        width = 1 if request.prompt else sessions.width
        self.prober = ToolchainProber(self.session, judged, provisioning, self.say, progress, width)

    def answer(self, journal: Journal) -> Answer:
        """Search, confirm what was found, and compare the two sides of each flip."""
        narrowing = Narrowing(
            self.request, self.range.axis, self.merges, self.history, self.prober, journal, self.say
        )
        confirmation = Confirmation(self.prober, journal, self.fresh, self.say)
        hints = hints_of(self.trials, self.range, self.session) if self.request.regress in FAILURE else []
        if self.request.regress == CHANGED:
            with contextlib.suppress(MissingError):
                self._older_end()  # here, since toolchains are installed one at a time
        search = Bisection(
            self.range, list(self.trials), self.prober, journal, self.request.options, self.say
        )
        result = search.run(hints)
        groups: list[FlipGroup] = []
        flaky: list[FlakyResult] = []
        problems = list(result.problems)
        for gaps, found in grouped(result):
            for part, at in narrowing.narrowed(found, flips(gaps, found[0], result.range)):
                if (told := self._one_commit(at)) is not None:
                    problems += dict.fromkeys((one.question.variant, told) for one in part)
                    continue
                steady, confirmed, unlike = confirmation.confirmed(part, at)
                flaky += unlike
                if steady:
                    groups.append(self._group(steady, confirmed))
        return Answer(
            result.range,
            tuple(groups),
            tuple(problems),
            result.tried,
            self.prober.installed,
            tuple(dict.fromkeys(narrowing.notes)),
            tuple(flaky),
            self.host,
            f"linkage {version('rustc-linkage')}",
            self.request.command,
            self._redaction(),
            self.request.regress,
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
            for one in (
                spec.partition("=")[2] or spec for spec in (*self.request.toolchains, *self.request.others)
            )
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
        trial = self.trials[variant]
        if not isinstance(trial, CaseTrial) and self.request.regress != CHANGED:
            return ()  # a build that fails has no outputs
        try:
            before, after = (self.prober.toolchain(side.name) for side in (flip.before, flip.after))
        except MissingError:
            return ()
        return changes_of(output_changes(variant, trial, self.session, before, after))

    def _changed(self, variant: str, trial: Trial) -> ChangedTrial:
        """The trial that compares a variant's outputs with those of the older end."""

        def outputs(session: Session, toolchain: Toolchain) -> Sequence[str] | Verdict:
            try:
                older = self._older_end()
            except MissingError as error:
                return Verdict(VerdictKind.SKIP, f"nothing to compare with: {error}")
            return told(output_changes(variant, trial, session, older, toolchain))

        return ChangedTrial(case_of(variant), outputs)

    def _older_end(self) -> Toolchain:
        """The older end of the range, or the next toolchain that exists. Raises MissingError."""
        axis, old, new = self.range.axis, self.range.old, self.range.new
        if self._older is None:
            why = MissingError("the range has no older end")
            places = outward(old, -1, max(axis.floor, old - MISSING), new - 1) if old is not None else ()
            for place in chain.from_iterable(places):
                try:
                    self._older = self.prober.toolchain(axis.name(place))
                    break
                except MissingError as error:
                    why = error
            else:
                raise why
        return self._older

    def _example(self, finding: Finding, flip: Flip) -> FailingExample | None:
        """The finding's variant on the failing side."""
        side = flip.after if flip.becomes == "bad" else flip.before
        name = finding.question.variant
        try:
            toolchain = self.prober.toolchain(side.name)
        except MissingError:
            return None
        verdict = self.prober.verdicts.get((side.name, name))
        if verdict is None:
            verdict = self.prober.trials[name].tried(self.session, toolchain).verdict
        case, trial = case_of(name), self.trials[name]
        if not isinstance(trial, CaseTrial):
            return FailingExample(case, f"{name} with {toolchain.name}", verdict, None, {})
        variant = trial.variant(toolchain)
        planned = self.session.planned(variant)
        if isinstance(planned, str):
            return FailingExample(case, variant.id, verdict, None, {})
        return FailingExample(case, variant.id, verdict, planned, sources(variant))


def targets_of(trials: Mapping[str, Trial], more: Sequence[str]) -> tuple[str, ...]:
    """The targets, besides the host, whose std the variants need or the user asked for."""
    rows = (one.row for one in trials.values() if isinstance(one, CaseTrial))
    named = {str(row["target"]) for row in rows if row.get("target")}
    return tuple(sorted({*named, *more} - {machine_host()}))


def hints_of(trials: Mapping[str, Trial], asked: Range, session: Session) -> list[int]:
    """Where a good end may be: the newest nightly that each variant passed on, from stored results."""
    if asked.old is not None or asked.axis.kind != "nightly":
        return []
    results = Results(session.store)
    newest: list[int] = []
    for name, trial in trials.items():
        if not isinstance(trial, CaseTrial):
            return []
        case = trial.case
        cell = split(name)[2] or ""
        days = [
            day.toordinal()
            for one in results.of_case(case.file)
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
