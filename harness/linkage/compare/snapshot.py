"""A snapshot: what one toolchain built from the cases, for a later comparison.

gzip (RFC 1952) over JSON lines (https://jsonlines.org): a header, then one line per variant, sorted by name.
The same builds always give the same bytes.
"""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO, TypeVar

import msgspec

from linkage.compare.comparison import BuildResult, ComparedSide, NotCompared
from linkage.compare.model import VariantBuild
from linkage.errors import LinkageError
from linkage.host.decoding import MALFORMED
from linkage.host.terminal import escape

FORMAT = 4
"""Raised if the meaning of the content changes."""
SUFFIX = ".snapshot"
_MAX_BYTES = 1 << 28
"""Uncompressed; all shipped cases take 16 MB."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A toolchain's builds by variant."""

    side: ComparedSide
    builds: Mapping[str, BuildResult]
    disabled_filters: tuple[str, ...] = ()
    linker: str = ""

    @property
    def not_built(self) -> list[NotCompared]:
        return [one for one in self.builds.values() if isinstance(one, NotCompared)]


class _FormatVersion(msgspec.Struct):
    """What every version's header begins with."""

    linkage_snapshot: int


class _SnapshotHeader(_FormatVersion, forbid_unknown_fields=True):
    toolchain: ComparedSide
    disabled_filters: tuple[str, ...]
    linker: str


class _SnapshotLine(msgspec.Struct, forbid_unknown_fields=True):
    """A variant's build, or the reason why there is none."""

    variant: str
    build: VariantBuild | str


_ENCODER = msgspec.json.Encoder(order="deterministic")


def encoded(snapshot: Snapshot) -> bytes:
    """The content of a snapshot's file."""
    header = _SnapshotHeader(FORMAT, snapshot.side, snapshot.disabled_filters, snapshot.linker)
    lines = [
        _SnapshotLine(name, build.reason if isinstance(build, NotCompared) else build)
        for name, build in sorted(snapshot.builds.items())
    ]
    return gzip.compress(_ENCODER.encode_lines([header, *lines]), mtime=0)


def decoded(stream: IO[bytes], file: str) -> Snapshot:
    """Read a snapshot. Raises LinkageError for what `encoded` did not write."""
    try:
        return _decoded(_unpacked(stream), file)
    except ValueError as error:
        help = "take it again with `linkage snapshot TOOLCHAIN -o FILE`"
        raise LinkageError(f"not a usable snapshot: {escape(str(error))}", where=file, help=help) from None


def _unpacked(stream: IO[bytes]) -> bytes:
    try:
        with gzip.open(stream) as unpacked:
            data = unpacked.read(_MAX_BYTES + 1)
    except EOFError:
        raise ValueError("the file is truncated") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"the file is damaged, or of another kind: {error}") from None
    if len(data) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES:,} bytes uncompressed")
    return data


def _decoded(data: bytes, file: str) -> Snapshot:
    first, *rest = data.removesuffix(b"\n").split(b"\n")
    version = _read(first, _FormatVersion, 1).linkage_snapshot
    if version != FORMAT:
        age = "a newer" if version > FORMAT else "an older"
        raise ValueError(f"written by {age} version of linkage (format {version}, not {FORMAT})")
    header = _read(first, _SnapshotHeader, 1)
    lines = [_read(line, _SnapshotLine, number) for number, line in enumerate(rest, 2)]
    names = [line.variant for line in lines]
    if names != sorted(set(names)) or _ENCODER.encode_lines([header, *lines]) != data:
        raise ValueError("it was edited: its lines are not as linkage writes them")
    return Snapshot(
        replace(header.toolchain, snapshot=file),
        {
            line.variant: NotCompared(line.variant, line.build) if isinstance(line.build, str) else line.build
            for line in lines
        },
        header.disabled_filters,
        header.linker,
    )


def _read(line: bytes, kind: type[T], number: int) -> T:
    try:
        return msgspec.json.decode(line, type=kind)
    except MALFORMED as error:
        raise ValueError(f"line {number} of its content: {error}") from None
