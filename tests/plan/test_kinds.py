"""The table of step kinds is total: case format, plan, runner and script know the same ones."""

import ast
import inspect
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from linkage.case import resolution, roles, source_files
from linkage.case.check import outputs, parallel
from linkage.case.steps import ACTIONS, CcStep, ProcessStep, Step
from linkage.plan.operations import Operation, SetUmask
from linkage.plan.plan import PlannedStep
from linkage.plan.steps import KINDS, OperationKind, ProcessKind, StepKind, kind_of
from linkage.plan.steps.parallel import ParallelKind
from linkage.run.workspace import Workspace
from support.small_cases import operate, planned

PROCESSES = {
    "rustc": "rustc: lib.rs",
    "link-only": "link-only: main",
    "run": "run: main",
    "cc": "cc: main.c",
    "cxx": "cxx: main.cpp",
    "ar": "ar: x.a, members: [a.o]",
    "tool": "tool: strip, args: [a.o]",
}
OPERATIONS = {
    "remove": "remove: [a.o, deep]",
    "mkdir": "mkdir: [new/er]",
    "write": "write: some/new.txt, text: 'one ${target}'",
    "truncate": "truncate: a.o, size: -2",
    "rename": "rename: a.o, to: deep/b.o",
    "symlink": "symlink: deep/link, to: a.o",
    "copy": "copy: a.o, to: c.o",
    "chmod": "chmod: a.o, mode: 600",
    "umask": "umask: '077'",
    "clean": "clean: true, keep: a.o",
}


def only(step: str) -> PlannedStep:
    return planned(f"  - {{rustc: main.rs, no-link: true}}\n  - {{{step}}}\n").steps[1]


def test_the_format_and_the_plan_have_the_same_kinds() -> None:
    assert {key: kind.keys for key, kind in KINDS.items()} == ACTIONS
    assert list(KINDS) == list(ACTIONS)
    classes = [type(kind) for kind in KINDS.values()]
    assert len(set(classes)) == len(classes)
    assert PROCESSES.keys() | OPERATIONS.keys() | {"parallel"} == KINDS.keys()


def _subclasses(kind: type[Any]) -> set[type[Any]]:
    below = kind.__subclasses__()
    return {kind, *below}.union(*map(_subclasses, below))


def test_no_kind_and_no_model_is_left_out() -> None:
    defined = {one for one in _subclasses(StepKind) if hasattr(one, "keys")}
    assert defined == {type(kind) for kind in KINDS.values()}
    models = {one for one in _subclasses(Step) if one.__module__.startswith("linkage.case.steps.")}
    abstract = {Step, ProcessStep, *(one for one in models if one.__name__ == "RustcOptions")}
    assert models - abstract == set(ACTIONS.values())
    assert issubclass(ACTIONS["cxx"], CcStep)


@pytest.mark.parametrize("kind", ACTIONS.values(), ids=ACTIONS)
def test_a_kind_says_what_it_does_to_files(kind: type[Step]) -> None:
    assert not kind.__abstractmethods__


def test_what_a_kind_knows_is_in_its_class() -> None:
    """A new kind is one class in the format and one in the plan: no other module has a case for each."""
    for module in (resolution, roles, source_files, outputs, parallel):
        tree = ast.parse(inspect.getsource(module))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Match)], module
    assert {kind.action: kind for kind in ACTIONS.values()} == ACTIONS
    assert "" not in ACTIONS


@pytest.mark.parametrize("key", PROCESSES)
def test_a_process_has_a_command(key: str) -> None:
    step = only(PROCESSES[key])
    kind = kind_of(step.model)
    assert isinstance(kind, ProcessKind)
    assert (kind, step.action) == (KINDS[key], key)
    assert step.command is not None
    assert (step.command.program, step.operation) == (kind.program, None)


def test_steps_that_run_at_the_same_time_are_planned_as_parts() -> None:
    step = only("parallel: [{cc: main.c}, {mkdir: x}]")
    assert isinstance(KINDS["parallel"], ParallelKind)
    assert (step.command, step.operation) == (None, None)
    assert [part.action for part in step.parallel] == ["cc", "mkdir"]


def test_every_operation_belongs_to_a_kind() -> None:
    made = {type(only(step).operation) for step in OPERATIONS.values()}
    assert made == set(get_args(Operation))


SOURCES = {"lib.rs": b"new", "deep/mod.rs": b"deep"}


def _filled(folder: Path) -> Workspace:
    folder.mkdir()
    workspace = Workspace(folder)
    for name, content in {**SOURCES, "a.o": b"object", "old/b.o": b"other"}.items():
        workspace.write_source(name, content)
    return workspace


@pytest.mark.parametrize("key", OPERATIONS)
def test_the_runner_and_the_shell_do_the_same(key: str, tmp_path: Path) -> None:
    step = only(OPERATIONS[key])
    assert isinstance(KINDS[key], OperationKind)
    assert step.action == key
    operation = step.operation
    assert operation is not None
    by_shell = _filled(tmp_path / "shell")
    sources = "sources() { mkdir -p deep; printf %s new >lib.rs; printf %s deep >deep/mod.rs; }"
    script = f"umask 022; {sources}; {{ {operation.shell()}; }} || exit 1"
    subprocess.run(["sh", "-c", script], cwd=by_shell.root, check=True)
    if isinstance(operation, SetUmask):
        assert operation.shell() == "umask 077"
        return
    by_runner = _filled(tmp_path / "runner")
    before = by_runner.scan()
    operate(by_runner, OPERATIONS[key])
    assert by_runner.scan() == by_shell.scan() != before
