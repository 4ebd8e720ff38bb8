"""A claim about an artifact that does not hold, and the command that shows it."""

from dataclasses import dataclass

from linkage.judge.formats import command_for
from linkage.judge.name_set import Mismatch
from linkage.judge.verdict import OtherVariant
from linkage.judge.view import View, is_foreign

# The commands that show what a claim is about, with the file as `{file}`.
SYMBOLS = "readelf -sW {file}"
DYNAMIC_SYMBOLS = "readelf --dyn-syms -W {file}"
DYNAMIC = "readelf -dW {file}"
SECTIONS = "readelf -SW {file}"
HEADERS = "readelf -hlW {file}"
NOTES = "readelf -nW {file}"
MEMBERS = "ar t {file}"


@dataclass(frozen=True, slots=True)
class FailedClaim:
    """A claim that does not hold, or cannot be judged: its key, why, and the command that shows it."""

    key: str
    mismatch: Mismatch
    look: str
    member: str = ""
    """The archive's member that it is about."""
    other: OtherVariant | None = None
    """The variant that it compares with."""


def fitting(look: str, view: View) -> str:
    """The command that shows a table, for a file of this format."""
    facts = view.facts
    if facts.error is not None or is_foreign(facts):
        return "file {file}" if look.startswith(("readelf", "nm", "ar t", "objdump")) else look
    if any(part.object is None and part.bitcode is not None for part in view.parts):
        return look.replace("readelf -sW", "llvm-nm")
    return command_for(look, next((one.kind for one in view.objects), facts.kind))


def braced(text: str) -> str:
    """A text as a part of a format string."""
    return text.replace("{", "{{").replace("}", "}}")
