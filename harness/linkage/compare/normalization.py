"""From an artifact's facts to what is compared. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from linkage.artifact.facts import (
    Archive,
    ArchiveMember,
    Binding,
    Facts,
    ObjectFile,
    ObjectType,
    SectionTable,
    SymbolTable,
    SymbolType,
    Visibility,
)
from linkage.artifact.foreign import LINKABLE
from linkage.artifact.request import COMMENT
from linkage.artifact.tables import SHN_ABS, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX
from linkage.compare.model import ComparedArtifact, ComparedMember, CrateTables
from linkage.compare.model import Table as NameTable
from linkage.compare.names import RUNTIME, Namer, is_anonymous, scheme
from linkage.compare.noise_filters import MEMBER, TEXT, NoiseFilters, without_noise
from linkage.judge.view import Table, View

_KINDS = (
    ".text.unlikely", ".text.hot", ".text.startup", ".text", ".rodata", ".data.rel.ro", ".data", ".bss",
    ".tdata", ".tbss", ".eh_frame", ".gcc_except_table", ".init_array", ".fini_array", ".ctors", ".dtors",
    ".debug", ".note", ".comment", ".group", ".rela", ".rel",
)  # fmt: skip
_VARIABLES = ("OBJECT", "TLS")
_METADATA = "rust_metadata_"
_NAMELESS = (SymbolType.SECTION, SymbolType.FILE)
_POOLED = re.compile(r"\.rodata\.(cst\d+|str\d+\.\d+)")
"""Sections that the linker merges: named after their content, not after a symbol."""


class Normalizer:
    """Normalizes facts by the filters of one comparison; caches what many artifacts share."""

    def __init__(self, filters: NoiseFilters) -> None:
        self.filters = filters
        self.namer = Namer(filters)
        # Every staticlib has the same members of std.
        self._member = lru_cache(maxsize=1 << 14)(self._read_member)
        self._part = lru_cache(maxsize=1 << 9)(self._read_part)
        self._artifact = lru_cache(maxsize=1 << 6)(self._read)

    def artifact(self, facts: Facts, text: str | None = None) -> ComparedArtifact:
        """What is compared of a file; `text` is its text without the toolchain's folder."""
        return self._artifact(_FactsKey(facts), text)

    def _read(self, same: "_FactsKey", text: str | None) -> ComparedArtifact:
        facts = same.facts
        if facts.error is not None:
            return ComparedArtifact(facts.kind, facts.size, facts.digest, error=facts.error)
        return replace(self._readable(facts, text), unread=_unread(facts))

    def _readable(self, facts: Facts, text: str | None) -> ComparedArtifact:
        if facts.object is not None:
            return self._object(facts, facts.object)
        if facts.archive is not None:
            return self._archive(facts, facts.archive)
        plain: dict[str, str] = {}
        if facts.bitcode is not None:
            plain = {"bitcode": facts.bitcode.form, **self._version(facts.bitcode.producer)}
        if facts.metadata is not None:
            plain = {"metadata": "yes", **self._version(facts.metadata.rustc)}
        table = facts.bitcode.symbols if facts.bitcode is not None else None
        return ComparedArtifact(
            facts.kind,
            facts.size,
            facts.digest,
            plain=plain,
            parts={} if table is None else {"": self._read_part((table,), ())},
            text=None if text is None else without_noise(text, TEXT, self.filters),
        )

    def _version(self, text: str | None) -> dict[str, str]:
        return {} if self.filters.on("version") else {"written by": text or "?"}

    def _object(self, facts: Facts, found: ObjectFile) -> ComparedArtifact:
        tables = (found.symbols,) if found.symbols is not None else ()
        part = self._read_part(tables, (found.sections,))
        plain = {
            "format": found.format,
            "machine": found.machine,
            "type": found.type.value,
            "position-independent": _said(found.pie),
            "relro": found.relro.value,
            "interpreter": found.interpreter or "none",
            "symbol table": _said(found.symbols is not None),
            "bitcode": found.bitcode.form if found.bitcode else "none",
            "metadata": _said(found.metadata is not None),
            "executable stack": "unknown"
            if found.executable_stack is None
            else _said(found.executable_stack),
            "GNU properties": ", ".join(found.properties) or "none",
            "build id": _said(found.build_id),
            "init array": str(found.init_array),
            "fini array": str(found.fini_array),
            "thread-local storage": _said(found.tls),
        }
        for record in (found.bitcode and found.bitcode.producer, found.metadata and found.metadata.rustc):
            plain |= self._version(record) if record else {}
        lists: dict[str, tuple[str, ...]] = {}
        if found.dynamic is not None:
            plain["soname"] = self._file(found.dynamic.soname or "none")
            plain["bind-now"] = _said(found.dynamic.bind_now)
            plain["text relocations"] = _said(found.dynamic.text_relocations)
            lists["needed"] = tuple(map(self._file, found.dynamic.needed))
            lists["runpath"] = found.dynamic.runpath
            lists["rpath"] = found.dynamic.rpath
            lists["symbol version"] = tuple(sorted(found.dynamic.versions_needed))
            lists["defined version"] = tuple(sorted(found.dynamic.versions_defined))
            lists["optional library"] = tuple(map(self._file, found.dynamic.optional))
            lists["forwarder"] = tuple(
                sorted(f"{self.namer(name)} → {to}" for name, to in found.dynamic.forwarders.items())
            )
            lists["imported from"] = tuple(
                sorted(
                    f"{self._file(library)}: {self.namer(name)}"
                    for library, names in found.dynamic.imports.items()
                    for name in names
                )
            )
        lists["linker option"] = self._linker_options([found])
        plain |= self._ordered(found)
        dynamic = found.dynamic_symbols
        return ComparedArtifact(
            facts.kind,
            facts.size,
            facts.digest,
            plain=plain,
            lists=lists,
            exports=None if dynamic is None else self._dynamic(dynamic, defined=True),
            imports=None if dynamic is None else self._dynamic(dynamic, defined=False),
            parts={"": part},
            references=self._references([found]),
            comment=found.contents.get(COMMENT, b"").replace(b"\0", b"\n").decode(errors="backslashreplace"),
        )

    def _ordered(self, found: ObjectFile) -> dict[str, str]:
        if self.filters.on("order"):
            return {}
        names = [row[0] for table in (found.symbols,) if table is not None for row in _rows(table)]
        return {
            "order of symbols": " ".join(map(self.namer, names)),
            "order of sections": " ".join(section.name for section in found.sections),
        }

    def _linker_options(self, objects: Iterable[ObjectFile]) -> tuple[str, ...]:
        """What the crate's own objects ask of the linker, each once."""
        return tuple(sorted({self._file(option) for one in objects for option in one.linker_options}))

    def _file(self, name: str) -> str:
        return without_noise(name, TEXT, self.filters)

    def _dynamic(self, table: SymbolTable, *, defined: bool) -> NameTable:
        found: Counter[tuple[str, str]] = Counter()
        for index, (name, value, local, is_defined, size) in enumerate(_rows(table)):
            if is_defined != defined or local:
                continue
            version = _version_of(table, index, name, defined=defined)
            # Programs that use a library's variable by its name have a copy of it, of this size.
            is_variable = defined and value.startswith(_VARIABLES) and not scheme(name)
            bytes_ = f" {size} bytes" if is_variable and not name.startswith(_METADATA) else ""
            found[self.namer(name), f"{value}{bytes_} {version}".rstrip()] += 1
        return _table(found)

    def _archive(self, facts: Facts, found: Archive) -> ComparedArtifact:
        members = tuple(self._one(member) for member in found.members)
        by_crate: dict[str, list[ArchiveMember]] = {}
        for member in found.members:
            if member.object is not None or member.bitcode is not None:
                by_crate.setdefault(member.crate or "", []).append(member)
        parts = {
            crate: self._part(
                tuple(table for one in held if (table := _symbols(one)) is not None),
                tuple(one.object.sections for one in held if one.object is not None),
            )
            for crate, held in by_crate.items()
        }
        own = [
            one.object
            for crate, held in by_crate.items()
            if crate not in RUNTIME
            for one in held
            if one.object is not None
        ]
        index = None if found.index is None else frozenset(map(self.namer, found.index))
        return ComparedArtifact(
            facts.kind,
            facts.size,
            facts.digest,
            plain={
                "flavour": found.flavour,
                "thin": _said(found.thin),
                "index": _said(found.index is not None),
            },
            lists={"linker option": self._linker_options(own)},
            parts=parts,
            members=members,
            index=index,
            references=self._references(own),
        )

    def _one(self, member: ArchiveMember) -> ComparedMember:
        return self._member(member.name, _kind(member), member.crate, _symbols(member), member.size)

    def _read_member(
        self, name: str, kind: str, crate: str | None, table: SymbolTable | None, size: int
    ) -> ComparedMember:
        names = {self.namer(row[0]) for row in _rows(table) if not row[2]} if table is not None else set()
        return ComparedMember(without_noise(name, MEMBER, self.filters), kind, crate, frozenset(names), size)

    def _read_part(self, tables: Sequence[SymbolTable], sections: Sequence[SectionTable]) -> CrateTables:
        symbols: Counter[tuple[str, str]] = Counter()
        private: Counter[tuple[str, str]] = Counter()
        sizes: Counter[str] = Counter()
        schemes: set[str | None] = set()
        for table in tables:
            for name, value, local, _, size in _rows(table, shorten=self.filters.on("section-name")):
                plain = self.namer(name)
                schemes.add(scheme(name))
                (private if local else symbols)[plain, value] += 1
                if local:
                    sizes[plain] += size
        if self.filters.on("codegen-unit"):  # how many units refer to a symbol, or hold a copy of it
            symbols = Counter(dict.fromkeys(symbols, 1))
        found = Counter(
            (self._section(one.name), f"{one.type} {one.flags}".rstrip()) for each in sections for one in each
        )
        content = _table(symbols), _table(private), _table(found)
        return CrateTables(*content, frozenset(filter(None, schemes)), sizes)

    def _section(self, name: str) -> str:
        return section_kind(name) if self.filters.on("section-name") else name

    def _references(self, objects: Iterable[ObjectFile]) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for one in objects:
            for function, targets in one.references.items():
                names = {name for target in targets if not is_anonymous(name := self.namer(target))}
                found.setdefault(self.namer(function), set()).update(names)
        return {name: frozenset(targets) for name, targets in found.items()}


class _FactsKey:
    """Facts, hashed and compared by the file's digest."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._key = (facts.kind, facts.size, facts.digest, facts.error, _referred(facts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _FactsKey) and bool(self.facts.digest) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _referred(facts: Facts) -> tuple[bytes, ...]:
    """What a thin archive's members are, which are not part of the file."""
    archive = facts.archive
    return archive.members.packed if archive is not None and archive.thin else ()


def _unread(facts: Facts) -> str | None:
    """Why not all that linkers see in a file has been read."""
    if facts.other is not None and facts.other.format not in LINKABLE:
        return None
    found = facts.object
    if found is not None and found.type is ObjectType.RELOCATABLE and found.symbols is None:
        return "an object file without a symbol table"
    return None if facts.kind in ("empty", "metadata") else View(facts).unseen(Table.SYMBOLS)


def _symbols(member: ArchiveMember) -> SymbolTable | None:
    if member.object is not None:
        return member.object.symbols
    return member.bitcode.symbols if member.bitcode is not None else None


def section_kind(name: str) -> str:
    """A section's name without its symbol: `.text.foo` becomes `.text.*`."""
    for kind in () if name in _KINDS else _KINDS:
        if name.startswith(f"{kind}.") and kind not in (".note", ".debug"):
            if kind in (".rela", ".rel"):
                return kind + section_kind(name[len(kind) :])
            return name if _POOLED.fullmatch(name) else f"{kind}.*"
    return name or "(nameless)"


def _place(name: str) -> str:
    """The kind of a symbol's section."""
    kind = next((kind for kind in _KINDS if name == kind or name.startswith(f"{kind}.")), name)
    return ".text" if kind.startswith(".text.") else kind


def _kind(member: ArchiveMember) -> str:
    if member.error is not None:
        return "not read"
    with_ = [what for what in ("bitcode", "metadata") if getattr(member, what) is not None]
    if member.object is not None:
        return " with ".join(["object", *([" and ".join(with_)] if with_ else [])])
    return " and ".join(with_) or member.unread or "other"


def _said(value: object) -> str:
    return "yes" if value else "no"


def _table(found: Counter[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for (name, value), count in found.items():
        table.setdefault(name, []).extend([value] * count)
    return {name: tuple(sorted(values)) for name, values in table.items()}


def _version_of(table: SymbolTable, index: int, name: str, *, defined: bool) -> str:
    """A symbol's version: what is needed, or what is defined with `@@` if it is the default one."""
    if not table.versions:
        return ""
    number = int.from_bytes(table.version_indexes[index * 2 : index * 2 + 2], "little")
    plain = number & ~SymbolTable.VERSION_HIDDEN
    version = table.versions[plain] if plain < len(table.versions) else ""
    if not defined or not version:
        return version
    return "" if name == version else f"{'@@' if plain == number else '@'}{version}"


_Row = tuple[str, str, bool, bool, int]
"""Name, readelf's columns, whether it is local, whether it is defined, size."""


def _rows(table: SymbolTable, *, shorten: bool = True) -> Iterator[_Row]:
    """A table's symbols, without section, file and nameless symbols."""
    places: dict[int, str] = {}
    values: dict[tuple[int, int, str], tuple[str, bool]] = {}
    names, find = table.names, table.names.index
    for index, (offset, info, other, section, _, size) in enumerate(table.RECORD.iter_unpack(table.records)):
        kind = info & 15
        end = find(b"\0", offset)
        if end == offset or kind in _NAMELESS:
            continue
        at = section
        if section == SHN_XINDEX or section < SHN_LORESERVE:
            at = table.section_index(index) or 0 if section == SHN_XINDEX else section
        place = places.get(at)
        if place is None:
            place = places[at] = _place_of(table, at, shorten=shorten)
        key = (info, other & 3, place)
        known = values.get(key)
        if known is None:
            known = values[key] = (_words(info, other & 3, place), info >> 4 == Binding.LOCAL)
        name = names[offset:end].decode(errors="backslashreplace")
        yield name, known[0], known[1], section != SHN_UNDEF, size


def _place_of(table: SymbolTable, section: int, *, shorten: bool) -> str:
    special = {SHN_UNDEF: "UND", SHN_ABS: "ABS", SHN_COMMON: "COMMON"}.get(section)
    if special is not None:
        return special
    at = int.from_bytes(table.section_offsets[section * 4 : section * 4 + 4], "little")
    names = table.section_names or table.names
    name = names[at : names.find(b"\0", at)].decode(errors="backslashreplace")
    return _place(name) if shorten else name


def _words(info: int, visibility: int, place: str) -> str:
    kind = next((one.name for one in SymbolType if one == info & 15), "OTHER")
    binding = next((one.name for one in Binding if one == info >> 4), str(info >> 4))
    return f"{kind} {binding} {Visibility(visibility).name} {place}"
