"""The files of sessions whose names nobody gave: one for each, in the order in which they were begun."""

import json
import re
import time
from itertools import count
from pathlib import Path

from linkage.bisect import journal
from linkage.bisect.journal import Journal
from linkage.errors import LinkageError

_NAME = re.compile(r"(\d{8}-\d{6})-(\d+)\.log", re.ASCII)


def create_in(folder: Path) -> Journal:
    """A journal in a new file: named by the second, and numbered within it, whoever else begins one.

    Raises LinkageError where the folder cannot be written.
    """
    # Not local time, which goes back once a year.
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in count(1):
        try:
            return journal.make(folder / f"{stamp}-{number:03}.log")
        except FileExistsError:
            continue
    raise AssertionError(folder)


def last_in(folder: Path, begun_in: Path) -> Path:
    """The session that was begun last in a working folder. Raises LinkageError where there is none."""
    for file in sorted(folder.glob("*.log"), key=_order, reverse=True):
        if _folder_of(file) == str(begun_in):
            return file
    raise LinkageError(
        "no session was begun in this folder", where="bisect", help="name its file, or begin one with --bad"
    )


def _order(file: Path) -> tuple[str, int]:
    found = _NAME.fullmatch(file.name)
    return (found[1], int(found[2])) if found else ("", 0)


def _folder_of(file: Path) -> str | None:
    """The working folder that a session's `start` line names."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            start = next((line for line in lines if line.startswith("start ")), "start {}")
        found = json.loads(start.removeprefix("start "))
        return str(found["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
