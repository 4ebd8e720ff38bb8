"""Faults by object format: in ELF's headers, segments, dynamic section and symbols.

https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from collections.abc import Callable, Sequence

from mutants.faults import ar, elf
from mutants.faults.elf import LOCAL, NOTHING, WEAK, EditableElf
from mutants.faults.fault import CompilerOutputs, Fault

Edit = Callable[[EditableElf], None]

_LINKED = ("bin", "cdylib", "dylib", "proc-macro")
_SHARED = ("cdylib", "dylib")
_ARCHIVES = ("staticlib", "rlib")
_PHDR = struct.Struct("<IIQQQQQQ")
_NULL, _INTERP, _TLS, _EH_FRAME, _STACK, _RELRO = 0, 3, 7, 0x6474E550, 0x6474E551, 0x6474E552
_INIT_ARRAY, _FINI_ARRAY, _GNU_HASH, _TEXTREL, _VERNEED, _VERNEEDNUM, _FLAGS_1 = (
    25,
    26,
    0x6FFFFEF5,
    22,
    0x6FFFFFFE,
    0x6FFFFFFF,
    0x6FFFFFFB,
)
_PIE = 0x08000000
_DF_TEXTREL = 4
_OBJECT = 1


def _header(at: int, layout: str, value: int) -> Edit:
    return lambda found: struct.pack_into(layout, found.bytes, at, value)


def _segments(found: EditableElf, kind: int, change: Callable[[int], None]) -> None:
    offset = struct.unpack_from("<Q", found.bytes, 0x20)[0]
    count = struct.unpack_from("<H", found.bytes, 0x38)[0]
    for at in range(offset, offset + count * _PHDR.size, _PHDR.size):
        if struct.unpack_from("<I", found.bytes, at)[0] == kind:
            change(at)


def _without_segment(kind: int) -> Edit:
    def edit(found: EditableElf) -> None:
        _segments(found, kind, lambda at: struct.pack_into("<I", found.bytes, at, _NULL))

    return edit


def _executable_stack(found: EditableElf) -> None:
    _segments(found, _STACK, lambda at: struct.pack_into("<I", found.bytes, at + 4, 7))


def _without_tags(*tags: int) -> Edit:
    def edit(found: EditableElf) -> None:
        for at, tag, _ in list(found.dynamic()):
            if tag in tags:
                found.set_dynamic(at, NOTHING, 0)

    return edit


def _with_textrel(found: EditableElf) -> None:
    """In DT_FLAGS, which linkers write for `-z now`, else in a spare entry."""
    entries = list(found.dynamic())
    flags = [(at, value) for at, tag, value in entries if tag == elf.FLAGS]
    spare = [at for at, tag, _ in entries if tag == 0]
    if flags:
        at, value = flags[0]
        found.set_dynamic(at, elf.FLAGS, value | _DF_TEXTREL)
    elif len(spare) > 1:
        found.set_dynamic(spare[0], _TEXTREL, 0)


def _not_pie(found: EditableElf) -> None:
    for at, tag, value in list(found.dynamic()):
        if tag == _FLAGS_1:
            found.set_dynamic(at, tag, value & ~_PIE)


def _each_export(change: Callable[[EditableElf, elf.SymbolEntry], None]) -> Edit:
    def edit(found: EditableElf) -> None:
        for symbol in list(found.symbols(".dynsym")):
            if symbol.is_exported:
                change(found, symbol)

    return edit


def _typed(kind: int) -> Callable[[EditableElf, elf.SymbolEntry], None]:
    def change(found: EditableElf, symbol: elf.SymbolEntry) -> None:
        found.bytes[symbol.at + 4] = symbol.binding << 4 | kind

    return change


def _sized(found: EditableElf, symbol: elf.SymbolEntry) -> None:
    struct.pack_into("<Q", found.bytes, symbol.at + 16, 0)


def _moved(found: EditableElf, symbol: elf.SymbolEntry) -> None:
    value = struct.unpack_from("<Q", found.bytes, symbol.at + 8)[0]
    struct.pack_into("<Q", found.bytes, symbol.at + 8, value + 1)


def _section_renamed(name: str, new: str) -> Edit:
    """Another name of the same length, in the table of sections' names, which may be `.strtab` (LLVM)."""

    def edit(found: EditableElf) -> None:
        table = found.section_names
        if table is not None:
            part = bytes(found.bytes[table.offset : table.offset + table.size])
            found.bytes[table.offset : table.offset + table.size] = part.replace(
                f"{name}\0".encode(), f"{new}\0".encode()
            )

    return edit


def _linked(edit: Edit) -> Callable[[CompilerOutputs], None]:
    def outputs(made: CompilerOutputs) -> None:
        for file in made.elf():
            elf.change(file, edit)

    return outputs


def _members(edit: Edit) -> Callable[[CompilerOutputs], None]:
    def changed(one: ar.ArchiveEntry) -> ar.ArchiveEntry:
        try:
            found = EditableElf(one.content)
        except (ValueError, struct.error, IndexError):
            return one
        edit(found)
        return one.holding(bytes(found.bytes))

    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(".a", ".rlib"):
            ar.change(file, lambda held: [changed(one) for one in held])

    return outputs


def _bound_in_members(binding: int) -> Edit:
    def edit(found: EditableElf) -> None:
        for symbol in list(found.symbols(".symtab")):
            if symbol.section and symbol.binding == elf.GLOBAL and not symbol.name.startswith("_"):
                found.bind(symbol, binding)

    return edit


_OF_LINKED: tuple[tuple[str, str, Sequence[str], Edit, Sequence[str]], ...] = (
    (
        "machine-wrong",
        "an output for another processor",
        _LINKED,
        _header(0x12, "<H", 183),
        ("exit", "stdout"),
    ),
    ("type-core", "an output of the type of a core dump", _LINKED, _header(0x10, "<H", 4), ("type", "exit")),
    ("class-wrong", "an output of 32 bits", _LINKED, _header(4, "<B", 1), ("exit",)),
    ("endianness-wrong", "an output in the other byte order", _LINKED, _header(5, "<B", 2), ("exit",)),
    (
        "section-headers-lost",
        "an output without section headers",
        _LINKED,
        _header(0x3C, "<H", 0),
        ("sections", "defines"),
    ),
    (
        "entry-zero",
        "a program that starts at no address",
        ("bin",),
        _header(0x18, "<Q", 0),
        ("exit", "stdout"),
    ),
    (
        "interpreter-segment-lost",
        "a program whose loader is not named",
        ("bin",),
        _without_segment(_INTERP),
        ("interpreter", "exit"),
    ),
    (
        "tls-segment-lost",
        "thread-locals that no thread gets",
        _LINKED,
        _without_segment(_TLS),
        ("tls", "stdout", "exit"),
    ),
    ("relro-segment-lost", "relocations stay writable", _LINKED, _without_segment(_RELRO), ("relro",)),
    (
        "stack-segment-lost",
        "nothing says whether the stack is executable",
        _LINKED,
        _without_segment(_STACK),
        ("executable-stack",),
    ),
    (
        "stack-segment-executable",
        "a segment that makes the stack executable",
        _LINKED,
        _executable_stack,
        ("executable-stack",),
    ),
    (
        "eh-frame-segment-lost",
        "unwinding finds no frames",
        _LINKED,
        _without_segment(_EH_FRAME),
        ("stdout", "exit"),
    ),
    (
        "init-array-lost",
        "functions that are not called at the start",
        _LINKED,
        _without_tags(_INIT_ARRAY, 27),
        ("init-array", "stdout"),
    ),
    (
        "fini-array-lost",
        "functions that are not called at the end",
        _LINKED,
        _without_tags(_FINI_ARRAY, 28),
        ("fini-array", "stdout"),
    ),
    (
        "hash-lost",
        "the loader finds no symbol of the library",
        _SHARED,
        _without_tags(_GNU_HASH),
        ("exit", "stdout"),
    ),
    (
        "text-relocation-flag",
        "the loader is told of text relocations",
        _LINKED,
        _with_textrel,
        ("text-relocations",),
    ),
    (
        "pie-flag-lost",
        "a program that does not say that it is position independent",
        ("bin",),
        _not_pie,
        ("pie",),
    ),
    (
        "versions-lost",
        "no version of any symbol is needed",
        _LINKED,
        _without_tags(_VERNEED, _VERNEEDNUM, 0x6FFFFFF0),
        ("symbol-versions", "imports"),
    ),
    (
        "export-weak",
        "exports are weak",
        _SHARED,
        _each_export(lambda f, s: f.bind(s, WEAK)),
        ("symbols", "exports"),
    ),
    (
        "export-unique",
        "exports are unique in the process",
        _SHARED,
        _each_export(lambda f, s: f.bind(s, 10)),
        ("symbols", "exports"),
    ),
    (
        "export-protected",
        "exports have protected visibility",
        _SHARED,
        _each_export(lambda f, s: f.show(s)),
        ("symbols",),
    ),
    ("export-untyped", "exports have no type", _SHARED, _each_export(_typed(0)), ("symbols",)),
    (
        "export-is-data",
        "functions are exported as data",
        _SHARED,
        _each_export(_typed(_OBJECT)),
        ("symbols", "stdout"),
    ),
    (
        "export-is-ifunc",
        "the loader calls functions to resolve them",
        _SHARED,
        _each_export(_typed(10)),
        ("symbols", "stdout", "exit"),
    ),
    ("export-empty", "exports have no size", _SHARED, _each_export(_sized), ("symbols",)),
    ("export-moved", "exports have the wrong address", _SHARED, _each_export(_moved), ("stdout", "exit")),
    (
        "metadata-section-renamed",
        "rust-lang/rust#84449: the metadata's section has another name",
        ("dylib", "proc-macro"),
        _section_renamed(".rustc", ".rusto"),
        ("metadata", "exit"),
    ),
    (
        "comment-renamed",
        "nothing says which linker was used",
        _LINKED,
        _section_renamed(".comment", ".c0mment"),
        ("section", "sections"),
    ),
    (
        "init-array-renamed",
        "the section of the functions that are called has another name",
        _LINKED,
        _section_renamed(".init_array", ".init_arrax"),
        ("init-array", "sections"),
    ),
)
_OF_MEMBERS: tuple[tuple[str, str, Edit, Sequence[str]], ...] = (
    ("member-machine-wrong", "objects for another processor", _header(0x12, "<H", 183), ("exit",)),
    (
        "member-is-linked",
        "members that are not relocatable objects",
        _header(0x10, "<H", 3),
        ("type", "exit", "each-member"),
    ),
    (
        "member-stack-note-lost",
        "objects that make the stack executable",
        _section_renamed(".note.GNU-stack", ".note.GNU-stacx"),
        ("executable-stack",),
    ),
    (
        "member-init-array-renamed",
        "functions of objects that are not called at the start",
        _section_renamed(".init_array", ".init_arrax"),
        ("stdout", "init-array"),
    ),
    (
        "member-metadata-renamed",
        "rust-lang/rust#84449: an rlib whose metadata's section has another name",
        _section_renamed(".rmeta", ".rmetx"),
        ("metadata", "exit"),
    ),
    (
        "member-globals-weak",
        "rust-lang/rust#104707: what is global in an archive is weak",
        _bound_in_members(WEAK),
        ("symbols", "global", "weak"),
    ),
    (
        "member-globals-local",
        "what is global in an archive is local",
        _bound_in_members(LOCAL),
        ("global", "defines", "exit"),
    ),
)


def _fault(
    name: str,
    stands_for: str,
    kinds: Sequence[str],
    breaks: Sequence[str],
    change: Callable[[CompilerOutputs], None],
) -> Fault:
    return Fault(name, stands_for, lambda call: call.makes(*kinds), tuple(breaks), outputs=change)


FAULTS = (
    *(
        _fault(name, stands, kinds, (*breaks, "exit"), _linked(edit))
        for name, stands, kinds, edit, breaks in _OF_LINKED
    ),
    *(
        _fault(name, stands, _ARCHIVES, (*breaks, "exit"), _members(edit))
        for name, stands, edit, breaks in _OF_MEMBERS
    ),
)
