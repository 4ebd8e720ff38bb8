"""Known bugs: as described, failing differently, no longer occurring, hidden by another."""

import pytest

from linkage.artifact.facts import Facts
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.observation import Diagnostic
from linkage.plan.observation import Outcome as StepOutcome
from support.hand_made import archive, done, elf, judged, member, planned

CASE = """\
summary: s
sources: {lib.rs: '', main.c: ''}
matrix: {lto: [off, fat]}
steps:
  - rustc: lib.rs
    crate-type: cdylib
    stderr: {not-contains: warning}
    claims: {lib.cdylib: {exports: [foo], needed: none}}
  - {cc: main.c, link-with: [lib.cdylib], system-libraries: false}
claims: {main: {exists: true}, lib.cdylib: {imports: [malloc]}}
known-bugs:
"""
BUG = "  - issue: rust-lang/rust#1\n    signature: {%s}\n"
OTHER = "  - unreported: it does not link\n    signature: {%s}\n"
LINK_ERROR = done(status=1, stderr="ld: undefined reference to `__rdl_alloc'", produced=())


def library(*exports: str, imports: str = "malloc") -> Facts:
    return elf(exports={**dict.fromkeys(exports, ""), imports: "undefined"})


GOOD = library("foo")


def weigh(bugs: str, *outcomes: StepOutcome, cell: int = 0) -> Verdict:
    return judged(planned(CASE + bugs, cell), *outcomes)


def built(facts: Facts = GOOD, **given: object) -> tuple[StepOutcome, StepOutcome]:
    """Both steps succeed, and the library is like this."""
    return done(facts={"liblib.so": facts}, **({"stderr": "note: fine"} | given)), done(
        produced=("main",), facts={"liblib.so": facts, "main": elf()}
    )


def test_bug_that_matches_its_signature_is_known() -> None:
    verdict = weigh(BUG % "step: main, stderr: undefined reference to `__r", built()[0], LINK_ERROR)
    assert (verdict.outcome, verdict.reason) == (VerdictKind.KNOWN, "rust-lang/rust#1")
    assert [bug.name for bug in verdict.bugs] == ["rust-lang/rust#1"]
    assert [one.claim for one in verdict.failures] == ["exit"]


def test_a_step_can_be_named_by_its_action() -> None:
    assert weigh(BUG % "step: cc, stderr: undefined", built()[0], LINK_ERROR).outcome is VerdictKind.KNOWN
    assert weigh(BUG % "step: rustc, stderr: undefined", built()[0], LINK_ERROR).outcome is VerdictKind.FAIL


def test_different_failure_is_reported_as_such() -> None:
    verdict = weigh(BUG % "step: main, stderr: multiple definition", built()[0], LINK_ERROR)
    assert verdict.outcome is VerdictKind.FAIL
    assert verdict.reason == "fails differently from the known bug rust-lang/rust#1"
    assert verdict.bugs == ()


def test_bug_that_no_longer_occurs_is_fixed() -> None:
    verdict = weigh(BUG % "step: main, stderr: undefined", *built())
    assert verdict.outcome is VerdictKind.FIXED
    assert verdict.reason == (
        "rust-lang/rust#1 no longer occurs (help: remove it, or limit its `toolchains`)"
    )
    assert verdict.failures == ()


def test_an_unreported_bug_carries_its_sentence() -> None:
    verdict = weigh(OTHER % "step: main, exit: 1", built()[0], LINK_ERROR)
    assert [(bug.name, bug.note) for bug in verdict.bugs] == [("unreported", "it does not link")]


@pytest.mark.parametrize(
    ("signature", "seen"),
    [
        ("stderr: __rdl_alloc", True),
        ("stderr: __rust_alloc", False),
        ("stdout: hello", True),
        ("stdout: bye", False),
        ("matches: 'reference to .__r\\w+'", True),
        ("matches: '^reference'", False),
        ("code: E0463", True),
        ("code: E0464", False),
        ("exit: 1", True),
        ("exit: 2", False),
        ("exit: ice", False),
        ("found: exit status 1", True),
        ("found: exit status 2", False),
        ("claim: exit", True),
        ("claim: stderr", False),
        ("claim: exit, exit: 1, code: E0463", True),
        ("claim: exit, exit: 1, code: E0464", False),
    ],
)
def test_every_part_of_a_signature_must_match(signature: str, *, seen: bool) -> None:
    failed = done(
        status=1,
        stdout="hello",
        stderr="ld: undefined reference to `__rdl_alloc'",
        diagnostics=(Diagnostic("error", "no crate", "E0463", ""),),
    )
    found = weigh(BUG % f"step: lib, {signature}", failed).outcome
    assert found is (VerdictKind.KNOWN if seen else VerdictKind.FAIL)


@pytest.mark.parametrize(
    ("exit_word", "outcome"),
    [
        ("ice", done(status=101, ice=True)),
        ("timeout", done(status=-9, limit="time")),
        ("SIGSEGV", done(status=-11)),
    ],
)
def test_a_compiler_that_crashes_as_is_known(exit_word: str, outcome: StepOutcome) -> None:
    assert weigh(BUG % f"step: lib, exit: {exit_word}", outcome).outcome is VerdictKind.KNOWN
    assert weigh(BUG % "step: lib, exit: SIGBUS", outcome).outcome is VerdictKind.ERROR


def test_a_claim_about_an_artifact_is_explained_by_its_name_only() -> None:
    wrong = built(library("bar"), stderr="note")
    assert weigh(BUG % "step: lib, stderr: note", *wrong).outcome is VerdictKind.FAIL
    assert weigh(BUG % "step: lib, found: among bar", *wrong).outcome is VerdictKind.FAIL
    assert weigh(BUG % "step: lib, claim: lib.cdylib.exports", *wrong).outcome is VerdictKind.KNOWN
    assert weigh(BUG % "step: lib, claim: lib.cdylib.exports.all", *wrong).outcome is VerdictKind.KNOWN
    assert weigh(BUG % "step: lib, claim: lib.cdylib, found: among bar", *wrong).outcome is VerdictKind.KNOWN
    assert weigh(BUG % "step: lib, claim: lib.cdylib, found: among baz", *wrong).outcome is VerdictKind.FAIL
    assert weigh(BUG % "step: lib, claim: lib.cdylib.needed", *wrong).outcome is VerdictKind.FAIL
    assert weigh(BUG % "step: lib, claim: lib.cdylib.exports.none", *wrong).outcome is VerdictKind.FAIL


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        ("stdout: hello", done(stdout="other")),
        ("stderr: hello", done(stderr="other")),
        ("diagnostics: [E0001]", done()),
        ("crate-type: cdylib", done(produced=())),
        ("exit: 1", done()),
    ],
)
def test_a_claim_about_a_process_is_explained_by_its_step(expected: str, outcome: StepOutcome) -> None:
    case = f"summary: s\nsources: {{lib.rs: ''}}\nsteps:\n  - {{rustc: lib.rs, {expected}}}\nknown-bugs:\n"
    assert judged(planned(case + BUG % "step: lib, exit: 0"), outcome).outcome is VerdictKind.KNOWN
    assert judged(planned(case + BUG % "step: lib, exit: 3"), outcome).outcome is VerdictKind.FAIL


def test_another_failure_beside_the_known_one_is_a_failure() -> None:
    wrong = built(library("bar"), stderr="warning: x")
    verdict = weigh(BUG % "step: lib, claim: lib.cdylib.exports", *wrong)
    assert verdict.outcome is VerdictKind.FAIL
    assert len(verdict.failures) == 2


def test_damaged_artifact_is_not_a_known_bug() -> None:
    damaged = Facts("elf", 9, "", error="truncated")
    assert weigh(BUG % "step: lib, claim: lib.cdylib.exports", *built(damaged)).outcome is VerdictKind.ERROR


def test_claims_at_the_end() -> None:
    wrong = (
        built()[0],
        done(produced=("main",), facts={"liblib.so": library("foo", imports="free"), "main": elf()}),
    )
    assert weigh(BUG % "step: end, claim: lib.cdylib.imports", *wrong).outcome is VerdictKind.KNOWN
    assert weigh(BUG % "step: main, exit: 0", *wrong).outcome is VerdictKind.FAIL
    assert weigh(BUG % "step: end, claim: lib.cdylib.imports", *built()).outcome is VerdictKind.FIXED


def test_two_bugs_at_the_end_one_of_them_gone() -> None:
    wrong = (
        built()[0],
        done(produced=("main",), facts={"liblib.so": library("foo", imports="free"), "main": elf()}),
    )
    bugs = BUG % "step: end, claim: lib.cdylib.imports" + OTHER % "step: end, claim: main.exists"
    verdict = weigh(bugs, *wrong)
    assert verdict.outcome is VerdictKind.FIXED
    assert [bug.name for bug in verdict.bugs] == ["unreported"]


def test_both_bugs_are_seen() -> None:
    wrong = built(library("bar"), stderr="warning: x")
    bugs = BUG % "step: lib, claim: lib.cdylib.exports" + OTHER % "step: lib, claim: stderr"
    verdict = weigh(bugs, *wrong)
    assert (verdict.outcome, verdict.reason) == (VerdictKind.KNOWN, "rust-lang/rust#1, unreported")


def test_one_of_two_bugs_no_longer_occurs() -> None:
    bugs = BUG % "step: lib, claim: lib.cdylib.exports" + OTHER % "step: lib, claim: stderr"
    verdict = weigh(bugs, *built(library("bar")))
    assert (verdict.outcome, [bug.name for bug in verdict.bugs]) == (VerdictKind.FIXED, ["unreported"])


def test_bug_behind_another_is_hidden_and_not_fixed() -> None:
    """What comes after the first failure, or at the same step once it failed, was not looked for."""
    first = done(status=1, stderr="undefined", produced=())
    for hidden in (
        "step: main, exit: 1",
        "step: end, claim: main.exists",
        "step: lib, claim: lib.cdylib.exports",
    ):
        verdict = weigh(BUG % "step: lib, stderr: undefined" + OTHER % hidden, first)
        assert (verdict.outcome, verdict.reason) == (VerdictKind.KNOWN, "rust-lang/rust#1"), hidden


def test_a_bug_of_other_cells_and_other_compilers_is_not_asked() -> None:
    elsewhere = BUG % "step: main, exit: 1" + "    when: {lto: fat}\n"
    assert weigh(elsewhere, *built(), cell=0).outcome is VerdictKind.PASS
    assert weigh(elsewhere, *built(), cell=1).outcome is VerdictKind.FIXED
    assert weigh(elsewhere, built()[0], LINK_ERROR, cell=0).outcome is VerdictKind.FAIL
    old = BUG % "step: main, exit: 1" + "    toolchains: '<1.90'\n"
    assert weigh(old, *built()).outcome is VerdictKind.PASS
    assert weigh(old, built()[0], LINK_ERROR).outcome is VerdictKind.FAIL


TOGETHER = """\
summary: s
sources: {lib.rs: ''}
steps:
  - rustc: lib.rs
    id: first
    crate-name: first
    crate-type: rlib
  - parallel:
    - {rustc: lib.rs, id: a, crate-name: a, crate-type: rlib}
    - {rustc: lib.rs, id: b, crate-name: b, crate-type: rlib, claims: {b.rlib: {defines: [foo]}}}
known-bugs:
"""
PARTS = ("liba.rlib", "libb.rlib")


def together(bugs: str, one: StepOutcome, other: StepOutcome, facts: Facts) -> Verdict:
    first = done(produced=("libfirst.rlib",), stderr="of the first")
    return judged(
        planned(TOGETHER + bugs),
        first,
        done(produced=PARTS, parts=(one, other), facts={"libb.rlib": facts}),
    )


def test_a_bug_of_a_step_that_runs_beside_others() -> None:
    ok, good = done(produced=PARTS), archive(member("a.o", ["foo"]))
    failed = done(status=1, stderr="of b", produced=PARTS)
    assert together(BUG % "step: b, stderr: of b", ok, failed, good).outcome is VerdictKind.KNOWN
    assert together(BUG % "step: b, stderr: of the first", ok, failed, good).outcome is VerdictKind.FAIL
    assert together(BUG % "step: a, stderr: of b", ok, failed, good).outcome is VerdictKind.FAIL
    assert together(BUG % "step: b, stderr: of b", ok, ok, good).outcome is VerdictKind.FIXED
