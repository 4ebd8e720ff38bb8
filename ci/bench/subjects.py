"""What is measured on: cases with many variants, a compiler that only copies, a large archive."""

import shutil
import subprocess
from pathlib import Path

_MANY = """\
summary: Many variants of a small library
sources:
  lib.rs: |
    // ${{n}} ${{m}}
    #[no_mangle] pub extern "C" fn answer() -> i32 {{ 42 }}
matrix:
  crate-type: cdylib
  n: [{n}]
  m: [{m}]
steps:
  - rustc: lib.rs
    claims:
      lib.cdylib: {{exports: {{all: [answer]}}}}
"""

_STUB = """\
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int compiles = 0;
    for (int i = 1; i < argc; i++)
        compiles |= !strcmp(argv[i], "--error-format=json");
    if (!compiles) {
        execv(RUSTC, argv);
        return 127;
    }
    int in = open(MADE, O_RDONLY), out = open("liblib.so", O_CREAT | O_TRUNC | O_WRONLY, 0755);
    struct stat made;
    if (in < 0 || out < 0 || fstat(in, &made)) return 1;
    off_t at = 0;
    while (at < made.st_size)
        if (sendfile(out, in, &at, made.st_size - at) <= 0) return 1;
    return 0;
}
"""

_SMALL = """\
#![no_std]
#[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
#[no_mangle] pub extern "C" fn answer() -> i32 { 42 }
"""


def many(folder: Path, count: int) -> Path:
    """A case with this many variants, each with a source of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    across = min(100, count)
    n = ", ".join(f"n{number}" for number in range(count // across))
    m = ", ".join(f"m{number}" for number in range(across))
    file = folder / f"many-{count}.yaml"
    file.write_text(_MANY.format(n=n, m=m))
    return file


def stub(folder: Path, rustc: Path) -> Path:
    """A compiler that answers questions as this one does, and compiles by copying a small library."""
    folder.mkdir(parents=True, exist_ok=True)
    source, made = folder / "small.rs", folder / "small.so"
    source.write_text(_SMALL)
    (folder / "stub.c").write_text(_STUB)
    subprocess.run(
        [rustc, "--crate-type=cdylib", "-Cpanic=abort", "-Cstrip=symbols", source, "-o", made], check=True
    )
    defined = [f'-DRUSTC="{rustc}"', f'-DMADE="{made}"']
    subprocess.run(["cc", "-O2", *defined, folder / "stub.c", "-o", folder / "rustc"], check=True)
    return folder / "rustc"


def empty_tests(folder: Path, count: int) -> Path:
    """As many empty parametrised tests."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    file = folder / f"test_empty_{count}.py"
    file.write_text(
        "import pytest\n\n\n"
        f"@pytest.mark.parametrize('number', range({count}))\n"
        "def test_empty(number):\n    pass\n"
    )
    return file


def large_archive(folder: Path, rustc: Path) -> Path:
    """A staticlib that carries std."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "large.rs"
    source.write_text('#[no_mangle] pub extern "C" fn answer() -> usize { format!("{:?}", 42).len() }\n')
    made = folder / "liblarge.a"
    subprocess.run([rustc, "--crate-type=staticlib", source, "-o", made], check=True)
    return made


def copy_of_cases(cases: Path, names: list[str], folder: Path) -> list[Path]:
    """Copies of case files with all that is beside them, so that sources can be changed."""
    found = []
    for name in names:
        source = cases / name
        target = folder / Path(name).parent
        if not target.exists():
            shutil.copytree(source.parent, target, ignore=shutil.ignore_patterns("*.yaml"))
        shutil.copyfile(source, folder / name)
        found.append(folder / name)
    return found
