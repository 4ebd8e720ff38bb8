"""What a step captures, in the expectations and claims of later steps."""

from typing import Any

import pytest

from linkage.judge.judge import other_variant
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.observation import Observation, Outcome, StepObservation
from support.hand_made import claims, done, elf, judged, planned, text_file

FIRST = "  - {cc: main.c}\n  - {run: main, id: first, capture: %s}\n"


def later(step: str, outcome: Outcome, stream: str = "stdout", **captured: Any) -> Verdict:
    """The verdict on a step after one that captured a stream."""
    return judged(planned(FIRST % stream + step), done(), done(**captured), outcome)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_text_is_that_of_an_earlier_step(stream: str) -> None:
    step = '  - {run: main, id: second, stdout: "<${captured.first}>"}\n'
    captured = {stream: " words \n"}
    assert later(step, done(stdout="<words>"), stream, **captured).outcome is VerdictKind.PASS
    verdict = later(step, done(stdout="<other>"), stream, **captured)
    assert [(one.claim, one.claimed) for one in verdict.failures] == [("stdout.equals", "equals '<words>'")]


def test_a_claim_about_an_artifact_is_about_what_was_captured() -> None:
    step = '  - {rustc: lib.rs, crate-type: cdylib, claims: {lib.cdylib: {exports: ["${captured.first}"]}}}\n'
    for exported, outcome in (("foo", VerdictKind.PASS), ("bar", VerdictKind.FAIL)):
        facts = {"liblib.so": elf(exports=[exported])}
        assert later(step, done(facts=facts), stdout="foo").outcome is outcome


def test_steps_in_parallel_expect_what_was_captured() -> None:
    step = (
        '  - parallel:\n    - {run: main, id: one, stdout: "${captured.first}"}\n'
        '    - {run: main, id: two, stdout: "not ${captured.first}"}\n'
    )
    parts = (done(stdout="foo"), done(stdout="not foo"))
    assert later(step, done(parts=parts), stdout="foo").outcome is VerdictKind.PASS
    verdict = later(step, done(parts=parts), stdout="bar")
    assert [one.claimed for one in verdict.failures] == ["equals 'bar'", "equals 'not bar'"]


def test_steps_in_parallel_capture_each_for_itself() -> None:
    text = (
        "  - {cc: main.c}\n"
        "  - parallel: [{run: main, id: a, capture: stdout}, {run: main, id: b, capture: stderr}]\n"
        '  - {run: main, id: c, stdout: "${captured.a} ${captured.b}"}\n'
    )
    both = done(parts=(done(stdout="foo", stderr="x"), done(stdout="x", stderr="bar")))
    assert judged(planned(text), done(), both, done(stdout="foo bar")).outcome is VerdictKind.PASS
    (failure,) = judged(planned(text), done(), both, done(stdout="x")).failures
    assert failure.claimed == "equals 'foo bar'"


def test_native_libraries_are_captured_as_a_list() -> None:
    text = (
        "  - {rustc: lib.rs, id: lib, crate-type: staticlib, capture: native-static-libs}\n"
        "  - {cc: main.c}\n"
        '  - {run: main, stdout: "${captured.lib}"}\n'
    )
    for stderr, libraries in (("note: native-static-libs: -lgcc_s -lc\n", "-lgcc_s -lc"), ("", "")):
        (failure,) = judged(planned(text), done(stderr=stderr), done(), done(stdout="x")).failures
        assert failure.claimed == f"equals '{libraries}'"


def test_a_claim_about_a_text_is_filled() -> None:
    step = '  - {write: out.txt, text: "x", claims: {out.txt: {text: {equals: "${captured.first}"}}}}\n'
    facts = {"out.txt": text_file("foo")}
    assert later(step, done(produced=("out.txt",), facts=facts), stdout="foo").outcome is VerdictKind.PASS
    assert later(step, done(produced=("out.txt",), facts=facts), stdout="bar").outcome is VerdictKind.FAIL


def test_a_command_shows_what_any_earlier_step_captured() -> None:
    text = FIRST % "stdout" + '  - {run: main, id: between}\n  - {run: main, args: ["${captured.first}"]}\n'
    verdict = judged(planned(text), done(), done(stdout="foo"), done(), done())
    assert verdict.commands[-1].endswith("./main foo")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_stream_of_an_earlier_step_is_compared(stream: str) -> None:
    text = (
        f"  - {{cc: main.c}}\n  - {{run: main, id: first}}\n  - {{run: main, {stream}: {{same-as: first}}}}\n"
    )
    one, other = done(**{stream: "foo\n"}), done(**{stream: "foo"})
    assert judged(planned(text), done(), one, one).outcome is VerdictKind.PASS
    (failure,) = judged(planned(text), done(), one, other).failures
    assert (failure.claim, failure.error) == (f"{stream}.same-as", False)


def test_another_variant_is_shown_with_the_commands_that_were_run() -> None:
    made = planned("  - {rustc: lib.rs, env: {A: '${work}/x'}}\n  - {rustc: lib.rs}\n")
    (reference,) = claims("same-as: {variant: {lto: off, prefer-dynamic: true}}").same_as
    other = other_variant(made, Observation((StepObservation("lib", (), done()),)), reference)
    assert (other.node, other.variable) == (made.variant.id, "OTHER_lto_off_prefer_dynamic_True")
    (command,) = other.commands
    assert command.startswith('A="$OTHER_lto_off_prefer_dynamic_True"/x /rust/bin/rustc lib.rs ')


def test_commands_show_what_was_captured() -> None:
    text = (
        "  - {rustc: lib.rs, id: lib, crate-type: staticlib, capture: native-static-libs}\n"
        "  - {cc: main.c, link-with: [lib.staticlib], system-libraries: false,\n"
        '     flags: ["${captured.lib}"], capture: stderr, cwd: sub}\n'
        '  - {run: main, args: ["<${captured.main}>"], stdin: "${captured.main}\\n"}\n'
        """  - {write: x, text: "50% of ${work}\\n"}\n"""
        "  - {clean: true, keep: [main]}\n"
    )
    spared = " ! -path ./main ! -path './main/*'"
    native = done(stderr="note: native-static-libs: -lc -lm\n")
    verdict = judged(planned(text), native, done(stderr="in $WORK/sub: it's\n"), done(), done(), done())
    rustc, cc, run, write, clean = verdict.commands
    assert rustc == "/rust/bin/rustc lib.rs --edition=2021 --crate-type=staticlib -L ."
    assert cc == "( cd sub && cc ../main.c -o ../main -L.. -lc -lm ../liblib.a )"
    given, _, started = run.partition(" | ")
    assert given == """printf 'in %s/sub: it'"'"'s\\n' "$WORK\""""
    assert started == (
        """LD_LIBRARY_PATH="$WORK":/rust/lib/rustlib/libs ./main '<in '"$WORK"'/sub: it'"'"'s>'"""
    )
    assert write == "printf '50%% of %s\\n' \"$WORK\" >x"
    assert clean == (
        f"find . -mindepth 1 ! -type d{spared} -delete && "
        f"find . -mindepth 1 -depth -type d -empty{spared} -delete # and put the case's sources back"
    )
