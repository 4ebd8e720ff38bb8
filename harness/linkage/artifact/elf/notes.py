"""Notes: the build id and the GNU properties.

Formats: gABI, chapter "Note Section"; "Linux Extensions to gABI" (program properties); the x86-64, AArch64
and RISC-V supplements add the properties of their processors.
"""

import struct
from collections.abc import Iterator

from linkage.artifact.bounds import take
from linkage.artifact.elf.file import ElfFile
from linkage.artifact.elf.numbers import EM_386, EM_AARCH64, EM_RISCV, EM_X86_64, ET_REL, PT_NOTE, SHT_NOTE

_GNU = b"GNU\0"
_BUILD_ID, _PROPERTIES = 3, 5  # NT_GNU_BUILD_ID, NT_GNU_PROPERTY_TYPE_0
_WORDS = struct.calcsize("III")
_X86_ISA = {0x1: "x86-64-baseline", 0x2: "x86-64-v2", 0x4: "x86-64-v3", 0x8: "x86-64-v4"}
_X86 = {
    0xC0000002: {0x1: "IBT", 0x2: "SHSTK", 0x4: "LAM_U48", 0x8: "LAM_U57"},
    0xC0008002: _X86_ISA,
    0xC0010002: {bit: f"uses {name}" for bit, name in _X86_ISA.items()},
}
_BITS = {
    EM_X86_64: _X86,
    EM_386: _X86,
    EM_AARCH64: {0xC0000000: {0x1: "BTI", 0x2: "PAC", 0x4: "GCS"}},
    EM_RISCV: {0xC0000000: {0x1: "CFI_LP_UNLABELED", 0x2: "CFI_SS", 0x4: "CFI_LP_FUNC_SIG"}},
}
"""The bits of properties that are sets of them, by machine and property type."""
_GENERIC_BITS = {0xB0008000: {0x1: "INDIRECT_EXTERN_ACCESS"}}
_PLAIN = {1: "STACK_SIZE", 2: "NO_COPY_ON_PROTECTED"}


def read_notes(elf: ElfFile) -> tuple[str | None, tuple[str, ...]]:
    """The build id in hexadecimal digits, and the names of the GNU properties, sorted."""
    build_id, properties = None, set[str]()
    for kind, content in _gnu_notes(elf):
        if kind == _BUILD_ID and build_id is None:
            build_id = bytes(content).hex()
        elif kind == _PROPERTIES:
            properties.update(_properties(elf, content))
    return build_id, tuple(sorted(properties))


def _gnu_notes(elf: ElfFile) -> Iterator[tuple[int, memoryview]]:
    """The types and contents of the notes of the owner GNU; ends at what is no note."""
    for data, alignment in _places(elf):
        step = 8 if alignment == 8 else 4  # noqa: PLR2004 - bytes
        at = 0
        while at + _WORDS <= len(data):
            name_size, size, kind = struct.unpack_from(f"{elf.header.order}III", data, at)
            name = at + _WORDS
            content = name + name_size
            content += (at - content) % step
            if content + size > len(data):
                break
            if bytes(data[name : name + len(_GNU)]) == _GNU and name_size == len(_GNU):
                yield kind, data[content : content + size]
            at = content + size + -size % step


def _places(elf: ElfFile) -> Iterator[tuple[memoryview, int]]:
    if elf.header.type == ET_REL:
        yield from ((elf.content(index), elf.section(index).alignment) for index in elf.of_type(SHT_NOTE))
        return
    for segment in elf.image.segments:
        if segment.type == PT_NOTE:
            yield take(elf.data, segment.offset, segment.size, "note segment"), segment.alignment


def _properties(elf: ElfFile, content: memoryview) -> Iterator[str]:
    order, step = elf.header.order, 8 if elf.header.wide else 4
    known = _GENERIC_BITS | _BITS.get(elf.header.machine, {})
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, at)
        value = int.from_bytes(content[at + 8 : at + 8 + min(size, 8)], "little" if order == "<" else "big")
        at += 8 + size + -size % step
        bits = known.get(kind)
        if bits is None:
            yield _PLAIN.get(kind) or f"{kind:#x}"
            continue
        yield from (name for bit, name in bits.items() if value & bit)
        if rest := value & ~sum(bits):
            yield f"{kind:#x}:{rest:#x}"
