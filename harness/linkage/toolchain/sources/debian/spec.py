"""What a `debian:` spec names: a release, a suite of the archive, or a folder of unpacked packages."""

import re
from dataclasses import dataclass

from linkage.errors import ToolchainError

PREFIX = "debian:"
_RELEASE = re.compile(
    r"(?P<release>\d+\.\d+(?:\.\d+(?:-beta\.\d+)?)?)(?:-(?P<flavour>web|mozilla))?", re.ASCII
)
_SUITE = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReleaseSpec:
    """`debian:1.63`, `debian:1.78.0-web`: a release of rustc, whichever suite carries it.

    `package` is the compiler's package where the spec says it: Debian has a newer rustc for its
    older suites as `rustc-web`, built against another LLVM than a `rustc` of the same release.
    """

    text: str
    release: str
    package: str | None

    def covers(self, release: str, package: str) -> bool:
        """Whether a compiler of this release, out of this package, is what was asked for."""
        same = release == self.release or release.startswith((f"{self.release}.", f"{self.release}-"))
        return same and self.package in (None, package)


@dataclass(frozen=True, slots=True)
class SuiteSpec:
    """`debian:bookworm`: the rustc of one suite of the archive."""

    text: str
    name: str


@dataclass(frozen=True, slots=True)
class FolderSpec:
    """`debian:/path`: packages that someone unpacked into one folder."""

    text: str
    path: str


def is_debian(text: str) -> bool:
    """Whether a toolchain's spec is one of these."""
    return text.startswith(PREFIX)


def parse(text: str) -> ReleaseSpec | SuiteSpec | FolderSpec:
    """Read a spec with its `debian:`. Raises ToolchainError where it names none of the three."""
    what = text.removeprefix(PREFIX)
    if found := _RELEASE.fullmatch(what):
        package = f"rustc-{found['flavour']}" if found["flavour"] else None
        return ReleaseSpec(text, found["release"], package)
    if "/" in what or what.startswith((".", "~")):
        return FolderSpec(text, what)
    if _SUITE.fullmatch(what):
        return SuiteSpec(text, what)
    raise ToolchainError(
        f"`{text}` names neither a release, nor a suite, nor a folder",
        where=f"toolchain {text}",
        help="write debian:1.63, debian:bookworm or debian:/path/to/unpacked",
    )
