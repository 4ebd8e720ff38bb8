"""A case as it was read: what its file says, its cells, and where each part of it stands."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from linkage.case.condition import OTHER_COMPILER
from linkage.case.document import Document, KeyPath
from linkage.case.matrix import MatrixCell, excluded_cells, expand, row_id
from linkage.case.mini_core import mini_core_sources
from linkage.case.model import CaseModel
from linkage.case.other_toolchain import uses_other
from linkage.case.source_files import CrateSources, source_files
from linkage.case.variables import REFERENCE, text
from linkage.errors import Position


@dataclass(frozen=True)
class Case:
    """One case file, validated."""

    file: Path
    name: str
    """The file as messages and node ids show it."""
    model: CaseModel
    document: Document = field(repr=False)

    @property
    def folder(self) -> Path:
        """The folder that holds its sources; nothing outside it is read."""
        return self.file.parent

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """The cells of its matrix."""
        return tuple(expand(self.model.matrix))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The cells' readable names, in the order of `rows`."""
        return tuple(row_id(row) for row in self.rows)

    def only(self, names: Collection[str]) -> "Case":
        """The same case with these of its cells."""
        found = replace(self)
        vars(found)["rows"] = tuple(
            row for row, name in zip(self.rows, self.ids, strict=True) if name in names
        )
        return found

    def for_targets(self, triples: Collection[str]) -> "Case":
        """The case with its cells for these targets; if no cell has a target, they become an axis."""
        found = replace(self)
        rows = [row for row in self.rows if text(row.get("target")) in triples]
        if not any(row.get("target") for row in self.rows):
            rows = [_with(row, "target", triple) for triple in dict.fromkeys(triples) for row in self.rows]
        vars(found)["rows"] = tuple(rows)
        return found

    @property
    def pairs_toolchains(self) -> bool:
        """Whether a cell has a step with `toolchain: other`, and no cell says which one that is."""
        return any(self._lacks_other(row) for row in self.rows)

    def with_others(self, names: Iterable[str]) -> "Case":
        """The case with each cell that has a step with `toolchain: other` once for each of these."""
        listed = tuple(dict.fromkeys(names))
        if not listed or not self.pairs_toolchains:
            return self
        found = replace(self)
        vars(found)["rows"] = tuple(
            one
            for row in self.rows
            for one in (
                [_with(row, OTHER_COMPILER, name) for name in listed] if self._lacks_other(row) else [row]
            )
        )
        return found

    def _lacks_other(self, row: Mapping[str, Any]) -> bool:
        return OTHER_COMPILER not in row and uses_other(self.model, row)

    @cached_property
    def excluded(self) -> tuple[tuple[str, Position], ...]:
        """The cells that `exclude` removes, by name, each with the position of the condition that does."""
        cells = excluded_cells(self.model.matrix)
        return tuple((name, self.document.value(("matrix", "exclude", index))) for name, index in cells)

    @cached_property
    def sources(self) -> CrateSources:
        """Its sources, for what they say of their crates."""
        mini = mini_core_sources() if self.model.mini_core is not None else {}
        return CrateSources({**mini, **self.model.sources}, self.folder)

    @cached_property
    def digest(self) -> str:
        """A hash of its file and its sources, which tells whether an older result is about the same case."""
        digest = blake2b(digest_size=16)
        names = {REFERENCE.sub("*", name) for name, _ in source_files(self.model)}
        beside = {file for name in names for file in _files(self.folder, name)}
        for file in sorted({self.file, *beside}):
            digest.update(f"{file.relative_to(self.folder)}\0".encode("utf-8", "surrogateescape"))
            with suppress(OSError):
                digest.update(blake2b(file.read_bytes()).digest())
        if self.model.mini_core is not None:
            digest.update(repr(mini_core_sources()).encode())
        return digest.hexdigest()

    def position(self, path: KeyPath) -> Position:
        """The position of the key at `path` in the file."""
        return self.document.key(path)


def _with(row: Mapping[str, Any], axis: str, value: str) -> MatrixCell:
    """A cell with one more axis; the cell of the matrix that it was made from is noted."""
    added = {axis: value}
    name = row_id(row)
    return MatrixCell({**row, **added}, "-".join(filter(None, (name, row_id(added)))), name)


def _files(folder: Path, name: str) -> Iterator[Path]:
    """The files that a source's name means; an axis in the name may be any text."""
    with suppress(ValueError, NotImplementedError, OSError):  # the name is not a valid pattern
        for found in folder.glob(name) if "*" in name else [folder / name]:
            yield from (file for file in (found.rglob("*") if found.is_dir() else [found]) if file.is_file())
