"""Reads a case file: YAML, its model, and the checks that need the whole file.

Every error is reported, with file, line and column. Nothing here starts a process or looks
outside the case's own folder.
"""

import math
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from linkage.case.case import Case
from linkage.case.check import check
from linkage.case.document import MAX_BYTES, parse, position_of
from linkage.case.matrix import MAX_ROWS, context_of
from linkage.case.model import CaseModel
from linkage.case.validation import explain
from linkage.errors import CaseError, CaseErrors, Position
from linkage.host.terminal import escape

MAX_MESSAGE = 400


def read_case(file: Path, name: str | None = None) -> Case:
    """Read a case file; `name` is its name in messages.

    Raises CaseErrors with all errors, in the file's order.
    """
    name = name or str(file)
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before[before.rfind(b"\n") + 1 :].decode("utf-8")
        where = Position(name, before.count(b"\n") + 1, len(line) + 1)
        raise CaseErrors(
            [CaseError("the file is not valid UTF-8", where=where, help="save it as UTF-8")]
        ) from None
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        raise CaseErrors([CaseError(why, where=name, help="check the path")]) from None
    return parse_case(text, file, name)


def parse_case(text: str, file: Path, name: str) -> Case:
    """Like read_case, from the file's text."""
    doc = parse(text, name)
    if not isinstance(doc.data, dict):
        what = "the file is empty" if doc.data is None else "a case must be a mapping"
        raise CaseErrors([CaseError(what, where=doc.value(()), help="a case needs `summary` and `steps`")])
    try:
        model = CaseModel.model_validate(doc.data, context=context_of(doc.data))
    except ValidationError as error:
        raise CaseErrors(
            [_in_one_line(one) for one in sorted(explain(error, doc), key=position_of)]
        ) from None
    rows = math.prod(len(values) for values in model.matrix.axes.values()) * max(1, len(model.matrix.rows))
    if rows > MAX_ROWS:
        what = f"the matrix has {rows} cells, more than {MAX_ROWS}"
        raise CaseErrors([CaseError(what, where=doc.key(("matrix",)), help="split the case")])
    case = Case(file, name, model, doc)
    errors = check(case)
    if errors:
        raise _all(errors)
    return case


def _all(errors: Iterable[CaseError]) -> CaseErrors:
    return CaseErrors([_in_one_line(error) for error in sorted(errors, key=position_of)])


def _in_one_line(error: CaseError) -> CaseError:
    # Messages quote the file: a line break in it must not break them, and a page of text must not fill them.
    help = escape(error.help, MAX_MESSAGE) if error.help else None
    return CaseError(escape(error.what, MAX_MESSAGE), where=error.where, help=help)
