"""The crate attributes in a source, as rustc reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.case.crate_attributes import CrateAttributes, crate_attributes
from linkage.case.resolution import TrackedRow, resolve
from support.case_texts import errors_of, read

TYPE = CrateAttributes(types=("cdylib",))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("", CrateAttributes()),
        ('#![crate_type = "cdylib"]', TYPE),
        ('#![crate_type="cdylib"]fn f() {}', TYPE),
        ('\ufeff#!/usr/bin/env rustc\n#![crate_type = "cdylib"]', TYPE),
        ("//! Text.\n/*! More /* and */ more */\n// #![no_std]\n# /**/ [no_std]", CrateAttributes()),
        ('// Text\n/* a /* b */ #![no_std] */ #![crate_type = "cdylib"]', TYPE),
        ('# // here\n ! [ crate_type /* of */ = // is\n "cdylib" ]', TYPE),
        ('#![crate_type = r#"cdylib"#]', TYPE),
        ('#![allow(dead_code)]\n#![doc = "]\\"]"]\n#![crate_type = "cdylib"]', TYPE),
        ('#![doc = r#"]"]"#]#![crate_type = "cdylib"]', TYPE),
        ('#![crate_type = "lib"]\n#![crate_type = "cdylib"]', CrateAttributes(types=("lib", "cdylib"))),
        ('#![crate_type = "cdylib"]\n#![crate_type = "cdylib"]', TYPE),
        ('#![crate_name = "foo"]', CrateAttributes(name="foo")),
        ("#![feature(no_core)]\n#![no_core]\n#![no_std]", CrateAttributes(no_std=True, no_core=True)),
        ('#![cfg_attr(all(), crate_type = "cdylib", no_std)]', CrateAttributes(no_std=True)),
        ('#![cfg_attr(all(), crate_type = "cdylib")]', CrateAttributes()),
        ('#![other(crate_type = "cdylib")]', CrateAttributes()),
        ('#[crate_type = "cdylib"] fn f() {}', CrateAttributes()),
        ('fn f() {}\n#![crate_type = "cdylib"]', CrateAttributes()),
        ('mod m { #![crate_type = "cdylib"] }', CrateAttributes()),
        ('const S: &str = "\n#![crate_type = \\"cdylib\\"]";', CrateAttributes()),
        ('#![crate_type = "cdylib"', CrateAttributes()),
        ('/* #![crate_type = "cdylib"]', CrateAttributes()),
        ('#![crate_type = "cdylib]', CrateAttributes()),
        ("#![crate_type(cdylib)]", CrateAttributes()),
    ],
)
def test_crate_attributes_of_a_source(source: str, found: CrateAttributes) -> None:
    assert crate_attributes(source) == found


@given(st.text(alphabet="#![]/*\"'r \n=a\\crate_type(){}"))
def test_any_text_is_read(text: str) -> None:
    assert crate_attributes(text + '\n#![crate_type = "bin"]').types in ((), ("bin",))


CASE = """\
summary: Sources that name their crates
matrix: {kind: [staticlib, cdylib]}
sources:
  a.rs: |
    #![crate_name = "one"]
    #![crate_type = "${kind}"]
steps:
  - {rustc: a.rs}
  - {rustc: a.rs, crate-name: two, crate-type: rlib}
  - {write: b.rs, text: '#![crate_type = "dylib"]'}
  - {rustc: b.rs}
  - {rustc: "-", stdin: '#![crate_name = "three"]'}
"""


def test_the_steps_of_such_sources_make_what_they_say() -> None:
    case = read(CASE)
    for row, kind in zip(case.rows, ("staticlib", "cdylib"), strict=True):
        made = [(one.id, one.roles) for one in resolve(case, TrackedRow(row, set())) if one.roles]
        assert made == [("one", (kind,)), ("two", ("rlib",)), ("b", ("dylib",)), ("three", ("bin",))]


def test_a_role_that_such_a_source_does_not_make() -> None:
    text = CASE + "claims: {one.dylib: {exists: true}, one.cdylib: {exists: true}}\n"
    assert errors_of(text) == [
        (
            "case.yaml:13:10: no variant makes `one.dylib`, so this claim selects nothing "
            "(help: did you mean `one.cdylib`?)"
        )
    ]
