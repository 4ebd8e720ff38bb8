"""A library, compilers that change it, and the differences that a comparison reports."""

from linkage.compare.comparison import Comparison

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


def changes(result: Comparison) -> list[tuple[str, str, str]]:
    """Every group by its kind, the output and the names."""
    return [(one.kind, ", ".join(one.artifacts), ", ".join(one.names)) for one in result.groups]
