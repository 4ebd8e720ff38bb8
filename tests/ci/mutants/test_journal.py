"""What a run keeps of the attempts of a fault, and when it counts no more."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.case.reader import parse_case
from linkage.plan.plan import Variant, plan
from linkage.store.results import Results
from linkage.toolchain import Located, Toolchain, probe
from mutants import wrappers
from mutants.faults.table import EVERY, FAULTS, MODULES
from mutants.journal import FaultJournal
from mutants.variants import PlannedVariant

TEXT = 'summary: An rlib\nsources: {lib.rs: ""}\nsteps: [{rustc: lib.rs, crate-type: rlib}]\n'


@pytest.fixture
def toolchain(found_toolchains: list[Located], cache: Path) -> Toolchain:
    return probe(found_toolchains[0], cache, os.environ)


def cell(toolchain: Toolchain, folder: Path, text: str = TEXT) -> PlannedVariant:
    folder.mkdir(exist_ok=True)
    (folder / "x.yaml").write_text(text)
    variant = Variant(parse_case(text, folder / "x.yaml", "x.yaml"), {}, toolchain)
    return PlannedVariant(variant, "", plan(variant))


def test_an_attempt_counts_until_something_changes(toolchain: Toolchain, tmp_path: Path) -> None:
    kept, fault = Results.open(tmp_path / "results"), FAULTS["output-missing"]
    green = cell(toolchain, tmp_path / "green")
    red = cell(toolchain, tmp_path / "red")
    first = FaultJournal(tmp_path, fault, kept)
    assert first.known(green) is None
    first.note(green)
    first.note(red, "lib: exit: exit status 1")

    again = FaultJournal(tmp_path, fault, kept)
    assert (again.known(green), again.known(red)) == ("", "lib: exit: exit status 1")
    assert FaultJournal(tmp_path, FAULTS["output-empty"], kept).known(green) is None
    assert again.known(cell(toolchain, tmp_path / "green", f"{TEXT}# changed\n")) is None
    other = replace(toolchain, fingerprint="another")
    assert again.known(cell(other, tmp_path / "green")) is None


def test_a_damaged_line_is_an_attempt_that_was_not_made(toolchain: Toolchain, tmp_path: Path) -> None:
    kept, fault = Results.open(tmp_path / "results"), FAULTS["output-missing"]
    one = cell(toolchain, tmp_path / "one")
    FaultJournal(tmp_path, fault, kept).note(one)
    file = tmp_path / "output-missing.jsonl"
    file.write_text(f"odd\n[]\n{{}}\n{file.read_text()}")
    assert FaultJournal(tmp_path, fault, kept).known(one) == ""
    file.write_text(file.read_text()[:20])
    assert FaultJournal(tmp_path, fault, kept).known(one) is None


def test_a_fault_depends_on_the_code_that_it_imports_only(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: wrappers.code_digest(fault) for name, fault in EVERY.items()}
    real = wrappers._code

    def changed(name: str) -> bytes:
        return real(name) + b"\n# changed" * (name in ("elf", "rlink"))

    monkeypatch.setattr(wrappers, "_code", changed)
    different = {
        MODULES[name] for name, fault in EVERY.items() if wrappers.code_digest(fault) != before[name]
    }
    assert {"rlink", "symbols", "headers", "table"} <= different
    assert not {"exits", "printed", "rebuilt", "flags"} & different
