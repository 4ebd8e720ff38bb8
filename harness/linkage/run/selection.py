"""From what a user types, `cases/x.yaml::nightly[cdylib-lto=fat]`, to cases and variants.

The cases that come with this package are named from its own folder: `shipped:`, `shipped:dylib-lto/x.yaml`.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from linkage.case.base import nearest
from linkage.case.case import Case
from linkage.case.reader import read_case
from linkage.errors import LinkageError
from linkage.plan.plan import Variant
from linkage.toolchain import Toolchain

SHIPPED = "shipped:"
_FOLDER = (Path(__file__).parents[1] / "shipped").resolve()
"""In a checkout, a link to its `cases`."""


def located(text: str, folder: Path | None = None) -> Path:
    """The path that a user's text means; a relative one is relative to `folder`."""
    if text.startswith(SHIPPED):
        return _FOLDER / text.removeprefix(SHIPPED)
    return Path(os.path.relpath(folder / text)) if folder else Path(text)


def case_name(file: Path, root: Path | None = None) -> str:
    """The name of a case; the cases of the checkout at `root` are not called shipped."""
    if file.is_relative_to(_FOLDER) and _FOLDER.parent != (root or Path.cwd()).resolve():
        return f"{SHIPPED}{file.relative_to(_FOLDER)}"
    return str(file) if root is None and not file.is_relative_to(_FOLDER) else os.path.relpath(file, root)


def case_files(paths: Sequence[str], folder: Path | None = None) -> list[Path]:
    """The case files that paths mean. Raises LinkageError for a path that does not exist."""
    found: list[Path] = []
    for path in (located(text.partition("::")[0], folder) for text in paths):
        if path.is_dir():
            found += _cases_below(path)
        elif path.is_file():
            found.append(path)
        else:
            raise LinkageError("no such case file or directory", where=str(path), help="run `linkage list`")
    if not found:
        raise LinkageError("no case files", where=", ".join(paths), help="a case is a .yaml file")
    return list(dict.fromkeys(found))


def _cases_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if may_have_cases(Path(place, name))]
        found += [Path(place, name) for name in names if name.endswith(".yaml") and name[0] != "."]
    return sorted(found)


def may_have_cases(folder: Path) -> bool:
    """Whether to look for cases in a folder below one that was named."""
    hidden = folder.name.startswith(".") or folder.name == "__pycache__"
    return not hidden and not (folder / "pyvenv.cfg").exists()


def split(text: str) -> tuple[str, str | None, str | None]:
    """The file, the toolchain and the cell of a node id; `CASE[VARIANT]` names no toolchain."""
    file, _, rest = text.partition("::")
    if not rest and text.endswith("]") and "[" in text:
        file, _, cell = text[:-1].partition("[")
        return file, None, cell
    toolchain, _, cell = rest.partition("[")
    return file, toolchain or None, cell.removesuffix("]") or None


def one_case(text: str) -> tuple[Case, str | None, str | None]:
    """The case of a node id, with the toolchain and the cell in the id. Raises LinkageError."""
    file, toolchain, cell = split(text)
    case = read_case(case_files([file])[0], file)
    if cell is not None and cell not in case.ids:
        near = nearest(cell, list(case.ids))
        help = f"did you mean [{near}]?" if near else f"run `linkage list {file}`"
        raise LinkageError(f"no variant [{cell}]", where=file, help=help)
    return case, toolchain, cell


def without_limits(case: Case) -> Case:
    """The case without its own range of compilers."""
    return replace(case, model=case.model.model_copy(update={"toolchains": None}))


def variants(case: Case, toolchain: Toolchain, cell: str | None) -> list[Variant]:
    """The case's variants on a toolchain, or the one of this cell."""
    return [
        Variant(case, row, toolchain)
        for row, name in zip(case.rows, case.ids, strict=True)
        if cell in (None, name)
    ]
