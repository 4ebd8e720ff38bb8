"""The bytes of requested sections: plain, compressed, empty, too large, damaged."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.compression import LIMIT
from linkage.artifact.facts import Facts, ObjectFile

Compile = Callable[..., Path]
SOURCE = """
__attribute__((section("mine"))) char text[] = "hello from a section";
char nothing[64];
int f(void) { return 1; }
"""
WORDS = " ".join(f"word{number}" for number in range(4000)).encode() + b"\n"


def _object(facts: Facts) -> ObjectFile:
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def test_only_what_is_asked_for_and_there(compile_c: Compile) -> None:
    path = compile_c(SOURCE, "-c")
    assert _object(read(path)).contents == {}
    found = _object(read(path, contents=["mine", ".bss", "absent"])).contents
    assert found == {"mine": b"hello from a section\0", ".bss": b""}
    assert _object(read_bytes(path.read_bytes(), contents=["mine"])).contents.keys() == {"mine"}


def test_sections_of_one_name_follow_each_other(compile_c: Compile) -> None:
    assembly = '.section s,"a"\n.ascii "one"\n.section s,"aG",@progbits,g,comdat\n.ascii "two"\n'
    found = _object(read(compile_c(assembly, "-c", language="assembler"), contents=["s"])).contents
    assert sorted((found["s"][:3], found["s"][3:])) == [b"one", b"two"]


def _with_section(compile_c: Compile, tmp_path: Path, name: str, content: bytes, *options: str) -> Path:
    (tmp_path / "content").write_bytes(content)
    target = tmp_path / f"object{len(list(tmp_path.iterdir()))}.o"
    added = [f"--add-section={name}={tmp_path / 'content'}", str(compile_c(SOURCE, "-c"))]
    subprocess.run(["objcopy", *added, target], check=True)
    if options:
        subprocess.run(["objcopy", *options, target], check=True)
    return target


@pytest.mark.parametrize("style", ["zlib-gabi", "zlib-gnu"])
def test_compressed_sections_are_decompressed(compile_c: Compile, tmp_path: Path, style: str) -> None:
    path = _with_section(
        compile_c, tmp_path, ".debug_words", WORDS, f"--compress-debug-sections={style}"
    )  # fmt: skip
    (name,) = [one.name for one in _object(read(path)).sections if one.compressed]
    assert name == (".debug_words" if style == "zlib-gabi" else ".zdebug_words")
    assert len(path.read_bytes()) < len(WORDS)
    assert _object(read(path, contents=[name])).contents[name] == WORDS


def test_large_sections_are_refused_and_never_cut(compile_c: Compile, tmp_path: Path) -> None:
    exactly = _with_section(compile_c, tmp_path, "big", bytes(LIMIT))
    assert len(_object(read(exactly, contents=["big"])).contents["big"]) == LIMIT
    more = _with_section(compile_c, tmp_path, "big", bytes(LIMIT + 1))
    assert read(more).error is None
    assert read(more, contents=["big"]).error == (
        f"section big has {LIMIT + 1} bytes of content; at most {LIMIT} are read"
    )
    bomb = _with_section(
        compile_c, tmp_path, ".debug_b", bytes(64 * LIMIT), "--compress-debug-sections=zlib-gabi"
    )
    assert bomb.stat().st_size < LIMIT
    assert "67108864 bytes of content" in str(read(bomb, contents=[".debug_b"]).error)


def test_wrong_or_unknown_compression(compile_c: Compile, tmp_path: Path) -> None:
    flag = "--compress-debug-sections=zlib-gabi"
    path = _with_section(compile_c, tmp_path, ".debug_w", WORDS, flag)
    data = path.read_bytes()
    at = data.index(b"\1\0\0\0\0\0\0\0" + len(WORDS).to_bytes(8, "little"))

    def error(changed: bytes, offset: int) -> str:
        damaged = data[: at + offset] + changed + data[at + offset + len(changed) :]
        return str(read_bytes(damaged, contents=[".debug_w"]).error)

    assert "declares 10 bytes" in error((10).to_bytes(8, "little"), 8)
    assert "declares 90000 bytes" in error((90000).to_bytes(8, "little"), 8)
    assert "cannot be decompressed" in error(b"\xff\xff\xff\xff", 24)
    assert "an unknown algorithm (9)" in error(b"\x09", 0)
    assert "zstd" in error(b"\x02", 0) or "cannot be decompressed" in error(b"\x02", 0)


def test_other_byte_orders_and_widths(foreign: Callable[[str], Path]) -> None:
    path = foreign("powerpc-unknown-linux-gnu")
    assert b"rustc version" in _object(read(path, contents=[".comment"])).contents[".comment"]


def test_members_of_an_archive(compile_c: Compile, tmp_path: Path) -> None:
    archive, good = tmp_path / "lib.a", compile_c(SOURCE, "-c")
    subprocess.run(["ar", "rc", archive, good], check=True)
    facts = read(archive, contents=["mine"])
    assert facts.archive is not None
    (member,) = facts.archive.members
    assert member.object is not None
    assert member.object.contents == {"mine": b"hello from a section\0"}


def test_a_member_whose_section_cannot_be_read_has_an_error(compile_c: Compile, tmp_path: Path) -> None:
    """Else `not-contains` would hold of a section that nobody saw."""
    large = tmp_path / "large.o"
    large.write_bytes(compile_c("char large[1 << 21] = {1};", "-c").read_bytes())
    archive = tmp_path / "lib.a"
    subprocess.run(["ar", "rcS", archive, large], check=True)
    without, asked = read(archive), read(archive, contents=[".data"])
    assert without.archive is not None
    assert without.archive.members[0].error is None
    assert asked.archive is not None
    assert str(asked.archive.members[0].error).startswith("section .data has 2097152 bytes of content")
