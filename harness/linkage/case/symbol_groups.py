"""Symbol groups: names that change between compilers.

They are in `symbol_groups.yaml` beside this file; a pattern can be limited to a version range.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from linkage.case import document

if TYPE_CHECKING:
    from linkage.toolchain.version import RustcVersion


RENAMED = re.compile(r"\.rs[0-9a-f]{16}$")
"""What -Zstaticlib-rename-internal-symbols (since 1.98) appends to the names of Rust's own symbols in a
staticlib: a symbol is of a group with and without it.
"""


@dataclass(frozen=True, slots=True)
class GroupSpelling:
    """Patterns of a group's names, on a range of toolchains."""

    patterns: tuple[str, ...]
    toolchains: str | None


@dataclass(frozen=True, slots=True)
class SymbolGroup:
    """A symbol group: what it is, and how compilers spell its names."""

    name: str
    description: str
    spellings: tuple[GroupSpelling, ...]

    def patterns(self, version: "RustcVersion") -> tuple[str, ...]:
        """The patterns of its names as this compiler spells them."""
        from linkage.toolchain.version import VersionRange  # noqa: PLC0415 - reading a case needs no versions

        return tuple(
            pattern
            for spelling in self.spellings
            if spelling.toolchains is None or VersionRange.parse(spelling.toolchains).contains(version)
            for pattern in spelling.patterns
        )


@cache
def groups() -> dict[str, SymbolGroup]:
    """Every group by its name."""
    text = files("linkage.case").joinpath("symbol_groups.yaml").read_text(encoding="utf-8")
    data = document.parse(text, "symbol_groups.yaml").data
    assert isinstance(data, dict)  # noqa: S101 - our own file, read in every test
    return {name: _group(name, entry) for name, entry in data.items()}


def _group(name: str, entry: document.Data) -> SymbolGroup:
    assert isinstance(entry, dict)  # noqa: S101 - our own file, read in every test
    spellings = entry["names"]
    assert isinstance(spellings, list)  # noqa: S101 - our own file, read in every test
    return SymbolGroup(name, str(entry["description"]), tuple(_spelling(one) for one in spellings))


def _spelling(entry: document.Data) -> GroupSpelling:
    if isinstance(entry, str):
        return GroupSpelling((entry,), None)
    assert isinstance(entry, dict)  # noqa: S101 - our own file, read in every test
    patterns = entry["patterns"]
    listed = patterns if isinstance(patterns, list) else [patterns]
    return GroupSpelling(
        tuple(str(one) for one in listed), str(entry["toolchains"]) if "toolchains" in entry else None
    )


GROUP_NAMES = frozenset(groups())
