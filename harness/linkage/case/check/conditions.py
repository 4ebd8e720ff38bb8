"""Every `when` and `exclude`: the matrix has the axes and the values that they name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from linkage.case import claims, matrix
from linkage.case.base import suggest
from linkage.case.check.axes import spelled
from linkage.case.condition import OTHER_COMPILER, Condition, matches
from linkage.case.document import Document, KeyPath
from linkage.case.model import CaseModel
from linkage.case.other_toolchain import choosing_steps
from linkage.case.steps import every_step
from linkage.errors import CaseError, Position
from linkage.toolchain.platform import PLATFORM
from linkage.toolchain.vocabulary import platform_words


class PlacedCondition(NamedTuple):
    """A condition and its place."""

    condition: Condition
    path: KeyPath
    of: Literal["step", "exclude", "part"] = "part"
    """What it limits: a step, the matrix, or a claim, a requirement or a known bug."""

    @property
    def exclude(self) -> bool:
        return self.of == "exclude"


_NOTHING = {
    "step": "this step never runs: no cell of the matrix satisfies its `when`",
    "exclude": "this exclude matches no cell",
    "part": "no cell of the matrix satisfies this `when`",
}
_MEND = "the matrix has each of its values, but no cell has all of them"


def check_conditions(
    model: CaseModel, doc: Document, rows: Sequence[Mapping[str, Any]], built: Sequence[Mapping[str, Any]]
) -> Iterator[CaseError]:
    """Report conditions on axes or values that the matrix does not have, or that no cell satisfies.

    `built` are the rows, each with the compilers that the case's conditions distinguish.
    """
    choosing = any(choosing_steps(model))
    before = matrix.product(model.matrix)
    values, values_before = values_of(rows), values_of(before)
    for placed in every_condition(model):
        among, known = (before, values_before) if placed.exclude else (built, values)
        errors = list(_names(placed.condition, placed.path, known, doc))
        ranges = [*placed.condition.ranges(), *placed.condition.other_ranges()]
        if placed.exclude and ranges:
            where = doc.key(placed.path)
            help = "a matrix is the same on every compiler: use `requires` or `toolchains`"
            errors.append(CaseError("an exclude cannot name a `toolchain`", where=where, help=help))
        if not (choosing or placed.exclude) and any(placed.condition.other_ranges()):
            errors.append(no_other(f"`{OTHER_COMPILER}` in a condition", doc.key(placed.path)))
        if placed.exclude and placed.condition.names() & set(PLATFORM):
            where = doc.key(placed.path)
            help = "exclude the `target`, or limit steps and claims with `when`"
            errors.append(CaseError("an exclude cannot name the target's platform", where=where, help=help))
        yield from errors
        if not errors and not any(placed.condition.holds(row) for row in among):
            yield CaseError(_NOTHING[placed.of], where=doc.key(placed.path), help=_MEND)


def no_other(what: str, where: Position) -> CaseError:
    """The error that nothing is run by another toolchain, although a part of the case is about it."""
    return CaseError(f"{what} is about no step", where=where, help="give a step `toolchain: other`")


def every_condition(model: CaseModel) -> Iterator[PlacedCondition]:
    """Every condition of a case, unordered."""
    for index, exclude in enumerate(model.matrix.exclude):
        yield PlacedCondition(exclude, ("matrix", "exclude", index), "exclude")
    for part, conditions in (
        ("requires", [one.when for one in model.requires]),
        ("known-bugs", [one.when for one in model.known_bugs]),
    ):
        for index, condition in enumerate(conditions):
            if condition is not None:
                yield PlacedCondition(condition, (part, index, "when"))
    for step, path in every_step(model.steps, ("steps",)):
        if step.when is not None:
            yield PlacedCondition(step.when, (*path, "when"), "step")
        yield from _of_claims(step.claims, (*path, "claims"))
    yield from _of_claims(model.claims, ("claims",))


def _of_claims(found: claims.ClaimMap, path: KeyPath) -> Iterator[PlacedCondition]:
    for subject, sets in found.items():
        for index, one in enumerate(sets):
            if one.when is not None:
                yield PlacedCondition(one.when, (*path, subject, index, "when"))


def values_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values that each axis has in some cell."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for axis, value in row.items():
            found.setdefault(axis, {}).setdefault(repr(value), value)
    return {axis: list(values.values()) for axis, values in found.items()}


def _names(
    condition: Condition, path: KeyPath, known: Mapping[str, Sequence[Any]], doc: Document
) -> Iterator[CaseError]:
    for axis, expected in condition.axes.items():
        if axis in PLATFORM:
            yield from _platform(axis, expected, (*path, axis), doc)
        else:
            yield from check_value(axis, expected, (*path, axis), known, doc)
    if condition.not_ is not None:
        yield from _names(condition.not_, (*path, "not"), known, doc)
    for index, one in enumerate(condition.any):
        yield from _names(one, (*path, "any", index), known, doc)


def _platform(key: str, expected: object, path: KeyPath, doc: Document) -> Iterator[CaseError]:
    """Whether some target has this operating system, architecture, libc or object format."""
    known = sorted(platform_words(key))
    for index, one in enumerate(expected if isinstance(expected, (list, tuple)) else [expected]):
        if one not in known:
            where = doc.value(path if doc.at(path) == one else (*path, index))
            listed = f"expected one of {', '.join(known)}" if len(known) <= _LISTED else "check the spelling"
            help = suggest(spelled(one), known, listed)
            yield CaseError(f"no known target has the {key} `{spelled(one)}`", where=where, help=help)


_LISTED = 20


def check_value(
    axis: str, expected: object, path: KeyPath, known: Mapping[str, Sequence[Any]], doc: Document
) -> Iterator[CaseError]:
    """Whether an axis exists, and has this value in some cell; of alternatives, each."""
    if axis not in known:
        help = suggest(axis, list(known), "the axes are {}")
        yield CaseError(f"there is no axis `{axis}`", where=doc.key(path), help=help)
        return
    values = known[axis]
    written = doc.at(path)
    for index, one in enumerate(expected if isinstance(expected, (list, tuple)) else [expected]):
        if not any(matches([one], value) for value in values):
            where = doc.value(path if written == one else (*path, index))
            help = suggest(spelled(one), [spelled(value) for value in values], "its values are {}")
            if isinstance(one, (list, tuple)) and all(
                any(matches(x, value) for value in values) for x in one
            ):
                help = "on an axis of lists, a list is one value, in its order; write alternatives with `any`"
            yield CaseError(f"the axis `{axis}` has no value `{spelled(one)}`", where=where, help=help)
