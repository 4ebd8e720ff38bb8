"""What `linkage inspect` shows of an artifact, as plain data: for `--json`, and selected for the tables."""

import fnmatch
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from linkage.artifact import demangle, demangled_path
from linkage.artifact.facts import (
    Archive,
    ArchiveMember,
    Binding,
    Bitcode,
    Facts,
    ObjectFile,
    Section,
    Symbol,
    SymbolType,
    Visibility,
)

FORMAT = 1
"""Of the JSON; incremented when the meaning of a key changes or a key is removed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which symbols the user asked for; all if no option is given."""

    pattern: str | None = None
    """A glob over raw names, with and without their versions, whole demangled names and demangled paths."""
    undefined: bool = False
    exports: bool = False

    @property
    def narrow(self) -> bool:
        """Whether the user asked only for some symbols."""
        return self.pattern is not None or self.undefined or self.exports

    def chosen(self, symbols: Iterable[Symbol], *, linked: bool) -> Iterator[Symbol]:
        """The selected symbols of a table; `linked`: it is the dynamic table of a linked file."""
        for symbol in symbols:
            if symbol.type in (SymbolType.SECTION, SymbolType.FILE) or not symbol.name:
                continue
            if self._state(symbol, linked=linked) and self._named(symbol):
                yield symbol

    def _state(self, symbol: Symbol, *, linked: bool) -> bool:
        if not (self.undefined or self.exports):
            return True
        return (self.undefined and not symbol.defined) or (
            self.exports and symbol.defined and (linked or _for_others(symbol))
        )

    def _named(self, symbol: Symbol) -> bool:
        if self.pattern is None:
            return True
        name = symbol.name
        return any(
            fnmatch.fnmatchcase(spelling, self.pattern)
            for spelling in (name, symbol.versioned, demangled_path(name), demangle(name))
        )


def _for_others(symbol: Symbol) -> bool:
    """Whether an object's symbol can be exported by the output that it is linked into."""
    return symbol.binding is not Binding.LOCAL and symbol.visibility not in (
        Visibility.HIDDEN,
        Visibility.INTERNAL,
    )


def exported_table(found: ObjectFile) -> bool:
    """Whether `--exports` is about the dynamic table: an object that is not linked has none."""
    return found.dynamic_symbols is not None


def tables(found: ObjectFile | Bitcode, selection: Selection) -> Iterator[tuple[str, list[Symbol] | None]]:
    """The symbol tables that the user asked for, by name; None for one that the file lacks."""
    if isinstance(found, Bitcode):
        table = found.symbols
        yield "symbols", None if table is None else list(selection.chosen(table, linked=False))
        return
    linked = exported_table(found)
    if linked:
        yield "dynamic_symbols", list(selection.chosen(found.dynamic_symbols or (), linked=True))
    if linked and selection.exports and not selection.pattern:
        return
    table = found.symbols
    yield "symbols", None if table is None else list(selection.chosen(table, linked=False))


def place(symbol: Symbol) -> str:
    """Where a symbol is, in readelf's words: its section, UND, ABS, COMMON; `?` if the section is missing."""
    if not symbol.defined:
        return "UND"
    if symbol.absolute:
        return "ABS"
    return symbol.section or ("COMMON" if symbol.type is SymbolType.COMMON else "?")


def file_data(name: str, facts: Facts, selection: Selection) -> dict[str, Any]:
    """One file's entry in the JSON."""
    data: dict[str, Any] = {
        "file": name,
        "kind": facts.kind,
        "size": facts.size,
        "digest": facts.digest,
        "error": facts.error,
    }
    if facts.object is not None:
        data["object"] = _object(facts.object, selection)
    if facts.archive is not None:
        data["archive"] = _archive(facts.archive, selection)
    if facts.bitcode is not None:
        data["bitcode"] = _bitcode(facts.bitcode, selection)
    if facts.other is not None:
        data["format"] = facts.other.format
    if facts.metadata is not None:
        data["metadata"] = asdict(facts.metadata)
    return data


def _object(found: ObjectFile, selection: Selection) -> dict[str, Any]:
    data: dict[str, Any] = {
        "format": found.format,
        "machine": found.machine,
        "type": found.type.value,
        "pie": found.pie,
        "relro": found.relro.value,
        "interpreter": found.interpreter,
        "executable_stack": found.executable_stack,
        "gnu_properties": list(found.properties),
        "build_id": found.build_id,
        "debug_file": found.debug_file,
        "init_array": found.init_array,
        "fini_array": found.fini_array,
        "tls": found.tls,
        "dynamic": None if found.dynamic is None else asdict(found.dynamic),
        "bitcode": None if found.bitcode is None else _bitcode(found.bitcode, selection),
        "metadata": None if found.metadata is None else asdict(found.metadata),
        "references": {name: list(names) for name, names in found.references.items()},
        "name_prefix": found.name_prefix,
        "raw_names": dict(found.raw_names),
        "linker_options": list(found.linker_options),
    }
    for name, symbols in tables(found, selection):
        data[name] = None if symbols is None else [_symbol(symbol) for symbol in symbols]
    if not selection.narrow:
        data["sections"] = [_section(section) for section in found.sections]
    return data


def _bitcode(found: Bitcode, selection: Selection) -> dict[str, Any]:
    table = found.symbols
    symbols = None if table is None else [_symbol(one) for one in selection.chosen(table, linked=False)]
    return {"form": found.form, "size": found.size, "producer": found.producer, "symbols": symbols}


def _symbol(symbol: Symbol) -> dict[str, Any]:
    return {
        "name": symbol.name,
        "demangled": demangle(symbol.name),
        "binding": symbol.binding.name.lower(),
        "visibility": symbol.visibility.name.lower(),
        "type": symbol.type.name.lower(),
        "defined": symbol.defined,
        "absolute": symbol.absolute,
        "section": symbol.section,
        "value": symbol.value,
        "size": symbol.size,
        "version": symbol.version,
        "default_version": symbol.default_version,
        "comdat": symbol.comdat,
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "size": section.size,
        "type": section.type,
        "flags": section.flags,
        "compressed": section.compressed,
    }


def _archive(archive: Archive, selection: Selection) -> dict[str, Any]:
    return {
        "flavour": archive.flavour,
        "thin": archive.thin,
        "index": None if archive.index is None else list(archive.index),
        "members": [_member(member, selection) for member in archive.members],
    }


def _member(member: ArchiveMember, selection: Selection) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": member.name,
        "kind": member.kind,
        "size": member.size,
        "crate": member.crate,
        "error": member.error,
        "unread": member.unread,
    }
    if member.object is not None:
        data["object"] = _object(member.object, selection)
    elif member.bitcode is not None:
        data["bitcode"] = _bitcode(member.bitcode, selection)
    elif member.metadata is not None:
        data["metadata"] = asdict(member.metadata)
    return data
