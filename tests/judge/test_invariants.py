"""Invariants: each holds, does not hold, cannot be judged, or does not apply; and a case lifts one."""

from dataclasses import replace
from typing import Any

import pytest

from linkage.artifact.facts import ArchiveMember, Dynamic, Facts, Metadata, ObjectType, Relro, UnknownFile
from linkage.artifact.tables import Section
from linkage.case.invariants import INVARIANTS, OF_KIND, OF_STEP, InvariantName
from linkage.judge.invariants import check_invariants
from linkage.judge.verdict import VerdictKind
from linkage.judge.view import View
from support.hand_made import STABLE, archive, done, elf, judged, member, planned

OF_C = Dynamic(needed=("libgcc_s.so.1", "libc.so.6"), soname="liblib.so")
OVER_RUST = Dynamic(needed=("libstd-1f2e.so", "libc.so.6"), soname="liblib.so")
RUST = "_RNvNtCs1_4core9panicking5panic"
FULL: dict[str, Any] = {"relro": Relro.FULL}
GOOD = elf({"foo": "", "memcpy": "undefined"}, {"memcpy": "undefined @GLIBC_2.14"}, dynamic=OF_C, **FULL)
ONE, OTHER = member("one.o", ["foo"]), member("two.o", ["bar"])
OF_LIBRARIES = tuple(name for name in INVARIANTS if name != "program-exports")


def noteless(name: str, *, stack: bool | None) -> ArchiveMember:
    """A member whose stack is executable, or that does not say."""
    held = member(name, ["bar"])
    assert held.object is not None
    return replace(held, object=replace(held.object, executable_stack=stack))


def found(facts: Facts, *names: InvariantName, file: str = "out/liblib.so") -> list[tuple[str, str, bool]]:
    """What does not hold: the invariant, what was found, and whether it is an error."""
    misses = check_invariants(names or OF_LIBRARIES, file, View(facts), STABLE)
    return [(one.key.removeprefix("invariants."), one.mismatch.found, one.mismatch.error) for one in misses]


@pytest.mark.parametrize(
    "facts",
    [
        GOOD,
        elf({RUST: "undefined"}, dynamic=OVER_RUST, **FULL),
        elf({RUST: "undefined weak", "rust_eh_personality": "undefined"}, dynamic=OF_C, **FULL),
        elf({}, {"memcpy": "undefined"}, dynamic=Dynamic(needed=("libc.so",), soname="liblib.so"), **FULL),
        elf(sections=[Section(".init_array", 16, "INIT_ARRAY", "WA")], dynamic=OF_C, init_array=2, **FULL),
        elf(sections=[Section(".init_array", 16, "INIT_ARRAY", "WA")], type=ObjectType.RELOCATABLE),
        elf(dynamic=OF_C, machine="riscv"),
        archive(ONE, OTHER),
        archive(ONE, member("two.o", {"foo": "weak"})),
        archive(ONE, member("lib.rmeta", None, metadata=Metadata(9, None, 8, compressed=False))),
    ],
    ids=[
        "of C", "over a Rust library", "weak or left to the user", "of a C library without versions",
        "arrays", "an object's array", "a machine without full RELRO", "archive", "weak definitions",
        "metadata",
    ],
)  # fmt: skip
def test_holds(facts: Facts) -> None:
    assert found(facts) == []


def test_a_program_exports_what_its_libraries_refer_to() -> None:
    assert found(elf({}, {RUST: ""}, dynamic=OVER_RUST), "program-exports") == []


@pytest.mark.parametrize(
    ("facts", "invariant", "text"),
    [
        (elf(dynamic=OF_C, executable_stack=True), "executable-stack", "executable"),
        (elf(dynamic=OF_C, executable_stack=None), "executable-stack", "does not say"),
        (elf(dynamic=Dynamic(soname="liblib.so", text_relocations=True)), "text-relocations", "has text"),
        (elf({RUST: "undefined"}, dynamic=OF_C), "undefined", RUST),
        (elf({}, {RUST: "undefined"}, dynamic=OF_C), "undefined", RUST),
        (elf({RUST: "undefined"}), "undefined", RUST),
        (elf({}, {RUST: ""}, dynamic=OF_C), "program-exports", RUST),
        (elf({}, {"memcpy": "undefined"}, dynamic=OF_C), "symbol-versions", "no version of memcpy"),
        (elf(dynamic=Dynamic(rpath=("/lib",))), "rpath", "DT_RPATH /lib"),
        (elf(dynamic=OF_C, relro=Relro.PARTIAL), "relro", "partial"),
        (
            elf(sections=[Section(".fini_array", 8, "FINI_ARRAY", "WA")], dynamic=OF_C),
            "called-functions",
            "1 in it, 0 that the loader calls",
        ),
        (
            elf(sections=[Section(".init_arrax", 8, "INIT_ARRAY", "WA")], dynamic=OF_C, init_array=1),
            "called-functions",
            "0 in it, 1 that the loader calls",
        ),
        (archive(ONE, noteless("two.o", stack=None)), "executable-stack", "two.o"),
        (archive(ONE, noteless("two.o", stack=True)), "executable-stack", "two.o"),
        (elf(dynamic=Dynamic(soname="libother.so")), "soname", "libother.so"),
        (elf(dynamic=Dynamic()), "soname", "no SONAME"),
        (archive(ONE, member("two.o", ["foo"])), "duplicates", "foo"),
    ],
)
def test_does_not_hold(facts: Facts, invariant: InvariantName, text: str) -> None:
    ((key, seen, error),) = found(facts, invariant)
    assert key == invariant
    assert text in seen
    assert not error


@pytest.mark.parametrize(
    "facts",
    [
        Facts("unreadable", 9, "1", error="it ends in a header"),
        archive(ONE, member("two.o", None, error="cut")),
    ],
)
def test_is_an_error_if_it_cannot_be_read(facts: Facts) -> None:
    ((_, seen, error),) = found(facts)
    assert error
    assert "not read" in seen or "cannot be read" in seen


@pytest.mark.parametrize(
    "facts",
    [
        Facts("other", 9, "1", other=UnknownFile(None, "PE")),
        Facts("other", 9, "1", other=UnknownFile(None, "WebAssembly")),
        elf({RUST: "undefined"}, type=ObjectType.RELOCATABLE),
        archive(ONE, member("two.o", None, unread="COFF")),
    ],
    ids=["PE", "WebAssembly", "an object", "an archive of another format"],
)
def test_does_not_apply(facts: Facts) -> None:
    assert found(facts) == []


STEPS = (
    "  [{rustc: lib.rs, id: lib, crate-type: [dylib, staticlib]}, {cc: main.c, link-with: [lib.staticlib]}]"
)


def test_every_kind_of_output_has_them() -> None:
    steps = planned(STEPS).steps
    assert [(one.subject, one.file, one.names) for step in steps for one in step.invariants] == [
        ("lib.staticlib", "liblib.a", OF_KIND["staticlib"]),
        ("lib.dylib", "liblib.so", OF_KIND["dylib"]),
        ("lib", "", OF_STEP),
        ("main.bin", "main", OF_KIND["shared"]),
    ]
    assert {read.pattern for step in steps for read in step.reads} >= {"liblib.a", "liblib.so", "main"}


def test_of_two_outputs_with_one_name_the_last_is_left() -> None:
    (step,) = planned("  {rustc: lib.rs, id: lib, crate-type: [dylib, cdylib]}").steps
    assert [one.subject for one in step.invariants if one.file] == ["lib.cdylib"]


@pytest.mark.parametrize("key", ["no-link: true, emit: [link]", "emit: [obj]"])
def test_what_is_not_linked_has_none(key: str) -> None:
    step = planned(f"  {{rustc: lib.rs, crate-type: dylib, {key}}}").steps[0]
    assert [one.names for one in step.invariants] == [OF_STEP]


HEAD = "summary: A case\nsources: {lib.rs: ''}\n"


def case(lifted: str = "", bugs: str = "") -> str:
    return f"{HEAD}{lifted}\n{bugs}\nsteps: {{rustc: lib.rs, id: lib, crate-type: cdylib}}\n"


BAD = done(facts={"liblib.so": elf(dynamic=OF_C, executable_stack=True, **FULL)})


def test_a_verdict_names_the_invariant() -> None:
    verdict = judged(planned(case()), BAD)
    assert verdict.outcome is VerdictKind.FAIL
    (failure,) = verdict.failures
    assert failure.claim == "lib.cdylib.invariants.executable-stack"
    assert failure.look == ("readelf -hlW liblib.so",)
    assert failure.where.startswith("case.yaml:")


def test_a_case_lifts_an_invariant() -> None:
    lifted = 'invariants: {executable-stack: "the case asks for it"}'
    assert judged(planned(case(lifted)), BAD).outcome is VerdictKind.PASS


def test_a_known_bug_of_an_invariant() -> None:
    signature = "signature: {step: lib, claim: lib.cdylib.invariants.executable-stack}"
    bugs = f"known-bugs: {{unreported: the stack is executable, {signature}}}"
    assert judged(planned(case(bugs=bugs)), BAD).outcome is VerdictKind.KNOWN


def test_a_failed_step_is_not_judged() -> None:
    text = f"{HEAD}steps: {{rustc: lib.rs, id: lib, crate-type: cdylib, exit: 1}}\n"
    outcome = done(status=1, facts={"liblib.so": elf(dynamic=OF_C, executable_stack=True)})
    assert judged(planned(text), outcome).outcome is VerdictKind.PASS


def test_an_unreadable_file_is_an_error_unless_the_case_makes_claims_about_it() -> None:
    outcome = done(facts={"liblib.so": Facts("elf", 9, "1", error="truncated")})
    assert judged(planned(case()), outcome).outcome is VerdictKind.ERROR
    claimed = case().replace("cdylib}", "cdylib, claims: {lib.cdylib: {size: 9}}}")
    assert judged(planned(claimed), outcome).outcome is VerdictKind.PASS


WELL = elf(dynamic=OF_C, **FULL)


@pytest.mark.parametrize(
    ("given", "claim", "found"),
    [
        ({"produced": ("liblib.so", "liblib-copy.so")}, "lib.invariants.files", "created liblib-copy.so"),
        ({"produced": ("lib.rs", "liblib.so")}, "lib.invariants.files", "changed lib.rs"),
        ({"older": ("liblib.so",)}, "lib.cdylib.invariants.age", "older"),
    ],
)
def test_what_a_step_writes(given: dict[str, tuple[str, ...]], claim: str, found: str) -> None:
    verdict = judged(planned(case()), done(facts={"liblib.so": WELL}, **given), files={"lib.rs": ""})
    ((one, seen),) = [(failure.claim, failure.found) for failure in verdict.failures]
    assert one == claim
    assert found in seen


def test_what_an_earlier_step_made_was_there() -> None:
    steps = (
        "steps: [{rustc: lib.rs, id: lib, crate-type: cdylib}, {rustc: lib.rs, id: next, crate-type: rlib}]"
    )
    outcomes = done(), done(produced=("liblib.rlib", "liblib.so"))
    (failure,) = judged(planned(f"{HEAD}{steps}\n"), *outcomes).failures
    assert (failure.claim, failure.found) == ("next.invariants.files", "changed liblib.so")


@pytest.mark.parametrize(
    ("more", "written"),
    [
        ("no-link: true", ("lib.rlink", "lib.lib.1f2e-cgu.0.rcgu.o")),
        ("flags: [-Cincremental=state]", ("liblib.so", "state/lib-1f2e/s-1/dep-graph.bin")),
        ("flags: [-Csplit-debuginfo=packed]", ("liblib.so", "liblib.so.dwp")),
        ("exit: 1", ("left-behind",)),
    ],
)
def test_what_rustc_may_write_besides_its_outputs(more: str, written: tuple[str, ...]) -> None:
    text = case().replace("cdylib}", f"cdylib, {more}}}")
    status = 1 if more == "exit: 1" else 0
    assert judged(planned(text), done(status=status, produced=written)).outcome is VerdictKind.PASS


def test_another_program_beside_rustc_may_write_anything() -> None:
    steps = "steps: {parallel: [{rustc: lib.rs, id: lib, crate-type: cdylib}, {tool: make, id: make}]}"
    parts = done(), done()
    outcome = done(produced=("liblib.so", "liblib.rlib", "made"), parts=parts)
    assert judged(planned(f"{HEAD}{steps}\n"), outcome).outcome is VerdictKind.PASS
    alone = steps.replace("{tool: make, id: make}", "{rustc: lib.rs, id: next, crate-type: rlib}")
    (failure,) = judged(planned(f"{HEAD}{alone}\n"), outcome).failures
    assert failure.found == "created made"
