"""What a run records of the tools: the records distinguish one compiler with two linkers."""

import json
import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from support.runs import Runs

CASE = """\
summary: A shared library that the C compiler links
sources: {main.c: "int answer(void) { return 42; }"}
matrix: {number: [0, 1]}
steps:
  - {cc: [main.c], flags: [-shared, -fPIC, -nostdlib, "-DNUMBER=${number}"], output: libc.so}
"""
WRAPPER = '#!/bin/sh\ncase "$*" in *--version*) echo "GNU ld 8.1"; exit ;; esac\nexec {real} "$@"\n'


@pytest.fixture(scope="session")
def linkers(rustc: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders, each with another linker as `ld`: the machine's bfd, and an LLD or a second bfd."""
    bfd = shutil.which("ld.bfd") or shutil.which("ld")
    if bfd is None:
        pytest.fail("these tests need `ld` on PATH: install binutils")
    folders = (tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second"))
    (folders[0] / "ld").symlink_to(bfd)
    lld = _lld(rustc)
    if lld is not None:
        (folders[1] / "ld").symlink_to(lld)
    else:
        (folders[1] / "ld").write_text(WRAPPER.format(real=bfd))
        (folders[1] / "ld").chmod(0o755)
    return folders


def _lld(rustc: Path) -> Path | None:
    """An LLD that starts as `ld.lld`: the machine's, or the one that comes with the compiler."""
    on_path = shutil.which("ld.lld")
    if on_path:
        return Path(on_path)
    asked = subprocess.run(
        [rustc, "--print", "sysroot"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return next(Path(asked).glob("lib/rustlib/*/bin/gcc-ld/ld.lld"), None)


def first_line(program: Path) -> str:
    asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return asked.stdout.splitlines()[0]


def record(runs: Runs, linker: Path, *words: str) -> dict[str, Any]:
    """A run with this folder before all others on PATH; what its JSON says."""
    runs.env = {"PATH": f"{linker}:{os.environ['PATH']}"}
    place = runs.folder / f"record-{time.monotonic_ns()}.json"
    process = runs.start("--json", str(place), *words)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    found: dict[str, Any] = json.loads(place.read_text())
    return found


def test_record_distinguishes_two_linkers(runs: Runs, linkers: tuple[Path, Path]) -> None:
    runs.case(CASE)
    first, second = (record(runs, linker) for linker in linkers)
    tools = [one["tools"] for one in (first, second)]
    versions = [first_line(linker / "ld") for linker in linkers]
    assert versions[0] != versions[1]
    assert [one["ld"] for one in tools] == versions
    assert {name for name in tools[0] if tools[0][name] != tools[1][name]} == {"ld"}
    for one in (first, second):  # the second linker's outcome is not the first one's from the store
        assert {variant["outcome"] for variant in one["variants"]} == {"pass"}
        assert {variant["stored"] for variant in one["variants"]} == {False}
    assert {one["stored"] for one in record(runs, linkers[0])["variants"]} == {True}


@pytest.mark.parametrize("words", [(), ("-n", "2")])
def test_and_in_junit(runs: Runs, linkers: tuple[Path, Path], words: tuple[str, ...]) -> None:
    runs.case(CASE)
    for linker in linkers:
        tools = record(runs, linker, "--junitxml=out.xml", *words)["tools"]
        (suite,) = ET.parse(runs.folder / "out.xml").getroot()  # noqa: S314 - pytest wrote it
        found = {one.get("name"): one.get("value") for one in suite.findall("properties/property")}
        assert found["ld"] == first_line(linker / "ld")
        assert {name: version or "absent" for name, version in tools.items()}.items() <= found.items()


def test_and_in_the_table_of_results_kept(runs: Runs, linkers: tuple[Path, Path]) -> None:
    runs.case(CASE)
    record(runs, linkers[0])
    words = ("table", "case.yaml", "--store", str(runs.folder / "store"))
    assert "different versions of tools" not in runs.command(*words).stdout
    record(runs, linkers[1], "-k", "1]")
    said = runs.command(*words).stdout
    assert "The verdicts were obtained with different versions of tools: ld: " in said
    for linker in linkers:
        assert f"{first_line(linker / 'ld')} (1 on " in said
    (column,) = json.loads(runs.command(*words, "--json").stdout)["toolchains"]
    assert {one["versions"]["ld"]: one["variants"] for one in column["tools"]} == {
        first_line(linker / "ld"): 1 for linker in linkers
    }
