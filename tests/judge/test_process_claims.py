"""Claims about a step's process: its exit status, streams, diagnostics, files, and linker calls."""

from dataclasses import replace

import pytest

from linkage.judge.verdict import Failure, Verdict, VerdictKind
from linkage.plan.observation import Diagnostic, LinkerCall, Outcome
from support.hand_made import done, judged, planned


def one_step(keys: str, outcome: Outcome, *, cell: int = 0) -> Verdict:
    """The verdict on a rustc step with these keys that did this."""
    return judged(planned(f"  - {{rustc: lib.rs, crate-type: [cdylib, staticlib], {keys}}}\n", cell), outcome)


def failure(keys: str, outcome: Outcome) -> Failure:
    verdict = one_step(keys, outcome)
    assert verdict.outcome is VerdictKind.FAIL
    (found,) = verdict.failures
    return found


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ("exit: 0", done()),
        ("exit: 3", done(status=3)),
        ("exit: fails", done(status=1)),
        ("exit: any", done(status=7)),
        ("exit: ice", done(status=101, ice=True)),
        ("exit: any", done(status=101, ice=True)),
        ("exit: SIGSEGV", done(status=-11)),
    ],
)
def test_an_end_as_expected(keys: str, outcome: Outcome) -> None:
    assert one_step(keys, outcome).outcome is VerdictKind.PASS


@pytest.mark.parametrize(
    ("keys", "outcome", "claimed", "found"),
    [
        ("exit: 0", done(status=1, stderr="error: no\n"), "exit status 0", "exit status 1\nerror: no"),
        ("exit: 1", done(), "exit status 1", "exit status 0\n(no output)"),
        ("exit: fails", done(), "a failure (not a crash)", "exit status 0\n(no output)"),
        ("exit: ice", done(status=1), "an internal compiler error", "exit status 1\n(no output)"),
        ("exit: SIGSEGV", done(status=1), "killed by SIGSEGV", "exit status 1\n(no output)"),
    ],
)
def test_unexpected_end(keys: str, outcome: Outcome, claimed: str, found: str) -> None:
    missed = failure(keys, outcome)
    assert (missed.claim, missed.claimed, missed.found) == ("exit", claimed, found)


@pytest.mark.parametrize("expected", ["0", "fails", "any", "ice", "SIGABRT"])
def test_a_killed_compiler_cannot_be_judged(expected: str) -> None:
    verdict = one_step(f"exit: {expected}", done(status=-11, stderr="backtrace"))
    assert verdict.outcome is VerdictKind.ERROR
    assert verdict.failures[0].found == "was killed by SIGSEGV\nbacktrace"
    assert verdict.failures[0].error


@pytest.mark.parametrize("expected", ["0", "101", "fails", "SIGABRT"])
def test_an_internal_compiler_error_cannot_be_judged(expected: str) -> None:
    """It is called what a compiler that a signal kills is called."""
    verdict = one_step(f"exit: {expected}", done(status=101, ice=True))
    assert verdict.outcome is VerdictKind.ERROR
    assert verdict.failures[0].found == "internal compiler error, exit status 101\n(no output)"
    assert (verdict.failures[0].claim, verdict.failures[0].error) == ("exit", True)


@pytest.mark.parametrize("crash", [done(status=101, ice=True), done(status=-11)])
def test_a_crash_of_one_of_two_compilers_at_the_same_time_cannot_be_judged(crash: Outcome) -> None:
    parts = "{rustc: lib.rs, crate-type: rlib}, {rustc: lib.rs, id: two, crate-name: two, crate-type: rlib}"
    both = Outcome(status=0, parts=(crash, done(produced=("libtwo.rlib",))))
    verdict = judged(planned(f"  - parallel: [{parts}]\n"), replace(both, produced=("libtwo.rlib",)))
    assert (verdict.outcome, verdict.failures[0].step) == (VerdictKind.ERROR, "lib")


def test_a_killed_program_of_the_case_is_a_failure() -> None:
    text = "  - {rustc: lib.rs, crate-type: bin}\n  - {run: lib, exit: 0}\n"
    verdict = judged(planned(text), done(produced=("lib",)), done(status=-6, produced=()))
    assert verdict.outcome is VerdictKind.FAIL
    assert verdict.failures[0].found == "was killed by SIGABRT\n(no output)"


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome(problem="program `ar` is not on PATH"), "program `ar` is not on PATH"),
        (done(status=-9, limit="time"), "exceeded its timeout"),
        (done(status=-9, limit="output"), "exceeded the output limit"),
    ],
)
def test_a_step_that_was_not_carried_out_is_an_error(outcome: Outcome, why: str) -> None:
    verdict = one_step("exit: any, stderr: {not-contains: x}", outcome)
    assert verdict.outcome is VerdictKind.ERROR
    assert [(one.found, one.error) for one in verdict.failures] == [(why, True)]


def test_what_a_step_promises_must_have_been_made() -> None:
    missed = failure("exit: 0", done(produced=("liblib.a",)))
    assert (missed.claim, missed.claimed, missed.found) == (
        "produces",
        "produces liblib.so",
        "succeeded, but produced liblib.a",
    )


def test_streams() -> None:
    assert (
        one_step("stdout: {contains: hi}, stderr: {empty: true}", done(stdout="hi\n")).outcome
        is VerdictKind.PASS
    )
    missed = failure("stdout: {contains: hi}", done(stdout=""))
    assert (missed.claim, missed.found) == ("stdout", "empty")
    missed = failure("stderr: {not-contains: warning}", done(stderr="a\nwarning: b\n"))
    assert (missed.claim, missed.found) == ("stderr.not-contains", "warning: b")


def test_stdout_of_a_failed_step_is_not_a_failure() -> None:
    verdict = one_step("stdout: {contains: hi}, stderr: {contains: E0}", done(status=1, stderr="E0463"))
    assert [one.claim for one in verdict.failures] == ["exit"]


ERROR = Diagnostic(
    "error", "can't find crate for `dep`", "E0463", "error[E0463]: can't find\nnote: try this\n"
)
WARNING = Diagnostic("warning", "unused \x1b", None, "warning: unused\n")


@pytest.mark.parametrize(
    "claim",
    [
        "[E0463]",
        "{all: [{code: E0463, level: error, text: try this, matches: 'crate for .dep'}]}",
        "{all: [unused], none: [{level: note}, E0001]}",
        "{none: [{level: warning, text: try}]}",
    ],
)
def test_diagnostics(claim: str) -> None:
    assert one_step(f"diagnostics: {claim}", done(diagnostics=(ERROR, WARNING))).outcome is VerdictKind.PASS


def test_diagnostics_claims_that_do_not_hold() -> None:
    missed = failure("diagnostics: [E0001]", done(diagnostics=(ERROR, WARNING)))
    assert (missed.claim, missed.claimed) == ("diagnostics.all", "a diagnostic with code 'E0001'")
    assert missed.found == "error[E0463]: can't find crate for `dep`\nwarning: unused \\x1b"
    missed = failure("diagnostics: {none: [{level: warning}]}", done(diagnostics=(ERROR, WARNING)))
    assert (missed.claim, missed.found) == ("diagnostics.none", "warning: unused \\x1b")
    assert failure("diagnostics: [E0001]", done()).found == "no diagnostics"


def test_which_files_a_step_makes() -> None:
    outcome = done(produced=("liblib.a", "liblib.so", "x.d"))
    assert (
        one_step("produces: {only: [lib.cdylib, lib.staticlib, '*.d']}", outcome).outcome is VerdictKind.PASS
    )
    assert one_step("produces: {order: [lib.staticlib, '*.d']}", outcome).outcome is VerdictKind.PASS
    missed = failure("produces: {only: [lib.cdylib, lib.staticlib]}", outcome)
    assert (missed.claim, missed.found) == ("produces.only", "also x.d")


def test_native_static_libs() -> None:
    said = done(stderr="note: native-static-libs: -lgcc_s -lc -lm\n")
    assert one_step("native-static-libs: {order: [-lgcc_s, -lc]}", said).outcome is VerdictKind.PASS
    assert failure("native-static-libs: {none: [-lm]}", said).found == "has -lm"
    missed = failure("native-static-libs: {none: [-lm]}", done())
    assert missed.found == "none (help: add `--print native-static-libs` to `flags`)"


CALL = LinkerCall(
    ("-m64", "/tmp/x/symbols.o", "a.lib.rcgu.o", "libdep.rlib", "-lgcc_s", "libc.so.6", "-o", "liblib.so"),
    "liblib.so",
    ("foo", "bar"),
)
OTHER = LinkerCall(("-o", "main"), "main", None)
LATE = LinkerCall(("-o", "late", "-lm", "dir/liba.a"), "late", None)


@pytest.mark.parametrize(
    "claim",
    [
        "{output: lib.cdylib, args: [-m64], count: 1}",
        "{output: lib.cdylib, libraries: {only: [libdep.rlib, -lgcc_s, libc.so.6]}}",
        "{output: lib.cdylib, libraries: {order: [libdep.rlib, libc.so.6]}}",
        "{output: lib.cdylib, inputs: {only: [symbols.o, '*.rcgu.o', libdep.rlib]}}",
        "{output: lib.cdylib, exports: {only: [foo, bar]}, export-list: true}",
        "{output: main, export-list: false}",
        "{output: late, libraries: {only: [-lm, liba.a]}}",
        "{output: nowhere, count: 0}",
        "{count: 2}",
    ],
)
def test_what_was_asked_of_the_linker(claim: str) -> None:
    calls = (CALL, OTHER, LATE) if "late" in claim else (CALL, OTHER)
    assert one_step(f"link: {claim}", done(linker_calls=calls)).outcome is VerdictKind.PASS


@pytest.mark.parametrize(
    ("claim", "key", "found"),
    [
        ("{output: lib.cdylib, args: {none: [-m64]}}", "link[0].args.none", "has -m64"),
        ("{output: lib.cdylib, exports: {only: [foo]}}", "link[0].exports.only", "also bar"),
        ("{output: main, exports: {none: [foo]}}", "link[0].exports", "none in -o, main"),
        ("{output: main, export-list: true}", "link[0].export-list", "false"),
        ("{output: main, libraries: {none: [-lc]}, count: 2}", "link[0].count", "1 linker call"),
        ("{output: nowhere, args: {none: [-x]}}", "link[0].args", "no linker call for nowhere"),
        ("{output: nowhere, args: {none: [-x]}, count: '<3'}", "link[0].args", "no linker call for nowhere"),
    ],
)
def test_what_was_not(claim: str, key: str, found: str) -> None:
    missed = failure(f"link: {claim}", done(linker_calls=(CALL, OTHER)))
    assert (missed.claim, missed.found) == (key, found)


TWO = """\
  - rustc: lib.rs
    crate-type: [cdylib, dylib]
    link: {output: lib.dylib, exports: {only: [inner]}}
"""


def test_outputs_with_one_file_name_are_distinguished_by_order() -> None:
    first, second = replace(CALL, exports=("answer",)), replace(CALL, exports=("inner",))
    made = ("liblib.so",)
    assert judged(planned(TWO), done(produced=made, linker_calls=(first, second))).outcome is VerdictKind.PASS
    wrong = judged(planned(TWO), done(produced=made, linker_calls=(second, first))).failures
    assert {(one.claim, one.found) for one in wrong} == {
        ("link[0].exports.only", "also answer"),
        ("link[0].exports.only", "lacks inner; has answer"),
    }
    (none,) = judged(planned(TWO), done(produced=made, linker_calls=(first,))).failures
    assert none.found == "no linker call for lib.dylib"
    (again,) = judged(planned(TWO), done(produced=made, linker_calls=(first, first, second))).failures
    assert (again.claim, again.found, again.error) == (
        "link[0].output",
        "3 linker calls made liblib.so, which is lib.cdylib, lib.dylib",
        True,
    )


def test_rustc_sorts_the_crate_types_of_a_source() -> None:
    text = """\
summary: A case
sources: {lib.rs: '#![crate_type = "cdylib"] #![crate_type = "dylib"]'}
steps:
  - {rustc: lib.rs, link: {output: lib.dylib, exports: {only: [inner]}}}
"""
    first, second = replace(CALL, exports=("inner",)), replace(CALL, exports=("answer",))
    outcome = done(produced=("liblib.so",), linker_calls=(first, second))
    assert judged(planned(text), outcome).outcome is VerdictKind.PASS


def test_claims_about_a_linker_that_was_not_called() -> None:
    assert failure("link: {args: {none: [-x]}}", done()).found == "no linker call"


def test_each_part_of_steps_that_run_together_is_judged() -> None:
    text = (
        "  - parallel:\n"
        "    - {rustc: lib.rs, id: a, crate-name: a, crate-type: rlib, stderr: {empty: true}}\n"
        "    - {rustc: lib.rs, id: b, crate-name: b, crate-type: rlib, exit: fails}\n"
    )
    parts = (done(produced=("liba.rlib",), stderr="warning"), done(status=0, produced=("liba.rlib",)))
    verdict = judged(planned(text), done(produced=("liba.rlib",), parts=parts))
    assert [(one.step, one.claim) for one in verdict.failures] == [
        ("a", "stderr.empty"),
        ("b", "exit"),
        ("b", "produces"),
    ]


@pytest.mark.parametrize(
    ("object_format", "verdict"), [("coff", VerdictKind.PASS), ("elf", VerdictKind.FAIL)]
)
def test_line_ends_of_a_program_for_windows(object_format: str, verdict: VerdictKind) -> None:
    """C's printf writes CR LF there, so that a case's text is the same for all targets."""
    made = planned(
        "  - {rustc: lib.rs, id: main, crate-name: main, crate-type: bin}\n"
        '  - {run: main, id: first, stdout: "1\\n2\\n"}\n'
        "  - {run: main, id: second, stdout: {same-as: first}}\n"
    )
    steps = tuple(replace(step, object_formats={step.id: object_format}) for step in made.steps)
    outcomes = (done(), done(stdout="1\r\n2\r\n"), done(stdout="1\n2\n"))
    assert judged(replace(made, steps=steps), *outcomes).outcome is verdict
