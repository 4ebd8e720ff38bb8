"""A fault: the command lines that it applies to, and what it changes in them or in their outputs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mutants.faults.call import Call


@dataclass(frozen=True)
class CompilerOutputs:
    """The files that the real rustc has written."""

    call: Call
    files: tuple[Path, ...]
    before: dict[Path, bytes]
    """The earlier contents of those that existed before, if the fault needs them."""

    def named(self, *suffixes: str) -> Iterator[Path]:
        return (file for file in self.files if file.name.endswith(suffixes) and file.is_file())

    def elf(self) -> Iterator[Path]:
        """Linked files: shared libraries and programs."""
        for file in self.files:
            if file.is_file() and file.suffix in ("", ".so") and file.read_bytes()[:4] == b"\x7fELF":
                yield file


@dataclass(frozen=True)
class Fault:
    """One thing that a broken compiler does wrong."""

    name: str
    stands_for: str
    """The pull request, or the kind of mistake."""
    applies: Callable[[Call], bool]
    breaks: tuple[str, ...]
    """The keys of the claims that are likely to detect it: they are tried first."""
    argv: Callable[[Call], list[str]] | None = None
    """The arguments that rustc is called with instead."""
    linker: Callable[[list[str]], list[str]] | None = None
    """The arguments that the linker is called with instead."""
    outputs: Callable[[CompilerOutputs], None] | None = None
    """Changes the outputs of a compilation that has succeeded."""
    refused: Callable[[Call], None] | None = None
    """Runs after a compilation that has failed."""
    said: Callable[[str], str] | None = None
    """Changes a line of stderr."""
    printed: Callable[[str], str] | None = None
    """Changes what is written to stdout."""
    status: Callable[[int], int] | None = None
    runs: bool = True
    """Whether the real rustc is started."""
    keeps_before: bool = False
    needs: str = ""
    """The -Z flag that a compiler must have to have the fault."""
    on: Literal["success", "failure"] = "success"
    """Whether it shows in compilations that are expected to succeed, or to fail."""


def dropped(
    name: str,
    stands_for: str,
    *patterns: str,
    breaks: Sequence[str],
    also: Callable[[Call], bool] = lambda _: True,
    with_: Sequence[str] = (),
    needs: str = "",
) -> Fault:
    """A fault that ignores these flags, and those of `with_` together with them."""
    return Fault(
        name,
        stands_for,
        lambda call: call.compiles and call.has(*patterns) and also(call),
        tuple(breaks),
        argv=lambda call: call.without(*patterns, *with_),
        needs=needs,
    )
