"""The two sides of a comparison and the whole result. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from linkage.compare.change_groups import ChangeGroup
from linkage.compare.model import VariantBuild


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """A toolchain, or a snapshot of one."""

    name: str
    version: str
    llvm: str
    fingerprint: str
    linkers: Mapping[str, int] = field(default_factory=dict)
    """How many outputs each linker linked, according to the outputs."""
    bootstrap: int = 0
    """In how many variants RUSTC_BOOTSTRAP=1 was set."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """The versions of the C compiler, the linkers and the archiver."""
    snapshot: str = ""
    """The file that it was taken from."""


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A variant that was not compared, with the reason."""

    variant: str
    reason: str
    error: bool = False
    """Whether that is an error: a compiler that hung, a file that cannot be read."""


BuildResult = VariantBuild | NotCompared


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison."""

    base: ComparedSide
    head: ComparedSide
    compared: int
    groups: tuple[ChangeGroup, ...]
    not_compared: tuple[NotCompared, ...]
    disabled_filters: tuple[str, ...] = ()
    linker: str = ""
    """The linker that both sides were told to use."""
    unmet: tuple[str, ...] = ()
    """Expected changes that did not occur."""
    bytes: tuple[int, int] = (0, 0)
    """The size of all outputs that were compared, for each side."""

    @property
    def unexpected(self) -> tuple[ChangeGroup, ...]:
        return tuple(one for one in self.groups if not one.expected)

    @property
    def same(self) -> bool:
        """Whether all variants could be compared, with no changes except expected ones."""
        return not self.unexpected and not self.unmet and not any(one.error for one in self.not_compared)
