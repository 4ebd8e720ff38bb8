"""The `cc` wrapper in front of the linker: what it records, and that it changes nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from linkage.run import linker_wrapper as linker
from linkage.run.linker_wrapper import export_names, response_words


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
    assert export_names(script) == names


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
    wrapped = Wrapped(tmp_path, "*.o", "lib [x]?.a")
    wrapped.cc("-c", "answer.c", "-o", "answer.o")
    shutil.copy(tmp_path / "answer.o", tmp_path / "a n.o")
    for name in ("lib [x]1.a", "lib x1.a"):
        shutil.copy(tmp_path / "answer.o", tmp_path / name)
    shutil.copy(tmp_path / "answer.o", tmp_path / "out.o")
    wrapped.cc("-r", "a n.o", "lib [x]1.a", "lib x1.a", "-o", "out.o")
    assert sorted(path.name for path in (tmp_path / "link-inputs").iterdir()) == ["a n.o", "lib [x]1.a"]
    assert not linker.hides_inputs(tmp_path / "linker")
    (tmp_path / "args").write_text("answer.o\n")
    wrapped.cc("-r", "@args", "-o", "out.o")
    assert linker.hides_inputs(tmp_path / "linker")
    assert not (Wrapped(tmp_path / "linker").folder / "link-inputs").exists()
