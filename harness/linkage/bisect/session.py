"""A bisection session: from the cases and the range to the answer."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.bisect.answer import Answer, FailingExample, Flip, FlipGroup, flips, grouped
from linkage.bisect.axis import Range
from linkage.bisect.ci_artifacts import SERVER
from linkage.bisect.download import Downloads
from linkage.bisect.engine import Bisection
from linkage.bisect.github import open_history
from linkage.bisect.journal import Journal
from linkage.bisect.narrowing import Narrowing
from linkage.bisect.provisioning import Provisioning, ToolchainProber
from linkage.bisect.request import Request
from linkage.bisect.subject import Finding, MissingError
from linkage.case.reader import read_case
from linkage.compare.artifacts import Differ, DiffOptions
from linkage.compare.builds import ComparedVariant, ToolchainSource, compare
from linkage.compare.change_groups import ChangeGroup as Changes
from linkage.compare.change_groups import grouped as grouped_changes
from linkage.compare.noise_filters import NoiseFilters
from linkage.compare.normalization import Normalizer
from linkage.errors import LinkageError
from linkage.host.folders import bisect_folder
from linkage.plan.plan import Variant, plan
from linkage.run.selection import case_files, case_name, split, without_limits
from linkage.run.session import Session, sources
from linkage.store.results import Results
from linkage.store.size import parse_size
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

    def __init__(self, request: Request, options: SessionOptions, journal: Journal, session: Session) -> None:
        self.request = request
        self.journal = journal
        self.session = session
        self.variants = variants_of(request)
        history = open_history(request.rust_src, session.environment, say, ask=request.github)
        self.range, merges = request.range(history)
        provisioning = Provisioning(
            bisect_folder(session.environment) / "toolchains",
            session.environment,
            Downloads(stall=options.stall),
            targets_of(self.variants, request.targets),
            parse_size(options.disk_limit, "--disk-limit"),
            options.ci_server.rstrip("/"),
            options.prefetch,
            request.no_skip,
        )
        self.prober = ToolchainProber(session, self.variants, provisioning, say)
        self.narrowing = Narrowing(request, self.range.axis, merges, history, self.prober, journal, say)

    def answer(self) -> Answer:
        """Search, then compare the two sides of each flip."""
        hints = hints_of(self.variants, self.range, self.session)
        search = Bisection(
            self.range, list(self.variants), self.prober, self.journal, self.request.options, say
        )
        result = search.run(hints)
        groups = tuple(
            self._group(part, at)
            for gaps, found in grouped(result)
            for part, at in self.narrowing.narrowed(found, flips(gaps, found[0], result.range))
        )
        notes = tuple(dict.fromkeys(self.narrowing.notes))
        return Answer(result.range, groups, result.problems, result.tried, self.prober.installed, notes)

    def _group(self, found: Sequence[Finding], at: Sequence[Flip]) -> FlipGroup:
        variant = found[0].question.variant
        looked = [replace(flip, changes=self._changes(variant, flip)) for flip in at]
        first = next((flip for flip in looked if flip.becomes == "bad"), looked[0])
        return FlipGroup(tuple(found), tuple(looked), self._example(found[0], first))

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
        if self.session.skip_reason(variant) is not None:
            return FailingExample(variant.id, verdict, None, {})
        return FailingExample(variant.id, verdict, plan(variant), sources(variant))


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
