"""The tables of dyld: the export trie, the opcodes that bind, and numbers of variable length."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.artifact.macho.bind_opcodes import MachoImport, bound_imports
from linkage.artifact.macho.leb128 import uleb128
from linkage.artifact.macho.trie import read_trie
from linkage.errors import ArtifactError


def _leb128(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_numbers(number: int, before: bytes, after: bytes) -> None:
    packed = _leb128(number)
    assert uleb128(before + packed + after, len(before), "x") == (number, len(before) + len(packed))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80" * 3, b"\x80" * 9, b"\x80" * 11 + b"\0"])
def test_numbers_without_an_end(data: bytes) -> None:
    with pytest.raises(ArtifactError) as raised:
        uleb128(data, 0, "x")
    assert str(raised.value) == "x: the number at offset 0x0 has no end"


def _trie(names: dict[bytes, int]) -> bytes:
    """A trie of one edge a name. Where its nodes are depends on the length of the root: a few rounds."""
    size = 0
    while True:
        edges, children = b"", b""
        for name, address in names.items():
            terminal = b"\0" + _leb128(address)
            edges += name + b"\0" + _leb128(size + len(children))
            children += bytes([len(terminal)]) + terminal + b"\0"
        root = bytes([0, len(names)]) + edges
        if len(root) == size:
            return root + children
        size = len(root)


_NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name)


@given(
    st.dictionaries(_NAMES, st.integers(1 << 14, (1 << 21) - 1) | st.integers(0, (1 << 64) - 1), max_size=80)
)
def test_tries(names: dict[bytes, int]) -> None:
    found = read_trie(_trie(names))
    assert dict(zip(found.names, found.addresses, strict=True)) == names
    assert len(found.names) == len(names)


def test_a_name_is_the_path_to_its_node() -> None:
    found = read_trie(b"\0\1_a\0\6" + b"\2\0\1\2b\0\x10c\0\x14" + b"\2\0\2\0" + b"\2\0\3\0")
    assert dict(zip(found.names, found.addresses, strict=True)) == {b"_a": 1, b"_ab": 2, b"_ac": 3}


BEYOND = "export trie: a node reaches beyond its end ({} bytes)"


@pytest.mark.parametrize(
    ("trie", "why"),
    [
        (b"\0\1a\0\0", "export trie: the node at offset 0x0 is reached twice"),
        (b"\0\2a\0\x08b\0\x08\0\0", "export trie: the node at offset 0x8 is reached twice"),
        (b"\0\1a\0\x7f", BEYOND.format(5)),
        (b"\0\1a", BEYOND.format(3)),
        (b"\0\1a\0", BEYOND.format(4)),
        (b"\0", BEYOND.format(1)),
        (b"\7\0", "export trie: the number at offset 0x2 has no end"),
        (b"\2\0\x81\0", BEYOND.format(4)),
        (b"\3\x08\1x\0\0", BEYOND.format(6)),
        (b"\x80", "export trie: the number at offset 0x0 has no end"),
        (b"\0\1a\0\x80\x80", "export trie: the number at offset 0x4 has no end"),
    ],
)
def test_wrong_tries(trie: bytes, why: str) -> None:
    with pytest.raises(ArtifactError) as raised:
        read_trie(trie)
    assert str(raised.value) == why


def test_names_that_would_take_all_memory() -> None:
    """Every node has one child, and an edge of 900 bytes."""
    trie, at = b"", 0
    for _ in range(600):
        head = b"\0\1" + b"n" * 900 + b"\0"
        at += len(head) + 3
        trie += head + bytes([at & 0x7F | 0x80, at >> 7 & 0x7F | 0x80, at >> 14])
    with pytest.raises(ArtifactError, match="names of more than 67108864 bytes"):
        read_trie(trie + b"\0\0")


def test_opcodes() -> None:
    stream = (
        b"\x11\x40_imm\0\x51\x72\x80\x20\x90"  # ordinal 1, a pointer at an offset
        b"\x20\x81\x01\x41_uleb\0\x60\x7f\xa0\x08"  # ordinal 129, weak, an addend
        b"\x3f\x40_main\0\xb2\x3e\x40_flat\0\xc0\xff\xff\xff\xff\x0f\x08"  # as often as you like
        b"\x30\x40_self\0\x80\x08\x90\x90"
        b"\x3d\x40_weak\0\xd0\x05\x90\xd1"  # threaded
        b"\x00\x40_after\0\x90"
    )
    found = list(dict.fromkeys(bound_imports(stream)))
    assert found == [
        MachoImport(b"_imm", 1, weak=False), MachoImport(b"_uleb", 129, weak=True),
        MachoImport(b"_main", -1, weak=False), MachoImport(b"_flat", -2, weak=False),
        MachoImport(b"_self", 0, weak=False), MachoImport(b"_weak", -3, weak=False),
    ]  # fmt: skip


def test_opcodes_of_lazy_and_weak_symbols() -> None:
    lazy = b"\x72\0\x11\x40_a\0\x90\0\x72\x08\x12\x40_b\0\x90\0\0\0"
    assert list(bound_imports(lazy, lazy=True)) == [
        MachoImport(b"_a", 1, weak=False), MachoImport(b"_b", 2, weak=False),
    ]  # fmt: skip
    weak = b"\x40_a\0\x90\x48_strong\0\x90\0"
    assert list(bound_imports(weak, weak_lookup=True)) == [MachoImport(b"_a", -3, weak=False)]


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"\x90", "bind opcodes: nothing is named before offset 0x0"),
        (b"\x40_a", "bind opcodes: the name at offset 0x1 has no end"),
        (b"\xe0", "bind opcodes: unknown opcode 0xe0 at offset 0x0"),
        (b"\x20\x80", "bind opcodes: the number at offset 0x1 has no end"),
        (b"\x40a\0\xc0\1", "bind opcodes: the number at offset 0x5 has no end"),
    ],
)
def test_wrong_opcodes(stream: bytes, why: str) -> None:
    with pytest.raises(ArtifactError) as raised:
        list(bound_imports(stream))
    assert str(raised.value) == why


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for read in (read_trie, lambda stream: list(bound_imports(stream))):
        with suppress(ArtifactError):
            read(data)
