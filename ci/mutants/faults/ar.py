"""Archives in GNU's format: reading, changing and writing them.

https://sourceware.org/binutils/docs/binutils/ar.html
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

MAGIC = b"!<arch>\n"
_HEADER = 60
_SHORT = 15


@dataclass(frozen=True)
class ArchiveEntry:
    """A member of an archive."""

    name: str
    content: bytes

    def holding(self, content: bytes) -> "ArchiveEntry":
        return replace(self, content=content)


def members(content: bytes) -> list[ArchiveEntry]:
    """The members, without the index and the long names. Raises ValueError if it is not an archive."""
    if not content.startswith(MAGIC):
        raise ValueError("not an archive")
    found, at, long = [], len(MAGIC), b""
    while at + _HEADER <= len(content):
        name = content[at : at + 16].rstrip().decode()
        size = int(content[at + 48 : at + 58])
        data = content[at + _HEADER : at + _HEADER + size]
        at += _HEADER + size + size % 2
        if name == "//":
            long = data
        elif name.startswith("/") and name[1:].isdigit():
            start = int(name[1:])
            found.append(ArchiveEntry(long[start : long.index(b"/\n", start)].decode(), data))
        elif name not in ("/", "/SYM64/"):
            found.append(ArchiveEntry(name.removesuffix("/"), data))
    return found


def written(held: Sequence[ArchiveEntry]) -> bytes:
    """An archive of these members, without an index."""
    long, places = b"", {}
    for one in held:
        if len(one.name) > _SHORT and one.name not in places:
            places[one.name] = f"/{len(long)}"
            long += f"{one.name}/\n".encode()
    parts = [MAGIC]
    if long:
        parts.append(_header("//", len(long)) + long + b"\n" * (len(long) % 2))
    for one in held:
        name = places.get(one.name, f"{one.name}/")
        parts.append(_header(name, len(one.content)) + one.content + b"\n" * (len(one.content) % 2))
    return b"".join(parts)


def _header(name: str, size: int) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{size:<10}`\n".encode()


def change(
    file: Path, edit: Callable[[list[ArchiveEntry]], Sequence[ArchiveEntry]], *, index: bool = True
) -> None:
    """Change an archive in place, and give it an index as rustc does."""
    file.write_bytes(written(edit(members(file.read_bytes()))))
    if index:
        # With its default plugin, GNU ar leaves members with bitcode out of the index.
        subprocess.run(["ar", "--plugin=/dev/null", "s", str(file)], check=True)


def change_of_crate(
    file: Path, edit: Callable[[list[ArchiveEntry], str], Sequence[ArchiveEntry]], *, index: bool = True
) -> None:
    """Likewise, with the name of the crate, which that of the file contains."""
    crate = file.stem.removeprefix("lib").partition("-")[0]
    change(file, lambda held: edit(held, crate), index=index)
