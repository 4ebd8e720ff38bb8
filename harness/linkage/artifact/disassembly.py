"""The addresses in a function's code: for x86-64, x86 and AArch64, from capstone's text.

The text is parsed, not the operands: `disasm_lite` is several times faster than full detail, and
its spelling of the few forms that matter here is tested.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import capstone


@dataclass(frozen=True, slots=True)
class AddressOperand:
    """An address that an instruction names: jumped to (`branch`), read from (`slot`), or taken."""

    address: int
    branch: bool = False
    slot: bool = False


_MARKS = ("endbr64", "endbr32", "bti", "nop")
"""Instructions before what a stub does."""


class Code(Protocol):
    """The reading of one architecture's code."""

    stub_size: int  # bytes in which one entry of the procedure linkage table fits

    def targets(self, code: bytes, address: int) -> Iterator[AddressOperand]:
        """The addresses in the code that begins at `address`."""
        ...

    def stub_slot(self, code: bytes, address: int) -> int | None:
        """The slot that a stub jumps through, if the code is one and does nothing else."""
        ...


class _X86:
    stub_size = 16
    _IMMEDIATE = re.compile(r"0x[0-9a-f]+")
    _RELATIVE = re.compile(r"\[rip(?: ([+-]) (0x[0-9a-f]+|\d+))?\]")  # small ones are decimal, 0 is left out

    def __init__(self, mode: int) -> None:
        self._engine = capstone.Cs(capstone.CS_ARCH_X86, mode)
        self._engine.skipdata = True

    def targets(self, code: bytes, address: int) -> Iterator[AddressOperand]:
        for at, size, mnemonic, operands in self._engine.disasm_lite(code, address):
            branch = mnemonic == "call" or mnemonic.startswith("j")
            if branch and self._IMMEDIATE.fullmatch(operands):
                yield AddressOperand(int(operands, 16), branch=True)
            elif found := self._RELATIVE.search(operands):
                distance = int(found[1] + found[2], 0) if found[1] else 0
                yield AddressOperand(at + size + distance, slot=mnemonic != "lea")

    def stub_slot(self, code: bytes, address: int) -> int | None:
        for at, size, mnemonic, operands in self._engine.disasm_lite(code, address):
            if mnemonic in _MARKS:
                continue
            found = self._RELATIVE.search(operands) if mnemonic.endswith("jmp") else None
            distance = int(found[1] + found[2], 0) if found and found[1] else 0
            return at + size + distance if found else None
        return None


class _AArch64:
    stub_size = 16
    _PAGE = re.compile(r"(x\d+), #(0x[0-9a-f]+|\d+)")
    _ADD = re.compile(r"(x\d+), (x\d+), #(0x[0-9a-f]+|\d+)")
    _LOAD = re.compile(r"[xw](\d+), \[(x\d+)(?:, #(0x[0-9a-f]+|\d+))?\]")

    _READERS = ("st", "cmp", "cmn", "tst", "cb", "tb", "b")  # their first operand is not written

    def __init__(self) -> None:
        self._engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
        self._engine.skipdata = True

    def targets(self, code: bytes, address: int) -> Iterator[AddressOperand]:
        held: dict[str, int] = {}  # the address that a register holds since its `adrp`
        for _, _, mnemonic, operands in self._engine.disasm_lite(code, address):
            written = operands.split(",")[0]
            if mnemonic in ("b", "bl"):
                yield AddressOperand(int(operands.removeprefix("#"), 16), branch=True)
            elif mnemonic in ("adrp", "adr") and (found := self._PAGE.fullmatch(operands)):
                held[written] = int(found[2], 0)
                if mnemonic == "adr":
                    yield AddressOperand(held[written])
            elif mnemonic == "add" and (found := self._ADD.fullmatch(operands)) and found[2] in held:
                held[written] = held[found[2]] + int(found[3], 0)
                yield AddressOperand(held[written])
            elif mnemonic == "ldr" and (found := self._LOAD.fullmatch(operands)) and found[2] in held:
                yield AddressOperand(held[found[2]] + int(found[3] or "0", 0), slot=True)
                held.pop(f"x{found[1]}", None)
            elif not mnemonic.startswith(self._READERS):
                held.pop(written, None)

    def stub_slot(self, code: bytes, address: int) -> int | None:
        listed = self._engine.disasm_lite(code, address)
        words = [f"{mnemonic} {operands}" for _, _, mnemonic, operands in listed if mnemonic not in _MARKS]
        if len(words) < 2 or not words[0].startswith("adrp x16,") or not words[1].startswith("ldr x1"):  # noqa: PLR2004
            return None  # stubs alone may use x16 and x17
        return next((one.address for one in self.targets(code, address) if one.slot), None)


def code_for(machine: str) -> Code | None:
    """The reader of a machine's code, by its name in the facts; None for an unsupported one."""
    if machine == "x86_64":
        return _X86(capstone.CS_MODE_64)
    if machine == "i386":
        return _X86(capstone.CS_MODE_32)
    return _AArch64() if machine == "aarch64" else None
