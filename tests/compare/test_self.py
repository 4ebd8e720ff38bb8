"""A compiler against a copy of itself in another folder: nothing differs, wherever and however it ran."""

import os
import shutil
from pathlib import Path

import pytest

from linkage.cli import main
from linkage.compare.request import ComparisonOptions, compared
from linkage.toolchain import probe, resolve_all
from support.changed_library import changes
from support.comparison_project import ComparisonProject

CASE = """\
summary: What names its folder, its time, or the compiler's place
requires: [{dynamic-std: true}]
matrix:
  subject:
    - {name: rpath, crate-type: [bin], flags: [-Crpath, -Cprefer-dynamic]}
    - {name: incremental, crate-type: [bin], flags: [-Cincremental=state]}
    - {name: units, crate-type: [staticlib, dylib], flags: [-Ccodegen-units=4]}
    - {name: debug, crate-type: [cdylib, rlib], flags: [-g, -Cmetadata=x]}
    - {name: macro, crate-type: [proc-macro], flags: []}
sources:
  lib.rs: |
    pub mod one { #[inline(never)] pub fn f(n: usize) -> Vec<usize> { (0..n).collect() } }
    pub mod two { #[inline(never)] pub fn g() -> String { format!("{:?}", super::one::f(3)) } }
    pub fn main() { println!("{}", two::g()); }
steps:
  - rustc: lib.rs
    crate-type: ${subject.crate-type}
    flags: ${subject.flags}
"""


@pytest.fixture(scope="module")
def copy(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler's sysroot in another folder, as hard links where that can be."""
    cache = tmp_path_factory.mktemp("cache")
    sysroot = probe(resolve_all([str(rustc)], os.environ)[0], cache, os.environ).sysroot
    place = tmp_path_factory.mktemp("another") / "a-copy"
    shutil.copytree(
        sysroot, place, symlinks=True, ignore=shutil.ignore_patterns("share"), copy_function=_linked
    )
    return place


def _linked(old: str, new: str) -> None:
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)


def test_copy_elsewhere_builds_the_same(comparison: ComparisonProject, copy: Path) -> None:
    given = ComparisonOptions(
        (str(comparison.rustc), str(copy)), [comparison.case(CASE)], no_store=True, jobs=3
    )
    result = compared(given)
    assert changes(result) == [], [one.found[0][0].change for one in result.groups]
    assert (result.compared, result.not_compared) == (5, ())


def test_another_store_and_other_jobs_and_temporary_paths_make_the_same(
    comparison: ComparisonProject,
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = comparison.case(CASE)
    sides = ((str(comparison.rustc), "one", "1"), (str(copy), "two/and/deeper", "3"))
    for spec, place, jobs in sides:
        folder = comparison.folder / place
        (folder / "tmp").mkdir(parents=True)
        monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
        monkeypatch.setenv("LINKAGE_CACHE", str(folder / "cache"))
        words = ("-j", jobs, "--store", str(folder / "store"), "-o", str(folder / "x.snapshot"))
        assert main(("snapshot", spec, case, *words)) == 0
    files = [str(comparison.folder / place / "x.snapshot") for _, place, _ in sides]
    status = main(("compare", *files))
    assert (status, "same (5 variants compared)" in capsys.readouterr().out) == (0, True)


def test_the_place_is_a_difference_without_its_filter(comparison: ComparisonProject, copy: Path) -> None:
    given = ComparisonOptions(
        (str(comparison.rustc), str(copy)),
        [comparison.case(CASE)],
        no_store=True,
        jobs=3,
        keep=["place", "incremental"],
    )
    kinds = {one.kind for one in compared(given).groups}
    assert {"runpath", "output new"} <= kinds
