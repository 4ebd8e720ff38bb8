"""`linkage run`: pytest with the plugin, and the summary that a person wants in place of its own."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from linkage.errors import ExitCode, LinkageError
from linkage.plugin import RUN
from linkage.plugin.summary import Summary
from linkage.run.selection import SHIPPED, located


def run(rest: Sequence[str], json_file: str | None) -> int:
    """Run cases, with pytest's own arguments; the exit status is pytest's.

    Raises LinkageError where the JSON file has no folder to be in.
    """
    if json_file is not None and not Path(json_file).absolute().parent.is_dir():
        raise LinkageError("its folder does not exist", where=json_file, help="make the folder first")
    # The run is the same wherever it starts: no project's settings and no conftest.py take part in it.
    fixed = ["-p", "linkage.plugin", RUN, "-c", os.devnull, "--noconftest", "-o", "testpaths=cases"]
    fixed += [f"--rootdir={Path.cwd()}", f"--confcutdir={Path.cwd()}", "--no-header", "--disable-warnings"]
    named = [str(located(word)) if word.startswith(SHIPPED) else word for word in rest]
    arguments = [*fixed, *_quiet(rest), *named]
    plugins: list[object] = [Summary(json_file)]
    status = int(pytest.main(arguments, plugins=plugins))
    return int(ExitCode(status)) if status in ExitCode.__members__.values() else status


def _quiet(rest: Sequence[str]) -> list[str]:
    # What pytest would print of each failure and at the end, the summary prints in its own way.
    if any(word in ("--collect-only", "--co", "--help", "-h", "--markers", "--fixtures") for word in rest):
        return []
    return ["-qq", "--tb=no", "-rN"]
