"""The readers against LIEF and pyelftools, on everything that a compiler here produces."""

from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import ObjectFile, SymbolTable
from support import oracles

LINKED = ("bin", "cdylib", "dylib")
TARGETS = {
    "powerpc-unknown-linux-gnu": ("elf32-big", "powerpc"),
    "s390x-unknown-linux-gnu": ("elf64-big", "s390x"),
    "i686-unknown-linux-gnu": ("elf32-little", "i386"),
    "aarch64-unknown-linux-gnu": ("elf64-little", "aarch64"),
    "riscv64gc-unknown-linux-gnu": ("elf64-little", "riscv"),
}


def _object(path: Path) -> ObjectFile:
    facts = read(path)
    assert facts.error is None
    assert facts.object is not None
    return facts.object


def _rows(table: SymbolTable | None) -> list[oracles.Row]:
    return [
        (s.name, s.binding.name, s.visibility.name, s.type.name, s.section, s.value, s.size, s.defined)
        for s in table or ()
    ]


@pytest.mark.parametrize("kind", [*LINKED, "object"])
def test_symbols_and_sections_of_one_file(built: dict[str, Path], kind: str) -> None:
    data = built[kind].read_bytes()
    found = _object(built[kind])
    assert _rows(found.symbols) == oracles.pyelftools_symbols(data, ".symtab")
    assert _rows(found.dynamic_symbols) == oracles.pyelftools_symbols(data, ".dynsym")
    assert [(s.name, s.size) for s in found.sections] == oracles.pyelftools_sections(data)


@pytest.mark.parametrize("target", TARGETS)
def test_other_classes_and_byte_orders(foreign: Callable[[str], Path], target: str) -> None:
    path = foreign(target)
    found = _object(path)
    assert (found.format, found.machine) == TARGETS[target]
    assert _rows(found.symbols) == oracles.pyelftools_symbols(path.read_bytes(), ".symtab")
    assert [(s.name, s.size) for s in found.sections] == oracles.pyelftools_sections(path.read_bytes())
    assert read(path, references=["inside"]).object.references["inside"][-1] == "outside"  # type: ignore[union-attr]


def test_every_member_of_a_static_library(built: dict[str, Path]) -> None:
    data = built["staticlib"].read_bytes()
    archive = read_bytes(data).archive
    assert archive is not None
    assert not [member for member in archive.members if member.error]
    tables = [member.object.symbols for member in archive.members if member.object]
    contents = list(oracles.members(data))
    assert len(tables) == len(contents) > 100
    for table, content in zip(tables, contents, strict=True):
        if table is not None:
            found = [(name, int(binding)) for name, binding in table.bindings()]
            assert found == oracles.lief_bindings(content)
            assert found == [(symbol.name, int(symbol.binding)) for symbol in table]


@pytest.mark.parametrize("kind", LINKED)
def test_what_the_loader_is_asked_for(built: dict[str, Path], kind: str) -> None:
    data = built[kind].read_bytes()
    found, other = _object(built[kind]), oracles.lief_dynamic(data)
    assert found.dynamic is not None
    assert found.dynamic.needed == other["needed"]
    assert found.interpreter == other["interpreter"]
    assert set(found.dynamic.versions_needed) == oracles.pyelftools_versions(data)
    assert [(s.name, s.version) for s in found.dynamic_symbols or ()] == other["versions"]


def test_the_index_of_a_static_library(built: dict[str, Path]) -> None:
    """The archiver lists each member's strong and weak definitions; so do the members' tables."""
    archive = read(built["staticlib"]).archive
    assert archive is not None
    defined = {
        symbol.name
        for member in archive.members
        for symbol in (member.object and member.object.symbols) or ()
        if symbol.defined and symbol.binding.name != "LOCAL"
    }
    assert archive.index is not None
    assert set(archive.index) == defined
