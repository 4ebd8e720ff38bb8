"""A session plans, runs and judges a variant: skips, errors, sources, and claims about another variant."""

from dataclasses import replace
from pathlib import Path

import pytest

from linkage.case.reader import read_case
from linkage.errors import CaseError
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.run.session import Session, sources
from linkage.store.store import Store
from linkage.toolchain import Toolchain

NO_STD = """\
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
    #[cfg(more = "yes")] #[no_mangle] pub extern "C" fn more() {}
"""
SIBLINGS = f"""\
summary: What another cell made
matrix: {{more: [no, 'yes']}}
sources:
{NO_STD}steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    cfg: 'more="${{more}}"'
    claims:
      lib.cdylib:
        - when: {{more: 'yes'}}
          exports-differ: {{variant: {{more: no}}, added: [more]}}
          differs-from: {{variant: {{more: no}}, compare: exports}}
"""


@pytest.fixture(scope="module")
def toolchain(real_toolchain: Toolchain) -> Toolchain:
    return real_toolchain


@pytest.fixture
def session(tmp_path: Path, cache: Path) -> Session:
    return Session(Store(tmp_path / "store"), cache)


def variants(text: str, folder: Path, toolchain: Toolchain) -> list[Variant]:
    file = folder / "case.yaml"
    file.write_text(text)
    case = read_case(file, "case.yaml")
    return [Variant(case, row, toolchain) for row in case.rows]


def verdicts(session: Session, text: str, folder: Path, toolchain: Toolchain) -> list[Verdict]:
    return [session.verdict(one) for one in variants(text, folder, toolchain)]


def test_a_cell_is_compared_with_another(session: Session, toolchain: Toolchain, tmp_path: Path) -> None:
    found = verdicts(session, SIBLINGS, tmp_path, toolchain)
    assert [one.outcome for one in found] == [VerdictKind.PASS] * 2, found
    wrong = SIBLINGS.replace("added: [more]", "added: [other]")
    (_, found_wrong) = verdicts(session, wrong, tmp_path, toolchain)
    assert [(one.claim, one.found) for one in found_wrong.failures] == [
        ("lib.cdylib.exports-differ.added", "added exports: more")
    ]
    (other,) = {one.other for one in found_wrong.failures}
    assert other is not None
    assert other.node.endswith("[more=no]")
    assert other.variable == "OTHER_more_no"
    (command,) = other.commands
    assert """--cfg 'more="no"'""" in command


def test_a_cell_to_compare_with_that_cannot_be_run(
    session: Session, toolchain: Toolchain, tmp_path: Path
) -> None:
    text = SIBLINGS.replace("sources:", "requires: [{tool: no-such-tool, when: {more: no}}]\nsources:")
    (skipped, failed) = verdicts(session, text, tmp_path, toolchain)
    assert (skipped.outcome, skipped.reason) == (VerdictKind.SKIP, "this machine has no no-such-tool")
    assert {one.found for one in failed.failures} == {
        "no artifact to compare with: that variant cannot be run: this machine has no no-such-tool"
    }


def test_a_tool_that_only_the_toolchain_has(session: Session, toolchain: Toolchain, tmp_path: Path) -> None:
    name = max(path.name for path in (toolchain.targets[0].libdir.parent / "bin").iterdir())
    text = SIBLINGS.replace("sources:", f"requires: [{{tool: {name}}}]\nsources:")
    assert [one.outcome for one in verdicts(session, text, tmp_path, toolchain)] == [VerdictKind.PASS] * 2


def test_a_cell_to_compare_with_that_fails(session: Session, toolchain: Toolchain, tmp_path: Path) -> None:
    text = SIBLINGS.replace(
        "  lib.rs: |\n", '  lib.rs: |\n    #[cfg(more = "no")] compile_error!("no");\n'
    ).replace("    #![no_std]\n", "")
    text = text.replace("  lib.rs: |\n", "  lib.rs: |\n    #![no_std]\n")
    (first, second) = verdicts(session, text, tmp_path, toolchain)
    assert first.outcome is VerdictKind.FAIL
    assert second.outcome is VerdictKind.ERROR
    assert all("that variant" in one.found for one in second.failures)


def test_sources_as_a_cell_sees_them(toolchain: Toolchain, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/mod.rs").write_text("// ${number} stands as it is")
    text = (
        "summary: s\nmatrix: {number: [1, 2]}\nsources: {lib.rs: 'mod more; // ${number} $${x}'}\n"
        "files: more\nsteps:\n  - {rustc: lib.rs}\n"
    )
    _, second = variants(text, tmp_path, toolchain)
    found = sources(second)
    assert sorted(found) == ["lib.rs", "more/mod.rs"]
    assert found["lib.rs"].startswith(b"mod more; // 2 ")
    assert found["more/mod.rs"] == b"// ${number} stands as it is"


def test_source_outside_the_case_is_refused(toolchain: Toolchain, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    (folder / "more").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    text = "summary: s\nsources: {lib.rs: ''}\nfiles: more\nsteps:\n  - {rustc: lib.rs}\n"
    (variant,) = variants(text, folder, toolchain)
    (folder / "more/link").symlink_to(tmp_path / "secret")  # after the case was read, which looks, too
    with pytest.raises(CaseError, match="`more` is outside the case's folder"):
        sources(variant)


@pytest.mark.parametrize(
    ("head", "keys", "found"),
    [
        (
            "requires: [{flag: -Zdylib-lot}, {target: x86_64-unknown-linux-gnuu}]\n",
            "cfg: a",
            [
                "no known rustc has `-Zdylib-lot` (help: did you mean `-Zdylib-lto`?)",
                (
                    "no known rustc has the target `x86_64-unknown-linux-gnuu` "
                    "(help: did you mean `x86_64-unknown-linux-gnu`?)"
                ),
            ],
        ),
        (
            "requires: [{codegen-backend: zz}]\n",
            "cfg: a",
            ["there is no codegen backend `zz` (help: expected one of cranelift, gcc, llvm)"],
        ),
        (
            "requires: [{arch: qq}, {os: linxu}]\n",
            "cfg: a",
            [
                (
                    "no known target has the architecture `qq` "
                    "(help: check the spelling, or name a `--toolchain` that has it)"
                ),
                "no known target has the operating system `linxu` (help: did you mean `linux`?)",
            ],
        ),
        (
            "matrix: {target: [x86_64-unknown-linux-muls]}\n",
            "cfg: a",
            [
                (
                    "no known rustc has the target `x86_64-unknown-linux-muls` "
                    "(help: did you mean `x86_64-unknown-linux-musl`?)"
                )
            ],
        ),
        (
            "",
            "flags: [-Z, dylib_lot]",
            ["no known rustc has `-Zdylib-lot` (help: did you mean `-Zdylib-lto`?)"],
        ),
    ],
)
def test_what_no_compiler_has_is_an_error_in_the_case(
    session: Session, toolchain: Toolchain, tmp_path: Path, head: str, keys: str, found: list[str]
) -> None:
    text = f"summary: s\n{head}sources: {{lib.rs: ''}}\nsteps:\n  - {{rustc: lib.rs, {keys}}}\n"
    (verdict,) = verdicts(session, text, tmp_path, toolchain)
    assert (verdict.outcome, [one.found for one in verdict.failures]) == (VerdictKind.ERROR, found)
    assert all(one.where.startswith("case.yaml:") for one in verdict.failures)


def test_what_a_toolchain_of_the_run_has_is_a_skip_on_the_others(
    session: Session, toolchain: Toolchain, tmp_path: Path
) -> None:
    own = replace(toolchain.capabilities, unstable_flags=frozenset({"my-flag"}))
    session.probed.append(replace(toolchain, fingerprint="other", capabilities=own))
    text = "summary: s\nrequires: -Zmy-flag\nsources: {lib.rs: ''}\nsteps:\n  - {rustc: lib.rs}\n"
    (verdict,) = verdicts(session, text, tmp_path, toolchain)
    assert (verdict.outcome, verdict.reason) == (VerdictKind.SKIP, f"{toolchain.name} lacks -Zmy-flag")


def test_what_cannot_be_judged_is_an_error_with_its_place(
    session: Session, toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "lib.rs").write_text("#![no_std]")
    text = "summary: s\nsteps:\n  - {rustc: lib.rs, crate-type: rlib}\n"
    (variant,) = variants(text, tmp_path, toolchain)
    (tmp_path / "lib.rs").unlink()
    (tmp_path / "lib.rs").symlink_to("/etc/hostname")
    verdict = session.verdict(variant)
    assert verdict.outcome is VerdictKind.ERROR
    assert verdict.failures[0].where == "case.yaml:3:6"
    assert "is outside the case's folder" in verdict.failures[0].found


def test_a_capability_that_is_missing_is_named(
    session: Session, toolchain: Toolchain, tmp_path: Path
) -> None:
    simple = "summary: s\n{}sources: {{lib.rs: ''}}\nsteps:\n  - {{rustc: lib.rs, crate-type: rlib, {}}}\n"
    lame = replace(
        toolchain,
        name="lame",
        capabilities=replace(
            toolchain.capabilities,
            needs_bootstrap=True,
            unstable_flags=frozenset({"known"}),
            targets=tuple(replace(one, dynamic_std=False) for one in toolchain.targets),
        ),
    )
    for head, keys, reason in (
        ("requires: dynamic-std\n", "cfg: a", "lame lacks a dynamic std"),
        ("requires: -Zno-link\n", "cfg: a", "lame lacks -Zno-link"),
        ("toolchains: '<1.10'\n", "cfg: a", "the case is about <1.10, this is "),
        ("", "flags: [-Zlink-only=x]", "lame has no -Zlink-only"),
        ("", "flags: [-Z, no-link]", "lame has no -Zno-link"),
    ):
        (verdict,) = verdicts(session, simple.format(head, keys), tmp_path, lame)
        assert verdict.outcome is VerdictKind.SKIP
        assert verdict.reason.startswith(reason)
    session.bootstrap = False
    (verdict,) = verdicts(session, simple.format("", "flags: -Zknown"), tmp_path, lame)
    assert verdict.reason == "lame needs RUSTC_BOOTSTRAP=1 for unstable flags, which --no-bootstrap forbids"


STARS = """\
summary: Arguments with wildcards
sources: {a.c: "int a;", b.c: "int b;"}
steps:
  - {tool: printf, args: ['%s\\n', 'a[*]b [?] [[]', '*.c', "${captured.stars}"], stdout: EXPECTED}
"""


def test_wildcards_that_are_escaped_are_passed_on(
    session: Session, toolchain: Toolchain, tmp_path: Path
) -> None:
    first = "  - {tool: printf, id: stars, args: ['a [*]'], capture: stdout}\n"
    text = STARS.replace("steps:\n", f"steps:\n{first}")
    expected = '"a*b ? [\\na.c\\nb.c\\na *\\n"'
    (found,) = verdicts(session, text.replace("EXPECTED", expected), tmp_path, toolchain)
    assert (found.outcome, found.failures) == (VerdictKind.PASS, ())


def test_a_glob_that_matches_nothing_says_how_to_pass_it_on(
    session: Session, toolchain: Toolchain, tmp_path: Path
) -> None:
    text = STARS.replace(", '*.c', \"${captured.stars}\"", ", 'echo *'").replace("EXPECTED", "any")
    (found,) = verdicts(session, text.replace(", stdout: any", ""), tmp_path, toolchain)
    assert found.outcome is VerdictKind.ERROR
    assert [one.found for one in found.failures] == [
        "no file matches `echo *` (help: `[*]` and `[?]` stand for the characters)"
    ]
