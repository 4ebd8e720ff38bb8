"""The sources that steps name are beside the case, in it, or made by an earlier step.

This is all that reading a case looks up on the disk.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from linkage.case.base import suggest
from linkage.case.check.outputs import PossibleFiles
from linkage.case.check.survey import Survey
from linkage.case.document import Document
from linkage.case.mini_core import KEY
from linkage.case.model import CaseModel
from linkage.case.source_files import named_sources
from linkage.errors import CaseError

_SOURCE_SUFFIXES = (".rs", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp")
_OUTSIDE = "move the file into the case's folder"


def check_files(model: CaseModel, doc: Document, folder: Path) -> Iterator[CaseError]:
    """Report files and folders under `files`, and reports of bugs, that do not exist or are outside."""
    for index, name in enumerate(model.files):
        wrong = _beside(folder, name, model, folders=True)
        if wrong is not None:
            yield CaseError(wrong[0], where=doc.value(("files", index)), help=wrong[1])
    for index, bug in enumerate(model.known_bugs):
        wrong = _beside(folder, bug.report, model, folders=False) if bug.report else None
        if wrong is not None:
            yield CaseError(wrong[0], where=doc.value(("known-bugs", index, "report")), help=wrong[1])


def check_sources(survey: Survey, folder: Path) -> None:
    """Report sources that a variant needs and that do not exist and no earlier step makes."""
    looked_up: dict[str, tuple[str, str] | None] = {}
    for cell in survey.cells:
        produced = PossibleFiles()
        for place in cell.places:
            for name, path, makeable in named_sources(place.step.step):
                # Earlier steps may make what else cc takes (objects, archives) in ways that are unknown here.
                source = path[0] not in ("cc", "cxx") or name.endswith(_SOURCE_SUFFIXES)
                inline = name in survey.model.sources or place.step.path == (KEY,)
                if inline or "${" in name or not source or (makeable and produced.has(name)):
                    continue
                if name not in looked_up:
                    looked_up[name] = _beside(folder, name, survey.model, folders=False)
                wrong = looked_up[name]
                if wrong is not None:
                    where = survey.doc.value((*place.step.path, *path))
                    survey.findings.add(wrong[0], where, cell.names, wrong[1])
            produced.add(place.step)


def _beside(folder: Path, name: str, model: CaseModel, *, folders: bool) -> tuple[str, str] | None:
    """What is wrong with a file beside the case, and what to do about it."""
    file = folder / name
    try:
        if not _inside(file, folder):
            return f"`{name}` is outside the case's folder", _OUTSIDE
        if file.is_file():
            return None
        if file.is_dir():
            if not folders:
                return f"`{name}` is a folder", "name a file in it"
            outside = next((found for found in _below(file) if not _inside(found, folder)), None)
            if outside is not None:
                return f"`{outside.relative_to(folder)}` is outside the case's folder", _OUTSIDE
            return None
        beside = sorted(str(found.relative_to(folder)) for found in _below(folder))
    except (OSError, RuntimeError) as error:
        # RuntimeError: a loop of symlinks, as Python 3.11 and 3.12 report it
        return f"`{name}` cannot be looked up: {getattr(error, 'strerror', None) or error}", "check the name"
    help = suggest(name, [*beside, *model.sources], "put it beside the case, or add it to `sources`")
    return f"the source `{name}` does not exist", help


def _inside(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _below(folder: Path) -> Iterator[Path]:
    for place, _, files in os.walk(folder):
        yield from (Path(place, name) for name in files)
