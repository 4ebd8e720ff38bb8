"""Packed tables return what was put in, and find names as a plain search does."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.artifact.facts import Section, SectionTable, Symbol, SymbolTable, SymbolType
from support.table_strategies import FEW, sections, symbols


@given(st.lists(symbols(), max_size=8))
def test_symbols_round_trip(wanted: list[Symbol]) -> None:
    table = SymbolTable.of(wanted)
    assert list(table) == wanted
    assert len(table) == len(wanted)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(table), type=SymbolTable) == table
    assert table.bindings() == [(symbol.name, symbol.binding) for symbol in wanted]


@given(st.lists(symbols(), max_size=8), FEW)
def test_named_finds_exactly_the_equal_names(all_symbols: list[Symbol], name: str) -> None:
    table = SymbolTable.of(all_symbols)
    assert table.named(name) == tuple(symbol for symbol in all_symbols if symbol.name == name)
    assert all(symbol in table for symbol in all_symbols)


def test_named_finds_names_that_share_their_tail() -> None:
    records = b"".join(
        SymbolTable.RECORD.pack(offset, 0x12, 0, 0, at, 0) for at, offset in enumerate((1, 4, 1, 5))
    )
    table = SymbolTable(b"\0barfoo\0", records)
    assert [symbol.name for symbol in table] == ["barfoo", "foo", "barfoo", "oo"]
    assert [symbol.value for symbol in table.named("barfoo")] == [0, 2]
    assert [symbol.value for symbol in table.named("foo")] == [1]
    assert table.named("o") == ()


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_beyond_the_table_is_named(index: int) -> None:
    symbols = SymbolTable(b"\0a\0", SymbolTable.RECORD.pack(1, 0x12, 0, 0, 0, 0) * 2)
    assert symbols[1].name == "a"
    with pytest.raises(IndexError, match=f"^{index}$"):
        symbols[index]


def test_names_that_are_not_text() -> None:
    record = SymbolTable.RECORD.pack(1, 0x10, 0, 0, 0, 0)
    table = SymbolTable(b"\0a\xffb\0", record)
    (symbol,) = table
    assert symbol.name == "a\\xffb"
    assert table.named(symbol.name) == (symbol,)
    assert SymbolTable.of(table).names == table.names


def test_a_common_symbol_may_be_defined_twice() -> None:
    (symbol,) = SymbolTable(b"\0c\0", SymbolTable.RECORD.pack(1, 0x11, 0, 0xFFF2, 4, 4))
    assert symbol.defined
    assert symbol.type is SymbolType.COMMON
    assert not symbol.strong


@given(st.lists(sections, max_size=8), FEW)
def test_sections_round_trip(wanted: list[Section], name: str) -> None:
    assert SectionTable.of(wanted).listed() == [section.name for section in wanted]
    table = SectionTable.of(wanted)
    assert list(table) == wanted
    assert len(table) == len(wanted)
    assert table.named(name) == tuple(section for section in wanted if section.name == name)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(table), type=SectionTable) == table
