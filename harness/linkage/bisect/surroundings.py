"""What an outcome depends on beside the commits of rustc: the linker, LLVM, and who built std."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from linkage.bisect.axis import is_full_commit
from linkage.bisect.nightlies import MANIFEST
from linkage.compare.variant import linker_of
from linkage.errors import ToolchainError
from linkage.run.session import Session
from linkage.toolchain import Toolchain
from linkage.toolchain.query import ask

_PROGRAM = "fn main() {}\n"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a toolchain brings or finds on the machine, each as text."""

    linker: str
    llvm: str
    std: str


def surroundings(session: Session, toolchain: Toolchain) -> Surroundings:
    """What this toolchain links with by default, its LLVM, and where its std is from."""
    llvm = toolchain.llvm_version or "none"
    return Surroundings(session.linker or _linker(session, toolchain), llvm, _std(toolchain))


def differing(before: Surroundings, after: Surroundings) -> tuple[str, ...]:
    """What differs between two toolchains, in words."""
    pairs = (
        ("linker", before.linker, after.linker),
        ("LLVM", before.llvm, after.llvm),
        ("std", before.std, after.std),
    )
    return tuple(f"{name}: {old} → {new}" for name, old, new in pairs if old != new)


def _linker(session: Session, toolchain: Toolchain) -> str:
    """What links a program by default: asked of the program, since rustc does not tell."""
    with tempfile.TemporaryDirectory(prefix="linkage-linker-", ignore_cleanup_errors=True) as folder:
        source, program = Path(folder, "linked.rs"), Path(folder, "linked")
        source.write_text(_PROGRAM)
        try:
            answer = ask(
                [toolchain.rustc, "-o", program, source],
                session.environment,
                who=toolchain.name,
                cwd=Path(folder),
            )
            content = program.read_bytes() if answer.status == 0 else b""
        except (ToolchainError, OSError):
            content = b""
    if not content:
        return "unknown (it links no program)"
    # A linker leaves its name in `.comment`, as text between zero bytes; bfd leaves none.
    named = linker_of(content.replace(b"\0", b"\n").decode("latin-1"))
    return f"the host's {session.machine.versions.get('ld', 'ld')}" if named.startswith("unnamed") else named


def _std(toolchain: Toolchain) -> str:
    if toolchain.package:
        return f"Debian's {toolchain.package}"
    if is_full_commit(toolchain.name) or (toolchain.sysroot / MANIFEST).is_file():
        return "rust-lang's"  # CI's artifacts of a merge, or a release channel's
    return "of unknown origin"
