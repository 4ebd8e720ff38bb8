"""Cases for other targets on real compilers: mini-core, the halves of a link, and what a machine lacks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.case.reader import parse_case
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Plan, Variant
from linkage.run.session import Session
from linkage.toolchain.model import Toolchain
from support.small_cases import verdicts

EACH_FORMAT = {
    "x86_64-pc-windows-msvc": "lib.dll", "aarch64-apple-darwin": "liblib.dylib",
    "wasm32-unknown-unknown": "lib.wasm", "s390x-unknown-linux-gnu": "liblib.so",
}  # fmt: skip
BARE = """\
summary: A crate without a library
matrix: {{target: [{targets}]}}
mini-core: true
sources:
  lib.rs: |
    #![feature(no_core)]
    #![no_core]
    extern crate mini_std;
    #[no_mangle] pub extern "C" fn allocate() -> *mut u8 {{ mini_std::mini_alloc::allocate(4) }}
steps:
"""
CDYLIB = """\
  - rustc: lib.rs
    crate-type: cdylib
    unstable: true
    produces: {{all: [{file}]}}
    claims: {{lib.cdylib: {claims}}}
"""
HALVES = """\
  - {rustc: lib.rs, crate-type: cdylib, no-link: true, unstable: true}
  - link-only: lib
    claims: {lib.cdylib: {exists: true}, lib.cdylib-import: {exists: true}, lib.cdylib-pdb: {exists: true}}
"""
LINKERS = (
    "rust-lld (a toolchain of rustup has it), s390x-linux-gnu-gcc (gcc-s390x-linux-gnu), ld.lld-22 (lld-22)"
)
SessionOn = Callable[[Path], Session]


@pytest.fixture
def session(session_on: SessionOn, tmp_path: Path) -> Session:
    return session_on(tmp_path / "store")


@pytest.fixture
def compiler(real_toolchain: Toolchain) -> Toolchain:
    if real_toolchain.capabilities.rust_lld is None:
        pytest.skip(f"{real_toolchain.name} has no rust-lld")
    if real_toolchain.version.release < (1, 94, 0):
        pytest.skip("mini-core needs a compiler of 1.94")
    return real_toolchain


def reasons(found: list[Verdict]) -> list[str]:
    return [one.reason for one in found]


def outcomes(found: list[Verdict]) -> list[tuple[VerdictKind, str, list[str]]]:
    return [(one.outcome, one.reason, [failure.found for failure in one.failures]) for one in found]


@pytest.mark.parametrize("target", EACH_FORMAT)
def test_a_library_of_each_object_format(
    target: str, session: Session, compiler: Toolchain, tmp_path: Path
) -> None:
    text = BARE.format(targets=target) + CDYLIB.format(file=EACH_FORMAT[target], claims="{exists: true}")
    assert outcomes(verdicts(session, text, compiler, tmp_path)) == [(VerdictKind.PASS, "", [])]


def test_a_role_of_another_format_is_told_from_elf(
    session: Session, compiler: Toolchain, tmp_path: Path
) -> None:
    target = "x86_64-pc-windows-msvc"
    text = BARE.format(targets=target) + CDYLIB.format(file="lib.dll", claims="{exists: true}")
    text = text.replace("sources:\n", "sources:\n  lib.c: int f;\n")
    text += f"""\
  - cc: lib.c
    id: other
    kind: shared
    output: lib.dll
    target: {compiler.host}
    claims: {{lib.cdylib: {{exists: true}}}}
"""
    (found,) = verdicts(session, text, compiler, tmp_path)
    assert outcomes([found]) == [(VerdictKind.ERROR, "", ["lib.dll: expected a PE file, found an ELF file"])]


def test_the_halves_of_a_link_for_another_target(
    session: Session, compiler: Toolchain, tmp_path: Path
) -> None:
    text = BARE.format(targets="x86_64-pc-windows-msvc") + HALVES
    assert outcomes(verdicts(session, text, compiler, tmp_path)) == [(VerdictKind.PASS, "", [])]


def test_what_a_machine_lacks_is_a_skip_that_names_it(
    session_on: SessionOn, compiler: Toolchain, tmp_path: Path
) -> None:
    session = session_on(tmp_path / "store")
    session.environment = {**session.environment, "PATH": str(tmp_path)}
    text = BARE.format(targets="s390x-unknown-linux-gnu, powerpc64-ibm-aix")
    step = CDYLIB.format(file="liblib.so", claims="{exists: true}")
    own = replace(compiler, capabilities=replace(compiler.capabilities, rust_lld=None))
    assert reasons(verdicts(session, text + step, own, tmp_path)) == [
        f"no linker for s390x-unknown-linux-gnu: {LINKERS}",
        "no linker is known for powerpc64-ibm-aix (help: describe one in linkage.toml, see docs/targets.md)",
    ]
    run = "  - {run: ./elsewhere, exit: 0}\n"
    ran = verdicts(session, BARE.format(targets="s390x-unknown-linux-gnu") + run, own, tmp_path)
    assert reasons(ran) == [
        "no runner for s390x-unknown-linux-gnu: qemu-s390x (qemu-user, gcc-s390x-linux-gnu)"
    ]
    std = (
        BARE.format(targets="s390x-unknown-linux-gnu")
        .replace("#![no_core]", "")
        .replace("mini-core: true\n", "")
    )
    assert reasons(verdicts(session, std + step, own, tmp_path)) == [
        f"{own.name} has no std for s390x-unknown-linux-gnu"
    ]


def test_a_target_that_this_compiler_does_not_know(
    session: Session, compiler: Toolchain, tmp_path: Path
) -> None:
    text = BARE.format(targets="x86_64-unknown-cloudabi") + CDYLIB.format(file="x", claims="{exists: true}")
    assert reasons(verdicts(session, text, compiler, tmp_path)) == [
        f"{compiler.name} does not know the target x86_64-unknown-cloudabi"
    ]


def test_an_older_compiler_skips_what_needs_mini_core(
    session: Session, compiler: Toolchain, tmp_path: Path
) -> None:
    version = replace(compiler.version, release=(1, 63, 0))
    old = replace(compiler, capabilities=replace(compiler.capabilities, version=version))
    text = BARE.format(targets="wasm32-unknown-unknown") + CDYLIB.format(file="x", claims="{exists: true}")
    (reason,) = reasons(verdicts(session, text, old, tmp_path))
    assert reason.startswith("the crates of mini-core are for compilers >=1.94, this is 1.63.0")


def test_a_case_without_targets_is_built_for_one(
    session: Session, compiler: Toolchain, tmp_path: Path
) -> None:
    text = BARE.format(targets="").replace("matrix: {target: []}\n", "matrix: {panic: [abort]}\n")
    text += CDYLIB.format(file="lib.wasm", claims="{exists: true}")
    case = parse_case(text, tmp_path / "case.yaml", "case.yaml").for_targets(["wasm32-unknown-unknown"])
    assert case.ids == ("panic=abort-target=wasm32-unknown-unknown",)
    assert session.verdict(Variant(case, case.rows[0], compiler)).outcome is VerdictKind.PASS
    named = parse_case(BARE.format(targets="a, b") + "  - {tool: a}\n", tmp_path / "case.yaml", "case.yaml")
    assert named.for_targets(["b"]).ids == ("target=b",)
    assert named.for_targets(["c"]).ids == ()


def test_the_cell_of_a_condition_is_that_of_the_target(
    session: Session, compiler: Toolchain, tmp_path: Path
) -> None:
    text = BARE.format(targets="x86_64-pc-windows-msvc, aarch64-apple-darwin, powerpc64-ibm-aix")
    text += "  - {mkdir: both, when: {object-format: [coff, macho]}}\n"
    text += "  - {mkdir: xcoff, when: {not: {any: [{os: windows}, {os: macos}]}}}\n"
    case = parse_case(text, tmp_path / "case.yaml", "case.yaml")
    plans = [session.planned(Variant(case, row, compiler)) for row in case.rows]
    assert [one.steps[-1].id if isinstance(one, Plan) else one for one in plans] == ["mkdir"] * 3
    folders = [one.steps[-1].operation for one in plans if isinstance(one, Plan)]
    assert [str(folder).count("xcoff") for folder in folders] == [0, 0, 1]
