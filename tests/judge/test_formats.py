"""What claims mean in other object formats: no counterpart is an error, and commands fit the format."""

import pytest

from linkage.artifact.facts import (
    ArchiveMember,
    Dynamic,
    Facts,
    ObjectFile,
    ObjectType,
    Relro,
    SectionTable,
    SymbolTable,
)  # fmt: skip
from linkage.case.claims import ArtifactClaims
from linkage.judge.artifact import check_artifact
from linkage.judge.aspects import ASPECTS
from linkage.judge.formats import NAMES, command_for
from linkage.judge.view import View
from linkage.toolchain.release import RustcVersion
from support.hand_made import archive, object_file

VERSION = RustcVersion.parse("1.95.0")
FORMATS = {
    "elf": "elf64-little",
    "pe": "pe-x86_64",
    "macho": "macho-arm64",
    "wasm": "wasm32",
    "xcoff": "xcoff64",
}


def _linked(kind: str) -> View:
    found = ObjectFile(
        FORMATS[kind], "any", ObjectType.SHARED, SectionTable.of([]), SymbolTable.of([]), SymbolTable.of([]),
        Dynamic(), None, pie=False, relro=Relro.NONE, bitcode=None,
        metadata=None,
    )  # fmt: skip
    return View(Facts(kind, 1, "", object=found))


def _why(kind: str, **claims: object) -> list[str]:
    model = ArtifactClaims.model_validate(claims)
    return [
        one.mismatch.found for one in check_artifact(model, _linked(kind), VERSION, {}) if one.mismatch.error
    ]


@pytest.mark.parametrize("kind", ["pe", "macho", "wasm", "xcoff"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("relro", "none"),
        ("bind-now", False),
        ("symbol-versions", {"none": "*"}),
        ("gnu-properties", {"none": "*"}),
    ],
)
def test_a_claim_without_a_counterpart_is_an_error(kind: str, key: str, value: object) -> None:
    assert _why(kind, **{key: value}) == [f"{key} has no counterpart in {NAMES[kind]}"]
    assert _why("elf", **{key: value}) != [f"{key} has no counterpart in {NAMES['elf']}"]


def test_what_every_format_has_is_judged() -> None:
    for kind in FORMATS:
        assert _why(kind, exports="none", imports="none", needed="none") == []
        why = (
            "no exports and no imports"
            if kind != "elf"
            else "no dynamic symbol table: the file is linked statically"
        )
        assert _why(kind, exports={"none": "*"}) == [why]


def test_every_command_for_a_table_has_one_for_each_format() -> None:
    looks = {one.look for one in ASPECTS}
    for kind in set(NAMES) - {"elf"}:
        assert [look for look in looks if command_for(look, kind).startswith(("readelf", "nm ", "ar "))] == []
    assert all(command_for(look, "elf") == look for look in looks)


def _apple_archive(*members: tuple[str, dict[str, str]]) -> View:
    """An archive of Mach-O objects: each the state of the symbol `foo`, and its raw name if that is `foo`."""
    made = []
    for number, (state, raw) in enumerate(members):
        one = object_file(
            {"foo": state}, type=ObjectType.RELOCATABLE, format="macho-arm64", name_prefix="_", raw_names=raw
        )
        made.append(ArchiveMember(f"{number}.o", 1, object=one))
    return View(archive(*made))


def test_names_that_differ_by_the_prefix_alone_are_two() -> None:
    marked = {"foo": "foo"}
    assert _apple_archive(("", {}), ("undefined", {})).unresolved == []
    assert _apple_archive(("", marked), ("undefined", marked)).unresolved == []
    assert _apple_archive(("", marked), ("undefined", {})).unresolved == ["foo"]
    assert _apple_archive(("", {}), ("", {})).duplicates == ["foo"]
    assert _apple_archive(("", marked), ("", marked)).duplicates == ["foo"]
    assert _apple_archive(("", marked), ("", {})).duplicates == []
