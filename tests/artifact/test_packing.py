"""An archive's members are kept packed: small, the same when unpacked, unpacked when first asked for."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.artifact import read
from linkage.artifact.facts import Archive, ArchiveMember, Facts, Members, ObjectFile, ObjectType, Relro
from linkage.artifact.packing import pack, unpack, without_columns
from linkage.artifact.tables import SectionTable, SymbolTable
from support.table_strategies import sections, symbols

ROWS = st.lists(
    st.tuples(st.lists(sections, max_size=4), st.none() | st.lists(symbols(), max_size=4)), max_size=5
)


@given(ROWS)
def test_tables_round_trip(rows: list[tuple[list[object], list[object] | None]]) -> None:
    tables = [
        (SectionTable.of(some), None if others is None else SymbolTable.of(others))  # type: ignore[arg-type]
        for some, others in rows
    ]
    empty = [without_columns(*one) for one in tables]
    assert list(unpack(pack(tables), empty)) == tables


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_columns_round_trip(one: bytes, other: bytes) -> None:
    """A damaged file's columns need not hold whole entries."""
    shared = SectionTable(one, other, other, one, other)
    tables = [
        (shared, SymbolTable(one, other, other, b"", one, other, ("", "V1"))),
        (shared, SymbolTable(other, one, one, other)),
        (SectionTable(b"", b""), None),
    ]
    assert list(unpack(pack(tables), [without_columns(*each) for each in tables])) == tables


def _member(name: str, table: SymbolTable | None = None) -> ArchiveMember:
    found = ObjectFile(
        "elf64-little", "x86_64", ObjectType.RELOCATABLE, SectionTable(), table, None, None, None,
        pie=False, relro=Relro.NONE, bitcode=None, metadata=None,
    )  # fmt: skip
    return ArchiveMember(name, 1, found)


def test_members_are_a_sequence() -> None:
    plain = (_member("a.o"), ArchiveMember("notes", 3), _member("b.o", SymbolTable()))
    archive = Archive("gnu", thin=False, members=plain, index=None)  # type: ignore[arg-type]
    members = archive.members
    assert isinstance(members, Members)
    assert members == plain
    assert members == Members.of(list(plain))
    assert members != Members.of(plain[:2])
    assert (len(members), members[1], members[1:], list(members)) == (3, plain[1], plain[1:], list(plain))
    assert plain[2] in members


def test_nothing_is_unpacked_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive("gnu", thin=False, members=Members.of([_member("a.o")]), index=None)
    encoded = msgspec.msgpack.encode(Facts("archive", 1, "", archive=archive))
    calls: list[object] = []

    def counted(*given: Any) -> object:
        calls.append(given)
        return unpack(*given)

    monkeypatch.setattr("linkage.artifact.facts.unpack", counted)
    facts = msgspec.msgpack.decode(encoded, type=Facts)
    assert facts.archive is not None
    assert not calls
    assert [member.name for member in facts.archive.members] == ["a.o"]
    assert facts.archive.members[0].name == "a.o"
    assert len(calls) == 1


def test_a_std_staticlib_takes_a_fifth_of_its_tables(built: dict[str, Path]) -> None:
    facts = read(built["staticlib"])
    assert facts.archive is not None
    plain = msgspec.msgpack.encode((tuple(facts.archive.members), facts.archive.index))
    encoded = msgspec.msgpack.encode(facts)
    assert len(plain) > 2_000_000
    assert len(encoded) * 5 < len(plain)
    again = msgspec.msgpack.decode(encoded, type=Facts)
    assert again == facts
    assert again.archive is not None
    assert tuple(again.archive.members) == tuple(facts.archive.members)
