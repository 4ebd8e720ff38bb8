"""One cell applied to a case: the steps that it has, their ids, roles and axes."""

from typing import Any

import pytest

from linkage.case.case import Case
from linkage.case.resolution import ResolvedStep, TrackedRow, resolve
from linkage.errors import CaseError
from support.case_texts import small


def steps(case: Case, index: int = 0) -> tuple[ResolvedStep, ...]:
    return resolve(case, TrackedRow(case.rows[index], set()))


def ids(case: Case, index: int = 0) -> list[str]:
    return [step.id for step in steps(case, index)]


def roles(step: str) -> tuple[str, ...]:
    return steps(small(f"steps:\n  - {step}\n"))[0].roles


def test_an_id_is_given_or_the_crates_name_or_the_first_sources_stem() -> None:
    case = small(
        """
        steps:
          - {rustc: lib.rs}
          - {rustc: lib.rs, crate-name: other}
          - {rustc: lib.rs, id: mine}
          - {rustc: lib.rs}
          - {rustc: lib.rs}
          - {cc: [main.c]}
          - {cxx: main.c}
          - {rustc: lib.rs, id: held, no-link: true}
          - {link-only: held}
          - {mkdir: a}
          - {mkdir: b}
          - {rustc: null, exit: any}
        """
    )
    assert ids(case) == [
        "lib", "other", "mine", "lib-2", "lib-3", "main", "main-2", "held", "link-held",
        "mkdir", "mkdir-2", "rustc",
    ]  # fmt: skip


def test_a_crates_name_has_underscores() -> None:
    case = small("steps: [{write: a-b.rs, text: ''}, {rustc: a-b.rs}]")
    assert ids(case) == ["write", "a_b"]


@pytest.mark.parametrize(
    ("step", "made"),
    [
        ("{rustc: lib.rs}", ("bin",)),
        ("{rustc: lib.rs, crate-type: lib}", ("rlib",)),
        ("{rustc: lib.rs, crate-type: [staticlib, dylib]}", ("staticlib", "dylib")),
        (
            "{rustc: lib.rs, crate-type: cdylib, emit: [link, obj, llvm-ir=x.ll]}",
            ("obj", "llvm-ir", "cdylib"),
        ),
        ("{rustc: lib.rs, emit: 'metadata,dep-info'}", ("rmeta", "dep-info")),
        ("{rustc: lib.rs, crate-type: dylib, no-link: true}", ("dylib", "rlink")),
        ("{rustc: null, exit: any}", ()),
        ("{cc: main.c}", ("bin",)),
        ("{cc: main.c, kind: obj}", ("obj",)),
        ("{mkdir: a}", ()),
    ],
)
def test_the_roles_of_what_a_step_makes(step: str, made: tuple[str, ...]) -> None:
    assert roles(step) == made


@pytest.mark.parametrize(
    ("keys", "axes"),
    [
        ("", {"lto": "fat", "panic": "abort"}),
        (", lto: off", {"lto": "off", "panic": "abort"}),
        (", axes: [panic]", {"panic": "abort"}),
        (", axes: none, strip: symbols", {"strip": "symbols"}),
    ],
)
def test_axes_apply_to_a_step_unless_it_limits_them(keys: str, axes: dict[str, Any]) -> None:
    matrix = "matrix: {lto: [fat], panic: [abort], edition: [null]}\n"
    case = small(f"{matrix}steps: [{{rustc: lib.rs, id: all}}, {{rustc: lib.rs{keys}}}]")
    assert steps(case)[1].axes == axes


def test_the_crate_type_of_the_matrix_gives_the_roles() -> None:
    case = small("matrix: {crate-type: [cdylib, [staticlib, lib]]}\nsteps: {rustc: lib.rs}")
    assert [steps(case, index)[0].roles for index in (0, 1)] == [("cdylib",), ("staticlib", "rlib")]
    assert [steps(case, index)[0].crate_types for index in (0, 1)] == [("cdylib",), ("staticlib", "lib")]


def test_a_step_with_a_when_is_in_the_cells_that_it_means() -> None:
    case = small(
        """
        matrix: {lto: [off, fat]}
        steps:
          - parallel:
              - {rustc: lib.rs}
              - {cc: main.c, when: {lto: fat}}
              - {mkdir: a}
          - {mkdir: b, when: {lto: off}}
        """
    )
    assert ids(case, 0) == ["parallel", "mkdir-2"]
    assert ids(case, 1) == ["parallel"]
    assert [part.id for part in steps(case, 0)[0].parallel] == ["lib", "mkdir"]
    assert [part.path for part in steps(case, 1)[0].parallel] == [
        ("steps", 0, "parallel", i) for i in range(3)
    ]


def test_values_of_the_cell_stand_in_the_step() -> None:
    case = small(
        "matrix: {flag: [[-g, -O]], out: [a]}\nsteps: {rustc: lib.rs, flags: ['${flag}'], out-dir: '${out}'}"
    )
    step = steps(case)[0].step
    assert (step.flags, step.out_dir) == (("-g", "-O"), "a")  # type: ignore[attr-defined]


def test_a_value_that_does_not_fit_is_an_error_there() -> None:
    case = small("matrix: {out: [a]}\nsteps: {rustc: lib.rs, out-dir: '${out}'}")
    with pytest.raises(CaseError) as caught:
        resolve(case, TrackedRow({"out": "../a"}, set()))
    assert str(caught.value) == (
        "case.yaml:4:33: with the cell's values: `../a` is outside the case's folder "
        "(help: move the file into the case's folder)"
    )
    problems: list[CaseError] = []
    assert resolve(case, TrackedRow({"out": "../a"}, set()), problems) == ()
    assert [str(problem) for problem in problems] == [str(caught.value)]


def test_a_row_notes_the_axes_that_are_looked_at() -> None:
    used: set[str] = set()
    case = small("matrix: {lto: [fat], a: [1], b: [2]}\nsteps: {rustc: lib.rs, when: {a: 1}, cfg: 'b${b}'}")
    resolve(case, TrackedRow(case.rows[0], used))
    assert {"lto", "a", "b"} <= used
