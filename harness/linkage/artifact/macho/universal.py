"""Universal ("fat") files: one slice for each architecture, an object file or an archive.

Format: Apple's <mach-o/fat.h>: `fat_header`, `fat_arch` and `fat_arch_64`, all big-endian.
"""

import struct

from linkage.artifact.ar import ContentReader, member_facts
from linkage.artifact.bounds import take
from linkage.artifact.facts import Archive, Members
from linkage.artifact.macho.numbers import architecture_name
from linkage.artifact.request import FactsRequest
from linkage.errors import ArtifactError

MAGIC = b"\xca\xfe\xba\xbe"
MAGIC_64 = b"\xca\xfe\xba\xbf"

_MOST_ARCHITECTURES = 42  # a Java class, of the same magic, has its version there: 43 or more
_ENTRY, _ENTRY_64 = struct.Struct(">IIIII"), struct.Struct(">IIQQII")  # CPU type, subtype, offset, size, …


def is_universal(view: memoryview) -> bool:
    """Whether a file is a universal one."""
    beginning = bytes(view[:8])
    if beginning.startswith(MAGIC):
        return int.from_bytes(beginning[4:], "big") <= _MOST_ARCHITECTURES
    return beginning.startswith(MAGIC_64)


def read_universal(data: memoryview, request: FactsRequest, read_slice: ContentReader) -> Archive:
    """The slices as the members of an archive of the flavour "universal", named by their architectures.

    A slice that cannot be read has an `error`; one that is itself an archive is not entered. ArtifactError if
    the file is truncated or its slices overlap.
    """
    count = int.from_bytes(take(data, 4, 4, "universal header"), "big")
    entry = _ENTRY_64 if data[:4] == MAGIC_64 else _ENTRY
    raw = take(data, 8, count * entry.size, "universal header")
    members, end = [], 8 + len(raw)
    slices = [fields[:4] for fields in entry.iter_unpack(raw)]
    for _, _, offset, size in sorted(slices, key=lambda one: one[2]):
        if offset < end:
            raise ArtifactError(f"a slice at offset {offset:#x} overlaps what is before {end:#x}")
        end = offset + size
    for cpu_type, subtype, offset, size in slices:
        name = architecture_name(cpu_type, subtype)
        content = take(data, offset, size, f"slice for {name}")
        members.append(member_facts(name, content, request, read_slice))
    return Archive("universal", thin=False, members=Members.of(members), index=None)
