"""The outputs of the real rustc, cached: the next fault with the same command gets a copy.

The working folders of such a run have the same paths every time, since outputs contain the path of their
folder. The key is made of all that rustc can depend on: the compiler, the command line, the environment and
every file in the folder. If the outputs of a command may differ from run to run, it is run again.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = "rustc-cache"
ASKED = "LINKAGE_FAULT_RUSTC_CACHE"
"""Set if a step runs alone: otherwise the outputs of several steps cannot be told apart."""

_ENTRY_LIMIT = 256 << 20  # bytes
_LIMIT = 16 << 30  # bytes, of all
_NOT_ASKED_OF_RUSTC = ("LINKAGE_FAULT", "MAKEFLAGS", "PWD", "OLDPWD", "SHLVL", "_")
_NOT_REPRODUCIBLE = ("-Cincremental", "-Zself-profile", "-Ztime-passes", "-Zdump")
"""Flags with which outputs contain names or times that differ from run to run."""
_WRITES = ("-o", "--out-dir", "--emit")
_NOT_CRASHED = (0, 1)
"""The exit statuses of a rustc that has not crashed."""
_PROGRAMS = ("cc", "ld", "ld.lld", "ld.bfd", "mold", "rust-lld")

_Stamp = tuple[int, ...]


@dataclass(frozen=True)
class RustcResult:
    """The exit status of rustc, and its output."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class RustcCache:
    """The working folder of a variant, and the cache beside it."""

    variant: Path
    folder: Path

    @classmethod
    def here(cls) -> "RustcCache | None":
        """The cache for the step of this process, if there is one."""
        if ASKED not in os.environ:
            return None
        cwd = Path.cwd()
        for one in (cwd, *cwd.parents):
            place = one.parent.parent / FOLDER
            if one.name == "work" and place.is_dir():
                return cls(one.parent, place)
        return None

    def ended(self, key: str, argv: Sequence[str], env: Mapping[str, str]) -> RustcResult:
        """Run rustc, or repeat what it did when it was run with the same key."""
        found = self._restored(self.folder / key)
        if found is None:
            before = self._stamps()
            found = run(argv, env)
            if found.status in _NOT_CRASHED:
                self._keep(self.folder / key, before, found)
        return found

    def key(self, argv: Sequence[str], env: Mapping[str, str]) -> str | None:
        """A digest of all that rustc can depend on; None if that cannot be known."""
        temporary, work = str(self.variant / "tmp"), str(self.variant / "work")
        if "-" in argv or any(word.startswith(_NOT_REPRODUCIBLE) or temporary in word for word in argv):
            return None
        if any(value.startswith("/") and not value.startswith(work) for value in _written(argv)):
            return None
        found = hashlib.blake2b(digest_size=20)
        asked = sorted((name, value) for name, value in env.items() if name not in _NOT_ASKED_OF_RUSTC)
        mask = os.umask(0)
        os.umask(mask)
        programs = [self._program(name, env) for name in _PROGRAMS]
        known = [list(argv), asked, str(Path.cwd()), mask, programs, _version(Path(argv[0]))]
        found.update(json.dumps(known).encode("utf-8", "surrogateescape"))
        for name, status in sorted(_below(self.variant, "work")):
            place = self.variant / name
            if stat.S_ISREG(status.st_mode) and not os.access(place, os.R_OK):
                return None
            found.update(f"\0{name}\0{status.st_mode}\0".encode("utf-8", "surrogateescape"))
            found.update(_content(place, status.st_mode))
        return found.hexdigest()

    def _program(self, name: str, env: Mapping[str, str]) -> object:
        """What identifies a program on PATH; a wrapper of ours is identified by its text."""
        for folder in env.get("PATH", "").split(os.pathsep):
            place = Path(folder) / name
            if place.exists():
                ours = place.is_relative_to(self.variant)
                return place.read_text(encoding="utf-8") if ours else _version(place)
        return None

    def _stamps(self) -> dict[str, _Stamp]:
        return {
            name: (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            for part in ("work", "linker")
            for name, status in _below(self.variant, part)
        }

    def _keep(self, place: Path, before: Mapping[str, _Stamp], ended: RustcResult) -> None:
        after = self._stamps()
        made = [name for name, stamp in after.items() if before.get(name) != stamp]
        size = sum(after[name][2] for name in made)
        counted = self.folder / "megabytes"
        if size > _ENTRY_LIMIT or (counted.stat().st_size if counted.exists() else 0) << 20 > _LIMIT:
            return
        temporary = Path(tempfile.mkdtemp(dir=self.folder))
        entries = [self._kept(name, after[name][0], temporary / str(i)) for i, name in enumerate(made)]
        (temporary / "stdout").write_bytes(ended.stdout)
        (temporary / "stderr").write_bytes(ended.stderr)
        gone = [name for name in before if name not in after]
        listed = {"status": ended.status, "made": entries, "gone": gone}
        (temporary / "listed").write_text(json.dumps(listed), encoding="ascii")
        try:
            temporary.rename(place)
        except OSError:  # another was faster
            shutil.rmtree(temporary)
        with counted.open("ab") as file:
            file.write(bytes(1 + (size >> 20)))

    def _kept(self, name: str, mode: int, copy: Path) -> tuple[str, int, str]:
        place = self.variant / name
        if stat.S_ISREG(mode):
            shutil.copyfile(place, copy)
        return name, mode, str(place.readlink()) if stat.S_ISLNK(mode) else ""

    def _restored(self, entry: Path) -> RustcResult | None:
        """A cached result, after its outputs have been restored."""
        if not entry.is_dir():
            return None
        listed = json.loads((entry / "listed").read_text(encoding="ascii"))
        for name in sorted(listed["gone"], reverse=True):
            place = self.variant / name
            place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()
        numbered = sorted(enumerate(listed["made"]), key=lambda one: one[1][0])
        for number, (name, mode, target) in numbered:
            self._restore_file(self.variant / name, mode, target, entry / str(number))
        for _, (name, mode, _) in numbered:
            if stat.S_ISDIR(mode):  # after its files: it may be read-only
                (self.variant / name).chmod(stat.S_IMODE(mode))
        return RustcResult(listed["status"], (entry / "stdout").read_bytes(), (entry / "stderr").read_bytes())

    def _restore_file(self, place: Path, mode: int, target: str, copy: Path) -> None:
        if stat.S_ISDIR(mode):
            place.mkdir(exist_ok=True)
        elif stat.S_ISLNK(mode):
            place.unlink(missing_ok=True)
            place.symlink_to(target)
        else:
            place.unlink(missing_ok=True)
            shutil.copyfile(copy, place)  # never a link: faults modify files in place
            place.chmod(stat.S_IMODE(mode))


def run(argv: Sequence[str], env: Mapping[str, str]) -> RustcResult:
    """Run rustc itself."""
    done = subprocess.run(argv, env=env, check=False, capture_output=True)
    return RustcResult(done.returncode, done.stdout, done.stderr)


def _written(argv: Sequence[str]) -> Iterator[str]:
    """The paths that the command line names as outputs."""
    for before, word in zip(("", *argv), argv, strict=False):
        option, equals, value = word.partition("=")
        given = word if before in _WRITES else value if equals and option in _WRITES else ""
        yield from (part.rpartition("=")[2] for part in given.split(","))


def _version(place: Path) -> tuple[str, int, int] | None:
    try:
        real = place.resolve()
        status = real.stat()
    except OSError:
        return None
    return str(real), status.st_size, status.st_mtime_ns


def _below(root: Path, part: str) -> Iterator[tuple[str, os.stat_result]]:
    pending = [part]
    while pending:
        folder = pending.pop()
        if not os.access(root / folder, os.R_OK | os.X_OK):
            continue
        for entry in os.scandir(root / folder):
            status = entry.stat(follow_symlinks=False)
            name = f"{folder}/{entry.name}"
            yield name, status
            if stat.S_ISDIR(status.st_mode):
                pending.append(name)


def _content(place: Path, mode: int) -> bytes:
    if stat.S_ISLNK(mode):
        return os.fsencode(place.readlink())
    if not stat.S_ISREG(mode):
        return b""
    with place.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()
