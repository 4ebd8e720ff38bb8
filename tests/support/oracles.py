"""What LIEF and pyelftools find, in the shape of the facts, to compare with."""

import io
from collections.abc import Iterator
from typing import Any

import lief
from elftools.elf.elffile import ELFFile

Row = tuple[Any, ...]


def pyelftools_symbols(data: bytes, section: str) -> list[Row]:
    """Every symbol but the null symbol: name, binding, visibility, type, section, value, size."""
    elf = ELFFile(io.BytesIO(data))
    table = elf.get_section_by_name(section)
    names = [one.name for one in elf.iter_sections()]
    return [] if table is None else list(_rows(table, names))


def _rows(table: Any, names: list[str]) -> Iterator[Row]:
    for index, symbol in enumerate(table.iter_symbols()):
        if index:
            place = symbol["st_shndx"]
            yield (
                table.stringtable.get_string(symbol["st_name"]),
                symbol["st_info"]["bind"].removeprefix("STB_").replace("LOOS", "UNIQUE"),
                symbol["st_other"]["visibility"].removeprefix("STV_"),
                symbol["st_info"]["type"].removeprefix("STT_").replace("LOOS", "IFUNC"),
                names[place] if isinstance(place, int) else None,
                symbol["st_value"],
                symbol["st_size"],
                place != "SHN_UNDEF",
            )


def pyelftools_sections(data: bytes) -> list[Row]:
    """Every section but the null section: name and size."""
    return [(one.name, one["sh_size"]) for one in ELFFile(io.BytesIO(data)).iter_sections()][1:]


def pyelftools_versions(data: bytes) -> set[str]:
    """Versions needed, `library:version`."""
    table: Any = ELFFile(io.BytesIO(data)).get_section_by_name(".gnu.version_r")
    return {f"{need.name}:{one.name}" for need, names in table.iter_versions() for one in names}


def lief_bindings(data: bytes) -> list[tuple[str, int]]:
    """Names and bindings of the static symbols, the null symbol left out."""
    binary: Any = lief.ELF.parse(data)  # held: LIEF's symbols must not outlive it
    return [(str(one.name), int(one.binding)) for one in binary.symtab_symbols][1:]


def lief_dynamic(data: bytes) -> dict[str, Any]:
    """Libraries, interpreter and position independence; the versions of the dynamic symbols."""
    binary: Any = lief.ELF.parse(data)
    versions = []
    for symbol in list(binary.dynamic_symbols)[1:]:
        version = symbol.symbol_version
        auxiliary = version.symbol_version_auxiliary if version is not None else None
        versions.append((str(symbol.name), None if auxiliary is None else str(auxiliary.name)))
    return {
        "needed": tuple(map(str, binary.libraries)),
        "interpreter": str(binary.interpreter) if binary.has_interpreter else None,
        "versions": versions,
    }


def members(data: bytes) -> Iterator[bytes]:
    """The ELF members of a GNU archive, found by nothing but their headers' sizes."""
    at = 8
    while at < len(data):
        size = int(data[at + 48 : at + 58])
        content = data[at + 60 : at + 60 + size]
        if content.startswith(b"\x7fELF"):
            yield content
        at += 60 + size + size % 2
