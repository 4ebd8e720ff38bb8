"""Variables: each one is defined, and each axis is used."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from linkage.case import matrix
from linkage.case.base import nearest, suggest
from linkage.case.check.conditions import every_condition, no_other
from linkage.case.condition import OTHER_COMPILER
from linkage.case.document import Data, Document, KeyPath
from linkage.case.model import CaseModel
from linkage.case.other_toolchain import uses_other
from linkage.case.symbol_groups import GROUP_NAMES
from linkage.case.variables import LATER, REFERENCE, REFERRING, references
from linkage.errors import CaseError, Position


def texts(data: Data, path: KeyPath, doc: Document) -> Iterator[tuple[str, Position]]:
    """The texts in some data, keys included, each with its place."""
    if isinstance(data, str):
        yield data, doc.value(path)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from texts(item, (*path, index), doc)
    elif isinstance(data, dict):
        for key, item in data.items():
            yield key, doc.key((*path, key))
            yield from texts(item, (*path, key), doc)


def check_variables(doc: Document, rows: Sequence[Mapping[str, Any]]) -> Iterator[CaseError]:
    """Report references to undefined variables."""
    axes = set().union(*rows) - {OTHER_COMPILER}  # a toolchain, not a text
    parts = _parts(rows)
    known = sorted(axes | parts | GROUP_NAMES | LATER)
    assert isinstance(doc.data, dict)  # noqa: S101 - the case has been validated
    for part in REFERRING:
        for name, where in _placed(doc.data.get(part), (part,), doc):
            if name not in known and not name.startswith("captured."):
                help = suggest(
                    name, known, f"expected one of {', '.join(sorted(axes | LATER))}, or a symbol group"
                )
                yield CaseError(f"unknown variable `${{{name}}}`", where=where, help=help)
    sources = doc.data.get("sources")
    for file, text in sources.items() if isinstance(sources, dict) else ():
        for name, _ in references(text):
            axis = name.partition(".")[0]
            if axis in axes and name not in axes | parts:
                help = suggest(name, sorted(parts), f"write `$${{{name}}}` for the text itself")
                where = doc.value(("sources", file))
                yield CaseError(f"the axis `{axis}` has no part `{name}`", where=where, help=help)


def _parts(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    return {
        f"{axis}.{key}"
        for row in rows
        for axis, value in row.items()
        if isinstance(value, Mapping)
        for key in value
    }


def _placed(data: Data, path: KeyPath, doc: Document) -> Iterator[tuple[str, Position]]:
    for text, where in texts(data, path, doc):
        yield from ((found[1], where) for found in REFERENCE.finditer(text))


def check_unused(
    model: CaseModel, doc: Document, rows: Sequence[Mapping[str, Any]], looked_at: set[str]
) -> Iterator[CaseError]:
    """Report axes that are never used; `looked_at` are those that the steps take or refer to."""
    assert isinstance(doc.data, dict)  # noqa: S101 - the case has been validated
    data = [doc.data.get(part) for part in (*REFERRING, "sources")]
    used = looked_at | {name.partition(".")[0] for name, _ in references(data)}
    used |= set().union(*(one.condition.names() for one in every_condition(model) if not one.exclude))
    yield from _unused_other(model, doc, rows)
    for axis, path in _axes(model).items():
        if axis == OTHER_COMPILER:
            continue
        if axis not in used:
            near = nearest(axis, list(matrix.AXIS_VALUES))
            help = f"refer to it as `${{{axis}}}` or in `when`"
            if near == axis:
                help = "no rustc step takes it: each sets the key itself, or limits its `axes`"
            elif near is not None:
                help = f"did you mean `{near}`?"
            yield CaseError(f"the axis `{axis}` is never used", where=doc.key(path), help=help)


def _unused_other(model: CaseModel, doc: Document, rows: Sequence[Mapping[str, Any]]) -> Iterator[CaseError]:
    """What is about another toolchain in a case in which none is used."""
    if any(uses_other(model, row) for row in rows):
        return
    axis = _axes(model).get(OTHER_COMPILER)
    if axis is not None:
        yield no_other(f"the axis `{OTHER_COMPILER}`", doc.key(axis))
    if model.other_toolchains is not None:
        yield no_other("`other-toolchains`", doc.key(("other-toolchains",)))
    for index, requirement in enumerate(model.requires):
        if requirement.of is not None:
            yield no_other("`of: other`", doc.key(("requires", index, "of")))
    for index, bug in enumerate(model.known_bugs):
        if bug.other_toolchains is not None:
            yield no_other("`other-toolchains`", doc.key(("known-bugs", index, "other-toolchains")))


def _axes(model: CaseModel) -> dict[str, KeyPath]:
    found: dict[str, KeyPath] = {axis: ("matrix", axis) for axis in model.matrix.axes}
    for part in ("rows", "include"):
        for index, row in enumerate(getattr(model.matrix, part)):
            for axis in row:
                found.setdefault(axis, ("matrix", part, index, axis))
    return found
