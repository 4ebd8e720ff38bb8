"""What the loader is asked for, in images made by hand, of either width and byte order."""

import struct
from collections.abc import Sequence

import pytest

from linkage.artifact.elf import dynamic
from linkage.artifact.elf.dynamic import Image, Segment, Version, read_dynamic
from linkage.artifact.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    DF_TEXTREL,
    DT_BIND_NOW,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_GNU_HASH,
    DT_HASH,
    DT_NEEDED,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    DT_STRSZ,
    DT_STRTAB,
    DT_TEXTREL,
    DT_VERDEF,
    DT_VERDEFNUM,
    DT_VERNEED,
    DT_VERNEEDNUM,
    PT_DYNAMIC,
    PT_LOAD,
)
from linkage.errors import ArtifactError

FORMATS = [(order, wide) for order in "<>" for wide in (True, False)]
ADDRESS = 0x1000
"""Where the file is loaded; it is loaded whole."""
STRINGS, BODY = 0x200, 0x300
NAMES = b"\0libc.so\0GLIBC_2\0GLIBC_3\0libm.so\0/a:/b\0"
LIBC, TWO, THREE, LIBM, PATHS = (
    NAMES.index(name) for name in (b"libc", b"GLIBC_2", b"GLIBC_3", b"libm", b"/a")
)

Entries = Sequence[tuple[int, int]]


def image(entries: Entries = (), body: bytes = b"", *, order: str = "<", wide: bool = True) -> Image:
    """An image with these entries of PT_DYNAMIC, the strings above, and a body."""
    every = [*entries, (DT_STRTAB, ADDRESS + STRINGS), (DT_STRSZ, len(NAMES)), (0, 0), (DT_SONAME, LIBM)]
    table = b"".join(struct.pack(order + ("QQ" if wide else "II"), *one) for one in every)
    data = table.ljust(STRINGS, b"\0") + NAMES.ljust(BODY - STRINGS, b"\0") + body
    segments = (Segment(PT_LOAD, 0, ADDRESS, len(data)), Segment(PT_DYNAMIC, 0, ADDRESS, len(table)))
    return Image(memoryview(data), segments, order, wide=wide)


def numbers(*values: int, order: str = "<", layout: str | None = None) -> bytes:
    return struct.pack(order + (layout or f"{len(values)}I"), *values)


# --- addresses


def test_an_address_is_in_the_segment_that_holds_it() -> None:
    segments = (
        Segment(PT_LOAD, 0x10, 0x1000, 8),
        Segment(PT_DYNAMIC, 0, 0, 99),
        Segment(PT_LOAD, 0x40, 0x2000, 8),
    )
    made = Image(memoryview(bytes(99)), segments, "<", wide=True)
    assert [made.offset(one, "it") for one in (0x1000, 0x1007, 0x2000, 0x2007)] == [0x10, 0x17, 0x40, 0x47]
    for address in (0xFFF, 0x1008, 0x1FFF, 0x2008, 50):
        with pytest.raises(ArtifactError, match=f"^it at address {address:#x} is in no segment of the file$"):
            made.offset(address, "it")


def test_a_file_may_have_many_segments_but_not_any_number() -> None:
    Image(memoryview(b""), (Segment(PT_LOAD, 0, 0, 0),) * 1024, "<", wide=True)
    with pytest.raises(ArtifactError, match=r"^1025 loaded segments$"):
        Image(memoryview(b""), (Segment(PT_LOAD, 0, 0, 0),) * 1025, "<", wide=True)


def test_without_a_dynamic_segment_nothing_is_asked_for() -> None:
    for segments in ((), (Segment(PT_DYNAMIC, 0, 0, 0),), (Segment(PT_LOAD, 0, 0, 16),)):
        made = Image(memoryview(bytes(16)), segments, "<", wide=True)
        assert made.entries is None
        assert read_dynamic(made) == (None, False)
        assert (made.value(DT_SONAME), made.strings, made.versions, made.symbol_count()) == (
            None,
            b"\0",
            (),
            0,
        )


def test_a_dynamic_segment_that_is_cut() -> None:
    made = Image(memoryview(bytes(8)), (Segment(PT_DYNAMIC, 4, 0, 16),), "<", wide=True)
    with pytest.raises(
        ArtifactError, match=r"^dynamic segment at offset 0x4, 16 bytes, reaches beyond the end"
    ):
        _ = made.entries
    odd = numbers(DT_NEEDED, 0, 7, layout="QQB")
    assert Image(memoryview(odd), (Segment(PT_DYNAMIC, 0, 0, 17),), "<", wide=True).entries == (
        (DT_NEEDED, 0),
    )


# --- names


@pytest.mark.parametrize(("order", "wide"), FORMATS)
def test_names_and_paths(order: str, wide: bool) -> None:  # noqa: FBT001 - one of two columns of a table
    made = image(
        [(DT_NEEDED, LIBM), (DT_NEEDED, LIBC), (DT_SONAME, LIBC), (DT_RUNPATH, PATHS), (DT_RPATH, LIBM)],
        order=order,
        wide=wide,
    )
    found, _ = read_dynamic(made)
    assert found is not None
    assert (found.needed, found.soname) == (("libm.so", "libc.so"), "libc.so")
    assert (found.runpath, found.rpath) == (("/a", "/b"), ("libm.so",))
    assert (found.bind_now, found.text_relocations) == (False, False)


def test_after_the_null_entry_nothing_is_read() -> None:
    assert image().value(DT_SONAME) is None
    assert image().value(DT_STRSZ) == len(NAMES)


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ((DT_NEEDED, 0x1000), "DT_NEEDED"),
        ((DT_SONAME, 0x1000), "DT_SONAME"),
        ((DT_RUNPATH, 0x1000), "DT_RUNPATH"),
        ((DT_RPATH, 0x1000), "DT_RPATH"),
    ],
)
def test_a_name_beyond_the_strings(entry: tuple[int, int], what: str) -> None:
    with pytest.raises(ArtifactError, match=f"^{what}: no string at offset 0x1000 of its string table$"):
        read_dynamic(image([entry]))


def test_strings_beyond_the_file() -> None:
    made = image([(DT_STRTAB, ADDRESS + STRINGS), (DT_STRSZ, 0x1000)])
    with pytest.raises(
        ArtifactError, match=r"^DT_STRTAB at offset 0x200, 4096 bytes, reaches beyond the end"
    ):
        _ = made.strings
    made = image([(DT_STRTAB, 5)])
    with pytest.raises(ArtifactError, match=r"^DT_STRTAB at address 0x5 is in no segment"):
        _ = made.strings


def test_names_that_overlap_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic, "_TEXT_LIMIT", 14)
    assert read_dynamic(image([(DT_NEEDED, LIBC), (DT_NEEDED, LIBC)]))[0] is not None
    with pytest.raises(
        ArtifactError, match=r"^DT_NEEDED: more than 14 bytes of names in the dynamic segment$"
    ):
        read_dynamic(image([(DT_NEEDED, LIBC), (DT_NEEDED, LIBC), (DT_NEEDED, LIBC)]))


@pytest.mark.parametrize(
    ("entries", "bind_now", "text_relocations", "pie"),
    [
        ([(DT_BIND_NOW, 0)], True, False, False),
        ([(DT_FLAGS, DF_BIND_NOW)], True, False, False),
        ([(DT_FLAGS_1, DF_1_NOW)], True, False, False),
        ([(DT_TEXTREL, 0)], False, True, False),
        ([(DT_FLAGS, DF_TEXTREL)], False, True, False),
        ([(DT_FLAGS_1, DF_1_PIE)], False, False, True),
        ([(DT_FLAGS, ~(DF_BIND_NOW | DF_TEXTREL) & 0xFFFF), (DT_FLAGS_1, ~(DF_1_NOW | DF_1_PIE) & 0xFFFF)],
         False, False, False),
    ],
)  # fmt: skip
def test_flags(entries: Entries, *, bind_now: bool, text_relocations: bool, pie: bool) -> None:
    found, is_pie = read_dynamic(image(entries))
    assert found is not None
    assert (found.bind_now, found.text_relocations, is_pie) == (bind_now, text_relocations, pie)


# --- hash tables


@pytest.mark.parametrize(("order", "wide"), FORMATS)
def test_symbols_counted_by_a_hash_table(order: str, wide: bool) -> None:  # noqa: FBT001 - likewise
    body = numbers(3, 7, order=order)
    assert image([(DT_HASH, ADDRESS + BODY)], body, order=order, wide=wide).symbol_count() == 7


def gnu_hash(
    buckets: Sequence[int], chain: Sequence[int], *, first: int = 1, order: str = "<", wide: bool = True
) -> bytes:
    """A table with two words of bloom filter, which are not zero."""
    bloom = numbers(1, 1, order=order, layout="QQ" if wide else "II")
    return numbers(len(buckets), first, 2, 6, order=order) + bloom + numbers(*buckets, *chain, order=order)


@pytest.mark.parametrize(("order", "wide"), FORMATS)
@pytest.mark.parametrize(
    ("buckets", "chain", "first", "count"),
    [
        ([1, 3], [2, 3, 4, 5], 1, 5),
        ([4, 0, 2], [9, 8, 8, 7], 2, 6),
        ([1], [1], 1, 2),
        ([5, 5], [8, 8, 8, 8, 8, 11, 1], 0, 6),
        ([0, 0], [], 4, 4),
        ([], [], 3, 3),
    ],
)
def test_symbols_counted_by_a_gnu_hash_table(
    order: str,
    wide: bool,  # noqa: FBT001 - likewise
    buckets: list[int],
    chain: list[int],
    first: int,
    count: int,
) -> None:
    body = gnu_hash(buckets, chain, first=first, order=order, wide=wide)
    assert image([(DT_GNU_HASH, ADDRESS + BODY)], body, order=order, wide=wide).symbol_count() == count


@pytest.mark.parametrize(
    ("tag", "body", "error"),
    [
        (DT_HASH, numbers(3), "DT_HASH at offset 0x300, 8 bytes, reaches beyond the end"),
        (DT_GNU_HASH, numbers(3), "DT_GNU_HASH at offset 0x300, 16 bytes, reaches beyond the end"),
        (DT_GNU_HASH, numbers(9, 1, 0, 6), "DT_GNU_HASH's buckets at offset 0x310, 36 bytes, reaches beyond"),
        (DT_GNU_HASH, gnu_hash([1], [2, 4]), "DT_GNU_HASH: the chain at offset 0x320 has no end"),
        (DT_GNU_HASH, gnu_hash([1], [2]) + b"\1\1", "DT_GNU_HASH: the chain at offset 0x320 has no end"),
    ],
)
def test_a_damaged_hash_table(tag: int, body: bytes, error: str) -> None:
    with pytest.raises(ArtifactError, match=f"^{error}"):
        image([(tag, ADDRESS + BODY)], body).symbol_count()


@pytest.mark.parametrize(("tag", "name"), [(DT_HASH, "DT_HASH"), (DT_GNU_HASH, "DT_GNU_HASH")])
def test_a_hash_table_elsewhere(tag: int, name: str) -> None:
    with pytest.raises(ArtifactError, match=f"^{name} at address 0x1 is in no segment"):
        image([(tag, 1)]).symbol_count()


# --- versions


def needed(order: str = "<", *, last: int = 0) -> bytes:
    """Two libraries, the first of which with two versions; `last`: what the last entries refer to."""
    return b"".join(
        (
            numbers(1, 2, LIBC, 16, 48, order=order, layout="HHIII"),
            numbers(0, 0, 2, TWO, 16, order=order, layout="IHHII"),
            numbers(0, 0, 3, THREE, last, order=order, layout="IHHII"),
            numbers(1, 1, LIBM, 16, last, order=order, layout="HHIII"),
            numbers(0, 0, 4, TWO, last, order=order, layout="IHHII"),
        )
    )


def defined(order: str = "<", *, last: int = 0) -> bytes:
    """The name of the file itself, then two versions."""
    return b"".join(
        numbers(1, flags, index, count, 0, 20, following, order=order, layout="HHHHIII")
        + numbers(name, 0, order=order)
        for flags, index, count, name, following in (
            (1, 1, 1, LIBC, 28), (0, 2, 1, TWO, 28), (0, 5, 0, LIBM, 28), (2, 3, 1, THREE, last),
        )
    )  # fmt: skip


NEEDED = (
    Version(2, "GLIBC_2", "libc.so"),
    Version(3, "GLIBC_3", "libc.so"),
    Version(4, "GLIBC_2", "libm.so"),
)
DEFINED = (Version(2, "GLIBC_2", None), Version(3, "GLIBC_3", None))


@pytest.mark.parametrize(("order", "wide"), FORMATS)
@pytest.mark.parametrize(("more", "last"), [(0, 0), (0, 16), (5, 0)])
def test_versions(order: str, wide: bool, more: int, last: int) -> None:  # noqa: FBT001 - likewise
    """The entries end where a count or a link says so, whichever comes first."""
    first, second = needed(order, last=last), defined(order, last=last)
    made = image(
        [
            (DT_VERNEED, ADDRESS + BODY),
            (DT_VERNEEDNUM, 2 + more),
            (DT_VERDEF, ADDRESS + BODY + len(first)),
            (DT_VERDEFNUM, 4 + more),
        ],
        first + second,
        order=order,
        wide=wide,
    )
    assert made.versions == (*NEEDED, *DEFINED)
    found, _ = read_dynamic(made)
    assert found is not None
    assert found.versions_needed == ("libc.so:GLIBC_2", "libc.so:GLIBC_3", "libm.so:GLIBC_2")
    assert found.versions_defined == ("GLIBC_2", "GLIBC_3")


def test_versions_need_an_address_and_a_count() -> None:
    for entries in (
        [(DT_VERNEED, ADDRESS + BODY)],
        [(DT_VERNEEDNUM, 1)],
        [(DT_VERNEED, ADDRESS + BODY), (DT_VERNEEDNUM, 0)],
        [(DT_VERDEF, ADDRESS + BODY)],
        [(DT_VERDEFNUM, 1)],
        [(DT_VERDEF, ADDRESS + BODY), (DT_VERDEFNUM, 0)],
    ):
        assert image(entries, needed()).versions == ()


@pytest.mark.parametrize(
    ("entries", "body", "error"),
    [
        ([(DT_VERNEED, 1), (DT_VERNEEDNUM, 1)], b"", "DT_VERNEED at address 0x1 is in no segment"),
        ([(DT_VERDEF, 1), (DT_VERDEFNUM, 1)], b"", "DT_VERDEF at address 0x1 is in no segment"),
        (
            [(DT_VERNEED, ADDRESS + BODY), (DT_VERNEEDNUM, 1)],
            b"12345678",
            "version needed at offset 0x300, 16 ",
        ),
        (
            [(DT_VERNEED, ADDRESS + BODY), (DT_VERNEEDNUM, 2)],
            needed()[:31],
            "version needed at offset 0x310, 16 ",
        ),
        (
            [(DT_VERNEED, ADDRESS + BODY), (DT_VERNEEDNUM, 1)],
            numbers(1, 1, 0x900, 16, 0, layout="HHIII") + bytes(16),
            "version needed: no string at offset 0x900",
        ),
        (
            [(DT_VERNEED, ADDRESS + BODY), (DT_VERNEEDNUM, 1)],
            numbers(1, 1, LIBC, 16, 0, layout="HHIII") + numbers(0, 0, 2, 0x900, 0, layout="IHHII"),
            "version needed: no string at offset 0x900",
        ),
        (
            [(DT_VERDEF, ADDRESS + BODY), (DT_VERDEFNUM, 1)],
            b"1234",
            "version definition at offset 0x300, 20 ",
        ),
        (
            [(DT_VERDEF, ADDRESS + BODY), (DT_VERDEFNUM, 1)],
            numbers(1, 0, 2, 1, 0, 20, 0, layout="HHHHIII"),
            "version definition at offset 0x314, 8 ",
        ),
        (
            [(DT_VERDEF, ADDRESS + BODY), (DT_VERDEFNUM, 1)],
            numbers(1, 0, 2, 1, 0, 20, 0, layout="HHHHIII") + numbers(0x900, 0),
            "version definition: no string at offset 0x900",
        ),
    ],
)
def test_damaged_versions(entries: Entries, body: bytes, error: str) -> None:
    with pytest.raises(ArtifactError, match=f"^{error}"):
        _ = image(entries, body).versions


def test_the_number_of_versions_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(DT_VERNEED, ADDRESS + BODY), (DT_VERNEEDNUM, 2)]
    monkeypatch.setattr(dynamic, "_VERSION_LIMIT", 3)
    assert image(entries, needed()).versions == NEEDED
    monkeypatch.setattr(dynamic, "_VERSION_LIMIT", 2)
    with pytest.raises(ArtifactError, match=r"^more than 2 symbol versions$"):
        _ = image(entries, needed()).versions
