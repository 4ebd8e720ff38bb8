"""The bytes of named sections."""

from collections.abc import Sequence

from linkage.artifact.compression import check_size
from linkage.artifact.macho.file import MachoFile


def read_contents(macho: MachoFile, names: Sequence[str]) -> dict[str, bytes]:
    """The content of every section that is there, by name (`__TEXT,__cstring`); several of one name one after
    the other. One that only takes memory has none. ArtifactError if a content is too large.
    """
    found: dict[str, bytes] = {}
    for name in names:
        for number in macho.named(name.encode(errors="surrogatepass")):
            content = macho.content(number)
            check_size(len(found.get(name, b"")) + len(content), name)
            found[name] = found.get(name, b"") + bytes(content)
    return found
