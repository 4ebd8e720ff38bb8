"""The two sides of a comparison and the whole result. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from linkage.compare.change_groups import ChangeGroup


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """A toolchain, or a snapshot of one."""

    name: str
    version: str
    llvm: str
    fingerprint: str
    linkers: Mapping[str, int] = field(default_factory=dict)
    """What linked its linked outputs, as they say themselves, and how many."""
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
    """It could have been: a compiler that hung, a file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found."""

    base: ComparedSide
    head: ComparedSide
    compared: int
    groups: tuple[ChangeGroup, ...]
    left: tuple[NotCompared, ...]
    disabled_filters: tuple[str, ...] = ()
    linker: str = ""
    """Which one both sides were told to use."""
    unmet: tuple[str, ...] = ()
    """Differences that were meant and did not occur, each in words."""
    bytes: tuple[int, int] = (0, 0)
    """Of all outputs that were compared, for each side."""

    @property
    def unexpected(self) -> tuple[ChangeGroup, ...]:
        return tuple(one for one in self.groups if not one.expected)

    @property
    def same(self) -> bool:
        """Whether all that was compared is the same, or differs as was meant, and all could be compared."""
        return not self.unexpected and not self.unmet and not any(one.error for one in self.left)
