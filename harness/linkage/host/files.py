"""Writing a file whole or not at all."""

import os
import tempfile
from pathlib import Path

from linkage.errors import LinkageError


def replace_file(target: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Replace a file atomically, so that no reader sees half of it. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode(errors="backslashreplace"))
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_whole(place: str, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file that a user asked for, or leave the existing one. Raises LinkageError."""
    try:
        replace_file(Path(place).absolute(), content, mode=mode)
    except OSError as error:
        why = f"cannot be written: {error.strerror}"
        raise LinkageError(why, where=place, help="choose another file") from None
