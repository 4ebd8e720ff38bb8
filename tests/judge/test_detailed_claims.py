"""Detailed claims: kinds of symbols, references, sections, members, texts."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.artifact.facts import ArchiveMember, Bitcode, Dynamic, Metadata, SectionTable
from linkage.judge.artifact import check_artifact
from linkage.judge.view import View
from support.claim_subjects import ARCHIVE, LIBRARY, OBJECT, SECTIONS
from support.hand_made import (
    EMPTY,
    STABLE,
    archive,
    claims,
    elf,
    keys,
    member,
    misses,
    object_file,
    table,
    text_file,
    verdicts,
)

# --- the general form


@pytest.mark.parametrize(
    "claim",
    [
        "{names: foo, expect: {binding: global, visibility: default, type: func, defined: true}}",
        "{names: ['*'], where: {binding: weak}, expect: {defined: true}, count: 1}",
        "{names: ['*'], where: {absolute: true}, count: 1}",
        "{names: ['*'], except: [foo], where: {section: .text, binding: global}, count: 2}",
        "{names: data, expect: {section: '.da*', type: object}}",
        "{names: bar, expect: {defined: false}}",
        "{names: foo, expect: {size: 8}}",
        "{names: ['*'], where: {size: '>8'}, count: 0}",
        "{names: nowhere, count: 0}",
    ],
)
def test_the_general_form_holds(claim: str) -> None:
    assert misses(f"symbols: {claim}", OBJECT) == []


@pytest.mark.parametrize(
    ("claim", "key", "claimed", "found"),
    [
        ("{names: nowhere}", "symbols[0].count", "nowhere: count >=1", "0"),
        ("{names: foo, count: 2}", "symbols[0].count", "foo: count 2", "1: foo"),
        (
            "{names: [foo, soft], expect: {binding: global}}",
            "symbols[0].expect",
            "each has binding global",
            "soft (FUNC WEAK DEFAULT .text)",
        ),
        (
            "{names: foo, expect: {section: .init}}",
            "symbols[0].expect",
            "each has section .init",
            "foo (FUNC GLOBAL",
        ),
        (
            "{names: foo, expect: {version: 'V*'}}",
            "symbols[0].expect",
            "each has version V*",
            "foo (FUNC GLOBAL",
        ),
    ],
)
def test_the_general_form_does_not_hold(claim: str, key: str, claimed: str, found: str) -> None:
    ((its_key, its_claimed, its_found, _),) = misses(f"symbols: {claim}", OBJECT)
    assert (its_key, its_claimed) == (key, claimed)
    assert its_found.startswith(found)


def test_the_general_form_of_the_dynamic_table() -> None:
    wanted = "{names: 'foo*', table: dynamic, where: {version: FOO_1.0}, expect: {binding: weak}, count: 1}"
    assert misses(f"symbols: {wanted}", LIBRARY) == []
    ((key, claimed, found, _),) = misses("symbols: {names: foo, table: dynamic, count: 0}", OBJECT)
    assert (key, claimed, found) == (
        "symbols[0]",
        "can be judged",
        "an object file has no dynamic symbols",
    )


# --- references, sections, members, texts


REFERRING = elf(["main"], references={"main": ("foo", "puts"), "leaf": ()})


def test_what_a_function_refers_to() -> None:
    assert misses("references: {main: {all: [foo], none: [bar]}, leaf: none}", REFERRING) == []
    ((key, _, found, _),) = misses("references: {main: {none: [puts]}}", REFERRING)
    assert (key, found) == ("references.main.none", "has puts")


def test_references_of_an_absent_function_are_a_failure() -> None:
    ((key, claimed, found, near),) = misses("references: {start: {none: [foo]}}", elf({"start": "undefined"}))
    assert (key, claimed) == ("references.start", "can be judged")
    assert found == "no function start with readable code"
    assert near == ("start in the symbol table: FUNC GLOBAL DEFAULT UND",)


CONTENT = elf(["a"], sections=SECTIONS, contents={".text": b"hello \0 world"})


def test_a_section() -> None:
    claim = "section: {.text: {size: 64, flags: AX, compressed: false, contains: hello, not-contains: bye}}"
    assert misses(claim, CONTENT) == []


@pytest.mark.parametrize(
    ("claim", "key", "claimed", "found"),
    [
        ("{.text: {size: '>64'}}", "section..text.size", "size >64", "64 bytes"),
        ("{.text: {flags: WA}}", "section..text.flags", "WA", "AX"),
        ("{.debug_info: {compressed: false}}", "section..debug_info.compressed", "false", "true"),
        ("{.text: {contains: bye}}", "section..text.contains", "contains 'bye'", "not in its 13 bytes"),
        (
            "{.text: {not-contains: hello}}",
            "section..text.not-contains",
            "does not contain 'hello'",
            "contains it",
        ),
        ("{.bss: {size: 0}}", "section..bss", "section .bss", "not among .text, .debug_info"),
        (
            "{.debug_info: {not-contains: x}}",
            "section..debug_info",
            "can be judged",
            "no content to judge: it was not read",
        ),
    ],
)
def test_section_claims_that_do_not_hold(claim: str, key: str, claimed: str, found: str) -> None:
    assert misses(f"section: {claim}", CONTENT) == [(key, claimed, found, ())]


def test_each_of_the_members() -> None:
    assert misses("each-member: {'*cgu*': {type: relocatable, metadata: false}}", ARCHIVE) == []
    assert misses("each-member: {lib.rmeta: {format: metadata, metadata: true}}", ARCHIVE) == []
    assert misses("each-member: {a: {format: other}}", archive(member("a", None, unread="unknown"))) == []
    ((key, claimed, found, _),) = misses("each-member: {'*.o': {defines: [foo]}}", ARCHIVE)
    assert key == "each-member.*.o.defines.all"
    assert (claimed, found) == ("has foo", "std-12.std.9f-cgu.0.rcgu.o: not among bar, soft")


def test_absent_members_are_a_failure() -> None:
    ((key, claimed, found, _),) = misses("each-member: {'*.obj': {bitcode: false}}", ARCHIVE)
    assert (key, claimed) == ("each-member.*.obj", "can be judged")
    assert found.endswith("lib.rmeta")
    assert keys("each-member: {'*': {bitcode: false}}", OBJECT) == ["each-member.*"]


def test_a_member_that_is_bitcode() -> None:
    inner = archive(ArchiveMember("a.o", 9, bitcode=Bitcode("raw", 9)))
    assert misses("{bitcode: true, each-member: {a.o: {format: bitcode, bitcode: true}}}", inner) == []
    assert keys("each-member: {a.o: {defines: {none: [foo]}}}", inner) == ["each-member.a.o.defines"]


def test_the_symbols_of_bitcode() -> None:
    """The symbol table that LLVM writes into bitcode is the member's."""
    inner = archive(
        ArchiveMember("a.o", 9, bitcode=Bitcode("raw", 9, symbols=table({"both": "", "gone": "undefined"}))),
        member("b.o", {"both": ""}),
    )
    claim = "{defines: [both], unresolved: {only: [gone]}, duplicates: {only: [both]}}"
    assert misses(claim, inner) == []
    assert misses("each-member: {a.o: {defines: {only: [both]}, undefined: {only: [gone]}}}", inner) == []
    assert verdicts("{sections: {none: [.text]}}", inner) == [
        ("sections", "error: member a.o is LLVM bitcode, which has no sections")
    ]


HIDDEN = (
    (ArchiveMember("a.o", 9, bitcode=Bitcode("raw", 9)), "LLVM bitcode without a symbol table"),
    (ArchiveMember("a.o", 9, error="cut off"), "not read: cut off"),
    (ArchiveMember("a.o", 9, unread="COFF"), "a COFF file, which is not read"),
    (ArchiveMember("a.o", 9, unread="archive"), "an archive, which is not read"),
    (ArchiveMember("a.o", 9, unread="unknown"), "a file of an unknown format, which is not read"),
    (
        ArchiveMember("a.o", 9, object=replace(object_file(), sections=SectionTable())),
        "an ELF file without section headers, through which the symbol table is found",
    ),
    (member("a.o", ("__gnu_lto_slim",)), "GCC's LTO bytecode, whose symbols are not read"),
)


def test_members_without_symbols_are_left_out() -> None:
    without = (
        member("empty.o", ()),
        ArchiveMember("lib.rmeta", 9, metadata=Metadata(10, "rustc 1.95.0", 9, compressed=False)),
        ArchiveMember("notes", 9, unread="text"),
    )
    claim = "each-member: {'*': {where: symbols, defines: [foo]}}"
    assert verdicts(claim, archive(member("a.o", ["foo"]), *without)) == []
    assert verdicts(claim, archive(member("a.o", ["bar"]), *without)) == [("each-member.*.defines", "fail")]
    ((key, why),) = verdicts(claim, archive(*without))
    assert (key, why) == (
        "each-member.*",
        "error: no member with symbols matches *: none among empty.o, lib.rmeta, notes",
    )


@pytest.mark.parametrize(("part", "why"), HIDDEN, ids=[why for _, why in HIDDEN])
def test_a_member_whose_symbols_were_not_seen_is_not_left_out(part: ArchiveMember, why: str) -> None:
    claim = "each-member: {'*': {where: symbols, defines: [foo]}}"
    ((key, verdict),) = verdicts(claim, archive(member("foo.o", ["foo"]), part))
    assert key == "each-member.*.defines"
    assert why.removeprefix("not read: ") in verdict


OF_SYMBOLS = (
    "defines",
    "undefined",
    "unresolved",
    "weak",
    "local",
    "global",
    "hidden",
    "absolute",
    "duplicates",
)


@pytest.mark.parametrize(("part", "why"), HIDDEN, ids=[why for _, why in HIDDEN])
def test_a_member_that_was_not_seen_makes_claims_about_symbols_errors(part: ArchiveMember, why: str) -> None:
    facts = archive(member("foo.o", ("foo",)), part)
    for key in OF_SYMBOLS:
        for claim in (
            "none",
            "[foo]",
            "{none: [bar]}",
            "{only: [foo]}",
            "{count: 1}",
            "{within: [x], count: 0}",
        ):
            assert verdicts(f"{key}: {claim}", facts) == [(key, f"error: member a.o is {why}")]
    assert verdicts("symbols: {names: bar, count: 0}", facts) == [
        ("symbols[0]", f"error: member a.o is {why}")
    ]
    assert verdicts("{members: [a.o], index: [foo], thin: false, format: archive}", facts) == []
    assert verdicts("each-member: {foo.o: {defines: {only: [foo]}}}", facts) == []


def test_a_member_without_symbols_hides_none() -> None:
    """An empty member, a text and rustc's metadata hold no symbols."""
    facts = archive(
        member("foo.o", ("foo",)),
        ArchiveMember("empty.o", 0),
        ArchiveMember("notes.txt", 9, unread="text"),
        ArchiveMember("lib.rmeta", 9, metadata=Metadata(10, None, 9, compressed=False)),
    )
    assert verdicts("{defines: {only: [foo]}, sections: {none: [.x]}, bitcode: false}", facts) == [
        ("sections", "error: no sections")
    ]


def test_flags_that_do_not_apply_to_a_file() -> None:
    for claim in ("pie: false", "relro: none", "bind-now: false", "text-relocations: false", "thin: false"):
        ((_, verdict),) = verdicts(claim, text_file("hello"))
        assert verdict.startswith("error: a text file has no ")
        ((_, verdict),) = verdicts(claim, OBJECT)
        assert verdict.startswith(("error: an object file has no ", "error: an ELF file has no members"))
    assert misses("type: shared", ARCHIVE)[0][2] == "an archive"


def test_a_text_file() -> None:
    assert misses("text: {contains: hello}", text_file("hello world")) == []
    assert misses("text: {file: hello.txt}", text_file("hello"), files={"hello.txt": "hello"}) == []
    assert misses("text: {empty: true}", EMPTY) == []
    assert keys("text: {not-contains: x}", EMPTY) == ["text"]
    assert misses("text: {contains: a}", OBJECT)[0][2] == "no text to judge: the file is an object file"
    assert misses("text: {not-contains: a}", text_file(None))[0][2].startswith("no text")


def test_what_a_library_provides_and_lacks() -> None:
    """What resolves an undefined symbol elsewhere: never a local one, of a library only its exports."""
    assert View(OBJECT).provided == {"foo", "soft", "mine", "inner", "fixed", "one", "data", "pool"}
    assert View(LIBRARY).provided == {"foo", "foo_2"}
    assert View(LIBRARY).undefined == ["malloc"]


def test_the_member_is_extracted_before_it_is_shown(tmp_path: Path) -> None:
    for number, name in enumerate(("a b.o", "x/twice.o", "y/twice.o")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"content {number}\n")
    subprocess.run(["ar", "qc", "lib.a", "a b.o", "x/twice.o", "y/twice.o"], cwd=tmp_path, check=True)
    inner = archive(*(member(name, ["foo"]) for name in ("a b.o", "twice.o", "twice.o")))
    found = list(
        check_artifact(claims("each-member: {'*.o': {text: {contains: x}}}"), View(inner), STABLE, {})
    )
    for index, one in enumerate(found):
        command = one.look.format(file="lib.a").replace("file ", "cat ")
        shown = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        assert shown.stdout == f"content {index}\n"
    assert [one.member for one in found] == ["a b.o", "twice.o", "twice.o"]
    assert len({one.look for one in found}) == 3


def test_a_member_whose_name_has_braces() -> None:
    (found,) = check_artifact(
        claims("each-member: {'*': {defines: [bar]}}"),
        View(archive(member("{0}{file}", ["foo"]))),
        STABLE,
        {},
    )
    assert (
        found.look.format(file="lib.a") == "ar p lib.a '{0}{file}' > '{0}{file}' && readelf -sW '{0}{file}'"
    )


# --- symbol versions


VERSIONED = elf(
    {"foo@@V2": "", "foo@V1": "", "memcpy@GLIBC_2.14": "undefined"},
    {
        "foo": "@@V2",
        "old": "@V1",
        "plain": "",
        "V1": "absolute object @V1",
        "V2": "absolute object @@V2",
        "memcpy": "undefined @GLIBC_2.14",
    },
    dynamic=Dynamic(versions_needed=("libc.so.6:GLIBC_2.14",), versions_defined=("V1", "V2")),
)


@pytest.mark.parametrize(
    "claim",
    [
        "exports: {only: [foo, old, plain, V1, V2]}",
        "exports: {only: ['foo@@V2', 'old@V1', plain, 'V[12]']}",
        "exports: {all: ['*@@V2', '*@V1', '/^old@V/', '=foo@@V2']}",
        "exports: {none: ['foo@V2', 'old@@V1', 'plain@*', 'V1@*']}",
        "exports: {within: ['*@@*'], count: 1, only: [foo]}",
        "imports: {only: ['memcpy@GLIBC_2.14']}",
        "imports: {only: [memcpy], none: ['*@GLIBC_2.3*', 'memcpy@@*']}",
        "defines: {only: [foo], all: ['foo@@V2', 'foo@V1'], count: 2}",
        "undefined: {only: [memcpy], all: ['memcpy@*']}",
        "unresolved: {only: [memcpy]}",
        "symbols: {names: 'foo@@V2', table: dynamic, expect: {version: V2}}",
        "symbols: {names: ['*@V1'], table: dynamic, count: 1}",
        "symbol-versions: {symbols: {V2: {only: [foo]}, V1: [old], 'GLIBC_*': {only: [memcpy]}, V9: none}}",
        "symbol-versions: {all: [V1, V2], symbols: {'V?': {only: [foo, old]}}}",
    ],
)
def test_a_claim_about_versions_that_holds(claim: str) -> None:
    assert misses(claim, VERSIONED) == []


@pytest.mark.parametrize(
    ("claim", "key", "found"),
    [
        ("exports: {none: [foo]}", "exports.none", "has foo@@V2"),
        ("exports: {none: ['foo@@V2']}", "exports.none", "has foo@@V2"),
        ("exports: {none: ['foo@*']}", "exports.none", "has foo@@V2"),
        ("exports: ['foo@V2']", "exports.all", "not among foo@@V2, old@V1, plain, V1, V2"),
        ("exports: {only: [foo, plain, 'V*']}", "exports.only", "also old@V1"),
        ("imports: {none: ['memcpy@GLIBC_2.14']}", "imports.none", "has memcpy@GLIBC_2.14"),
        ("defines: {none: ['foo@V1']}", "defines.none", "has foo@V1"),
        ("symbols: {names: 'old@@V1', table: dynamic}", "symbols[0].count", "0"),
        ("symbol-versions: {symbols: {V2: [old]}}", "symbol-versions.symbols.V2.all", "not among foo@@V2"),
        ("symbol-versions: {symbols: {V9: [old]}}", "symbol-versions.symbols.V9", "no symbol of version V9"),
    ],
)
def test_a_claim_about_versions_that_does_not_hold(claim: str, key: str, found: str) -> None:
    ((its_key, _, its_found, _),) = misses(claim, VERSIONED)
    assert (its_key, its_found) == (key, found)


def test_symbols_that_carry_a_version_cannot_be_judged_without_a_dynamic_table() -> None:
    claim = "symbol-versions: {symbols: {V9: {none: [old]}}}"
    assert verdicts(claim, VERSIONED) == [("symbol-versions.symbols.V9", "error: no symbol of version V9")]
    ((_, verdict),) = verdicts(claim, OBJECT)
    assert verdict == "error: an object file has no dynamic symbols"


# --- COMDAT


def test_copies_in_comdat_groups_are_one_definition() -> None:
    kept = {"f": "comdat=f", "g": "comdat=g", "plain": ""}
    facts = archive(member("a.o", kept), member("b.o", {"f": "comdat=f", "g": "comdat=other"}))
    assert misses("duplicates: {only: [g]}", facts) == []
    facts = archive(member("a.o", kept), member("b.o", {"f": "", "plain": "comdat=plain"}))
    assert misses("duplicates: {only: [f, plain]}", facts) == []


# --- what may be missing


DELAYED = elf(
    {}, {"now": "undefined", "late": "undefined", "#7": "undefined", "soft": "weak undefined", "mine": ""},
    format="pe-x86_64",
    dynamic=Dynamic(
        ("a.dll", "b.dll"),
        optional=("b.dll",),
        imports={"a.dll": ("now", "soft", "#7"), "b.dll": ("late", "#7")},
    ),
)  # fmt: skip


def test_what_may_be_missing() -> None:
    claim = "{imports: {optional: {only: [late, '#7', soft], count: 3}}, needed: {optional: {only: [b.dll]}}}"
    assert misses(claim, DELAYED) == []
    claim = "{imports: {all: [now], optional: {none: [now]}}, needed: {count: 2, optional: {none: [a.dll]}}}"
    assert misses(claim, DELAYED) == []


@pytest.mark.parametrize(
    ("claim", "key", "found"),
    [
        ("imports: {optional: none}", "imports.optional.only", "has #7, late, soft"),
        ("imports: {only: ['*'], optional: [now]}", "imports.optional.all", "not among late, #7, soft"),
        ("imports: {optional: {none: [soft]}}", "imports.optional.none", "has soft"),
        ("needed: {optional: [a.dll]}", "needed.optional.all", "not among b.dll"),
        ("needed: {all: [c.dll], optional: [b.dll]}", "needed.all", "not among a.dll, b.dll"),
    ],
)
def test_a_claim_about_what_may_be_missing_that_does_not_hold(claim: str, key: str, found: str) -> None:
    ((its_key, _, its_found, _),) = misses(claim, DELAYED)
    assert (its_key, its_found) == (key, found)


def test_an_elf_file_has_no_optional_libraries() -> None:
    ((_, verdict),) = verdicts("needed: {optional: none}", LIBRARY)
    assert verdict == "error: needed.optional has no counterpart in an ELF file"
