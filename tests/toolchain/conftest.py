"""Real toolchains of the machine, and fake ones."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkage.toolchain import Located
from support.debian_archive import PROGRAMS, DebianArchive, keys, serve
from support.debian_machine import DebianMachine, Keys
from support.fake_compiler import FakeRustc


@pytest.fixture(scope="session")
def some_rustc(found_toolchains: list[Located]) -> Located:
    return found_toolchains[0]


@pytest.fixture
def fake_rustc(tmp_path: Path) -> FakeRustc:
    """Write a shell script that stands for a rustc, and return its path."""

    def write(body: str, name: str = "fake", *, mode: int = 0o755) -> Path:
        script = tmp_path / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(mode)
        return script

    return write


@pytest.fixture(scope="session")
def signers() -> Iterator[Keys]:
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}, with which an archive is made")
    with keys("trusted", "other") as made:
        yield Keys(*made)


@pytest.fixture(scope="session")
def template(signers: Keys, tmp_path_factory: pytest.TempPathFactory) -> DebianArchive:
    """One archive for all: copied for each test, which may then spoil it."""
    archive = DebianArchive(tmp_path_factory.mktemp("template") / "debian")
    archive.add_system("bookworm")
    archive.add_compiler("bookworm", "1.63.0+dfsg1-2")
    archive.add_compiler("bookworm", "1.78.0+dfsg1-2~deb12u3", flavour="-web", llvm="16")
    archive.publish("bookworm", signers.trusted)
    return archive


@pytest.fixture
def machine(tmp_path: Path, template: DebianArchive, signers: Keys) -> Iterator[DebianMachine]:
    archive = template.copy(tmp_path / "www/debian")
    with serve(tmp_path / "www") as mirror:
        yield DebianMachine(tmp_path, archive, mirror, signers)
