"""A machine whose apt knows one mirror, an archive in miniature."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain.query import ask
from linkage.toolchain.sources import InstallOptions
from linkage.toolchain.sources.debian.installation import install
from support.debian_archive import DebianArchive, Key, Mirror

COMPILER = ["libc6", "libllvm14", "libstd-rust-1.63", "libstd-rust-dev", "rustc"]
ROOT = Path(__file__).parents[2]


class Keys(NamedTuple):
    trusted: Key
    other: Key


class DebianMachine:
    """A machine whose apt knows one mirror, and a user on it who has no toolchain."""

    def __init__(self, folder: Path, archive: DebianArchive, mirror: Mirror, signers: Keys) -> None:
        self.archive = archive
        self.mirror = mirror
        self.signers = signers
        self.hooks = folder / "hooks ran"
        self.cache = folder / "a cache"
        self.home = self.cache / "linkage/debian"
        self.etc = folder / "etc"
        (self.etc / "apt.conf.d").mkdir(parents=True)
        (self.etc / "sources.list.d").mkdir()
        self.configuration = folder / "apt.conf"
        self.configuration.write_text(
            f'Dir::Etc "{self.etc}";\n'
            # What a machine may have in its configuration, and what must not count here.
            'APT::Default-Release "nonesuch";\nDir::Cache::pkgcache "";\n'
            'APT::Get::AllowUnauthenticated "true";\nAcquire::AllowInsecureRepositories "true";\n'
            f"APT::Update::Post-Invoke {{ \"touch '{self.hooks}'\"; }};\n"
            f"APT::Update::Post-Invoke-Success {{ \"touch '{self.hooks}'\"; }};\n"
        )
        self.sources(f"deb [signed-by={signers.trusted.public}] {mirror.url} bookworm main\n")
        self.env = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(self.cache),
            "APT_CONFIG": str(self.configuration),
        }
        self.said: list[str] = []

    def sources(self, text: str) -> None:
        (self.etc / "sources.list").write_text(text)

    def install(self, spec: str, **options: object) -> Path:
        return install(spec, InstallOptions(**options), self.env, self.said.append).folder  # type: ignore[arg-type]

    def refused(self, spec: str, **options: object) -> str:
        """What an installation is refused with; it is one line, and leaves nothing behind."""
        with pytest.raises(ToolchainError) as caught:
            self.install(spec, **options)
        text = str(caught.value)
        assert "\n" not in text
        assert self.left() == []
        return text

    def left(self) -> list[str]:
        """What stands in the folder of compilers beside apt's own state."""
        found = (path.name for path in self.home.glob("*")) if self.home.exists() else ()
        return sorted(name for name in found if name not in ("apt", "install.lock"))

    def linkage(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "linkage", "toolchains", *words],
            env=self.env | {"PYTHONPATH": str(ROOT / "harness")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def says(rustc: Path, *words: str) -> str:
    answer = ask([rustc, *words], os.environ, who="test")
    assert answer.status == 0, answer
    return answer.stdout
