"""Bounds and what lies between them."""

from datetime import date

import pytest

from linkage.bisect.axis import Nightlies, Range, Releases, between, is_commit, listed, nightly_of, steps_back
from linkage.errors import LinkageError
from linkage.toolchain.release import RustcVersion

TODAY = date(2026, 5, 19)


def names(found: Range) -> tuple[str | None, str]:
    return None if found.old is None else found.axis.name(found.old), found.axis.name(found.new)


@pytest.mark.parametrize(
    ("old", "new", "kind", "ends"),
    [
        ("2026-01-31", "2026-02-02", Nightlies, ("nightly-2026-01-31", "nightly-2026-02-02")),
        ("nightly-2026-01-31", None, Nightlies, ("nightly-2026-01-31", "nightly-2026-05-19")),
        (None, "2026-02-02", Nightlies, (None, "nightly-2026-02-02")),
        (None, None, Nightlies, (None, "nightly-2026-05-19")),
        ("1.78", "1.95.0", Releases, ("1.78.0", "1.95.0")),
        ("1.78.1", "1.95", Releases, ("1.78.1", "1.95.0")),
        (None, "1.95", Releases, (None, "1.95.0")),
        # A release beside a date is the nightly of the day on which it left the main branch.
        ("1.95", "2026-05-19", Nightlies, ("nightly-2026-02-27", "nightly-2026-05-19")),
        ("1.95", None, Nightlies, ("nightly-2026-02-27", "nightly-2026-05-19")),
    ],
)
def test_bounds(old: str | None, new: str | None, kind: type, ends: tuple[str | None, str]) -> None:
    found = between(old, new, TODAY)
    assert isinstance(found.axis, kind)
    assert names(found) == ends


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("2026-02-30", None, "2026-02-30: is not a valid date"),
        ("2026-02-02", "2026-02-02", "bisect: nightly-2026-02-02 is not older than nightly-2026-02-02"),
        ("1.95", "1.78", "bisect: 1.95.0 is not older than 1.78.0"),
        ("yesterday", None, "yesterday: is not a date, a release or a commit"),
        ("2026-02-02", "2026-05-20", "2026-05-20: is in the future (help: the newest is 2026-05-19)"),
        ("2030-02-02", None, "2030-02-02: is in the future (help: the newest is 2026-05-19)"),
        ("1.78", "1.96", "1.96: is in the future (help: the newest is 1.95)"),
        ("1.999", "2026-02-02", "1.999: is in the future (help: the newest is 1.95)"),
        (
            "2014-02-02",
            None,
            "2014-02-02: is older than Rust 1.0 (help: the first nightly after it is 2015-05-16)",
        ),
    ],
)
def test_invalid_bounds(old: str, new: str | None, told: str) -> None:
    with pytest.raises(LinkageError) as caught:
        between(old, new, TODAY)
    assert str(caught.value).startswith(told)
    assert "(help: " in str(caught.value) or "valid date" in told


def test_a_list_is_as_its_user_ordered_it() -> None:
    specs = ["debian:1.63", "1.78.0", "stage1=build/host/stage1"]
    assert names(listed(specs, None, None)) == ("debian:1.63", "stage1=build/host/stage1")
    assert names(listed(specs, "1.78.0", None)) == ("1.78.0", "stage1=build/host/stage1")
    assert listed(specs, None, None).describe() == "debian:1.63 … stage1=build/host/stage1"
    for bad, told in (
        (("a",), "no toolchain between the first and the last of the list"),
        (("a", "b", "a"), "a: is listed twice"),
    ):
        with pytest.raises(LinkageError, match=told):
            listed(bad, None, None)
    with pytest.raises(LinkageError, match=r"stable is not in the list \(help: debian:1\.63, "):
        listed(specs, "stable", None)


def test_steps_back_grow_and_end() -> None:
    assert steps_back(100, 50) == [99, 98, 96, 92, 84, 68, 50]
    assert steps_back(5, 5) == []


def test_what_is_a_commit() -> None:
    assert is_commit("e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a")
    assert is_commit("e50aa6f")
    assert not any(is_commit(text) for text in (None, "1.95", "2026-05-19", "e50aa"))


def test_the_nightly_that_a_compiler_is() -> None:
    answer = "rustc 1.97.0-nightly\ncommit-date: 2026-05-18\nrelease: 1.97.0-nightly\n"
    assert nightly_of(RustcVersion.from_verbose(answer)) == "nightly-2026-05-19"
    assert nightly_of(RustcVersion.parse("1.95.0")) is None
