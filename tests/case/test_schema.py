"""The JSON Schema: up to date, and consistent with the reader."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from linkage.case.document import parse
from linkage.case.matrix import AXIS_VALUES
from linkage.case.reader import read_case
from linkage.case.schema import case_schema, schema_text
from support.case_texts import SMALL, errors_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = ROOT / "harness" / "linkage" / "case" / "case.schema.json"
SHIPPED = sorted((ROOT / "cases").rglob("*.yaml"))
RIGHT = sorted((HERE / "right").glob("*.txt"))
VALIDATOR = Draft202012Validator(case_schema())


def flagged(text: str) -> list[str]:
    """What an editor would underline."""
    return [
        f"{list(error.absolute_path)}: {error.message}"
        for error in VALIDATOR.iter_errors(parse(text, "c").data)
    ]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(case_schema())


def test_the_schema_that_is_kept_is_current() -> None:
    assert KEPT.read_text(encoding="utf-8") == schema_text(), (
        "linkage schema -o harness/linkage/case/case.schema.json"
    )


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_shipped_case_names_the_schema_for_editors(file: Path) -> None:
    first, _, _ = file.read_text(encoding="utf-8").partition("\n")
    assert first.startswith("# yaml-language-server: $schema=")
    assert (file.parent / first.partition("=")[2]).resolve() == KEPT


def test_shipped_cases_are_there() -> None:
    assert SHIPPED


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_it_accepts_the_shipped_cases(file: Path) -> None:
    read_case(file)
    assert flagged(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: file.stem)
def test_it_accepts_what_the_reader_accepts(file: Path) -> None:
    assert flagged(file.read_text(encoding="utf-8")) == []


SHORTHANDS = """
refs: a/b#1
tags: slow
files: lib.rs
requires: -Zdylib-lto
matrix:
  lto: off
  rows: {a: 1}
  include: {a: 1, lto: off}
  exclude: {a: 2, lto: off}
  crate-type: [bin, [staticlib, cdylib]]
  san: {name: address}
steps:
  - rustc: lib.rs
    when: a
    flags: -g
    cfg: [1, x]
    axes: none
    emit: link
    env: {A: 1}
    stdout: text
    stderr: {contains: a, normalize: {a: b}}
    produces: [lib]
    diagnostics: E0463
    native-static-libs: none
    link: {args: [a], count: 1}
    claims:
      lib.bin:
        defines: a
        undefined: none
        exports: [a]
        symbols: {names: a, count: 1}
        same-as: other
        smaller-than: other
        text: exactly
        size: 3
        section: {.text: {contains: 1}}
  - {rustc: lib.rs, diagnostics: [E0463, {text: a}], id: b, claims: {b.bin: [{references: {f: [g]}}]}}
  - {rustc: lib.rs, diagnostics: {none: a}, id: c}
  - {umask: 077, when: {any: [a, {not: {lto: off}}]}}
  - {chmod: lib.rs, mode: 644}
  - {mkdir: a}
  - {cc: main.c, link-with: lib.staticlib}
known-bugs: {unreported: x, signature: {step: lib, claim: lib.bin.size}}
"""


def test_shorthands_are_in_the_schema() -> None:
    assert flagged(SMALL + SHORTHANDS) == []
    assert not [line for line in errors_of(SMALL + SHORTHANDS) if "must be" in line or "unknown key" in line]


@pytest.mark.parametrize(
    "wrong",
    [
        "step: []\nsteps: {rustc: lib.rs}",
        "steps: [{rustc: lib.rs, linke: mold}]",
        "steps: [{rustcc: lib.rs}]",
        "steps: [{rustc: lib.rs, run: lib}]",
        "steps: [{rustc: lib.rs, claims: {lib.bin: {defins: [a]}}}]",
        "steps: [{rustc: lib.rs, claims: {lib.bin: {defines: {onyl: [a]}}}}]",
        "steps: [{rustc: lib.rs, claims: {lib.bin: {defines: 3}}}]",
        "steps: [{rustc: lib.rs, stdout: {contain: a}}]",
        "steps: [{rustc: lib.rs, claims: {lib.bin: {same-as: {artefact: a}}}}]",
        "steps: [{rustc: lib.rs}]\nmatrix: {lto: [fatt]}",
        "steps: [{rustc: lib.rs}]\nrequires: dynamic-sdt",
        "steps: [{rustc: lib.rs}]\nrefs: [145962]",
        "steps: [{rustc: lib.rs}]\nknown-bugs: [{issue: a/b#1, signature: {stp: lib}}]",
    ],
)
def test_it_flags_what_the_reader_refuses(wrong: str) -> None:
    assert errors_of(SMALL + wrong)
    assert flagged(SMALL + wrong)


def test_an_editor_completes_the_built_in_axes() -> None:
    assert set(AXIS_VALUES) <= set(_matrix(case_schema())["properties"])


def _matrix(schema: dict[str, Any]) -> dict[str, Any]:
    found = schema["$defs"]["Matrix"]
    assert isinstance(found, dict)
    return found
