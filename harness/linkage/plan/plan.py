"""The plan: a variant's steps as commands and file operations, before anything is run. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

from linkage.case import steps as model
from linkage.case.case import Case
from linkage.case.claims import ArtifactClaims, ArtifactReference, ClaimMap
from linkage.case.condition import COMPILER, OTHER_COMPILER
from linkage.case.document import KeyPath
from linkage.case.matrix import row_id
from linkage.case.regular_expression import literal
from linkage.case.resolution import ResolvedStep, TrackedRow, applied, resolve
from linkage.case.symbol_groups import GROUP_NAMES
from linkage.case.variables import REFERENCE, substitute
from linkage.case.variables import text as axis_text
from linkage.errors import AbsentCrateTypeError, CaseError
from linkage.plan.command import Command
from linkage.plan.invariants import InvariantGroup, invariants
from linkage.plan.operations import Operation
from linkage.plan.outputs import Outputs
from linkage.plan.state import State, matching, selected
from linkage.plan.steps import OperationKind, ProcessKind, Scope, kind_of
from linkage.plan.steps.kind import LINK_INPUTS
from linkage.plan.steps.scope import toolchain_or_inside
from linkage.plan.template import WORK, Template
from linkage.toolchain.model import Toolchain
from linkage.toolchain.recipes import NO_TOOLS, ForeignTools
from linkage.toolchain.version import RustcVersion


@dataclass(frozen=True)
class Variant:
    """One cell of a case's matrix on one toolchain."""

    case: Case
    row: Mapping[str, Any]
    toolchain: Toolchain
    tools: ForeignTools = NO_TOOLS
    """How it links, compiles C and runs for targets other than the host."""
    other: Toolchain | None = None
    """The toolchain of the steps with `toolchain: other`."""
    other_tools: ForeignTools = NO_TOOLS
    """Likewise for its steps."""

    @cached_property
    def cell(self) -> Mapping[str, Any]:
        """Its cell as conditions see it: the axes, the compiler and the target's platform."""
        target = self.toolchain.target(self.target)
        platform = {} if target is None else target.platform
        found = {**self.row, **platform, COMPILER: self.toolchain.version}
        return found if self.other is None else {**found, OTHER_COMPILER: self.other.version}

    @property
    def toolchains(self) -> tuple[Toolchain, ...]:
        """Its toolchain, and the other one if it has one."""
        return (self.toolchain,) if self.other is None else (self.toolchain, self.other)

    def toolchain_of(self, step: model.Step) -> Toolchain:
        """The toolchain that a step is for."""
        return self.other if step.by_other and self.other is not None else self.toolchain

    @property
    def target(self) -> str | None:
        """The triple that its cell is about; None for the host."""
        return axis_text(self.row.get("target")) or None

    @cached_property
    def name(self) -> str:
        """The bracketed part of the node id: `nightly[cdylib-lto=fat]`."""
        cell = row_id(self.row)
        return f"{self.toolchain.name}[{cell}]" if cell else self.toolchain.name

    @property
    def id(self) -> str:
        """The whole node id."""
        return f"{self.case.name}::{self.name}"


@dataclass(frozen=True, slots=True)
class Read:
    """What is read after a step: files by path or glob, and what is needed beyond their tables."""

    pattern: str
    functions: tuple[str, ...] = ()
    """Functions whose references are read."""
    contents: tuple[str, ...] = ()
    """Sections whose content is read."""
    texts: tuple[str, ...] = ()
    """Texts that are looked for in the file's bytes."""
    for_comparison: bool = False
    """Whether to read also what a comparison of two compilers needs (see `linkage.artifact.request`)."""
    produced_only: bool = False
    """Whether to read only files that the step creates or changes."""


@dataclass(frozen=True, slots=True)
class ClaimGroup:
    """The claims about one subject at one place that apply to this variant."""

    path: KeyPath
    subject: str
    pattern: str
    """The subject's file, or a glob over files."""
    claims: ArtifactClaims
    compiler: RustcVersion
    """What made the subject: its names are spelled as this compiler spells them."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """All that the subject means: of the linker's inputs, those of one name that came later, too."""
        if not self.pattern.startswith(LINK_INPUTS):
            return (self.pattern,)
        return self.pattern, f"{LINK_INPUTS}*/{self.pattern.removeprefix(LINK_INPUTS)}"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step: a command, a file operation, or several steps at the same time."""

    path: KeyPath
    id: str
    model: model.Step
    command: Command | None = None
    operation: Operation | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    """Files by role, as they are after this step: a later one may give a role another file."""
    object_formats: Mapping[str, str] = field(default_factory=dict)
    """The object format of what a step makes, by the step's id."""
    promised: tuple[str, ...] = ()
    """Files that rustc must produce if it succeeds."""
    linked: tuple[str, ...] = ()
    """The roles of the outputs that rustc links, in its order."""
    claims: tuple[ClaimGroup, ...] = ()
    invariants: tuple[InvariantGroup, ...] = ()
    """What holds of it and of the files that it links or archives, without a claim."""
    reads: tuple[Read, ...] = ()
    parallel: tuple["PlannedStep", ...] = ()
    toolchains: tuple[Toolchain, ...] = ()
    """What its outcome depends on: first the toolchain that it is for."""

    @property
    def toolchain(self) -> Toolchain:
        """The toolchain that it is for."""
        return self.toolchains[0]

    @property
    def action(self) -> str:
        """The kind of step, by its key in the case."""
        return self.model.action


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a variant will do."""

    variant: Variant
    steps: tuple[PlannedStep, ...]
    end: tuple[ClaimGroup, ...]
    """Claims at the end; they are read after the last step."""
    unstable: bool
    """Whether a step needs unstable flags or features."""

    def flat(self) -> Iterator[PlannedStep]:
        """Every step, including those that run in parallel."""
        for step in self.steps:
            yield step
            yield from step.parallel


def plan(variant: Variant) -> Plan:
    """Plan a variant. Raises CaseError if a value of this cell makes no sense, AbsentCrateTypeError for a
    crate type that the target lacks.
    """
    case = variant.case
    resolved = resolve(case, TrackedRow(variant.cell, set()))
    outputs = Outputs(variant.toolchain, variant.target)
    planner = _Planner(variant, outputs)
    steps = [planner.step(one) for one in resolved]
    if planner.unstable:
        # For every compilation of the variant: it changes how names are mangled, and
        # the halves of one program must agree.
        steps = [_bootstrapped(step) for step in steps]
    end = tuple(planner.claims(case.model.claims, case.document.data, ("claims",), variant.toolchain))
    if steps and end:
        # The claims at the end are read right after the last step, so that its record has their facts too.
        steps[-1] = replace(steps[-1], reads=_merge([*steps[-1].reads, *planner.reads(end)]))
    return Plan(variant, tuple(steps), end, planner.unstable)


def _bootstrapped(step: PlannedStep) -> PlannedStep:
    parts = tuple(_bootstrapped(part) for part in step.parallel)
    if step.command is None or step.command.program != "rustc" or not step.toolchain.needs_bootstrap:
        return replace(step, parallel=parts)
    env = {**step.command.env, "RUSTC_BOOTSTRAP": Template.of("1")}
    return replace(step, command=replace(step.command, env=env))


_CLAIMS: TypeAdapter[ArtifactClaims] = TypeAdapter(ArtifactClaims)


class _Planner:
    """Goes through a variant's steps once, in order, and collects the roles that they produce."""

    def __init__(self, variant: Variant, outputs: Outputs) -> None:
        self.variant = variant
        self.outputs = outputs
        self.unstable = False
        self.object_formats: dict[str, str] = {}
        self.makers: dict[str, Toolchain] = {}
        """Which toolchain each step is for, by the step's id."""
        self.row = TrackedRow(variant.cell, set())
        self.env = {key: self.cell(value) for key, value in variant.case.model.env.items()}

    def cell(self, text: str) -> str:
        """A text with the cell's axes filled in; other variables are filled in later."""
        # With the NUL, a text that is a single reference stays a text, whatever the axis's value is.
        return axis_text(substitute(f"{text}\0", self.row, GROUP_NAMES)).removesuffix("\0")

    def step(self, resolved: ResolvedStep) -> PlannedStep:
        step = resolved.step
        parts = tuple(self.step(part) for part in resolved.parallel)
        variant = self.variant
        toolchain = variant.toolchain_of(step)
        variables = _variables(toolchain, self.outputs.target)
        tools = variant.other_tools if toolchain is variant.other else variant.tools
        beside = tuple(one for one in variant.toolchains if one is not toolchain)
        scope = Scope(resolved, toolchain, self.outputs, variables, tools, beside)
        self.makers[resolved.id] = toolchain
        target = toolchain.target(resolved.target)
        self.object_formats[resolved.id] = target.object_format if target is not None else ""
        kind = kind_of(step)
        process: Command | None = None
        operation: Operation | None = None
        try:
            self.outputs.ids.add(resolved.id)
            if isinstance(kind, OperationKind):
                operation = kind.operation(step, scope)
            promised = kind.produce(step, scope)
            if isinstance(kind, ProcessKind):
                case = variant.case.model
                process = kind.command(step, scope, self.env, case.timeout, case.limits.limits)
                promised = () if _says_what_it_makes(step) else promised
        except AbsentCrateTypeError:
            raise
        except CaseError as error:
            if error.where is None:
                where = variant.case.position(resolved.path)
                raise CaseError(error.what, where=where, help=error.help) from None
            raise
        self.unstable = self.unstable or (process is not None and process.unstable)
        place = (*resolved.path, "claims")
        groups = tuple(self.claims(step.claims, self._data(resolved.path), place, toolchain))
        linked = self.outputs.linked_by(step, resolved.id)
        lifted = variant.case.model.invariants
        kept = tuple(invariants(resolved, linked, self.outputs.roles, lifted))
        return PlannedStep(
            resolved.path,
            resolved.id,
            _filled(step, variables),
            process,
            operation,
            roles=dict(self.outputs.roles),
            object_formats=dict(self.object_formats),
            promised=promised,
            linked=linked,
            claims=groups,
            invariants=kept,
            reads=_merge((*self.reads(groups), *(Read(group.file) for group in kept if group.file))),
            parallel=parts,
            # A program or a C compiler uses the libraries of both.
            toolchains=(toolchain,) if kind.by_one_toolchain else (toolchain, *beside),
        )

    def reads(self, groups: Iterable[ClaimGroup]) -> tuple[Read, ...]:
        """What must be read after the step for the claims."""
        return _merge(read for group in groups for read in _needs(group, self.outputs))

    def _data(self, path: KeyPath) -> Any:  # noqa: ANN401 - what stands in the file
        data: Any = self.variant.case.document.data
        for part in path:
            data = data if part == 0 and not isinstance(data, list) else data[part]
        return data

    def claims(
        self,
        found: ClaimMap,
        data: Any,  # noqa: ANN401 - what stands in the file
        path: KeyPath,
        toolchain: Toolchain,
    ) -> Iterator[ClaimGroup]:
        """The claims that apply to this cell, each with its place; none for a role that it lacks."""
        doc = self.variant.case.document
        variables = _variables(toolchain, self.outputs.target)
        raw = data["claims"] if isinstance(data, dict) and "claims" in data else {}
        for subject, sets in found.items():
            listed = raw.get(subject, []) if isinstance(raw, dict) else []
            listed = listed if isinstance(listed, list) else [listed]
            pattern = self.outputs.subject(Template.parse(self.cell(subject), variables).path)
            if pattern is None:
                continue
            try:
                toolchain_or_inside(pattern, variables)
            except CaseError as error:
                where = self.variant.case.position((*path, subject))
                raise CaseError(error.what, where=where, help=error.help) from None
            for index, one in enumerate(sets):
                if one.when is not None and not one.when.holds(self.row):
                    continue
                place = (*path, subject, index)
                raw_set = listed[index] if index < len(listed) else {}
                # The claims of steps were applied with the step, those at the end were not.
                concrete = (
                    applied(doc, one, raw_set, place, self.row, _CLAIMS) if path == ("claims",) else one
                )
                maker = self.makers.get(subject.rpartition(".")[0], toolchain)
                yield ClaimGroup(place, subject, pattern, filled(concrete, _said(variables)), maker.version)


def _variables(toolchain: Toolchain, triple: str | None) -> dict[str, str]:
    """The variables of the steps of a toolchain."""
    target = toolchain.target(triple)
    return {
        "sysroot": str(toolchain.sysroot),
        "libdir": str(target.libdir) if target else "",
        "target": triple or toolchain.host,
        "host": toolchain.host,
    }


def _said(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables as claims see them: without the working folder's name, as in a process's output."""
    return {**variables, "work": str(WORK)}


def _filled(step: model.Step, variables: Mapping[str, str]) -> model.Step:
    """The step with the variables of its variant filled into its claims."""
    keys = step.model_fields_set.intersection(model.EXPECTATIONS)
    return step.model_copy(update={key: filled(getattr(step, key), _said(variables)) for key in keys})


def _says_what_it_makes(step: model.Step) -> bool:
    """Whether a claim replaces the files that the step is expected to produce."""
    produces = step.produces if isinstance(step, model.ProcessStep) else None
    return produces is not None and produces.requires


T = TypeVar("T")


def filled(part: T, variables: Mapping[str, str], *, regex: bool = False) -> T:
    """A claim with variables filled in; in regexes they match literally."""
    result: Any = part
    if isinstance(part, str):
        regex = regex or (len(part) > 1 and part[0] == part[-1] == "/")
        chosen = {key: literal(value) for key, value in variables.items()} if regex else variables
        result = REFERENCE.sub(lambda found: chosen.get(found[1], found[0]), part).replace("$${", "${")
    elif isinstance(part, tuple):
        result = tuple(filled(one, variables, regex=regex) for one in part)
    elif isinstance(part, Mapping):
        result = {filled(key, variables, regex=regex): filled(one, variables) for key, one in part.items()}
    elif isinstance(part, BaseModel):
        given = {key: getattr(part, key) for key in part.model_fields_set if key != "when"}
        changed = {
            key: filled(one, variables, regex=key in ("matches", "normalize")) for key, one in given.items()
        }
        result = part.model_copy(update=changed)
    return result  # type: ignore[no-any-return]


def _needs(group: ClaimGroup, outputs: Outputs) -> Iterator[Read]:
    claims = (group.claims, *group.claims.each_member.values())
    functions = tuple(name for one in claims for name in one.references)
    contents = tuple(
        n for one in claims for n, claim in one.section.items() if claim.contains or claim.not_contains
    )
    content = group.claims.content
    texts = (*content.contains, *content.not_contains) if content else ()
    for pattern in group.patterns:
        yield Read(pattern, functions, contents, texts)
    for reference in comparisons(group.claims):
        if reference.artifact and not reference.variant:
            yield Read(outputs.path(reference.artifact))
    if group.claims.resolved is not None:
        yield from (Read(outputs.path(name)) for name in group.claims.resolved.link_set)


def comparisons(claims: ArtifactClaims) -> Iterator[ArtifactReference]:
    """The other artifacts that claims compare with."""
    yield from claims.same_as
    yield from claims.differs_from
    if claims.smaller_than is not None:
        yield claims.smaller_than
    if claims.exports_differ is not None:
        yield claims.exports_differ


def _merge(reads: Iterable[Read]) -> tuple[Read, ...]:
    merged: dict[tuple[str, bool], Read] = {}
    for read in reads:
        of = read.pattern, read.produced_only
        old = merged.get(of, Read(read.pattern))
        merged[of] = Read(
            read.pattern,
            tuple(sorted({*old.functions, *read.functions})),
            tuple(sorted({*old.contents, *read.contents})),
            tuple(sorted({*old.texts, *read.texts})),
            old.for_comparison or read.for_comparison,
            read.produced_only,
        )
    return tuple(merged.values())


def wanted_files(reads: Iterable[Read], state: State, produced: Iterable[str]) -> dict[str, Read]:
    """What is read of each file of a state: everything that the paths and globs that match it ask for."""
    named = (
        replace(read, pattern=name, produced_only=False)
        for read in reads
        for name in (
            _files(matching(produced, read.pattern), state)
            if read.produced_only
            else selected(read.pattern, state)
        )
    )
    return {read.pattern: read for read in _merge(named)}


def _files(names: Iterable[str], state: State) -> list[str]:
    return [name for name in names if (node := state.get(name)) is not None and node.kind == "file"]
