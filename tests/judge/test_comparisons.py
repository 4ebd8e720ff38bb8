"""Claims that compare two artifacts."""

import pytest

from linkage.artifact.facts import ArchiveMember, Bitcode, Facts, UnknownFile
from linkage.judge.comparison import OtherArtifact, check_comparisons, describe_reference
from support.hand_made import STABLE, archive, claims, elf, member, table, text_file

ONE = elf(["foo", "bar"], ["foo", "bar"], size=100, digest="one")
SAME = elf(["foo", "bar"], ["foo", "bar"], size=100, digest="one")
MORE = elf(["foo", "bar", "baz"], ["foo", "bar", "baz"], size=120, digest="more")
ARCHIVE = archive(member("a.o", ["x"]))
NO_TABLE = archive(ArchiveMember("a.o", 9, bitcode=Bitcode("raw", 9)))
MACH_O = Facts("other", 9, "0", other=UnknownFile(None, "Mach-O"))
WEAK = elf({"foo": "weak", "bar": ""}, ["foo", "bar"], size=100, digest="weak")


def misses(claim: str, one: Facts, other: Facts | str) -> list[tuple[str, str, str]]:
    there = OtherArtifact(other, "other") if isinstance(other, Facts) else other
    found = check_comparisons(claims(claim), one, lambda _: there, STABLE)
    misses = [(each.key, each.mismatch) for each in found]
    return [(f"{key}.{one.part}" if one.part else key, one.claimed, one.found) for key, one in misses]


def unjudged(claim: str, one: Facts, other: Facts) -> list[str]:
    """Why the claim could not be judged."""
    found = check_comparisons(claims(claim), one, lambda _: OtherArtifact(other, "other"), STABLE)
    return [each.mismatch.found for each in found if each.mismatch.error]


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("same-as: other", SAME),
        ("same-as: {artifact: other, compare: size}", WEAK),
        ("same-as: {artifact: other, compare: symbols}", SAME),
        ("same-as: {artifact: other, compare: exports}", WEAK),
        ("differs-from: other", MORE),
        ("differs-from: {artifact: other, compare: symbols}", WEAK),
        ("differs-from: {artifact: other, compare: exports}", MORE),
        ("smaller-than: other", MORE),
        ("exports-differ: {artifact: other, removed: [baz]}", MORE),
        ("exports-differ: {artifact: other}", WEAK),
    ],
)
def test_a_comparison_that_holds(claim: str, other: Facts) -> None:
    assert misses(claim, ONE, other) == []


@pytest.mark.parametrize(
    ("claim", "other", "miss"),
    [
        (
            "same-as: other",
            MORE,
            ("same-as", "the same bytes as other", "100 bytes (one) against 120 bytes (more)"),
        ),
        (
            "same-as: {artifact: other, compare: size}",
            MORE,
            ("same-as", "the same size as other", "100 bytes against 120 bytes"),
        ),
        (
            "same-as: {artifact: other, compare: symbols}",
            WEAK,
            (
                "same-as",
                "the same symbols as other",
                "more: foo FUNC GLOBAL DEFAULT .text; fewer: foo FUNC WEAK DEFAULT .text",
            ),
        ),
        (
            "same-as: {artifact: other, compare: exports}",
            MORE,
            ("same-as", "the same exports as other", "fewer: baz"),
        ),
        ("differs-from: other", SAME, ("differs-from", "not the same bytes as other", "the same, 100 bytes")),
        ("smaller-than: other", WEAK, ("smaller-than", "smaller than 100 bytes", "100 bytes")),
        (
            "exports-differ: {artifact: other, added: [baz]}",
            SAME,
            ("exports-differ.added", "added exports: baz", "added exports: none"),
        ),
        (
            "exports-differ: {artifact: other, added: [baz, 'q*']}",
            SAME,
            ("exports-differ.added", "added exports: baz, q*", "added exports: none"),
        ),
        (
            "exports-differ: {artifact: other}",
            MORE,
            ("exports-differ.removed", "removed exports: none", "removed exports: baz"),
        ),
    ],
)
def test_comparison_that_does_not_hold(claim: str, other: Facts, miss: tuple[str, str, str]) -> None:
    assert misses(claim, ONE, other) == [miss]


@pytest.mark.parametrize(
    "claim",
    ["same-as: other", "differs-from: other", "smaller-than: other", "exports-differ: {artifact: other}"],
)
def test_nothing_to_compare_with_is_a_failure(claim: str) -> None:
    ((_, claimed, found),) = misses(claim, ONE, "other does not exist")
    assert (claimed, found) == ("can be judged", "no artifact to compare with: other does not exist")


@pytest.mark.parametrize("what", ["symbols", "exports"])
def test_tables_that_are_missing_are_neither_the_same_nor_different(what: str) -> None:
    for claim in ("same-as", "differs-from"):
        for one, other in ((elf(), elf()), (ONE, elf()), (elf(), ONE), (elf((), ()), elf((), ()))):
            (found,) = unjudged(f"{claim}: {{artifact: other, compare: {what}}}", one, other)
            assert found == f"no {what} to compare"


@pytest.mark.parametrize(
    ("one", "other", "what", "why"),
    [
        (ARCHIVE, ONE, "exports", "an archive has no dynamic symbols"),
        (ONE, ARCHIVE, "exports", "the other artifact: an archive has no dynamic symbols"),
        (ONE, MACH_O, "symbols", "the other artifact: a Mach-O file, which is not read"),
        (MACH_O, MACH_O, "symbols", "a Mach-O file, which is not read"),
        (NO_TABLE, ARCHIVE, "symbols", "member a.o is LLVM bitcode without a symbol table"),
        (
            ARCHIVE,
            NO_TABLE,
            "symbols",
            "the other artifact: member a.o is LLVM bitcode without a symbol table",
        ),
    ],
)
def test_tables_that_were_not_read_cannot_be_compared(one: Facts, other: Facts, what: str, why: str) -> None:
    for claim in ("same-as", "differs-from"):
        assert unjudged(f"{claim}: {{artifact: other, compare: {what}}}", one, other) == [why]
    if what == "exports":
        assert unjudged("exports-differ: {artifact: other}", one, other) == [why]


def test_the_symbols_of_bitcode_are_compared() -> None:
    one, other = (
        archive(ArchiveMember("a.o", 9, bitcode=Bitcode("raw", 9, symbols=table([name])))) for name in "fg"
    )
    assert misses("same-as: {artifact: other, compare: symbols}", one, one) == []
    ((_, _, found),) = misses("same-as: {artifact: other, compare: symbols}", one, other)
    assert found == "more: f FUNC GLOBAL DEFAULT .text; fewer: g FUNC GLOBAL DEFAULT .text"


def test_exports_that_differ_in_their_versions() -> None:
    one, other = (elf((), {"foo": version}) for version in ("@@V2", "@V2"))
    ((_, _, found),) = misses("same-as: {artifact: other, compare: exports}", one, other)
    assert found == "more: foo@@V2; fewer: foo@V2"


def test_texts() -> None:
    same = "same-as: {artifact: other, compare: text}"
    assert misses(same, text_file("a", "1"), text_file("a", "2")) == []
    assert misses(same, text_file("a"), text_file("b"))[0][2] == "a different text"
    for claim in ("same-as", "differs-from"):
        ((_, _, found),) = misses(f"{claim}: {{artifact: other, compare: text}}", text_file("a"), ONE)
        assert found == "not two text files, but a text file and an ELF file"


def test_empty_files_are_not_the_same_text() -> None:
    """Two texts with nothing in them compare nothing."""
    assert misses("same-as: {artifact: other, compare: text}", text_file(""), text_file("")) != []


def test_a_reference_in_words() -> None:
    (reference,) = claims("same-as: {variant: {lto: off, prefer-dynamic: true}}").same_as
    assert (
        describe_reference(reference) == "the same artifact of the variant with lto off, prefer-dynamic True"
    )
