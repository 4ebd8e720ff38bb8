"""What is asked of the readers beyond an artifact's tables."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """Functions whose outgoing references, and sections whose bytes, are to be among the facts."""

    references: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()


NOTHING = Wanted()

COMMENT = ".comment"

COMPARED = "\x1acompared\x1a"
"""Among `references` it stands for what a comparison of two compilers looks at: the references of every
function that other languages can call (defined, visible, its name not mangled) and, of a linked file,
the section `.comment`, in which linkers and compilers leave their names."""
