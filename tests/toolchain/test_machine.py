"""The C compiler and its linkers: asked by linking, and remembered."""

import os
from pathlib import Path

import pytest

from linkage.toolchain import examine
from linkage.toolchain.tools import tool
from support.fake_compiler import FakeRustc

# Links what it is asked to with two linkers of the four that it takes the flag for.
FALSE_CC = """
case "$*" in
--version) echo 'false cc 1.0'; echo 'more' ;;
-print-search-dirs|*-Wl,--version) exit 1 ;;
*-fuse-ld=bfd*|*-fuse-ld=mold*) touch main ;;
*-fuse-ld=*) echo 'cannot find ld' >&2; exit 1 ;;
*) echo asked >> {log}; touch main ;;
esac"""


def env_with(program: Path) -> dict[str, str]:
    return {"PATH": f"{program.parent}:/usr/bin:/bin"}


def test_linkers_are_tried(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    cc = fake_rustc(FALSE_CC.format(log=tmp_path / "log"), "bin/cc")
    machine = examine(tmp_path / "cache", env_with(cc))
    assert (machine.cc, machine.cc_version) == (cc, "false cc 1.0")
    assert machine.linkers == {"bfd", "mold"}
    assert machine.has_linker("mold")
    assert machine.has_linker("cc")
    assert not machine.has_linker("lld")


def test_the_answer_is_remembered_until_the_compiler_changes(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    log = tmp_path / "log"
    cc = fake_rustc(FALSE_CC.format(log=log), "bin/cc")
    first = examine(tmp_path / "cache", env_with(cc))
    assert examine(tmp_path / "cache", env_with(cc)) == first
    assert log.read_text().count("asked") == 1
    cc.write_text(cc.read_text() + "# edited\n")
    examine(tmp_path / "cache", env_with(cc))
    assert log.read_text().count("asked") == 2


@pytest.mark.parametrize("body", ["exit 1", "exit 0", "kill -SEGV $$"])
def test_compiler_that_does_not_link_is_not_used(fake_rustc: FakeRustc, tmp_path: Path, body: str) -> None:
    cc = fake_rustc(body, "bin/cc")
    machine = examine(tmp_path / "cache", env_with(cc))
    assert (machine.cc, machine.cc_version, machine.linkers) == (None, "", frozenset())
    assert not machine.has_linker("cc")


def test_cc_of_the_environment_goes_first(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    cc = fake_rustc(FALSE_CC.format(log=tmp_path / "log"), "bin/mine")
    assert examine(tmp_path / "cache", env_with(cc) | {"CC": "mine"}).cc == cc
    assert examine(tmp_path / "cache", {"PATH": "", "CC": "mine"}).cc is None


def test_this_machine(tmp_path: Path) -> None:
    machine = examine(tmp_path, os.environ)
    assert machine.cc is not None
    assert machine == examine(tmp_path, os.environ)


def test_tools_on_path(fake_rustc: FakeRustc) -> None:
    program = fake_rustc("exit 0", "bin/some-tool")
    assert tool("some-tool", env_with(program)) == program
    assert tool("no-such-tool", env_with(program)) is None
