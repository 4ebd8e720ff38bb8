"""What a linked Mach-O file asks of dyld: its libraries, its exports and its imports.

Formats: Apple's <mach-o/loader.h>: `dylib_command`, `dylib_use_command`, `rpath_command`, `dyld_info_command`
and `linkedit_data_command`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from linkage.artifact.facts import Dynamic
from linkage.artifact.macho.bind_opcodes import (
    FLAT_LOOKUP,
    MAIN_EXECUTABLE,
    SELF,
    WEAK_LOOKUP,
    MachoImport,
    bound_imports,
)
from linkage.artifact.macho.file import MachoFile
from linkage.artifact.macho.imports import chained_imports, undefined_imports
from linkage.artifact.macho.names import source_name
from linkage.artifact.macho.numbers import (  # fmt: skip
    DYLIB_USE_DELAYED,
    DYLIB_USE_MARKER,
    DYLIB_USE_SIZE,
    DYLIB_USE_WEAK,
    LC_DYLD_CHAINED_FIXUPS,
    LC_DYLD_EXPORTS_TRIE,
    LC_DYLD_INFO,
    LC_DYLD_INFO_ONLY,
    LC_ID_DYLIB,
    LC_LAZY_LOAD_DYLIB,
    LC_LOAD_DYLIB,
    LC_LOAD_UPWARD_DYLIB,
    LC_LOAD_WEAK_DYLIB,
    LC_REEXPORT_DYLIB,
    LC_RPATH,
    MH_BINDATLOAD,
    MH_DSYM,
    MH_DYLDLINK,
    MH_OBJECT,
    S_ATTR_EXT_RELOC,
    S_ATTR_LOC_RELOC,
)
from linkage.artifact.macho.symbols import MachoSymbols
from linkage.artifact.macho.trie import REEXPORT, TrieExports, read_trie
from linkage.errors import ArtifactError

_LIBRARIES = (
    LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LAZY_LOAD_DYLIB, LC_LOAD_UPWARD_DYLIB,
)  # fmt: skip
_SPECIAL = {
    SELF: "this-image", MAIN_EXECUTABLE: "main-executable", FLAT_LOOKUP: "flat-namespace",
    WEAK_LOOKUP: "weak",
}  # fmt: skip
"""What `llvm-objdump --bind` calls the ordinals that are no library's."""
_INFO = ("bind", "weak bind", "lazy bind", "export")


@dataclass(frozen=True, slots=True)
class Linkage:
    """What dyld sees. `exports` is None if only the symbol table says what is exported."""

    libraries: tuple[str, ...]
    optional: tuple[str, ...]
    exports: TrieExports | None
    imports: Sequence[MachoImport]

    def library(self, ordinal: int) -> str:
        """The library of an ordinal, as load commands name it, or what a special ordinal is called."""
        if ordinal in _SPECIAL:
            return _SPECIAL[ordinal]
        if not 0 < ordinal <= len(self.libraries):
            raise ArtifactError(f"library {ordinal} of {len(self.libraries)} is referred to")
        return self.libraries[ordinal - 1]


def read_linkage(macho: MachoFile, symbols: MachoSymbols | None) -> Linkage | None:
    """What dyld sees of a linked file; None if dyld does not load it."""
    libraries = tuple(_names(macho, *_LIBRARIES))
    if macho.header.type in (MH_OBJECT, MH_DSYM) or not (macho.header.flags & MH_DYLDLINK or libraries):
        return None
    optional = tuple(_optional(macho))
    chained = _linkedit(macho, LC_DYLD_CHAINED_FIXUPS)
    trie = _linkedit(macho, LC_DYLD_EXPORTS_TRIE)
    info = _info(macho)
    if trie is None and info is not None:
        trie = info[3]
    imports: Iterable[MachoImport] = ()
    if chained:
        imports = chained_imports(macho, chained)
    elif info is not None:
        imports = _bound(info)
    elif chained is None and trie is None and symbols is not None:
        imports = undefined_imports(macho, symbols)
    exports = None if chained is None and trie is None else read_trie(bytes(trie or b""))
    own = set(() if exports is None else exports.names)
    # A weak definition of the file's own is looked up, too: another image may have replaced it.
    kept = [one for one in dict.fromkeys(imports) if one.ordinal != WEAK_LOOKUP or one.name not in own]
    return Linkage(libraries, optional, exports, kept)


def dynamic_facts(macho: MachoFile, linkage: Linkage, raw: Mapping[str, str]) -> Dynamic:
    """The facts of a file that dyld loads, whose `raw_names` these are."""
    imports: dict[str, dict[str, None]] = {}
    for one in linkage.imports:
        imports.setdefault(linkage.library(one.ordinal), {})[source_name(one.name, raw)] = None
    chained = macho.command(LC_DYLD_CHAINED_FIXUPS) is not None
    return Dynamic(
        needed=linkage.libraries,
        soname=next(_names(macho, LC_ID_DYLIB), None),
        runpath=tuple(_names(macho, LC_RPATH)),
        bind_now=chained or bool(macho.header.flags & MH_BINDATLOAD),
        text_relocations=any(
            one.flags & (S_ATTR_EXT_RELOC | S_ATTR_LOC_RELOC) and not one.writable for one in macho.sections
        ),
        optional=linkage.optional,
        imports={library: tuple(names) for library, names in imports.items()},
        forwarders=_forwarders(linkage, raw),
    )


def _forwarders(linkage: Linkage, raw: Mapping[str, str]) -> dict[str, str]:
    exports = linkage.exports or TrieExports()
    rows = zip(exports.names, exports.flags, exports.addresses, strict=True)
    return {
        source_name(name, raw): f"{linkage.library(ordinal)}:{_text(exports.originals.get(name, name))}"
        for name, flags, ordinal in rows
        if flags & REEXPORT
    }


def _names(macho: MachoFile, *commands: int) -> Iterator[str]:
    """The names in commands whose third number is the offset of one."""
    for command in macho.commands:
        if command.number in commands:
            yield macho.text(command.data, 8, f"load command {command.number:#x}")


def _optional(macho: MachoFile) -> Iterator[str]:
    """The libraries that may be missing, or that are not initialised before their first use."""
    for command in macho.commands:
        if command.number not in _LIBRARIES:
            continue
        what = f"load command {command.number:#x}"
        is_optional = command.number in (LC_LOAD_WEAK_DYLIB, LC_LAZY_LOAD_DYLIB)
        offset, marker = macho.numbers(command.data, "II", 8, what)
        if marker == DYLIB_USE_MARKER and offset == DYLIB_USE_SIZE:
            (flags,) = macho.numbers(command.data, "I", DYLIB_USE_SIZE - 4, what)
            is_optional = is_optional or bool(flags & (DYLIB_USE_WEAK | DYLIB_USE_DELAYED))
        if is_optional:
            yield macho.text(command.data, 8, what)


def _linkedit(macho: MachoFile, number: int) -> memoryview | None:
    """What a command refers to; None if there is no such command."""
    command = macho.command(number)
    if command is None:
        return None
    offset, size = macho.numbers(command, "II", 8, f"load command {number:#x}")
    return macho.part(offset, size, f"what load command {number:#x} refers to")


def _info(macho: MachoFile) -> tuple[memoryview, ...] | None:
    """The opcodes of LC_DYLD_INFO (bind, weak, lazy) and its export trie."""
    command = macho.command(LC_DYLD_INFO, LC_DYLD_INFO_ONLY)
    if command is None:
        return None
    places = macho.numbers(command, "8I", 16, "LC_DYLD_INFO")
    pairs = zip(places[0::2], places[1::2], _INFO, strict=True)
    return tuple(macho.part(offset, size, f"LC_DYLD_INFO's {what} data") for offset, size, what in pairs)


def _bound(info: Sequence[memoryview]) -> Iterator[MachoImport]:
    yield from bound_imports(bytes(info[0]))
    yield from bound_imports(bytes(info[2]), lazy=True)
    yield from bound_imports(bytes(info[1]), weak_lookup=True)


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
