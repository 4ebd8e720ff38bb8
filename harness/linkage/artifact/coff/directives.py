"""What an object asks of the linker: the section `.drectve`.

Format: Microsoft's "PE Format", "The .drectve Section (Object Only)": options as on a command line, whose
quotes keep spaces together; a byte order mark if they are in UTF-8.
"""

import re

SECTION = ".drectve"
_OPTION = re.compile(r'(?:[^\s\0"]|"[^"]*"?)+')
_LIMIT = 1 << 20  # bytes; an object that exports thousands of functions has some 100,000


def linker_options(content: memoryview) -> tuple[str, ...]:
    """The options, without the quotes around what has spaces."""
    text = bytes(content[:_LIMIT]).removeprefix(b"\xef\xbb\xbf").decode(errors="backslashreplace")
    return tuple(one.replace('"', "") for one in _OPTION.findall(text))
