"""What is asked of the readers beyond an artifact's tables."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """Functions whose outgoing references, and sections whose bytes, are to be among the facts."""

    references: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()


NOTHING = Wanted()
