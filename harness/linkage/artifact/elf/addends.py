"""The addend of a relocation that has none of its own (SHT_REL): it is in the bytes that are patched.

Formats: the supplements to the gABI: "ELF for the Arm Architecture" (Addends and PC-bias compensation), MIPS
(Relocation); of the others that use SHT_REL, x86 has it in the four bytes.
"""

from collections.abc import Sequence

from linkage.artifact.elf.numbers import EM_ARM, EM_MIPS
from linkage.artifact.elf.relocations import Relocation

_MIPS_WORDS, _MIPS_26, _MIPS_HIGH, _MIPS_LOW = (2, 3, 12), 4, (5, 9), 6  # HI16 and GOT16, LO16
_ARM_BRANCHES, _ARM_HALVES = (1, 27, 28, 29), range(43, 47)  # PC24 … JUMP24; MOVW and MOVT
_THUMB_BRANCHES, _THUMB_HALVES = (10, 30), range(47, 51)


def implicit_addend(machine: int, relocation: Relocation, code: memoryview, order: str) -> int:
    """The addend in a section's bytes, `code`; 0 if they end before it.

    Of an address of MIPS in two halves it is the half that is here: `mips_halves` has the whole.
    """
    field = bytes(code[relocation.offset : relocation.offset + 4])
    byteorder = "little" if order == "<" else "big"
    if len(field) < 4:  # noqa: PLR2004
        return 0
    word = int.from_bytes(field, byteorder)  # type: ignore[arg-type]
    if machine == EM_MIPS:
        return _mips(relocation.type, word)
    if machine == EM_ARM:
        first, second = (int.from_bytes(field[at : at + 2], byteorder) for at in (0, 2))  # type: ignore[arg-type]
        return _arm(relocation.type, word, first, second)
    return _signed(word, 32)


def mips_halves(found: Sequence[Relocation], code: memoryview, order: str) -> list[Relocation]:
    """The relocations with explicit addends where two make one address: the lower half completes it."""
    complete: list[Relocation] = []
    high: dict[int, int] = {}
    for one in found:
        half = implicit_addend(EM_MIPS, one, code, order)
        if one.type in _MIPS_HIGH:
            high[one.symbol] = half << 16
        elif one.type == _MIPS_LOW:
            complete.append(Relocation(one.offset, one.symbol, one.type, high.get(one.symbol, 0) + half))
        else:
            complete.append(Relocation(one.offset, one.symbol, one.type, half))
    lower = {one.symbol for one in found if one.type == _MIPS_LOW}
    alone = [one for one in found if one.type in _MIPS_HIGH and one.symbol not in lower]
    return complete + alone


def _mips(kind: int, word: int) -> int:
    if kind in _MIPS_WORDS:
        return _signed(word, 32)
    if kind == _MIPS_26:
        return (word & 0x3FFFFFF) << 2
    return _signed(word & 0xFFFF, 16)


def _arm(kind: int, word: int, first: int, second: int) -> int:
    """The addend, without the distance (8 or 4 bytes) from which branches count."""
    if kind in _ARM_BRANCHES:
        return (_signed(word & 0xFFFFFF, 24) << 2) + 8
    if kind in _ARM_HALVES:
        return _signed(word >> 4 & 0xF000 | word & 0xFFF, 16)
    if kind in _THUMB_HALVES:
        return _signed(
            (first & 0xF) << 12 | (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF, 16
        )
    if kind in _THUMB_BRANCHES:
        sign = first >> 10 & 1
        bits = [1 ^ (second >> place & 1) ^ sign for place in (13, 11)]
        value = sign << 24 | bits[0] << 23 | bits[1] << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1
        return _signed(value, 25) + 4
    return _signed(word, 32)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
