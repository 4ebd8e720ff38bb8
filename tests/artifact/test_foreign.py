"""Formats that are recognized but not read: each has a name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.artifact import read, read_bytes
from linkage.artifact.foreign import foreign_format


@pytest.mark.parametrize(
    ("target", "format_"),
    [
        ("powerpc64-ibm-aix", "XCOFF"),
    ],
)  # fmt: skip
def test_what_rustc_writes_for_other_systems(
    foreign: Callable[[str], Path], target: str, format_: str
) -> None:
    facts = read(foreign(target))
    assert facts.other is not None
    assert (facts.kind, facts.other.format, facts.other.text) == ("other", format_, None)


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (b"MZ\xff" + bytes(90), "MS-DOS"),
        (b"MZ\xff", "MS-DOS"),
        (b"\xca\xfe\xba\xbe\0\0\0\x41\xff", "Java class"),
        (b"<bigaf>\n\0", "AIX archive"),
        (b"\0asm\x0d\0\1\0", "WebAssembly component"),
        (b"", None),
    ],
)
def test_a_format_by_its_first_bytes(content: bytes, format_: str | None) -> None:
    assert foreign_format(memoryview(content)) == format_


def test_text_is_not_another_format() -> None:
    other = read_bytes(b"MZ said no more").other
    assert other is not None
    assert (other.text, other.format) == ("MZ said no more", None)
