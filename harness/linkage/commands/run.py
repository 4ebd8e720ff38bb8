"""`linkage run`: pytest with the plugin, and the summary that a person wants in place of its own."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from linkage.errors import ExitCode, LinkageError
from linkage.plugin.summary import Summary


def run(rest: Sequence[str], json_file: str | None) -> int:
    """Run cases, with pytest's own arguments; the exit status is pytest's.

    Raises LinkageError where the JSON file has no folder to be in.
    """
    if json_file is not None and not Path(json_file).absolute().parent.is_dir():
        raise LinkageError("its folder does not exist", where=json_file, help="make the folder first")
    summary = Summary(json_file)
    arguments = ["-o", "testpaths=cases", *_quiet(rest), *rest]
    plugins: list[object] = [summary]
    if not any(_has_plugin(folder) for folder in _rootward(Path.cwd())):
        arguments = ["-p", "linkage.plugin", *arguments]
    status = int(pytest.main(arguments, plugins=plugins))
    return int(ExitCode(status)) if status in ExitCode.__members__.values() else status


def _quiet(rest: Sequence[str]) -> list[str]:
    # What pytest would print of each failure and at the end, the summary prints in its own way.
    if any(word in ("--collect-only", "--co", "--help", "-h", "--markers", "--fixtures") for word in rest):
        return []
    return ["-qq", "--no-header", "--tb=no", "-rN", "--disable-warnings"]


def _rootward(folder: Path) -> list[Path]:
    return [folder, *folder.parents]


def _has_plugin(folder: Path) -> bool:
    conftest = folder / "conftest.py"
    return conftest.is_file() and "linkage.plugin" in conftest.read_text(encoding="utf-8", errors="replace")
