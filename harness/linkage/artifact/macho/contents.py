"""The bytes of named sections."""

from collections.abc import Sequence

from linkage.artifact.compression import contents_by_name
from linkage.artifact.macho.file import MachoFile


def read_contents(macho: MachoFile, names: Sequence[str]) -> dict[str, bytes]:
    """The content of every section that is there, by name (`__TEXT,__cstring`); several of one name one after
    the other. One that only takes memory has none. ArtifactError if a content is too large.
    """
    return contents_by_name(
        names, lambda name: map(macho.content, macho.named(name.encode(errors="surrogatepass")))
    )
