"""The search against exhaustive truth: any range, any skips, any flips, many questions at once."""

import math
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.bisect.search import Gap, Mark, asking, choose, gaps, spread, untried, upcoming

GOOD, BAD, SKIP = Mark.GOOD, Mark.BAD, Mark.SKIP


def search(
    truths: Sequence[Sequence[Mark]], more: Sequence[int] = ()
) -> tuple[list[dict[int, Mark]], list[int]]:
    """Search all questions at once; what is known at the end, and the positions tried in order."""
    ends = sorted({0, len(truths[0]) - 1, *more})
    known = [{place: truth[place] for place in ends} for truth in truths]
    tried = list(ends)
    while (place := choose(known)) is not None:
        assert place not in tried
        tried.append(place)
        for one, truth in zip(known, truths, strict=True):
            if asking(one, place):
                one[place] = truth[place]
    return known, tried


def true_gaps(truth: Sequence[Mark]) -> list[Gap]:
    """All flips, from every answer."""
    return gaps(dict(enumerate(truth)))


@st.composite
def one_flip(draw: st.DrawFn, largest: int = 2048) -> list[Mark]:
    size = draw(st.integers(2, largest))
    culprit = draw(st.integers(1, size - 1))
    truth = [GOOD if place < culprit else BAD for place in range(size)]
    skips = draw(st.sets(st.integers(1, max(1, size - 2)), max_size=60)) | set(
        range(*sorted((draw(st.integers(1, size)), draw(st.integers(1, size)))))
        if draw(st.booleans())
        else ()
    )
    for place in skips:
        if 0 < place < size - 1:
            truth[place] = SKIP
    return truth


@st.composite
def any_flips(draw: st.DrawFn) -> list[Mark]:
    size = draw(st.integers(2, 2048))
    at = sorted(draw(st.sets(st.integers(1, size - 1), max_size=9)))
    truth, kind = [], GOOD
    for place in range(size):
        if place in at:
            kind = BAD if kind is GOOD else GOOD
        truth.append(kind)
    for place in draw(st.sets(st.integers(0, size - 1), max_size=40)):
        truth[place] = SKIP
    return truth


@settings(deadline=None, max_examples=60)
@given(one_flip(600))
def test_finds_one_flip_despite_skips(truth: list[Mark]) -> None:
    (known,), tried = search([truth])
    assert gaps(known) == true_gaps(truth)
    assert untried(gaps(known)[0], known) == []
    skipped = sum(truth[place] is SKIP for place in tried)
    # A skip costs its own probe, and a little balance of the probes after it.
    assert len(tried) - skipped <= 2 + 2 * math.ceil(math.log2(len(truth))) + skipped


@given(st.integers(2, 2048), st.data())
def test_without_skips_it_takes_the_logarithm(size: int, data: st.DataObject) -> None:
    culprit = data.draw(st.integers(1, size - 1))
    truth = [GOOD if place < culprit else BAD for place in range(size)]
    (known,), tried = search([truth])
    assert gaps(known) == [Gap(culprit - 1, culprit)]
    assert len(tried) <= 2 + math.ceil(math.log2(size))


@settings(deadline=None, max_examples=40)
@given(any_flips(), st.integers(0, 40))
def test_every_flip_that_is_reported_is_one(truth: list[Mark], extra: int) -> None:
    (known,), _ = search([truth], spread(0, len(truth) - 1, extra))
    found = gaps(known)
    assert set(found) <= set(true_gaps(truth))
    decided = [truth[place] for place in sorted(known) if truth[place] is not SKIP]
    if decided and decided[0] is not decided[-1]:
        assert found


@settings(deadline=None, max_examples=30)
@given(any_flips())
def test_all_positions_tried_find_all_flips(truth: list[Mark]) -> None:
    size = len(truth)
    (known,), _ = search([truth], spread(0, size - 1, size))
    assert gaps(known) == true_gaps(truth)


@settings(deadline=None, max_examples=15)
@given(st.data(), st.integers(2, 300), st.integers(1, 20))
def test_many_at_once_find_what_each_finds_alone(data: st.DataObject, size: int, count: int) -> None:
    truths = []
    for _ in range(count):
        culprit = data.draw(st.integers(1, size - 1))
        truth = [GOOD if place < culprit else BAD for place in range(size)]
        for place in data.draw(st.sets(st.integers(1, max(1, size - 2)), max_size=10)):
            if place < size - 1:
                truth[place] = SKIP
        truths.append(truth)
    known, tried = search(truths)
    assert [gaps(one) for one in known] == [true_gaps(truth) for truth in truths]
    assert len(set(tried)) == len(tried) <= size
    alone = sum(len(search([truth])[1]) for truth in truths)
    assert len(tried) <= alone


def test_a_fix_is_a_flip_the_other_way() -> None:
    (known,), tried = search([[BAD] * 700 + [GOOD] * 324])
    assert gaps(known) == [Gap(699, 700)]
    assert len(tried) <= 12


def test_a_long_run_of_skips_is_left_soon() -> None:
    truth = [GOOD] * 1024
    truth[400:600] = [SKIP] * 200
    truth[800:] = [BAD] * 224
    (known,), tried = search([truth])
    assert gaps(known) == [Gap(799, 800)]
    assert len(tried) <= 16


def test_gap_of_skips_leaves_all_candidates() -> None:
    known: Mapping[int, Mark] = {0: GOOD, 1: SKIP, 2: SKIP, 3: BAD}
    assert choose([known]) is None
    (gap,) = gaps(known)
    assert list(gap.candidates) == [1, 2, 3]


def test_what_is_at_hand_is_tried_before_what_is_not() -> None:
    known = {0: GOOD, 100: BAD}
    assert choose([known]) == 50
    assert choose([known], at_hand={40, 99}) == 40
    assert choose([known], at_hand={99}) == 50


def test_most_informative_probe_comes_first() -> None:
    many = [{0: GOOD, 10: BAD}] * 5
    assert choose([{0: GOOD, 100: BAD}, *many]) == 5


def test_upcoming_has_the_next_probe_for_both_answers() -> None:
    assert upcoming([{0: GOOD, 8: BAD}], 4) == [6, 2]
    assert upcoming([{0: GOOD, 2: BAD}], 1) == []


def test_spread_is_even_and_inside() -> None:
    assert spread(0, 10, 4) == [2, 4, 6, 8]
    assert spread(0, 1, 4) == []
    assert spread(5, 9, 99) == [6, 7, 8]
