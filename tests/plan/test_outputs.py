"""The files of a step's outputs on a target."""

import pytest

from support.small_cases import WINDOWS, planned


@pytest.mark.parametrize(
    ("keys", "roles"),
    [
        ("crate-type: [staticlib, cdylib]", {"lib.staticlib": "liblib.a", "lib.cdylib": "liblib.so"}),
        ("crate-type: lib", {"lib.rlib": "liblib.rlib"}),
        ("crate-name: my_crate, crate-type: rlib", {"my_crate.rlib": "libmy_crate.rlib"}),
        ("id: first, crate-type: rlib", {"first.rlib": "liblib.rlib"}),
        ("", {"lib.bin": "lib"}),
        ("crate-type: dylib, out-dir: o", {"lib.dylib": "o/liblib.so"}),
        ("crate-type: cdylib, output: x.so", {"lib.cdylib": "x.so"}),
        ("crate-type: rlib, emit: metadata", {"lib.rmeta": "liblib.rmeta"}),
        ("crate-type: rlib, emit: 'link,metadata'", {"lib.rmeta": "liblib.rmeta", "lib.rlib": "liblib.rlib"}),
        ("crate-type: rlib, emit: 'obj=a.o'", {"lib.obj": "a.o"}),
        ("crate-type: rlib, emit: [asm, llvm-ir, llvm-bc, mir, dep-info]",
         {"lib.asm": "lib.s", "lib.llvm-ir": "lib.ll", "lib.llvm-bc": "lib.bc", "lib.mir": "lib.mir",
          "lib.dep-info": "lib.d"}),
        ("crate-type: rlib, flags: -Cextra-filename=-1", {"lib.rlib": "liblib-1.rlib"}),
        ("crate-type: rlib, flags: [-C, extra-filename=-1]", {"lib.rlib": "liblib-1.rlib"}),
        ("crate-type: bin, no-link: true", {"lib.bin": "lib", "lib.rlink": "lib.rlink"}),
        ("crate-type: bin, no-link: true, output: p", {"lib.bin": "p", "lib.rlink": "p.rlink"}),
        (f"crate-type: [bin, cdylib, staticlib], target: {WINDOWS}",
         {"lib.bin": "lib.exe", "lib.cdylib": "lib.dll", "lib.staticlib": "liblib.a"}),
    ],
)  # fmt: skip
def test_files_by_role(keys: str, roles: dict[str, str]) -> None:
    (step,) = planned(f"  - {{rustc: lib.rs, {keys}}}\n").steps
    assert step.roles == roles


def test_only_a_library_is_called_after_its_crate() -> None:
    keys = "crate-type: [bin], emit: 'link,obj', no-link: true"
    (step,) = planned(f"  - {{rustc: two-words.rs, {keys}}}\n").steps
    assert step.roles == {
        "two_words.bin": "two-words", "two_words.obj": "two-words.o", "two_words.rlink": "two-words.rlink",
    }  # fmt: skip
    (step,) = planned("  - {rustc: two-words.rs, crate-type: rlib, emit: 'link,metadata,asm'}\n").steps
    assert set(step.roles.values()) == {"libtwo_words.rlib", "libtwo_words.rmeta", "two-words.s"}
    (step,) = planned("  - {rustc: two-words.rs, crate-name: named}\n").steps
    assert step.roles == {"named.bin": "named"}


def test_what_a_step_promises() -> None:
    first, second = planned("  - {rustc: main.rs, no-link: true}\n  - {link-only: main}\n").steps
    assert (first.promised, second.promised) == (("main.rlink",), ("main",))
    (step,) = planned("  - {rustc: lib.rs, crate-type: [staticlib, rlib], emit: 'link,metadata'}\n").steps
    assert set(step.promised) == {"liblib.a", "liblib.rlib", "liblib.rmeta"}


def test_a_role_means_the_file_that_it_has_at_that_place() -> None:
    text = (
        "  - {rustc: main.rs, no-link: true, claims: {main.rlink: {exists: true}}}\n"
        "  - {link-only: main, output: prog, claims: {main: {exists: true}, main.bin: {exists: true}}}\n"
    )
    made = planned(text)
    assert [group.pattern for group in made.steps[0].claims] == ["main.rlink"]
    assert [group.pattern for group in made.steps[1].claims] == ["main", "prog"]


def test_claims_about_a_role_that_a_cell_lacks_are_ignored() -> None:
    text = (
        "matrix: {crate-type: [staticlib, cdylib]}\nsteps:\n  - rustc: lib.rs\n"
        "    claims: {lib.staticlib: {defines: [a]}, lib.cdylib: {exports: [a]}}\n"
    )
    assert [[group.subject for group in planned(text, cell).steps[0].claims] for cell in (0, 1)] == [
        ["lib.staticlib"],
        ["lib.cdylib"],
    ]


def test_what_is_read_after_a_step() -> None:
    text = (
        "steps:\n  - rustc: lib.rs\n    crate-type: [cdylib, staticlib]\n    claims:\n"
        "      lib.cdylib: {references: {main: [foo]}, smaller-than: lib.staticlib}\n"
        "      '*.so': {section: {.text: {contains: x}}}\n"
        "claims: {lib.staticlib: {resolved: {names: [a], link-set: ['*.o']}}}\n"
    )
    (step,) = planned(text).steps
    reads = {read.pattern: (read.functions, read.contents) for read in step.reads}
    assert reads == {
        "liblib.so": (("main",), ()),
        "liblib.a": ((), ()),
        "*.so": ((), (".text",)),
        "*.o": ((), ()),
    }
