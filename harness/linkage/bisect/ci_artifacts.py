"""Toolchains by commit: rust-lang/rust's CI keeps the artifacts of each merge for some months.

They are unpacked without rustup, which does not know them, and never outside their folder.
"""

import errno
import lzma
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from linkage.bisect.contents import ToolchainContents
from linkage.bisect.download import DiskFullError, Downloads, FailedError, NotThereError
from linkage.bisect.toolchain_home import publish, staging

SERVER = "https://ci-artifacts.rust-lang.org"
_SUFFIXES = (".tar.xz", ".tar.gz")


_WITHOUT_HOST = ("rust-src",)


def packages(contents: ToolchainContents) -> list[str]:
    """The packages of a compiler and of what is installed with it."""
    host = contents.host
    more = [one.removesuffix("-preview") for one in contents.components]
    return [
        f"rustc-nightly-{host}",
        *(f"rust-std-nightly-{target}" for target in contents.triples),
        *(f"{one}-nightly" if one in _WITHOUT_HOST else f"{one}-nightly-{host}" for one in more),
    ]


def are_there(commit: str, contents: ToolchainContents, server: str, downloads: Downloads) -> bool:
    """Whether the server has the compiler of a commit. Raises FailedError."""
    url = f"{server}/{contents.builds}/{commit}/rustc-nightly-{contents.host}"
    return any(downloads.exists(f"{url}{suffix}") for suffix in _SUFFIXES)


def fetch(
    commit: str, folder: Path, downloads: Downloads, server: str, contents: ToolchainContents
) -> list[Path]:
    """Download the packages of a commit. Raises NotThereError, FailedError."""
    folder.mkdir(parents=True, exist_ok=True)
    place = f"{server}/{contents.builds}/{commit}"
    return [_package(f"{place}/{name}", folder / name, downloads) for name in packages(contents)]


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
    """The hash that the server publishes, if any."""
    try:
        words = downloads.text(url, 1024).split()
    except NotThereError:
        return None
    return words[0] if words else None


def unpack(archives: Sequence[Path], home: Path) -> Path:
    """Unpack packages into one sysroot, which gets its name when it is complete.

    Raises FailedError for an archive that is damaged or would write outside the folder.
    """
    with staging(home) as staged:
        return publish(_unpack_all(archives, staged), home)


def _unpack_all(archives: Sequence[Path], staged: Path) -> Path:
    unpacked = staged / "sysroot"
    unpacked.mkdir()
    for archive in archives:
        try:
            with tarfile.open(archive) as package:
                for member in package:
                    _unpack(package, member, unpacked)
        except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise DiskFullError(f"{archive.name} cannot be unpacked: the disk is full") from None
            archive.unlink(missing_ok=True)
            raise FailedError(f"{archive.name} cannot be unpacked: {error}") from None
    return unpacked


def _unpack(package: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Unpack one file, without the folders of its package and component."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise tarfile.TarError(f"{member.name} would be written outside its folder")
    inside = path.parts[2:]
    if not inside or inside == ("manifest.in",):
        return
    inner = member.replace(name=str(PurePosixPath(*inside)), deep=False)
    # `data` refuses links and names that lead outside, devices, and owners.
    package.extract(inner, folder, filter="data")
