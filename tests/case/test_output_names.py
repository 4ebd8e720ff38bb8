"""The names of outputs are those that rustc and the C compiler give them."""

import subprocess
from pathlib import Path

import pytest

from linkage.case.output_names import linux_name
from linkage.case.resolution import ResolvedStep, TrackedRow, resolve
from linkage.case.steps import CcStep, RustcStep
from support.case_texts import errors_of, read

EVERYTHING = "link,metadata,obj,asm,llvm-ir,llvm-bc,mir,dep-info"


def resolved(step: str, source: str = "lib.rs") -> ResolvedStep:
    text = f"summary: One step\nsources: {{{source}: ''}}\nsteps:\n  - {step}\n"
    case = read(text)
    (found,) = resolve(case, TrackedRow(case.rows[0], set()))
    return found


@pytest.mark.parametrize("source", ["lib.rs", "two-words.rs"])
@pytest.mark.parametrize(
    ("keys", "flags"),
    [
        ("", ""),
        ("crate-type: [bin]", "--crate-type=bin"),
        (f"emit: '{EVERYTHING}'", f"--emit={EVERYTHING}"),
        (
            f"crate-type: [rlib, cdylib], emit: '{EVERYTHING}'",
            f"--crate-type=rlib,cdylib --emit={EVERYTHING}",
        ),
        ("crate-type: [staticlib, dylib]", "--crate-type=staticlib,dylib -Cprefer-dynamic"),
        ("crate-type: proc-macro", "--crate-type=proc-macro"),
        ("crate-type: rlib, emit: metadata", "--crate-type=rlib --emit=metadata"),
        ("crate-name: given, emit: 'link,obj'", "--crate-name=given --emit=link,obj"),
        (
            "flags: -Cextra-filename=-1, emit: 'link,obj,metadata'",
            "-Cextra-filename=-1 --emit=link,obj,metadata",
        ),
        ("output: o.x", "-o o.x"),
        ("crate-type: [rlib, cdylib], output: o.x", "--crate-type=rlib,cdylib -o o.x"),
        (f"output: deep/o.x, emit: '{EVERYTHING}'", f"-o deep/o.x --emit={EVERYTHING}"),
        ("crate-type: rlib, output: o.x, emit: 'link,obj'", "--crate-type=rlib -o o.x --emit=link,obj"),
        ("crate-type: rlib, output: o.x, emit: metadata", "--crate-type=rlib -o o.x --emit=metadata"),
        ("output: o.x, emit: 'obj=a.o,link'", "-o o.x --emit=obj=a.o,link"),
        ("out-dir: deep, emit: 'link=p,asm'", "--out-dir deep --emit=link=p,asm"),
    ],
)
def test_rustc_names_its_outputs_so(keys: str, flags: str, source: str, rustc: Path, tmp_path: Path) -> None:
    (tmp_path / source).write_text("fn main() {}" if "crate-type" not in keys or "bin" in keys else "")
    (tmp_path / "deep").mkdir()
    step = resolved(f"{{rustc: {source}, {keys}}}", source)
    assert isinstance(step.step, RustcStep)
    subprocess.run([rustc, source, *flags.split()], check=True, cwd=tmp_path, capture_output=True)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} - {source}
    assert set(step.step.outputs(step.names, linux_name).values()) == found


@pytest.mark.parametrize(
    ("keys", "file"),
    [
        ("no-link: true", "two-words.rlink"),
        ("no-link: true, output: deep/o.x", "deep/o.rlink"),
        ("no-link: true, emit: link=p", "two-words.rlink"),
        ("no-link: true, flags: -Cextra-filename=-1", "two-words-1.rlink"),
        ("no-link: true, flags: -Cextra-filename=-1=2", "two-words-1=2.rlink"),
    ],
)
def test_an_rlink_file_is_never_named(keys: str, file: str) -> None:
    step = resolved(f"{{rustc: two-words.rs, {keys}}}", "two-words.rs")
    assert isinstance(step.step, RustcStep)
    assert step.step.outputs(step.names, linux_name)["rlink"] == file


@pytest.mark.parametrize(
    ("keys", "file"),
    [("", "main"), ("kind: obj", "main.o"), ("kind: shared", "libmain.so"), ("output: x, kind: obj", "x")],
)
def test_the_c_compilers_output_is_named_after_the_step(keys: str, file: str) -> None:
    step = resolved(f"{{cc: main.c, {keys}}}", "main.c")
    assert isinstance(step.step, CcStep)
    assert step.step.output_file(step.id) == file


def test_a_crate_and_a_c_program_of_one_name_are_one_file() -> None:
    text = (
        "summary: Two steps that run at once write one file\n"
        'sources: {no-std.rs: "fn main() {}", no-std.c: "int main(void) { return 0; }"}\n'
        "steps: [{parallel: [{rustc: no-std.rs}, {cc: no-std.c}]}]\n"
    )
    (line,) = errors_of(text)
    assert line == (
        "case.yaml:3:41: two parallel steps write `no-std` "
        "(help: the other one is at case.yaml:3:21; give one of them another output)"
    )
