"""Small files of cached answers: each is replaced as a whole, and a damaged one is ignored.

They only save time. If one cannot be read or written (a full disk, a read-only folder), the work is
done again the next time.
"""

import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from linkage.host.decoding import MALFORMED
from linkage.host.files import replace_file

T = TypeVar("T")


def load(path: Path, kind: type[T]) -> T | None:
    """The cached value; None if there is none, or it is not of this type."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind, dec_hook=_decode)
    except (OSError, *MALFORMED):
        return None


def save(path: Path, value: object) -> None:
    """Put the value in the file's place at once, so that no reader sees half of it."""
    try:
        encoded = msgspec.msgpack.encode(value, enc_hook=_encode)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, encoded, mode=0o600)
    except (OSError, UnicodeEncodeError):
        return


def _encode(value: Any) -> bytes:  # noqa: ANN401 - msgspec hands over what it does not know
    if isinstance(value, Path):
        return os.fsencode(value)
    raise TypeError(f"a {type(value).__name__} cannot be remembered")


def _decode(kind: type, value: Any) -> Path:  # noqa: ANN401 - as it stood in the file
    if issubclass(kind, Path) and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise TypeError(f"a {kind.__name__} cannot be remembered")
