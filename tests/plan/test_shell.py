"""Commands, files and texts as lines of a shell script: the shell reads what was meant."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.plan.command import Command
from linkage.plan.shell import command_line, pattern, printed, quoted, text_printed, written
from linkage.plan.state import matching
from linkage.plan.template import Template
from support.small_cases import planned

PLACES = {"/rust": "SYSROOT", "/rust/bin/rustc": "RUSTC", "": "NOTHING"}


def said_by_shell(script: str, folder: Path | None = None) -> bytes:
    return subprocess.run(["sh", "-c", script], cwd=folder, check=True, capture_output=True).stdout


def command_of(step: str) -> Command:
    (made,) = planned(f"  - {{{step}}}\n").steps
    assert made.command is not None
    return made.command


@pytest.mark.parametrize(
    "content",
    [b"", b"a", b"-n", b"--\n", b"100 %\n", b"a\\nb\n", b"it's\ttwo\nlines", b"\xff\x00\x1b", "é ☃".encode()],
)
def test_bytes_are_printed_exactly(content: bytes) -> None:
    assert said_by_shell(printed(content)) == content
    assert "\n" not in printed(content)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8))
def test_any_text_is_printed_exactly(text: str) -> None:
    assert said_by_shell(printed(text.encode())) == text.encode()


@pytest.mark.parametrize(
    "content", [b"", b"fn main() {}\n", b"a $x `b` \\\n", b"no end", b"\xff\n", b"END_OF_FILE\n"]
)
@pytest.mark.parametrize("name", ["a.rs", "deep/er/it's.rs"])
def test_a_file_is_written_exactly(name: str, content: bytes, tmp_path: Path) -> None:
    said_by_shell("\n".join(written(name, content)), tmp_path)
    assert (tmp_path / name).read_bytes() == content


def test_a_text_is_printed_with_its_places_in_variables() -> None:
    line = text_printed(Template.parse("${work}/a %s ${sysroot}/x\n", {"sysroot": "/rust"}), PLACES)
    assert line == 'printf \'%s/a %%s %s/x\\n\' "$WORK" "$SYSROOT"'
    assert said_by_shell(f"WORK=/w; SYSROOT='/my rust'; {line}") == b"/w/a %s /my rust/x\n"
    assert text_printed(Template.of("plain"), PLACES) == "printf %s plain"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("plain", "plain"),
        ("", "''"),
        ("two words", "'two words'"),
        ("-L/rust/lib", '-L"$SYSROOT"/lib'),
        ("/rust/bin/rustc", '"$RUSTC"'),
        ("/rust/bin", '"$SYSROOT"/bin'),
    ],
)
def test_the_longest_place_wins(text: str, word: str) -> None:
    assert quoted(Template.of(text), PLACES) == word
    assert quoted(Template.of("/rust"), {}) == "/rust"


@pytest.mark.parametrize(
    ("glob", "word"),
    [
        ("*.o", "*.o"),
        ("a b/?.o", "'a b/'?.o"),
        ("$x", "'$x'"),
        ("", "''"),
        ("[ab]", "'[ab]'"),
        ("[ab]*", "[ab]*"),
        ("[!a-c]*", "[!a-c]*"),
        ("[*]$*", "[*]'$'*"),
        ("[$x]*", "'[$x]'*"),
    ],
)
def test_the_wildcards_of_a_glob_are_left_to_the_shell(glob: str, word: str) -> None:
    assert pattern(glob) == word


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("cc: main.c", "cc main.c -o main"),
        ("cc: main.c, env: {A: 'b c'}", "A='b c' cc main.c -o main"),
        ("cc: main.c, env: {a-b: c}", "env a-b=c cc main.c -o main"),
        ("cc: main.c, cwd: deep", "( cd deep && cc ../main.c -o ../main )"),
        ("cc: main.c, stdin: 'x'", "printf %s x | cc main.c -o main"),
        ("cc: main.c, flags: '*.o'", "cc *.o main.c -o main"),
        ("cc: main.c, flags: '/rust/lib/*.a'", 'cc "$SYSROOT"/lib/*.a main.c -o main'),
    ],
)
def test_a_command_as_it_is_typed(step: str, line: str) -> None:
    assert command_line(command_of(step), PLACES) == line


def test_a_glob_means_the_same_to_the_shell(tmp_path: Path) -> None:
    names = ["a*b", "a?b", "a[b", "aab", "abb", "acb"]
    for name in names:
        (tmp_path / name).touch()
    for glob in ("a*b", "a[*]?", "a[ab]*", "a[!ab]?", "a[?]*", "a[[]*", "*[*]*"):
        found = said_by_shell(f"printf '%s\\n' {pattern(glob)}", tmp_path).decode().splitlines()
        assert sorted(found) == matching(names, glob), glob
