"""The steps of a case in one cell of the matrix, with their values and roles.

Nothing here needs a toolchain: a step's crate types and emits determine which artifacts it makes;
only their file names depend on the target.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from linkage.case import steps as model
from linkage.case.case import Case
from linkage.case.crate_attributes import CrateAttributes, crate_attributes
from linkage.case.document import Data, Document, KeyPath, position_of
from linkage.case.matrix import AXIS_VALUES, context_of
from linkage.case.mini_core import KEY, mini_core_steps
from linkage.case.source_files import CrateSources
from linkage.case.symbol_groups import GROUP_NAMES
from linkage.case.validation import explain
from linkage.case.variables import RepeatedKeyError, UnknownVariableError, substitute, text
from linkage.errors import CaseError

_STEP: TypeAdapter[Any] = TypeAdapter(model.AnyStep)


HOST = "host"
"""As a step's target: the host, whatever the matrix says."""
_NOTHING_SAID = CrateAttributes()


@dataclass(frozen=True, slots=True)
class ResolvedStep:
    """A step as one variant has it."""

    path: KeyPath
    """Its place in the case."""
    id: str
    step: model.Step
    roles: tuple[str, ...] = ()
    """The roles of what it makes, without the id."""
    axes: Mapping[str, Any] = field(default_factory=dict)
    """The built-in axes that apply to it, with their values; a rustc step's own keys included."""
    crate_types: tuple[str, ...] = ()
    """Of a rustc step: as it says, or as its source does."""
    crate_name: str | None = None
    """As a rustc step or its source says; None if rustc derives it from the source's file name."""
    attributes: CrateAttributes = _NOTHING_SAID
    """What the source of a rustc step says of its crate."""
    target: str | None = None
    """The triple that it compiles, links or runs for; None for the host."""
    parallel: tuple["ResolvedStep", ...] = ()

    @property
    def names(self) -> model.StepNames:
        """What its files are named after."""
        return model.StepNames(self.id, self.roles, self.crate_name)

    @property
    def file_changes(self) -> model.FileChanges:
        """What it does to files, as far as this is known without a toolchain."""
        return self.step.file_changes(self.names)

    @property
    def bare(self) -> bool:
        """Whether what a rustc step compiles needs no library of its target."""
        return self.attributes.no_core


class TrackedRow(dict[str, Any]):
    """A cell of the matrix that records which of its axes are used."""

    def __init__(self, values: Mapping[str, Any], used: set[str]) -> None:
        super().__init__(values)
        self.used = used

    def __contains__(self, key: object) -> bool:
        self.used.add(str(key).partition(".")[0])
        return super().__contains__(key)


def resolve(case: Case, row: TrackedRow, problems: list[CaseError] | None = None) -> tuple[ResolvedStep, ...]:
    """The steps of a case that this cell has.

    Raises CaseError for a value that does not fit; with `problems` the error is added there, and
    the step is left out.
    """
    assert isinstance(case.document.data, dict)  # noqa: S101 - the case has been validated
    raw = case.document.data["steps"]
    listed = raw if isinstance(raw, list) else [raw]
    asked = case.model.mini_core
    resolver = _Resolver(case.document, row, case.sources, problems, mini_core=asked is not None)
    first = () if asked is None else resolver.mini(mini_core_steps(asked, row))
    return (*first, *resolver.steps(case.model.steps, listed, ("steps",)))


@dataclass(slots=True)
class _Resolver:
    doc: Document
    row: TrackedRow
    sources: CrateSources
    problems: list[CaseError] | None
    mini_core: bool = False
    """Whether the case may use the crates of `mini-core`."""
    taken: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)
    """The last number behind each default id, so that thousands of equal ones are not all tried each time."""
    written: dict[str, str] = field(default_factory=dict)
    """Sources that steps write, by name."""
    done: dict[str, ResolvedStep] = field(default_factory=dict)
    """The steps so far, by id."""

    def mini(self, steps: Iterable[model.RustcStep]) -> tuple[ResolvedStep, ...]:
        """The steps that build the crates of `mini-core`."""
        return tuple(self._step(step, (KEY,)) for step in steps)

    def steps(
        self, steps: Sequence[model.Step], raw: Sequence[Data], base: KeyPath
    ) -> Iterator[ResolvedStep]:
        for index, (step, data) in enumerate(zip(steps, raw, strict=True)):
            path = (*base, index)
            if step.when is not None and not step.when.holds(self.row):
                continue
            try:
                concrete = step
                if not isinstance(step, model.ParallelStep):
                    concrete = applied(self.doc, step, data, path, self.row, _STEP)
            except CaseError as error:
                if self.problems is None:
                    raise
                self.problems.append(error)
                continue
            if (
                isinstance(concrete, model.WriteStep)
                and concrete.text is not None
                and concrete.offset is None
            ):
                self.written[concrete.write] = concrete.text
            if isinstance(concrete, model.ParallelStep):
                name = self._identify(concrete, _NOTHING_SAID)
                yield self._parallel(concrete, name, data, path)
            else:
                yield self._step(concrete, path)

    def _step(self, step: model.Step, path: KeyPath) -> ResolvedStep:
        attributes = self._attributes(step)
        name = self._identify(step, attributes)
        found = self._targeted(_resolve(step, path, self.row, name, attributes))
        if self.mini_core and attributes.no_core:
            # Without a panic runtime rustc refuses to unwind.
            found = replace(found, axes={"panic": "abort", **found.axes})
        self.done[name] = found
        return found

    def _targeted(self, found: ResolvedStep) -> ResolvedStep:
        """The step with its target; the halves of a link and a program have that of the step before."""
        step, earlier = found.step, None
        if isinstance(step, model.RustcStep):
            return replace(found, target=text(found.axes.get("target")) or None)
        if isinstance(step, model.LinkOnlyStep):
            earlier = self.done.get(step.link_only)
        elif isinstance(step, model.RunStep):
            earlier = self.done.get(step.run) or self.done.get(step.run.rpartition(".")[0])
        elif not isinstance(step, model.CcStep):
            return found
        own = getattr(step, "target", None)
        if earlier is not None and own is None:
            return replace(found, target=earlier.target, attributes=earlier.attributes)
        if own == HOST:
            return found
        wide = text(self.row["target"]) if own is None and "target" in self.row else own
        return replace(found, target=wide or None)

    def _identify(self, step: model.Step, attributes: CrateAttributes) -> str:
        name = step.id_ or step.default_id(attributes.name)
        if step.id_ is None:
            base, number = name, self.numbers.get(name, 1)
            while name in self.taken:
                number += 1
                name = f"{base}-{number}"
            self.numbers[base] = number
        self.taken.add(name)
        return name

    def _attributes(self, step: model.Step) -> CrateAttributes:
        """What the source of a rustc step says of its crate."""
        if not isinstance(step, model.RustcStep) or step.rustc is None:
            return _NOTHING_SAID
        if step.rustc == "-":
            return crate_attributes(step.stdin or "")
        if step.rustc in self.written:
            return crate_attributes(self.written[step.rustc])
        return crate_attributes(self.sources.text(step.rustc, dict(self.row)))

    def _parallel(self, step: model.ParallelStep, name: str, data: Data, path: KeyPath) -> ResolvedStep:
        assert isinstance(data, dict)  # noqa: S101 - the case has been validated
        inner = data["parallel"]
        assert isinstance(inner, list)  # noqa: S101 - the case has been validated
        return ResolvedStep(
            path, name, step, parallel=tuple(self.steps(step.parallel, inner, (*path, "parallel")))
        )


M = TypeVar("M", bound=BaseModel)


def applied(doc: Document, part: M, data: Data, path: KeyPath, row: TrackedRow, adapter: TypeAdapter[M]) -> M:
    """A validated part of a case with the cell's values in its `${…}`.

    Raises CaseError for a variable that nothing defines, or a value that does not fit.
    """
    if not _has_variables(data):
        return part
    try:
        return adapter.validate_python(substitute(data, row, GROUP_NAMES), context=context_of(doc.data))
    except UnknownVariableError as error:
        raise CaseError(
            f"`${{{error.name}}}` has no value",
            where=doc.value((*path, *error.path)),
            help="add one with `include`, or limit this with `when`",
        ) from None
    except RepeatedKeyError as error:
        raise CaseError(
            f"`{error.keys[0]}` and `{error.keys[1]}` are the same key",
            where=doc.key((*path, *error.path)),
            help="write one of them, with a list in which `when` limits what is not for all variants",
        ) from None
    except ValidationError as error:
        first = min(explain(error, doc, path), key=position_of)
        raise CaseError(f"with the cell's values: {first.what}", where=first.where, help=first.help) from None


def _has_variables(data: Data) -> bool:
    if isinstance(data, str):
        return "${" in data
    if isinstance(data, dict):
        return any("${" in key or _has_variables(value) for key, value in data.items())
    return isinstance(data, list) and any(_has_variables(item) for item in data)


def _resolve(
    step: model.Step, path: KeyPath, row: TrackedRow, name: str, attributes: CrateAttributes
) -> ResolvedStep:
    if not isinstance(step, model.RustcStep):
        return ResolvedStep(path, name, step, step.made_roles(()))
    axes = _axes(step, row)
    kinds = axes.get("crate-type")
    types = tuple(kinds) if isinstance(kinds, (list, tuple)) else (kinds,) if kinds else attributes.types
    if types == ("proc-macro",) and step.target is None:
        axes.pop("target", None)  # the compiler loads it, so it is for the host, as cargo builds it
    given = step.crate_name or attributes.name
    return ResolvedStep(path, name, step, step.made_roles(types), axes, types or ("bin",), given, attributes)


def _axes(step: model.RustcStep, row: TrackedRow) -> dict[str, Any]:
    """The values of the built-in axes at this step: its own keys first, then the matrix's."""
    values: dict[str, Any] = {}
    for axis in AXIS_VALUES:
        own = None if axis == "allocator" else getattr(step, axis.replace("-", "_"))
        if axis == "target" and own == HOST:
            continue
        if own is not None:
            values[axis] = own
        elif (step.axes is None or axis in (*step.axes, "target")) and axis in row and row[axis] is not None:
            values[axis] = row[axis]
    return values


def flat(resolved: Iterable[ResolvedStep]) -> Iterator[ResolvedStep]:
    """Every step of a variant, those that run at the same time too."""
    for step in resolved:
        yield step
        yield from flat(step.parallel)
