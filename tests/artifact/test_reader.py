"""The table of formats is total: every reader has its row, and each file is recognised by one of them."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from linkage import artifact
from linkage.artifact import read, read_bytes
from linkage.artifact.reader import FORMATS
from linkage.errors import ArtifactError
from support.no_core_fixtures import NoCoreBuild

FOLDER = Path(artifact.__file__).parent
MODULES = (
    ("elf", "elf"), ("macho", "macho"), ("archive", "macho"), ("wasm", "wasm"), ("archive", "ar"),
    ("archive", "aix_archive"), ("xcoff", "xcoff"), ("bitcode", "bitcode"), ("metadata", "metadata"),
    ("pe", "coff"), ("coff", "coff"),
)  # fmt: skip
"""The kind of each row, and where its reader is."""


_EMPTY_PE = b"".join(
    (
        b"MZ".ljust(0x3C, b"\0"), struct.pack("<I", 0x40), b"PE\0\0",
        struct.pack("<HHIIIHH", 0x8664, 0, 0, 0, 0, 112, 0x22), struct.pack("<H", 0x20B).ljust(112, b"\0"),
    )
)  # fmt: skip
"""A program for x86_64 without sections and without directories."""


@pytest.fixture(scope="module")
def samples(built: dict[str, Path], foreign: Callable[[str], Path], no_core: NoCoreBuild) -> Sequence[bytes]:
    """A file of the format of each row."""
    macho = foreign("aarch64-apple-darwin").read_bytes()
    universal = struct.pack(">IIIIIII", 0xCAFEBABE, 1, 0x0100000C, 0, 28, len(macho), 0) + macho
    rlib, *rest = (built[name].read_bytes() for name in ("rlib", "bitcode", "metadata"))
    xcoff = foreign("powerpc64-ibm-aix").read_bytes()
    aix = no_core("powerpc64-ibm-aix", "--crate-type=rlib", output="liblib.a").read_bytes()
    wasm, coff = (foreign(one).read_bytes() for one in ("wasm32-unknown-unknown", "x86_64-pc-windows-gnu"))
    object_ = built["object"].read_bytes()
    return object_, macho, universal, wasm, rlib, aix, xcoff, *rest, _EMPTY_PE, coff


def test_every_reader_has_a_row() -> None:
    """Every folder is an object format or the metadata; a module is a format if it knows a magic number."""
    folders = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    modules = {path.stem for path in FOLDER.glob("*.py") if "\nMAGIC = " in path.read_text("utf-8")}
    assert folders | modules == {module for _, module in MODULES}
    assert [one.kind for one in FORMATS] == [kind for kind, _ in MODULES]


def test_a_file_is_of_one_format(samples: Sequence[bytes]) -> None:
    for position, data in enumerate(samples):
        recognised = [one.recognizes(memoryview(data)) for one in FORMATS]
        assert recognised == [other == position for other in range(len(FORMATS))]


@pytest.mark.parametrize("position", range(len(FORMATS)), ids=lambda at: f"{FORMATS[at].kind}-{at}")
def test_each_row_reads_what_it_recognises(position: int, samples: Sequence[bytes]) -> None:
    facts = read_bytes(samples[position])
    found = (facts.object, facts.archive, facts.bitcode, facts.metadata)
    kinds = (facts.object and facts.object.kind, "archive", "bitcode", "metadata")
    assert facts.kind == FORMATS[position].kind
    assert facts.error is None
    assert [kind for kind, one in zip(kinds, found, strict=True) if one is not None] == [facts.kind]


def test_what_is_not_a_regular_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as raised:
        read(tmp_path)
    assert str(raised.value) == f"{tmp_path}: not a regular file"
    with pytest.raises(ArtifactError) as raised:
        read(tmp_path / "gone")
    assert str(raised.value) == f"{tmp_path / 'gone'}: cannot be read: No such file or directory"
