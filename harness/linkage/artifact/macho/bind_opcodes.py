"""The opcodes of LC_DYLD_INFO: which symbols dyld binds, from which libraries.

Format: Apple's <mach-o/loader.h>, BIND_OPCODE_*. Only what names symbols is interpreted: the addresses that
are written, and how often, are not.
"""

from collections.abc import Iterator
from typing import NamedTuple

from linkage.artifact.macho.leb128 import uleb128
from linkage.errors import ArtifactError

SELF, MAIN_EXECUTABLE, FLAT_LOOKUP, WEAK_LOOKUP = 0, -1, -2, -3
"""Ordinals that are no library's: BIND_SPECIAL_DYLIB_*."""

_OPCODE, _IMMEDIATE = 0xF0, 0x0F
_DONE, _ORDINAL_IMM, _ORDINAL_ULEB, _SPECIAL_IMM, _SYMBOL, _TYPE_IMM = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50
_ADDEND, _SEGMENT, _ADD_ADDRESS, _BIND, _BIND_ADD, _BIND_SCALED, _BIND_TIMES, _THREADED = (
    0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0,
)  # fmt: skip
_BINDS = (_BIND, _BIND_ADD, _BIND_SCALED, _BIND_TIMES)
_NUMBERS = {
    _TYPE_IMM: 0, _ADDEND: 1, _SEGMENT: 1, _ADD_ADDRESS: 1, _BIND: 0, _BIND_ADD: 1, _BIND_SCALED: 0,
    _BIND_TIMES: 2,
}  # fmt: skip
"""How many LEB128 numbers, all skipped, follow an opcode; one after _THREADED without an immediate."""
_WEAK_IMPORT, _NON_WEAK_DEFINITION = 0x1, 0x8
_WHAT = "bind opcodes"


class MachoImport(NamedTuple):
    """An import by its raw name, with the ordinal of its library or a special one."""

    name: bytes
    ordinal: int
    weak: bool


def bound_imports(stream: bytes, *, lazy: bool = False, weak_lookup: bool = False) -> Iterator[MachoImport]:
    """What a stream binds, each use of a symbol once.

    In a `lazy` one BIND_OPCODE_DONE stands after each symbol, in others at the end. `weak_lookup`: that of
    weak symbols, which has no ordinals; definitions that are not weak are listed there, but not imported.
    """
    at, name, flags = 0, None, 0
    ordinal = WEAK_LOOKUP if weak_lookup else SELF
    while at < len(stream):
        opcode, immediate = stream[at] & _OPCODE, stream[at] & _IMMEDIATE
        at += 1
        if opcode == _DONE:
            if not lazy:
                return
        elif opcode in (_ORDINAL_IMM, _ORDINAL_ULEB, _SPECIAL_IMM):
            ordinal, at = _ordinal(stream, at, opcode, immediate)
        elif opcode == _SYMBOL:
            flags = immediate
            name, at = _name(stream, at)
        else:
            if opcode in _BINDS and not flags & _NON_WEAK_DEFINITION:
                if name is None:
                    raise ArtifactError(f"{_WHAT}: nothing is named before offset {at - 1:#x}")
                yield MachoImport(name, ordinal, bool(flags & _WEAK_IMPORT))
            at = _after_numbers(stream, at, opcode, immediate)


def _ordinal(stream: bytes, at: int, opcode: int, immediate: int) -> tuple[int, int]:
    """The ordinal that an opcode sets, and where the next opcode is."""
    if opcode == _ORDINAL_ULEB:
        return uleb128(stream, at, _WHAT)
    if opcode == _SPECIAL_IMM and immediate:
        return immediate - 16, at
    return immediate, at


def _name(stream: bytes, at: int) -> tuple[bytes, int]:
    """A name, and where the next opcode is."""
    end = stream.find(b"\0", at)
    if end < 0:
        raise ArtifactError(f"{_WHAT}: the name at offset {at:#x} has no end")
    return stream[at:end], end + 1


def _after_numbers(stream: bytes, at: int, opcode: int, immediate: int) -> int:
    count = int(not immediate) if opcode == _THREADED else _NUMBERS.get(opcode)
    if count is None:
        raise ArtifactError(f"{_WHAT}: unknown opcode {opcode:#x} at offset {at - 1:#x}")
    for _ in range(count):
        _, at = uleb128(stream, at, _WHAT)
    return at
