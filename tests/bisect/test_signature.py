"""A failure is recognized on another compiler, and a different failure is not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.bisect.question import ProbeOutcome, only, questions, why
from linkage.bisect.search import Mark
from linkage.bisect.signature import ProbeResult, probe_result, signature
from linkage.judge.verdict import Failure, Verdict, VerdictKind
from support.hand_made import done, elf, judged, planned


def failed(found: str, claim: str = "exit", step: str = "link", *, error: bool = False) -> Failure:
    return Failure(step, claim, "cases/x.yaml:1:1", "exit status 0", found, error=error)


def end(
    *failures: Failure, commands: int = 3, outcome: VerdictKind = VerdictKind.FAIL, reason: str = ""
) -> ProbeResult:
    return probe_result(Verdict(outcome, reason, failures, commands=("rustc",) * commands))


LINKER = """exit status 1
error: linking with `cc` failed: exit status: 1
  = note:  "cc" "-m64" "/tmp/rustcX{hash}/symbols.o" "lib.{hash}.rcgu.o"
  = note: /usr/bin/ld: $WORK/lib.{hash}.rcgu.o: in function `{what}':
          lib.c:(.text+0x{hash}): undefined reference to `{what}'
          collect2: error: ld returned 1 exit status
error: aborting due to 1 previous error"""


def test_hashes_paths_and_numbers_make_no_difference() -> None:
    one = signature(failed(LINKER.format(hash="0a1b2c3d4e5f6071", what="__rust_alloc")))
    other = signature(failed(LINKER.format(hash="ffffffff00000000", what="__rust_alloc")))
    assert one.same(other)
    assert one.ended == "exit status N"


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.text("0123456789abcdef", min_size=16, max_size=16), min_size=2, max_size=2))
def test_a_hash_at_the_end_of_a_symbol_makes_no_difference(hashes: list[str]) -> None:
    one, other = (
        signature(failed(f"also rust_metadata_widget_{each}", "widget.cdylib.exports.none"))
        for each in hashes
    )
    assert one.same(other)
    assert one.words == other.words == ("metadata", "widget")


def test_names_are_compared_demangled() -> None:
    legacy = "also _ZN6widget5inner5Boxed3sum17h0a1b2c3d4e5f6071E"
    v0 = "also _RNvNtNtCs1a2b3c4d5e_6widget5inner5Boxed3sum"
    one, other = (signature(failed(text, "widget.cdylib.exports.none")) for text in (legacy, v0))
    assert one.same(other)
    assert not one.same(
        signature(failed("also _ZN6gadget4deep3set17h0a1b2c3d4e5f6071E", "widget.cdylib.exports.none"))
    )


def test_another_symbol_is_another_failure() -> None:
    one = signature(failed(LINKER.format(hash="0", what="__rust_alloc")))
    assert not one.same(signature(failed(LINKER.format(hash="0", what="main"))))
    assert one.same(signature(failed(LINKER.format(hash="0", what="main"))), "claim")


def test_mangling_does_not_hide_the_symbol() -> None:
    mangled = "_RNvCs1a2b3c4d5e_7___rustc12___rust_alloc"
    one = signature(failed(LINKER.format(hash="0", what="__rust_alloc")))
    assert one.same(signature(failed(LINKER.format(hash="0", what=mangled))))


def test_codes_steps_and_ends_count() -> None:
    one = signature(failed("exit status 1\nerror[E0463]: can't find crate for `std`"))
    assert one.codes == ("E0463",)
    assert not one.same(signature(failed("exit status 1\nerror[E0460]: can't find crate for `std`")))
    assert not one.same(signature(failed("exit status 1\nerror[E0463]: can't find crate", step="lib")))
    crash = signature(failed("internal compiler error, exit status 101\nerror[E0463]: can't find crate"))
    assert not one.same(crash)


def test_a_panic_is_known_by_its_words_not_by_its_line() -> None:
    text = "internal compiler error, exit status 101\n"
    text += "thread 'rustc' ({}) panicked at {}compiler/opaque.rs:{}:9:\n"
    text += "assertion failed: bytes[len] == STR_SENTINEL\nnote: rustc {} running on x86_64-unknown-linux-gnu"
    one = signature(failed(text.format(22647, "/rustc-dev/e50aa6fba4e63ab3/", 295, "1.95.0")))
    other = signature(failed(text.format(3, "/usr/src/rustc-1.96.0/", 299, "1.97.0-nightly (e50aa6fba)")))
    assert one.same(other)


def test_files_with_random_names() -> None:
    one = signature(failed("also lib.3pw6gckpmnxkmjhs.rcgu.rmeta", "makes.only"))
    assert one.same(signature(failed("also lib.80b25gcb42d1437bmmu1bx9c7.rcgu.rmeta", "makes.only")))


def test_claims_of_one_name_with_nothing_in_common_differ() -> None:
    one = signature(failed("also __rust_alloc", "lib.dylib.exports.none"))
    assert not one.same(signature(failed("also answer", "lib.dylib.exports.none")))
    assert one.same(signature(failed("also __rust_alloc, __rust_dealloc", "lib.dylib.exports.none")))


def test_what_is_missing_is_what_was_claimed() -> None:
    def missing(claimed: str, found: str) -> Failure:
        return Failure("lib", "lib.so.exports.all", "cases/x.yaml:1:1", claimed, found)

    one = signature(missing("has __rust_alloc", "not among foo, bar"))
    assert one.same(signature(missing("has __rust_alloc", "not among _ZN3std2io5Write17h0123456789abcdefE")))
    assert not one.same(signature(missing("has answer", "not among foo, bar")))
    assert one.line == "has __rust_alloc: not among foo, bar"


def test_a_count_is_the_claim_and_not_the_names() -> None:
    def failure(claim: str, names: list[str]) -> Failure:
        text = f"  - {{rustc: lib.rs, crate-type: cdylib, claims: {{lib.cdylib: {{{claim}}}}}}}\n"
        (found,) = judged(planned(text), done(facts={"liblib.so": elf(exports=names)})).failures
        return found

    for claim, names, others in (
        ("exports: {count: 5}", ["a", "b"], ["entirely", "different", "names"]),
        ("symbols: {names: '*', table: dynamic, count: 5}", ["a", "b"], ["entirely", "different", "names"]),
        (
            "exports: {only: ['a*', answer]}",
            ["a_one", "a_two"],
            ["a_different", "a_name: a", "a; has"],
        ),
    ):
        assert signature(failure(claim, names)).same(signature(failure(claim, others)))
    lacking = failure("exports: {only: ['a*', answer]}", ["a_one"])
    assert signature(lacking).line == "lacks answer"
    other = failure("exports: {only: ['a*', question]}", ["a_one"])
    assert not signature(lacking).same(signature(other))


def test_each_failure_is_a_question_of_its_own() -> None:
    both = end(failed("missing foo", "lib.dylib.exports.all"), failed("also bar", "lib.dylib.exports.none"))
    first, second = questions("v", both)
    assert (first.mark(both), second.mark(both)) == (Mark.BAD, Mark.BAD)
    # One is older than the other: what has been there all along does not hide it.
    earlier = end(failed("also bar", "lib.dylib.exports.none"))
    assert (first.mark(earlier), second.mark(earlier)) == (Mark.GOOD, Mark.BAD)
    assert only((first, second), "link: lib.dylib.exports.none") == (second,)
    assert only((first, second), "lib.dylib.exports.all") == (first,)
    assert only((first, second), "other: lib.dylib.exports.all") == ()


def test_steps_that_were_not_reached_are_not_good() -> None:
    both = end(failed("missing foo", "a.exports.all"), failed("exit status 1\nerror: mmap", step="run"))
    first, _ = questions("v", both)
    short = end(failed("exit status 1\nerror: mmap", step="run"), commands=1)
    assert first.outcome(short) is ProbeOutcome.OTHER


def test_different_failure_is_inconclusive_and_shown() -> None:
    (question,) = questions("v", end(failed("exit status 1\nerror: the shim is missing")))
    other = end(failed("exit status 1\nerror: unknown unstable option: `dylib-lto`"))
    assert question.mark(other) is Mark.SKIP
    assert (
        why(question, other) == "a different failure: link: exit: error: unknown unstable option: `dylib-lto`"
    )


def test_what_could_not_be_judged_is_a_skip() -> None:
    (question,) = questions("v", end(failed("exit status 1\nerror: no")))
    missing = ProbeResult("skip", "this toolchain has no dynamic std")
    assert question.outcome(missing) is ProbeOutcome.UNJUDGED
    assert why(question, missing) == "could not be judged: this toolchain has no dynamic std"
    outside = probe_result(Verdict(VerdictKind.SKIP, "not of this age", outside_range=True))
    told = "could not be judged: not of this age (help: try it with --ignore-limits)"
    assert why(question, outside) == told
    hang = end(failed("exceeded its timeout", "", error=True), outcome=VerdictKind.ERROR)
    assert question.mark(hang) is Mark.SKIP


def test_a_crash_can_be_the_regression() -> None:
    crash = end(failed("was killed by SIGSEGV\nstack overflow", error=True), outcome=VerdictKind.ERROR)
    (question,) = questions("v", crash)
    assert question.mark(crash) is Mark.BAD
    outside = probe_result(Verdict(VerdictKind.SKIP, "not of this age", outside_range=True))
    told = "could not be judged: not of this age (help: try it with --ignore-limits)"
    assert why(question, outside) == told
    hang = end(failed("exceeded its timeout", "", error=True), outcome=VerdictKind.ERROR)
    assert question.mark(hang) is Mark.SKIP


def test_a_known_bug_is_good_unless_it_is_the_question() -> None:
    known = end(failed("missing foo", "a.exports.all"), outcome=VerdictKind.KNOWN, reason="rust-lang/rust#1")
    (question,) = questions("v", end(failed("exit status 1\nerror: no")))
    assert question.mark(known) is Mark.GOOD
    (about_it,) = questions("v", known)
    assert about_it.mark(known) is Mark.BAD
    assert about_it.mark(end(outcome=VerdictKind.FIXED)) is Mark.GOOD
    assert about_it.mark(end(failed("also b", "a.x"), outcome=VerdictKind.KNOWN)) is Mark.SKIP


def test_a_skip_or_a_pass_asks_nothing() -> None:
    assert questions("v", ProbeResult("skip", "no dynamic std")) == ()
    assert questions("v", end(outcome=VerdictKind.PASS)) == ()
    without_step = Failure("", "", "cases/x.yaml", "can be judged", "the store is full", error=True)
    assert questions("v", end(without_step, outcome=VerdictKind.ERROR)) == ()
