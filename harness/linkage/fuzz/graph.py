"""A generated crate graph: frozen data, from which its sources, its cases and its answers follow. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

SHARED = ("cdylib", "dylib")
LINKABLE = ("rlib", "dylib")
"""The crate types that a Rust crate can depend on."""


@dataclass(frozen=True, slots=True, order=True)
class GraphEdge:
    """A dependency, and how it is given to rustc."""

    crate: int
    how: str = "rlib"
    """`rlib`, `dylib` or `rmeta` by `--extern`, or `search`: found through `-L` alone."""


@dataclass(frozen=True, slots=True, order=True)
class GraphCrate:
    """One crate of a graph."""

    types: tuple[str, ...]
    """Its crate types, in the order of the command line."""
    edges: tuple[GraphEdge, ...] = ()
    contents: tuple[str, ...] = ()
    flags: tuple[tuple[str, str], ...] = ()
    halves: str = ""
    """Empty if it is built in one step; else how the second of two halves is called: `again` with the same
    flags, `bare` without them, `elsewhere` with an output folder of its own.
    """

    def flag(self, name: str) -> str | None:
        """A flag's value, if it is given."""
        return next((value for flag, value in self.flags if flag == name), None)

    def with_flag(self, name: str, value: str | None) -> "GraphCrate":
        """The crate with another value of a flag, or without the flag."""
        rest = tuple((flag, old) for flag, old in self.flags if flag != name)
        added = () if value is None else ((name, value),)
        return replace(self, flags=tuple(sorted((*rest, *added))))

    @property
    def shared(self) -> str | None:
        """The crate type of its shared library; of two, which have one file name, the later one."""
        return next((kind for kind in reversed(self.types) if kind in SHARED), None)


@dataclass(frozen=True, slots=True, order=True)
class Graph:
    """A crate graph. A crate depends on earlier ones only; the last one is what is used."""

    crates: tuple[GraphCrate, ...]
    std: bool = True
    """Whether the crates use std; else only core, and the first crate has what every program needs."""
    panic: str = "unwind"

    @property
    def last(self) -> int:
        return len(self.crates) - 1

    def name(self, crate: int) -> str:
        """A crate's name."""
        return f"k{crate}"

    def below(self, crate: int) -> tuple[int, ...]:
        """The crates that a crate needs, and itself, in the order in which they are built."""
        found = {crate}
        for index in range(crate, -1, -1):
            if index in found:
                found |= {edge.crate for edge in self.crates[index].edges}
        return tuple(sorted(found))

    def invalid(self) -> str | None:
        """Why it is not a graph that this model describes; None if it is one."""
        return next(self._mistakes(), None)

    def _mistakes(self) -> Iterator[str]:
        if not self.crates:
            yield "no crate"
        for index, crate in enumerate(self.crates):
            name = self.name(index)
            if not crate.types or len(set(crate.types)) != len(crate.types):
                yield f"{name}: no crate type, or one twice"
            if "bin" in crate.types and (len(crate.types) > 1 or index != self.last):
                yield f"{name}: a program beside others"
            used = [edge.crate for edge in crate.edges]
            if len(set(used)) != len(used) or any(not 0 <= one < index for one in used):
                yield f"{name}: depends on itself, on a later crate, or on one twice"
            for edge in crate.edges:
                types = self.crates[edge.crate].types
                wanted = {"rmeta": ("rlib",), "search": LINKABLE}.get(edge.how, (edge.how,))
                if not any(kind in types for kind in wanted):
                    yield f"{name}: {self.name(edge.crate)} is not built as {edge.how}"
                if edge.how == "rmeta" and crate.types != ("rlib",):
                    yield f"{name}: links, and has only the metadata of {self.name(edge.crate)}"
            if not self.std and index and 0 not in self.below(index):
                yield f"{name}: without std, and does not depend on k0"
