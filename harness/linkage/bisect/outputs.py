"""The differences between what two toolchains make of one trial, as `linkage compare` finds them."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from linkage.bisect.external import CargoTrial
from linkage.bisect.trial import CaseTrial, Trial
from linkage.compare.artifacts import Differ, DiffOptions
from linkage.compare.builds import BuildSource, ComparedVariant, Differences, ToolchainSource, compare
from linkage.compare.cargo import CargoSource
from linkage.compare.change_groups import ChangeGroup, grouped
from linkage.compare.comparison import NotCompared
from linkage.compare.noise_filters import NoiseFilters
from linkage.compare.normalization import Normalizer
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.run.cargo import CargoProject, cargo_of
from linkage.run.job_server import processors
from linkage.run.session import Session
from linkage.toolchain import Toolchain


def output_changes(
    name: str, trial: Trial, session: Session, before: Toolchain, after: Toolchain
) -> Differences:
    """What differs between the outputs on two toolchains; of a script, nothing is known."""
    filters = NoiseFilters.without(())
    reader = Normalizer(filters)

    def found(cell: ComparedVariant, make: Callable[[Toolchain], BuildSource]) -> Differences:
        differ = Differ(filters, DiffOptions(sizes=False, bytes=False))
        return compare([cell], (make(before), make(after)), differ, 1, lambda *_: None)

    if isinstance(trial, CaseTrial):
        cell = ComparedVariant(name, trial.case, trial.row)
        return found(cell, lambda one: ToolchainSource(session, one, reader))
    if not isinstance(trial, CargoTrial):
        return Differences()
    cargos = {one.rustc: cargo_of(one, session.environment.get("PATH")) for one in (before, after)}
    if None in cargos.values():
        return Differences(not_compared=[NotCompared(name, "has no cargo, and none is on PATH")])
    project = CargoProject(trial.run.folder, linker=session.linker, arguments=trial.words[1:])
    with tempfile.TemporaryDirectory(prefix="linkage-compare-", ignore_cleanup_errors=True) as folder:
        targets = {before.rustc: Path(folder, "base"), after.rustc: Path(folder, "head")}
        return found(
            ComparedVariant(name),
            lambda one: CargoSource(
                project,
                one,
                cargos[one.rustc] or Path("cargo"),
                targets[one.rustc],
                reader,
                session.environment,
                processors(),
            ),
        )


def groups(found: Differences) -> tuple[ChangeGroup, ...]:
    """The differences by kind, for a report."""
    return tuple(grouped((each, "") for each in found.found))


def told(found: Differences) -> list[str] | Verdict:
    """The differences in words, or the verdict if the outputs could not be compared."""
    for one in found.not_compared:
        return Verdict(VerdictKind.ERROR if one.error else VerdictKind.SKIP, one.reason)
    return [group.headline() for group in groups(found)]
