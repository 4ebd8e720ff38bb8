"""The matrix: axes to rows, as GitHub Actions expands them, and a row's readable id.

https://docs.github.com/en/actions/using-jobs/using-a-matrix-for-your-jobs
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.case.condition import Condition, Row, matches
from harness.case.model import Matrix

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
    "linker": ("default", "bfd", "lld", "mold", "gold"),
    "allocator": None,
    "target": None,
}
"""The built-in axes, which rustc steps take by themselves, with their values where rustc fixes them."""


def product(matrix: Matrix) -> list[dict[str, Any]]:
    """All cells before `exclude` and `include`: rows times the axes beside them."""
    axes = [[(axis, value) for value in values] for axis, values in matrix.axes.items()]
    return [{**row, **dict(cell)} for row in (matrix.rows or ({},)) for cell in itertools.product(*axes)]


def expand(matrix: Matrix) -> list[dict[str, Any]]:
    """The cells of the matrix in a stable order, each once.

    `include` adds its keys to every cell whose own axes it does not contradict, and makes a
    new cell where it fits none; cells that it made are not extended by a later one.
    """
    rows = [row for row in product(matrix) if not excluded(row, matrix.exclude)]
    original = set(matrix.axes).union(*(row for row in matrix.rows)) if rows else set()
    count = len(rows) if original else 0
    for include in matrix.include:
        fitting = [
            row
            for row in rows[:count]
            if all(k not in original or matches(v, row.get(k)) for k, v in include.items())
        ]
        for row in fitting:
            row.update({key: value for key, value in include.items() if key not in original})
        if not fitting:
            rows.append(dict(include))
    if matrix.include and not original:
        rows = rows[1:]  # a matrix of `include` alone has no empty cell
    return _unique([{key: _frozen(value) for key, value in row.items()} for row in rows])


def excluded(row: Row, conditions: Sequence[Condition]) -> bool:
    """Whether any of the conditions excludes this cell."""
    return any(condition.holds(row) for condition in conditions)


def row_id(row: Row) -> str:
    """The readable, stable name of a cell: `staticlib,dylib-prefer_dynamic-lto=fat`.

    The crate types stand alone, a true axis by its name, a false one is left out; whatever
    would confuse a shell, pytest's `-k` or its `::` becomes an underscore.
    """
    parts = (_part(axis, value) for axis, value in row.items())
    return "-".join(part for part in parts if part)


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


def _unique(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = {}
    for row in rows:
        seen.setdefault(repr(sorted(row.items(), key=lambda item: item[0])), row)
    return list(seen.values())
