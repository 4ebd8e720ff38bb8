"""Versions of linkers, the archiver and rustup: asked from the real ones, and again if they change."""

import os
import shutil
from pathlib import Path

import pytest

from linkage.toolchain import Located, Machine, Tool, ask_rustup, examine, probe
from linkage.toolchain.tools import marks
from support.fake_compiler import FakeRustc

LINKER = 'case "$*" in *--version*) echo "GNU ld {version}"; exit ;; esac\nexec {real} "$@"'


@pytest.fixture
def real_ld() -> str:
    found = shutil.which("ld")
    if found is None or shutil.which("cc") is None:
        pytest.fail("these tests need `cc` and `ld` on PATH: install a C compiler and binutils")
    return found


def env_with(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{folder}:{os.environ['PATH']}", **more}


def tools(machine: Machine) -> dict[str, Tool]:
    return {one.name: one for one in machine.tools}


def test_the_tools_of_this_machine(real_ld: str, tmp_path: Path) -> None:
    machine = examine(tmp_path, os.environ)
    found = tools(machine)
    assert list(found) == ["cc", "ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold", "ld.wild", "ar"]
    assert (found["cc"].path, found["cc"].version) == (machine.cc, machine.cc_version)
    assert found["ld"].version
    assert {name for name, one in found.items() if one.path} >= {"cc", "ld", "ar"}
    assert {name.removeprefix("ld.") for name, one in found.items() if "." in name and one.path} == set(
        machine.linkers
    )
    assert all(one.version and one.recorded == one.version for one in machine.tools if one.path)
    assert all(one.recorded is None for one in machine.tools if not one.path)
    assert machine.versions["ld"] == found["ld"].version
    assert real_ld


def test_another_version_of_a_linker_is_seen(real_ld: str, fake_rustc: FakeRustc, tmp_path: Path) -> None:
    own = fake_rustc(LINKER.format(version="8.1", real=real_ld), "bin/ld")
    env = env_with(own.parent)
    first = tools(examine(tmp_path / "cache", env))["ld"]
    assert (first.path, first.version) == (own, "GNU ld 8.1")
    fake_rustc(LINKER.format(version="8.2", real=real_ld), "bin/ld")
    assert tools(examine(tmp_path / "cache", env))["ld"].version == "GNU ld 8.2"
    own.unlink()
    assert "GNU ld 8." not in tools(examine(tmp_path / "cache", env))["ld"].version


def test_a_wrapper_changes_with_what_it_starts(real_ld: str, fake_rustc: FakeRustc, tmp_path: Path) -> None:
    behind = fake_rustc(LINKER.format(version="8.1", real=real_ld), "libexec/ld")
    wrapper = fake_rustc(f'exec {behind} "$@"', "bin/ld")
    env = env_with(wrapper.parent)
    assert tools(examine(tmp_path / "cache", env))["ld"].version == "GNU ld 8.1"
    fake_rustc(LINKER.format(version="8.3", real=real_ld), "libexec/ld")
    assert tools(examine(tmp_path / "cache", env))["ld"].version == "GNU ld 8.3"


def test_linker_that_only_the_compiler_finds(real_ld: str, fake_rustc: FakeRustc, tmp_path: Path) -> None:
    own = fake_rustc(LINKER.format(version="8.1", real=real_ld), "private/ld.bfd")
    env = env_with(tmp_path, COMPILER_PATH=str(own.parent))
    found = tools(examine(tmp_path / "cache", env))["ld.bfd"]
    assert (found.path, found.version) == (own, "GNU ld 8.1")
    fake_rustc(LINKER.format(version="8.2", real=real_ld), "private/ld.bfd")
    assert tools(examine(tmp_path / "cache", env))["ld.bfd"].version == "GNU ld 8.2"
    own.unlink()
    assert "GNU ld 8." not in tools(examine(tmp_path / "cache", env))["ld.bfd"].version


def test_the_archiver_is_asked_again_when_it_changes(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    ar = fake_rustc("echo 'GNU ar 8.1'", "bin/ar")
    env = env_with(ar.parent)
    assert tools(examine(tmp_path / "cache", env))["ar"] == Tool("ar", ar, "GNU ar 8.1")
    fake_rustc("echo 'GNU ar 8.2'", "bin/ar")
    assert tools(examine(tmp_path / "cache", env))["ar"].version == "GNU ar 8.2"


@pytest.mark.parametrize("body", ["exit 0", "echo 'no such option'; exit 1", "kill -SEGV $$"])
def test_tool_without_a_version_is_present(fake_rustc: FakeRustc, tmp_path: Path, body: str) -> None:
    ar = fake_rustc(body, "bin/ar")
    found = tools(examine(tmp_path / "cache", env_with(ar.parent)))["ar"]
    assert (found.path, found.recorded) == (ar, "prints no version")


def test_a_version_is_one_printable_line(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    ar = fake_rustc(r"printf '\n\033[31mGNU ar %0300d\nmore\n' 8", "bin/ar")
    version = tools(examine(tmp_path / "cache", env_with(ar.parent)))["ar"].version
    assert version.startswith("\N{REPLACEMENT CHARACTER}[31mGNU ar 0")
    assert (version.isprintable(), len(version)) == (True, 200)


def test_no_tools(tmp_path: Path) -> None:
    machine = examine(tmp_path, {"PATH": str(tmp_path)})
    assert {one.recorded for one in machine.tools} == {None}
    assert (machine.versions, ask_rustup(tmp_path, {"PATH": str(tmp_path)})) == ({}, Tool("rustup"))


def test_rustup_is_asked_once(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = fake_rustc(f"pwd >> {log}; echo 'rustup 8.1 (aaa 2026-01-01)'", "bin/rustup")
    env = env_with(program.parent)
    for _ in range(2):
        assert ask_rustup(tmp_path, env) == Tool("rustup", program, "rustup 8.1 (aaa 2026-01-01)")
    assert log.read_text() == "/\n"
    program.write_text(program.read_text().replace("8.1", "8.2"))
    assert ask_rustup(tmp_path, env).version.startswith("rustup 8.2")


def test_marks_of_absent_files_and_link_loops(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    assert marks(tmp_path / "gone") == f"{tmp_path}/gone:unreadable"
    first, second = tmp_path / "first", tmp_path / "second"
    fake_rustc(f"{first} {second} /\0", "first")
    fake_rustc(f"{first}", "second")
    assert str(second) in marks(first)


def test_lld_of_the_toolchain(some_rustc: Located, tmp_path: Path) -> None:
    toolchain = probe(some_rustc, tmp_path)
    can = toolchain.capabilities
    assert can.rust_lld_version.startswith("LLD ") == (can.rust_lld is not None)
    assert toolchain.tools.get("rust-lld", "") == can.rust_lld_version
