"""The matrix: axes to rows, as GitHub Actions expands them, and a row's readable id.

https://docs.github.com/en/actions/using-jobs/using-a-matrix-for-your-jobs
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from linkage.case.condition import LIST_AXES, Condition, MatrixRow, same
from linkage.case.document import Data
from linkage.case.model import Matrix
from linkage.toolchain.vocabulary import LINKERS

MAX_ROWS = 20_000

AXIS_VALUES: dict[str, tuple[object, ...] | None] = {
    "crate-type": None,
    "prefer-dynamic": (True, False),
    "lto": ("off", "thin-local", "thin", "fat"),
    "dylib-lto": (True, False),
    "codegen-units": None,
    "opt-level": (0, 1, 2, 3, "s", "z"),
    "panic": ("unwind", "abort"),
    "debuginfo": (0, 1, 2, "none", "line-directives-only", "line-tables-only", "limited", "full"),
    "strip": ("none", "debuginfo", "symbols"),
    "edition": ("2015", "2018", "2021", "2024", 2015, 2018, 2021, 2024),
    "linker": ("default", *LINKERS),
    "allocator": None,
    "target": None,
}
"""The built-in axes, which apply to every rustc step, with their values if rustc fixes them."""


def context_of(data: Data) -> dict[str, frozenset[str]]:
    """What the conditions of a case must know when they are validated: the axes that have lists as values."""
    matrix = data.get("matrix") if isinstance(data, dict) else None
    if not isinstance(matrix, dict):
        return {LIST_AXES: frozenset()}
    values = [
        (axis, value)
        for axis, listed in matrix.items()
        if axis not in ("rows", "include", "exclude") and isinstance(listed, list)
        for value in listed
    ]
    for part in ("rows", "include"):
        rows = matrix.get(part)
        for row in rows if isinstance(rows, list) else [rows]:
            values += row.items() if isinstance(row, dict) else ()
    return {LIST_AXES: frozenset(axis for axis, value in values if isinstance(value, list))}


def product(matrix: Matrix) -> list[dict[str, Any]]:
    """All cells before `exclude` and `include`: rows times the axes beside them."""
    axes = [[(axis, value) for value in values] for axis, values in matrix.axes.items()]
    return [{**row, **dict(cell)} for row in (matrix.rows or ({},)) for cell in itertools.product(*axes)]


class MatrixCell(dict[str, Any]):
    """A cell that knows its name: `expand` makes it unique in the matrix."""

    def __init__(self, row: MatrixRow, name: str, origin: str | None = None) -> None:
        super().__init__(row)
        self.name = name
        self.origin = origin
        """The name of the cell that it was made from by adding an axis; None in the matrix itself."""


def expand(matrix: Matrix) -> list[dict[str, Any]]:
    """The cells of the matrix in a stable order, each once.

    `include` adds its keys to every cell of the product whose values it does not contradict,
    and makes a new cell if there is none; a later `include` does not extend such a cell. It may
    change what an earlier one added.
    """
    rows = [row for row in product(matrix) if excluded(row, matrix.exclude) is None]
    original = set(matrix.axes).union(*matrix.rows)
    if matrix.include and not original:
        rows = []  # a matrix of `include` alone has no empty cell
    count = len(rows)
    for include in matrix.include:
        fitting = [
            row
            for row in rows[:count]
            if all(k not in original or (k in row and _is(v, row[k])) for k, v in include.items())
        ]
        for row in fitting:
            row.update({key: value for key, value in include.items() if key not in original})
        if not fitting:
            rows.append(dict(include))
    return _named(_unique([{key: _frozen(value) for key, value in row.items()} for row in rows]))


def _is(condition: object, value: object) -> bool:
    # A named value may be meant by its name; the rest must be equal, as in Actions: a list is
    # no choice here.
    if isinstance(value, Mapping) and isinstance(condition, str):
        return bool(value.get("name") == condition)
    return same(_frozen(condition), _frozen(value))


def excluded(row: MatrixRow, conditions: Sequence[Condition]) -> int | None:
    """The first of the conditions that excludes this cell, by its index."""
    return next((index for index, condition in enumerate(conditions) if condition.holds(row)), None)


def excluded_cells(matrix: Matrix) -> list[tuple[str, int]]:
    """The cells that `exclude` removes, by name, each with the index of the first condition that does."""
    found = [(row_id(row), excluded(row, matrix.exclude)) for row in product(matrix)]
    return [(name, index) for name, index in found if index is not None]


def row_id(row: MatrixRow) -> str:
    """The readable, stable name of a cell: `staticlib,dylib-prefer_dynamic-lto=fat`.

    Crate types have no axis name, a true axis is its name, a false one is left out. Whatever would
    confuse a shell, pytest's `-k` or its `::` becomes an underscore; if two cells would get one
    name, `expand` adds a digest to each.
    """
    if isinstance(row, MatrixCell):
        return row.name
    parts = (_part(axis, value) for axis, value in row.items())
    return "-".join(part for part in parts if part)


def origin(row: MatrixRow) -> str | None:
    """The name of the cell of the matrix that a cell was made from; None for one of the matrix itself."""
    return row.origin if isinstance(row, MatrixCell) else None


def _part(axis: str, value: object) -> str:
    name = _safe(axis)
    if value is False:
        return ""
    if value is True:
        return name.replace("-", "_")
    text = _safe(_text(value))
    return text if axis == "crate-type" else f"{name}={text}"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("name", "unnamed"))
    if isinstance(value, (list, tuple)):
        return ",".join(_text(item) for item in value)
    return "default" if value is None else str(value)


@lru_cache(maxsize=4096)  # the same few values stand in every cell
def _safe(text: str) -> str:
    return (
        "".join(char if char.isascii() and (char.isalnum() or char in ",._+=-") else "_" for char in text)
        or "empty"
    )


def _frozen(value: Any) -> Any:  # noqa: ANN401 - an axis's value is what its author wrote
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value


def _named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, those with equal ids as cells whose names differ.

    The difference is a digest of the cell's values: it stays when other cells come or go.
    """
    names = [row_id(row) for row in rows]
    often = Counter(names)
    taken = {name for name, count in often.items() if count == 1}
    named: list[dict[str, Any]] = []
    for row, name in zip(rows, names, strict=True):
        own = name
        if often[name] > 1:
            digest = hashlib.blake2b(_identity(row).encode("utf-8", "surrogatepass")).hexdigest()
            longer = (f"{name}-{digest[:length]}".lstrip("-") for length in range(4, len(digest) + 1))
            own = next(one for one in longer if one not in taken)
            taken.add(own)
        named.append(MatrixCell(row, own))
    return named


def _identity(row: MatrixRow) -> str:
    return repr(sorted(row.items(), key=lambda item: item[0]))


def _unique(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = {}
    for row in rows:
        seen.setdefault(_identity(row), row)
    return list(seen.values())
