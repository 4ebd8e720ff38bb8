"""What of the machine an outcome depends on and no step names, as keys of the store have it.

A link takes the C library, startup files and libgcc without being told, and any library that a crate
names from where the C compiler looks. Which, only the linker knows; so every file in those folders counts,
by its name, size and time: some thousand calls of stat, once in a process. Contents are not read, and
inodes do not count: machines that were installed alike can share a store.
"""

import hashlib
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from linkage.host.system import is_root, resource_limits
from linkage.run.executor import PASSED_ENVIRONMENT
from linkage.toolchain.machine import Machine
from linkage.toolchain.tools import marks
from linkage.toolchain.vocabulary import LINKERS

_TOOLS = ("cc", "c++", "as", "ld", *(f"ld.{one}" for one in LINKERS), *LINKERS, "ar")
"""Programs on PATH that a step may start, whatever the machine's C compiler starts."""
_LIBRARIES = (
    "/usr/local/lib", "/usr/local/lib64", "/usr/local/lib/*-linux-*", "/lib64", "/usr/lib64", "/usr/lib32",
    "/usr/libx32", "/usr/*-linux-*/lib", "/usr/lib/gcc*/*/*", "/usr/lib/gcc*/*/*/*32",
    "/usr/*-w64-mingw32/lib",
)  # fmt: skip
"""Folders in which linkers look for libraries, beside those that the C compiler names."""
_LOADER = ("/etc/ld.so.cache", "/etc/ld.so.preload")
_CPU = Path("/proc/cpuinfo")
_STATUS = Path("/proc/self/status")


_INTERPRETERS = {"sh", "bash", "dash", "zsh", "env", "make", "xargs", "find", "perl", "python3"}
"""Programs that start others by their name."""


class Programs:
    """Which programs steps start by their name. Each is looked at once in a session."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def found(self, names: Iterable[str], path: str) -> Iterator[str]:
        """What each of these programs is; after an interpreter, what all programs on the path are."""
        for name in names:
            key = name, path
            if key not in self._known:
                self._known[key] = _program(name, path)
            yield self._known[key]


def _program(name: str, path: str) -> str:
    place = shutil.which(name, path=path)
    found = f"{name}:{identity(Path(place)) if place else 'missing'}"
    if Path(name).name not in _INTERPRETERS:
        return found
    every = hashlib.blake2b(digest_size=16)
    for mark in folder_marks(map(Path, filter(None, path.split(os.pathsep)))):
        every.update(f"{mark}\0".encode("utf-8", "surrogateescape"))
    return f"{found} {every.hexdigest()}"


def machine_key(machine: Machine, environment: Mapping[str, str]) -> str:
    """A digest of the C compiler, linkers, archiver and libraries, of the processor, and of what
    processes are allowed.
    """
    found = hashlib.blake2b(digest_size=16)
    for part in _parts(machine, environment):
        found.update(f"{part}\0".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _parts(machine: Machine, environment: Mapping[str, str]) -> Iterator[str]:
    for name in _TOOLS:
        place = shutil.which(name, path=environment.get("PATH"))
        if place is not None:
            yield f"{name}:{identity(Path(place))}"
    for one in machine.tools:
        if one.path is not None:
            yield f"{one.name}:{identity(one.path)}:{one.version}"
    for name in PASSED_ENVIRONMENT:
        if name != "PATH":  # it matters by what is found on it
            yield f"{name}={environment.get(name)}"
    yield from folder_marks((*machine.programs, *machine.libraries, *_beside()))
    yield from map(identity, map(Path, _LOADER))
    yield from _allowed()
    yield _processor()


def identity(program: Path) -> str:
    """Which program this is; of a script, also which programs it names by absolute path."""
    return f"{os.path.realpath(program)}:{marks(program, portable=True)}"


def folder_marks(folders: Iterable[Path]) -> Iterator[str]:
    """The files in these folders, not in those below them: their names, sizes and times."""
    for folder in sorted({os.path.realpath(one) for one in folders}):
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208 - there may be many thousands
        except OSError:
            continue
        for name in names:
            try:
                status = os.stat(f"{folder}/{name}")  # noqa: PTH116 - as above
            except OSError:
                yield f"{folder}/{name}:unreadable"
                continue
            yield f"{folder}/{name}:{status.st_size}:{status.st_mtime_ns}"


def _beside() -> Iterator[Path]:
    for pattern in _LIBRARIES:
        yield from Path("/").glob(pattern.removeprefix("/"))


def _allowed() -> Iterator[str]:
    """The limits of resources, and the privileges: root reads what others may not."""
    for name, limits in resource_limits().items():
        yield f"{name}={limits}"
    privileges = _lines(_STATUS, "CapEff:", "Seccomp:", "NoNewPrivs:")
    yield f"root={is_root()} {privileges}"


def _processor() -> str:
    """What `-Ctarget-cpu=native` means here."""
    model = _lines(_CPU, "vendor_id", "cpu family", "model", "flags", "Features", "CPU ")
    return f"{platform.machine()} {model}"


def _lines(file: Path, *beginnings: str) -> list[str]:
    """The lines of the file's first paragraph that begin so."""
    try:
        paragraph, _, _ = file.read_text(errors="replace").partition("\n\n")
    except OSError:
        return []
    return [line for line in paragraph.splitlines() if line.startswith(beginnings)]
