"""Formats that are recognized but not read: each has a name."""

import pytest

from linkage.artifact import read_bytes
from linkage.artifact.foreign import foreign_format


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (b"MZ\xff" + bytes(90), "MS-DOS"),
        (b"MZ\xff", "MS-DOS"),
        (b"\xca\xfe\xba\xbe\0\0\0\x41\xff", "Java class"),
        (b"<aiaff>\n\0", "AIX small archive"),
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
