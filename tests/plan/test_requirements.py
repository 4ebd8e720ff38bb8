"""Why a variant cannot run on a toolchain, in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from linkage.errors import CaseError
from linkage.plan.requirements import absent_targets, missing_after_plan, missing_before_plan
from linkage.toolchain.machine import Machine
from linkage.toolchain.model import Toolchain
from support.small_cases import ARM, HOST, planned, toolchain, variant

MACHINE = Machine(Path("/usr/bin/cc"), "cc 1", frozenset({"bfd"}))
STEP = "steps:\n  - rustc: lib.rs\n"
FOREIGN = "riscv64gc-unknown-linux-gnu"


def reason(text: str, made: Toolchain | None = None, programs: str = "") -> str | None:
    return missing_before_plan(
        variant(text + STEP, made=made), MACHINE, lambda name, _: name in programs.split()
    )


def with_target(**facts: object) -> Toolchain:
    """A toolchain that has something else for its host."""
    made = toolchain()
    host, *others = made.capabilities.targets
    changed = replace(host, **facts)  # type: ignore[arg-type]
    return replace(made, capabilities=replace(made.capabilities, targets=(changed, *others)))


@pytest.mark.parametrize(
    ("requirement", "lacking"),
    [
        ("dynamic-std", None),
        ("profiler-runtime", "made lacks a profiler runtime"),
        ("std-bitcode", None),
        ("{toolchain: '>=1.97'}", None),
        ("{toolchain: '<1.97'}", "made lacks a version in <1.97"),
        (f"{{target: {ARM}}}", None),
        (f"{{target: {FOREIGN}}}", f"made lacks a std for {FOREIGN}"),
        ("-Zno-link", None),
        ("-Zno-link=yes", None),
        ("-Zlto", "made lacks -Zlto"),
        ("-Clto", None),
        ("-Cno-link", "made lacks -Cno-link"),
        ("{sanitizer: address}", None),
        ("{sanitizer: thread}", "made lacks the thread sanitizer's runtime"),
        ("{crate-type: dylib}", None),
        ("{codegen-backend: llvm}", None),
        ("{codegen-backend: cranelift}", "made lacks the codegen backend cranelift"),
        ("{linker: bfd}", None),
        ("{linker: mold}", "this machine has no linker mold"),
        ("{tool: objdump}", None),
        ("{tool: nm}", "this machine has no nm"),
    ],
)
def test_what_a_case_requires(requirement: str, lacking: str | None) -> None:
    assert reason(f"requires: [{requirement}]\n", programs="objdump") == lacking


@pytest.mark.parametrize(
    ("requirement", "facts", "lacking"),
    [
        ("dynamic-std", {"dynamic_std": False}, "made lacks a dynamic std"),
        ("profiler-runtime", {"profiler": True}, None),
        ("std-bitcode", {"std_bitcode": False}, "made lacks bitcode in its std"),
        ("{crate-type: cdylib}", {"outputs": ()}, "made lacks the crate type cdylib"),
        ("{os: linux}", {"os": "linux"}, None),
        ("{os: linux}", {"os": "none"}, f"the operating system of {HOST} is none, not linux"),
        ("{arch: [x86, arm]}", {"arch": "avr"}, f"the architecture of {HOST} is avr, not x86 or arm"),
        ("{libc: gnu}", {"libc": ""}, f"the libc of {HOST} is none, not gnu"),
        ("{libc: [musl, gnu]}", {"libc": "gnu"}, None),
        ("{object-format: elf}", {"os": "linux", "arch": "avr"}, None),
        (
            "{object-format: [elf, macho]}",
            {"os": "aix"},
            f"the object format of {HOST} is xcoff, not elf or macho",
        ),
    ],
)
def test_what_a_case_requires_of_the_target(
    requirement: str, facts: dict[str, object], lacking: str | None
) -> None:
    assert reason(f"requires: [{requirement}]\n", with_target(**facts)) == lacking


def test_a_requirement_is_about_the_target_of_the_cell() -> None:
    text = f"matrix: {{target: [{ARM}]}}\nrequires: [dynamic-std]\n"
    assert reason(text) == f"made lacks a dynamic std for {ARM}"
    assert reason(f"matrix: {{target: [{FOREIGN}]}}\n") == f"made has no std for {FOREIGN}"


def test_tools_of_the_host_are_for_its_own_files() -> None:
    own, foreign = (f"matrix: {{target: [{triple}]}}\nrequires: [native]\n" for triple in (HOST, ARM))
    assert reason("requires: [native]\n") is None
    assert reason(own) is None
    assert reason(foreign) == f"the case uses tools of the host, and {ARM} is another target"


def test_a_requirement_with_a_condition_counts_only_if_it_holds() -> None:
    text = f"matrix: {{lto: [thin, fat]}}\nrequires: [{{flag: -Zother, when: {{lto: fat}}}}]\n{STEP}"
    assert [missing_before_plan(variant(text, cell), MACHINE, lambda *_: True) for cell in (0, 1)] == [
        None,
        "made lacks -Zother",
    ]


def test_the_compilers_that_a_case_is_about() -> None:
    assert reason("toolchains: '>=1.97'\n", toolchain("1.97.0")) is None
    lacking = reason("toolchains: '<1.97'\n", toolchain("1.97.0"))
    assert lacking == "the case is about <1.97, this is 1.97.0 (000000000 2026-05-18)"


def test_the_linker_of_the_cell() -> None:
    assert reason("matrix: {linker: [bfd]}\n") is reason("matrix: {linker: [default]}\n") is None
    assert reason("matrix: {linker: [mold]}\n") == "this machine has no linker mold"


def test_a_crate_without_core_needs_no_library_of_its_target() -> None:
    made = toolchain()
    (host, *_) = made.capabilities.targets
    bare = replace(host, triple=FOREIGN, has_core=False, has_std=False)
    known = replace(made, capabilities=replace(made.capabilities, targets=(host, bare)))
    text = (
        f"summary: A case\nsources: {{a.rs: '#![no_core]', b.rs: ''}}\nsteps:\n"
        f"  - {{rustc: null, flags: --version, target: {FOREIGN}}}\n"
        f"  - {{rustc: a.rs, target: {FOREIGN}}}\n"
    )
    assert absent_targets(variant(text, made=known), known) == {FOREIGN: True}
    assert missing_before_plan(variant(text, made=known), MACHINE, lambda *_: True) is None
    text += f"  - {{rustc: b.rs, target: {FOREIGN}}}\n"
    assert absent_targets(variant(text, made=known), known) == {FOREIGN: False}
    assert missing_before_plan(variant(text, made=known), MACHINE, lambda *_: True) == (
        f"made has no std for {FOREIGN}"
    )


@pytest.mark.parametrize(
    ("source", "ends", "lacks"),
    [
        ("", 0, True),
        ("#![no_std]", 0, False),
        ("#![no_core]", 0, False),
        ("#![cfg_attr(bare, no_std)]", 0, False),
        ("", 1, False),
    ],
)
def test_a_crate_that_needs_std_on_a_target_with_core_only(
    source: str,
    ends: int,
    lacks: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    made = toolchain()
    (host, *_) = made.capabilities.targets
    core = replace(host, triple=FOREIGN, has_core=True, has_std=False)
    known = replace(made, capabilities=replace(made.capabilities, targets=(host, core)))
    text = f"summary: A case\nsources: {{a.rs: '{source}'}}\nsteps:\n"
    text += f"  - {{rustc: a.rs, target: {FOREIGN}, exit: {ends}}}\n"
    lacking = missing_before_plan(variant(text, made=known), MACHINE, lambda *_: True)
    assert lacking == (f"made has no std for {FOREIGN}" if lacks else None)


def test_the_unstable_flags_of_the_commands() -> None:
    known = {"flag": frozenset({"-Zno-link", "-Zother"})}
    step = "  - {{rustc: lib.rs, flags: [{}]}}\n"
    for flags in ("-Zno-link", "-Zhelp", "-Clto"):
        assert missing_after_plan(planned(step.format(flags)), known, bootstrap=True) is None
    lacking = missing_after_plan(planned(step.format("-Z, other")), known, bootstrap=True)
    assert lacking == "made has no -Zother"
    with pytest.raises(CaseError, match="no known rustc has `-Zoter`") as raised:
        missing_after_plan(planned(step.format("-Zoter")), known, bootstrap=True)
    assert raised.value.help is not None
    assert "-Zother" in raised.value.help


def test_a_stable_compiler_that_may_not_take_unstable_flags() -> None:
    stable = planned("  - {rustc: lib.rs, no-link: true}\n", made=toolchain("1.97.0"))
    assert missing_after_plan(stable, {"flag": frozenset({"-Zno-link"})}, bootstrap=True) is None
    assert missing_after_plan(stable, {"flag": frozenset()}, bootstrap=False) == (
        "made needs RUSTC_BOOTSTRAP=1 for unstable flags, which --no-bootstrap forbids"
    )
