"""The file that `linkage probe --save` writes and `--like` reads: the failures of a case's variants."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from linkage.bisect.signature import ProbeResult
from linkage.errors import LinkageError
from linkage.host.decoding import MALFORMED
from linkage.host.files import OutputFile


class SavedSignatures(msgspec.Struct):
    """The results of a case's variants on a failing compiler."""

    case: str
    toolchain: str
    variants: Mapping[str, ProbeResult]


def save(file: OutputFile, saved: SavedSignatures) -> None:
    """Write the file. Raises LinkageError if it cannot be written."""
    file.write(msgspec.json.format(msgspec.json.encode(saved), indent=1).decode() + "\n")


def load(place: str, case: str) -> Mapping[str, ProbeResult]:
    """The results that were saved for this case, by variant. Raises LinkageError."""
    try:
        saved = msgspec.json.decode(Path(place).read_bytes(), type=SavedSignatures)
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=place) from None
    except MALFORMED as error:
        raise LinkageError(
            f"is not a signature: {error}", where=place, help="write one with: linkage probe CASE --save FILE"
        ) from None
    if Path(saved.case).name != Path(case).name:
        # None of its variants would be found, so all would be good, whatever they show.
        raise LinkageError(
            f"is the signature of {saved.case}, not of {case}", where=place, help=f"probe {saved.case}"
        )
    return saved.variants
