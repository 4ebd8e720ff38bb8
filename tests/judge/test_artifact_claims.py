"""Each claim about an artifact: one that holds, one that does not, and one about an absent artifact."""

from collections.abc import Iterable

import pytest

from linkage.artifact.facts import (
    Binding,
    Dynamic,
    Facts,
    ObjectType,
    Symbol,
    SymbolTable,
    SymbolType,
    UnknownFile,
    Visibility,
)
from linkage.judge.aspects import ASPECTS, Aspect
from linkage.judge.view import View, described
from support.claim_subjects import ARCHIVE, LIBRARY, OBJECT, TWICE
from support.hand_made import (
    EMPTY,
    OLD,
    STABLE,
    archive,
    elf,
    keys,
    member,
    misses,
    object_file,
    text_file,
    verdicts,
)

HOLDS = [
    (OBJECT, "defines: {all: [foo, soft, own, mine, fixed, one, data, pool], none: [bar]}"),
    (OBJECT, "undefined: {only: [bar, puts]}"),
    (OBJECT, "unresolved: {only: [bar, puts]}"),
    (OBJECT, "weak: {only: [soft]}"),
    (OBJECT, "local: {only: [own]}"),
    (OBJECT, "global: {only: [foo, mine, inner, fixed, one, data, pool]}"),
    (OBJECT, "hidden: {only: [mine, inner]}"),
    (OBJECT, "absolute: {only: [fixed]}"),
    (OBJECT, "sections: {all: [.text, '.debug_*'], none: [.data]}"),
    (OBJECT, "format: elf"),
    (OBJECT, "type: relocatable"),
    (OBJECT, "size: '>=4096'"),
    (LIBRARY, "exports: {only: [foo, foo_2]}"),
    (LIBRARY, "imports: {only: [malloc]}"),
    (LIBRARY, "needed: {order: ['libstd-*.so', libc.so.6], count: 2}"),
    (LIBRARY, "soname: {only: [libfoo.so]}"),
    (LIBRARY, "runpath: {only: [$ORIGIN, /old]}"),
    (LIBRARY, "symbol-versions: ['libc.so.6:GLIBC_2.*']"),
    (LIBRARY, "interpreter: ['/lib64/ld-linux*']"),
    (LIBRARY, "{pie: true, relro: full, bind-now: false, text-relocations: false}"),
    (LIBRARY, "{executable-stack: false, init-array: 2, fini-array: '<2', tls: true}"),
    (LIBRARY, "gnu-properties: {only: [IBT, SHSTK]}"),
    (LIBRARY, "build-id: {only: [c0ffee], count: 1}"),
    (OBJECT, "{init-array: 0, fini-array: 0, tls: false}"),
    (ARCHIVE, "defines: [foo, bar, soft]"),
    (ARCHIVE, "undefined: {only: [bar, baz]}"),
    (ARCHIVE, "unresolved: {only: [baz]}"),
    (ARCHIVE, "members: {all: [lib.rmeta], count: 3}"),
    (ARCHIVE, "crates: {only: [foo, std]}"),
    (ARCHIVE, "index: {order: [foo, bar]}"),
    (ARCHIVE, "{format: archive, thin: false, metadata: true, bitcode: false, duplicates: none}"),
    (TWICE, "duplicates: {only: [foo]}"),
]

FAILS = [
    (OBJECT, "defines: [bar]", "defines.all", "has bar", "not among foo, soft, own, mine, inner"),
    (OBJECT, "defines: none", "defines.only", "no names", "has data, fixed"),
    (OBJECT, "undefined: {none: [puts]}", "undefined.none", "lacks puts", "has puts"),
    (OBJECT, "unresolved: none", "unresolved.only", "no names", "has bar, puts"),
    (OBJECT, "weak: [foo]", "weak.all", "has foo", "not among soft"),
    (OBJECT, "local: {count: 0}", "local.count", "count 0", "1: own"),
    (OBJECT, "global: {none: [data]}", "global.none", "lacks data", "has data"),
    (OBJECT, "hidden: {only: [mine]}", "hidden.only", "only mine", "also inner"),
    (OBJECT, "absolute: [foo]", "absolute.all", "has foo", "not among fixed"),
    (OBJECT, "sections: {none: [.text]}", "sections.none", "lacks .text", "has .text"),
    (OBJECT, "format: archive", "format", "archive", "elf"),
    (OBJECT, "type: shared", "type", "shared", "relocatable"),
    (OBJECT, "size: '<4096'", "size", "size <4096", "4096 bytes"),
    (LIBRARY, "exports: {only: [foo]}", "exports.only", "only foo", "also foo_2"),
    (LIBRARY, "imports: {none: [malloc]}", "imports.none", "lacks malloc", "has malloc"),
    (LIBRARY, "needed: {none: ['libstd-*']}", "needed.none", "lacks libstd-*", "has libstd-1f2e.so"),
    (LIBRARY, "soname: [libbar.so]", "soname.all", "has libbar.so", "not among libfoo.so"),
    (LIBRARY, "runpath: none", "runpath.only", "no names", "has $ORIGIN, /old"),
    (
        LIBRARY,
        "symbol-versions: {none: ['*']}",
        "symbol-versions.none",
        "lacks *",
        "has libc.so.6:GLIBC_2.34",
    ),
    (LIBRARY, "interpreter: none", "interpreter.only", "no names", "has /lib64/ld-linux"),
    (LIBRARY, "pie: false", "pie", "false", "true"),
    (LIBRARY, "relro: none", "relro", "none", "full"),
    (LIBRARY, "bind-now: true", "bind-now", "true", "false"),
    (LIBRARY, "text-relocations: true", "text-relocations", "true", "false"),
    (LIBRARY, "executable-stack: true", "executable-stack", "true", "false"),
    (LIBRARY, "gnu-properties: {none: [SHSTK]}", "gnu-properties.none", "lacks SHSTK", "has SHSTK"),
    (LIBRARY, "build-id: none", "build-id.only", "no names", "has c0ffee"),
    (LIBRARY, "init-array: 0", "init-array", "init-array 0", "2 functions"),
    (LIBRARY, "fini-array: '>1'", "fini-array", "fini-array >1", "1 function"),
    (LIBRARY, "tls: false", "tls", "false", "true"),
    (ARCHIVE, "members: {none: [lib.rmeta]}", "members.none", "lacks lib.rmeta", "has lib.rmeta"),
    (ARCHIVE, "crates: [core]", "crates.all", "has core", "not among foo, std"),
    (ARCHIVE, "index: {only: [foo]}", "index.only", "only foo", "also bar"),
    (ARCHIVE, "unresolved: {none: [baz]}", "unresolved.none", "lacks baz", "has baz"),
    (ARCHIVE, "thin: true", "thin", "true", "false"),
    (ARCHIVE, "metadata: false", "metadata", "false", "true"),
    (ARCHIVE, "bitcode: true", "bitcode", "true", "false"),
    (TWICE, "duplicates: none", "duplicates.only", "no names", "has foo"),
]


@pytest.mark.parametrize(("facts", "claim"), HOLDS)
def test_a_claim_that_holds(facts: Facts, claim: str) -> None:
    assert misses(claim, facts) == []


@pytest.mark.parametrize(("facts", "claim", "key", "claimed", "found"), FAILS)
def test_claim_that_does_not_hold(facts: Facts, claim: str, key: str, claimed: str, found: str) -> None:
    ((its_key, its_claimed, its_found, _),) = misses(claim, facts)
    assert (its_key, its_claimed) == (key, claimed)
    assert its_found.startswith(found)


def stated(aspect: Aspect, claim: str) -> str:
    """A claim about an aspect; a part of a key, `imports.optional`, stands in it."""
    key, _, part = aspect.key.partition(".")
    return f"{key}: {{{part}: {claim}}}" if part else f"{key}: {claim}"


def test_each_aspect_is_tried_both_ways() -> None:
    for aspect in ASPECTS:
        if "." in aspect.key:
            continue  # tests/judge/test_detailed_claims.py
        assert any(
            claim.lstrip("{").startswith(f"{aspect.key}:") or f" {aspect.key}:" in claim for _, claim in HOLDS
        )
        assert any(key.startswith(f"{aspect.key}.") for _, _, key, _, _ in FAILS)


STRIPPED = elf(None, ("foo",))
STATIC = elf(("foo",), type=ObjectType.EXECUTABLE)
NOTHING = elf((), (), dynamic=Dynamic())
DEBUG_ONLY = elf(("foo",), type=ObjectType.DEBUG)
MACH_O = Facts("other", 9, "0", other=UnknownFile(None, "Mach-O"))
DAMAGED = Facts("elf", 9, "0", error="section headers at offset 0x40 reach beyond the end")
LISTS = ("needed", "needed.optional", "symbol-versions", "gnu-properties")
"""Lists that are known to be empty if what they are in is there, and one that ELF has no counterpart of."""


NEGATIVE = ("{none: [foo]}", "{count: '<5'}", "{within: [foo], none: [foo]}")
POSITIVE = ("{all: [foo]}", "{any: [foo]}", "{only: [foo]}", "{count: '>0'}", "{order: [foo]}")
NONE = ("none", "{count: 0}", "{only: []}")


@pytest.mark.parametrize("aspect", ASPECTS, ids=lambda aspect: aspect.key)
@pytest.mark.parametrize("facts", [EMPTY, text_file("hello"), MACH_O, DAMAGED], ids=lambda f: f.kind)
def test_a_claim_about_a_table_that_a_file_cannot_have_is_an_error(aspect: Aspect, facts: Facts) -> None:
    for claim in (*NEGATIVE, *POSITIVE, *NONE):
        ((key, verdict),) = verdicts(stated(aspect, claim), facts)
        assert key == aspect.key
        assert verdict.startswith(f"error: {described(facts)}")


def test_the_format_of_a_damaged_file_is_not_judged() -> None:
    assert verdicts("format: elf", DAMAGED) == [("format", f"error: {DAMAGED.error}")]


@pytest.mark.parametrize("aspect", ASPECTS, ids=lambda aspect: aspect.key)
@pytest.mark.parametrize("facts", [NOTHING, archive(index=None)], ids=lambda f: f.kind)
def test_a_claim_about_an_empty_table(aspect: Aspect, facts: Facts) -> None:
    """What it must hold is missing; that it lacks something is no news; that it is empty holds."""
    if View(facts).unseen(aspect.table) is not None or (facts is NOTHING and aspect.key in LISTS):
        return
    for claim in NEGATIVE:
        assert verdicts(stated(aspect, claim), facts)[0][1].startswith("error: ")
    for claim in POSITIVE:
        assert verdicts(stated(aspect, claim), facts) == [(aspect.key, "fail")]
    for claim in NONE:
        assert verdicts(stated(aspect, claim), facts) == []


@pytest.mark.parametrize(
    ("facts", "claim", "why"),
    [
        (STRIPPED, "defines: {none: [foo]}", "no symbol table: the file is stripped"),
        (STRIPPED, "undefined: {none: [foo]}", "no symbol table: the file is stripped"),
        (OBJECT, "exports: {none: [foo]}", "an object file has no dynamic symbols"),
        (ARCHIVE, "exports: none", "an archive has no dynamic symbols"),
        (ARCHIVE, "symbol-versions: none", "an archive has no dynamic section"),
        (OBJECT, "needed: {none: ['libstd*']}", "an object file has no dynamic section"),
        (STATIC, "needed: {none: ['libstd*']}", "no dynamic section"),
        (STATIC, "exports: {none: [foo]}", "no dynamic symbol table"),
        (OBJECT, "executable-stack: false", "the file does not say whether its stack is executable"),
        (OBJECT, "build-id: none", "an object file has no program headers"),
        (ARCHIVE, "tls: false", "an archive has no object headers"),
        (ARCHIVE, "init-array: 0", "an archive has no object headers"),
        (DEBUG_ONLY, "needed: none", "a debug-only file has no dynamic section: they are in the file"),
        (DEBUG_ONLY, "exports: none", "a debug-only file has no dynamic symbols"),
        (DEBUG_ONLY, "interpreter: none", "a debug-only file has no program headers"),
        (DEBUG_ONLY, "executable-stack: false", "a debug-only file has no object headers"),
        (OBJECT, "duplicates: {none: [foo]}", "an object file has no members"),
        (OBJECT, "members: {none: [x]}", "an object file has no members"),
        (archive(member("a.o"), index=None), "index: {none: [x]}", "no symbol index"),
        (NOTHING, "defines: {none: [foo]}", "no symbol table"),
        (NOTHING, "exports: {none: [foo]}", "no dynamic symbol table"),
        (NOTHING, "soname: {none: [foo]}", "no soname"),
        (NOTHING, "runpath: {none: [foo]}", "no runpath"),
        (NOTHING, "interpreter: {none: [foo]}", "no interpreter"),
        (NOTHING, "sections: {none: [.text]}", "no sections"),
    ],
)
def test_why_there_is_nothing_to_judge(facts: Facts, claim: str, why: str) -> None:
    ((_, verdict),) = verdicts(claim, facts)
    assert verdict.startswith(f"error: {why}")


def test_a_library_that_needs_nothing_lacks_what_it_does_not_need() -> None:
    """The table is there: that no library stands in it is an answer."""
    assert misses("needed: {none: ['libstd*']}", NOTHING) == []
    assert misses("undefined: {none: [__rust_alloc]}", elf(["foo"])) == []


def test_section_and_file_symbols_do_not_count() -> None:
    """Each object has some, without any function of its own."""
    hidden = [
        Symbol(name, Binding.LOCAL, Visibility.DEFAULT, kind, True, False, ".text", 0, 0, None)  # noqa: FBT003
        for name, kind in (
            ("lib.rs", SymbolType.FILE),
            (".text", SymbolType.SECTION),
            ("", SymbolType.NOTYPE),
        )
    ]
    facts = elf()
    assert facts.object is not None
    only_hidden = Facts("elf", 9, "0", object=object_file())
    object.__setattr__(only_hidden.object, "symbols", SymbolTable.of(hidden))
    assert keys("defines: {none: [lib.rs]}", only_hidden) == ["defines"]


def test_where_a_missing_name_is_found() -> None:
    ((_, _, _, near),) = misses("exports: [hidden_one]", LIBRARY)
    assert near[0] == "hidden_one in the symbol table: FUNC LOCAL DEFAULT .text"
    ((_, _, _, near),) = misses("defines: [bar]", OBJECT)
    assert near[0] == "bar in the symbol table: FUNC GLOBAL DEFAULT UND"
    ((_, _, _, near),) = misses("undefined: [fixed]", OBJECT)
    assert near[0] == "fixed in the symbol table: FUNC GLOBAL DEFAULT ABS"


def test_names_of_an_artifact_are_escaped() -> None:
    evil = elf(["\x1b[2Jfoo"])
    assert misses("defines: [bar]", evil)[0][2] == r"not among \x1b[2Jfoo"
    ((_, _, found, _),) = misses("symbols: {names: '*', expect: {binding: weak}}", elf({"a\u202eb": ""}))
    assert found == r"a\u202eb (FUNC GLOBAL DEFAULT .text)"
    inner = archive(member("x\x1b.o", ["foo"]))
    ((_, _, found, _),) = misses("each-member: {'*': {defines: [bar]}}", inner)
    assert found == r"x\x1b.o: not among foo"


@pytest.mark.parametrize(
    ("version", "names"),
    [(OLD, ["__rust_alloc"]), (STABLE, ["_RNvCs1a_7___rustc12___rust_alloc"])],
)
def test_a_group_is_judged_as_its_compiler_spells_it(version: object, names: Iterable[str]) -> None:
    assert keys("defines: ['${allocator-shim}']", elf(names), version) == []  # type: ignore[arg-type]
    other = STABLE if version is OLD else OLD
    assert keys("defines: ['${allocator-shim}']", elf(names), other) == ["defines.all"]
