"""Differences of tables and lists, matching of renamed, swapped or lost entries, and groups."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.compare.change_groups import grouped
from linkage.compare.change_kinds import KINDS
from linkage.compare.members import changes, match
from linkage.compare.model import Change, ComparedMember, LocatedChange, Table
from linkage.compare.tables import differences, in_sum, lists, moved, renamed, transition, without_schemes

FUNC = "FUNC GLOBAL DEFAULT .text"
LOCAL = "FUNC LOCAL DEFAULT .text"


def table(**rows: str) -> Table:
    return {name: tuple(value.split(" | ")) for name, value in rows.items()}


def told(found: Iterable[Change]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.what) for one in found]


def test_tables_differ_by_names_and_values() -> None:
    base = table(same=FUNC, gone=FUNC, weak=FUNC, twice=f"{LOCAL} | {LOCAL}")
    head = table(same=FUNC, new=FUNC, weak=FUNC.replace("GLOBAL", "WEAK"), twice=LOCAL)
    assert told(differences("symbol", base, head)) == [
        ("symbol gone", "gone", ""),
        ("symbol new", "new", ""),
        ("symbol gone", "twice", ""),
        ("symbol changed", "weak", "GLOBAL → WEAK"),
    ]


def test_a_change_tells_only_the_words_that_differ() -> None:
    assert (
        transition(["FUNC GLOBAL DEFAULT .text"], ["FUNC WEAK HIDDEN .text"])
        == "GLOBAL DEFAULT → WEAK HIDDEN"
    )
    assert transition(["a b"], ["a"]) == "a b → a"


def test_names_of_the_toolchains_crates_are_summarized() -> None:
    base, head = table(**{"std::a": FUNC, "core::b": FUNC, "own::c": FUNC}), table(**{"std::d": FUNC})
    found = list(in_sum("symbols", differences("symbol", base, head), base, head))
    assert told(found) == [
        ("symbol gone", "own::c", ""),
        ("runtime symbols", "core", ""),
        ("runtime symbols", "std", ""),
    ]
    assert (found[2].base, found[2].head, found[2].details) == (
        "1 symbols",
        "1 symbols",
        ("- std::a", "+ std::d"),
    )


def test_name_that_only_one_scheme_can_express_is_not_a_change() -> None:
    base = table(**{"lib::Trait::f": FUNC, "lib::gone": FUNC})
    head = table(**{"<lib::Foo as lib::Trait>::f": FUNC, "<lib::Bar as lib::Trait>::f": FUNC})
    assert told(without_schemes(list(differences("symbol", base, head)), base, head)) == [
        ("symbol gone", "lib::gone", "")
    ]


def test_renamed_symbols_are_matched_by_size() -> None:
    base = table(**{"lib::one": LOCAL, "lib::two": LOCAL, "three": "OBJECT LOCAL DEFAULT .data"})
    head = table(**{"lib::eins": LOCAL, "lib::zwei": LOCAL})
    found = list(differences("private symbol", base, head))
    sizes = ({"lib::one": 8, "lib::two": 16}, {"lib::eins": 16, "lib::zwei": 8})
    assert sorted(told(renamed(found, sizes))) == [
        ("private symbol gone", "three", ""),
        ("private symbol renamed", "lib::one → lib::zwei", ""),
        ("private symbol renamed", "lib::two → lib::eins", ""),
    ]
    alike = ({"lib::one": 8, "lib::two": 8}, {"lib::eins": 8, "lib::zwei": 8})
    assert len(list(renamed(found, alike))) == len(found)


def test_c_names_are_matched_only_if_one_went_and_one_came() -> None:
    one, two = table(one=LOCAL), table(eins=LOCAL)
    (change,) = renamed(list(differences("private symbol", one, two)), ({"one": 8}, {"eins": 16}))
    assert change.name == "one → eins"
    more = table(eins=LOCAL, zwei="OBJECT LOCAL DEFAULT .data")
    found = list(differences("private symbol", one, more))
    assert len(list(renamed(found, ({"one": 8}, {"eins": 8})))) == len(found)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ("a b", "a b", []),
        ("a b", "b a", [("needed order", "")]),
        ("a b", "a", [("needed gone", "b")]),
        ("a", "a b", [("needed new", "b")]),
        ("a b c", "b d", [("needed gone", "a"), ("needed gone", "c"), ("needed new", "d")]),
    ],
)
def test_lists_differ_by_what_they_hold_or_by_its_order(
    base: str, head: str, expected: list[tuple[str, str]]
) -> None:
    assert [(one.kind, one.name) for one in lists("needed", base.split(), head.split())] == expected


@given(st.permutations(range(6)))
def test_the_fewest_elements_are_moved(order: list[int]) -> None:
    out = moved(order)
    rest = [value for at, value in enumerate(order) if at not in out]
    assert rest == sorted(rest)
    fewest = min(
        6 - len(kept)
        for size in range(7)
        for kept in itertools.combinations(order, size)
        if list(kept) == sorted(kept)
    )
    assert len(out) == fewest


def member(name: str, *symbols: str, crate: str | None = None) -> ComparedMember:
    return ComparedMember(name, "object", crate, frozenset(symbols), 8)


def test_members_of_one_name_are_matched_by_what_they_hold() -> None:
    base = [member("lib.cgu.rcgu.o", "a", "b"), member("lib.cgu.rcgu.o", "c", "d"), member("x.o")]
    head = [member("lib.cgu.rcgu.o", "c", "d", "e"), member("lib.cgu.rcgu.o", "a", "b"), member("x.o")]
    found = match(base, head)
    assert (found.pairs, found.gone, found.new) == (((0, 1), (1, 0), (2, 2)), (), ())
    # Which unit comes first is a matter of their hashes.
    assert told(changes(base, head, found)) == []
    last = [head[2], *head[:2]]
    assert told(changes(base, last, match(base, last))) == [("member order", "", "")]


def test_a_member_without_a_partner_went_or_came() -> None:
    base = [member("lib.cgu.rcgu.o", "a"), member("lib.cgu.rcgu.o", "b"), member("std.o", crate="std")]
    head = [member("lib.cgu.rcgu.o", "b"), member("y.o")]
    found = list(changes(base, head, match(base, head)))
    assert told(found) == [
        ("member gone", "lib.cgu.rcgu.o", ""),
        ("member new", "y.o", ""),
        ("runtime members", "std", ""),
    ]
    assert found[0].base == "object, 8 bytes, with a"


def test_many_members_of_one_name_are_matched_in_bounded_time() -> None:
    base = [member("x.o", f"a{at}") for at in range(400)]
    head = [member("x.o", f"b{at}") for at in range(399)]
    found = match(base, head)
    assert (len(found.pairs), found.gone) == (399, (399,))


def place(kind: str, name: str, variant: str, subject: str = "lib.cdylib", what: str = "") -> LocatedChange:
    return LocatedChange(variant, "lib", subject, Change(kind, name, what))


def test_change_is_reported_once_for_all_outputs() -> None:
    found = [
        place("export gone", "foo", "v1"),
        place("export gone", "bar", "v1"),
        place("export gone", "foo", "v2"),
        place("export gone", "bar", "v2"),
        place("export gone", "foo", "v2", subject="lib.dylib"),
        place("export gone", "bar", "v2", subject="lib.dylib"),
        place("export gone", "baz", "v2"),
        place("needed new", "libm.so.6", "v1"),
    ]
    groups = grouped([(one, "") for one in found])
    assert [one.headline() for one in groups] == [
        "newly needed by 1 cdylib: libm.so.6",
        "no longer exported by 2 cdylibs, 1 dylib: bar, foo",
        "no longer exported by 1 cdylib: baz",
    ]
    assert groups[1].variants == ("v1", "v2")


def test_what_is_meant_is_a_group_of_its_own() -> None:
    found = [(place("export gone", "foo", "v1"), "why"), (place("export gone", "foo", "v2"), "")]
    assert sorted((one.expected, one.variants) for one in grouped(found)) == [("", ("v2",)), ("why", ("v1",))]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_headline(kind: str) -> None:
    (group,) = grouped([(place(kind, "name", "v"), "")])
    assert "1 " in group.headline()
    assert "{" not in group.headline()
