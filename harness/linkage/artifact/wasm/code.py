"""The functions and globals that a function's code names.

Format: the core specification, "Instructions" (binary format), and the proposals for exceptions, threads,
tail calls, function references, SIMD and wide arithmetic. Instructions of garbage collection are not known.
"""

from collections.abc import Iterator

from linkage.artifact.wasm.leb128 import Cursor
from linkage.artifact.wasm.numbers import EXTERN_FUNCTION, EXTERN_GLOBAL
from linkage.errors import ArtifactError

_END = 0x0B
_TARGETS = {
    0x10: EXTERN_FUNCTION, 0x12: EXTERN_FUNCTION, 0xD2: EXTERN_FUNCTION,  # call, return_call, ref.func
    0x23: EXTERN_GLOBAL, 0x24: EXTERN_GLOBAL,  # global.get, global.set
}  # fmt: skip
_BLOCK, _MEMORY, _LABELS, _TYPES, _CATCHES = "block", "memory", "labels", "types", "catches"
_NONE, _ONE, _TWO = 0, 1, 2  # numbers
_IMMEDIATES: dict[int, int | str] = {
    **dict.fromkeys(range(0x45, 0xC5), _NONE),
    **dict.fromkeys((0x00, 0x01, 0x05, 0x0A, 0x0B, 0x0F, 0x19, 0x1A, 0x1B, 0xD1, 0xD3, 0xD4), _NONE),
    **dict.fromkeys((0x07, 0x08, 0x09, 0x0C, 0x0D, 0x14, 0x15, 0x18), _ONE),
    **dict.fromkeys((*range(0x20, 0x27), 0x3F, 0x40, 0x41, 0x42, 0xD0, 0xD5, 0xD6), _ONE),
    **dict.fromkeys((0x11, 0x13), _TWO),
    **dict.fromkeys((0x02, 0x03, 0x04, 0x06), _BLOCK),
    **dict.fromkeys(range(0x28, 0x3F), _MEMORY),
    0x0E: _LABELS, 0x1C: _TYPES, 0x1F: _CATCHES,
}  # fmt: skip
"""What follows an opcode: so many numbers, or something with a structure."""
_FIXED = {0x43: 4, 0x44: 8}  # bytes of f32.const and f64.const
_BULK = {
    **dict.fromkeys((*range(8), *range(19, 23)), _NONE), **dict.fromkeys((9, 11, 13, 15, 16, 17, 18), _ONE),
    **dict.fromkeys((8, 10, 12, 14), _TWO),
}  # fmt: skip
_FENCE, _ATOMICS = 3, (0, 1, 2, *range(0x10, 0x4F))
_VECTOR_LOADS, _VECTOR_CONSTANTS, _LANES = (*range(12), 92, 93), (12, 13), range(21, 35)
_LANE_LOADS, _VECTORS = range(84, 92), 0x130
_TYPED_REFERENCES = (0x63, 0x64)
_MULTI_MEMORY = 0x40  # bit of an alignment: a memory's index follows


def code_targets(body: bytes) -> Iterator[tuple[int, int]]:
    """The kinds (EXTERN_*) and indexes of what the code of a function names.

    ArtifactError if an instruction is not known or the code does not end where the function does.
    """
    cursor = Cursor(body, "code")
    for _ in cursor.vector():  # local variables
        cursor.skip_number()
        _skip_value_type(cursor)
    opcode = -1
    while cursor.left:
        opcode = cursor.byte()
        if opcode in _TARGETS:
            yield _TARGETS[opcode], cursor.number()
        else:
            _skip_immediates(cursor, opcode)
    if opcode != _END:
        raise ArtifactError("code that does not end in `end`")


def _skip_immediates(cursor: Cursor, opcode: int) -> None:
    if opcode in _FIXED:
        cursor.take(_FIXED[opcode])
        return
    if opcode == 0xFC:  # noqa: PLR2004 - bulk memory, and more
        immediates: int | str | None = _BULK.get(cursor.number())
    elif opcode == 0xFD:  # noqa: PLR2004 - vectors
        immediates = _skip_vector(cursor, cursor.number())
    elif opcode == 0xFE:  # noqa: PLR2004 - atomics
        number = cursor.number()
        immediates = _MEMORY if number in _ATOMICS else _ONE if number == _FENCE else None
    else:
        immediates = _IMMEDIATES.get(opcode)
    if immediates is None:
        raise ArtifactError(f"an instruction that is not known: {opcode:#x}")
    if isinstance(immediates, int):
        for _ in range(immediates):
            cursor.skip_number()
    else:
        _skip_structure(cursor, immediates)


def _skip_structure(cursor: Cursor, what: str) -> None:
    if what == _BLOCK:
        _skip_value_type(cursor, number=True)
    elif what == _MEMORY:
        if cursor.number() & _MULTI_MEMORY:
            cursor.skip_number()
        cursor.skip_number()
    elif what == _LABELS:
        for _ in cursor.vector():
            cursor.skip_number()
        cursor.skip_number()
    elif what == _TYPES:
        for _ in cursor.vector():
            _skip_value_type(cursor)
    else:
        _skip_value_type(cursor, number=True)
        for _ in cursor.vector():
            if cursor.byte() < 2:  # noqa: PLR2004 - catch and catch_ref name a tag
                cursor.skip_number()
            cursor.skip_number()


def _skip_vector(cursor: Cursor, number: int) -> int | str | None:
    """A vector instruction's own immediates; the ones that others have, too, are returned."""
    if number in _VECTOR_CONSTANTS:
        cursor.take(16)
    elif number in _LANES:
        cursor.byte()
    elif number in _LANE_LOADS:
        _skip_structure(cursor, _MEMORY)
        cursor.byte()
    elif number in _VECTOR_LOADS:
        return _MEMORY
    return _NONE if number < _VECTORS else None


def _skip_value_type(cursor: Cursor, *, number: bool = False) -> None:
    """A value type, or a block's type, which may also be the number of a function type."""
    first = cursor.byte()
    if first in _TYPED_REFERENCES or (number and first >= 0x80):  # noqa: PLR2004 - the continuation bit
        cursor.skip_number()
