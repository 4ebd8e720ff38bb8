"""Relocations of a Mach-O object: the place that is patched, and the symbol or section referred to.

Format: Apple's <mach-o/reloc.h>, <mach-o/x86_64/reloc.h> and <mach-o/arm64/reloc.h>. Those of other
processors are not read: their assemblers resolve references within a section, so there are more of them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from linkage.artifact.bounds import take
from linkage.artifact.macho.file import MachoFile, MachoSection
from linkage.artifact.macho.numbers import CPU_TYPE_ARM64, CPU_TYPE_ARM64_32, CPU_TYPE_X86_64
from linkage.errors import ArtifactError

_ENTRY = 8  # bytes
_COMPLETING = {CPU_TYPE_X86_64: None, CPU_TYPE_ARM64: 10, CPU_TYPE_ARM64_32: 10}
"""By processor whose relocations are read: the type of what only completes another (ARM64_RELOC_ADDEND)."""
_X86_64_AFTER = {6: 1, 7: 2, 8: 4}  # X86_64_RELOC_SIGNED_1, …: bytes of the instruction after the field


class MachoRelocation(NamedTuple):
    """`number` is a symbol's position in the symbol table if `external`, else a section's (0: none).

    `address` is counted from the section's beginning.
    """

    address: int
    number: int
    external: bool
    type: int
    pc_relative: bool
    width: int  # bytes


def are_read(macho: MachoFile) -> bool:
    """Whether the relocations of this processor are read, and name all that code refers to."""
    return macho.header.cpu_type in _COMPLETING and macho.header.order == "<"


def relocations(macho: MachoFile, section: MachoSection) -> Iterator[MachoRelocation]:
    """A section's relocations; what only completes another one is left out."""
    raw = take(macho.data, section.relocations, section.relocation_count * _ENTRY, "relocations")
    words = macho.numbers(raw, f"{2 * section.relocation_count}I", 0, "relocations")
    completing = _COMPLETING[macho.header.cpu_type]
    for address, word in zip(words[0::2], words[1::2], strict=True):
        kind, external, width, relative = word >> 28, word >> 27 & 1, word >> 25 & 3, word >> 24 & 1
        if kind != completing:
            yield MachoRelocation(address, word & 0xFFFFFF, bool(external), kind, bool(relative), 1 << width)


def target_address(macho: MachoFile, number: int, one: MachoRelocation) -> int | None:
    """The address that a relocation without a symbol refers to, which the patched place holds.

    `number` is that of the section. None if the place is a part of an instruction that is not understood.
    """
    if one.type and macho.header.cpu_type != CPU_TYPE_X86_64:
        return None
    field = bytes(take(macho.content(number), one.address, one.width, "a relocation's place"))
    value = int.from_bytes(field, "little", signed=one.pc_relative)
    if one.pc_relative:
        value += macho.section(number).address + one.address + one.width + _X86_64_AFTER.get(one.type, 0)
    return value


def check_relocations(macho: MachoFile) -> None:
    """Raise ArtifactError if sections share relocations, as reading them would have no bound."""
    if sum(one.relocation_count for one in macho.sections) * _ENTRY > len(macho.data):
        raise ArtifactError("the relocations of the sections overlap")
