"""Release strings and `rustc -vV`, and the order of compilers."""

import contextlib
from datetime import date, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.toolchain import Channel, RustcVersion
from support.versions import versions

NIGHTLY = """\
rustc 1.97.0-nightly (e50aa6fba 2026-05-19)
binary: rustc
commit-hash: e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a
commit-date: 2026-05-19
host: x86_64-unknown-linux-gnu
release: 1.97.0-nightly
LLVM version: 22.1.4
"""
TARBALL = """\
rustc 1.63.0
binary: rustc
commit-hash: unknown
commit-date: unknown
host: x86_64-unknown-linux-gnu
release: 1.63.0
LLVM version: 14.0.6
"""
TARBALL_WITH_COMMIT = """\
rustc 1.98.1 (48a229cea 2026-09-01) (built from a source tarball)
binary: rustc
commit-hash: 48a229ceaefd4985c50990b14116b6d856af0985
commit-date: 2026-09-01
host: x86_64-unknown-linux-gnu
release: 1.98.1
LLVM version: 22.1.8
"""


def nightly(minor: int, commit: date | None) -> RustcVersion:
    return RustcVersion((1, minor, 0), Channel.NIGHTLY, commit_date=commit)


def test_a_nightly_is_named_a_day_after_its_commit() -> None:
    version = RustcVersion.from_verbose(NIGHTLY)
    assert (version.release, version.channel) == ((1, 97, 0), Channel.NIGHTLY)
    assert version.commit_date == date(2026, 5, 19)
    assert version.nightly_date == date(2026, 5, 20)
    assert str(version) == "1.97.0-nightly (e50aa6fba 2026-05-19)"


def test_a_source_tarball_knows_no_commit() -> None:
    version = RustcVersion.from_verbose(TARBALL)
    assert version == RustcVersion((1, 63, 0))
    assert str(version) == "1.63.0"
    without_lines = "".join(line for line in TARBALL.splitlines(keepends=True) if "commit" not in line)
    assert RustcVersion.from_verbose(without_lines) == version


def test_a_source_tarball_may_know_its_commit() -> None:
    version = RustcVersion.from_verbose(TARBALL_WITH_COMMIT)
    assert version.commit_date == date(2026, 9, 1)
    assert version.channel is Channel.STABLE


@pytest.mark.parametrize("text", ["1.95.0", "1.97.0-nightly", "1.98.0-beta.3", "1.98.0-beta", "1.97.0-dev"])
def test_a_release_string_reads_back(text: str) -> None:
    assert str(RustcVersion.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "1.95", "1.95.0-foo", "1.95.0-nightly.3", "clang 14.0.6", "1.95.0 (abc)", "\u0661.95.0"]
)
def test_another_string_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a rustc release such as 1\.95\.0"):
        RustcVersion.parse(text)


def test_an_answer_without_a_release_is_refused() -> None:
    with pytest.raises(ValueError, match="it has no `release:` line"):
        RustcVersion.from_verbose("rustc 1.95.0\nhost: x86_64\n")


def test_the_order_as_it_is_documented() -> None:
    ordered = [
        RustcVersion.parse("1.96.0"),
        RustcVersion.parse("1.96.1"),
        nightly(97, date(2026, 4, 20)),
        nightly(97, date(2026, 5, 19)),
        nightly(97, None),
        RustcVersion.parse("1.97.0-beta"),
        RustcVersion.parse("1.97.0-beta.2"),
        RustcVersion.parse("1.97.0-beta.10"),
        RustcVersion.parse("1.97.0"),
        nightly(98, date(2026, 5, 1)),
    ]
    assert all(one < two and not two < one for one, two in combinations(ordered, 2))


@given(versions(), versions(), versions())
def test_the_order_is_total(one: RustcVersion, two: RustcVersion, three: RustcVersion) -> None:
    assert (one < two) + (two < one) + (one.order == two.order) == 1
    if one <= two <= three:
        assert one <= three
    if one.release < two.release:
        assert one < two


def test_a_stable_release_left_master_before_the_release_before_it() -> None:
    # 1.94.0 was published on Thursday, 2026-03-05; the beta of 1.95 was branched the Friday before.
    assert RustcVersion.parse("1.95.0").left_master == date(2026, 2, 27)
    assert RustcVersion.parse("1.95.1").left_master == date(2026, 2, 27)


@given(versions())
def test_no_compiler_holds_more_of_master_than_its_own_commit(version: RustcVersion) -> None:
    if version.commit_date:
        assert version.left_master <= version.commit_date + timedelta(days=1)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (RustcVersion.parse, RustcVersion.from_verbose):
        with contextlib.suppress(ValueError):
            parse(text)
