"""The compilers that the harness has unpacked from an archive, and folders that others unpacked."""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from linkage.errors import ToolchainError
from linkage.host.decoding import MALFORMED
from linkage.host.files import replace_file
from linkage.host.folders import expand_home
from linkage.toolchain.sources.debian import tree
from linkage.toolchain.sources.debian.packages import newest_first
from linkage.toolchain.sources.debian.spec import PREFIX, FolderSpec, ReleaseSpec, SuiteSpec, parse
from linkage.toolchain.sources.rustup.folders import private_home

RECORD = "debian.json"


class CompilerRecord(msgspec.Struct, frozen=True):
    """The origin of a compiler, stored beside it; only a folder that has one is removed."""

    package: str
    version: str
    release: str
    suites: tuple[str, ...]
    """The suites whose own rustc it was at the time of the installation."""
    unpacked: dict[str, str]
    """Every package that is in the folder, with its version."""
    verified: bool = True
    source: str = ""
    """Where the sources of a std that was compiled here are from."""
    made_of: str = ""
    """The identity of the compiler that one with another std is made of."""


@dataclass(frozen=True, slots=True)
class UnpackedCompiler:
    """One unpacked compiler. Its name in node ids is `debian-` and its folder's."""

    folder: Path
    record: CompilerRecord

    @property
    def spec(self) -> str:
        return PREFIX + self.folder.name

    @property
    def name(self) -> str:
        return f"debian-{self.folder.name}"

    @property
    def rustc(self) -> Path:
        return self.folder / "rustc"


def home(env: Mapping[str, str]) -> Path | None:
    """The folder of unpacked compilers, beside the private rustup's."""
    private = private_home(env)
    return private and private.parent / "debian"


def compilers(env: Mapping[str, str]) -> list[UnpackedCompiler]:
    """Every compiler that was unpacked whole, the newest first."""
    folder = home(env)
    records = sorted(folder.glob(f"*/{RECORD}")) if folder else []
    found = (read(record.parent) for record in records if record.parent.name[0].isdigit())
    return sorted(
        (one for one in found if one), key=lambda one: newest_first(one.record.release, one.record.package)
    )


def read(folder: Path) -> UnpackedCompiler | None:
    """The compiler in the folder; None if it is damaged or was not unpacked by the harness."""
    try:
        record = msgspec.json.decode((folder / RECORD).read_bytes(), type=CompilerRecord)
        newest_first(record.release, record.package)
    except (OSError, ValueError, *MALFORMED):  # with msgspec 0.19 it is no ValueError
        return None
    found = UnpackedCompiler(folder, record)
    return found if found.rustc.is_file() else None


def package_of(rustc: Path) -> str:
    """The package that an unpacked rustc is from, with its version; empty for any other rustc."""
    found = read(rustc.parent)
    return f"{found.record.package} {found.record.version}" if found else ""


def write(record: CompilerRecord, folder: Path) -> None:
    """Put the record into a compiler's folder, whole."""
    replace_file(folder / RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def matching(spec: ReleaseSpec | SuiteSpec, env: Mapping[str, str]) -> list[UnpackedCompiler]:
    """The unpacked compilers that match the spec, the best first."""
    return [one for one in compilers(env) if _is_meant(spec, one.record)]


def _is_meant(spec: ReleaseSpec | SuiteSpec, record: CompilerRecord) -> bool:
    if isinstance(spec, ReleaseSpec):
        return spec.covers(record.release, record.package)
    return spec.name in record.suites


def locate(text: str, env: Mapping[str, str]) -> tuple[str, Path]:
    """The name and the rustc of the unpacked compiler that a `debian:` spec names.

    Raises ToolchainError if there is none, with the command that installs it.
    """
    spec = parse(text)
    if isinstance(spec, FolderSpec):
        return _unpacked(spec, env)
    found = matching(spec, env)
    if not found:
        have = ", ".join(one.spec for one in compilers(env)) or "none"
        raise ToolchainError(
            f"not installed; found: {have}",
            where=f"toolchain {text}",
            help=f"linkage toolchains install {text}",
        )
    return found[0].name, found[0].rustc


def _unpacked(spec: FolderSpec, env: Mapping[str, str]) -> tuple[str, Path]:
    root = Path(os.path.abspath(expand_home(spec.path, env)))  # noqa: PTH100 - a link keeps its name
    if root.is_file() and root.name == "rustc":
        root = root.parent
    if ours := read(root):
        return ours.name, ours.rustc
    name = f"debian-{root.name}"
    script = root / "rustc"
    if script.is_file() and os.access(script, os.X_OK):
        return name, script
    if not (root / tree.RUSTC).is_file():
        raise ToolchainError(
            f"no {tree.RUSTC} in {root}",
            where=f"toolchain {spec.text}",
            help="unpack rustc, libstd-rust-* and their libraries into it: dpkg-deb -x FILE.deb FOLDER",
        )
    return name, _wrapper_elsewhere(root, spec, env)


def _wrapper_elsewhere(root: Path, spec: FolderSpec, env: Mapping[str, str]) -> Path:
    """A script in the harness's folder that starts a rustc in a folder of the user."""
    own = home(env)
    if own is None:
        raise ToolchainError(
            "no folder for the script that starts it: neither HOME nor XDG_CACHE_HOME is set",
            where=f"toolchain {spec.text}",
        )
    key = hashlib.blake2b(os.fsencode(root), digest_size=8).hexdigest()
    script = own / "scripts" / key / "rustc"
    text = tree.wrapper(root, elsewhere=True)
    with contextlib.suppress(OSError):
        if script.read_text() == text:  # a new file would be hashed and probed again
            return script
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        replace_file(script, text, mode=0o755)
    except OSError as error:
        raise ToolchainError(
            f"{script} cannot be written: {error.strerror or error}", where=f"toolchain {spec.text}"
        ) from error
    return script
