"""A session: the toolchains, the machine and the store of a run, which plans, runs and judges variants.

pytest's items, `linkage repro` and bisections use it. Everything that it calls for this is pure, except
`observe`.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from linkage.case.case import Case
from linkage.case.check.requirements import impossible
from linkage.case.claims import ArtifactReference
from linkage.case.condition import same_cell
from linkage.case.mini_core import mini_core_sources
from linkage.case.recipe_file import recipes_for
from linkage.case.resolution import TrackedRow, resolve
from linkage.case.source_files import concrete, source_files
from linkage.case.variables import UnknownVariableError, substitute, text
from linkage.errors import AbsentCrateTypeError, CaseError, CaseErrors, LinkageError, ToolchainError
from linkage.host.folders import cache_folder, store_folder
from linkage.judge.comparison import OtherArtifact
from linkage.judge.judge import judge, other_variant
from linkage.judge.verdict import Failure, Verdict, VerdictKind
from linkage.plan.foreign_needs import foreign_needs
from linkage.plan.held_linker import with_linker
from linkage.plan.observation import Observation
from linkage.plan.other_toolchain import divided_cell, other_toolchain
from linkage.plan.plan import Plan, PlannedStep, Read, Variant, plan
from linkage.plan.requirements import absent_targets, in_range, missing_after_plan, missing_before_plan
from linkage.plan.state import matching
from linkage.run.chain import Task, observe
from linkage.run.job_server import JobServer
from linkage.run.machine_key import Programs, machine_key
from linkage.run.sandbox import find_sandbox
from linkage.store.recheck import Recheck
from linkage.store.store import Store
from linkage.toolchain import Machine, Toolchain, discover, examine, probe, resolve_all
from linkage.toolchain.foreign import ForeignMachine
from linkage.toolchain.model import Target
from linkage.toolchain.probe import probe_target
from linkage.toolchain.recipes import ForeignTools, Recipe
from linkage.toolchain.vocabulary import vocabulary


@dataclass
class Session:
    """What a run shares between its variants."""

    store: Store
    cache: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    bootstrap: bool = True
    """Whether a stable compiler may be run with RUSTC_BOOTSTRAP=1."""
    progress: Callable[[str], None] | None = None
    recheck: Recheck | None = None
    """Which cached steps are run again and compared."""
    probed: list[Toolchain] = field(default_factory=list)
    """The toolchains of the run: a word that one of them knows is not misspelt in a case."""
    others: list[Toolchain] = field(default_factory=list)
    """The toolchains for steps with `toolchain: other`."""
    bare: dict[tuple[str, str], Target] = field(default_factory=dict)
    """Targets without a library that were asked about, by the toolchain's fingerprint and the triple."""
    jobs: JobServer | None = None
    """The job server of the run, if it has one."""
    sandbox: str = ""
    """bwrap, if steps run in a sandbox."""
    programs: Programs = field(default_factory=Programs)
    """The programs that steps start by their name."""
    linker: str = ""
    """What every compiler links with, unless the case chooses it; empty: what it links with by default."""

    @cached_property
    def machine(self) -> Machine:
        """The machine's C compiler and linkers."""
        return examine(self.cache, self.environment)

    @cached_property
    def foreign(self) -> ForeignMachine:
        """What the machine has for other targets. Raises LinkageError for a user's file that is wrong."""
        return ForeignMachine(recipes_for(Path.cwd()), self.cache, self.environment, bool(self.sandbox))

    @cached_property
    def machine_key(self) -> str:
        """What of the machine an outcome depends on and no step names."""
        key = machine_key(self.machine, self.environment)
        # A process can see whether it is in a sandbox, so what it does may differ.
        return f"{key} sandbox" if self.sandbox else key

    def toolchains(self, specs: Sequence[str]) -> list[Toolchain]:
        """The toolchains that these specs mean, probed; without specs, those that are found.

        Raises ToolchainError, also if there is none.
        """
        specs = specs or discover(self.environment)
        if not specs:
            raise ToolchainError(
                "no toolchain found: no $RUSTC, no rustup, no rustc on PATH",
                help="name one with --toolchain, or run `linkage toolchains install stable`",
            )
        found = [
            probe(located, self.cache, self.environment) for located in resolve_all(specs, self.environment)
        ]
        self.probed += found
        return found

    def choose_others(self, specs: Sequence[str], run: Sequence[Toolchain] = ()) -> list[Toolchain]:
        """Note the toolchains for steps with `toolchain: other`: those of these specs, else those of the run.

        Raises ToolchainError.
        """
        self.others = self.toolchains(specs) if specs else list(run)
        return self.others

    def has_program(self, name: str, folders: Sequence[Path]) -> bool:
        """Whether a program of this name is in one of these folders or on PATH."""
        paths = [*map(str, folders), self.environment.get("PATH")]
        return any(shutil.which(name, path=path) for path in paths)

    def skip_reason(self, variant: Variant) -> str | None:
        """Why a variant cannot be run here: the capability that is missing."""
        planned = self.planned(variant)
        return planned if isinstance(planned, str) else None

    def planned(self, variant: Variant) -> Plan | str:
        """The plan of a variant, or why it cannot be run here."""
        known = vocabulary({one.fingerprint: one for one in (*self.probed, variant.toolchain)}.values())
        mistakes = list(impossible(variant.case, known))
        if mistakes:
            raise CaseErrors(mistakes)
        chosen = other_toolchain(variant, self.others)
        if isinstance(chosen, str):
            return chosen
        variant = self._with_bare_targets(replace(variant, other=chosen))
        reason = missing_before_plan(variant, self.machine, self.has_program)
        if reason is not None:
            return reason
        tools = self._tools(variant, variant.toolchain)
        if isinstance(tools, str):
            return tools
        variant = replace(variant, tools=tools)
        if variant.other is not None:
            tools = self._tools(variant, variant.other)
            if isinstance(tools, str):
                return tools
            variant = replace(variant, other_tools=tools)
        try:
            planned = plan(variant)
        except AbsentCrateTypeError as error:
            return error.what
        if self.linker:
            planned = with_linker(planned, self.linker)
        return missing_after_plan(planned, known, bootstrap=self.bootstrap) or planned

    def _with_bare_targets(self, variant: Variant) -> Variant:
        """The variant, with toolchains that were also asked about targets for which they have no library."""
        if variant.target is not None:  # conditions are about its platform
            variant = replace(variant, toolchain=self._with_target(variant.toolchain, variant.target))
        variant = replace(variant, toolchain=self._with_absent(variant, variant.toolchain))
        if variant.other is not None:
            variant = replace(variant, other=self._with_absent(variant, variant.other))
        return variant

    def _with_absent(self, variant: Variant, toolchain: Toolchain) -> Toolchain:
        found = toolchain
        for triple, bare in absent_targets(variant, toolchain).items():
            if bare:
                found = self._with_target(found, triple)
        return found

    def _with_target(self, toolchain: Toolchain, triple: str) -> Toolchain:
        if toolchain.target(triple) is not None:
            return toolchain
        key = toolchain.fingerprint, triple
        if key not in self.bare:
            self.bare[key] = probe_target(toolchain, triple, self.environment)
        can = toolchain.capabilities
        return replace(toolchain, capabilities=replace(can, targets=(*can.targets, self.bare[key])))

    def _tools(self, variant: Variant, toolchain: Toolchain) -> ForeignTools | str:
        """What the steps of a toolchain need for other targets than the host; a reason if something is
        missing.
        """
        found: dict[tuple[str, str], Recipe] = {}
        recipes = self.foreign.recipes
        steps = resolve(variant.case, TrackedRow(variant.cell, set()))
        by_other = toolchain is variant.other
        for need, triple in dict.fromkeys(foreign_needs(steps, toolchain, by_other=by_other)):
            recipe = self.foreign.find(need, triple, toolchain)
            if isinstance(recipe, str):
                return recipe
            found[triple, need] = recipe
        return ForeignTools(found, recipes.loader_variables)

    def verdict(self, variant: Variant) -> Verdict:
        """Run the steps of a variant that the store does not have, and judge it."""
        return self.judged(variant)[0]

    def judged(self, variant: Variant) -> tuple[Verdict, bool]:
        """The verdict on a variant, and whether rustc crashed in one of its steps."""
        try:
            planned = self.planned(variant)
            if isinstance(planned, str):
                chosen = other_toolchain(variant, self.others)
                about = variant if isinstance(chosen, str) else replace(variant, other=chosen)
                return Verdict(VerdictKind.SKIP, planned, outside_range=not in_range(about)), False
            given = sources(variant)
            observation = self._observe(planned, given)
            files = {name: content.decode("utf-8", "replace") for name, content in given.items()}
            verdict = judge(
                planned, observation, files, lambda *asked: self._sibling(variant, observation.folder, *asked)
            )
        except LinkageError as error:
            errors = error.errors if isinstance(error, CaseErrors) else [error]
            failures = tuple(_unjudged(one, variant) for one in errors)
            return Verdict(VerdictKind.ERROR, failures=failures), False
        outcomes = [one for step in observation.steps for one in (step.outcome, *step.outcome.parts)]
        return verdict, any(one.ice for one in outcomes)

    def compared(self, variant: Variant) -> tuple[Plan, Observation] | str:
        """Run a variant and read from every file that it makes what a comparison looks at. Returns a
        reason if it cannot be run here. Raises LinkageError.
        """
        planned = self.planned(variant)
        if isinstance(planned, str):
            return planned
        every = Read("*", for_comparison=True, produced_only=True)
        # What a file operation writes, such as a damaged library, is not the compiler's output.
        steps = tuple(
            replace(step, reads=(*step.reads, every)) if step.command or step.parallel else step
            for step in planned.steps
        )
        planned = replace(planned, steps=steps)
        return planned, self._observe(planned, sources(variant))

    def _observe(self, planned: Plan, given: Mapping[str, bytes], folder: Path | None = None) -> Observation:
        task = Task(
            planned,
            self.store,
            given,
            self.machine_key,
            environment=self.environment,
            progress=self.progress,
            recheck=self.recheck,
            jobs=self.jobs,
            sandbox=self.sandbox,
            programs=self.programs,
        )
        return observe(task, folder)

    def _sibling(
        self, variant: Variant, folder: str, step: PlannedStep, reference: ArtifactReference, subject: str
    ) -> OtherArtifact | str:
        """An artifact of another variant after the same step, built in the same folder."""
        cell = {**variant.row, **reference.variant}
        row = next((one for one in variant.case.rows if same_cell(one, cell)), None)
        if row is None:
            return "the matrix has no such variant"
        other = replace(variant, row=row)
        planned = self.planned(other)
        if isinstance(planned, str):
            return f"that variant cannot be run: {planned}"
        place = next((i for i, one in enumerate(planned.steps) if one.path == step.path), None)
        if place is None:
            return f"that variant has no step {step.id}"
        path = planned.steps[place].roles.get(subject, subject)
        reads = (*planned.steps[place].reads, Read(path))
        steps = (*planned.steps[:place], replace(planned.steps[place], reads=reads))
        planned = replace(planned, steps=steps, end=())
        observation = self._observe(planned, sources(other), Path(folder).parent)
        if len(observation.steps) <= place:
            return f"that variant ended before its step {step.id}"
        facts = observation.steps[place].outcome.facts
        found = next(iter(matching(facts, path)), None)
        if found is None:
            return f"that variant has no {path}"
        return OtherArtifact(facts[found], found, other_variant(planned, observation, reference))


def _unjudged(error: LinkageError, variant: Variant) -> Failure:
    where = str(error.where or variant.case.name)
    help = f" (help: {error.help})" if error.help else ""
    return Failure("", "", where, "can be judged", error.what + help, error=True)


def session_for(env: Mapping[str, str], *, sandbox: bool = False) -> Session:
    """A session on the user's store. Raises LinkageError if there should be a sandbox and cannot be one."""
    store = Store(store_folder(None, env))
    program = find_sandbox(env) if sandbox else ""
    return Session(store, cache_folder(env), environment=dict(env), sandbox=program)


def chosen_toolchains(session: Session, specs: Sequence[str], named: str | None) -> list[Toolchain]:
    """The toolchains asked for, or the one that a node id names. Raises ToolchainError."""
    found = session.toolchains(specs or ([named] if named else []))
    return [one for one in found if named in (None, one.name)] or found


def choose_others(session: Session, case: Case, specs: Sequence[str], cell: str | None) -> list[Toolchain]:
    """The toolchains for the steps with `toolchain: other` of a case, for a command that is about one case:
    those asked for, or the one that a cell names, or all that a run would have. Raises ToolchainError.
    """
    known = list(session.probed)
    named = divided_cell(cell or "")[1]
    if specs or not (named or case.pairs_toolchains):
        return session.choose_others(specs, known)
    if named is not None:
        return session.choose_others([] if named in {one.name for one in known} else [named], known)
    return session.choose_others([], known if len(known) > 1 else session.toolchains(()))


def sources(variant: Variant) -> dict[str, bytes]:
    """The case's sources as this variant sees them. Raises CaseError for one that cannot be read."""
    case = variant.case
    found: dict[str, bytes] = {}
    if case.model.mini_core is not None and case.model.mini_core.used_in(variant.cell):
        found |= {name: content.encode() for name, content in mini_core_sources().items()}
    for name, content in case.model.sources.items():
        found[name] = concrete(content, variant.row).encode()
    for name, path in source_files(case.model):
        try:
            named = text(substitute(f"{name}\0", variant.row, frozenset())).removesuffix("\0")
        except UnknownVariableError:
            continue  # belongs to a step that this cell does not have; the case has been checked
        if named not in found:
            found.update(_beside(case, named, path))
    return found


def _beside(case: Case, name: str, path: tuple[str | int, ...]) -> Iterator[tuple[str, bytes]]:
    place = case.folder / name
    root = case.folder.resolve()
    inside = [place] if place.is_file() else sorted(place.rglob("*")) if place.is_dir() else []
    for file in inside:
        if not file.resolve().is_relative_to(root):
            raise CaseError(
                f"`{name}` is outside the case's folder",
                where=case.position(path),
                help="keep it beside the case",
            )
        if file.is_file():
            try:
                yield str(file.relative_to(case.folder)), file.read_bytes()
            except OSError as error:
                raise CaseError(
                    f"`{name}` cannot be read: {error.strerror}", where=case.position(path)
                ) from None
