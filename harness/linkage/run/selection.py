"""From what a user types, `cases/x.yaml::nightly[cdylib-lto=fat]`, to cases and variants.

The cases that come with this package are named from its own folder: `shipped:`, `shipped:dylib-lto/x.yaml`.
What is printed of a case or a variant can be typed in every command, also what is no UTF-8 in its name.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from linkage.case.base import nearest
from linkage.case.case import Case
from linkage.case.matrix import origin, row_id
from linkage.case.reader import read_case
from linkage.errors import LinkageError
from linkage.host.terminal import printable_name, typed_name
from linkage.plan.name_filter import selected
from linkage.plan.other_toolchain import divided_cell, other_names, other_toolchain
from linkage.plan.plan import Variant
from linkage.toolchain import Toolchain
from linkage.toolchain.vocabulary import platforms

SHIPPED = "shipped:"
_FOLDER = (Path(__file__).parents[1] / "shipped").resolve()
"""In a checkout, a link to its `cases`."""


_NODES = (
    re.compile(r"(.*?\.yaml)(?:::([^\[\]]*))?(?:\[(.*)\])?", re.DOTALL),
    re.compile(r"(.*?)(?:::([^\[\]/]*))?(?:\[([^\[\]/]*)\])?", re.DOTALL),
)
"""A file, a toolchain and a cell: of a file with the usual suffix, else of any."""


@dataclass(frozen=True, slots=True)
class ChosenCase:
    """A case file that was named, or that is in a folder that was named."""

    file: Path
    toolchain: str | None = None
    cell: str | None = None
    """The variant that was named; else all of them are meant."""

    def __str__(self) -> str:
        toolchain, cell = self.toolchain, self.cell
        return f"{case_name(self.file)}{f'::{toolchain}' if toolchain else ''}{f'[{cell}]' if cell else ''}"

    def means(self, toolchain: str, row: Mapping[str, Any]) -> bool:
        """Whether a variant is meant: by its cell, or by the one in the matrix that it was made from."""
        return self.toolchain in (None, toolchain) and self.cell in (None, row_id(row), origin(row))

    def rows(self, case: Case) -> list[str]:
        """The cells that are meant. Raises LinkageError if the case does not have the one that is named."""
        found = [row_id(row) for row in case.rows if self.cell in (None, row_id(row), origin(row))]
        if found:
            return found
        near = nearest(self.cell or "", list(case.ids))
        help = f"did you mean [{near}]?" if near else f"run `linkage list {case.name}`"
        raise LinkageError(f"no variant [{self.cell}]", where=case.name, help=help)


_TARGET = re.compile(r"(?:^|-)target=([\w.]+(?:-[\w.]+)*)$")


def fitting(case: Case, cell: str | None) -> Case:
    """The case in which a cell is: one that `--target` made is in the case for that target, and one with
    another toolchain in the case for that.
    """
    if cell is None or cell in case.ids:
        return case
    rest, other = divided_cell(cell)
    found = None if rest in case.ids else _TARGET.search(rest)
    case = case.for_targets([found[1]]) if found else case
    return case if other is None else case.with_others([other])


def check_targets(triples: Sequence[str]) -> tuple[str, ...]:
    """The targets that an option names, several divided by commas. Raises LinkageError for an unknown one."""
    named = tuple(dict.fromkeys(one for text in triples for one in text.split(",") if one))
    known = platforms()
    for one in named:
        if one not in known and not one.endswith(".json"):
            near = nearest(one, list(known))
            help = f"did you mean {near}?" if near else "run `rustc --print target-list`"
            raise LinkageError(f"no known rustc has the target `{one}`", where="--target", help=help)
    return named


def located(text: str, folder: Path | None = None) -> Path:
    """The path that a user's text means; a relative one is relative to `folder`."""
    if text.startswith(SHIPPED):
        return _FOLDER / text.removeprefix(SHIPPED)
    found = Path(os.path.relpath(folder / text)) if folder else Path(text)
    typed = typed_name(text)
    return found if typed == text or os.path.lexists(found) else located(typed, folder)


def case_name(file: Path, root: Path | None = None) -> str:
    """The name of a case; the cases of the checkout at `root` are not called shipped."""
    if file.is_relative_to(_FOLDER) and _FOLDER.parent != (root or Path.cwd()).resolve():
        return printable_name(f"{SHIPPED}{file.relative_to(_FOLDER)}")
    inside = root is None and not file.is_relative_to(_FOLDER)
    return printable_name(str(file) if inside else os.path.relpath(file, root))


def case_files(paths: Sequence[str], folder: Path | None = None) -> list[Path]:
    """The case files that paths and node ids mean. Raises LinkageError for one that is not there."""
    return list(dict.fromkeys(one.file for one in chosen_cases(paths, folder)))


def chosen_cases(texts: Sequence[str], folder: Path | None = None) -> list[ChosenCase]:
    """The cases that paths and node ids mean, each once. Raises LinkageError for one that is not there."""
    found: list[ChosenCase] = []
    for text in texts:
        name, toolchain, cell = split(text, folder)
        path = located(name, folder)
        try:
            if path.is_dir() and toolchain is None and cell is None:
                found += map(ChosenCase, _cases_below(path))
            elif path.is_file():
                found.append(ChosenCase(path, toolchain, cell))
            else:
                raise LinkageError("no such case file or directory", where=name, help="run `linkage list`")
        except OSError as error:
            # It may be a folder in the one that is named.
            where = name if error.filename == str(path) else str(error.filename)
            raise LinkageError(f"cannot be read: {error.strerror}", where=where) from None
    if not found:
        raise LinkageError("no case files", where=", ".join(texts), help="a case is a .yaml file")
    return list(dict.fromkeys(found))


def _cases_below(folder: Path) -> list[Path]:
    """The case files in a folder. Raises OSError, also for one inside it that cannot be read."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if may_have_cases(Path(place, name))]
        found += [Path(place, name) for name in names if name.endswith(".yaml") and name[0] != "."]
    return sorted(found)


def _raise(error: OSError) -> NoReturn:
    raise error


def may_have_cases(folder: Path) -> bool:
    """Whether to look for cases in a folder below one that was named."""
    hidden = folder.name.startswith(".") or folder.name == "__pycache__"
    # Path.exists raises an error for a folder that cannot be read; who reads it names the folder.
    return not hidden and not os.path.exists(folder / "pyvenv.cfg")  # noqa: PTH110


def split(text: str, folder: Path | None = None) -> tuple[str, str | None, str | None]:
    """The file, the toolchain and the cell of a node id; `CASE[VARIANT]` names no toolchain."""
    if text.endswith("]") and os.path.lexists(located(text, folder)):
        return text, None, None
    found = next(filter(None, (node.fullmatch(text) for node in _NODES)))
    return found[1], found[2] or None, found[3] or None


def one_case(text: str) -> tuple[Case, str | None, str | None]:
    """The case of a node id, and what it says of the toolchain and the cell. Raises LinkageError."""
    chosen = chosen_cases([text])
    if len(chosen) > 1:
        raise LinkageError(f"has {len(chosen)} cases", where=text, help=f"name one, such as {chosen[0].file}")
    (one,) = chosen
    case = fitting(read_case(one.file, case_name(one.file)), one.cell)
    one.rows(case)
    return case, one.toolchain, one.cell


def read_cases(
    texts: Sequence[str], keywords: str | None = None, wrong: Callable[[LinkageError], None] | None = None
) -> Iterator[Case]:
    """The cases that these texts mean, each once and with the variants that they and -k mean.

    Raises LinkageError for wrong input; `wrong` is called instead for a case that cannot be read.
    """
    selected(keywords, "")  # a wrong expression is reported before any case is
    named: dict[Path, list[ChosenCase]] = {}
    for one in chosen_cases(texts):
        named.setdefault(one.file, []).append(one)
    for file, several in named.items():
        try:
            case = read_case(file, case_name(file))
            if len(several) == 1:
                case = fitting(case, several[0].cell)
            else:
                case = case.with_others(filter(None, (divided_cell(one.cell or "")[1] for one in several)))
            meant = {name for one in several for name in one.rows(case)}
        except LinkageError as error:
            if wrong is None:
                raise
            wrong(error)
            continue
        names = [name for name in case.ids if name in meant and chosen(keywords, case, name)]
        if names or not case.ids:
            yield case.only(names)


def chosen(expression: str | None, case: Case, cell: str, toolchain: str | None = None) -> bool:
    """Whether -k means a variant. Raises LinkageError for an expression that is none."""
    if expression is None:
        return True
    tags = (*case.model.tags, *(["known_bug"] if case.model.known_bugs else []))
    return selected(expression, str(ChosenCase(case.file, toolchain, cell or None)), tags)


def without_limits(case: Case) -> Case:
    """The case without its own ranges of compilers."""
    return replace(case, model=case.model.model_copy(update={"toolchains": None, "other_toolchains": None}))


def variants(
    case: Case, toolchain: Toolchain, cell: str | None, others: Sequence[Toolchain] = ()
) -> list[Variant]:
    """The case's variants on a toolchain, each with its other toolchain; or those of this cell."""
    paired = case.with_others(other_names(toolchain, others))
    found = [
        Variant(paired, row, toolchain) for row in paired.rows if cell in (None, row_id(row), origin(row))
    ]
    return [
        one if isinstance(other := other_toolchain(one, others), str) else replace(one, other=other)
        for one in found
    ]
