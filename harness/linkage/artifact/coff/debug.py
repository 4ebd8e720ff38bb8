"""Which debug information belongs to an image: the identity and the name of a PDB.

Format: Microsoft's "PE Format", section "Debug Directory (Image Only)"; the CodeView record `RSDS` of type
IMAGE_DEBUG_TYPE_CODEVIEW: LLVM's `llvm/Object/CVDebugRecord.h`.
"""

import struct
from uuid import UUID

from linkage.artifact.bounds import take
from linkage.artifact.coff.image import PeImage
from linkage.artifact.coff.numbers import DEBUG_CODEVIEW, DIRECTORY_DEBUG

_ENTRY = struct.Struct("<IIHHIIII")  # …, type, size, address, offset in the file
_RECORD = struct.Struct("<4s16sI")  # magic, GUID, age
_MAGIC = b"RSDS"
_PATH_LIMIT = 4096  # bytes


def read_debug(image: PeImage) -> tuple[str | None, str | None]:
    """The build id and the path of the PDB; None without one.

    The id is the GUID and the age, as symbol servers join them, in lower-case digits.
    """
    place = image.directory(DIRECTORY_DEBUG)
    if place is None:
        return None, None
    raw = image.take(place[0], place[1] // _ENTRY.size * _ENTRY.size, "debug directory")
    for *_, kind, size, _, offset in _ENTRY.iter_unpack(raw):
        if kind == DEBUG_CODEVIEW and size > _RECORD.size:
            record = take(image.data, offset, size, "debug record")
            magic, guid, age = _RECORD.unpack(record[: _RECORD.size])
            if magic == _MAGIC:
                path = bytes(record[_RECORD.size :][:_PATH_LIMIT]).partition(b"\0")[0]
                return f"{UUID(bytes_le=guid).hex}{age:x}", path.decode(errors="backslashreplace") or None
    return None, None
