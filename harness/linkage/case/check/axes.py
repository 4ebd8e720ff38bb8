"""The matrix: the names and values of its axes, and its rows."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from linkage.case import matrix
from linkage.case.base import suggest
from linkage.case.condition import COMPILER, OTHER_COMPILER, same
from linkage.case.document import Document, KeyPath, is_plain
from linkage.case.model import CaseModel
from linkage.case.output_kinds import CrateType
from linkage.case.symbol_groups import GROUP_NAMES
from linkage.case.variables import LATER
from linkage.errors import CaseError
from linkage.toolchain.platform import PLATFORM

_RESERVED = {"not", "any", COMPILER, "captured", *PLATFORM, *LATER} - set(
    matrix.AXIS_VALUES
)  # `target` is both, and the same


def spelled(value: object) -> str:
    """An axis's value as YAML spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return spelled(value.get("name"))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(spelled(one) for one in value)}]"
    if isinstance(value, str):
        return value if is_plain(value) else f'"{value}"'
    return "null" if value is None else str(value)


def check_axes(model: CaseModel, doc: Document) -> Iterator[CaseError]:
    """Report errors in the axes, the rows and what `include` adds."""
    found = model.matrix
    if "matrix" in model.model_fields_set and not (found.axes or found.rows or found.include):
        where = doc.key(("matrix",))
        yield CaseError("the matrix is empty", where=where, help="add an axis, or remove it")
    elif "rows" in found.model_fields_set and not found.rows:
        where = doc.key(("matrix", "rows"))
        yield CaseError("`rows` is empty", where=where, help="add a row, or remove it")
    for axis, values in found.axes.items():
        yield from _axis(axis, values, doc)
    for part in ("rows", "include"):
        for index, row in enumerate(getattr(found, part)):
            yield from _row(row, ("matrix", part, index), found.axes if part == "rows" else {}, doc)


def _axis(axis: str, values: Sequence[Any], doc: Document) -> Iterator[CaseError]:
    yield from _name(axis, doc, ("matrix", axis))
    if not values:
        where = doc.key(("matrix", axis))
        yield CaseError(
            f"the axis `{axis}` has no values", where=where, help="add a value, or remove the axis"
        )
    for index, value in enumerate(values):
        path = ("matrix", axis, index)
        yield from _value(axis, value, doc, path)
        if any(same(value, earlier) for earlier in values[:index]):
            what = f"duplicate value `{spelled(value)}` of the axis `{axis}`"
            yield CaseError(what, where=doc.value(path), help="remove it")


def _row(row: Mapping[str, Any], base: KeyPath, beside: Container[str], doc: Document) -> Iterator[CaseError]:
    for axis, value in row.items():
        path = (*base, axis)
        yield from _name(axis, doc, path)
        yield from _value(axis, value, doc, path)
        if axis in beside:
            help = f"each row is combined with every value of the axis at {doc.key(('matrix', axis))}"
            yield CaseError(f"`{axis}` is both an axis and in a row", where=doc.key(path), help=help)


def _name(axis: str, doc: Document, path: KeyPath) -> Iterator[CaseError]:
    if axis in GROUP_NAMES or axis in _RESERVED:
        what = f"the name `{axis}` is reserved"
        yield CaseError(what, where=doc.key(path), help="choose another name for the axis")
    elif not axis.replace("-", "_").isidentifier():
        what = f"invalid name `{axis}` of an axis"
        yield CaseError(what, where=doc.key(path), help="use letters, digits, - and _")


def _value(axis: str, value: object, doc: Document, path: KeyPath) -> Iterator[CaseError]:
    where = doc.value(path)
    if isinstance(value, dict) and not isinstance(value.get("name"), str):
        yield CaseError(
            "a value that is a mapping needs a `name`", where=where, help="the variant's id contains it"
        )
    elif axis == OTHER_COMPILER and not (isinstance(value, str) and value):
        help = "write it as for `linkage run --toolchain`, such as `nightly` or `debian:1.63`"
        yield CaseError(f"`{spelled(value)}` names no toolchain", where=where, help=help)
    elif axis == "crate-type":
        known = [kind.value for kind in CrateType]
        for index, one in enumerate(value if isinstance(value, (list, tuple)) else (value,)):
            if one not in known and one is not None:
                place = doc.value((*path, index))
                help = suggest(str(one), known)
                yield CaseError(f"unknown crate type `{spelled(one)}`", where=place, help=help)
    else:
        yield from check_built_in(axis, value, doc, path)


def check_built_in(axis: str, value: object, doc: Document, path: KeyPath) -> Iterator[CaseError]:
    """Whether rustc knows this value of a built-in axis, in the matrix or as a step's key."""
    allowed = matrix.AXIS_VALUES.get(axis)
    if allowed is not None and value is not None and not any(same(value, one) for one in allowed):
        listed = ", ".join(dict.fromkeys(spelled(one) for one in allowed))
        yield CaseError(
            f"invalid value `{spelled(value)}` for the axis `{axis}`",
            where=doc.value(path),
            help=f"expected one of {listed}, or null for no flag",
        )
