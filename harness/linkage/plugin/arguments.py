"""The arguments of `linkage run`: what pytest collects for them, and which variants of a case they mean.

pytest's own way to take a node id apart knows no `CASE[VARIANT]` and no brackets in the name of a folder.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from linkage.case.reader import read_case
from linkage.errors import LinkageError
from linkage.plugin.run_session import toolchains_of
from linkage.run.selection import ChosenCase, case_name, chosen_cases, fitting, located, split


@dataclass(frozen=True, slots=True)
class RunArguments:
    """Folders, and cases, some of them with a toolchain or a cell; the paths are absolute."""

    chosen: Sequence[ChosenCase]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "RunArguments":
        """From what a user typed."""
        found = dict.fromkeys(map(_chosen, texts))
        whole = [one.file for one in found if one.toolchain is None and one.cell is None]
        # What lies in a folder that was named, too, is run once.
        return cls([one for one in found if not any(_covers(place, one) for place in whole)])

    def choose(self, config: pytest.Config) -> None:
        """Make pytest collect them. Raises LinkageError for a toolchain that the run does not have."""
        for one in self.chosen:
            _check_toolchain(one, config)
        config.args[:] = self.collected
        config.stash[CHOSEN] = self.variants

    @property
    def places(self) -> list[Path]:
        """The folders and files that are named."""
        return list(dict.fromkeys(one.file for one in self.chosen))

    @property
    def collected(self) -> list[str]:
        """The same as pytest takes them; a folder with more in it for a name that pytest misreads."""
        return [str(path) for path in dict.fromkeys(map(_readable, self.places))]

    @property
    def variants(self) -> Mapping[Path, Sequence[ChosenCase]]:
        """The case files of which not everything is meant."""
        found: dict[Path, list[ChosenCase]] = defaultdict(list)
        for one in self.chosen:
            if one.toolchain is not None or one.cell is not None:
                found[one.file].append(one)
        return found


def check_distributed(config: pytest.Config) -> None:
    """Raise LinkageError for what xdist does not report: a wrong -n, path or id. Its workers are silent."""
    if config.option.numprocesses < 0:
        raise LinkageError("must not be negative", where=f"-n {config.option.numprocesses}")
    if hasattr(config, "workerinput") or config.args_source is not pytest.Config.ArgsSource.ARGS:
        return
    for text in [] if config.getoption("pyargs") else config.args:
        name, toolchain, cell = split(text)
        if not os.path.lexists(text.partition("::")[0]) and not os.path.lexists(located(name)):
            raise LinkageError("file or directory not found", where=name, help="check the path")
        if text.encode(errors="replace") != text.encode(errors="surrogatepass"):
            raise LinkageError(f"-n needs names that are UTF-8, which {text} is not", help="leave -n out")
        if name.endswith(".yaml") and (toolchain or cell):
            (one,) = chosen_cases([text])
            one.rows(fitting(read_case(one.file, case_name(one.file)), one.cell))
            _check_toolchain(one, config)


def _check_toolchain(one: ChosenCase, config: pytest.Config) -> None:
    """Raise LinkageError if a toolchain is named that the run does not have."""
    known = [toolchain.name for toolchain in toolchains_of(config)] if one.toolchain is not None else []
    if one.toolchain is not None and one.toolchain not in known:
        raise LinkageError(
            f"this run has no toolchain `{one.toolchain}`",
            where=str(replace(one, file=Path(os.path.relpath(one.file, config.rootpath)))),
            help=f"it has {', '.join(known)}",
        )


CHOSEN: pytest.StashKey[Mapping[Path, Sequence[ChosenCase]]] = pytest.StashKey()
"""The case files of which not everything is run."""


def _chosen(text: str) -> ChosenCase:
    name, toolchain, cell = split(text)
    path = os.path.abspath(located(name))  # noqa: PTH100 - takes `..` out, follows no link
    return ChosenCase(Path(path), toolchain, cell)


def _covers(place: Path, one: ChosenCase) -> bool:
    return one.file.is_relative_to(place) and one != ChosenCase(place)


def _readable(path: Path) -> Path:
    while "[" in str(path) or "::" in str(path):
        path = path.parent
    return path
