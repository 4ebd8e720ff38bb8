"""Toolchains by commit: what rust-lang/rust's CI keeps of each merge, for some months.

An archive is unpacked without rustup, which does not know them, and never outside its folder.
"""

import lzma
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from linkage.bisect.download import Downloads, FailedError, NotThereError

SERVER = "https://ci-artifacts.rust-lang.org"
_SUFFIXES = (".tar.xz", ".tar.gz")


def packages(host: str, targets: Sequence[str]) -> list[str]:
    """What a compiler that can build something consists of."""
    return [f"rustc-nightly-{host}", *(f"rust-std-nightly-{target}" for target in [host, *targets])]


def fetch(commit: str, folder: Path, downloads: Downloads, server: str, names: Sequence[str]) -> list[Path]:
    """Get the packages of a commit. Raises NotThereError where CI made or kept none, FailedError."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_package(f"{server}/rustc-builds/{commit}/{name}", folder / name, downloads) for name in names]


def _package(url: str, place: Path, downloads: Downloads) -> Path:
    for suffix in _SUFFIXES:
        file = place.with_name(f"{place.name}{suffix}")
        if file.exists():
            return file
        try:
            digest = _hash(f"{url}{suffix}.sha256", downloads)
            downloads.file(f"{url}{suffix}", file, digest)
        except NotThereError:
            if suffix == _SUFFIXES[-1]:
                raise
        else:
            return file
    raise AssertionError(url)


def _hash(url: str, downloads: Downloads) -> str | None:
    """The hash that the server gives, where it gives one."""
    try:
        words = downloads.text(url, 1024).split()
    except NotThereError:
        return None
    return words[0] if words else None


def unpack(archives: Sequence[Path], home: Path) -> Path:
    """Unpack packages over each other into a sysroot, which appears when it is whole.

    Raises FailedError for an archive that is damaged, or that would write elsewhere.
    """
    whole = home / "sysroot"
    if whole.is_dir():
        return whole
    unpacked = home / "new"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    for archive in archives:
        try:
            with tarfile.open(archive) as package:
                for member in package:
                    _unpack(package, member, unpacked)
        except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
            archive.unlink(missing_ok=True)
            shutil.rmtree(unpacked, ignore_errors=True)
            raise FailedError(f"{archive.name} cannot be unpacked: {error}") from None
    unpacked.rename(whole)
    for archive in archives:
        archive.unlink(missing_ok=True)
    return whole


def _unpack(package: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One file: below the package's and the component's own folders lies what a sysroot holds."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise tarfile.TarError(f"it holds {member.name}, which leads outside")
    inside = path.parts[2:]
    if not inside or inside == ("manifest.in",):
        return
    inner = member.replace(name=str(PurePosixPath(*inside)), deep=False)
    # `data` refuses links and names that lead outside, devices, and owners.
    package.extract(inner, folder, filter="data")


def is_there(home: Path) -> Path | None:
    """The sysroot, where it was unpacked to the end."""
    found = home / "sysroot"
    return found if found.is_dir() else None
