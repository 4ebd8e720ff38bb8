"""Variables of a case, `${…}`: the matrix's axes, the toolchain's places, captured streams, symbol groups."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from linkage.case.document import Data, KeyPath

REFERENCE = re.compile(r"(?<!\$)\$\{([^{}]*)\}")
CAPTURED = re.compile(r"\$\{captured\.([^}]+)\}")
"""A stream that an earlier step captured."""
LATER = frozenset({"work", "sysroot", "libdir", "target", "host"})
"""Known only when a variant is planned: its working folder, and the toolchain's places."""
REFERRING = ("env", "steps", "claims")
"""The parts of a case in which a variable must be known; a source's text may hold any `${…}`."""


class UnknownVariableError(Exception):
    """A `${name}` that nothing defines, with its place in the data."""

    def __init__(self, name: str, path: KeyPath) -> None:
        self.name = name
        self.path = path
        super().__init__(name)


class RepeatedKeyError(Exception):
    """Two keys of a mapping that are one with a cell's values, and the place of the second."""

    def __init__(self, first: str, second: str, path: KeyPath) -> None:
        self.keys = first, second
        self.path = path
        super().__init__(first)


def references(data: Data, path: KeyPath = ()) -> Iterator[tuple[str, KeyPath]]:
    """Every variable that the data refers to, and where."""
    if isinstance(data, str):
        for match in REFERENCE.finditer(data):
            yield match[1], path
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from references(item, (*path, index))
    elif isinstance(data, dict):
        for key, item in data.items():
            yield from ((name, path) for name, _ in references(key))
            yield from references(item, (*path, key))


def substitute(data: Data, row: Mapping[str, Any], known: frozenset[str], path: KeyPath = ()) -> Data:
    """The data with the axes' values in place; variables in `known` are left as they are.

    A text that is one reference becomes the value itself. In a list it is spliced if the value
    is a list, and dropped if the value is empty. Raises UnknownVariableError and RepeatedKeyError.
    """
    if isinstance(data, str):
        whole = REFERENCE.fullmatch(data)
        if whole and not _later(whole[1], known):
            return _plain(_look_up(whole[1], row, path))
        return REFERENCE.sub(lambda m: m[0] if _later(m[1], known) else text(_look_up(m[1], row, path)), data)
    if isinstance(data, list):
        return list(_elements(data, row, known, path))
    if isinstance(data, dict):
        keys: dict[str, str] = {}
        for key in data:
            new = str(substitute(key, row, known, path)) if "${" in key else key
            if (first := keys.setdefault(new, key)) != key:
                raise RepeatedKeyError(first, key, (*path, key))
        return {new: substitute(data[key], row, known, (*path, key)) for new, key in keys.items()}
    return data


def _elements(
    data: list[Data], row: Mapping[str, Any], known: frozenset[str], path: KeyPath
) -> Iterator[Data]:
    for index, item in enumerate(data):
        value = substitute(item, row, known, (*path, index))
        was_reference = isinstance(item, str) and REFERENCE.fullmatch(item)
        if was_reference and isinstance(value, list):
            yield from value
        elif not (was_reference and value in (None, "")):
            yield value


def _later(name: str, known: frozenset[str]) -> bool:
    return name in known or name in LATER or name.startswith("captured.")


def _look_up(name: str, row: Mapping[str, Any], path: KeyPath) -> Any:  # noqa: ANN401 - an axis's value
    if name in row:
        return row[name]
    axis, dot, key = name.partition(".")
    if dot and isinstance(row.get(axis), Mapping) and key in row[axis]:
        return row[axis][key]
    raise UnknownVariableError(name, path)


def text(value: Any) -> str:  # noqa: ANN401 - an axis's value
    """An axis's value inside a longer text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return text(value.get("name"))
    if isinstance(value, (list, tuple)):
        return ",".join(text(item) for item in value)
    return "" if value is None else str(value)


def _plain(value: Any) -> Data:  # noqa: ANN401 - an axis's value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return text(value)
    return value  # type: ignore[no-any-return]
