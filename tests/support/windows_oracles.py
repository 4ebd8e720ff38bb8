"""What LIEF, pefile and llvm-readobj find in files for Windows, in the shape of the facts."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lief
import pefile

Row = tuple[str, str, bool, str | None, int]
"""A symbol: name, binding, whether it is defined, its section, its value (the size of a common one)."""


def lief_symbols(data: bytes) -> list[Row]:
    """The symbols of an object but weak externals, which LIEF does not follow."""
    found: Any = lief.COFF.parse(list(data))  # held: LIEF's symbols must not outlive it
    sections = [_section_name(one) for one in found.sections]
    rows = []
    for one in found.symbols:
        kind, number, value = one.storage_class.name, one.section_idx, int(one.value)
        if kind in ("EXTERNAL", "STATIC", "LABEL"):
            binding = "GLOBAL" if kind == "EXTERNAL" else "LOCAL"
            section = sections[number - 1] if number > 0 else None
            rows.append((str(one.name), binding, number != 0 or value != 0, section, value))
    return rows


def lief_sections(data: bytes) -> list[tuple[str, int]]:
    """The name and the size of every section of an object."""
    found: Any = lief.COFF.parse(list(data))
    return [(_section_name(one), int(one.sizeof_raw_data)) for one in found.sections]


def _section_name(section: Any) -> str:
    return str(section.name if section.coff_string is None else section.coff_string.string)


@dataclass
class ImageFacts:
    """What pefile finds in an image."""

    exports: dict[str, int]  # addresses; 0 for a forwarder
    forwarders: dict[str, str]
    soname: str | None
    ordinals: dict[str, int]
    imports: dict[str, list[str]] = field(default_factory=dict)
    delayed: list[str] = field(default_factory=list)
    sections: list[tuple[str, int]] = field(default_factory=list)
    flags: tuple[bool, ...] = ()  # a dll, DYNAMIC_BASE, NX_COMPAT, has a TLS directory
    build_id: str | None = None


def pefile_facts(data: bytes) -> ImageFacts:
    """All that is compared of an image; its sections have short names only."""
    found: Any = pefile.PE(data=data, fast_load=True)
    wanted = ("EXPORT", "IMPORT", "DELAY_IMPORT", "TLS", "DEBUG")
    found.parse_data_directories([pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{one}"] for one in wanted])
    table = getattr(found, "DIRECTORY_ENTRY_EXPORT", None)
    exports = [one for one in table.symbols if one.address or one.forwarder] if table is not None else []
    names = [one.name.decode("latin-1") if one.name else f"#{one.ordinal}" for one in exports]
    facts = ImageFacts(
        {name: 0 if one.forwarder else one.address for name, one in zip(names, exports, strict=True)},
        {name: one.forwarder.decode() for name, one in zip(names, exports, strict=True) if one.forwarder},
        found.get_string_at_rva(table.struct.Name).decode() if table is not None else None,
        {one.name.decode("latin-1"): one.ordinal for one in exports if one.name},
    )
    normal = getattr(found, "DIRECTORY_ENTRY_IMPORT", [])
    delayed = getattr(found, "DIRECTORY_ENTRY_DELAY_IMPORT", [])
    for entry in (*normal, *delayed):
        names = [one.name.decode("latin-1") if one.name else f"#{one.ordinal}" for one in entry.imports]
        facts.imports.setdefault(entry.dll.decode(), []).extend(names)
    facts.delayed = list(dict.fromkeys(entry.dll.decode() for entry in delayed))
    for one in found.sections:
        facts.sections.append((one.Name.rstrip(b"\0").decode(), one.Misc_VirtualSize or one.SizeOfRawData))
    bits = found.OPTIONAL_HEADER.DllCharacteristics
    has_tls = hasattr(found, "DIRECTORY_ENTRY_TLS")
    facts.flags = (found.is_dll(), bool(bits & 0x40), bool(bits & 0x100), has_tls)
    for one in getattr(found, "DIRECTORY_ENTRY_DEBUG", []):
        record = one.entry
        if record is not None and getattr(record, "CvSignature", None) == b"RSDS":
            facts.build_id = record.Signature_String.lower()
    return facts


def readobj() -> str | None:
    """The newest llvm-readobj here."""
    tools = sorted(Path("/usr/lib").glob("llvm-*/bin/llvm-readobj"), key=lambda one: int(one.parts[3][5:]))
    return str(tools[-1]) if tools else shutil.which("llvm-readobj")


def readobj_version() -> int | None:
    """The version of LLVM that llvm-readobj is of; None if there is none."""
    tool = readobj()
    if tool is None:
        return None
    text = subprocess.run([tool, "--version"], capture_output=True, check=True, text=True).stdout
    found = re.search(r"LLVM version (\d+)", text)
    return int(found[1]) if found else 0


@dataclass
class ReadObj:
    """One file or member as llvm-readobj prints it: the fields of each block of a kind."""

    name: str
    format: str
    sections: list[dict[str, str]] = field(default_factory=list)
    symbols: list[dict[str, str]] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)  # the symbols of a short import
    directives: str = ""


_FIELD = re.compile(r"^\s+([A-Za-z ]+): ?(.*?)$")


def readobj_files(path: Path) -> list[ReadObj]:
    """What llvm-readobj shows of an object, an image, or of each member of an archive."""
    tool = readobj()
    assert tool is not None
    command = [tool, "--sections", "--symbols", "--file-headers", "--coff-directives", str(path)]
    done = subprocess.run(command, capture_output=True, check=True)
    found: list[ReadObj] = []
    block: dict[str, str] | None = None
    for line in done.stdout.decode("utf-8", "backslashreplace").splitlines():
        if line.startswith("File: "):
            found.append(ReadObj(line[6:], ""))
        elif line.startswith("Format: "):
            found[-1].format = line[8:]
        elif line.startswith("Directive(s): "):
            found[-1].directives = line[14:]
        elif line in ("  Section {", "  Symbol {"):
            block = {}
            (found[-1].sections if "Section" in line else found[-1].symbols).append(block)
        elif line.startswith("Symbol: "):
            found[-1].imported.append(line[8:])
        elif block is not None and (match := _FIELD.match(line)):
            block.setdefault(match[1].strip(), match[2])
    return found


def readobj_symbols(found: ReadObj) -> Iterator[Row]:
    """The symbols but files' names; weak externals as they stand in the table."""
    for one in found.symbols:
        kind, place = one["StorageClass"].split(" ")[0], one["Section"]
        number = int(place[place.rindex("(") + 1 : -1], 0)
        value = int(one["Value"])
        binding = {"External": "GLOBAL", "WeakExternal": "WEAK"}.get(kind, "LOCAL")
        if kind != "File":
            section = place[: place.rindex(" (")] if number > 0 else None
            yield one["Name"], binding, number != 0 or (kind == "External" and value != 0), section, value


def readobj_sections(found: ReadObj) -> list[tuple[str, int]]:
    """The name and the size of every section."""
    return [
        (one["Name"].rpartition(" (")[0], int(one["VirtualSize"], 0) or int(one["RawDataSize"]))
        for one in found.sections
    ]
