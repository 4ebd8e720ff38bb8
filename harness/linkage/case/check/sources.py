"""The sources that steps name: beside the case, in it, or made by an earlier step; never outside.

The only look that reading a case takes at the disk: which of them are there.
"""

import os
from collections.abc import Iterator
from pathlib import Path as FilePath

from linkage.case import steps
from linkage.case.base import suggest
from linkage.case.check.cells import Cells
from linkage.case.check.outputs import Made
from linkage.case.check.steps import every_step
from linkage.case.document import Document, Path
from linkage.case.model import CaseModel
from linkage.errors import CaseError

_SOURCE_SUFFIXES = (".rs", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp")
_OUTSIDE = "keep the file beside the case"


def source_files(model: CaseModel) -> Iterator[tuple[str, Path]]:
    """Every source beside the case that the steps name, and where."""
    for index, name in enumerate(model.files):
        yield name, ("files", index)
    for step, path in every_step(model.steps, ("steps",)):
        yield from ((name, (*path, *part)) for name, part, _ in _named(step))


def _named(step: steps.Step) -> Iterator[tuple[str, Path, bool]]:
    """The sources that a step names, where in it, and whether an earlier step may make them."""
    if isinstance(step, steps.RustcStep) and step.rustc not in (None, "-"):
        yield step.rustc, ("rustc",), True
    if isinstance(step, steps.CxxStep):
        yield from ((name, ("cxx", i), True) for i, name in enumerate(step.cxx))
    elif isinstance(step, steps.CcStep):
        yield from ((name, ("cc", i), True) for i, name in enumerate(step.cc))
    if isinstance(step, steps.ProcessStep):
        for stream in ("stdout", "stderr"):
            text = getattr(step, stream)
            if text is not None and text.file is not None:
                yield text.file, (stream, "file"), False


def check_files(model: CaseModel, doc: Document, folder: FilePath) -> Iterator[CaseError]:
    """Files and folders under `files`, and reports of bugs, that are not there, or lead outside."""
    for index, name in enumerate(model.files):
        wrong = _beside(folder, name, model, folders=True)
        if wrong is not None:
            yield CaseError(wrong[0], where=doc.value(("files", index)), help=wrong[1])
    for index, bug in enumerate(model.known_bugs):
        wrong = _beside(folder, bug.report, model, folders=False) if bug.report else None
        if wrong is not None:
            yield CaseError(wrong[0], where=doc.value(("known-bugs", index, "report")), help=wrong[1])


def check_sources(cells: Cells, folder: FilePath) -> None:
    """Note sources that a variant needs and that are neither there nor made before."""
    looked_up: dict[str, tuple[str, str] | None] = {}
    for cell in cells.cells:
        made = Made()
        for place in cell.places:
            for name, path, makeable in _named(place.step.step):
                # What else cc takes (objects, archives) earlier steps make in ways not known here.
                source = path[0] not in ("cc", "cxx") or name.endswith(_SOURCE_SUFFIXES)
                inline = name in cells.model.sources
                if inline or "${" in name or not source or (makeable and made.has(name)):
                    continue
                if name not in looked_up:
                    looked_up[name] = _beside(folder, name, cells.model, folders=False)
                wrong = looked_up[name]
                if wrong is not None:
                    where = cells.doc.value((*place.step.path, *path))
                    cells.findings.add(wrong[0], where, cell.names, wrong[1])
            made.add(place.step)


def _beside(folder: FilePath, name: str, model: CaseModel, *, folders: bool) -> tuple[str, str] | None:
    """What is wrong with a file beside the case, and what to do about it."""
    file = folder / name
    try:
        if not _inside(file, folder):
            return f"`{name}` leads outside the case's folder", _OUTSIDE
        if file.is_file():
            return None
        if file.is_dir():
            if not folders:
                return f"`{name}` is a folder", "name the source in it"
            outside = next((found for found in _below(file) if not _inside(found, folder)), None)
            if outside is not None:
                return f"`{outside.relative_to(folder)}` leads outside the case's folder", _OUTSIDE
            return None
        beside = sorted(str(found.relative_to(folder)) for found in _below(folder))
    except (OSError, RuntimeError) as error:
        # RuntimeError: a loop of symlinks, as Python 3.11 and 3.12 report it
        return f"`{name}` cannot be looked up: {getattr(error, 'strerror', None) or error}", "check the name"
    help = suggest(name, [*beside, *model.sources], "put it beside the case, or under `sources`")
    return f"there is no source `{name}`", help


def _inside(file: FilePath, folder: FilePath) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _below(folder: FilePath) -> Iterator[FilePath]:
    for place, _, files in os.walk(folder):
        yield from (FilePath(place, name) for name in files)
