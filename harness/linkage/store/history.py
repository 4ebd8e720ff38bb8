"""A folder with the verdicts of many nights, a file each: a branch of a repository can hold it."""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from linkage.errors import LinkageError
from linkage.host.decoding import MALFORMED
from linkage.host.files import OutputFile
from linkage.host.terminal import printable_name
from linkage.judge.nights import Night
from linkage.store.store import inflated

_NAME = re.compile(r"\d{4}-\d\d-\d\d\.json\.z")


def read_nights(folder: Path) -> list[Night]:
    """The nights in a folder, the oldest first. Raises LinkageError for a file that cannot be read."""
    return sorted(_read(folder), key=lambda night: night.date)


def _read(folder: Path) -> Iterator[Night]:
    try:
        places = sorted(one for one in folder.iterdir() if _NAME.fullmatch(one.name))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(folder, error.strerror or str(error)) from None
    for place in places:
        try:
            yield msgspec.json.decode(inflated(place.read_bytes()), type=Night)
        except (OSError, zlib.error, *MALFORMED) as error:
            raise _unreadable(place, getattr(error, "strerror", None) or str(error)) from None


def _unreadable(place: Path, why: str) -> LinkageError:
    return LinkageError(
        f"cannot be read: {why}", where=printable_name(str(place)), help="remove it, or restore it"
    )


def write_night(folder: Path, night: Night) -> None:
    """Add a night, or replace it. Raises LinkageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LinkageError(
            f"cannot be created: {error.strerror}", where=printable_name(str(folder)), help="choose another"
        ) from None
    content = zlib.compress(msgspec.json.encode(night, order="deterministic"), 9)
    OutputFile(str(folder / f"{night.date}.json.z"), "--history").write(content)
