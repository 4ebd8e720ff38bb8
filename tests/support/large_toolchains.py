"""Packages of toolchains of real size, made from a toolchain of this machine.

They differ in their `rustc`, which is a script that tells a version and starts the real compiler. All else is
the same: it is packed once, and a package is that, the script, and the end of the archive. gzip is used
without compression, in blocks that any number of packages share: https://www.rfc-editor.org/rfc/rfc1951.
"""

import hashlib
import io
import re
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.nightly_server import NightlyServer, add_text

REAL = "bin/rustc-real"
_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_BLOCK = 0xFFFF
_NEVER_NEEDED = re.compile(r"librustc-|lib(test|proc_macro|getopts|rustc_literal_escaper)-|.*\.so$")
"""Of std, what no C library and no program needs."""
_BUILD = re.compile(r"/rustc-builds/(\w{40})/(rustc|rust-std)-nightly-.*\.tar\.gz")


def _files(sysroot: Path, host: str, *, full: bool) -> dict[str, list[tuple[str, Path]]]:
    """The files of each component, by their names in the package: all, or what is needed to link."""
    own = sysroot / "lib/rustlib" / host
    rustc = sorted((own / "bin/gcc-ld").glob("*"))
    std = [one for one in sorted((own / "lib").iterdir()) if full or not _NEVER_NEEDED.match(one.name)]
    if full:
        rustc += [
            own / "bin/rust-lld",
            *(one for one in sorted((sysroot / "lib").iterdir()) if one.is_file()),
        ]
    found = {
        "rustc": [(str(one.relative_to(sysroot)), one) for one in rustc],
        "rust-std": [(str(one.relative_to(sysroot)), one) for one in std],
    }
    if full:
        found["rustc"].append((REAL, sysroot / "bin/rustc"))
    return found


@dataclass
class _SharedPart:
    """The beginning of a package, as a gzip stream that is not at its end; a file for tarfile to write."""

    pieces: list[bytes] = field(default_factory=lambda: [_GZIP])
    crc: int = 0
    size: int = 0
    sha256: Any = field(default_factory=lambda: hashlib.sha256(_GZIP))

    def write(self, data: bytes) -> int:
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        for block in _blocks(data):
            self.pieces.append(block)
            self.sha256.update(block)
        return len(data)

    def tell(self) -> int:
        return self.size

    def end(self, data: bytes) -> bytes:
        """The rest of a package, with these bytes at the end of its archive."""
        blocks = [*_blocks(data), b"\x01\x00\x00\xff\xff"]
        size = (self.size + len(data)) & 0xFFFFFFFF
        return b"".join([*blocks, struct.pack("<II", zlib.crc32(data, self.crc), size)])


def _blocks(data: bytes) -> Iterable[bytes]:
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        yield struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block


class LargeNightlies(NightlyServer):
    """Nightlies, and the builds of merges, of real size."""

    def __init__(
        self,
        sysroot: Path,
        host: str,
        rustc_on: Callable[[str], str | None],
        rustc_of: Callable[[str], str | None],
        *,
        full: bool,
    ) -> None:
        super().__init__(host, rustc_on)
        self.rustc_of = rustc_of
        """The compiler of a commit."""
        files = _files(sysroot, host, full=full)
        self.unpacked = sum(file.stat().st_size for part in files.values() for _, file in part)
        """The size of a toolchain, in bytes."""
        lld = f"lib/rustlib/{host}/bin/rust-lld"
        # It needs the library of LLVM, which is as large as all else.
        scripts = {} if full else {"rustc": {lld: f"#!/bin/sh\nexec '{sysroot / lld}' \"$@\"\n"}}
        self._shared = {
            component: self._pack(component, part, scripts.get(component, {}))
            for component, part in files.items()
        }
        self._beginnings = {name: b"".join(one.pieces) for name, one in self._shared.items()}
        self._ends: dict[str, bytes] = {}

    def content(self, path: str) -> bytes | None:
        if build := _BUILD.fullmatch(path):
            script = self.rustc_of(build[1])
            return None if script is None else self.package(build[2], script)
        return super().content(path)

    def package(self, component: str, script: str) -> bytes:
        return self._beginnings[component] + self._end(component, script)

    def digest(self, component: str, script: str) -> str:
        found = self._shared[component].sha256.copy()
        found.update(self._end(component, script))
        return str(found.hexdigest())

    def _places(self, component: str) -> tuple[str, str]:
        """The folders of a package, and of the component in it."""
        return (
            f"{component}-nightly-{self.host}",
            "rustc" if component == "rustc" else f"{component}-{self.host}",
        )

    def _pack(self, component: str, files: list[tuple[str, Path]], scripts: dict[str, str]) -> _SharedPart:
        whole, inner = self._places(component)
        shared = _SharedPart()
        # It is not closed: the archive goes on.
        archive = tarfile.open(fileobj=shared, mode="w", dereference=True)  # type: ignore[call-overload]  # noqa: SIM115
        names = [*(name for name, _ in files), *scripts]
        names += ["bin/rustc"] if component == "rustc" else []
        add_text(archive, f"{whole}/rust-installer-version", "3\n")
        add_text(archive, f"{whole}/components", f"{inner}\n")
        add_text(archive, f"{whole}/{inner}/manifest.in", "".join(f"file:{name}\n" for name in names))
        for name, file in files:
            archive.add(file, f"{whole}/{inner}/{name}")
        for name, text in scripts.items():
            add_text(archive, f"{whole}/{inner}/{name}", text, 0o755)
        return shared

    def _end(self, component: str, script: str) -> bytes:
        key = f"{component}\0{script}"
        if key not in self._ends:
            rest = io.BytesIO()
            with tarfile.open(fileobj=rest, mode="w") as archive:
                if component == "rustc":
                    whole, inner = self._places(component)
                    add_text(archive, f"{whole}/{inner}/bin/rustc", script, 0o755)
            self._ends[key] = self._shared[component].end(rest.getvalue())
        return self._ends[key]
