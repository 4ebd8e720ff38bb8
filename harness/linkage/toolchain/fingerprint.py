"""A toolchain's fingerprint: a digest of its compiler's own files.

A stage-1 build keeps its version string from one build to the next, and a nightly is updated
under the same path, so the files count: rustc, its driver and LLVM, every target's libraries,
the linkers and code generators that come with it. Each file's hash is remembered with its size,
times and inode, so that a toolchain that did not change costs only a stat call per file.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from linkage.toolchain import cache_file

_COMPILER = ("bin/rustc*", "bin/*.dll", "lib/{own}", "lib/*/{own}", "lib/llvm-*/lib/libLLVM*.so*")
_OWN = ("*rustc_driver*", "libLLVM*.so*", "libLLVM*.dylib", "libstd-*", "libtest-*")
_TARGETS = (
    "lib/rustlib/{target}/lib/*", "lib/rustlib/{target}/bin/**/*", "lib/rustlib/{target}/codegen-backends/*"
)  # fmt: skip
_ABSOLUTE = re.compile(rb"/[^\s\"'$;|&<>()`\\]+")
_SCRIPT_LIMIT = 1 << 20
SETTLED_NS = 2_000_000_000


class FileHash(msgspec.Struct, array_like=True, frozen=True):
    """A file's hash, with the marks by which an unchanged file is known."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int
    hash: str


def fingerprint(rustc: Path, sysroot: Path, cache_dir: Path, *, target: str = "*") -> str:
    """A short hexadecimal digest of everything that the outputs of this rustc depend on.

    `target` limits it to what the compiler is and what it has for that target.

    For a script that starts a rustc, its text counts, the sysroot that it reports, and any compiler
    that it names by absolute path.
    """
    memo = cache_dir / "hashes.msgpack"
    seen = cache_file.load(memo, dict[str, FileHash]) or {}
    fresh: dict[str, FileHash] = {}
    digest = hashlib.blake2b(digest_size=16)
    for label, path in _parts(rustc, sysroot, target):
        try:
            found = _hash(path, seen, fresh)
        except OSError:
            continue  # removed meanwhile, or unreadable: rustc will report it
        digest.update(f"{label}\0{found}\n".encode("utf-8", "surrogateescape"))
    if fresh:
        # Another process may have written it since; its marks are as good as ours.
        others = cache_file.load(memo, dict[str, FileHash]) or {}
        kept = {name: mark for name, mark in (seen | others).items() if os.path.lexists(name)}
        cache_file.save(memo, kept | fresh)
    return digest.hexdigest()


def is_script(rustc: Path) -> bool:
    """Whether the file is a script rather than a program, so that its sysroot is known only by asking it."""
    try:
        with rustc.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _parts(rustc: Path, sysroot: Path, target: str) -> Iterator[tuple[str, Path]]:
    """Every file that counts, under a label that does not depend on where the toolchain is."""
    yield "rustc", rustc
    for path in _matching(sysroot, _TARGETS, target):
        yield path.relative_to(sysroot).as_posix(), path
    roots = [sysroot, rustc.resolve().parent.parent]
    if is_script(rustc):
        roots += _named_compilers(rustc)
    for number, root in enumerate(dict.fromkeys(roots)):
        for path in _matching(root, _COMPILER):
            yield f"{number}:{path.relative_to(root).as_posix()}", path


def _matching(root: Path, patterns: Iterable[str], target: str = "*") -> list[Path]:
    spelled = {pattern.format(own=own, target=target) for pattern in patterns for own in _OWN}
    return sorted({path for pattern in spelled for path in root.glob(pattern) if path.is_file()})


def _named_compilers(script: Path) -> list[Path]:
    """The toolchain folders of the programs that the script names."""
    with script.open("rb") as file:
        text = file.read(_SCRIPT_LIMIT)
    words = {Path(os.fsdecode(word)) for word in _ABSOLUTE.findall(text)}
    programs = (
        word.resolve() for word in words if word.name.startswith("rustc") and os.access(word, os.X_OK)
    )
    return sorted({program.parent.parent for program in programs if program.is_file()})


def _hash(path: Path, seen: dict[str, FileHash], fresh: dict[str, FileHash]) -> str:
    real = path.resolve()
    name = os.fspath(real)
    before = _marks(real.stat())
    known = fresh.get(name) or seen.get(name)
    if known and (known.size, known.mtime_ns, known.ctime_ns, known.inode, known.device) == before:
        return known.hash
    with real.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        after = _marks(os.fstat(file.fileno()))
    # A file that changed a moment ago can change again within the clock's step: not remembered.
    if before == after and time.time_ns() - max(after[1], after[2]) > SETTLED_NS:
        fresh[name] = FileHash(*after, found)
    return found


def _marks(status: os.stat_result) -> tuple[int, int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
