"""The sources that steps name: beside the case, in it, or made by an earlier step; never outside.

The only look that reading a case takes at the disk: which of them are there.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from linkage.case.base import suggest
from linkage.case.check.outputs import PossibleFiles
from linkage.case.check.survey import Survey
from linkage.case.document import Document
from linkage.case.model import CaseModel
from linkage.case.source_files import named_sources
from linkage.errors import CaseError

_SOURCE_SUFFIXES = (".rs", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp")
_OUTSIDE = "keep the file beside the case"


def check_files(model: CaseModel, doc: Document, folder: Path) -> Iterator[CaseError]:
    """Files and folders under `files`, and reports of bugs, that are not there, or lead outside."""
    for index, name in enumerate(model.files):
        wrong = _beside(folder, name, model, folders=True)
        if wrong is not None:
            yield CaseError(wrong[0], where=doc.value(("files", index)), help=wrong[1])
    for index, bug in enumerate(model.known_bugs):
        wrong = _beside(folder, bug.report, model, folders=False) if bug.report else None
        if wrong is not None:
            yield CaseError(wrong[0], where=doc.value(("known-bugs", index, "report")), help=wrong[1])


def check_sources(survey: Survey, folder: Path) -> None:
    """Note sources that a variant needs and that are neither there nor made before."""
    looked_up: dict[str, tuple[str, str] | None] = {}
    for cell in survey.cells:
        made = PossibleFiles()
        for place in cell.places:
            for name, path, makeable in named_sources(place.step.step):
                # What else cc takes (objects, archives) earlier steps make in ways not known here.
                source = path[0] not in ("cc", "cxx") or name.endswith(_SOURCE_SUFFIXES)
                inline = name in survey.model.sources
                if inline or "${" in name or not source or (makeable and made.has(name)):
                    continue
                if name not in looked_up:
                    looked_up[name] = _beside(folder, name, survey.model, folders=False)
                wrong = looked_up[name]
                if wrong is not None:
                    where = survey.doc.value((*place.step.path, *path))
                    survey.findings.add(wrong[0], where, cell.names, wrong[1])
            made.add(place.step)


def _beside(folder: Path, name: str, model: CaseModel, *, folders: bool) -> tuple[str, str] | None:
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


def _inside(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _below(folder: Path) -> Iterator[Path]:
    for place, _, files in os.walk(folder):
        yield from (Path(place, name) for name in files)
