"""A folder of unpacked packages, and the script that starts the rustc in it.

A compiler of another release than the machine's needs the C library that it was built against, and
that needs its own loader. The loader gets the path of the libraries as an argument, not through the
environment: the linker that the compiler starts is the machine's and uses the machine's libraries.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

_LOADERS = ("ld-linux*.so.*", "ld64.so.*", "ld-2.*.so")
_LOADER_FOLDERS = ("usr/lib/*", "lib/*", "usr/lib", "lib")
_LIBRARY_FOLDERS = ("lib/*-linux-*", "usr/lib/*-linux-*", "usr/lib/llvm-*/lib", "usr/lib", "lib")
_MACHINE = Path("/")
RUSTC = "usr/bin/rustc"


def wrapper(root: Path, *, elsewhere: bool = False) -> str:
    """The script that starts the rustc of the folder.

    It is in the folder itself, which can then be moved; or `elsewhere`, and names the folder. If no C
    library was unpacked, the machine's is used.
    """
    here = f"here={shlex.quote(str(root))}" if elsewhere else 'here=$(readlink -f "$0") && here=${here%/*}'
    loader = _in(root, loader_of(root))
    libraries = ":".join(_in(root, folder) for folder in _library_folders(root))
    start = f'"{loader}" --library-path "{libraries}" ' if loader else ""
    # Its absolute path if the script is elsewhere, so that the fingerprint covers the compiler.
    rustc = shlex.quote(str(root / RUSTC)) if elsewhere else f'"$here/{RUSTC}"'
    return (
        "#!/bin/sh\n# Starts this rustc with the C library and the LLVM that it was built against.\n"
        f'{here}\nexec {start}{rustc} --sysroot "$here/usr" "$@"\n'
    )


def loader_of(root: Path) -> Path | None:
    """The loader that was unpacked, or the machine's; None if neither is a glibc."""
    own = (loader for loader in _loaders(root, _LOADER_FOLDERS) if _is_within(loader, root))
    return next(own, None) or next(_loaders(_MACHINE, ("lib64", "lib", "lib/*-linux-*")), None)


def _loaders(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        for path in _matching(root, folder):
            for name in _LOADERS:
                yield from sorted(path.glob(name))


def _is_within(loader: Path, root: Path) -> bool:
    """Whether it is a file of the folder, and not a link to the machine's loader of the same path."""
    return loader.is_file() and loader.resolve().is_relative_to(root.resolve())


def _library_folders(root: Path) -> Iterator[Path]:
    for pattern in _LIBRARY_FOLDERS:
        for folder in _matching(root, pattern):
            if any(".so" in path.name for path in folder.iterdir()):
                yield folder


def _matching(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_dir())


def _in(root: Path, path: Path | None) -> str:
    if path is None:
        return ""
    return f"$here/{path.relative_to(root)}" if path.is_relative_to(root) else str(path)
