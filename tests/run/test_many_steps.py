"""Thousands of steps: what each costs does not depend on how many there are."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from linkage.judge.verdict import VerdictKind
from linkage.plan.folder_state import FolderState
from linkage.plan.state import State
from linkage.plan.steps.kind import LINK_INPUTS
from linkage.run import chain
from linkage.run.executor import Context, execute
from linkage.run.session import Session
from linkage.run.workspace import Workspace
from support.counted_toolchain import Counted
from support.small_cases import planned, verdicts

Sessions = Callable[[Path], Session]
KINDS = ("mkdir: [d{}]", "write: f{}, text: '{}'", "symlink: l{}, to: f{}")


def many(count: int) -> str:
    steps = (f"  - {{{KINDS[number % len(KINDS)].format(number, number - 1)}}}" for number in range(count))
    return "summary: Many steps\nsteps:\n" + "\n".join(steps) + "\n"


def bytes_kept(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.glob("store/v*/steps/*/*"))


def calls(work: Callable[[], object]) -> int:
    """How many functions were called: unlike the time, the same on every machine."""
    count = 0

    def hear(_frame: object, event: str, _what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(hear)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_four_times_the_steps_cost_four_times_as_much(
    session_on: Sessions, counted: Counted, tmp_path: Path
) -> None:
    made, kept = [], []
    for count in (100, 400):
        folder = tmp_path / str(count)
        folder.mkdir()
        session = session_on(folder / "store")
        verdicts(session, many(1), counted.toolchain, folder)  # what is done once

        def run(session: Session = session, count: int = count, folder: Path = folder) -> None:
            (verdict,) = verdicts(session, many(count), counted.toolchain, folder)
            assert verdict.outcome is VerdictKind.PASS

        made.append(calls(run))
        kept.append(bytes_kept(folder))
    assert made[1] < 5 * made[0]
    assert kept[1] < 5 * kept[0]


def test_the_folder_is_not_scanned_at_each_operation(
    session_on: Sessions, counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = []
    scan = Workspace.scan

    def counted_scan(self: Workspace) -> State:
        scans.append(self)
        return scan(self)

    monkeypatch.setattr(Workspace, "scan", counted_scan)
    verdicts(session_on(tmp_path / "store"), many(50), counted.toolchain, tmp_path)
    assert len(scans) == 1


def execute_one(step: str, workspace: Workspace) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
    """Carry out one operation; what it produced and removed, and why it could not be carried out."""
    made = planned(f"  - {{{step}}}\n").steps[0]
    outcome, _ = execute(made, workspace, Context({"lib.rs": b"new"}, {}, {}))
    return outcome.produced, outcome.removed, outcome.problem


STEPS = """\
mkdir: [a/b/c, a]                   | a/b/c        |
write: a/new.o, text: x             | a/new.o      |
write: a/new.o, text: x             | a/new.o      |
write: a/new.o, text: y, offset: 0  | a/new.o      |
truncate: a/new.o, size: 0          | a/new.o      |
symlink: to-a, to: a                | to-a         |
mkdir: [to-a/through]               | a/through    |
write: to-a/through/f, text: f      | a/through/f  |
symlink: to-f, to: a/through/f      | to-f         |
write: to-f, text: other            | a/through/f  |
chmod: to-f, mode: '0600'           | a/through/f  |
copy: to-f, to: a/copied            | a/copied     |
copy: a/new.o, to: a/copied         | a/copied     |
copy: a, to: whole                  | whole/b/c whole/copied whole/new.o whole/through/f |
rename: a/copied, to: a/renamed     | a/renamed    | a/copied
rename: to-a, to: b-link            | b-link       | to-a
rename: a/through, to: moved        | moved/f      | a/through a/through/f
chmod: whole, mode: '0700'          |              |
remove: whole                       |              | whole whole/b whole/b/c whole/copied whole/new.o whole/through whole/through/f
remove: ['a/*.o', to-f]             |              | a/new.o to-f
write: kept, text: kept             | kept         |
write: kept, text: changed          | kept         |
chmod: kept, mode: '0755'           | kept         |
write: twice, text: changed         | twice        |
rename: twice, to: kept             | kept         | twice
clean: true, keep: kept             |              | *
"""  # noqa: E501 - one step a line


def test_what_an_operation_changed_is_what_a_scan_finds(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "run")
    workspace.write_source("lib.rs", b"source")
    before = workspace.state
    for line in STEPS.splitlines():
        step, produced, removed = (part.strip() for part in line.split("|"))
        found = execute_one(step, workspace)
        after = workspace.state
        assert after == FolderState.of(workspace.scan()), step
        if removed == "*":
            removed = " ".join(sorted(name for name in before if name not in after))
            produced = " ".join(found[0])
        assert found == (tuple(produced.split()), tuple(removed.split()), None), step
        before = after
    assert sorted(before) == ["kept", "lib.rs"]


def test_a_hard_link_changes_with_the_file(tmp_path: Path) -> None:
    """As the links of a tool, and those that the store has."""
    workspace = Workspace(tmp_path / "run")
    (workspace.root / "one").write_text("one")
    (workspace.root / "new").write_text("new")
    (workspace.root / "two").hardlink_to(workspace.root / "one")
    for step in ("chmod: one, mode: '0600'", "copy: new, to: two"):
        assert execute_one(step, workspace)[0] == ("one", "two"), step
        assert workspace.state == FolderState.of(workspace.scan())
    assert execute_one("write: one, text: alone", workspace)[0] == ("one",)
    assert workspace.state == FolderState.of(workspace.scan())
    assert (workspace.root / "two").read_text() == "new"


def test_an_operation_that_fails_midway(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "run")
    (workspace.root / "file").touch()
    produced, _, problem = execute_one("mkdir: [first, file/second]", workspace)
    assert problem is not None
    assert produced == ("first",)
    assert workspace.state == FolderState.of(workspace.scan())


def test_a_symlink_is_written_through_whether_or_not_the_store_has_its_target(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "run")
    (workspace.root / "file").write_text("old")
    (workspace.root / "link").symlink_to("file")
    (tmp_path / "stored").hardlink_to(workspace.root / "file")
    assert execute_one("write: link, text: new", workspace)[0] == ("file",)
    assert (workspace.root / "link").is_symlink()
    assert (tmp_path / "stored").read_text() == "old"


def test_inputs_of_the_linker_are_not_produced(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "run")
    assert execute_one(f"write: {LINK_INPUTS}a.o, text: a", workspace)[0] == ()


def test_a_file_with_a_time_before_its_step(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "run")
    context = Context({}, {"PATH": os.environ["PATH"]}, {})
    script = "echo new >new; echo old >old; touch -d 2001-02-03 old"
    (step,) = planned(f"  - {{tool: sh, args: [-c, '{script}']}}\n").steps
    outcome, _ = execute(step, workspace, context)
    assert (outcome.problem, outcome.produced, outcome.older) == (None, ("new", "old"), ("old",))


def test_a_folder_that_something_else_has_changed(
    session_on: Sessions, counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record leads from the state in its key to that after the step, whatever came in between."""
    text = "summary: Two steps\nsteps: [{mkdir: [a]}, {mkdir: [b]}]\n"

    key = chain._Chain._key

    def disturbed(self: chain._Chain, index: int) -> str:
        if self.workspace is not None and index == 1:
            (self.workspace.root / "foreign").touch()
            (self.workspace.root / "a").rmdir()
            self.workspace.forget()
        return key(self, index)

    monkeypatch.setattr(chain._Chain, "_key", disturbed)
    observed = []
    keep = chain._stored

    def stored(record: chain._Record) -> object:
        observed.append(record)
        return keep(record)

    monkeypatch.setattr(chain, "_stored", stored)
    verdicts(session_on(tmp_path / "store"), text, counted.toolchain, tmp_path)
    first, second = observed
    assert first.after.changed(second.changed, second.gone) == second.after
    assert sorted(second.after) == ["b", "foreign"]
