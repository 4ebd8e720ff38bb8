"""What each kind of condition holds for, and the errors for wrong ones."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.toolchain import Channel, RustcVersion, VersionRange
from support.versions import versions

STABLE_95 = RustcVersion((1, 95, 0), commit_date=date(2026, 4, 14))
STABLE_97 = RustcVersion((1, 97, 1), commit_date=date(2026, 7, 14))
BETA_97 = RustcVersion((1, 97, 0), Channel.BETA, 3, commit_date=date(2026, 6, 1))
NIGHTLY_97 = RustcVersion((1, 97, 0), Channel.NIGHTLY, commit_date=date(2026, 5, 19))
DEV_97 = RustcVersion((1, 97, 0), Channel.DEV)


@pytest.mark.parametrize(
    ("text", "version", "holds"),
    [
        (">=1.87, <1.91", RustcVersion((1, 90, 2)), True),
        (">=1.87, <1.91", RustcVersion((1, 91, 0)), False),
        (">=1.87, <1.91", RustcVersion((1, 86, 9)), False),
        ("<1.91 || >=1.97", STABLE_95, False),
        ("<1.91 || >=1.97", STABLE_97, True),
        ("1.95", RustcVersion((1, 95, 1)), True),
        ("=1.95.0", RustcVersion((1, 95, 1)), False),
        ("!=1.95", STABLE_95, False),
        # A number stands for all that calls itself by it, whatever the channel.
        (">=1.97", NIGHTLY_97, True),
        ("<1.97", NIGHTLY_97, False),
        ("1.97", NIGHTLY_97, True),
        (">1.97", STABLE_97, False),
        ("<=1.97", STABLE_97, True),
        (">=1.97.0", NIGHTLY_97, True),
        # With a channel the order of channels counts.
        ("<1.97.0-beta", NIGHTLY_97, True),
        ("<1.97.0-beta", BETA_97, False),
        ("<1.97.0-stable", BETA_97, True),
        (">=1.97.0-beta.3", BETA_97, True),
        (">1.97.0-beta.3", BETA_97, False),
        (">=1.97.0-beta.3", STABLE_97, True),
        ("1.97.0-nightly", NIGHTLY_97, True),
        # Dates: of a nightly, its own.
        ("nightly-2026-05-20", NIGHTLY_97, True),
        ("nightly-2026-05-19", NIGHTLY_97, False),
        (">=nightly-2026-05-20", NIGHTLY_97, True),
        (">nightly-2026-05-20", NIGHTLY_97, False),
        (">=nightly-2030-01-01", DEV_97, True),
        # Of a stable or beta compiler, the day on which it left the main branch.
        (">=nightly-2026-02-27", STABLE_95, True),
        (">=nightly-2026-02-28", STABLE_95, False),
        ("<nightly-2026-02-28", STABLE_95, True),
        ("<=nightly-2026-02-27", STABLE_95, False),
        ("nightly-2026-02-27", STABLE_95, False),
        ("!=nightly-2026-02-27", STABLE_95, True),
        # Channels.
        ("stable", STABLE_95, True),
        ("stable", BETA_97, False),
        ("beta", BETA_97, True),
        ("nightly", NIGHTLY_97, True),
        ("nightly", DEV_97, True),
        ("dev", NIGHTLY_97, False),
        ("nightly, >=1.96", NIGHTLY_97, True),
        ("*", STABLE_95, True),
    ],
)
def test_what_a_condition_holds_for(text: str, version: RustcVersion, *, holds: bool) -> None:
    assert VersionRange.parse(text).contains(version) is holds


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "an empty version range; write one such as `>=1.87, <1.91`"),
        ("1", "`1` is not a version condition such as"),
        ("<1.91,", "a condition is missing in the version range '<1.91,'"),
        ("<1.91 || ", "a condition is missing in the version range '<1.91 || '"),
        (">=", "`>=` is not a version condition such as"),
        (">=1.87 <1.91", "`>=1.87 <1.91` holds two conditions: divide them by a comma"),
        (">=nightly", "`>=nightly` compares with a channel, which has no order: write `nightly` alone"),
        ("nightly-2026-02-31", "`nightly-2026-02-31` is not a date of the calendar"),
        ("<1.97-nightly", "`1.97-nightly` lacks the third number: write 1.97.0-nightly"),
        ("1.97.0-nightly.2", "`1.97.0-nightly.2` is not a version condition such as"),
        ("<beta-2026-01-01", "`<beta-2026-01-01` is not a version condition such as"),
        ("~1.95", "`~1.95` is not a version condition such as"),
    ],
)
def test_a_wrong_range_is_answered_with_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared below
        VersionRange.parse(text)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@given(versions(), st.integers(40, 120))
def test_below_and_from_a_release_are_opposites(version: RustcVersion, minor: int) -> None:
    below, from_there = VersionRange.parse(f"<1.{minor}"), VersionRange.parse(f">=1.{minor}")
    assert below.contains(version) is not from_there.contains(version)
    assert VersionRange.parse(f"<1.{minor} || >=1.{minor}").contains(version)
    assert not VersionRange.parse(f"<1.{minor}, >=1.{minor}").contains(version)


@given(versions(), st.dates(date(2019, 1, 1), date(2031, 1, 1)))
def test_before_and_from_a_nightly_are_opposites(version: RustcVersion, day: date) -> None:
    before, from_there = (VersionRange.parse(f"{op}nightly-{day}") for op in ("<", ">="))
    assert before.contains(version) is not from_there.contains(version)


@given(versions(), versions(), st.integers(40, 120))
def test_a_lower_bound_never_ends(one: RustcVersion, two: RustcVersion, minor: int) -> None:
    bound = VersionRange.parse(f">=1.{minor}")
    if one <= two and bound.contains(one):
        assert bound.contains(two)


@given(st.dates(date(2019, 1, 1), date(2031, 1, 1)), st.dates(date(2019, 1, 1), date(2031, 1, 1)))
def test_nightlies_compare_by_date_alone(commit: date, day: date) -> None:
    version = RustcVersion((1, 90, 0), Channel.NIGHTLY, commit_date=commit)
    assert VersionRange.parse(f"<nightly-{day}").contains(version) is (commit + timedelta(days=1) < day)


@given(st.text(alphabet="0123456789.<>=!,|- nightlybeadvs*", max_size=40) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    said = ""
    try:
        assert isinstance(VersionRange.parse(text).contains(NIGHTLY_97), bool)
    except ValueError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
