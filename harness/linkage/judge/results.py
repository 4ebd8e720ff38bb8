"""A verdict as the store keeps it: the variant, the compiler, and the verdict. Plain data."""

import msgspec

from linkage.toolchain import Toolchain
from linkage.toolchain.version import RustcVersion


class Compiler(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Which compiler a result is about."""

    name: str
    """As node ids have it."""
    version: str
    """With the commit and its date, if known."""
    fingerprint: str

    @classmethod
    def of(cls, toolchain: Toolchain) -> "Compiler":
        return cls(toolchain.name, str(toolchain.version), toolchain.fingerprint)

    @property
    def age(self) -> tuple[bool, RustcVersion, str]:
        """The sort key of compilers, from the oldest release to the newest; an unknown release comes last."""
        try:
            return False, RustcVersion.parse_shown(self.version), self.name
        except ValueError:
            return True, RustcVersion((0, 0, 0)), self.name


class KeptFailure(msgspec.Struct, frozen=True, array_like=True):
    """A claim that did not hold."""

    step: str
    claim: str
    found: str
    error: bool = False
    """It could not be judged."""
    where: str = ""
    """file:line:column of the claim, in the case as it was then."""


class KeptBug(msgspec.Struct, frozen=True, array_like=True):
    """A known bug that a verdict named."""

    name: str
    note: str | None = None


class KeptResult(msgspec.Struct, frozen=True, array_like=True):
    """The latest verdict on a cell of a case with a compiler."""

    case: str
    """The case's file, from the root."""
    cell: str
    """The variant's id without its toolchain; empty if the case has no matrix."""
    compiler: Compiler
    outcome: str
    reason: str = ""
    bugs: tuple[KeptBug, ...] = ()
    failures: tuple[KeptFailure, ...] = ()
    obtained: str = ""
    """When and where the newest of its steps was first obtained; empty for a skip."""
    seconds: float = 0.0
    when: float = 0.0
    """When it was judged, as seconds since 1970."""
    sources: str = ""
    """The digest of the case's file and sources then, as `Case.digest` has it."""
    tools: str = ""
    """The key of the machine's tools then, as in `Results.tools_of`; empty if not recorded."""

    @property
    def key(self) -> tuple[str, str, Compiler]:
        """What a newer result replaces."""
        return self.case, self.cell, self.compiler
