"""Files for Windows: what rustc makes here without core, and what packages have installed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.foreign_fixtures import compile_without_core

MSVC = ("x86_64-pc-windows-msvc", "i686-pc-windows-msvc", "aarch64-pc-windows-msvc")
TARGETS = (
    *MSVC,
    "arm64ec-pc-windows-msvc",
    "thumbv7a-pc-windows-msvc",
    "x86_64-pc-windows-gnu",
    "i686-pc-windows-gnu",
)
PACKAGES = {
    "mingw-w64-x86-64-dev": "/usr/x86_64-w64-mingw32/lib",
    "mingw-w64-i686-dev": "/usr/i686-w64-mingw32/lib",
    "libwine": "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows",
}
"""Where Debian's packages have their files."""
_LINK = (
    "-Clinker=rust-lld",
    "-Clink-arg=/nodefaultlib",
    "-Clink-arg=/noentry",
    "-Clink-arg=/force:unresolved",
)


@pytest.fixture(scope="session")
def for_windows(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A library of a target and a crate type, from a crate without core; a cdylib has its import library and
    its PDB beside it. Linked by rust-lld: without it, a test of what is linked is skipped.
    """
    folder = tmp_path_factory.mktemp("windows")
    built: dict[tuple[str, str], Path] = {}

    def build(target: str, crate_type: str) -> Path:
        if (target, crate_type) not in built:
            linked = crate_type in ("cdylib", "dylib")
            if linked and not any((rustc.parent.parent / "lib/rustlib").glob("*/bin/rust-lld")):
                pytest.skip(
                    "this rustc has no rust-lld: install one with rustup, or Debian's package rust-lld"
                )
            place = folder / f"{target}-{crate_type}"
            place.mkdir()
            name = "lib.dll" if linked else "lib.lib"
            flags = (
                f"--target={target}",
                f"--crate-type={crate_type}",
                "-Cpanic=abort",
                *(_LINK if linked else ()),
            )
            built[target, crate_type] = compile_without_core(rustc, place, name, *flags)
        return built[target, crate_type]

    return build


def installed(package: str, pattern: str, most: int) -> list[Path]:
    """Files of a package, spread over all of them; the test is skipped if it is not installed."""
    found = sorted(Path(PACKAGES[package]).glob(pattern))
    if not found:
        pytest.skip(f"the package {package} is not installed")
    return found[:: -(-len(found) // most)]


def wheels() -> list[Path]:
    """The wheels for Windows in $LINKAGE_WINDOWS_WHEELS; the test is skipped without it."""
    folder = os.environ.get("LINKAGE_WINDOWS_WHEELS")
    if not folder:
        pytest.skip(
            "LINKAGE_WINDOWS_WHEELS is not set to a folder of wheels (pip download --platform win_amd64)"
        )
    return sorted(Path(folder).glob("*win*.whl"))
