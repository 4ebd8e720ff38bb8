"""The Rust and C of a graph. Pure."""

from linkage.fuzz.contents import CONTENTS, filled, number_of
from linkage.fuzz.graph import Graph
from linkage.fuzz.prediction import entry, has_entry

_BASE = """\
#[link(name = "c")] extern "C" { fn abort() -> !; }
#[no_mangle] pub extern "C" fn rust_eh_personality() {}
#[no_mangle] pub extern "C" fn _Unwind_Resume() -> ! { unsafe { abort() } }
#[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { unsafe { abort() } }
"""
_MAIN = 'fn main() { println!("answer={}", value()); }\n'
_BARE_MAIN = """\
#[link(name = "c")] extern "C" { fn printf(format: *const u8, ...) -> i32; }
#[no_mangle] pub extern "C" fn main() -> i32 {
    unsafe { printf("answer=%llu\\n\\0".as_ptr(), value()) };
    0
}
"""
_C_MAIN = """\
#include <stdio.h>
DECLARED
int main(void) { CALLED return 0; }
"""
_C_LOADS = """\
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) { puts(dlerror()); return 1; }
    unsigned long long (*entry)(void) = (unsigned long long (*)(void))dlsym(library, argv[2]);
    if (!entry) { puts(dlerror()); return 1; }
    printf("answer=%llu\\n", entry());
    return 0;
}
"""


def rust(graph: Graph, crate: int) -> str:
    """A crate's source."""
    one = graph.crates[crate]
    name = graph.name(crate)
    is_bin = "bin" in one.types
    lines: list[str] = []
    if not graph.std:
        lines += ["#![no_std]", *(["#![no_main]"] if is_bin else [])]
    lines += [f"extern crate {graph.name(edge.crate)};" for edge in one.edges]
    if not graph.std and crate == 0:
        lines += [_BASE.rstrip()]
    lines += [filled(CONTENTS[kind].items, name, number_of(crate, kind)) for kind in one.contents]
    lines += ["pub fn value() -> u64 {", "    " + "\n        + ".join(_terms(graph, crate) or ["0"]), "}"]
    if has_entry(graph, crate):
        lines.append(f'#[no_mangle] pub extern "C" fn {entry(graph, crate)}() -> u64 {{ value() }}')
    if is_bin:
        lines.append((_MAIN if graph.std else _BARE_MAIN).rstrip())
    return "\n".join(lines) + "\n"


def _terms(graph: Graph, crate: int) -> list[str]:
    """What the crate's value is the sum of, in the order in which the model counts."""
    one = graph.crates[crate]
    found = [_call(graph, crate, kind, "crate") for kind in one.contents]
    for edge in one.edges:
        path = graph.name(edge.crate)
        kinds = graph.crates[edge.crate].contents
        found += [_call(graph, edge.crate, kind, path) for kind in kinds if CONTENTS[kind].cross]
        found.append(f"{path}::value()")
    return found


def _call(graph: Graph, crate: int, kind: str, path: str) -> str:
    call = filled(CONTENTS[kind].call, graph.name(crate), number_of(crate, kind), path)
    return f"({call})"  # a block alone would be a statement


def native_library(graph: Graph, crate: int, kind: str) -> str | None:
    """The name of the static library that a content brings."""
    name = graph.name(crate)
    return {"native-function": f"{name}_native", "native-static": f"{name}_data"}.get(kind)


def native(graph: Graph, crate: int, kind: str) -> str:
    """The C of that library."""
    return filled(CONTENTS[kind].native, graph.name(crate), number_of(crate, kind))


def c_program(graph: Graph, *crates: int) -> str:
    """A C program that calls the crates' entries, one after the other."""
    names = [entry(graph, crate) for crate in crates]
    declared = "\n".join(f"unsigned long long {name}(void);" for name in names)
    called = " ".join(f'printf("answer=%llu\\n", {name}());' for name in names)
    return _C_MAIN.replace("DECLARED", declared).replace("CALLED", called)


def loading_program() -> str:
    """A C program that loads a library: its file and the entry's name are the arguments."""
    return _C_LOADS


def printed(*answers: int) -> str:
    """What these programs print."""
    return "".join(f"answer={one}\n" for one in answers)
