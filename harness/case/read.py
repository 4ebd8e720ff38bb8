"""A case file to a Case: YAML, its model, and the checks that need the whole file.

Every error found is reported, each with file, line and column. Nothing here starts a
process, and nothing outside the case's own folder is looked at.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.case.base import nearest
from harness.case.check import check
from harness.case.document import Document, parse
from harness.case.document import Path as DataPath
from harness.case.matrix import MAX_ROWS, expand, row_id
from harness.case.model import CaseModel
from harness.errors import CaseError, CaseErrors, Position


@dataclass(frozen=True)
class Case:
    """A case as it was read: its model, its cells, and where each part of it stands."""

    file: Path
    name: str
    """The file as messages and node ids show it."""
    model: CaseModel
    document: Document = field(repr=False)

    @property
    def folder(self) -> Path:
        """The folder beside which its sources are; nothing outside it is read."""
        return self.file.parent

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """The cells of its matrix."""
        return tuple(expand(self.model.matrix))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The cells' readable names, in the order of `rows`."""
        return tuple(row_id(row) for row in self.rows)

    def position(self, path: DataPath) -> Position:
        """Where the key at `path` stands in the file."""
        return self.document.key(path)


def read_case(file: Path, name: str | None = None) -> Case:
    """Read a case file; `name` is what messages call it.

    Raises CaseErrors with all that is wrong with it, in the file's order.
    """
    name = name or str(file)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        where = Position(name, before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        raise CaseErrors([CaseError("not UTF-8", where=where, mend="save the file as UTF-8")]) from None
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        raise CaseErrors([CaseError(why, where=name, mend="check the path")]) from None
    return parse_case(text, file, name)


def parse_case(text: str, file: Path, name: str) -> Case:
    """Like read_case, from the file's text."""
    doc = parse(text, name)
    if not isinstance(doc.data, dict):
        what = "the file is empty" if doc.data is None else "a case is a mapping"
        raise CaseErrors([CaseError(what, where=doc.value(()), mend="a case needs `summary` and `steps`")])
    try:
        model = CaseModel.model_validate(doc.data)
    except ValidationError as error:
        raise CaseErrors(sorted(_explain(error, doc), key=_order)) from None
    rows = math.prod(len(values) for values in model.matrix.axes.values()) * max(1, len(model.matrix.rows))
    if rows > MAX_ROWS:
        where = doc.key(("matrix",))
        raise CaseErrors(
            [CaseError(f"{rows} variants, more than {MAX_ROWS}", where=where, mend="split the case")]
        )
    case = Case(file, name, model, doc)
    errors = sorted(check(case), key=_order)
    if errors:
        raise CaseErrors(errors)
    return case


def _order(error: CaseError) -> tuple[int, int]:
    where = error.where
    return (where.line, where.column) if isinstance(where, Position) else (0, 0)


def _explain(error: ValidationError, doc: Document) -> Iterator[CaseError]:
    details = error.errors(include_url=False, include_input=True)
    places = [tuple(detail["loc"]) for detail in details]
    for detail, path in zip(details, places, strict=True):
        context = detail.get("ctx") or {}
        match detail["type"]:
            case "unknown_keys":
                yield from _unknown(doc, path, context["unknown"], context["known"])
            case "missing":
                yield CaseError(
                    f"the key `{path[-1]}` is missing", where=doc.value(path[:-1]), mend=_missing(path)
                )
            case "too_short" if any(other[: len(path)] == path and other != path for other in places):
                pass  # the elements' own errors say it better
            case kind:
                what = _what(kind, detail, path)
                yield CaseError(what, where=doc.value(path), mend=context.get("mend") or _mend(kind, context))


def _unknown(
    doc: Document, path: tuple[Any, ...], unknown: Iterable[str], known: list[str]
) -> Iterator[CaseError]:
    for key in unknown:
        near = nearest(key, known)
        mend = f"did you mean `{near}`?" if near else f"known here: {', '.join(known)}"
        yield CaseError(f"unknown key `{key}`", where=doc.key((*_real(doc, path), key)), mend=mend)


def _real(doc: Document, path: tuple[Any, ...]) -> DataPath:
    here: DataPath = ()
    for part in path:
        if (*here, part) in doc.values:
            here = (*here, part)
    return here


_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}


def _what(kind: str, detail: Any, path: tuple[Any, ...]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    key = next(
        (str(part) for part in reversed(path) if isinstance(part, str) and " " not in part), "the case"
    )
    if kind in _EXPECTED:
        given = detail.get("input")
        found = {
            bool: "true or false",
            int: "a number",
            str: "text",
            list: "a list",
            tuple: "a list",
            dict: "a mapping",
        }.get(type(given), "nothing" if given is None else "something else")
        return f"`{key}` must be {_EXPECTED[kind]}, this is {found}"
    if kind == "too_short":
        return f"`{key}` must not be empty"
    message = str(detail["msg"])
    return (
        message
        if kind not in ("literal_error", "enum", "string_pattern_mismatch")
        else f"`{key}`: {message[0].lower()}{message[1:]}"
    )


def _mend(kind: str, context: dict[str, Any]) -> str | None:
    if kind == "string_type":
        return "put it in quotes"
    if kind == "literal_error":
        return None
    if kind == "string_pattern_mismatch" and "#" in str(context.get("pattern")):
        return "write it as owner/repository#number"
    return None


def _missing(path: tuple[Any, ...]) -> str | None:
    return {
        "summary": "say in one line what the case protects",
        "signature": "say at which step the bug is seen, and how",
    }.get(str(path[-1]))
