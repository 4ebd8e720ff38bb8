"""A package archive in miniature: real packages and indexes, really signed; its compiler is a script.

Its layout is the one of https://wiki.debian.org/DebianRepository/Format. The compiler's C library is
a script as well, which stands where a loader does and starts what it is told to, so that whoever
runs the compiler past its loader is found out.
"""

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.loopback import QuietHandler

TRIPLET = f"{platform.machine()}-linux-gnu"
LOADER = f"lib/{TRIPLET}/ld-linux-test.so.2"
LOADER_SCRIPT = """#!/bin/sh
[ "$1" = --library-path ] || exit 9
LOADED_WITH=$2
export LOADED_WITH
shift 2
exec "$@"
"""
PROGRAMS = ("apt-get", "dpkg-deb", "gpg")


def architecture() -> str:
    return subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()


class Key:
    """A throw-away key, and its public half in a file."""

    def __init__(self, home: Path, name: str) -> None:
        self._home = home
        self._name = name
        self.public = home / f"{name}.gpg"
        self._gpg("--quick-generate-key", f"{name} <{name}@localhost>", "ed25519", "sign", "never")
        self.public.write_bytes(self._gpg("--export", f"{name}@localhost"))

    @property
    def armoured(self) -> str:
        return self._gpg("--armor", "--export", f"{self._name}@localhost").decode()

    def sign(self, text: Path, into: Path) -> None:
        into.unlink(missing_ok=True)
        self._gpg("--local-user", f"{self._name}@localhost", "--output", into, "--clearsign", text)

    def _gpg(self, *words: str | Path) -> bytes:
        command = ["gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", *words]
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, env=os.environ | {"GNUPGHOME": str(self._home)}
        ).stdout


@contextlib.contextmanager
def keys(*names: str) -> Iterator[list[Key]]:
    """Keys in a folder of their own; its path is short, because an agent's socket stands in it."""
    with tempfile.TemporaryDirectory(prefix="gpg", ignore_cleanup_errors=True) as home:
        try:
            yield [Key(Path(home), name) for name in names]
        finally:
            subprocess.run(
                ["gpgconf", "--kill", "gpg-agent"], check=False, env=os.environ | {"GNUPGHOME": home}
            )


@dataclass
class DebianArchive:
    """A folder with `pool` and `dists`; packages are added to a suite, and the suite is published."""

    folder: Path
    _indexes: dict[str, str] = field(default_factory=dict)

    def copy(self, folder: Path) -> "DebianArchive":
        shutil.copytree(self.folder, folder)
        return DebianArchive(folder, dict(self._indexes))

    def add(
        self,
        suite: str,
        name: str,
        version: str,
        files: dict[str, str] | None = None,
        *,
        section: str = "libs",
        arch: str = "",
        **fields: str,
    ) -> Path:
        """Build a package out of the texts of its files, each executable; returns its file.

        `arch` is another architecture than this machine's, whose index it is in then, or `all`.
        """
        index = suite if arch in ("", "all") else f"{suite}/{arch}"
        arch = arch or architecture()
        control = {
            "Package": name,
            "Version": version,
            "Architecture": arch,
            "Maintainer": "Nobody <nobody@localhost>",
            "Section": section,
            "Installed-Size": "12",
            **{key.replace("_", "-"): value for key, value in fields.items()},
            "Description": "a package of the tests",
        }
        text = "".join(f"{key}: {value}\n" for key, value in control.items())
        place = f"pool/{name}_{version.replace(':', '%3a')}_{arch}.deb"
        deb = self.folder / place
        deb.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as root:
            for path, content in (files or {}).items():
                file = Path(root) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
                file.chmod(0o755)
            (Path(root) / "DEBIAN").mkdir()
            (Path(root) / "DEBIAN/control").write_text(text)
            Path(root).chmod(0o755)
            command = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", root, str(deb)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        packed = deb.read_bytes()
        text += f"Filename: {place}\nSize: {len(packed)}\nSHA256: {hashlib.sha256(packed).hexdigest()}\n\n"
        self._indexes[index] = self._indexes.get(index, "") + text
        return deb

    def add_compiler(
        self, suite: str, version: str, *, flavour: str = "", llvm: str = "14", body: str | None = None
    ) -> None:
        """Add a compiler as Debian packages one, without its C library and what it links with."""
        release = version.partition("+")[0]
        minor = ".".join(release.split(".")[:2])
        dev, std = f"libstd-rust{flavour}-dev", f"libstd-rust{flavour}-{minor}"
        script = body or f'echo "rustc {release} of {suite}, with $LOADED_WITH, $*"'
        self.add(
            suite,
            f"rustc{flavour}",
            version,
            {"usr/bin/rustc": f"#!/bin/sh\n{script}\n"},
            section="rust",
            Depends=f"libc6 (>= 2), {dev} (= {version}), gcc, libc-dev, binutils (>= 2.26)",
            Recommends="cargo",
        )
        self.add(suite, dev, version, section="libdevel", Depends=f"{std} (= {version})")
        std_files = {f"usr/lib/{TRIPLET}/libstd-1.so": "std", "usr/lib/rustlib/x/lib/libcore-1.rlib": "core"}
        self.add(suite, std, version, std_files, Depends=f"libllvm{llvm}, libc6:any (>= 2)")
        llvm_files = {f"usr/lib/llvm-{llvm}/lib/libLLVM-{llvm}.so": "llvm"}
        self.add(suite, f"libllvm{llvm}", f"1:{llvm}.0.6-1", llvm_files, Depends="libc6 | libc0.1")

    def add_system(self, suite: str) -> None:
        """Add the C library and what the compiler starts: a C compiler, which is the machine's to have."""
        libc = {LOADER: LOADER_SCRIPT, f"lib/{TRIPLET}/libc.so.6": "libc"}
        self.add(suite, "libc6", "2.36-9", libc, Multi_Arch="allowed")
        self.add(suite, "libc6-dev", "2.36-9", section="libdevel", Provides="libc-dev", Depends="libc6")
        self.add(suite, "gcc", "4:12.2.0-3", {"usr/bin/gcc": "gcc"}, section="devel", Depends="binutils")
        self.add(suite, "binutils", "2.40-2", section="devel", Depends="libbinutils")
        self.add(suite, "libbinutils", "2.40-2")

    def publish(self, suite: str, key: Key | None) -> None:
        """Write the suite's index and Release file, signed with the key if there is one."""
        dist = self.folder / "dists" / suite
        sums = ""
        architectures = [architecture(), *(name.partition("/")[2] for name in self._indexes if "/" in name)]
        for arch in architectures:
            index = f"main/binary-{arch}/Packages"
            (dist / index).parent.mkdir(parents=True, exist_ok=True)
            named = suite if arch == architecture() else f"{suite}/{arch}"
            content = self._indexes.get(named, "").encode()
            (dist / index).write_bytes(content)
            sums += f" {hashlib.sha256(content).hexdigest()} {len(content)} {index}\n"
        (dist / "Release").write_text(
            f"Origin: Tests\nSuite: {suite}\nCodename: {suite}\nDate: {formatdate(usegmt=True)}\n"
            f"Architectures: {' '.join(architectures)}\nComponents: main\nSHA256:\n{sums}"
        )
        if key:
            key.sign(dist / "Release", dist / "InRelease")


class _MirrorHandler(QuietHandler, SimpleHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.stall and self.server.stall in self.path:
            self.server.stalled.set()
            self.server.go_on.wait(30)
        super().do_GET()


class _Server(ThreadingHTTPServer):
    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_MirrorHandler, directory=str(folder)))
        self.asked: list[str] = []
        self.stall = ""
        self.stalled = threading.Event()
        self.go_on = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that was killed."""


@dataclass(frozen=True)
class Mirror:
    """A server of a folder: `asked` grows, and what `stall` names waits until it is told to go on."""

    server: _Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/debian"


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Mirror]:
    """Serve the folder on a free port of the loopback interface."""
    with _Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield Mirror(server)
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()
