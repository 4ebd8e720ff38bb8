"""Conditions on a cell of the matrix: `when`, `exclude` and a known bug's `when` share them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from harness.case.base import Model, Scalar

AxisValue = Scalar | tuple[Scalar, ...] | None | Mapping[str, Any]
Row = Mapping[str, Any]


class Condition(Model):
    """Axes and the values that are meant; all of them must hold.

    A list names alternatives, but for an axis whose values are lists (`crate-type`) it names
    the whole list. One value against a list asks whether it is among them.
    """

    model_config = {"extra": "allow"}

    not_: "Condition | None" = Field(default=None, alias="not")
    any: tuple["Condition", ...] = ()
    shorthand = ({"type": "string"},)

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any) -> Any:  # noqa: ANN401
        if isinstance(data, str):
            return {data: True}
        if isinstance(data, dict) and isinstance(data.get("any"), list):
            return {**data, "any": tuple(data["any"])}
        return data

    @model_validator(mode="after")
    def _names_something(self) -> "Condition":
        if not (self.axes or self.any or self.not_):
            raise PydanticCustomError(
                "no_axis", "this condition names no axis", {"mend": "write it as `{lto: fat}`"}
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

    def holds(self, row: Row) -> bool:
        """Whether this cell is meant. An axis that the cell lacks matches nothing."""
        return (
            all(axis in row and matches(expected, row[axis]) for axis, expected in self.axes.items())
            and not (self.not_ is not None and self.not_.holds(row))
            and (not self.any or any(condition.holds(row) for condition in self.any))
        )


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
