"""Recipes: how to link, to compile C and to run for a target other than the host. Pure data.

`targets.yaml` beside this file has them; a user's `linkage.toml` or `pyproject.toml` adds some before them.
"""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

RUST_LLD = "rust-lld"
"""As a recipe's program: the toolchain's own linker, which is in no folder of PATH."""
LINK, LINK_BARE, CC, CXX, RUN = "link", "link-bare", "cc", "cxx", "run"
"""What a step needs for a foreign target: a linker, for crates with a library or for those without one; the C
or C++ compiler; a runner."""

_VARIABLE = re.compile(r"\$\{([a-z-]+)\}")
KNOWN = frozenset({"target", "libraries", "cache", "python", "scripts"})
"""Variables of every recipe; `libraries` is known only when a program is run."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
    )


class Recipe(_Part):
    """What every recipe has."""

    name: str = Field(min_length=1)
    targets: tuple[str, ...] = ()
    """Globs over triples."""
    each: dict[str, dict[str, str]] = {}
    """In place of `targets`: globs over triples, each with values for the recipe's variables."""
    program: str = Field(min_length=1)
    """Looked for on PATH, or `rust-lld`."""
    arguments: tuple[str, ...] = ()
    package: str = ""
    """What has the program, for the reason of a skip."""

    @model_validator(mode="after")
    def _has_targets(self) -> Self:
        if bool(self.targets) == bool(self.each):
            raise ValueError("needs either `targets` or `each`")
        for values in self.each.values() or ({},):
            unknown = sorted(set(_variables(self.model_dump(exclude={"each"}))) - KNOWN - set(values))
            if unknown:
                raise ValueError(f"`${{{unknown[0]}}}` has no value")
        return self

    def for_target(self, triple: str) -> Self | None:
        """The recipe with its variables filled in; None if it is not for this target."""
        if any(fnmatch.fnmatchcase(triple, pattern) for pattern in self.targets):
            return self.filled({"target": triple})
        for pattern, values in self.each.items():
            if fnmatch.fnmatchcase(triple, pattern):
                return self.filled({"target": triple, **values})
        return None

    def filled(self, values: Mapping[str, str]) -> Self:
        """The recipe with these variables filled in."""
        return self.model_copy(
            update={
                name: _filled(getattr(self, name), values) for name in set(type(self).model_fields) - {"each"}
            }
        )


class LinkerRecipe(Recipe):
    """How rustc links for a target."""

    crates: Literal["any", "no-core"] = "any"
    """`no-core`: only what needs no library of its target."""
    flavor: str = ""
    """`-Clinker-flavor`; without it rustc takes the program's name for it, or its own default."""
    library_arguments: tuple[str, ...] = ()
    """Flags of rustc for libraries alone."""
    program_arguments: tuple[str, ...] = ()
    """Flags of rustc for programs alone."""

    @property
    def is_default(self) -> bool:
        """Whether rustc does this without being told."""
        return self.program == RUST_LLD and not self.flavor and not self.arguments

    def flags(self, *, program: bool, library: bool) -> tuple[str, ...]:
        """The flags of rustc for a step that links programs or libraries. One that links both gets neither's
        own arguments.
        """
        chosen = () if self.is_default else (f"-Clinker={self.program}",)
        flavor = (f"-Clinker-flavor={self.flavor}",) if self.flavor else ()
        extra = self.program_arguments if program and not library else ()
        extra += self.library_arguments if library and not program else ()
        return (*chosen, *flavor, *self.arguments, *extra)


class CompilerRecipe(Recipe):
    """The C and the C++ compiler for a target."""

    cxx: str = ""
    libraries: tuple[str, ...] = ()
    """What a staticlib with std needs."""


class RunnerRecipe(Recipe):
    """What runs a target's programs: the program, its arguments, then the built program."""

    env: dict[str, str] = {}
    library_arguments: tuple[str, ...] = ()
    """Arguments with `${libraries}`, the folders in which the loader looks for libraries."""
    in_sandbox: bool = True
    """Whether it works in a sandbox, where only the working folder is writable."""
    folders: tuple[str, ...] = ()
    """More folders with libraries of the target, as globs over absolute paths."""
    separator: str = ":"
    """Divides these folders."""
    probe: tuple[str, ...] = ()
    """A program of the target with its arguments that ends with 0, to see whether the runner works."""
    probe_module: bool = False
    """Whether a small WebAssembly module is run for it instead."""

    @model_validator(mode="after")
    def _is_probed(self) -> Self:
        if bool(self.probe) == self.probe_module:
            raise ValueError("needs either `probe` or `probe-module`: a runner is seen to run something")
        return self


class TargetRecipes(_Part):
    """All recipes, in the order in which they are tried."""

    linkers: tuple[LinkerRecipe, ...] = ()
    compilers: tuple[CompilerRecipe, ...] = ()
    runners: tuple[RunnerRecipe, ...] = ()
    loader_variables: dict[str, str] = {}
    """The variable for the loader's search path, by operating system."""

    def before(self, others: "TargetRecipes") -> "TargetRecipes":
        """These recipes, then others."""
        return TargetRecipes(
            linkers=self.linkers + others.linkers,
            compilers=self.compilers + others.compilers,
            runners=self.runners + others.runners,
            loader_variables={**others.loader_variables, **self.loader_variables},
        )

    def of(self, need: str, triple: str) -> Iterator[Recipe]:
        """The recipes for what a step needs for a target, in order."""
        table: tuple[Recipe, ...] = {RUN: self.runners, CC: self.compilers, CXX: self.compilers}.get(
            need, self.linkers
        )
        for recipe in table:
            if isinstance(recipe, LinkerRecipe) and recipe.crates == "no-core" and need == LINK:
                continue
            found = recipe.for_target(triple)
            if found is not None and not (
                isinstance(found, CompilerRecipe) and need == CXX and not found.cxx
            ):
                yield found


@dataclass(frozen=True)
class ForeignTools:
    """The recipes that a variant uses, by target and need, and how loaders are told of libraries."""

    recipes: Mapping[tuple[str, str], Recipe]
    loader_variables: Mapping[str, str]

    def linker(self, triple: str | None, *, bare: bool) -> LinkerRecipe | None:
        """How to link for a target; None for the default of rustc."""
        found = self.recipes.get((triple or "", LINK_BARE if bare else LINK))
        return found if isinstance(found, LinkerRecipe) else None

    def compiler(self, triple: str | None, need: str = CC) -> CompilerRecipe | None:
        """The C or C++ compiler for a target; None for the machine's own."""
        found = self.recipes.get((triple or "", need))
        return found if isinstance(found, CompilerRecipe) else None

    def runner(self, triple: str | None) -> RunnerRecipe | None:
        """What runs programs of a target; None if they run by themselves."""
        found = self.recipes.get((triple or "", RUN))
        return found if isinstance(found, RunnerRecipe) else None


NO_TOOLS = ForeignTools({}, {})
T = TypeVar("T")


def _filled(value: T, values: Mapping[str, str]) -> T:
    result: Any = value
    if isinstance(value, str):
        result = _VARIABLE.sub(lambda found: values.get(found[1], found[0]), value)
    elif isinstance(value, tuple):
        result = tuple(_filled(one, values) for one in value)
    elif isinstance(value, dict):
        result = {key: _filled(one, values) for key, one in value.items()}
    return result  # type: ignore[no-any-return]


def _variables(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _VARIABLE.findall(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _variables(one)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _variables(one)
