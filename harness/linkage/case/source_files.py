"""The source files that a case's steps name, and what they say of their crates."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from linkage.case import steps
from linkage.case.document import KeyPath
from linkage.case.model import CaseModel
from linkage.case.variables import REFERENCE, substitute, text


class NamedSource(NamedTuple):
    """A source that a step names."""

    name: str
    path: KeyPath
    """Where in the step it is named."""
    makeable: bool
    """Whether an earlier step may make it."""


def source_files(model: CaseModel) -> Iterator[tuple[str, KeyPath]]:
    """Every source that the case names, and where."""
    for index, name in enumerate(model.files):
        yield name, ("files", index)
    for step, path in steps.every_step(model.steps, ("steps",)):
        yield from ((source.name, (*path, *source.path)) for source in named_sources(step))


def named_sources(step: steps.Step) -> Iterator[NamedSource]:
    """The sources that one step names."""
    yield from (NamedSource(name, path, makeable=True) for name, path in step.sources())
    if isinstance(step, steps.ProcessStep):
        for stream in ("stdout", "stderr"):
            text = getattr(step, stream)
            if text is not None and text.file is not None:
                yield NamedSource(text.file, (stream, "file"), makeable=False)


class CrateSources:
    """The sources of a case, in it or beside it, as each cell of its matrix sees them."""

    def __init__(self, inline: Mapping[str, str], folder: Path) -> None:
        self._inline = inline
        self._folder = folder
        self._read = lru_cache(_beside)

    def text(self, name: str, row: Mapping[str, Any]) -> str:
        """A source; empty if there is none, or if it is not text."""
        content = self._inline.get(name)
        return self._read(self._folder / name) if content is None else concrete(content, row)


def concrete(content: str, row: Mapping[str, Any]) -> str:
    """An inline source with the axes of a cell in place; any other `${…}` stays as it is."""
    if "${" not in content:
        return content
    known = frozenset(ref[1] for ref in REFERENCE.finditer(content) if ref[1].partition(".")[0] not in row)
    # The NUL keeps a text that is one reference a text, whatever the axis's value is.
    return text(substitute(f"{content}\0", row, known)).removesuffix("\0").replace("$${", "${")


def _beside(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(_HEAD)
    except (OSError, ValueError):
        return ""


_HEAD = 1 << 16
"""Characters of a source in which its crate's attributes are looked for."""
