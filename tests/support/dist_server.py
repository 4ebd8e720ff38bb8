"""A server of toolchains on this machine, as rustup expects one: for tests without a network.

Any folder with a rustc can be published, a real toolchain or a script that stands for one, under
any channel and date. The layout is the one of https://forge.rust-lang.org/infra/channel-layout.html
(channel manifests with their hashes) and of rust-installer's packages, version 3 (`components`,
and a `manifest.in` beside each component's files).
"""

import contextlib
import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from support.loopback import QuietHandler, serving

RUSTC_FILES = ("bin/rustc", "lib/*rustc_driver*", "lib/*LLVM*", "lib/rustlib/{host}/bin/**/*")
STD_FILES = ("lib/rustlib/{host}/lib/*.rlib", "lib/rustlib/{host}/lib/*.rmeta", "lib/rustlib/{host}/lib/*.so")


@dataclass(frozen=True)
class DistServer:
    """The folder of what is served, and the address to give rustup as RUSTUP_DIST_SERVER."""

    folder: Path
    url: str

    def publish(
        self,
        sysroot: Path,
        *,
        host: str,
        channel: str,
        date: str,
        version: str,
        dated: bool = False,
        targets: Sequence[str] = (),
    ) -> None:
        """Offer the toolchain in `sysroot` as `channel`, and as `channel-date`.

        `dated` offers it under its date only, as a nightly that newer ones have followed; `targets` are those
        whose std is in it and can be added.
        """
        packages = {
            "rustc": self._pack(
                sysroot, _files(sysroot, RUSTC_FILES, host), f"{date}/rustc-{date}-{host}", "rustc"
            ),
            "rust-std": self._pack(
                sysroot,
                _files(sysroot, STD_FILES, host),
                f"{date}/rust-std-{date}-{host}",
                f"rust-std-{host}",
            ),
        }
        more = {
            target: self._pack(
                sysroot,
                _files(sysroot, STD_FILES, target),
                f"{date}/rust-std-{date}-{target}",
                f"rust-std-{target}",
            )
            for target in targets
        }
        manifest = _manifest(packages, host=host, date=date, version=version, more=more)
        for folder in [f"dist/{date}"] + ([] if dated else ["dist"]):
            _write_with_hash(self.folder / folder / f"channel-rust-{channel}.toml", manifest)

    def _pack(self, sysroot: Path, files: list[str], package: str, component: str) -> tuple[str, str]:
        """Pack a component's files; returns the package's address and hash."""
        path = self.folder / "dist" / f"{package}.tar.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.name.removesuffix(".tar.gz")
        # Stored, not compressed: it goes from this machine to this machine.
        with (
            gzip.open(path, "wb", compresslevel=0) as stream,
            tarfile.open(fileobj=stream, mode="w") as archive,
        ):
            _add_text(archive, f"{name}/rust-installer-version", "3\n")
            _add_text(archive, f"{name}/components", f"{component}\n")
            _add_text(archive, f"{name}/{component}/manifest.in", "".join(f"file:{file}\n" for file in files))
            for file in files:
                archive.add(sysroot / file, f"{name}/{component}/{file}")
        with path.open("rb") as made:
            return f"{self.url}/dist/{package}.tar.gz", hashlib.file_digest(made, "sha256").hexdigest()


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[DistServer]:
    """Serve the folder on a free port of the loopback interface."""
    folder.mkdir(parents=True, exist_ok=True)

    class DistHandler(QuietHandler, SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

    with serving(DistHandler) as url:
        yield DistServer(folder, url)


def _files(sysroot: Path, patterns: tuple[str, ...], host: str) -> list[str]:
    found = (
        file for pattern in patterns for file in sysroot.glob(pattern.format(host=host)) if file.is_file()
    )
    return sorted({file.relative_to(sysroot).as_posix() for file in found})


def _manifest(
    packages: dict[str, tuple[str, str]],
    *,
    host: str,
    date: str,
    version: str,
    more: Mapping[str, tuple[str, str]],
) -> str:
    text = f'manifest-version = "2"\ndate = "{date}"\n'
    for package, (url, digest) in packages.items():
        text += (
            f'[pkg.{package}]\nversion = "{version}"\n[pkg.{package}.target.{host}]\n'
            f'available = true\nurl = "{url}"\nhash = "{digest}"\n'
        )
    for target, (url, digest) in more.items():
        text += f'[pkg.rust-std.target.{target}]\navailable = true\nurl = "{url}"\nhash = "{digest}"\n'
    text += f'[pkg.rust]\nversion = "{version}"\n[pkg.rust.target.{host}]\navailable = true\n'
    text += f'url = "{packages["rustc"][0]}"\nhash = "{packages["rustc"][1]}"\n'
    for package in packages:
        text += f'[[pkg.rust.target.{host}.components]]\npkg = "{package}"\ntarget = "{host}"\n'
    for target in more:
        text += f'[[pkg.rust.target.{host}.extensions]]\npkg = "rust-std"\ntarget = "{target}"\n'
    names = ", ".join(f'"{package}"' for package in packages)
    return text + f"[profiles]\nminimal = [{names}]\ndefault = [{names}]\ncomplete = [{names}]\n"


def _write_with_hash(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(text.encode()))
