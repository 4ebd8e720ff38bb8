"""What the readers are asked for beyond an artifact's tables."""

from collections.abc import Callable
from dataclasses import dataclass, field

MemberFile = Callable[[str], memoryview]
"""The content of a file that a thin archive refers to by this name. Raises ArtifactError."""


@dataclass(frozen=True, slots=True)
class FactsRequest:
    """Functions whose outgoing references, and sections whose bytes, are to be among the facts."""

    references: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    for_comparison: bool = False
    """Whether two compilers are compared: then also the references of every function that other languages
    can call (defined, visible, its name not mangled) and, of a linked file, the section `.comment`, in which
    linkers and compilers leave their names."""

    member_file: MemberFile | None = field(default=None, compare=False)
    """Reads what a thin archive refers to; without it, its members are not read."""


COMMENT = ".comment"
