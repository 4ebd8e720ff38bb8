"""The three forms of a `debian:` spec: a release, a suite, and a folder of unpacked packages."""

import re
from dataclasses import dataclass

from linkage.errors import ToolchainError

PREFIX = "debian:"
DYNAMIC = "rustc-dynamic"
"""In place of the package's name for a compiler that was made of another."""
_RELEASE = re.compile(
    r"(?P<release>\d+\.\d+(?:\.\d+(?:-beta\.\d+)?)?)(?:-(?P<flavour>web|mozilla|dynamic))?", re.ASCII
)
_SUITE = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReleaseSpec:
    """`debian:1.63`, `debian:1.78.0-web`: a release of rustc, in whichever suite has it.

    `package` is the package that the spec names, if it does: for its older suites Debian has a newer
    rustc as `rustc-web`, built against another LLVM than a `rustc` of the same release. `debian:1.85-dynamic`
    has a dynamic std that was built from `rust-src`.
    """

    text: str
    release: str
    package: str | None

    def covers(self, release: str, package: str) -> bool:
        """Whether it means a compiler of this release and package: if it names none, any of Debian's own."""
        same = release == self.release or release.startswith((f"{self.release}.", f"{self.release}-"))
        return same and (package == self.package if self.package else package != DYNAMIC)


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
    """Whether it is one."""
    return text.startswith(PREFIX)


def parse(text: str) -> ReleaseSpec | SuiteSpec | FolderSpec:
    """Read a spec that begins with `debian:`. Raises ToolchainError if it has none of the forms."""
    what = text.removeprefix(PREFIX)
    if found := _RELEASE.fullmatch(what):
        package = f"rustc-{found['flavour']}" if found["flavour"] else None
        return ReleaseSpec(text, found["release"], package)
    if "/" in what or what.startswith((".", "~")):
        return FolderSpec(text, what)
    if _SUITE.fullmatch(what):
        return SuiteSpec(text, what)
    raise ToolchainError(
        "it is not a release, a suite or a folder",
        where=f"toolchain {text}",
        help="write debian:1.63, debian:bookworm or debian:/path/to/unpacked",
    )
