"""From a step and its cell to the command line."""

from dataclasses import replace
from pathlib import Path

import pytest

from linkage.errors import AbsentCrateTypeError
from linkage.plan.plan import PlannedStep, plan
from linkage.plan.requirements import missing_before_plan
from linkage.toolchain.machine import Machine
from support.small_cases import ARM, lines, planned, toolchain, variant, words

RUSTC = "/rust/bin/rustc --error-format=json lib.rs --edition=2021"
LIBDIR = "/rust/lib/rustlib/x86_64-unknown-linux-gnu/lib"


def shown_env(step: PlannedStep) -> dict[str, str]:
    assert step.command is not None
    return {key: str(value) for key, value in step.command.env.items()}


def rustc(keys: str, **given: str) -> str:
    return lines(f"  - {{rustc: lib.rs, {keys}}}\n", made=toolchain(given.get("version", "1.97.0-nightly")))[
        0
    ]


@pytest.mark.parametrize(
    ("keys", "flags"),
    [
        ("crate-type: cdylib", "--crate-type=cdylib -L ."),
        ("crate-type: [staticlib, dylib]", "--crate-type=staticlib --crate-type=dylib -L ."),
        ("prefer-dynamic: true", "-Cprefer-dynamic -L ."),
        ("prefer-dynamic: false", "-L ."),
        ("lto: fat", "-Clto=fat -L ."),
        ("lto: off", "-Clto=off -L ."),
        ("lto: thin-local", "-L ."),
        ("dylib-lto: true", "-Zdylib-lto -L ."),
        ("codegen-units: 1, opt-level: s", "-Ccodegen-units=1 -Copt-level=s -L ."),
        ("panic: abort, debuginfo: 2, strip: symbols", "-Cpanic=abort -Cdebuginfo=2 -Cstrip=symbols -L ."),
        (f"target: {ARM}", f"--target={ARM} -L ."),
        ("linker: lld", "-L . -Clink-arg=-fuse-ld=lld"),
        ("linker: default", "-L ."),
        ("crate-name: other", "--crate-name=other -L ."),
        ("emit: [metadata, 'obj=x.o']", "--emit=metadata --emit=obj=x.o -L ."),
        ("out-dir: out", "--out-dir out -L . -L out"),
        ("output: x.so", "-o x.so -L ."),
        ("extern: {dep: null}", "-L . --extern dep"),
        ("cfg: ['a=\"b\"', c]", '--cfg a="b" --cfg c -L .'),
        ("search-paths: false", ""),
        ("no-link: true", "-L . -Zno-link"),
        ("flags: [-Cmetadata=x, --test]", "-L . -Cmetadata=x --test"),
        ("flags: '*.o'", "-L . <*.o>"),
        ("flags: ['-Clink-arg=*']", "-L . -Clink-arg=*"),
        ("flags: ['-L${libdir}/x', '${work}/y']", f"-L . -L{LIBDIR}/x $WORK/y"),
        ("flags: ['$${x}']", "-L . ${x}"),
    ],
)  # fmt: skip
def test_command_line_of_a_step(keys: str, flags: str) -> None:
    assert rustc(keys) == f"{RUSTC} {flags}".strip()


def test_the_edition() -> None:
    assert "--edition=2015" in rustc("edition: '2015'")
    assert "--edition=2018" in rustc("cfg: a", version="1.48.0")


def test_a_call_without_a_source() -> None:
    assert lines("  - {rustc: null, flags: [--print, sysroot]}\n") == [
        "/rust/bin/rustc --error-format=json --print sysroot"
    ]


MATRIX = """\
matrix:
  crate-type: [[staticlib, dylib]]
  prefer-dynamic: [true]
  lto: [fat]
  dylib-lto: [true]
  allocator: [global]
steps:
  - {rustc: lib.rs}
  - {rustc: user.rs, axes: [lto], crate-type: bin}
  - {rustc: main.rs, axes: none}
"""


def test_the_matrix_reaches_steps_by_itself_unless_they_say_otherwise() -> None:
    first, second, third = lines(MATRIX)
    assert first == (
        f"{RUSTC} --crate-type=staticlib --crate-type=dylib -Cprefer-dynamic -Clto=fat -Zdylib-lto "
        '--cfg allocator="global" --check-cfg cfg(allocator, values(any())) -L .'
    )
    assert second.endswith("user.rs --edition=2021 --crate-type=bin -Clto=fat -L .")
    assert third.endswith("main.rs --edition=2021 -L .")


def test_old_compilers_get_no_check_cfg() -> None:
    assert "--check-cfg" not in lines(MATRIX, made=toolchain("1.78.0"))[0]


def test_null_gives_no_flag() -> None:
    text = "matrix: {lto: [null], panic: [null]}\nsteps:\n  - {rustc: lib.rs}\n"
    assert lines(text) == [f"{RUSTC} -L ."]


OWN = """\
matrix:
  how: [{name: quick, flags: [-a, -b], word: w}, {name: slow, flags: [], word: ''}]
  extra: ['', -x]
steps:
  - {rustc: lib.rs, flags: ['${how.flags}', '${extra}', 'p-${how.word}-${how}'], env: {A: '${how.word}'}}
"""


def test_axes_of_the_case_are_spliced_dropped_and_put_in() -> None:
    assert lines(OWN, 0) == [f"{RUSTC} -L . -a -b p-w-quick"]
    assert lines(OWN, 3) == [f"{RUSTC} -L . -x p--slow"]
    (step,) = planned(OWN, 0).steps
    assert step.command is not None
    assert shown_env(step) == {"A": "w"}


def test_bootstrap_is_set_only_for_unstable_flags() -> None:
    stable, nightly = toolchain("1.95.0"), toolchain()
    for keys, wanted in (("cfg: a", False), ("no-link: true", True), ("unstable: true", True),
                         ("dylib-lto: true", True), ("flags: -Zx", True)):  # fmt: skip
        text = f"  - {{rustc: lib.rs, {keys}}}\n"
        for made, needs in ((stable, wanted), (nightly, False)):
            (step,) = planned(text, made=made).steps
            assert step.command is not None
            assert (shown_env(step).get("RUSTC_BOOTSTRAP") == "1") is needs
        assert planned(text, made=stable).unstable is wanted


def test_both_halves_of_a_program_get_the_same_environment() -> None:
    """RUSTC_BOOTSTRAP alone changes how names are mangled."""
    text = (
        "  - {rustc: lib.rs, crate-type: rlib}\n  - {rustc: main.rs, dylib-lto: true}\n"
        "  - {run: main}\n  - {cc: main.c}\n"
    )
    made = planned(text, made=toolchain("1.95.0"))
    found = [shown_env(step).get("RUSTC_BOOTSTRAP") for step in made.steps if step.command]
    assert found == ["1", "1", None, None]


def test_link_only_takes_the_rlink_of_its_step() -> None:
    text = "  - {rustc: main.rs, no-link: true}\n  - {link-only: main, %s}\n  - {run: main}\n"
    assert lines(text % "output: prog, flags: [-Cx]")[1:] == [
        "/rust/bin/rustc --error-format=json -Zlink-only main.rlink -o prog -Cx",
        "./prog",
    ]
    assert lines(text.replace("link: true", "link: true, out-dir: o") % "out-dir: p")[1:] == [
        "/rust/bin/rustc --error-format=json -Zlink-only o/main.rlink --out-dir p",
        "p/main",
    ]
    text = "  - {rustc: main.rs, no-link: true}\n  - {link-only: main, rlink: bad.rlink}\n"
    assert lines(text)[1] == "/rust/bin/rustc --error-format=json -Zlink-only bad.rlink"


SYSTEM = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"
LIB = "  - {rustc: lib.rs, crate-type: [staticlib, cdylib]}\n"


def test_the_c_compiler_gets_what_std_needs_after_the_artifacts() -> None:
    (line,) = lines(f"{LIB}  - {{cc: [main.c, more.c], link-with: [lib.staticlib], flags: [-O1]}}\n")[1:]
    assert line == f"cc -O1 main.c more.c -o main liblib.a {SYSTEM}"
    (line,) = lines(f"{LIB}  - {{cc: main.c, link-with: lib.staticlib, system-libraries: false}}\n")[1:]
    assert line == "cc main.c -o main liblib.a"
    assert lines("  - {cc: main.c}\n") == ["cc main.c -o main"]
    assert lines("  - {cxx: main.cpp, output: p}\n") == ["c++ main.cpp -o p"]


def test_a_shared_library_is_linked_by_its_name() -> None:
    """So that the program needs `liblib.so` and not `./liblib.so`."""
    (line,) = lines(f"{LIB}  - {{cc: main.c, link-with: [lib.cdylib, -lfoo], system-libraries: false}}\n")[1:]
    assert line == f"cc main.c -o main -L. -l:liblib.so -lfoo -Wl,-rpath-link,. -Wl,-rpath-link,{LIBDIR}"


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("cc: main.c, flags: [-O, -lfoo, -g]", "cc -O main.c -o main -L. -lfoo -g"),
        ("cc: main.c, link-with: -lfoo, system-libraries: false", "cc main.c -o main -L. -lfoo"),
        ("cc: main.c, flags: [-O, '${captured.lib}']", "cc -O main.c -o main -L. ${captured.lib}"),
        ("cc: main.c, flags: [-O, -g]", "cc -O -g main.c -o main"),
        ("cc: main.c, kind: obj, flags: [-lfoo]", "cc -c main.c -o main.o -lfoo"),
    ],
)
def test_libraries_that_a_c_program_names_follow_its_source(step: str, line: str) -> None:
    first = "{rustc: lib.rs, crate-type: staticlib, capture: native-static-libs}"
    assert lines(f"  - {first}\n  - {{{step}}}\n")[1] == line


def test_objects_and_shared_libraries_in_c() -> None:
    assert lines("  - {cc: main.c, kind: obj}\n") == ["cc -c main.c -o main.o"]
    assert lines("  - {cc: main.c, kind: shared}\n") == ["cc -shared -fPIC main.c -o libmain.so"]


def test_a_program_finds_what_the_variant_has_built() -> None:
    text = (
        "  - {rustc: main.rs, out-dir: deep}\n  - {run: main, args: [a, main.bin], runner: [valgrind, -q]}\n"
    )
    run = planned(text).steps[1]
    assert words(run) == ["valgrind", "-q", "deep/main", "a", "deep/main"]
    assert run.command is not None
    assert shown_env(run)["LD_LIBRARY_PATH"] == f"$WORK:$WORK/deep:{LIBDIR}"
    for keys, env in (("library-path: false", {}), ("env: {LD_LIBRARY_PATH: x}", {"LD_LIBRARY_PATH": "x"})):
        (_, run) = planned(f"  - {{rustc: main.rs}}\n  - {{run: main, {keys}}}\n").steps
        assert run.command is not None
        assert shown_env(run) == env


def test_the_archiver() -> None:
    for keys, line in (
        ("members: [main.o], thin: true", "ar rcs --thin x.a main.o"),
        ("members: [main.o], index: false", "ar rcS x.a main.o"),
        ("delete: ['a*.o']", "ar d x.a <a*.o>"),
        ("extract: ['a*.o']", "ar x x.a <a*.o>"),
        ("extract: '*'", "ar x x.a"),
    ):
        found = lines(f"  - {{ar: x.a, {keys}}}\n")[0]
        assert found.replace("--plugin=/dev/null ", "") == line


def test_any_other_tool() -> None:
    text = f"{LIB}  - {{tool: strip, args: [--strip-all, lib.cdylib, '*.o']}}\n"
    assert lines(text)[1] == "strip --strip-all liblib.so <*.o>"


def test_a_step_elsewhere_sees_the_files_from_there() -> None:
    user = "  - {cc: main.c, link-with: lib.staticlib, system-libraries: false, cwd: deep}\n"
    text = f"  - {{mkdir: deep}}\n{LIB}{user}"
    made = planned(text)
    assert words(made.steps[2]) == ["cc", "../main.c", "-o", "../main", "../liblib.a"]
    assert made.steps[2].command is not None
    assert made.steps[2].command.cwd == "deep"


def test_environment_and_limits() -> None:
    text = (
        "env: {A: a, B: '${work}/b'}\ntimeout: 7\nsteps:\n"
        "  - {rustc: lib.rs, env: {A: mine}, timeout: 3, stdin: '${host}'}\n  - {cc: main.c}\n"
    )
    first, second = (step.command for step in planned(text).steps)
    assert first is not None
    assert second is not None
    assert {key: str(value) for key, value in first.env.items()} == {"A": "mine", "B": "$WORK/b"}
    assert (first.timeout, second.timeout) == (3, 7)
    assert str(first.stdin) == "x86_64-unknown-linux-gnu"


def test_linker_is_wrapped_only_if_a_claim_needs_it() -> None:
    for keys, watched in (
        ("cfg: a", False),
        ("link: {count: 1}", True),
        ("claims: {'link-inputs/*.o': {exists: true}}", True),
    ):
        (step,) = planned(f"  - {{rustc: lib.rs, {keys}}}\n").steps
        assert step.command is not None
        assert (step.command.watched is not None) is watched


def test_a_step_uses_what_an_earlier_one_made_and_kept() -> None:
    text = (
        "  - {rustc: lib.rs, crate-type: rlib}\n"
        "  - {rustc: null, id: asked, flags: --print, capture: stdout}\n"
        "  - {rustc: main.rs, extern: {dep: lib.rlib}, flags: ['-L${captured.asked}']}\n"
    )
    assert lines(text)[2].endswith("-L . --extern dep=liblib.rlib -L${captured.asked}")


def test_absent_crate_type_is_reported() -> None:
    made = variant(f"steps:\n  - {{rustc: lib.rs, crate-type: dylib, target: {ARM}}}\n")
    with pytest.raises(AbsentCrateTypeError, match=r"^made has no crate type dylib for aarch64"):
        plan(made)


def test_the_toolchains_own_lld_is_an_lld() -> None:
    made = toolchain()
    brought = replace(made, capabilities=replace(made.capabilities, gcc_ld=Path("/rust/bin/gcc-ld")))
    flags = "-L . -Clink-arg=-B/rust/bin/gcc-ld -Clink-arg=-fuse-ld=lld"
    assert lines("  - {rustc: lib.rs, linker: lld}\n", made=brought) == [f"{RUSTC} {flags}"]
    assert "gcc-ld" not in lines("  - {rustc: lib.rs, linker: bfd}\n", made=brought)[0]
    linked = lines("  - {cc: main.c, flags: [-fuse-ld=lld]}\n", made=brought)
    assert linked == ["cc -B/rust/bin/gcc-ld -fuse-ld=lld main.c -o main"]
    nothing = Machine(None, "", frozenset())
    for case in (
        "matrix: {linker: [lld]}\nsteps:\n  - rustc: lib.rs\n",
        "requires: [{linker: lld}]\nsteps:\n  - rustc: lib.rs\n",
    ):
        assert missing_before_plan(variant(case, made=brought), nothing, lambda *_: False) is None
        reason = missing_before_plan(variant(case, made=made), nothing, lambda *_: False)
        assert reason == "this machine has no linker lld"


@pytest.mark.parametrize(
    ("argument", "word"),
    [
        ("*.o", "<*.o>"),
        ("a[*]b", "a*b"),
        ("[?]", "?"),
        ("[[][*]]", "[*]"),
        ("[*]*", "<[*]*>"),
        ("[x]", "[x]"),
        ("[[]", "[[]"),
        ("printf [*][?] > ${work}/x", "printf *? > $WORK/x"),
        ("/usr/[*].h", "/usr/*.h"),
        ("-I*", "-I*"),
        ("-I[*]", "-I[*]"),
    ],
)
@pytest.mark.parametrize("key", ["tool: x, args", "cc: main.c, flags", "run: ./x, runner: x, args"])
def test_an_argument_with_wildcards_is_a_glob_unless_they_are_escaped(
    key: str, argument: str, word: str
) -> None:
    """As in fnmatch: `[*]`, `[?]`, `[[]`. What begins with `-` is no glob."""
    assert word in words(planned(f"  - {{{key}: ['{argument}']}}\n").steps[0])
