"""Archives: GNU's from `ar`, the other flavours written here byte by byte."""

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import Archive, ArchiveMember, Members

LONG = "a_name_that_is_longer_than_fifteen_bytes.o"


def _member(name: bytes, content: bytes) -> bytes:
    header = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, 0, 0, 0, 0o644, len(content))
    return header + content + b"\n" * (len(content) % 2)


def _archive(*members: tuple[bytes, bytes], magic: bytes = b"!<arch>\n") -> Archive:
    facts = read_bytes(magic + b"".join(_member(*one) for one in members))
    assert facts.error is None
    assert facts.archive is not None
    return facts.archive


def _error(data: bytes) -> str:
    facts = read_bytes(data)
    assert (facts.kind, facts.archive) == ("archive", None)
    assert facts.error is not None
    return facts.error


@pytest.mark.parametrize("thin", [False, True])
def test_gnu(compile_c: Callable[..., Path], tmp_path: Path, *, thin: bool) -> None:
    source = compile_c("int f(void) { return 1; } int g;", "-c")
    for name in ("short.o", LONG):
        shutil.copy(source, tmp_path / name)
    (tmp_path / "odd.txt").write_text("odd")
    flags = "rcST" if thin else "rcS"
    subprocess.run(["ar", flags, "lib.a", "short.o", LONG, "odd.txt"], cwd=tmp_path, check=True)
    subprocess.run(["ranlib", "lib.a"], cwd=tmp_path, check=True)
    found = read(tmp_path / "lib.a").archive
    assert found is not None
    assert (found.flavour, found.thin) == ("gnu", thin)
    assert [member.name for member in found.members] == ["short.o", LONG, "odd.txt"]
    assert [member.size for member in found.members] == [source.stat().st_size] * 2 + [3]
    assert found.index == ("f", "g", "f", "g")
    assert [member.object is not None for member in found.members] == [not thin, not thin, False]


def test_the_indexes_of_microsoft() -> None:
    """The second one repeats the first; that of Arm64EC's symbols does not; maps of its linker are none."""
    first = struct.pack(">II", 1, 0) + b"f\0"
    second = struct.pack("<IIIH", 1, 0, 1, 1) + b"f\0"
    arm64ec = struct.pack("<IHH", 2, 1, 1) + b"#g\0g\0"
    long_names = b"a_name_that_is_long.o\0other.o\0"
    found = _archive(
        (b"/", first), (b"/", second), (b"//", long_names), (b"/<ECSYMBOLS>/", arm64ec),
        (b"/<XFGHASHMAP>/", b"1234"), (b"/0", b"x"), (b"/22", b""),
    )  # fmt: skip
    assert (found.flavour, found.index) == ("coff", ("f", "#g", "g"))
    assert [member.name for member in found.members] == ["a_name_that_is_long.o", "other.o"]
    cut = b"!<arch>\n" + _member(b"/<ECSYMBOLS>/", arm64ec[:-1])
    assert _error(cut) == "archive index: it declares 2 names, but has 1"


def test_gnu64() -> None:
    index = struct.pack(">QQQ", 2, 0, 0) + b"f\0g\0"
    found = _archive((b"/SYM64/", index), (b"a.o/", b"x"))
    assert (found.flavour, found.index, found.members[0].name) == ("gnu64", ("f", "g"), "a.o")


@pytest.mark.parametrize(
    ("symdef", "code", "flavour"), [(b"__.SYMDEF", "I", "bsd"), (b"__.SYMDEF_64", "Q", "darwin64")]
)
@pytest.mark.parametrize("ordered", [b"", b" SORTED"])
def test_bsd(symdef: bytes, code: str, flavour: str, ordered: bytes) -> None:
    width = struct.calcsize(f"<{code}")
    index = struct.pack(f"<6{code}", 4 * width, 2, 0, 0, 0, 4) + b"f\0g\0"
    name = symdef + ordered + b"\0" * 3
    found = _archive((b"#1/%d" % len(name), name + index), (b"#1/44", LONG.encode() + b"\0\0content"))
    assert found.flavour == flavour
    assert found.index == ("g", "f")
    assert [(member.name, member.size) for member in found.members] == [(LONG, 7)]


def test_an_archive_without_an_index_or_members() -> None:
    assert _archive() == Archive("gnu", thin=False, members=Members.of(()), index=None)
    assert _archive((b"#1/3", b"a.oX")).flavour == "bsd"


def test_a_malformed_member_leaves_the_others(compile_c: Callable[..., Path]) -> None:
    whole = compile_c("int f;", "-c").read_bytes()
    found = _archive((b"bad.o/", whole[:100]), (b"good.o/", whole))
    bad, good = found.members
    assert bad.object is None
    assert bad.error is not None
    assert bad.error.startswith("section headers at offset")
    assert good.object is not None
    assert good.error is None


def test_renamed_members_are_recognized(compile_c: Callable[..., Path]) -> None:
    """What was read once is not read again, and a byte of difference is another content."""
    whole = compile_c("char large[1 << 18] = {1}; int f(void) { return large[3]; }", "-c").read_bytes()
    first, again = _archive((b"one.o/", whole)), _archive((b"one.o/", whole), (b"last.o/", b""))
    assert again.members[0] is not first.members[0], "another run of members"
    assert _archive((b"one.o/", whole)).members[0] is first.members[0]
    renamed = whole.replace(b"\0large\0", b"\0Large\0")
    (member,) = _archive((b"one.o/", renamed)).members
    assert member.object is not None
    assert member.object.symbols is not None
    assert member.object.symbols.named("Large")
    assert not member.object.symbols.named("large")
    (member,) = _archive((b"other.o/", whole)).members
    assert member.name == "other.o"
    data = b"!<arch>\n" + _member(b"one.o/", whole)
    with_references = read_bytes(data, references=["f"]).archive
    assert with_references is not None
    assert with_references.members[0].object is not None
    assert with_references.members[0].object.references["f"] == ("large",)


def test_an_archive_in_an_archive_is_listed() -> None:
    found = _archive((b"inner.a/", b"!<arch>\n"))
    assert [(one.name, one.object, one.error, one.unread) for one in found.members] == [
        ("inner.a", None, None, "archive")
    ]


@pytest.mark.parametrize(
    ("content", "unread", "kind"),
    [
        (b"", None, "empty"),
        (b"some text", "text", "other"),
        (b"\xff\xfe", "unknown", "other"),
        (b"\x03\xf0\0" + bytes(16), "GOFF", "other"),
        (b"\xca\xfe\xba\xbe" + bytes(4), "archive", "archive"),
        (b"!<thin>\n", "archive", "archive"),
    ],
)
def test_a_member_that_no_reader_reads_is_called_by_its_format(
    content: bytes, unread: str | None, kind: str
) -> None:
    (member,) = _archive((b"a/", content)).members
    assert (member.unread, member.kind, member.error) == (unread, kind, None)


C = "int {0}(void) {{ return 1; }}"


def _thin(folder: Path, place: str, *members: str) -> ArchiveMember:
    """The last member of a thin archive at a place, of these members, read as the folder's."""
    (folder / place).parent.mkdir(exist_ok=True)
    subprocess.run(["ar", "rcT", place, *members], cwd=folder, check=True)
    archive = read(folder / place, root=folder).archive
    assert archive is not None
    assert archive.thin
    return archive.members[-1]


def test_members_of_a_thin_archive_are_read_from_their_files(
    compile_c: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    (folder / "sub").mkdir(parents=True)
    object_ = compile_c(C.format("twice"), "-c").read_bytes()
    for place in ("a.o", "sub/b.o"):
        (folder / place).write_bytes(object_)
    (tmp_path / "outside.o").write_bytes(object_)
    (folder / "link.o").symlink_to("../outside.o")
    for place in ("lib.a", "sub/lib.a", "other/lib.a"):
        for name in ("a.o", "sub/b.o"):
            member = _thin(folder, place, name)
            assert member.error is None
            assert member.object is not None
            assert member.object.symbols is not None
            assert member.object.symbols.named("twice")
    for name in ("../outside.o", "link.o", str(tmp_path / "outside.o")):
        assert _thin(folder, "lib.a", "a.o", name).error == (
            "the thin archive refers to a file outside the folder"
        )
        (folder / "lib.a").unlink()
    _thin(folder, "lib.a", "a.o")
    (folder / "a.o").write_bytes(compile_c(C.format("other"), "-c").read_bytes())
    changed = read(folder / "lib.a", root=folder).archive
    assert changed is not None
    assert changed.members[0].object is not None
    assert changed.members[0].object.symbols is not None
    assert not changed.members[0].object.symbols.named("twice")
    (folder / "a.o").unlink()
    for root, why in (
        (folder, "the thin archive refers to a file that cannot be read: No such file or directory"),
        (None, "the thin archive refers to a file, which is not read"),
    ):
        missing = read(folder / "lib.a", root=root).archive
        assert missing is not None
        assert missing.members[0].error == why


def test_errors_say_what_and_where() -> None:
    whole = b"!<arch>\n" + _member(b"a.o/", b"content")
    assert _error(whole[:-3]) == (
        "archive member at offset 0x44, 7 bytes, reaches beyond the end of the file (73 bytes)"
    )
    assert _error(whole[:30]).startswith("archive member's header at offset 0x8, 60 bytes,")
    assert _error(whole.replace(b"`\n", b"??")) == (
        "archive member's header at offset 0x8 does not end in b'`\\n'"
    )
    assert _error(whole.replace(b"7 ", b"x ")) == (
        "archive member's header at offset 0x8: its size is b'x', which is not a number"
    )
    assert _error(b"!<arch>\n" + _member(b"/", struct.pack(">I", 9))).startswith(
        "archive index at offset 0x4"
    )
    assert _error(b"!<arch>\n" + _member(b"/12", b"")) == (
        "archive: no name at offset 0xc of its table of long names"
    )


def test_a_member_without_an_index_does_not_make_the_archive_bsd() -> None:
    assert _archive((b"a.o/", b"x")).flavour == "gnu"
    assert _archive((b"a.o/", b"x"), (b"#1/3", b"b.o")).flavour == "bsd"


def test_a_number_is_padded_with_spaces_only() -> None:
    assert _error(b"!<arch>\n" + _member(b"a.o/", b"content").replace(b"7 ", b"7\t")) == (
        "archive member's header at offset 0x8: its size is b'7\\t', which is not a number"
    )


def test_a_name_longer_than_its_member() -> None:
    assert _error(b"!<arch>\n" + _member(b"#1/9", b"a.o")) == (
        "archive member's name at offset 0x0, 9 bytes, reaches beyond the end of the file (3 bytes)"
    )
