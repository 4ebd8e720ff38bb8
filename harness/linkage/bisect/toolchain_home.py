"""The folder of one toolchain of a bisection: what was downloaded, and the sysroot.

A sysroot gets its name when it is complete, and loses it before it is removed: whatever interrupts an
installation, a kill, a full disk or a crash, a folder with that name is a complete toolchain.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from linkage.bisect.contents import ToolchainContents
from linkage.toolchain.sources.rustup.folders import rustc_of

DOWNLOADS = "downloads"
_SYSROOT = "sysroot"
_STAGED, _REMOVED = "new-", "old-"
_COMPONENTS = "lib/rustlib/components"


def sysroot(home: Path) -> Path | None:
    """The complete toolchain in a home, if there is one."""
    found = home / _SYSROOT
    return found if rustc_of(found).is_file() else None


@contextlib.contextmanager
def staging(home: Path) -> Iterator[Path]:
    """A new folder to install into; leftovers of interrupted installations are removed first.

    Each installation has its own: a rustup that survived its killed parent may still write into another.
    """
    for left in [*home.glob(f"{_STAGED}*"), *home.glob(f"{_REMOVED}*"), home / _SYSROOT]:
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=_STAGED, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def publish(staged: Path, home: Path) -> Path:
    """Give a complete toolchain its name, and remove what it was made from."""
    found = staged.rename(home / _SYSROOT)
    shutil.rmtree(home / DOWNLOADS, ignore_errors=True)
    return found


def remove(home: Path) -> None:
    """Remove a home; its toolchain first loses its name."""
    with contextlib.suppress(FileNotFoundError):
        (home / _SYSROOT).rename(home / f"{_REMOVED}{_SYSROOT}")
    shutil.rmtree(home, ignore_errors=True)


def missing_components(folder: Path, contents: ToolchainContents) -> list[str]:
    """What rustup's list of a toolchain's components lacks of rustc, std and other components."""
    try:
        listed = (folder / _COMPONENTS).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        listed = []
    lacking = [
        name
        for name in ("rustc", *contents.components)
        # Its host follows the name, or `preview`.
        if not any(one == name or one.startswith(f"{name}-") for one in listed)
    ]
    return lacking + [name for target in contents.triples if (name := f"rust-std-{target}") not in listed]
