"""The files of sessions without --session: one each, in the order in which they were started."""

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
    """A journal in a new file, named by the time and a number: unique even if others start at once.

    Raises LinkageError if the folder cannot be written.
    """
    # Local time goes back once a year.
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in count(1):
        try:
            return journal.make(folder / f"{stamp}-{number:03}.log")
        except FileExistsError:
            continue
    raise AssertionError(folder)


def last_in(folder: Path, begun_in: Path) -> Path:
    """The session that was started last in a working folder. Raises LinkageError if there is none."""
    for file in sorted(folder.glob("*.log"), key=_order, reverse=True):
        if _folder_of(file) == str(begun_in):
            return file
    raise LinkageError(
        "no session was started in this folder", where="bisect", help="name its file, or start one with --bad"
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
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
