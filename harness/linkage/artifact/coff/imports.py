"""What an image imports: from which libraries, which names, and what is loaded at its first use.

Format: Microsoft's "PE Format", sections "The .idata Section" and "Delay-Load Import Tables".
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from linkage.artifact.coff.image import PeImage, shown
from linkage.artifact.coff.numbers import DIRECTORY_DELAY_IMPORT, DIRECTORY_IMPORT
from linkage.errors import ArtifactError

_DESCRIPTOR = struct.Struct("<IIIII")  # names, time, forwarder chain, library's name, addresses
_DELAYED = struct.Struct("<IIIIIIII")  # attributes, library's name, handle, addresses, names, …
_RELATIVE = 1  # the attribute of a delayed import whose addresses do not include the image's base
_HINT = 2  # bytes before an imported name
_ORDINAL = 0xFFFF


@dataclass(slots=True)
class Imports:
    """Imported names by library, in the image's order; texts are as PeImage.texts has them."""

    names: dict[str, list[str]] = field(default_factory=dict)
    delayed: list[str] = field(default_factory=list)  # libraries
    slots: list[tuple[int, list[str]]] = field(default_factory=list)
    """Where the loader puts the addresses of imports, one after the other, and their names."""


def read_imports(image: PeImage) -> Imports:
    """The imports of an image. ArtifactError if a table is malformed, or tables overlap without bound."""
    found = Imports()
    left = len(image.data) // 4
    for library, table, slots, delta, is_delayed in chain(_libraries(image), _delayed_libraries(image)):
        (name,) = image.texts([library], "an imported library's name")
        thunks = _thunks(image, table)
        left -= len(thunks) + 1
        if left < 0:
            raise ArtifactError("import tables overlap")
        by_ordinal = 1 << (63 if image.wide else 31)
        addresses = [(one - delta + _HINT) & 0xFFFFFFFF for one in thunks if not one & by_ordinal]
        names = image.texts(addresses, f"a name that is imported from {shown(name)}")
        if len(names) < len(thunks):
            named = iter(names)
            names = [f"#{one & _ORDINAL}" if one & by_ordinal else next(named) for one in thunks]
        found.names.setdefault(name, []).extend(names)
        found.slots.append((slots, names))
        if is_delayed:
            found.delayed.append(name)
    return found


def _thunks(image: PeImage, address: int) -> list[int]:
    """The entries of an import lookup table: ordinals, and addresses of names."""
    if not address:
        return []
    raw = image.view(address, "import lookup table")
    layout = struct.Struct("<Q" if image.wide else "<I")
    found: list[int] = []
    for (value,) in layout.iter_unpack(raw[: len(raw) // layout.size * layout.size]):
        if not value:
            return found
        found.append(value)
    raise ArtifactError(f"import lookup table at address {address:#x} has no end")


def _libraries(image: PeImage) -> Iterator[tuple[int, int, int, int, bool]]:
    """Of each import descriptor: the addresses of the library's name, of the table of names and of that of
    addresses, what is subtracted from addresses in it, whether the import is delayed.
    """
    for names, _, _, library, addresses in _descriptors(image, DIRECTORY_IMPORT, _DESCRIPTOR):
        if not library:
            return
        yield library, names or addresses, addresses, 0, False


def _delayed_libraries(image: PeImage) -> Iterator[tuple[int, int, int, int, bool]]:
    for descriptor in _descriptors(image, DIRECTORY_DELAY_IMPORT, _DELAYED):
        attributes, library, _, addresses, names = descriptor[:5]
        if not library:
            return
        delta = 0 if attributes & _RELATIVE else image.base & 0xFFFFFFFF
        library, names, addresses = ((one - delta) & 0xFFFFFFFF for one in (library, names, addresses))
        yield library, names, addresses, delta, True


def _descriptors(image: PeImage, directory: int, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
    place = image.directory(directory)
    if place is None:
        return
    raw = image.view(place[0], "import table")
    yield from layout.iter_unpack(raw[: len(raw) // layout.size * layout.size])
    raise ArtifactError(f"import table at address {place[0]:#x} has no end")
