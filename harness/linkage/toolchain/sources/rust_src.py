"""A compiler whose std is to be compiled, and the sources of it: what `rust-src` has.

rustup's component and Debian's package both put the folder `library` of rust-lang/rust where cargo looks for
it: `lib/rustlib/src/rust` in the sysroot
(https://doc.rust-lang.org/nightly/cargo/reference/unstable.html#build-std).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.host.folders import cache_folder
from linkage.toolchain.fingerprint import fingerprint
from linkage.toolchain.query import ask
from linkage.toolchain.release import verbose_keys

IN_SYSROOT = Path("lib/rustlib/src/rust")


@dataclass(frozen=True, slots=True)
class StdCompiler:
    """A compiler that compiles a std. `identity` changes with its own files, not with those of targets."""

    rustc: Path
    sysroot: Path
    host: str
    release: str
    identity: str

    def libraries(self, target: str) -> Path:
        """The folder that has the libraries of a target, if they are there."""
        return self.sysroot / "lib" / "rustlib" / target / "lib"

    def has(self, target: str) -> bool:
        """Whether it has the std of a target, or its core if it has no std."""
        return any(self.libraries(target).glob("libcore-*.rlib"))


@dataclass(frozen=True, slots=True)
class RustSource:
    """The folder `library` of rust-lang/rust, and what a record calls it: `rust-src 1.97.1+dfsg1-1`."""

    library: Path
    origin: str

    @property
    def vendor(self) -> Path | None:
        """The crates of others that std depends on; Debian's packages have them from 1.96 on."""
        folder = self.library / "vendor"
        return folder if folder.is_dir() else None

    def require(self, release: str, who: str) -> None:
        """Raise ToolchainError if it is not of this release, as far as it says its own."""
        try:
            own = (self.library.parent / "src" / "version").read_text("utf-8", "replace").strip()
        except OSError:
            return  # rustup's component does not say it, and is always of its toolchain's
        if own != release.partition("-")[0]:
            raise ToolchainError(
                f"{self.origin} is of rustc {own[:40]!r}, not {release}",
                where=f"toolchain {who}",
                help="unpack the rust-src of the compiler's own version",
            )


def compiler_of(rustc: Path, env: Mapping[str, str], who: str) -> StdCompiler:
    """Ask a rustc what it is. Raises ToolchainError if it does not answer as one."""
    keys = verbose_keys(ask([rustc, "-vV"], env, who=who).stdout)
    sysroot = Path(ask([rustc, "--print", "sysroot"], env, who=who).stdout.strip())
    if not keys.get("host") or not keys.get("release") or not sysroot.is_dir():
        raise ToolchainError(f"{rustc} does not print its host and sysroot", where=f"toolchain {who}")
    own = fingerprint(rustc, sysroot, cache_folder(env), target=keys["host"])
    return StdCompiler(rustc, sysroot, keys["host"], keys["release"], own)


def in_sysroot(sysroot: Path) -> RustSource | None:
    """The sources beside a compiler; None if there are none."""
    library = sysroot / IN_SYSROOT / "library"
    return RustSource(library.resolve(), str(library)) if (library / "core/src/lib.rs").is_file() else None


def in_package(root: Path, origin: str, who: str) -> RustSource:
    """The sources in an unpacked package of Debian. Raises ToolchainError if it has none."""
    library = next(root.glob("usr/src/*/library"), None)
    if library is None:
        raise ToolchainError(f"{origin} has no library", where=f"toolchain {who}")
    return RustSource(library, origin)
