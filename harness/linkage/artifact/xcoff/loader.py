"""The loader section of a linked file: what it imports, from where, and what it exports.

Format: "XCOFF Object File Format", "Loader Section (loader.h)".
"""

import struct
from dataclasses import dataclass

from linkage.artifact.bounds import string, take
from linkage.artifact.facts import Dynamic
from linkage.artifact.tables import SHN_ABS, Binding, SymbolTable, SymbolType
from linkage.artifact.xcoff.file import XcoffFile
from linkage.artifact.xcoff.numbers import (  # fmt: skip
    L_EXPORT,
    L_IMPORT,
    L_WEAK,
    STYP_LOADER,
    XMC_DS,
    XMC_GL,
    XMC_PR,
    XMC_TL,
    XMC_UL,
    XMC_XO,
)
from linkage.errors import ArtifactError

_HEADER32, _HEADER64 = struct.Struct(">8I"), struct.Struct(">6I4Q")
_SYMBOL32, _SYMBOL64 = struct.Struct(">8sIhBBII"), struct.Struct(">QIhBBII")
_PLAIN_NAME = b"\0\0\0\0"
_TYPES = {
    **dict.fromkeys((XMC_PR, XMC_DS, XMC_GL, XMC_XO), SymbolType.FUNC),
    **dict.fromkeys((XMC_TL, XMC_UL), SymbolType.TLS),
}
_FILE_LIMIT = 1 << 16
_TEXT_LIMIT = 1 << 24  # bytes of symbols' names; the largest libraries have a few millions


@dataclass(frozen=True, slots=True)
class LoaderHeader:
    """Where the parts of the section are in it, and how many entries they have."""

    symbols: int
    symbols_at: int
    files: int
    files_at: int
    files_size: int
    strings_at: int
    strings_size: int


def read_loader(xcoff: XcoffFile) -> tuple[SymbolTable | None, Dynamic | None]:
    """The loader's symbols that are imported or exported, and the libraries; None without the section."""
    section = xcoff.section(STYP_LOADER)
    if section is None:
        return None, None
    loader = _Loader(xcoff, xcoff.content(section))
    symbols = loader.read()
    files = loader.files
    dynamic = Dynamic(
        needed=tuple(dict.fromkeys(files[1:])),
        runpath=tuple(files[0].split(":")) if files and files[0] else (),
        imports={file: tuple(names) for file, names in loader.imports.items()},
    )
    return symbols, dynamic


class _Loader:
    """The section's parts."""

    def __init__(self, xcoff: XcoffFile, data: memoryview) -> None:
        self._xcoff = xcoff
        self._data = data
        self._wide = xcoff.header.wide
        self._header = header = _header(data, wide=self._wide)
        self.files = _files(data, header)
        self.imports: dict[str, list[str]] = {}
        strings = take(data, header.strings_at, header.strings_size, "loader section's strings")
        self._strings = bytes(strings) + b"\0"
        self._short_names: list[bytes] = []
        self._end = len(self._strings)
        self._budget = _TEXT_LIMIT

    def read(self) -> SymbolTable:
        """The symbols; those that are imported are in `imports` afterwards."""
        layout = _SYMBOL64 if self._wide else _SYMBOL32
        size = self._header.symbols * layout.size
        raw = take(self._data, self._header.symbols_at, size, "loader section's symbols")
        records: list[int] = []
        for first, second, number, kind, mapping, file, _ in layout.iter_unpack(raw):
            if kind & (L_IMPORT | L_EXPORT):
                name, text = self._name(first, second)
                info = (Binding.WEAK if kind & L_WEAK else Binding.GLOBAL) << 4
                info |= _TYPES.get(mapping, SymbolType.OBJECT)
                if kind & L_IMPORT:
                    self._import(file, text)
                    records += (name, info, 0, 0, 0, 0)
                else:
                    records += (name, info, 0, self._place(number), first if self._wide else second, 0)
        count, names = len(records) // 6, self._strings + b"".join(self._short_names)
        sections = self._xcoff.table
        packed = struct.pack("<" + "IBBHQQ" * count, *records)
        return SymbolTable(names, packed, sections.name_offsets, sections.names)

    def _name(self, first: bytes, second: int) -> tuple[int, str]:
        """A name's offset in the table of names, and the name."""
        if not self._wide and not first.startswith(_PLAIN_NAME):
            name, at = first.split(b"\0", 1)[0], self._end
            self._short_names.append(name + b"\0")
            self._end += len(name) + 1
            return at, name.decode(errors="backslashreplace")
        offset = second if self._wide else int.from_bytes(first[4:], "big")
        text = string(self._strings, offset, "loader section")
        self._budget -= len(text)
        if self._budget < 0:  # names may overlap: without a limit a small file has gigabytes of them
            raise ArtifactError(f"loader section: more than {_TEXT_LIMIT} bytes of names")
        return offset, text

    def _import(self, file: int, name: str) -> None:
        if file >= max(len(self.files), 1):
            raise ArtifactError(f"loader section: a symbol is imported from file {file} of {len(self.files)}")
        self.imports.setdefault(self.files[file] if file else "", []).append(name)

    def _place(self, section: int) -> int:
        count = len(self._xcoff.sections)
        if section > count:
            raise ArtifactError(f"loader section: a symbol is in section {section} of {count}")
        return section if section > 0 else SHN_ABS


def _header(data: memoryview, *, wide: bool) -> LoaderHeader:
    layout = _HEADER64 if wide else _HEADER32
    fields = layout.unpack(take(data, 0, layout.size, "loader section's header"))
    if wide:
        _, symbols, _, files_size, files, strings_size, files_at, strings_at, symbols_at, _ = fields
    else:
        _, symbols, _, files_size, files, files_at, strings_size, strings_at = fields
        symbols_at = layout.size
    return LoaderHeader(symbols, symbols_at, files, files_at, files_size, strings_at, strings_size)


def _files(data: memoryview, header: LoaderHeader) -> list[str]:
    """The search path, then the files: `libc.a(shr_64.o)` is a member of an archive."""
    raw = bytes(take(data, header.files_at, header.files_size, "loader section's import files"))
    parts = raw.decode(errors="backslashreplace").split("\0")
    if header.files > _FILE_LIMIT or 3 * header.files > len(parts):
        raise ArtifactError(f"loader section: it declares {header.files} import files, but names fewer")
    found = []
    for index in range(header.files):
        path, base, member = parts[3 * index : 3 * index + 3]
        found.append(path if not index else f"{base}({member})" if member else base)
    return found
