"""The producer of bitcode and the compiler of metadata, in every form in which they occur."""

import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.facts import Bitcode, Metadata

SNAPPY = b"\xff\x06\x00\x00sNaPpY"
VERSION = b"rustc 1.48.0"
INNER = b"rust\0\0\0\x05" + b"\0\0\x13\x0b" + bytes([len(VERSION)]) + VERSION


@pytest.fixture(scope="module")
def version(rustc: str) -> str:
    done = subprocess.run([rustc, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _chunk(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + (len(body) + 4).to_bytes(3, "little") + b"\0\0\0\0" + body


def _metadata(data: bytes) -> Metadata:
    found = read_bytes(data).metadata
    assert found is not None
    return found


def test_metadata_of_this_compiler(built: dict[str, Path], version: str) -> None:
    raw = read(built["metadata"]).metadata
    library = read(built["dylib"]).object
    archive = read(built["rlib"]).archive
    assert library is not None
    assert archive is not None
    (member,) = [member for member in archive.members if member.name == "lib.rmeta"]
    for found in (raw, library.metadata, member.metadata):
        assert found is not None
        assert found.rustc == version
    cdylib = read(built["cdylib"]).object
    assert cdylib is not None
    assert cdylib.metadata is None


def test_bitcode_of_this_compiler(built: dict[str, Path]) -> None:
    data = built["bitcode"].read_bytes()
    raw = read_bytes(data).bitcode
    assert raw is not None
    assert raw.producer is not None
    assert raw.producer.startswith("LLVM")
    assert (raw.form, raw.size) == ("raw", len(data))
    wrapped = struct.pack("<IIIII", 0x0B17C0DE, 0, 20, len(data), 7) + data
    assert read_bytes(wrapped).bitcode == Bitcode("wrapped", len(wrapped), raw.producer, raw.symbols)
    error = read_bytes(wrapped[:40]).error
    assert error is not None
    assert error.startswith("wrapped bitcode at offset 0x14")


def test_bitcode_in_a_section(built: dict[str, Path]) -> None:
    """An rlib's objects carry bitcode, unless its compiler was built or told to leave it out."""
    archive = read(built["rlib"]).archive
    assert archive is not None
    with_bitcode = [m for m in archive.members if m.object and m.object.sections.named(".llvmbc")]
    assert with_bitcode
    for member in with_bitcode:
        assert member.bitcode is not None
        assert member.bitcode.form == "section"
        assert member.bitcode.producer is not None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (INNER, Metadata(5, "rustc 1.48.0", len(INNER), compressed=False)),
        (INNER[:8] + SNAPPY + _chunk(1, INNER), Metadata(5, "rustc 1.48.0", 51, compressed=True)),
        (
            INNER[:8] + b"\0\0\0\x33" + SNAPPY + _chunk(1, INNER),
            Metadata(5, "rustc 1.48.0", 55, compressed=True),
        ),
        (INNER[:8] + b"\x19" + b"\0" * 7 + INNER, Metadata(5, "rustc 1.48.0", 41, compressed=False)),
        (INNER[:8], Metadata(5, None, 8, compressed=False)),
        (INNER[:20], Metadata(5, None, 20, compressed=False)),
    ],
)
def test_older_forms(data: bytes, expected: Metadata) -> None:
    assert _metadata(data) == expected


def test_metadata_that_is_deflated() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = INNER[:8] + packer.compress(INNER * 50) + packer.flush()
    assert _metadata(data) == Metadata(5, "rustc 1.48.0", len(data), compressed=True)


def test_metadata_as_1_48_compresses_it() -> None:
    """The beginning of the `.rustc` section of a dylib by rustc 1.48: a literal, a copy, a literal."""
    chunk = bytes.fromhex(
        "9a273072757374000000050000130b0c010df09063 20312e34382e3003737464bcb7a38df2e5f2d89d01"
    )
    stream = SNAPPY + b"\x00" + (len(chunk) + 4).to_bytes(3, "little") + b"\0\0\0\0" + chunk
    assert _metadata(INNER[:8] + stream).rustc == "rustc 1.48.0"


def test_metadata_that_ends_after_its_magic() -> None:
    assert read_bytes(INNER[:7]).error == (
        "metadata header at offset 0x0, 8 bytes, reaches beyond the end of the file (7 bytes)"
    )
