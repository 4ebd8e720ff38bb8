"""A bisection of many variants at once, on toolchains that are tables."""

import random
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.bisect.axis import Listed, Range, between
from linkage.bisect.engine import Bisection
from linkage.bisect.journal import Journal, JournalEntry, create, load
from linkage.bisect.search import Gap, Mark
from linkage.bisect.signature import ProbeResult
from linkage.bisect.subject import SearchOptions, SearchResult
from support.fake_prober import OTHER, PASSES, SHIM, UNJUDGED, FakeProber, failure

TODAY = date(2026, 5, 19)
Truth = Callable[[str, str], ProbeResult | None]


def bisect(
    truth: Truth,
    variants: Sequence[str] = ("v",),
    *,
    size: int = 1024,
    options: SearchOptions | None = None,
    journal: Journal | None = None,
    asked: Range | None = None,
    prober: FakeProber | None = None,
    hints: Sequence[int] = (),
) -> tuple[SearchResult, FakeProber, list[str]]:
    said: list[str] = []
    prober = prober or FakeProber(truth)
    asked = asked or Range(Listed(tuple(f"t{i}" for i in range(size))), 0, size - 1)
    session = Bisection(
        asked, variants, prober, journal or Journal(), options or SearchOptions(), said.append
    )
    return session.run(hints), prober, said


def number(name: str) -> int:
    return int(name[1:])


def since(culprit: int, then: ProbeResult = SHIM) -> Truth:
    return lambda name, _: then if number(name) >= culprit else PASSES


def test_one_case_over_a_thousand_takes_twelve_installs() -> None:
    for culprit in (1, 2, 511, 512, 700, 1023):
        result, prober, _ = bisect(since(culprit))
        assert [one.flips for one in result.findings] == [(Gap(culprit - 1, culprit),)]
        assert len(prober.installs) <= 12
        assert len(set(prober.installs)) == len(prober.installs)


def test_what_is_likely_next_is_fetched_meanwhile() -> None:
    _, prober, _ = bisect(since(700))
    # After the two ends, each toolchain that was tried had been fetched before it was wanted.
    assert set(prober.installs[3:]) <= set(prober.prefetched)


def test_another_failure_is_skipped_and_shown() -> None:
    def truth(name: str, _: str) -> ProbeResult:
        place = number(name)
        return OTHER if place % 5 == 1 else SHIM if place >= 333 else PASSES

    result, _, said = bisect(truth, size=1000)
    assert result.findings[0].flips == (Gap(332, 333),)
    assert any("skip: v: a different failure: lib: exit: error: unknown flag" in line for line in said)


def test_only_skips_left_name_all_candidates() -> None:
    def truth(name: str, _: str) -> ProbeResult | None:
        place = number(name)
        return None if place in (6, 7) else UNJUDGED if place == 8 else SHIM if place >= 8 else PASSES

    result, _, said = bisect(truth, size=16)
    (finding,) = result.findings
    assert [list(gap.candidates) for gap in finding.flips] == [[6, 7, 8, 9]]
    told = dict(finding.skipped)
    assert told[6] == told[7] == "not on the server"
    assert told[8] == "could not be judged: this toolchain has no dynamic std"
    assert "t6: skipped: not on the server" in said


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 400), st.integers(1, 8), st.randoms(use_true_random=False))
def test_many_find_what_is_true_of_each(size: int, count: int, chance: random.Random) -> None:
    culprits = {f"v{index}": chance.randrange(1, size) for index in range(count)}
    spoilt = {place for place in range(1, size - 1) if chance.random() < 0.1}

    def truth(name: str, variant: str) -> ProbeResult | None:
        place = number(name)
        if place in spoilt:
            return None if place % 2 else OTHER
        return SHIM if variant and place >= culprits[variant] else PASSES

    result, prober, _ = bisect(truth, list(culprits), size=size)
    assert len(set(prober.installs)) == len(prober.installs)
    assert len(set(prober.probes)) == len(prober.probes)
    for finding in result.findings:
        culprit = culprits[finding.question.variant]
        before = max(p for p in range(culprit) if p not in spoilt)
        after = min(p for p in range(culprit, size) if p not in spoilt)
        assert finding.flips == (Gap(before, after),)


def test_two_failures_of_one_variant_are_two_questions() -> None:
    first, second = failure(), failure("error: also foo", "lib", "lib.so.exports")

    def truth(name: str, _: str) -> ProbeResult:
        there = [one for one, at in ((first, 30), (second, 80)) if number(name) >= at]
        return ProbeResult("fail" if there else "pass", failures=tuple(there), reached=3)

    result, _, _ = bisect(truth, size=100)
    assert [one.flips for one in result.findings] == [(Gap(29, 30),), (Gap(79, 80),)]
    only, _, _ = bisect(truth, size=100, options=SearchOptions(claim="lib: lib.so.exports"))
    assert [one.flips for one in only.findings] == [(Gap(79, 80),)]
    wrong, _, _ = bisect(truth, size=100, options=SearchOptions(claim="exports"))
    assert wrong.problems == (
        ("v", "`exports` does not fail on t99; failures: lib: exit, lib: lib.so.exports"),
    )


def test_find_what_fixed_it() -> None:
    result, prober, _ = bisect(
        lambda name, _: PASSES if number(name) >= 77 else SHIM, options=SearchOptions(fixed=True)
    )
    assert result.findings[0].flips == (Gap(76, 77),)
    assert result.findings[0].backwards
    assert len(prober.installs) <= 12


def test_known_bug_that_no_longer_occurs_is_searched_backwards() -> None:
    known = ProbeResult("known", "rust-lang/rust#1", (failure(),), 3)
    gone = ProbeResult("fixed", "rust-lang/rust#1 is no longer seen", reached=3)
    result, _, _ = bisect(lambda name, _: gone if number(name) >= 40 else known, size=64)
    assert result.findings[0].flips == (Gap(39, 40),)
    assert result.findings[0].backwards


def test_a_known_bug_can_be_searched() -> None:
    known = ProbeResult("known", "rust-lang/rust#1", (failure(),), 3)
    result, _, _ = bisect(since(9, known), size=64)
    assert result.findings[0].flips == (Gap(8, 9),)


def test_other_known_bug_is_not_the_failure() -> None:
    known = ProbeResult("known", "rust-lang/rust#1", (failure("error: unlike"),), 3)
    result, _, _ = bisect(lambda name, _: SHIM if number(name) >= 9 else known, size=64)
    assert result.findings[0].flips == (Gap(8, 9),)


def test_flips_are_each_found() -> None:
    def truth(name: str, _: str) -> ProbeResult:
        return SHIM if 20 <= number(name) < 60 or number(name) >= 90 else PASSES

    result, _, _ = bisect(truth, size=100, options=SearchOptions(spread=9))
    assert result.findings[0].flips == (Gap(19, 20), Gap(59, 60), Gap(89, 90))


PASSES_AT_THE_END = (
    "passes on t15, the bad end (help: to find what fixed it, use --regress fixed; to look inside the range, "
    "use --spread N)"
)
FAILS_AT_BOTH = (
    "fails in the same way on t0 (help: choose another good end, or look inside the range with --spread N)"
)


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        (lambda *_: PASSES, PASSES_AT_THE_END),
        (lambda *_: SHIM, FAILS_AT_BOTH),
        (
            lambda name, _: SHIM if name == "t15" else OTHER,
            "t0 cannot be the good end: a different failure: lib: exit: error: unknown flag",
        ),
        (
            lambda *_: UNJUDGED,
            "could not be judged on t15, the bad end: this toolchain has no dynamic std",
        ),
        (lambda *_: None, "no toolchain at or near t15"),
    ],
)
def test_invalid_ends(truth: Truth, problem: str) -> None:
    result, _, _ = bisect(truth, size=16)
    assert result.findings == ()
    assert result.problems == (("v", problem),)


def test_ends_that_are_missing_move_inwards() -> None:
    result, _, _ = bisect(
        lambda name, _: None if name in ("t0", "t1", "t15") else SHIM if number(name) > 4 else PASSES, size=16
    )
    assert result.findings[0].flips == (Gap(4, 5),)
    assert (result.range.old, result.range.new) == (2, 14)


def nightly(day: str) -> str:
    return f"nightly-{day}"


def test_a_missing_end_is_replaced_away_from_the_other_end() -> None:
    """Else a failure since the first of the missing days would be the failure of another day, or of none."""
    missing = {nightly(f"2026-05-{day:02}") for day in (1, 2, 10, 11, 12)}

    def truth(name: str, _: str) -> ProbeResult | None:
        return None if name in missing else SHIM if name >= nightly("2026-05-03") else PASSES

    result, prober, _ = bisect(truth, asked=between("2026-05-02", "2026-05-10", TODAY))
    name = result.range.axis.name
    assert [(name(gap.before), name(gap.after)) for gap in result.findings[0].flips] == [
        (nightly("2026-04-30"), nightly("2026-05-03"))
    ]
    assert prober.installs[:2] == [nightly("2026-05-13"), nightly("2026-04-30")]
    assert (name(result.range.old or 0), name(result.range.new)) == (prober.installs[1], prober.installs[0])


def test_an_end_is_never_replaced_across_the_other_one() -> None:
    days = {nightly("2026-05-11"), nightly("2026-05-12")}

    def truth(name: str, _: str) -> ProbeResult | None:
        return SHIM if name in days else None

    result, prober, _ = bisect(truth, asked=between("2026-05-11", "2026-05-19", TODAY))
    assert prober.installs == [nightly("2026-05-12"), nightly("2026-05-11")]
    assert result.findings == ()
    nothing, prober, _ = bisect(truth, asked=between("2026-05-12", "2026-05-19", TODAY))
    assert (nothing.problems, prober.installs) == ((("v", "no toolchain at or near nightly-2026-05-19"),), [])


def test_a_variant_that_cannot_be_judged_at_an_end_moves_to_the_next() -> None:
    """The other variant is judged at the end itself."""

    def truth(name: str, variant: str) -> ProbeResult:
        place = number(name)
        if variant == "w" and (place < 24 or place > 77):
            return UNJUDGED
        return SHIM if place >= 50 else PASSES

    asked = Range(Listed(tuple(f"t{i}" for i in range(100))), 20, 80)
    result, _, _ = bisect(truth, ["v", "w"], asked=asked)
    assert [one.flips for one in result.findings] == [(Gap(49, 50),), (Gap(49, 50),)]
    assert result.problems == ()


@pytest.mark.parametrize("fixed", [False, True])
def test_what_failed_for_a_while_is_found_without_a_failing_end(fixed: bool) -> None:  # noqa: FBT001
    def truth(name: str, _: str) -> ProbeResult:
        return SHIM if 20 <= number(name) < 60 else PASSES

    plain, _, _ = bisect(truth, size=100, options=SearchOptions(fixed=fixed))
    assert "to look inside the range, use --spread N" in plain.problems[0][1]
    result, _, _ = bisect(truth, size=100, options=SearchOptions(spread=5, fixed=fixed))
    assert result.problems == ()
    (finding,) = result.findings
    assert (finding.flips, finding.backwards) == ((Gap(19, 20), Gap(59, 60)), False)


def test_what_passed_for_a_while_is_found() -> None:
    def truth(name: str, _: str) -> ProbeResult:
        return PASSES if 20 <= number(name) < 60 else SHIM

    result, _, _ = bisect(truth, size=100, options=SearchOptions(spread=5))
    (finding,) = result.findings
    assert (finding.flips, finding.backwards) == ((Gap(19, 20), Gap(59, 60)), True)


def test_an_end_that_passes_and_one_that_fails_are_looked_between() -> None:
    """The ends are the other way round: with --spread, what fixed it is found without being asked for."""
    result, _, _ = bisect(
        lambda name, _: SHIM if number(name) < 60 else PASSES, size=100, options=SearchOptions(spread=3)
    )
    (finding,) = result.findings
    assert (finding.flips, finding.backwards) == ((Gap(59, 60),), True)


def test_the_probes_that_are_left_are_told() -> None:
    _, prober, _ = bisect(since(700))
    assert prober.left[0] == 10
    assert prober.left == sorted(prober.left, reverse=True)
    assert prober.left[-1] == 1


def test_each_compilers_line_shows_what_it_printed_itself() -> None:
    early = failure("error: the shim is missing in liba")

    def truth(name: str, _: str) -> ProbeResult:
        place = number(name)
        return (
            PASSES if place < 9 else ProbeResult("fail", failures=(early,), reached=3) if place < 12 else SHIM
        )

    _, _, said = bisect(truth, size=16)
    assert "t11: bad: v: fails: lib: exit: error: the shim is missing in liba" in said
    assert "t15: bad: v: lib: exit: error: the shim is missing" in "\n".join(said).replace("fails: ", "")


def test_a_good_end_is_found_by_growing_steps() -> None:
    culprit = date(2026, 2, 1)

    def truth(name: str, _: str) -> ProbeResult | None:
        day = date.fromisoformat(name.removeprefix("nightly-"))
        return None if day == date(2026, 5, 18) else SHIM if day >= culprit else PASSES

    result, prober, _ = bisect(truth, asked=between(None, None, TODAY))
    assert result.findings[0].flips == (Gap(culprit.toordinal() - 1, culprit.toordinal()),)
    assert prober.installs[:4] == [
        "nightly-2026-05-19", "nightly-2026-05-17", "nightly-2026-05-15", "nightly-2026-05-11",
    ]  # fmt: skip
    hinted, prober, _ = bisect(truth, asked=between(None, None, TODAY), hints=[date(2026, 1, 20).toordinal()])
    assert hinted.findings[0].flips == result.findings[0].flips
    assert prober.installs[1] == "nightly-2026-01-20"


def test_variant_that_never_passed_is_reported() -> None:
    result, _, _ = bisect(lambda *_: SHIM, asked=between(None, "1.95", TODAY))
    ((_, problem),) = result.problems
    assert problem.startswith("fails in the same way on 1.0.0 (help: choose another good end, or look inside")


def test_interrupted_session_continues(tmp_path: Path) -> None:
    whole, reference, _ = bisect(since(700))
    file = tmp_path / "session"
    with create(file) as journal:
        journal.begin({"cases": ["x.yaml"]})
        with pytest.raises(KeyboardInterrupt):
            bisect(since(700), journal=journal, prober=FakeProber(since(700), stop_after=5))
    with file.open("a") as torn:
        torn.write("bad t700 v {")
    with load(file) as journal:
        again, prober, _ = bisect(since(700), journal=journal)
    assert again.findings == whole.findings
    assert len(prober.probes) == len(reference.probes) - 5
    nothing, idle, _ = bisect(since(700), journal=load(file))
    assert (nothing.findings, idle.probes, idle.installs) == (whole.findings, [], [])


def test_a_corrected_log_is_followed(tmp_path: Path) -> None:
    """A probe that lied, set right by hand, and one that was never tried."""

    def truth(name: str, _: str) -> ProbeResult:
        return PASSES if name == "t511" else SHIM if number(name) >= 300 else PASSES

    file = tmp_path / "session"
    with create(file) as journal:
        journal.begin({"cases": ["x.yaml"]})
        wrong, _, _ = bisect(truth, journal=journal)
    assert wrong.findings[0].flips == (Gap(511, 512),)
    lines = [line.replace("good t511 ", "bad t511 ") for line in file.read_text().splitlines()]
    file.write_text("\n".join([*lines, "good t299 v", "skip t298 v  # no time"]) + "\n")
    right, prober, _ = bisect(truth, journal=load(file, resume=False))
    assert right.findings[0].flips == (Gap(299, 300),)
    assert "t299" not in prober.installs


def test_a_bad_end_by_hand_is_probed_at_for_its_signature() -> None:
    journal = Journal(entries={("t15", "v"): JournalEntry(Mark.BAD)})
    result, prober, _ = bisect(since(7), size=16, journal=journal)
    assert result.findings[0].flips == (Gap(6, 7),)
    assert "t15" in prober.installs


def test_installed_toolchains_are_tried_first() -> None:
    prober = FakeProber(since(50), there={f"t{n}" for n in range(0, 100, 10)})
    result, _, _ = bisect(since(50), size=100, prober=prober)
    assert result.findings[0].flips == (Gap(49, 50),)
    assert len(prober.installs) <= 5


def test_a_toolchain_that_was_removed_meanwhile_is_got_again() -> None:
    """The disk's limit took it after one variant was tried on it, before it is tried for another."""

    class Forgetful(FakeProber):
        def probe(self, name: str, variant: str) -> ProbeResult:
            found = super().probe(name, variant)
            if variant == "w":
                self.there.clear()
            return found

    culprits = {"v": 37, "w": 70}

    def truth(name: str, variant: str) -> ProbeResult:
        return SHIM if variant and number(name) >= culprits[variant] else PASSES

    result, _, _ = bisect(truth, ["v", "w"], size=100, prober=Forgetful(truth))
    assert [one.flips for one in result.findings] == [(Gap(36, 37),), (Gap(69, 70),)]
