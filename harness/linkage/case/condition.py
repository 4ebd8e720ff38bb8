"""Conditions on a cell of the matrix, for `when` and `exclude`.

`toolchain` is not an axis, but a condition can limit it like one: the compiler that builds the cell; and
likewise `other-toolchain`, the compiler of the steps with `toolchain: other`.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import Field, StrictStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Model, Scalar
from linkage.toolchain.version import RustcVersion, VersionRange

COMPILER = "toolchain"
"""The key of a cell's compiler version, and the key that limits it in a condition."""

OTHER_COMPILER = "other-toolchain"
"""Likewise of the compiler of the steps with `toolchain: other`; in a matrix, the axis that names it."""

LIST_AXES = "list-axes"
"""In the context of a validation: the axes that have lists among their values."""

AxisValue = Scalar | tuple[Scalar, ...] | None | Mapping[str, Any]
MatrixRow = Mapping[str, Any]


class Condition(Model):
    """Axes and their values; all of them must match.

    A list names alternatives; on an axis that has lists among its values, it is one of these, in its order.
    One value matches a list that contains it.
    """

    model_config = {"extra": "allow"}

    not_: "Condition | None" = Field(default=None, alias="not")
    any: tuple["Condition", ...] = ()
    toolchain: StrictStr | None = None
    """A range of compilers."""
    other_toolchain: StrictStr | None = None
    """A range of compilers, of the steps with `toolchain: other`."""
    shorthand = ({"type": "string"},)

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        if isinstance(data, str):
            return {data: True}
        if not isinstance(data, dict):
            return data
        whole = (info.context or {}).get(LIST_AXES, frozenset())
        return {
            key: tuple(value)
            if key == "any" and isinstance(value, list)
            else [value]
            if key in whole and _is_list(value) and not any(map(_is_list, value))
            else value
            for key, value in data.items()
        }

    @field_validator("toolchain", "other_toolchain")
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
        if not (self.axes or self.any or self.not_ or self.toolchain or self.other_toolchain):
            raise PydanticCustomError(
                "no_axis", "a condition must name an axis", {"help": "write it as `{lto: fat}`"}
            )
        return self

    @property
    def axes(self) -> dict[str, Any]:
        """The axes that this condition names itself, without those under `not` and `any`."""
        return dict(self.__pydantic_extra__ or {})

    def names(self) -> set[str]:
        """Every axis that it names, at any depth."""
        inner = [*self.any, *([self.not_] if self.not_ else [])]
        return set(self.axes).union(*(condition.names() for condition in inner))

    def ranges(self) -> Iterator[str]:
        """Every range of compilers that it names, at any depth."""
        yield from (one.toolchain for one in self._parts() if one.toolchain is not None)

    def other_ranges(self) -> Iterator[str]:
        """Every range that it names of the compilers of steps with `toolchain: other`, at any depth."""
        yield from (one.other_toolchain for one in self._parts() if one.other_toolchain is not None)

    def _parts(self) -> "Iterator[Condition]":
        yield self
        for inner in (*self.any, *([self.not_] if self.not_ else [])):
            yield from inner._parts()  # noqa: SLF001 - its own class

    def holds(self, row: MatrixRow) -> bool:
        """Whether this cell matches. An axis that the cell does not have matches nothing."""
        return (
            (self.toolchain is None or _in_range(self.toolchain, row.get(COMPILER)))
            and (self.other_toolchain is None or _in_range(self.other_toolchain, row.get(OTHER_COMPILER)))
            and all(axis in row and matches(expected, row[axis]) for axis, expected in self.axes.items())
            and not (self.not_ is not None and self.not_.holds(row))
            and (not self.any or any(condition.holds(row) for condition in self.any))
        )


def _in_range(versions: str, compiler: object) -> bool:
    return isinstance(compiler, RustcVersion) and _parsed(versions).contains(compiler)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> VersionRange:
    return VersionRange.parse(text)


def matches(expected: Any, actual: Any) -> bool:  # noqa: ANN401 - an axis's value is what its author wrote
    """Whether an axis's value matches a condition's: a list has alternatives, a list in it is one value."""
    if _is_list(expected):
        return any(same(one, _listed(actual)) if _is_list(one) else matches(one, actual) for one in expected)
    expected, actual = _named(expected), _named(actual)
    return any(same(expected, one) for one in actual) if _is_list(actual) else same(expected, actual)


def same_cell(one: MatrixRow, other: MatrixRow) -> bool:
    """Whether two cells have the same values; a value with a name may be given by it."""
    return one.keys() == other.keys() and all(same(_named(one[axis]), _named(other[axis])) for axis in one)


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _listed(value: Any) -> Any:  # noqa: ANN401 - as above
    return value if _is_list(value) else [value]


def _named(value: Any) -> Any:  # noqa: ANN401 - as above
    return value.get("name") if isinstance(value, Mapping) else value


def same(one: object, other: object) -> bool:
    """Whether two values of an axis are equal; unlike in Python, true is not 1."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other
