"""`mini-core`: three small crates in place of core, alloc and std, for targets that have no library.

They are `#![no_core]`, so a compiler alone builds them for every target that it knows. Their sources are in
`mini-core/` beside this file, and come into the working folder under the same names.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictStr, model_validator

from linkage.case.base import Model, listed
from linkage.case.condition import COMPILER, Condition
from linkage.case.steps import RustcStep
from linkage.toolchain.release import RustcVersion
from linkage.toolchain.version import VersionRange

KEY = "mini-core"
RANGE = ">=1.94"
"""The compilers whose language items the crates have."""
_HAS_DROP_GLUE = VersionRange.parse(">=1.97")
_CRATES = ("core", "alloc", "std")


class MiniCore(Model):
    """Which cells use the crates, and what the one that stands for std is built as."""

    when: Condition | None = None
    std: Annotated[tuple[StrictStr, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])] = (
        Field(default=("rlib",), min_length=1)
    )
    """`[rlib, dylib]`: there is a dynamic library for -Cprefer-dynamic, too."""
    shorthand = ({"const": True},)

    @model_validator(mode="before")
    @classmethod
    def _true_means_all(cls, data: Any) -> Any:  # noqa: ANN401
        return {} if data is True else data

    def used_in(self, row: Mapping[str, Any]) -> bool:
        """Whether a cell uses the crates."""
        return self.when is None or self.when.holds(row)


@cache
def mini_core_sources() -> Mapping[str, str]:
    """The sources by their names in the working folder."""
    folder = files(__package__).joinpath(KEY)
    return {f"{KEY}/{name}.rs": folder.joinpath(f"{name}.rs").read_text(encoding="utf-8") for name in _CRATES}


def mini_core_steps(asked: MiniCore, row: Mapping[str, Any]) -> Iterator[RustcStep]:
    """The steps that build the crates in a cell, in order; none if it does not use them."""
    if not asked.used_in(row):
        return
    compiler = row.get(COMPILER)
    glue = isinstance(compiler, RustcVersion) and _HAS_DROP_GLUE.contains(compiler)
    for crate in _CRATES:
        keys = {
            "rustc": f"{KEY}/{crate}.rs",
            "id": f"mini_{crate}",
            "axes": ["target"],
            "crate-type": list(asked.std) if crate == "std" else ["rlib"],
            "cfg": ["drop_glue"] if glue and crate == "core" else [],
            "unstable": True,
        }
        yield RustcStep.model_validate(keys)
