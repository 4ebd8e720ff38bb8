"""Small cases, planned on fake toolchains and run on real ones."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from linkage.case.reader import parse_case
from linkage.judge.verdict import Verdict
from linkage.plan.command import Glob
from linkage.plan.operations import Write
from linkage.plan.plan import Plan, PlannedStep, Variant, plan
from linkage.plan.template import Template
from linkage.run.session import Session
from linkage.run.workspace import Workspace
from linkage.toolchain.model import Capabilities, OutputName, Target, Toolchain
from linkage.toolchain.release import RustcVersion

HOST = "x86_64-unknown-linux-gnu"
ARM = "aarch64-unknown-linux-gnu"
WINDOWS = "x86_64-pc-windows-gnu"
CASE = """\
summary: A case
sources: {lib.rs: '', main.rs: '', user.rs: '', two-words.rs: '', main.c: '', more.c: '', main.cpp: ''}
"""


def _target(triple: str) -> Target:
    windows = "windows" in triple
    prefix, shared, program = ("", ".dll", ".exe") if windows else ("lib", ".so", "")
    outputs = [("bin", "", program), ("rlib", "lib", ".rlib"), ("staticlib", "lib", ".a")]
    outputs += [(name, prefix, shared) for name in ("dylib", "cdylib", "proc-macro")]
    return Target(
        triple,
        Path(f"/rust/lib/rustlib/{triple}/lib"),
        has_core=True,
        has_std=True,
        dynamic_std=triple == HOST,
        std_bitcode=True,
        profiler=False,
        sanitizers=frozenset({"address"}),
        outputs=tuple(OutputName(*names) for names in outputs if triple != ARM or names[0] != "dylib"),
    )


def toolchain(version: str = "1.97.0-nightly") -> Toolchain:
    """A toolchain of this version that is nowhere."""
    parsed = RustcVersion.parse(version)
    known = Capabilities(
        Path("/rust/bin/rustc"),
        Path("/rust"),
        RustcVersion(parsed.release, parsed.channel, None, "0" * 40, date(2026, 5, 18)),
        HOST,
        "22.1.2",
        frozenset({"no-link", "link-only", "dylib-lto"}),
        frozenset({"lto"}),
        needs_bootstrap=parsed.channel.value == "stable",
        targets=(_target(HOST), _target(ARM), _target(WINDOWS)),
        backends=frozenset({"llvm"}),
        rust_lld=None,
    )
    return Toolchain("made", "made", known.rustc, "f1", known)


def variant(text: str, cell: int = 0, made: Toolchain | None = None) -> Variant:
    """A cell of a case; `text` is the whole case, or what follows its summary and sources."""
    whole = text if text.startswith("summary:") else CASE + text
    case = parse_case(whole, Path("/nowhere/case.yaml"), "case.yaml")
    return Variant(case, case.rows[cell], made or toolchain())


def planned(text: str, cell: int = 0, made: Toolchain | None = None) -> Plan:
    """The plan of a cell of a case; `text` as for `variant`, or its list of steps."""
    return plan(variant(text if not text.startswith("  -") else f"steps:\n{text}", cell, made))


def words(step: PlannedStep) -> list[str]:
    """A step's command line: a glob in angle brackets, the working folder as $WORK."""
    assert step.command is not None
    return [f"<{word}>" if isinstance(word, Glob) else str(word) for word in step.command.argv]


def lines(text: str, cell: int = 0, made: Toolchain | None = None) -> list[str]:
    """The command lines of a case's processes."""
    return [" ".join(words(step)) for step in planned(text, cell, made).flat() if step.command is not None]


def operate(workspace: Workspace, step: str, *, umask: int = 0o022) -> None:
    """Carry out one file operation, as a case writes it."""
    made = planned(f"  - {{{step}}}\n")
    operation = made.steps[0].operation
    assert operation is not None
    if isinstance(operation, Write) and isinstance(operation.content, Template):
        operation = replace(operation, content=str(operation.content).encode())
    workspace.operate(operation, {"lib.rs": b"new", "deep/mod.rs": b"deep"}, umask)


def verdicts(session: Session, text: str, made: Toolchain, folder: Path) -> list[Verdict]:
    """The verdicts on every variant of a case that stands in a folder."""
    (folder / "case.yaml").write_text(text)
    case = parse_case(text, folder / "case.yaml", "case.yaml")
    return [session.verdict(Variant(case, row, made)) for row in case.rows]
