"""A server of dated nightlies on this machine, with the faults that real ones have.

A nightly is a small package: its rustc is a script that starts a real compiler, so that a
thousand dates cost nothing; rustup downloads, checks and installs it as any other. Manifests are
made when they are asked for.
"""

import contextlib
import gzip
import hashlib
import io
import re
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from support.loopback import QuietHandler, serving

_CHANNEL = re.compile(r"channel-rust-([\w.]+?)\.toml(\.sha256)?")
HOST_FILES = "lib/rustlib/{host}/lib/libstd-1.rlib"
_PAUSE = 0.05


@dataclass
class Faults:
    """What goes wrong, by the beginning of a path: how often, or always with -1."""

    not_there: set[str] = field(default_factory=set)
    wrong_hash: set[str] = field(default_factory=set)
    """Nightlies whose package has another hash than the manifest says."""
    forbidden: set[str] = field(default_factory=set)
    """What is answered with 403, as a proxy does."""
    busy: dict[str, int] = field(default_factory=dict)
    """So many times the server is busy."""
    busy_with: tuple[int, str] = (503, "")
    """The status then, and how long it wants to be left alone."""
    cut: dict[str, int] = field(default_factory=dict)
    """So many times the connection ends in the middle."""
    stalled: dict[str, int] = field(default_factory=dict)
    """So many times nothing comes after the first half, for as long as it is waited for."""


@dataclass
class NightlyServer:
    """What is served: `rustc_on` gives the script of a day, or None where there was no nightly."""

    host: str
    rustc_on: Callable[[str], str | None]
    """By day; also by release (`1.96.0`), and for `beta` and `beta-DAY`."""
    url: str = ""
    faults: Faults = field(default_factory=Faults)
    asked: list[str] = field(default_factory=list)
    """Every path that was asked for, with the bytes from which it was."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Other files, by path."""
    _packages: dict[str, bytes] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)
    ballast: int = 0
    """How many more files of half a megabyte each package has."""
    origin: str = ""
    """The server that the manifests name, if it is another one: this one is its mirror."""
    more: tuple[str, ...] = ()
    """More components, which no profile has."""
    newest_beta: str = "beta-2026-06-20"
    version: str = "1.98.0-beta.3 (0123456789 2026-06-19)"
    """What every manifest says of its rustc."""
    stop: threading.Event = field(default_factory=threading.Event)
    scripts: dict[str, str] = field(default_factory=dict)
    """The compilers behind the nightlies, by name, if a test has given them names."""
    script: Callable[..., str] = str
    """The compiler of a merge, by its number, if a test has merges."""

    def content(self, path: str) -> bytes | None:
        """What stands under a path."""
        if path in self.files:
            return self.files[path]
        parts = path.strip("/").split("/")
        if parts[0] == "dist" and len(parts) == 2 and (named := _CHANNEL.fullmatch(parts[1])):
            parts = [
                "dist",
                named[1],
                f"channel-rust-nightly.toml{named[2] or ''}",
            ]  # a release, or the newest beta
        if len(parts) != 3 or parts[0] != "dist":
            return None
        _, day, name = parts
        if name.startswith("channel-rust-beta."):
            day, name = f"beta-{day}", name.replace("beta", "nightly")
        script = self.rustc_on(day)
        if script is None:
            return None
        if name == "channel-rust-nightly.toml":
            return self._manifest(day, script)
        if name == "channel-rust-nightly.toml.sha256":
            return f"{hashlib.sha256(self._manifest(day, script)).hexdigest()}  {name[:-7]}\n".encode()
        component = name.partition(f"-{day}")[0]
        return self.package(component, script)

    def installs(self) -> list[str]:
        """The days whose compiler was downloaded, each as often as its first byte was."""
        return [
            path.split("/")[2]
            for path in self.asked
            if path.endswith("from 0") and "/rustc-" in path and "channel" not in path
        ]

    def _manifest(self, day: str, script: str) -> bytes:
        if day == "beta":
            day = self.newest_beta
        text = f'manifest-version = "2"\ndate = "{day.removeprefix("beta-")}"\n'
        server = self.origin or self.url
        for component in ("rustc", "rust-std", *self.more):
            digest = self.digest(component, script)
            if day in self.faults.wrong_hash:
                digest = hashlib.sha256(digest.encode()).hexdigest()
            text += (
                f'[pkg.{component}]\nversion = "{self.version}"\n[pkg.{component}.target.{self.host}]\n'
                f'available = true\nurl = "{server}/dist/{day}/{component}-{day}-{self.host}.tar.gz"\n'
                f'hash = "{digest}"\n'
            )
        text += f'[pkg.rust]\nversion = "1.0.0-nightly"\n[pkg.rust.target.{self.host}]\navailable = true\n'
        for component in ("rustc", "rust-std", *self.more):
            kind = "components" if component not in self.more else "extensions"
            text += f'[[pkg.rust.target.{self.host}.{kind}]]\npkg = "{component}"\ntarget = "{self.host}"\n'
        text += '[profiles]\nminimal = ["rustc", "rust-std"]\ndefault = ["rustc"]\ncomplete = ["rustc"]\n'
        return text.encode()

    def digest(self, component: str, script: str) -> str:
        """The hash of a package."""
        key = f"{component}\0{script}"
        if key not in self._digests:
            self._digests[key] = hashlib.sha256(self.package(component, script)).hexdigest()
        return self._digests[key]

    def package(self, component: str, script: str) -> bytes:
        """The package of a component; the compiler is this script."""
        key = f"{component}\0{script}"
        if key not in self._packages:
            self._packages[key] = package(component, self.host, script, ballast=self.ballast)
        return self._packages[key]


def package(
    component: str,
    host: str,
    script: str,
    more: list[tarfile.TarInfo] | None = None,
    *,
    ballast: int = 0,
) -> bytes:
    """A package as rust-installer makes them, version 3, stored and not compressed."""
    files = {
        "rustc": {"bin/rustc": script},
        "rust-std": {HOST_FILES.format(host=host): "!<arch>\n"},
    }.get(component, {f"share/{component}": component})
    files |= {f"lib/ballast-{component}-{number}": f"{number:8}" * (1 << 16) for number in range(ballast)}
    inner = component if component == "rustc" else f"{component}-{host}"
    whole = f"{component}-nightly-{host}"
    made = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=made, mode="wb", compresslevel=0 if ballast else 1, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        add_text(archive, f"{whole}/rust-installer-version", "3\n")
        add_text(archive, f"{whole}/components", f"{inner}\n")
        add_text(archive, f"{whole}/{inner}/manifest.in", "".join(f"file:{name}\n" for name in files))
        for name, text in files.items():
            add_text(archive, f"{whole}/{inner}/{name}", text, 0o755 if name.startswith("bin/") else 0o644)
        for member in more or []:
            archive.addfile(member)
    return made.getvalue()


def add_text(archive: tarfile.TarFile, name: str, text: str, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text.encode()), mode
    archive.addfile(entry, io.BytesIO(text.encode()))


@contextlib.contextmanager
def serve(host: str, rustc_on: Callable[[str], str | None], *, ipv6: bool = False) -> Iterator[NightlyServer]:
    """Serve on a free port of the loopback interface."""
    with serving_nightlies(NightlyServer(host, rustc_on), ipv6=ipv6) as shown:
        yield shown


@contextlib.contextmanager
def serving_nightlies(shown: NightlyServer, *, ipv6: bool = False) -> Iterator[NightlyServer]:
    """Serve what a test has described."""

    class NightlyHandler(_Handler):
        server_of = shown

    with serving(NightlyHandler, ipv6=ipv6) as shown.url:
        try:
            yield shown
        finally:
            shown.stop.set()


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server_of: NightlyServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        served = self.server_of
        found = None if _hit(served.faults.not_there, self.path) else served.content(self.path)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        served.asked.append(f"{self.path} from {start}")
        if _count(served.faults.busy, self.path):
            status, then = served.faults.busy_with
            self._head(status, 0, retry_after=then)
            return
        if _hit(served.faults.forbidden, self.path):
            self._head(403, 0)
            return
        if found is None or start >= max(1, len(found)):
            self._head(404 if found is None else 416, 0)
            return
        self._head(206 if start else 200, len(found) - start, f"bytes {start}-{len(found) - 1}/{len(found)}")
        rest = found[start:]
        if _count(served.faults.cut, self.path):
            self.wfile.write(rest[: len(rest) // 2])
            self.close_connection = True
        elif _count(served.faults.stalled, self.path):
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            while not served.stop.is_set() and self._listens():
                time.sleep(_PAUSE)
            self.close_connection = True
        else:
            self.wfile.write(rest)

    def do_HEAD(self) -> None:
        served = self.server_of
        found = None if _hit(served.faults.not_there, self.path) else served.content(self.path)
        served.asked.append(f"{self.path} alone")
        self._head(404 if found is None else 200, 0 if found is None else len(found))

    def _listens(self) -> bool:
        """Whether the other end still has its connection open."""
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _head(self, status: int, length: int, content_range: str = "", retry_after: str = "") -> None:
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", str(length))
        if status == 206:
            self.send_header("Content-Range", content_range)
        self.end_headers()


def _hit(names: set[str], path: str) -> bool:
    return any(name in path for name in names)


def _count(left: dict[str, int], path: str) -> bool:
    for name, times in left.items():
        if name in path and times:
            left[name] = times - 1
            return True
    return False
