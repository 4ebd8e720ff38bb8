"""The `cc` wrapper in front of the linker: what it records, and that it changes nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from linkage.plan.command import WatchedLinker
from linkage.run import linker_wrapper as linker
from linkage.run.export_lists import file_names, wasm_names
from linkage.run.linker_wrapper import response_words


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("{\n  global:\n    foo;\n    bar;\n\n  local:\n    *;\n};\n", ("foo", "bar")),
        ("{ local: *; };", ()),
        ("{\n  global:\n    _RNvC1a3foo;\n    b;\n  local:\n    *;\n};", ("_RNvC1a3foo", "b")),
        ('{\n  foo;\n  "bar";\n};\n', ("foo", "bar")),
        ("FOO_1.0 { global: foo; local: *; };", ("foo",)),
        ("", ()),
    ],
)  # fmt: skip
def test_names_of_a_version_script_or_a_dynamic_list(script: str, names: tuple[str, ...]) -> None:
    assert file_names("script", script) == names


@pytest.mark.parametrize(
    ("form", "text", "names"),
    [
        ("def", 'LIBRARY\nEXPORTS\n  "LIB_DATA" DATA\n  "a.b"\n  c\n', ("LIB_DATA", "a.b", "c")),
        ("def", "LIBRARY x\nEXPORTS f=g @7 NONAME\n h=other.i\n; k\nVERSION 1\n", ("f", "h")),
        ("def", "LIBRARY\nEXPORTS\n", ()),
        ("apple", "# list\n_lib_c\n__RNv\n\n  _x  \n", ("lib_c", "_RNv", "x")),
        ("aix", "#! libx.a\n* a comment\n  lib_c\n  data export\n", ("lib_c", "data")),
    ],
)
def test_names_of_other_linkers_lists(form: str, text: str, names: tuple[str, ...]) -> None:
    assert file_names(form, text) == names


def test_names_that_webassemblys_linker_exports() -> None:
    assert wasm_names(["-flavor", "wasm", "--export", "a", "--export=b", "-o", "x"]) == ("a", "b")
    assert wasm_names(["-flavor", "wasm", "-o", "x"]) == ()
    assert wasm_names(["-flavor", "gnu", "--export", "a"]) is None


def test_the_linker_that_rustc_calls() -> None:
    watched = WatchedLinker("rust-lld", {"rust-lld": "/own/rust-lld"})
    assert linker.called(["rustc", "x.rs"], watched) == "/own/rust-lld"
    assert linker.called(["rustc", "-Clinker=gcc", "-Clinker=rust-lld"], watched) == "/own/rust-lld"
    assert linker.called(["rustc", "-C", "linker=wasm-ld"], watched) == "wasm-ld"
    assert linker.called(["rustc", "--codegen=linker=/a/ld"], watched) == "/a/ld"
    assert linker.called(["rustc"], WatchedLinker()) == "cc"


def test_words_of_a_response_file() -> None:
    assert response_words("-o\nx\\ y\n'a b'\n\"c\"\n/p\\\\q\n") == ["-o", "x y", "a b", "c", "/p\\q"]


class Wrapped:
    """A folder with the wrapper first on PATH, as a step has it."""

    def __init__(self, folder: Path, *kept: str) -> None:
        self.folder = folder
        self.kept = kept
        (folder / "main.c").write_text("int answer(void);\nint main(void) { return answer(); }\n")
        (folder / "answer.c").write_text("int answer(void) { return 42; }\n")
        self.install()

    def install(self) -> None:
        places = linker.install(
            self.folder / "linker", self.folder / "link-inputs", self.kept, os.environ["PATH"]
        )
        self.env = {"PATH": f"{places}:{os.environ['PATH']}"}

    def cc(self, *args: str) -> int:
        return subprocess.run(["cc", *args], cwd=self.folder, env=self.env, check=False).returncode

    @property
    def calls(self) -> list[tuple[tuple[str, ...], str | None, tuple[str, ...] | None]]:
        return [(call.args, call.output, call.exports) for call in linker.calls(self.folder / "linker")]


@pytest.fixture
def wrapped(tmp_path: Path) -> Wrapped:
    return Wrapped(tmp_path)


def test_the_real_compiler_is_called_and_its_calls_are_noted(wrapped: Wrapped) -> None:
    assert wrapped.cc("-c", "main.c", "-o", "ma in.o") == 0
    assert wrapped.cc("-c", "answer.c", "-o", "answer.o", "-DX=a  b\tc*?$") == 0
    assert wrapped.cc("ma in.o", "answer.o", "-o", "prog") == 0
    assert subprocess.run([wrapped.folder / "prog"], check=False).returncode == 42
    assert wrapped.calls == [
        (("-c", "main.c", "-o", "ma in.o"), "ma in.o", None),
        (("-c", "answer.c", "-o", "answer.o", "-DX=a  b\tc*?$"), "answer.o", None),
        (("ma in.o", "answer.o", "-o", "prog"), "prog", None),
    ]


def test_a_failure_stays_one(wrapped: Wrapped) -> None:
    assert wrapped.cc("-c", "nowhere.c") != 0
    assert len(wrapped.calls) == 1


def test_the_version_script_and_the_dynamic_list(wrapped: Wrapped) -> None:
    (wrapped.folder / "list").write_text("{ answer; };\n")
    for option in ("--version-script=list", "--dynamic-list=list"):
        assert wrapped.cc("-shared", "-fPIC", "answer.c", "-o", "lib.so", f"-Wl,{option}") == 0
    assert [exports for _, _, exports in wrapped.calls] == [("answer",), ("answer",)]


RECORDS = """#!/bin/sh
exit 0
"""


@pytest.mark.parametrize(
    ("args", "output"),
    [
        (["-flavor", "link", "/DEF:names.def", "/OUT:out/lib.dll", "/IMPLIB:lib.dll.lib"], "lib.dll"),
        (["-Wl,names.def", "-Wl,--output-def=other.def", "-o", "lib.dll"], "lib.dll"),
        (["names.def", "-o", "lib.dll"], "lib.dll"),
        (["-flavor", "darwin", "-exported_symbols_list", "names.apple", "-o", "lib.dylib"], "lib.dylib"),
        (["-Wl,-exported_symbols_list", "-Wl,names.apple", "-o", "lib.dylib"], "lib.dylib"),
        (["-Wl,-exported_symbols_list,names.apple", "-o", "lib.dylib"], "lib.dylib"),
        (["-bE:names.exp", "-o", "liblib.so"], "liblib.so"),
        (["--version-script=names.ver", "-o", "liblib.so"], "liblib.so"),
        (["-flavor", "wasm", "--export", "f", "--export", "g", "-o", "lib.wasm"], "lib.wasm"),
    ],
)
def test_every_linkers_list_of_exports(tmp_path: Path, args: list[str], output: str) -> None:
    texts = {"def": "EXPORTS\n  f\n  g DATA\n", "apple": "_f\n_g\n", "exp": "f\ng\n", "ver": "{ f; g; };"}
    for end, text in texts.items():
        (tmp_path / f"names.{end}").write_text(text)
    (tmp_path / "other.def").write_text("EXPORTS\n  wrong\n")
    real = tmp_path / "real" / "rust-lld"
    real.parent.mkdir()
    real.write_text(RECORDS)
    real.chmod(0o755)
    places = linker.install(tmp_path / "linker", tmp_path / "inputs", (), os.environ["PATH"], str(real))
    subprocess.run([places / "rust-lld", *args], cwd=tmp_path, check=True)
    (call,) = linker.calls(tmp_path / "linker")
    assert (call.args, call.output, call.exports) == (tuple(args), output, ("f", "g"))


def test_a_response_file_in_utf_16(wrapped: Wrapped) -> None:
    (wrapped.folder / "args").write_text('"-c"\n"answer.c"\n"-o"\n"a\u00e4.o"\n', encoding="utf-16")
    wrapped.cc("@args")
    assert [call[1] for call in wrapped.calls] == ["a\u00e4.o"]


def test_a_response_file_is_read_in_its_place(wrapped: Wrapped) -> None:
    (wrapped.folder / "args").write_text("-c\nanswer.c\n")
    assert wrapped.cc("-O1", "@args", "-o", "answer.o") == 0
    assert wrapped.calls == [(("-O1", "-c", "answer.c", "-o", "answer.o"), "answer.o", None)]


def test_calls_of_an_earlier_step_are_forgotten(wrapped: Wrapped) -> None:
    wrapped.cc("-c", "main.c", "-o", "main.o")
    wrapped.install()
    assert wrapped.calls == []
    wrapped.cc("-c", "answer.c", "-o", "answer.o")
    assert [output for _, output, _ in wrapped.calls] == ["answer.o"]


def test_calls_at_the_same_time_are_all_noted(wrapped: Wrapped) -> None:
    running = [
        subprocess.Popen(["cc", "-c", "answer.c", "-o", f"a{n}.o"], cwd=wrapped.folder, env=wrapped.env)
        for n in range(8)
    ]
    assert [one.wait() for one in running] == [0] * 8
    assert sorted(output or "" for _, output, _ in wrapped.calls) == [f"a{n}.o" for n in range(8)]


def test_inputs_are_kept_on_request(tmp_path: Path) -> None:
    wrapped = Wrapped(tmp_path, "*.o", "lib [[]x]?.a", "lib [y]?.a")  # as fnmatch selects files for claims
    wrapped.cc("-c", "answer.c", "-o", "answer.o")
    shutil.copy(tmp_path / "answer.o", tmp_path / "a n.o")
    for name in ("lib [x]1.a", "lib x1.a", "lib y1.a", "lib [y]1.a"):
        shutil.copy(tmp_path / "answer.o", tmp_path / name)
    shutil.copy(tmp_path / "answer.o", tmp_path / "out.o")
    wrapped.cc("-r", "a n.o", "lib [x]1.a", "lib x1.a", "lib y1.a", "lib [y]1.a", "-o", "out.o")
    kept = sorted(path.name for path in (tmp_path / "link-inputs").iterdir())
    assert kept == ["a n.o", "lib [x]1.a", "lib y1.a"]
    assert not linker.hides_inputs(tmp_path / "linker")
    (tmp_path / "args").write_text("answer.o\n")
    wrapped.cc("-r", "@args", "-o", "out.o")
    assert linker.hides_inputs(tmp_path / "linker")
    assert not (Wrapped(tmp_path / "linker").folder / "link-inputs").exists()
