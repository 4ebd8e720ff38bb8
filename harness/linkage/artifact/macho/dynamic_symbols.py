"""The symbols that dyld sees as a packed table: exports are defined, imports are not."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from linkage.artifact.macho.bind_opcodes import WEAK_LOOKUP, MachoImport
from linkage.artifact.macho.dynamic import Linkage
from linkage.artifact.macho.file import MachoFile
from linkage.artifact.macho.names import NameColumn
from linkage.artifact.macho.numbers import N_EXT, N_PEXT
from linkage.artifact.macho.packed import ELSEWHERE, packed_symbols
from linkage.artifact.macho.symbols import MachoSymbols, is_defined, section_symbol_type
from linkage.artifact.macho.trie import ABSOLUTE, KIND, REEXPORT, RESOLVER, THREAD_LOCAL, WEAK, TrieExports
from linkage.artifact.tables import SHN_ABS, Binding, SectionTable, SymbolTable, SymbolType

_ADDRESS_MASK = (1 << 64) - 1
_NOWHERE = SymbolType.NOTYPE | ELSEWHERE << 16


class DynamicSymbols:
    """Exports and imports as columns. `names` may be changed before the table is made."""

    def __init__(self, macho: MachoFile, linkage: Linkage, symbols: MachoSymbols | None) -> None:
        self._macho = macho
        self._symbols = symbols
        imports = _by_name(linkage.imports)
        exported = [] if linkage.exports is None else linkage.exports.names
        if linkage.exports is None and symbols is not None:
            self._chosen = [index for index, word in enumerate(symbols.words) if _is_exported(word)]
            strings, offsets = symbols.names.strings, symbols.raw_offsets
            starts = [offsets[index] for index in self._chosen]
            exported = [strings[at : strings.index(b"\0", at)] for at in starts]
        self._exports = linkage.exports
        self._imports = list(imports.values())
        names = [*exported, *imports]
        strings = b"\0" + b"\0".join(names) + b"\0"
        starts = list(accumulate((len(name) + 1 for name in names), initial=1))[:-1]
        self.names = NameColumn.of(strings, starts, "a dynamic symbol")

    def table(self, sections: SectionTable) -> SymbolTable:
        """The packed table: the exports, then the imports."""
        words, values = array("I"), array("Q")
        if self._exports is not None:
            self._add_exports(self._exports, words, values)
        elif self._symbols is not None:
            exported = self._symbols.table(sections)
            for index in self._chosen:
                _, info, other, section, value, _ = exported.RECORD.unpack_from(
                    exported.records, index * exported.RECORD.size
                )
                words.append(info | other << 8 | section << 16)
                values.append(value)
        words.extend((Binding.WEAK if one.weak else Binding.GLOBAL) << 4 for one in self._imports)
        values.extend([0] * len(self._imports))
        return packed_symbols(self.names, words, values, array("Q", bytes(8 * len(words))), sections)

    def _add_exports(self, exports: TrieExports, words: "array[int]", values: "array[int]") -> None:
        bounds, kinds = _places(self._macho)
        base = self._macho.base
        addresses = [base + address & _ADDRESS_MASK for address in exports.addresses]
        found = [kinds[bisect_right(bounds, address)] | Binding.GLOBAL << 4 for address in addresses]
        for index in (index for index, flags in enumerate(exports.flags) if flags):
            flags, address = exports.flags[index], exports.addresses[index]
            word, addresses[index] = _special(flags, found[index] & ~0xF0, address, addresses[index])
            found[index] = word | (Binding.WEAK if flags & WEAK else Binding.GLOBAL) << 4
        words.extend(found)
        values.extend(addresses)


def _special(flags: int, word: int, address: int, value: int) -> tuple[int, int]:
    """The type and section, and the value, of an export that is not simply at an address."""
    if flags & REEXPORT:
        return _NOWHERE, 0
    if flags & KIND == ABSOLUTE:
        return SymbolType.NOTYPE | SHN_ABS << 16, address
    section = word & ~0xF
    if flags & KIND == THREAD_LOCAL:
        return section | SymbolType.TLS, value
    return (section | SymbolType.IFUNC if flags & RESOLVER else word), value


def _places(macho: MachoFile) -> tuple[list[int], list[int]]:
    """Where sections begin and end, and what is there: type and section index of each stretch.

    The stretch before the first bound is the first one. What is in no section is the header, say.
    """
    bounds, kinds = list[int](), [_NOWHERE]
    placed = sorted(
        (one.address, number, one.size) for number, one in enumerate(macho.sections, 1) if one.size
    )
    for address, number, size in placed:
        bounds += [address, address + size]
        kinds += [section_symbol_type(macho, number) | number << 16, _NOWHERE]
    return bounds, kinds


def _is_exported(word: int) -> bool:
    return bool(word & N_EXT and not word & N_PEXT and is_defined(word))


def _by_name(imports: Iterable[MachoImport]) -> dict[bytes, MachoImport]:
    """Each imported name once; it may be missing only if all that import it say so.

    The lookup of weak definitions does not say it: it is another binding of a name that is bound anyway.
    """
    found: dict[bytes, MachoImport] = {}
    for one in imports:
        if one.name not in found or not (one.weak or one.ordinal == WEAK_LOOKUP):
            found[one.name] = one
    return found
