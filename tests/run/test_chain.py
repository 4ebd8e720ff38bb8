"""A variant's steps with a real rustc: cached or run, and never wrong."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from linkage.artifact.digest import file_digest
from linkage.judge.verdict import VerdictKind
from linkage.run.session import Session
from support.counted_toolchain import Counted
from support.small_cases import verdicts

Sessions = Callable[[Path], Session]

RLIB = """\
summary: A library and what is made of it
matrix: {value: [1, 2]}
sources:
  dep.rs: '#![no_std] pub fn dep() -> i32 { 40 }'
  lib.rs: '#![no_std] #[no_mangle] pub extern "C" fn answer() -> i32 { dep::dep() + VALUE } const VALUE: i32 = 2;'
steps:
  - {rustc: dep.rs, crate-type: rlib, panic: abort}
  - rustc: lib.rs
    crate-type: rlib
    panic: abort
    extern: {dep: dep.rlib}
    cfg: 'value="${value}"'
    claims: {lib.rlib: {defines: [answer]}}
"""  # noqa: E501 - one source a line


@pytest.fixture
def session(session_on: Sessions, tmp_path: Path) -> Session:
    return session_on(tmp_path / "store")


def outcomes(session: Session, text: str, counted: Counted, folder: Path) -> list[VerdictKind]:
    found = verdicts(session, text, counted.toolchain, folder)
    assert all(not one.failures for one in found), [one.failures for one in found]
    return [one.outcome for one in found]


def leftovers(folder: Path) -> list[Path]:
    return list((folder / "store").glob("v*/work/*"))


def test_a_second_run_takes_everything_from_the_store(
    session: Session, counted: Counted, session_on: Sessions, tmp_path: Path
) -> None:
    first = verdicts(session, RLIB, counted.toolchain, tmp_path)
    assert [one.outcome for one in first] == [VerdictKind.PASS] * 2
    assert counted.new() == 3  # the library that both need, and each one's own
    second = verdicts(session_on(tmp_path / "store"), RLIB, counted.toolchain, tmp_path)
    assert counted.new() == 0
    assert second == first  # when and where it was obtained, too
    assert leftovers(tmp_path) == []


def test_variants_share_their_first_steps(session: Session, counted: Counted, tmp_path: Path) -> None:
    outcomes(session, RLIB, counted, tmp_path)
    assert sum(" dep.rs " in call for call in counted.calls) == 1
    assert counted.new() == 3


OVERWRITTEN = """\
summary: A library that is written to where it lies
matrix: {value: [1, 2]}
sources:
  dep.rs: '#![no_std] pub fn dep() -> i32 { 40 }'
  zeros: "0000"
steps:
  - {rustc: dep.rs, crate-type: rlib, panic: abort, output: dep.rlib}
  - OVERWRITE
  - {write: last, text: "v${value}"}
"""


@pytest.mark.parametrize(
    ("overwrite", "compiled"),
    [
        ("{write: dep.rlib, offset: 20, text: 'v${value}'}", 1),
        ("{truncate: dep.rlib, size: 8}", 1),
        # Nobody can come before a program: what it wrote to is gone, and is made again.
        ("{tool: dd, args: ['if=zeros', 'of=dep.rlib', 'conv=notrunc', 'bs=1', 'count=${value}']}", 2),
    ],
)
def test_a_file_that_a_later_step_overwrites_is_kept_as_it_was(
    overwrite: str, compiled: int, session: Session, counted: Counted, tmp_path: Path
) -> None:
    """What the store keeps of a step is the step's own file, not a copy."""
    found = outcomes(session, OVERWRITTEN.replace("OVERWRITE", overwrite), counted, tmp_path)
    assert found == [VerdictKind.PASS] * 2
    assert counted.new() == compiled
    blobs = list(session.store.folder.glob("blobs/*/*"))
    assert blobs
    assert all(file_digest(one) == one.name for one in blobs)


def test_a_failure_is_kept_as_well(session: Session, counted: Counted, tmp_path: Path) -> None:
    text = RLIB.replace("dep::dep()", "dep::nothing()")
    first = verdicts(session, text, counted.toolchain, tmp_path)
    assert [one.outcome for one in first] == [VerdictKind.FAIL] * 2
    assert "E0425" in first[0].failures[0].found
    assert counted.new() == 3
    assert verdicts(session, text, counted.toolchain, tmp_path) == first
    assert counted.new() == 0


@pytest.mark.parametrize(
    ("old", "new", "compiled"),
    [
        ("{ 40 }", "{ 41 }", 3),
        ("VALUE: i32 = ", "VALUE: i32 = 0 + ", 3),
        ("rustc: lib.rs\n", "rustc: lib.rs\n    env: {A: '1'}\n", 2),
        ("rustc: dep.rs,", "rustc: dep.rs, env: {A: '1'},", 1),  # and makes the same bytes
        ("rustc: dep.rs,", "rustc: dep.rs, opt-level: 1,", 3),
        ("rustc: lib.rs\n", "rustc: lib.rs\n    opt-level: 1\n", 2),
        ("sources:\n", "sources:\n  unused.rs: 'x'\n", 3),
        ("summary: A", "summary: Another", 0),
        ("[answer]", "{none: [nothing]}", 0),
        ("value: [1, 2]", "value: [2, 1]", 0),
    ],
)
def test_what_a_step_depends_on_is_noticed(
    old: str, new: str, compiled: int, session: Session, counted: Counted, tmp_path: Path
) -> None:
    outcomes(session, RLIB, counted, tmp_path)
    counted.new()
    assert old in RLIB
    outcomes(session, RLIB.replace(old, new), counted, tmp_path)
    assert counted.new() == compiled


def test_another_compiler_is_noticed(session: Session, counted: Counted, tmp_path: Path) -> None:
    """A stage-1 build keeps its place and its version string; its files make its fingerprint."""
    outcomes(session, RLIB, counted, tmp_path)
    counted.new()
    rebuilt = Counted(replace(counted.toolchain, fingerprint="rebuilt"), counted.log)
    outcomes(session, RLIB, rebuilt, tmp_path)
    assert counted.new() == 3


def test_another_place_of_the_same_compiler_is_not(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    outcomes(session, RLIB, counted, tmp_path)
    counted.new()
    moved = tmp_path / "moved"
    moved.symlink_to(counted.toolchain.rustc)
    outcomes(session, RLIB, Counted(replace(counted.toolchain, rustc=moved, name="x"), counted.log), tmp_path)
    assert counted.new() == 0


def test_another_linker_on_the_machine_is_noticed(
    session_on: Sessions, counted: Counted, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    outcomes(session_on(store), RLIB, counted, tmp_path)
    counted.new()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ld").write_text('#!/bin/sh\nexec /usr/bin/ld "$@"\n')
    (tmp_path / "bin" / "ld").chmod(0o755)
    other = session_on(store)
    other.environment = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    outcomes(other, RLIB, counted, tmp_path)
    assert counted.new() == 3


PROGRAM = """\
summary: A C program with a Rust library, run
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
  main.c: |
    #include <stdio.h>
    int answer(void); int more(void);
    int main(int n, char **w) { printf("%d %s\\n", answer() + more(), w[1]); return 0; }
files: [more.c]
steps:
  - {rustc: lib.rs, crate-type: staticlib, panic: abort}
  - {cc: more.c, kind: obj, id: more}
  - {cc: main.c, link-with: [more.obj, lib.staticlib], system-libraries: false}
  - {run: main, args: [hello], stdout: {contains: hello}, capture: stdout, id: said}
  - {run: main, args: ['${captured.said}'], stdout: {contains: hello}}
"""


NUL = """\
summary: s
sources: {lib.rs: ''}
steps:
  - {tool: printf, args: ['a\\000b'], id: c, capture: stdout}
  - {tool: echo, args: ['${captured.c}']}
"""


def test_a_captured_nul_that_becomes_an_argument_is_an_error_with_its_place(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    (found,) = verdicts(session, NUL, counted.toolchain, tmp_path)
    assert [(one.found, one.error) for one in found.failures] == [
        ("cannot start `echo`: embedded null byte", True)
    ]
    assert found.failures[0].where.endswith(":5:5")


def test_files_beside_the_case_count(session: Session, counted: Counted, tmp_path: Path) -> None:
    (tmp_path / "more.c").write_text("int more(void) { return 0; }\n")
    outcomes(session, PROGRAM, counted, tmp_path)
    assert counted.new() == 1
    (tmp_path / "more.c").write_text("int more(void) { return 1; }\n")
    text = PROGRAM.replace("stdout: {contains: hello}}\n", 'stdout: "43 43 hello\\n"}\n')
    assert text != PROGRAM
    outcomes(session, text, counted, tmp_path)


def test_a_machine_that_has_no_room_is_an_error(session: Session, counted: Counted, tmp_path: Path) -> None:
    """Not a failure of the compiler, and not remembered."""
    full = tmp_path / "full"
    full.write_text(
        '#!/bin/sh\necho "error: cannot write: No space left on device (os error 28)" >&2\nexit 1\n'
    )
    full.chmod(0o755)
    broken = replace(counted.toolchain, rustc=full)
    (verdict, _) = verdicts(session, RLIB, broken, tmp_path)
    assert verdict.outcome is VerdictKind.ERROR
    assert verdict.failures[0].found == "the disk is full"
    outcomes(session, RLIB, Counted(replace(broken, rustc=counted.toolchain.rustc), counted.log), tmp_path)


def test_a_compiler_that_was_killed_from_outside_is_asked_again(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -KILL $$\n")
    killed.chmod(0o755)
    broken = replace(counted.toolchain, rustc=killed)
    (verdict, _) = verdicts(session, RLIB, broken, tmp_path)
    assert verdict.outcome is VerdictKind.ERROR
    outcomes(session, RLIB, Counted(replace(broken, rustc=counted.toolchain.rustc), counted.log), tmp_path)


# --- what the store has lost


def blobs(folder: Path) -> list[Path]:
    return sorted((folder / "store").glob("v*/blobs/*/*"))


def test_a_file_that_was_evicted_is_made_again(session: Session, counted: Counted, tmp_path: Path) -> None:
    first = RLIB.replace("value: [1, 2]", "value: [1]")
    outcomes(session, first, counted, tmp_path)
    assert counted.new() == 2
    assert blobs(tmp_path)
    for blob in blobs(tmp_path):
        blob.unlink()
    outcomes(session, RLIB, counted, tmp_path)  # the second cell needs the library's file
    assert sum(" dep.rs " in call for call in counted.calls) == 1
    assert counted.new() == 2
    outcomes(session, RLIB, counted, tmp_path)
    assert counted.new() == 0


def test_a_file_that_was_damaged_is_made_again(session: Session, counted: Counted, tmp_path: Path) -> None:
    outcomes(session, RLIB.replace("value: [1, 2]", "value: [1]"), counted, tmp_path)
    counted.new()
    for blob in blobs(tmp_path):
        blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    outcomes(session, RLIB, counted, tmp_path)
    assert counted.new() == 2


def test_an_entry_that_was_damaged_is_made_again(session: Session, counted: Counted, tmp_path: Path) -> None:
    outcomes(session, RLIB, counted, tmp_path)
    counted.new()
    for kind in ("steps", "facts"):  # of parts: test_parts.py
        for entry in (tmp_path / "store").glob(f"v*/{kind}/*/*"):
            entry.write_bytes(entry.read_bytes()[:-1])
        outcomes(session, RLIB, counted, tmp_path)
        assert counted.new() > 0
        outcomes(session, RLIB, counted, tmp_path)
        assert counted.new() == 0


def test_claim_about_facts_that_were_not_read_before(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    """A new subject has no facts yet; they come from the step, carried out once more for both cells."""
    outcomes(session, RLIB, counted, tmp_path)
    counted.new()
    text = RLIB.replace("lib.rlib: {defines", "dep.rlib: {content: {contains: [rust]}}, lib.rlib: {defines")
    outcomes(session, text, counted, tmp_path)
    assert counted.new() == 1
    outcomes(session, text, counted, tmp_path)
    assert counted.new() == 0


RLINK = """\
summary: Linking in two halves
matrix: {name: [one, two, three]}
requires: ["-Zno-link", "-Zlink-only"]
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
steps:
  - {rustc: lib.rs, crate-type: cdylib, panic: abort, no-link: true, debuginfo: 2}
  - {link-only: lib, claims: {lib.cdylib: {exports: [answer]}}}
  - {copy: lib.cdylib, to: '${name}.so'}
  - {rustc: lib.rs, id: again, crate-name: '${name}', crate-type: rlib, panic: abort,
     claims: {again.rlib: {defines: [answer]}}}
"""


def test_rlink_files_work_after_some_steps_came_from_the_store(
    session: Session, counted: Counted, session_on: Sessions, tmp_path: Path
) -> None:
    """They name the folder that they were made in: each variant makes them anew, and finds the rest."""
    one = RLINK.replace("[one, two, three]", "[one]")
    outcomes(session, one, counted, tmp_path)
    assert counted.new() == 3
    outcomes(session, RLINK, counted, tmp_path)
    assert counted.new() > 0
    for cells in ("[one]", "[three, one]", "[two, one, three]"):
        for _ in range(2):
            other = session_on(tmp_path / "store")
            outcomes(other, RLINK.replace("[one, two, three]", cells), counted, tmp_path)
            assert counted.new() == 0  # no variant drove another one's outcome out


def test_crates_of_two_folders_are_kept_apart(session: Session, counted: Counted, tmp_path: Path) -> None:
    text = """\
    summary: What stands on a crate that is a dylib too, which is of use in its own folder only
    matrix: {value: [1, 2]}
    sources:
      base.rs: 'pub fn base() -> i32 { 40 }'
      lib.rs: 'pub fn lib() -> i32 { base::base() }'
      user.rs: '#[no_mangle] pub extern "C" fn answer() -> i32 { lib::lib() }'
    steps:
      - {rustc: base.rs, crate-type: [rlib, dylib]}
      - {rustc: lib.rs, crate-type: rlib, extern: {base: base.rlib}}
      - {rustc: user.rs, crate-type: cdylib, extern: {lib: lib.rlib}, cfg: 'value="${value}"'}
    """
    assert outcomes(session, dedent(text), counted, tmp_path) == [VerdictKind.PASS, VerdictKind.PASS]


def test_an_interrupted_variant_keeps_what_it_did(
    session: Session, counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(step: str) -> None:
        if step == "lib":
            raise KeyboardInterrupt

    monkeypatch.setattr(session, "progress", interrupt)
    with pytest.raises(KeyboardInterrupt):
        outcomes(session, RLIB, counted, tmp_path)
    assert leftovers(tmp_path) == []
    assert counted.new() == 1
    monkeypatch.setattr(session, "progress", None)
    outcomes(session, RLIB, counted, tmp_path)
    assert counted.new() == 2


WATCHED = """\
summary: What rustc asks of the linker
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
steps:
  - {rustc: lib.rs, crate-type: cdylib, panic: abort, link: {output: lib.cdylib, exports: {only: [answer]}, count: 1}}
  - {rustc: lib.rs, id: more, crate-name: more, crate-type: cdylib, panic: abort, link: {count: 1}}
"""  # noqa: E501 - a step a line


def test_calls_of_the_linker_are_those_of_the_step(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    outcomes(session, WATCHED, counted, tmp_path)
    outcomes(session, WATCHED, counted, tmp_path)


def test_the_inputs_of_a_linker_that_was_already_watched(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    outcomes(session, WATCHED, counted, tmp_path)
    text = WATCHED.replace(
        "link: {count: 1}}", "link: {count: 1}, claims: {'link-inputs/*.o': {format: elf}}}"
    )
    outcomes(session, text, counted, tmp_path)


TOGETHER = """\
summary: Two at the same time
sources: {lib.rs: '#![no_std] #[no_mangle] pub fn answer() {}'}
steps:
  - parallel:
    - {rustc: lib.rs, id: a, crate-name: a, crate-type: rlib, panic: abort}
    - {rustc: lib.rs, id: b, crate-name: b, crate-type: rlib, panic: abort}
    - {tool: sh, args: [-c, 'echo said'], id: c, capture: stdout}
  - {tool: echo, args: ['${captured.c}'], stdout: "said\\n"}
claims: {a.rlib: {defines: [answer]}, b.rlib: {defines: [answer]}}
"""


def test_steps_that_run_together(session: Session, counted: Counted, tmp_path: Path) -> None:
    outcomes(session, TOGETHER, counted, tmp_path)
    assert counted.new() == 2
    outcomes(session, TOGETHER, counted, tmp_path)
    assert counted.new() == 0


MODES = """\
summary: modes
matrix: {value: [1, 2]}
sources: {lib.rs: '#![no_std]'}
steps:
  - {umask: '077'}
  - {write: closed/file, text: x}
  - {chmod: closed/file, mode: '400'}
  - {chmod: closed, mode: '500'}
  - {symlink: link, to: closed/file}
  - tool: sh
    args: [-c, 'stat -c %a closed closed/file; cat link; touch new; stat -c %a new; echo ${value}']
    stdout: {contains: "500\\n400\\nx600\\n"}
"""


def test_modes_and_umask_are_restored_from_the_store(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    text = MODES
    outcomes(session, text, counted, tmp_path)
    outcomes(session, text.replace("[1, 2]", "[3]"), counted, tmp_path)


def test_a_store_that_cannot_be_written_changes_no_verdict(
    session: Session, counted: Counted, tmp_path: Path
) -> None:
    for name in ("locks", "blobs", "steps", "facts"):
        place = session.store.folder / name
        if place.exists():
            place.rmdir()
        place.write_text("in its place")
    outcomes(session, RLIB, counted, tmp_path)
    assert counted.new() == 4
    assert not session.store.writable
