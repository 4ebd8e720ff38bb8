"""What a fault is: to which command lines it applies, and what it does to them or to what they make."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mutants.faults.call import Call


@dataclass(frozen=True)
class CompilerOutputs:
    """What the real rustc has made or written again."""

    call: Call
    files: tuple[Path, ...]
    before: dict[Path, bytes]
    """What stood in those that were there before; only where the fault asks for it."""

    def named(self, *suffixes: str) -> Iterator[Path]:
        return (file for file in self.files if file.name.endswith(suffixes) and file.is_file())

    def elf(self) -> Iterator[Path]:
        """Linked files: shared libraries and programs."""
        for file in self.files:
            if file.is_file() and file.suffix in ("", ".so") and file.read_bytes()[:4] == b"\x7fELF":
                yield file


@dataclass(frozen=True)
class Fault:
    """One thing that a broken compiler does wrong. What is not given it does as it should."""

    name: str
    stands_for: str
    """The pull request or the kind of mistake."""
    applies: Callable[[Call], bool]
    breaks: tuple[str, ...]
    """The claims, by their keys, that are likely to see it: where to look first, no more."""
    argv: Callable[[Call], list[str]] | None = None
    """What rustc is really called with."""
    linker: Callable[[list[str]], list[str]] | None = None
    """What the linker is really called with."""
    outputs: Callable[[CompilerOutputs], None] | None = None
    """What becomes of the files, where the compilation succeeded."""
    refused: Callable[[Call], None] | None = None
    """What it does where the compilation failed."""
    said: Callable[[str], str] | None = None
    """What becomes of a line of standard error."""
    status: Callable[[int], int] | None = None
    runs: bool = True
    """Whether the real rustc is started at all."""
    keeps_before: bool = False
    needs: str = ""
    """The -Z flag without which no compiler can have the fault."""
    on: Literal["success", "failure"] = "success"
    """At which compilations it shows: those that are expected to succeed, or to fail."""


def dropped(
    name: str,
    stands_for: str,
    *patterns: str,
    breaks: Sequence[str],
    also: Callable[[Call], bool] = lambda _: True,
    with_: Sequence[str] = (),
    needs: str = "",
) -> Fault:
    """Flags without effect; those of `with_` go with them."""
    return Fault(
        name,
        stands_for,
        lambda call: call.compiles and call.has(*patterns) and also(call),
        tuple(breaks),
        argv=lambda call: call.without(*patterns, *with_),
        needs=needs,
    )
