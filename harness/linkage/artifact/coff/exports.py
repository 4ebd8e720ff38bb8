"""What an image exports: names, ordinals without a name, and what other libraries define.

Format: Microsoft's "PE Format", section "The .edata Section".
"""

import struct
from dataclasses import dataclass, field

from linkage.artifact.coff.image import PeImage
from linkage.artifact.coff.numbers import DIRECTORY_EXPORT
from linkage.errors import ArtifactError

_DIRECTORY = struct.Struct("<IIHHIIIIIII")
_MOST = 1 << 16  # ordinals have 16 bits


@dataclass(slots=True)
class Exports:
    """Exports in the order of their names, then those without one (`#7`); texts as PeImage.texts has them."""

    start: int = 0  # the address of the table
    library: str | None = None
    names: list[str] = field(default_factory=list)
    addresses: list[int] = field(default_factory=list)  # 0 for a forwarder
    forwarders: dict[str, str] = field(default_factory=dict)
    ordinals: dict[str, int] = field(default_factory=dict)  # of those with a name


def read_exports(image: PeImage) -> Exports:
    """The exports of an image; none if it has no export table. ArtifactError if that is malformed."""
    place = image.directory(DIRECTORY_EXPORT)
    if place is None:
        return Exports()
    start, size = place
    raw = image.take(start, _DIRECTORY.size, "export table")
    _, _, _, _, library, base, count, named, functions, names, ordinals = _DIRECTORY.unpack(raw)
    addresses = _numbers(image, functions, count, "I")
    indexes = _numbers(image, ordinals, named, "H")
    if max(indexes, default=0) >= max(count, 1) or (indexes and not count):
        raise ArtifactError(f"export table: function {max(indexes)} of {count} has a name")
    texts = image.texts(_numbers(image, names, named, "I"), "an export's name")
    found = Exports(start, image.texts([library], "export table")[0] if library else None, texts)
    found.addresses = [addresses[index] for index in indexes]
    found.ordinals = dict(zip(texts, map(base.__add__, indexes), strict=True))
    if len(set(indexes)) < count - addresses.count(0):
        nameless = sorted({index for index in range(count) if addresses[index]}.difference(indexes))
        found.names += [f"#{base + index}" for index in nameless]
        found.addresses += [addresses[index] for index in nameless]
    forwarded = [at for at, address in enumerate(found.addresses) if start <= address < start + size]
    targets = image.texts([found.addresses[at] for at in forwarded], "an export's forwarder")
    for at, target in zip(forwarded, targets, strict=True):
        found.forwarders[found.names[at]] = target
        found.addresses[at] = 0
    return found


def _numbers(image: PeImage, address: int, count: int, code: str) -> tuple[int, ...]:
    if not count:
        return ()
    if count > _MOST:
        raise ArtifactError(f"export table: {count} entries")
    return struct.unpack(
        f"<{count}{code}", image.take(address, count * struct.calcsize(code), "export table")
    )
