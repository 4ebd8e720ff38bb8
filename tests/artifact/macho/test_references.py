"""What functions refer to: by relocations in objects, by their code in linked files."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from linkage.artifact import read
from support.macho_oracles import llvm_tool

from .conftest import LINKED, TARGETS

FUNCTIONS = ("caller", "second", "helper", "initialise", "table", "missing", "outside")


def _references(path: Path, *names: str, for_comparison: bool = False) -> Mapping[str, tuple[str, ...]]:
    facts = read(path, references=names, for_comparison=for_comparison)
    assert facts.error is None
    assert facts.object is not None
    return facts.object.references


def _assemble(triple: str, text: str, output: Path) -> None:
    command = [llvm_tool("llvm-mc"), f"-triple={triple}", "-filetype=obj", "-", "-o", str(output)]
    subprocess.run(command, input=text, text=True, check=True)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_in_an_object(assembled: Mapping[str, Path], architecture: str) -> None:
    """`second` is another way into `caller`, so its code is a part of it. What has no symbol has no name."""
    text = ("L_.str",) if architecture == "arm64" else ()
    assert _references(assembled[architecture], *FUNCTIONS) == {
        "caller": ("helper", "imported", "later", "outside", "table"),
        "second": ("later",),
        "helper": (),
        "initialise": ("later", "maybe"),
        "table": (*text, "caller", "imported"),
    }


@pytest.mark.parametrize("way", ["info", "chained", "flat", "bundle", "executable", "chained-executable"])
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_in_a_linked_file(linked: Mapping[str, Path], architecture: str, way: str) -> None:
    found = dict(_references(linked[f"{architecture}-{way}"], *FUNCTIONS))
    assert {"helper", "imported", "outside", "table"} <= set(found.pop("caller"))
    assert found == {"second": ("later",), "helper": (), "initialise": ("later", "maybe")}


@pytest.mark.parametrize("target", TARGETS)
def test_in_objects_of_rustc(apple: Callable[..., Path], target: str) -> None:
    known = {"inside": ("outside",), "COUNTER": ()}
    found = _references(apple(target, "obj"), "inside", "COUNTER")
    assert found == ({} if target.startswith(("armv7", "i686")) else known)


@pytest.mark.parametrize("target", LINKED)
def test_in_linked_files_of_rustc(apple: Callable[..., Path], target: str) -> None:
    assert _references(apple(target, "cdylib"), for_comparison=True) == {"inside": ("outside",)}


def test_where_linkers_may_not_take_an_object_apart(tmp_path: Path) -> None:
    """Without MH_SUBSECTIONS_VIA_SYMBOLS a symbol may be a label in a function, whose end is not known."""
    output = tmp_path / "a.o"
    text = "\t.globl _caller\n_caller:\n\tcallq _f\n_label:\n\tcallq _g\n\tretq\n"
    for end, found in (("", {}), ("\t.subsections_via_symbols\n", {"caller": ("f",), "label": ("g",)})):
        _assemble("x86_64-apple-macos", text + end, output)
        assert _references(output, "caller", "label") == found


@pytest.mark.parametrize(
    ("triple", "body", "found"),
    [
        # Section-relative: the place that is patched holds the address.
        ("x86_64-apple-macos", "leaq L_two(%rip), %rax\n\tmovl $1, L_one(%rip)", ("one", "two")),
        ("x86_64-apple-macos", "movb $1, L_two(%rip)\n\tmovw $1, L_two(%rip)", ("two",)),
        ("x86_64-apple-macos", "movq _one@GOTPCREL(%rip), %rax", ("one",)),
        # The difference of two symbols: both.
        ("x86_64-apple-macos", ".quad _two - _one", ("one", "two")),
        ("arm64-apple-macos", ".quad _two - _one", ("one", "two")),
    ],
)  # fmt: skip
def test_forms_of_relocations(tmp_path: Path, triple: str, body: str, found: tuple[str, ...]) -> None:
    output = tmp_path / "a.o"
    text = f"""
\t.globl _f
_f:
\t{body}
\tret
_three:
L_three:
\tret
\t.data
_one:
L_one:
\t.long 0, 0
_two:
L_two:
\t.long 0, 0
\t.subsections_via_symbols
"""
    _assemble(triple, text, output)
    assert _references(output, "f") == {"f": found}


@pytest.mark.parametrize("triple", ["i386-apple-macos", "armv7-apple-ios"])
def test_processors_whose_relocations_are_not_all_there_is(tmp_path: Path, triple: str) -> None:
    """A call within a section is resolved by the assembler, so the function is left out."""
    call = "call" if triple.startswith("i386") else "bl"
    _assemble(
        triple, f"\t.globl _f\n_f:\n\t{call} _g\n_g:\n\tnop\n\t.subsections_via_symbols\n", tmp_path / "a.o"
    )
    assert _references(tmp_path / "a.o", "f", "g") == {}


def test_many_functions_of_one_section(tmp_path: Path) -> None:
    """For a comparison the references of all are read: the time must not be the square of their number."""
    count = 4000
    body = "".join(f"\t.globl _f{at}\n_f{at}:\n\tbl _g{at}\n\tret\n" for at in range(count))
    _assemble("arm64-apple-macos", f"{body}\t.subsections_via_symbols\n", tmp_path / "a.o")
    start = time.process_time()
    found = _references(tmp_path / "a.o", for_comparison=True)
    assert found == {f"f{at}": (f"g{at}",) for at in range(count)}
    assert time.process_time() - start < 2
