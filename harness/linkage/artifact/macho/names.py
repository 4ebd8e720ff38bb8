r"""Names as the source spells them: without the `_` that the platform puts before each.

What does not have it (the symbols of assembly, `dyld_stub_binder`, labels as `ltmp0`) keeps its name. If a
file has `_foo` and `foo`, the source's `foo` is the former, and the latter is called `\01foo`, as LLVM's IR
spells a name to which nothing is added.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import add

from linkage.artifact.bounds import check_length, check_names
from linkage.errors import ArtifactError

PREFIX = "_"
VERBATIM = rb"\01"
"""Before a name without the prefix that would be taken for another one."""

_HAS_PREFIX = bytes(byte == ord(PREFIX) for byte in range(256))
_LACKS_PREFIX = bytes(byte not in (0, ord(PREFIX)) for byte in range(256))
_OVERLAP = 1 << 24  # bytes; names may be the ends of others
_FEW = 1 << 22  # bytes; searching so many takes less time than a set of all names


@dataclass(slots=True)
class NameColumn:
    """The names of a table: a string table, and where each symbol's begins, the prefix left out.

    `firsts` are the first bytes of the raw names: a name without the prefix may begin where another one goes
    on after it, as string tables keep the ends of names once.
    """

    strings: bytes
    offsets: list[int]
    firsts: bytes

    @classmethod
    def of(cls, strings: bytes, raw_offsets: Sequence[int], what: str) -> "NameColumn":
        """The names at these offsets. `strings` ends with a NUL; ArtifactError if one is beyond its end."""
        check_names(raw_offsets, strings, what)
        check_length(len(raw_offsets), strings)
        firsts = bytes(map(strings.__getitem__, raw_offsets))
        return cls(strings, list(map(add, raw_offsets, firsts.translate(_HAS_PREFIX))), firsts)

    def verbatim_names(self) -> set[bytes]:
        """The names without the prefix."""
        offsets = set(compress(self.offsets, self.firsts.translate(_LACKS_PREFIX)))
        return set(names_at(self.strings, offsets, "a symbol"))

    def prefixed(self, candidates: Iterable[bytes]) -> set[bytes]:
        """Those of these names that are also the rest of a name with the prefix."""
        wanted = set(candidates)
        if len(wanted) * len(self.strings) < _FEW:
            wanted = {one for one in wanted if PREFIX.encode() + one + b"\0" in self.strings}
        if not wanted:
            return wanted
        offsets = set(compress(self.offsets, self.firsts.translate(_HAS_PREFIX)))
        return wanted.intersection(names_at(self.strings, offsets, "a symbol"))

    def mark(self, names: set[bytes]) -> None:
        """Call these names, where they lack the prefix, by what LLVM's IR calls them."""
        indexes = list(compress(range(len(self.offsets)), self.firsts.translate(_LACKS_PREFIX)))
        found = names_at(self.strings, [self.offsets[index] for index in indexes], "a symbol")
        added, size = dict.fromkeys(names, 0), len(self.strings)
        for name in added:
            added[name] = size
            size += len(VERBATIM) + len(name) + 1
        self.strings += b"".join(VERBATIM + name + b"\0" for name in added)
        for index, name in zip(indexes, found, strict=True):
            self.offsets[index] = added.get(name, self.offsets[index])


def raw_names(columns: Sequence[NameColumn]) -> Mapping[str, str]:
    """The names without the prefix in a file's tables, by what they are called from now on."""
    verbatim = set[bytes]().union(*(one.verbatim_names() for one in columns))
    if not verbatim:
        return {}
    doubled = set[bytes]().union(*(one.prefixed(verbatim) for one in columns))
    if doubled:
        for one in columns:
            one.mark(doubled)
    return {_text(VERBATIM + name if name in doubled else name): _text(name) for name in sorted(verbatim)}


def names_at(strings: bytes, offsets: Collection[int], what: str) -> list[bytes]:
    """The raw names at these offsets of a string table that ends with a NUL.

    ArtifactError if one is beyond its end, or if the names overlap so that they take many times its size.
    """
    check_names(offsets, strings, what)
    found, left = [], _OVERLAP + 8 * len(strings)
    for offset in offsets:
        name = strings[offset : strings.index(b"\0", offset)]
        left -= len(name)
        if left < 0:
            raise ArtifactError(
                f"{what}'s name overlaps others: they take more than {8 * len(strings)} bytes"
            )
        found.append(name)
    return found


def source_name(name: bytes, raw: Mapping[str, str]) -> str:
    """A single raw name as it is called in a file with these `raw_names`."""
    if name.startswith(PREFIX.encode()):
        return _text(name[len(PREFIX) :])
    marked = _text(VERBATIM + name)
    return marked if marked in raw else _text(name)


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
