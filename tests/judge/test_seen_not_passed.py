"""Claims that once passed although nothing was seen, or failed on a correct compiler: what is right is held
here, on real compilers. What the store, the collector and bisection once got wrong is tested with them.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from linkage.case.reader import parse_case
from linkage.errors import ToolchainError
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.plan import Variant
from linkage.render.evidence import explain_verdict
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Located, Toolchain, probe, resolve
from support.case_texts import errors_of

NO_STD = "#![no_std] #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }"
PASS, FAIL, ERROR = VerdictKind.PASS, VerdictKind.FAIL, VerdictKind.ERROR

CASES: dict[str, tuple[str, dict[str, str]]] = {
    "the symbols of an archive whose code is bitcode": (
        f"""\
        summary: The crate's own code is bitcode
        sources:
          lib.rs: |
            {NO_STD}
            extern "C" {{ fn absent(); }}
            #[no_mangle] pub unsafe extern "C" fn present() {{ absent() }}
          one.rs: "#![no_std] #[no_mangle] pub extern \\"C\\" fn present() {{}}"
        steps:
          - {{rustc: lib.rs, crate-type: [rlib, staticlib], panic: abort, flags: [-Clinker-plugin-lto]}}
          - {{rustc: one.rs, crate-type: lib, emit: llvm-bc, output: one.o, panic: abort}}
          - {{copy: one.o, to: two.o}}
          - {{ar: libtwice.a, members: [one.o, two.o], index: false}}
        claims:
          lib.rlib: {{unresolved: none, defines: none, undefined: none, duplicates: none}}
          lib.staticlib: {{defines: {{none: [present]}}, undefined: {{none: [absent]}}}}
          libtwice.a: {{duplicates: none}}
        """,
        {
            "lib.rlib.unresolved.only": "has absent",
            "lib.rlib.defines.only": "present",
            "lib.rlib.undefined.only": "has absent",
            "lib.staticlib.defines.none": "has present",
            "lib.staticlib.undefined.none": "has absent",
            "libtwice.a.duplicates.only": "has present",
        },
    ),
    "bitcode that defines other functions": (
        f"""\
        summary: Two staticlibs whose own crate is bitcode
        sources:
          a.rs: "{NO_STD} #[no_mangle] pub extern \\"C\\" fn first() {{}}"
          b.rs: "{NO_STD} #[no_mangle] pub extern \\"C\\" fn second() {{}}"
        steps:
          - {{rustc: a.rs, crate-type: staticlib, panic: abort, flags: [-Clinker-plugin-lto]}}
          - {{rustc: b.rs, crate-type: staticlib, panic: abort, flags: [-Clinker-plugin-lto]}}
        claims:
          a.staticlib: {{same-as: {{artifact: b.staticlib, compare: symbols}}}}
        """,
        {"a.staticlib.same-as": "more: first FUNC"},
    ),
    "the members of a thin archive": (
        """\
        summary: What a thick archive has, the thin one has
        sources:
          a.c: "int twice(void) { return 1; }"
          b.c: "int twice(void) { return 2; } int com[4];"
        steps:
          - {cc: a.c, kind: obj, flags: [-fcommon]}
          - {cc: b.c, kind: obj, flags: [-fcommon]}
          - {ar: libthick.a, members: [a.o, b.o]}
          - {ar: libthin.a, thin: true, members: [a.o, b.o]}
        claims:
          libthick.a: {duplicates: [twice], defines: [com]}
          libthin.a: {duplicates: none, defines: none}
        """,
        {"libthin.a.duplicates.only": "has twice", "libthin.a.defines.only": "has com, twice"},
    ),
    "a name with its version": (
        f"""\
        summary: The version is not the default one
        sources:
          lib.rs: |
            {NO_STD}
            #[no_mangle] pub extern "C" fn implementation() {{}}
            core::arch::global_asm!(".symver implementation,foo@V2");
          lib.map: "V2 {{ global: foo; }};"
        steps:
          - rustc: lib.rs
            crate-type: cdylib
            panic: abort
            flags: ["-Clink-arg=-Wl,--version-script=${{work}}/lib.map"]
            claims:
              lib.cdylib:
                - exports: {{none: ["foo@V2"]}}
                - exports: ["foo@@V2"]
                - exports: [foo, "foo@V*"]
                - defines: {{none: ["foo@V2"]}}
        """,
        {
            "lib.cdylib.exports.none": "has foo@V2",
            "lib.cdylib.exports.all": "foo@V2",
            "lib.cdylib.defines.none": "has foo@V2",
        },
    ),
    "definitions in COMDAT groups": (
        """\
        summary: The linker keeps one of two definitions
        sources:
          a.s: ".section .text.f,\\"axG\\",@progbits,f,comdat\\n.globl f\\nf: ret\\n"
          b.s: ".section .text.f,\\"axG\\",@progbits,f,comdat\\n.globl f\\nf: ret\\n"
          main.c: "void f(void); int main(void) { f(); return 0; }"
        steps:
          - {cc: a.s, kind: obj}
          - {cc: b.s, kind: obj}
          - {ar: libf.a, members: [a.o, b.o]}
          - {cc: main.c, flags: ["-Wl,--whole-archive", libf.a, "-Wl,--no-whole-archive"]}
        claims:
          libf.a: {duplicates: none, defines: [f]}
        invariants: {executable-stack: the objects do not say that theirs is not}
        """,
        {},
    ),
    "COMDAT groups of 32 bits": (
        """\
        summary: Each position-independent object has a copy of what loads the program counter
        sources:
          a.c: "extern int g; int a(void) { return g; }"
          b.c: "extern int g; int b(void) { return g; }"
        steps:
          - {cc: a.c, kind: obj, flags: [-m32, -fPIC, -O1]}
          - {cc: b.c, kind: obj, flags: [-m32, -fPIC, -O1]}
          - {ar: libab.a, members: [a.o, b.o]}
        claims:
          libab.a: {duplicates: none, defines: [__x86.get_pc_thunk.ax]}
        """,
        {},
    ),
    "one file name of two outputs": (
        f"""\
        summary: The cdylib is meant, and not the dylib that is written in its place
        sources: {{lib.rs: "{NO_STD} #[no_mangle] pub extern \\"C\\" fn one() {{}}"}}
        steps:
          - rustc: lib.rs
            crate-type: [cdylib, dylib]
            panic: abort
            prefer-dynamic: false
            link: {{output: lib.cdylib, exports: {{all: [one], none: ["rust_metadata_*"]}}}}
        """,
        {},
    ),
    "roles in a folder that is renamed": (
        """\
        summary: A role follows the folder, and what is written there later
        sources: {main.rs: "fn main() { println!(\\"ok\\") }"}
        steps:
          - mkdir: one
          - {rustc: main.rs, out-dir: one}
          - {rename: one, to: two, claims: {main.bin: {type: executable}}}
          - {run: main, stdout: "ok\\n"}
        """,
        {},
    ),
    "one claim about hundreds of members": (
        f"""\
        summary: The objects of core have bitcode
        sources: {{lib.rs: "{NO_STD}"}}
        steps:
          - rustc: lib.rs
            crate-type: staticlib
            panic: abort
            claims: {{lib.staticlib: {{each-member: {{"*.o": {{bitcode: false}}}}}}}}
        """,
        {"lib.staticlib.each-member.*.o.bitcode": "true"},
    ),
}
"""A case by what it is about, and what of it fails: the claims, and a part of what is found."""


def judged(text: str, toolchain: Toolchain, folder: Path, cache: Path) -> Iterator[tuple[str, Verdict]]:
    case = parse_case(dedent(text), folder / "case.yaml", "case.yaml")
    session = Session(Store(folder / "store"), cache)
    for row in case.rows:
        variant = Variant(case, row, toolchain)
        yield variant.id, session.verdict(variant)


@pytest.fixture(params=["stable", "nightly"])
def toolchain(request: pytest.FixtureRequest, found_toolchains: list[Located], cache: Path) -> Toolchain:
    """Rustup's compiler of this channel."""
    for one in found_toolchains:
        if one.name.startswith(request.param):
            return probe(one, cache)
    pytest.skip(f"rustup has no {request.param} toolchain")


@pytest.mark.parametrize("name", CASES)
def test_what_is_right(name: str, toolchain: Toolchain, tmp_path: Path, cache: Path) -> None:
    text, expected = CASES[name]
    ((node, verdict),) = judged(text, toolchain, tmp_path, cache)
    evidence = explain_verdict(verdict, node)
    assert verdict.outcome is (FAIL if expected else PASS), evidence
    found = {one.claim: one.found for one in verdict.failures}
    assert found.keys() == expected.keys(), evidence
    assert [claim for claim, part in expected.items() if part not in found[claim]] == [], evidence
    assert len(evidence.splitlines()) < 50


@pytest.mark.parametrize(
    ("steps", "mistake"),
    [
        (
            "[{rustc: a.rs, crate-type: staticlib, claims: {a.staticlib: {exports: none}}}]",
            "`exports` does not apply to `a.staticlib`, which is an archive",
        ),
        ("[{parallel: [{rustc: no-std.rs}, {cc: no-std.c}]}]", "two parallel steps write `no-std`"),
    ],
)
def test_what_is_refused_when_the_case_is_read(steps: str, mistake: str) -> None:
    sources = "{a.rs: '', no-std.rs: 'fn main() {}', no-std.c: 'int main(void) { return 0; }'}"
    (found,) = errors_of(f"summary: A mistake\nsources: {sources}\nsteps: {steps}\n")
    assert mistake in found


@pytest.fixture
def renaming(cache: Path) -> Toolchain:
    """A compiler that has -Zstaticlib-rename-internal-symbols, of $LINKAGE_DEBIAN_COMPILERS."""
    folder = os.environ.get("LINKAGE_DEBIAN_COMPILERS")
    found = sorted(Path(folder).glob("1.98*/rustc")) if folder is not None else []
    if not found:
        pytest.skip("$LINKAGE_DEBIAN_COMPILERS names no folder with a compiler of 1.98, the first that can")
    try:
        return probe(resolve(f"debian:{found[0].parent}", os.environ), cache)
    except ToolchainError as error:
        pytest.fail(str(error))


def test_groups_know_the_names_of_a_staticlib_whose_internals_are_renamed(
    renaming: Toolchain, tmp_path: Path, cache: Path
) -> None:
    text = """\
    summary: The groups find the renamed symbols
    sources: {one.rs: "#[no_mangle] pub extern \\"C\\" fn one(n: u32) -> usize { n.to_string().len() }"}
    matrix:
      rename: [{name: plain, flags: []}, {name: renamed, flags: [-Zstaticlib-rename-internal-symbols]}]
    steps:
      - rustc: one.rs
        crate-type: staticlib
        flags: ["${rename.flags}"]
        claims:
          one.staticlib:
            - defines: ["${allocator-shim}", "${default-allocator}", "${panic-entry}"]
            - when: {rename: renamed}
              defines: {none: ["${allocator-shim}"]}
    """
    (_, plain), (node, renamed) = judged(text, renaming, tmp_path, cache)
    assert plain.outcome is PASS
    assert [one.claim for one in renamed.failures] == ["one.staticlib.defines.none"], explain_verdict(
        renamed, node
    )
