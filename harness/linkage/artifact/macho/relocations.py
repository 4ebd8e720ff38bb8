"""Relocations of a Mach-O object: the place that is patched, and the symbol, section or address referred to.

Format: Apple's <mach-o/reloc.h>, and the files of that name for each processor.
"""

from collections.abc import Iterator
from typing import NamedTuple

from linkage.artifact.bounds import take
from linkage.artifact.macho.file import MachoFile, MachoSection
from linkage.artifact.macho.numbers import CPU_TYPE_ARM64, CPU_TYPE_ARM64_32, CPU_TYPE_I386, CPU_TYPE_X86_64
from linkage.errors import ArtifactError

_SCATTERED = 0x80000000
_ENTRY = 8  # bytes
_NEVER_SCATTERED = (CPU_TYPE_X86_64, CPU_TYPE_ARM64, CPU_TYPE_ARM64_32)
_PAIR = 1
_COMPLETING = {CPU_TYPE_X86_64: None, CPU_TYPE_ARM64: 10, CPU_TYPE_ARM64_32: 10}
"""The type of what completes another relocation, if not _PAIR: ARM64_RELOC_ADDEND."""
_X86_64_AFTER = {6: 1, 7: 2, 8: 4}  # X86_64_RELOC_SIGNED_1, …: bytes of the instruction after the field


class MachoRelocation(NamedTuple):
    """Exactly one of `symbol` (a position in the symbol table), `section` (0: none) and `target` is set.

    `address` is counted from the section's beginning; `target` is an address.
    """

    address: int
    type: int
    pc_relative: bool
    width: int  # bytes
    symbol: int | None = None
    section: int | None = None
    target: int | None = None


def relocations(macho: MachoFile, section: MachoSection) -> Iterator[MachoRelocation]:
    """A section's relocations; what only completes another one is left out."""
    header = macho.header
    raw = take(macho.data, section.relocations, section.relocation_count * _ENTRY, "relocations")
    words = macho.numbers(raw, f"{2 * section.relocation_count}I", 0, "relocations")
    may_be_scattered = header.cpu_type not in _NEVER_SCATTERED
    for first, second in zip(words[0::2], words[1::2], strict=True):
        if first & _SCATTERED and may_be_scattered:
            found = _scattered(first, second)
        else:
            found = _plain(first, second, header.order)
        if found.type != _COMPLETING.get(header.cpu_type, _PAIR):
            yield found


def _scattered(word: int, target: int) -> MachoRelocation:
    width = 1 << (word >> 28 & 3)
    return MachoRelocation(word & 0xFFFFFF, word >> 24 & 0xF, bool(word >> 30 & 1), width, target=target)


def _plain(address: int, word: int, order: str) -> MachoRelocation:
    """A relocation whose bits are counted from the lowest, or in a big-endian file from the highest."""
    if order == "<":
        number, relative, width, external, kind = (
            word & 0xFFFFFF, word >> 24 & 1, word >> 25 & 3, word >> 27 & 1, word >> 28,
        )  # fmt: skip
    else:
        number, relative, width, external, kind = (
            word >> 8,
            word >> 7 & 1,
            word >> 5 & 3,
            word >> 4 & 1,
            word & 0xF,
        )
    symbol, section = (number, None) if external else (None, number)
    return MachoRelocation(address, kind, bool(relative), 1 << width, symbol, section)


def target_address(macho: MachoFile, section: MachoSection, number: int, one: MachoRelocation) -> int | None:
    """The address that a relocation without a symbol refers to, which the patched place holds.

    `number` is that of `section`. None if the place is a part of an instruction that is not understood.
    """
    if one.target is not None:
        return one.target
    cpu = macho.header.cpu_type
    if one.type and cpu not in (CPU_TYPE_X86_64, CPU_TYPE_I386):
        return None
    field = bytes(take(macho.content(number), one.address, one.width, "a relocation's place"))
    value = int.from_bytes(field, "little" if macho.header.order == "<" else "big", signed=one.pc_relative)
    if one.pc_relative:
        value += section.address + one.address + one.width
        value += _X86_64_AFTER.get(one.type, 0) if cpu == CPU_TYPE_X86_64 else 0
    return value


def check_relocations(macho: MachoFile) -> None:
    """Raise ArtifactError if sections share relocations, as reading them would have no bound."""
    if sum(one.relocation_count for one in macho.sections) * _ENTRY > len(macho.data):
        raise ArtifactError("the relocations of the sections overlap")
