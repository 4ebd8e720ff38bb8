"""A real compiler against itself with one change: exactly that is reported, and nothing else."""

import re

import pytest
from linkage.compare.result import Result
from support.desk import Desk

CASE = """\
summary: A library in Rust with three members in C
sources:
  one.c: 'int one(void) { return 1; }'
  two.c: 'int two(void) { return 2; }'
  three.c: 'int three(void) { return 3; }'
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
    #[no_mangle] pub extern "C" fn question() -> i32 { private() }
    #[cfg(not(other))] #[inline(never)] fn private() -> i32 { core::hint::black_box(6) }
    #[cfg(other)] use other as private;
    #[cfg(other)] #[inline(never)] fn other() -> i32 { core::hint::black_box(6) }
    #[cfg(more)] #[no_mangle] pub extern "C" fn more() -> i32 { 6 }
steps:
  - {cc: one.c, kind: obj}
  - {cc: two.c, kind: obj}
  - {cc: three.c, kind: obj}
  - ar: libparts.a
    members: [one.o, two.o, three.o]
  - rustc: lib.rs
    crate-type: [staticlib, cdylib]
    panic: abort
    opt-level: 1
    flags: ["-Lnative=.", "-lstatic:+whole-archive=parts"]
"""
AFTER = 'case "$*" in *lib.rs*) ;; *) exec RUSTC "$@" ;; esac\nRUSTC "$@" || exit\n{}\nexit'
BEFORE = 'case "$*" in *lib.rs*) set -- "$@" {} ;; esac'


def changes(result: Result) -> list[tuple[str, str, str]]:
    """Every group by its kind, the output and the names."""
    return [(one.kind, ", ".join(one.artifacts), ", ".join(one.names)) for one in result.groups]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        (
            BEFORE.format("--cfg more"),
            [("export new", "cdylib", "more"), ("symbol new", "staticlib", "more")],
        ),
        (AFTER.format("objcopy --weaken-symbol=answer liblib.so"), [("symbol changed", "cdylib", "answer")]),
        (
            BEFORE.format("-Clink-arg=-Wl,--no-as-needed -Clink-arg=-lm"),
            [("needed new", "cdylib", "libm.so.6")],
        ),
        (AFTER.format("ar d --plugin=/dev/null liblib.a two.o"), [("member gone", "staticlib", "two.o")]),
        (AFTER.format("objcopy -R .comment liblib.so"), [("section gone", "cdylib", ".comment")]),
        (
            AFTER.format("ar mb --plugin=/dev/null two.o liblib.a three.o"),
            [("member order", "staticlib", "")],
        ),
        (
            BEFORE.format("--cfg other"),
            [("private symbol renamed", "cdylib, staticlib", "lib::private → lib::other")],
        ),
    ],
    ids=["nothing", "export", "weakened", "library", "member", "section", "swapped", "renamed"],
)
def test_one_seeded_change_is_all_that_is_reported(
    body: str, expected: list[tuple[str, str, str]], desk: Desk
) -> None:
    result = desk.compare(desk.compiler("changed", body), desk.case(CASE))
    assert changes(result) == expected, [one.found[0][0].change for one in result.groups]
    assert (result.compared, result.left, result.same) == (1, (), not expected)


def test_what_was_swapped_and_what_went_is_named(desk: Desk) -> None:
    gone = desk.compare(
        desk.compiler("less", AFTER.format("ar d --plugin=/dev/null liblib.a two.o")), desk.case(CASE)
    )
    assert re.fullmatch(r"object, \d+ bytes, with two", gone.groups[0].found[0][0].change.base)
    order = desk.compare(
        desk.compiler("swap", AFTER.format("ar mb --plugin=/dev/null two.o liblib.a three.o")),
        desk.case(CASE),
    )
    change = order.groups[0].found[0][0].change
    names = {re.sub(r"\d+\. ", "", side) for side in (change.base, change.head)}
    assert names <= {"two.o", "three.o"}
