"""File operations as data, each with the shell command that does the same. Pure.

Paths are relative to the working folder. A glob stands for every file that it matches; if one file is
needed, it must match exactly one.
"""

import posixpath
from dataclasses import dataclass

from linkage.plan.shell import pattern, printed, shell_word, text_printed
from linkage.plan.template import Template


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove files and folders."""

    paths: tuple[str, ...]

    def shell(self) -> str:
        return f"rm -r -- {' '.join(map(pattern, self.paths))}"


@dataclass(frozen=True, slots=True)
class MakeFolders:
    """Make folders, and those above them."""

    paths: tuple[str, ...]

    def shell(self) -> str:
        return f"mkdir -p -- {' '.join(map(pattern, self.paths))}"


@dataclass(frozen=True, slots=True)
class Write:
    """Write a file whole, or some of its bytes."""

    path: str
    content: Template | bytes
    offset: int | None = None
    """Overwrite from this byte on, the rest stays; negative from the end."""

    def shell(self) -> str:
        file = shell_word(self.path)
        text = self.content
        content = printed(text) if isinstance(text, bytes) else text_printed(text, {})
        if self.offset is None:
            folder = posixpath.dirname(self.path)
            make = f"mkdir -p -- {shell_word(folder)} && " if folder else ""
            return f"{make}{content} >{file}"
        seek = str(self.offset) if self.offset >= 0 else f"$(($(wc -c <{file}) - {-self.offset}))"
        return f"{content} | dd of={file} bs=1 seek={seek} conv=notrunc 2>/dev/null"


@dataclass(frozen=True, slots=True)
class Truncate:
    """Cut a file off after `size` bytes; negative: that many bytes before its end."""

    path: str
    size: int

    def shell(self) -> str:
        size = f"'<{self.size}'" if self.size >= 0 else str(self.size)
        return f"truncate -s {size} {pattern(self.path)}"


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a file another name."""

    path: str
    to: str

    def shell(self) -> str:
        return f"mv -- {pattern(self.path)} {pattern(self.to)}"


@dataclass(frozen=True, slots=True)
class Symlink:
    """Make a symbolic link."""

    path: str
    to: str
    """Its target, inside the working folder."""

    def shell(self) -> str:
        target = posixpath.relpath(self.to, posixpath.dirname(self.path) or ".")
        return f"ln -s -- {shell_word(target)} {shell_word(self.path)}"


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy a file or a folder; the source may also be in the toolchain."""

    path: str
    to: str

    def shell(self) -> str:
        return f"cp -rp -- {pattern(self.path)} {pattern(self.to)}"


@dataclass(frozen=True, slots=True)
class ChangeMode:
    """Set a file's permissions."""

    path: str
    mode: str
    """In octal digits."""

    def shell(self) -> str:
        return f"chmod {self.mode} {pattern(self.path)}"


@dataclass(frozen=True, slots=True)
class SetUmask:
    """Set the umask of the steps that follow."""

    umask: str
    """In octal digits."""

    def shell(self) -> str:
        return f"umask {self.umask}"


@dataclass(frozen=True, slots=True)
class Clean:
    """Remove everything except the files to keep, and restore the case's sources."""

    keep: tuple[str, ...] = ()

    def shell(self) -> str:
        spared = "".join(
            f" ! -path {shell_word(f'./{path}{end}')}" for path in sorted(self.keep) for end in ("", "/*")
        )
        empty = f"find . -mindepth 1 -depth -type d -empty{spared} -delete"
        return f"find . -mindepth 1 ! -type d{spared} -delete && {empty} && sources"


Operation = Remove | MakeFolders | Write | Truncate | Rename | Symlink | Copy | ChangeMode | SetUmask | Clean
