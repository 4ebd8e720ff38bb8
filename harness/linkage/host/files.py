"""Writing a report's file whole or not at all."""

import os
import tempfile
from pathlib import Path

from linkage.errors import LinkageError


def write_whole(place: str, content: str | bytes) -> None:
    """Write a file, or leave what was there. Raises LinkageError where it cannot be written."""
    target = Path(place).absolute()
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode(errors="backslashreplace"))
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        why = f"cannot be written: {error.strerror}"
        raise LinkageError(why, where=place, help="choose another file") from None
