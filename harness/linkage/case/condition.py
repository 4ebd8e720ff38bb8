"""Conditions on a cell of the matrix: `when`, `exclude` and a known bug's `when` share them.

`toolchain` is no axis, but stands in a condition as one: the compiler that the cell is built with.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import Field, StrictStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Model, Scalar
from linkage.toolchain.version import RustcVersion, VersionRange

COMPILER = "toolchain"
"""The key of a cell that holds the version of its compiler, and a condition's that limits it."""

AxisValue = Scalar | tuple[Scalar, ...] | None | Mapping[str, Any]
MatrixRow = Mapping[str, Any]


class Condition(Model):
    """Axes and the values that are meant; all of them must hold.

    A list names alternatives, but for an axis whose values are lists (`crate-type`) it names
    the whole list. One value against a list asks whether it is among them.
    """

    model_config = {"extra": "allow"}

    not_: "Condition | None" = Field(default=None, alias="not")
    any: tuple["Condition", ...] = ()
    toolchain: StrictStr | None = None
    """A range of compilers."""
    shorthand = ({"type": "string"},)

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any) -> Any:  # noqa: ANN401
        if isinstance(data, str):
            return {data: True}
        if isinstance(data, dict) and isinstance(data.get("any"), list):
            return {**data, "any": tuple(data["any"])}
        return data

    @field_validator("toolchain")
    @classmethod
    def _range(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                _parsed(text)
            except ValueError as error:
                raise PydanticCustomError("range", "{why}", {"why": str(error)}) from None
        return text

    @model_validator(mode="after")
    def _names_something(self) -> "Condition":
        if not (self.axes or self.any or self.not_ or self.toolchain):
            raise PydanticCustomError(
                "no_axis", "this condition names no axis", {"help": "write it as `{lto: fat}`"}
            )
        return self

    @property
    def axes(self) -> dict[str, Any]:
        """The axes that this condition itself names, without those under `not` and `any`."""
        return dict(self.__pydantic_extra__ or {})

    def names(self) -> set[str]:
        """Every axis that it names, at any depth."""
        inner = [*self.any, *([self.not_] if self.not_ else [])]
        return set(self.axes).union(*(condition.names() for condition in inner))

    def ranges(self) -> Iterator[str]:
        """Every range of compilers that it names, at any depth."""
        if self.toolchain is not None:
            yield self.toolchain
        for inner in (*self.any, *([self.not_] if self.not_ else [])):
            yield from inner.ranges()

    def holds(self, row: MatrixRow) -> bool:
        """Whether this cell is meant. An axis that the cell lacks matches nothing."""
        return (
            (self.toolchain is None or _built_by(self.toolchain, row))
            and all(axis in row and matches(expected, row[axis]) for axis, expected in self.axes.items())
            and not (self.not_ is not None and self.not_.holds(row))
            and (not self.any or any(condition.holds(row) for condition in self.any))
        )


def _built_by(versions: str, row: MatrixRow) -> bool:
    compiler = row.get(COMPILER)
    return isinstance(compiler, RustcVersion) and _parsed(versions).contains(compiler)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> VersionRange:
    return VersionRange.parse(text)


def matches(expected: Any, actual: Any) -> bool:  # noqa: ANN401 - an axis's value is what its author wrote
    """Whether an axis's value is one that a condition means."""
    if isinstance(actual, Mapping):
        actual = actual.get("name")
    if isinstance(expected, Mapping):
        expected = expected.get("name")
    if isinstance(actual, (list, tuple)):
        if isinstance(expected, (list, tuple)):
            return sorted(map(repr, expected)) == sorted(map(repr, actual))
        return expected in actual
    if isinstance(expected, (list, tuple)):
        return any(same(one, actual) for one in expected)
    return same(expected, actual)


def same(one: object, other: object) -> bool:
    """Whether two values of an axis are the same one; true is not 1, as Python's == would say."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other
