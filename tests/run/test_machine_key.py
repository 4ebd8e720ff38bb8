"""The keys of the store change with what a link silently takes, and with what processes are allowed."""

import os
import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from linkage.run import machine_key as module
from linkage.run.machine_key import Programs, machine_key
from linkage.run.session import Session
from linkage.store.keys import named_programs
from linkage.toolchain import Machine, Toolchain, examine
from linkage.toolchain.vocabulary import LINKERS
from support.small_cases import planned, variant

PARTS = [
    "libc.so.6",
    "libc.a",
    "libc_nonshared.a",
    "crt1.o",
    "Scrt1.o",
    "crti.o",
    "libgcc.a",
    "libgcc_s.so",
    "libz.so",
]


def key(folder: Path, env: Mapping[str, str] | None = None) -> str:
    machine = Machine(None, "", frozenset(), programs=(folder / "gcc",), libraries=(folder / "lib",))
    return machine_key(machine, env or {"PATH": str(folder / "bin")})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("gcc", "lib", "bin"):
        (tmp_path / name).mkdir()
    for name in PARTS:
        (tmp_path / "lib" / name).write_text("old")
    (tmp_path / "gcc/cc1").write_text("old")
    return tmp_path


def executable(place: Path, text: str = "#!/bin/sh\n") -> Path:
    place.write_text(text)
    place.chmod(0o755)
    return place


@pytest.mark.parametrize("name", [*(f"lib/{name}" for name in PARTS), "gcc/cc1"])
def test_another_library_or_part_of_the_c_compiler_is_another_machine(folder: Path, name: str) -> None:
    before = key(folder)
    assert key(folder) == before
    (folder / name).write_text("newer")
    longer = key(folder)
    os.utime(folder / name, (1, 1))
    older = key(folder)
    (folder / name).unlink()
    assert len({before, longer, older, key(folder)}) == 4


def test_a_library_that_another_one_hides(folder: Path) -> None:
    before = key(folder)
    (folder / "gcc/libgcc.a").write_text("first of all")
    assert key(folder) != before


@pytest.mark.parametrize("name", ["cc", "c++", "as", "ld", "ar", *LINKERS, *(f"ld.{one}" for one in LINKERS)])
def test_another_tool_is_another_machine(folder: Path, name: str) -> None:
    before = key(folder)
    executable(folder / "bin" / name)
    there = key(folder)
    executable(folder / "bin" / name, "#!/bin/sh\n# another\n")
    assert len({before, there, key(folder)}) == 3


def test_a_tool_that_a_script_starts(folder: Path) -> None:
    real = executable(folder / "real-ld")
    executable(folder / "bin/ld", f'#!/bin/sh\nexec {real} "$@"\n')
    before = key(folder)
    executable(real, "#!/bin/sh\n# another\n")
    assert key(folder) != before


def test_machines_with_equal_files_have_one_key(folder: Path) -> None:
    """A file that was unpacked anew has another inode and another time of its last change of state."""
    before = key(folder)
    for name in PARTS:
        old = folder / "lib" / name
        status = old.stat()
        new = folder / "new"
        new.write_text("old")
        os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
        new.replace(old)
    assert key(folder) == before


@pytest.mark.parametrize("limit", ["RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_STACK", "RLIMIT_FSIZE"])
def test_another_limit_is_another_machine(folder: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(folder)
    number, real = getattr(resource, limit), resource.getrlimit
    monkeypatch.setattr(resource, "getrlimit", lambda which: (4096, 4096) if which == number else real(which))
    assert key(folder) != before


def test_root_is_another_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(folder)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: 1000 if user == 0 else 0)
    assert key(folder) != before


@pytest.mark.parametrize("name", ["_STATUS", "_CPU"])
def test_privileges_and_the_processor(
    folder: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "text"
    place.write_text("CapEff:\t0000\nflags\t: fpu sse\n\nprocessor: 1\n")
    monkeypatch.setattr(module, name, place)
    before = key(folder)
    place.write_text("CapEff:\t0000\nflags\t: fpu sse\n\nprocessor: 2\n")
    assert key(folder) == before
    place.write_text("CapEff:\tffff\nflags\t: fpu sse avx\n\nprocessor: 1\n")
    assert key(folder) != before


def test_this_machine_s_c_library_and_startup_files_count(cache: Path) -> None:
    machine = examine(cache)
    seen = {mark.split(":")[0] for mark in module.folder_marks((*machine.programs, *machine.libraries))}
    names = {Path(one).name for one in seen}
    assert {
        "libc.so",
        "libc.so.6",
        "crti.o",
        "Scrt1.o",
        "crtbeginS.o",
        "libgcc.a",
        "cc1",
        "collect2",
    } <= names


# --- programs that steps name


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ("{tool: strip, args: [x]}", ["strip"]),
        ("{tool: /opt/bin/strip, args: [x]}", ["/opt/bin/strip"]),
        ("{rustc: lib.rs, flags: [-Clinker=my-ld]}", ["my-ld"]),
        ("{rustc: lib.rs, flags: [-C, linker=/opt/ld]}", ["/opt/ld"]),
        ("{rustc: lib.rs, flags: ['--codegen=linker=my-ld']}", ["my-ld"]),
        ("{rustc: lib.rs, crate-type: rlib}", []),
    ],
)
def test_programs_that_a_step_takes_from_outside(step: str, names: list[str]) -> None:
    assert named_programs(planned(f"steps: [{step}]").steps[0]) == names


def test_a_program_is_found_in_the_toolchain_first(folder: Path) -> None:
    first, second = folder / "gcc", folder / "bin"
    executable(second / "strip")
    path = f"{first}:{second}"
    before = list(Programs().found(["strip"], path))
    executable(first / "strip", "#!/bin/sh\n# another\n")
    assert list(Programs().found(["strip"], path)) != before
    assert list(Programs().found(["nothing"], path)) == ["nothing:missing"]


@pytest.mark.parametrize(("name", "differs"), [("sh", True), ("strip", False)])
def test_an_interpreter_may_start_any_program_on_path(
    folder: Path,
    name: str,
    differs: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    path = str(folder / "bin")
    executable(folder / "bin" / name)
    before = list(Programs().found([name], path))
    executable(folder / "bin/objcopy")
    assert (list(Programs().found([name], path)) != before) is differs


# --- with a real run


def test_the_umask_of_the_run_changes_nothing(
    real_toolchain: Toolchain, session_on: Callable[[Path], Session], tmp_path: Path
) -> None:
    text = """\
    summary: Modes are those of the case
    sources: {lib.rs: ''}
    steps:
      - {tool: sh, args: [-c, 'ls -ld . .. | cut -c1-10; umask'], stdout: "drwxr-xr-x\\ndrwxr-xr-x\\n0022\\n"}
      - {tool: mkdir, args: [made], id: made}
      - {copy: lib.rs, to: made/copied.rs}
      - {mkdir: other/deep}
      - {write: other/text, text: x}
      - tool: stat
        args: ["-c", "%a %n", lib.rs, made, made/copied.rs, other, other/deep, other/text]
        stdout: "644 lib.rs\\n755 made\\n644 made/copied.rs\\n755 other\\n755 other/deep\\n644 other/text\\n"
    """
    one = variant(dedent(text), made=real_toolchain)
    for umask in (0o022, 0o077, 0):
        old = os.umask(umask)
        try:
            found = session_on(tmp_path / f"{umask:o}").verdict(one)
        finally:
            os.umask(old)
        assert not found.failures, found


def test_a_step_is_done_again_if_the_machine_is_another(
    real_toolchain: Toolchain,
    session_on: Callable[[Path], Session],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = variant("summary: A step\nsteps: [{tool: 'true'}]\n", made=real_toolchain)
    stored = []
    for allowed in (["a"], ["a"], ["b"], ["a"]):
        monkeypatch.setattr(module, "_allowed", lambda allowed=allowed: iter(allowed))
        stored.append(session_on(tmp_path).verdict(one).stored)
    assert stored == [False, True, False, True]
