"""What `all`, `any`, `none`, `only`, `count`, `order`, `within` and `except` mean, and patterns."""

import pytest
from pydantic import TypeAdapter

from linkage.case.claims import Names
from linkage.case.document import parse
from linkage.judge.name_set import Mismatch, asks_for_nothing, check_names, compare, listing, nearest
from linkage.judge.pattern import compile_patterns, spelt
from linkage.toolchain.release import RustcVersion
from support.hand_made import OLD, STABLE

_NAMES: TypeAdapter[Names] = TypeAdapter(Names)


def claim(text: str) -> Names:
    return _NAMES.validate_python(parse(text, "claim").data)


def check(text: str, *names: str) -> list[Mismatch]:
    return list(check_names(claim(text), names, STABLE))


HOLDS = [
    ("[foo]", ("foo",)),
    ("[foo, bar]", ("bar", "baz", "foo")),
    ("foo", ("foo",)),
    ("{all: ['foo_*']}", ("foo_1", "foo_2")),
    ("{any: [a, b]}", ("b",)),
    ("{none: [a, 'b*']}", ("c", "ab")),
    ("{none: [a]}", ()),
    ("{only: [a, 'b*']}", ("a", "b1", "b2")),
    ("none", ()),
    ("{only: []}", ()),
    ("{count: 2}", ("a", "b")),
    ("{count: '>=1'}", ("a",)),
    ("{count: '!=1'}", ("a", "b")),
    ("{count: 0}", ()),
    ("{order: [a, 'c*']}", ("a", "b", "c1")),
    ("{order: [a, a]}", ("a", "b", "a")),
    ("{within: ['x_*'], only: [x_1]}", ("x_1", "y")),
    ("{within: ['x_*'], count: 0}", ("y",)),
    ("{except: ['x_*'], only: [y]}", ("x_1", "y")),
    ("{except: [y], count: 0}", ("y",)),
    ("{within: ['x_*'], except: [x_2], only: [x_1]}", ("x_1", "x_2", "y")),
]

FAILS = [
    ("[foo]", ("bar",), Mismatch("all", "has foo", "not among bar", wrong="lacks foo")),
    ("[foo]", (), Mismatch("all", "has foo", "the list is empty", wrong="lacks foo")),
    (
        "[foo_fn]",
        ("foo_fns",),
        Mismatch("all", "has foo_fn", "not among foo_fns", ("foo_fns",), wrong="lacks foo_fn"),
    ),
    ("{any: [aaa, b]}", ("xaaa",), Mismatch("any", "has one of aaa, b", "xaaa", ("xaaa",))),
    ("{any: [a]}", (), Mismatch("any", "has one of a", "nothing")),
    ("{none: ['b*']}", ("b2", "a", "b1", "b1"), Mismatch("none", "lacks b*", "has b1, b2")),
    ("{only: [a]}", ("a", "b", "c"), Mismatch("only", "only a", "also b, c")),
    ("{only: [a, bbbb]}", ("a",), Mismatch("only", "only a, bbbb", "lacks bbbb; has a", wrong="lacks bbbb")),
    ("none", ("a",), Mismatch("only", "no names", "has a")),
    ("{count: 2}", ("a",), Mismatch("count", "count 2", "1: a", wrong="1")),
    ("{count: '<1'}", ("a",), Mismatch("count", "count <1", "1: a", wrong="1")),
    (
        "{order: [b, a]}",
        ("a", "b"),
        Mismatch("order", "in this order: b, a", "a is out of order in a, b"),
    ),
    (
        "{order: [start, star]}",
        ("star", "start"),
        Mismatch("order", "in this order: start, star", "star is out of order in star, start"),
    ),
    (
        "{order: [start, stare]}",
        ("start", "b"),
        Mismatch("order", "in this order: start, stare", "stare is missing in start, b", ("start",)),
    ),
    ("{order: [a, c]}", ("a", "b"), Mismatch("order", "in this order: a, c", "c is missing in a, b")),
    ("{order: [a, a]}", ("a",), Mismatch("order", "in this order: a, a", "a is out of order in a")),
    (
        "{within: ['x_*'], none: [x_1]}",
        ("y",),
        Mismatch(
            "within",
            "names to judge (within x_*)",
            "no names to judge (within x_*): none among y",
            error=True,
        ),
    ),
    (
        "{within: ['x_*'], none: [x_1]}",
        (),
        Mismatch(
            "within",
            "names to judge (within x_*)",
            "no names to judge (within x_*): the list is empty",
            error=True,
        ),
    ),
    (
        "{within: ['x_*'], count: '<5'}",
        ("y",),
        Mismatch(
            "within",
            "names to judge (within x_*)",
            "no names to judge (within x_*): none among y",
            error=True,
        ),
    ),
    (
        "{except: ['y*'], none: [z]}",
        ("y",),
        Mismatch(
            "except", "names to judge (except y*)", "no names to judge (except y*): none among y", error=True
        ),
    ),
]


@pytest.mark.parametrize(("text", "names"), HOLDS)
def test_a_claim_that_holds(text: str, names: tuple[str, ...]) -> None:
    assert check(text, *names) == []


@pytest.mark.parametrize(("text", "names", "miss"), FAILS)
def test_claim_that_does_not_hold(text: str, names: tuple[str, ...], miss: Mismatch) -> None:
    assert check(text, *names) == [miss]


def test_every_part_that_does_not_hold_is_reported() -> None:
    found = check("{all: [a, b], none: [c], count: 9}", "c", "d")
    assert [miss.part for miss in found] == ["all", "all", "none", "count"]


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("none", True),
        ("{count: 0}", True),
        ("{count: '<1'}", True),
        ("{count: '<=0'}", True),
        ("{except: [a], count: 0}", True),
        ("{none: [a]}", False),
        ("{count: '<5'}", False),
        ("{count: '>=0'}", False),
        ("{count: '!=1'}", False),
        ("{within: [a], count: 0}", False),
        ("{none: [a], count: '<5'}", False),
    ],
)
def test_only_what_asks_for_exactly_nothing_holds_of_an_empty_table(text: str, *, so: bool) -> None:
    assert asks_for_nothing(claim(text)) is so


@pytest.mark.parametrize(
    ("text", "below", "at", "above"),
    [
        ("3", False, True, False), ("=3", False, True, False), ("==3", False, True, False),
        ("!=3", True, False, True), ("<3", True, False, False), ("<=3", True, True, False),
        (">3", False, False, True), (">= 3", False, True, True),
    ],
)  # fmt: skip
def test_comparisons(text: str, *, below: bool, at: bool, above: bool) -> None:
    assert [compare(text, number) for number in (2, 3, 4)] == [below, at, above]


MANGLED = "_RNvCshGpAVYOtgW1_5alloc3foo"
LEGACY = "_ZN5alloc3vec4push17h0123456789abcdefE"

PATTERNS = [
    ("foo", ["foo"], ["foo1", "afoo", "Foo"]),
    ("=foo*", ["foo*"], ["foo1"]),
    ("foo_*", ["foo_", "foo_bar"], ["foo", "afoo_"]),
    ("foo_?", ["foo_1"], ["foo_", "foo_12"]),
    ("foo_[ab]", ["foo_a"], ["foo_c", "foo_[ab]"]),
    (r"/^foo_\d+$/", ["foo_12"], ["foo_", "foo_1x"]),
    ("/oo/", ["foo", "oops"], ["fo"]),
    ("path:alloc::*", [MANGLED, LEGACY], ["alloc", "_ZN4core3vec17h0123456789abcdefE"]),
    ("path:*::push", [LEGACY], [MANGLED]),
    ("a\nb", ["a\nb"], ["a b"]),
]


@pytest.mark.parametrize(("pattern", "fits", "others"), PATTERNS)
def test_patterns(pattern: str, fits: list[str], others: list[str]) -> None:
    (compiled,) = compile_patterns([pattern], STABLE)
    assert [name for name in [*fits, *others] if compiled.matches(name)] == fits


def test_only_an_exact_name_is_looked_up_as_such() -> None:
    texts = ["foo", "=f*", "f*", "/f/", "path:f", "${allocator-shim}"]
    assert [one.exact for one in compile_patterns(texts, STABLE)] == ["foo", "f*", None, None, None, None]


@pytest.mark.parametrize(
    ("version", "name"), [(OLD, "__rust_alloc"), (STABLE, "_RNvCsabcd_7___rustc12___rust_alloc")]
)
def test_a_group_means_the_names_of_its_compiler(version: RustcVersion, name: str) -> None:
    other = STABLE if version is OLD else OLD
    assert compile_patterns(["${allocator-shim}"], version)[0].matches(name)
    assert not compile_patterns(["${allocator-shim}"], other)[0].matches(name)


@pytest.mark.parametrize(
    "text",
    [
        "{only: ['${allocator-shim}']}",
        "{all: ['__rust_a*'], within: ['${allocator-shim}']}",
        "{any: ['${allocator-shim}']}",
        "{order: ['${allocator-shim}']}",
        "{except: ['${allocator-shim}'], count: 0}",
    ],
)
def test_a_group_can_be_named_in_every_part_of_a_claim(text: str) -> None:
    assert list(check_names(claim(text), ["__rust_alloc"], OLD)) == []
    assert list(check_names(claim(text), ["__rust_alloc"], STABLE)) != []


def test_a_group_is_shown_with_its_names() -> None:
    assert "__rust_realloc" in spelt("${allocator-shim}", OLD)
    assert spelt("${allocator-shim}", OLD).startswith("${allocator-shim} (")
    (miss,) = check_names(claim("['${allocator-shim}']"), ["main"], OLD)
    assert "__rust_alloc" in miss.claimed


def test_a_group_among_all_needs_one_of_its_names_only() -> None:
    assert list(check_names(claim("['${allocator-shim}']"), ["__rust_dealloc"], OLD)) == []


def test_shown_names_are_escaped() -> None:
    assert listing(["a\x1b[31m", "b\u202ec", "d"]) == r"a\x1b[31m, b\u202ec, d"


def test_a_long_list_is_counted() -> None:
    assert listing([str(number) for number in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7 and 4 more"


def test_a_long_list_is_shown_around_the_nearest_name() -> None:
    names = [str(number) for number in range(40)]
    assert listing(names, 4, around=["x", "20", "1"]) == "… 18, 19, 20, 21 and 36 more"
    assert listing(names, 4, around=["0"]) == "0, 1, 2, 3 and 36 more"
    assert listing(names, 4, around=["39"]) == "… 36, 37, 38, 39 and 36 more"
    assert listing(names[:4], 4, around=["3"]) == "0, 1, 2, 3"


def test_of_a_long_path_the_file_is_listed() -> None:
    folder = "/root/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/lib"
    assert listing([f"{folder}/libcore.rlib", "/usr/lib/crt1.o", f"-L{folder}/"]) == (
        f"…/libcore.rlib, /usr/lib/crt1.o, -L{folder}/"
    )


def test_the_nearest_path_is_not_the_one_with_the_word_path() -> None:
    assert nearest(["path:foo::*"], ["std::path::Path", "foo::bar"]) == ("foo::bar",)


def test_the_nearest_path_ends_in_a_similar_word() -> None:
    names = ["core::fmt::write", "<hb::Shape>::shown", "main"]
    assert nearest(["path:hb::Shape::shwon"], names) == ("<hb::Shape>::shown",)


def test_nearest_name_contains_the_word_or_has_a_similar_spelling() -> None:
    assert nearest(["__rust_alloc"], ["_RNvCs_7___rustc12___rust_alloc", "main"]) == (
        "_RNvCs_7___rustc12___rust_alloc",
    )
    assert nearest(["answer"], ["anwser", "main"]) == ("anwser",)
    assert nearest(["ab"], ["abc"]) == ()
    assert nearest(["ab", "answer"], ["abc", "answers"]) == ("answers",)


def test_a_group_knows_names_that_rustc_made_unique_to_a_staticlib() -> None:
    """With -Zstaticlib-rename-internal-symbols, hidden or not."""
    shim = "_RNvCshfJ12k0ydlO_7___rustc12___rust_alloc"
    renamed = f"{shim}.rs952a2d5d4d11c726"
    new = RustcVersion.parse("1.98.1")
    for names in ((shim,), (renamed,), (renamed, "foo")):
        assert list(check_names(claim("['${alloc}']"), names, new)) == []
        (miss,) = check_names(claim("{none: ['${allocator-shim}']}"), names, new)
        assert miss.found == f"has {names[0]}"
    for other in (f"{shim}.rs952a", f"{shim}.llvm.1", f"{renamed}.cold"):
        assert list(check_names(claim("{none: ['${alloc}']}"), (other,), new)) == []
    assert (
        list(check_names(claim("['${personality}']"), ("rust_eh_personality.rs952a2d5d4d11c726",), new)) == []
    )
    assert list(check_names(claim("['path:__rustc::__rust_alloc']"), (renamed,), new)) == []
