"""The same command lines under ninja: build.ninja from the harness's own plans, files in place.

The variants' steps make a tree: those that begin alike share their beginning, once, as a person
would write it down. Every step has a folder of its own, which holds what stood there when the
harness's runner had carried it out; so ninja's run needs nothing but the processes themselves.
"""

import json
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from linkage.case.case import Case
from linkage.plan.expectation import as_expected
from linkage.plan.observation import Outcome
from linkage.plan.plan import Plan, PlannedStep, Variant, plan
from linkage.run.executor import Context, arguments, environment, execute
from linkage.run.session import Session, sources
from linkage.run.workspace import Workspace
from linkage.toolchain import Toolchain


@dataclass(slots=True)
class _Node:
    """A step after the steps before it."""

    step: PlannedStep
    workspace: Workspace
    context: Context
    outcome: Outcome
    number: int
    parent: "_Node | None"
    children: dict[str, "_Node"] = field(default_factory=dict)


def plans(session: Session, cases: Iterable[Case], toolchains: Iterable[Toolchain]) -> Iterator[Plan]:
    """The plans of all variants that can be run here."""
    for toolchain in toolchains:
        for case in cases:
            for row in case.rows:
                variant = Variant(case, row, toolchain)
                if session.skip_reason(variant) is None:
                    yield plan(variant)


def write(plans: Iterable[Plan], folder: Path, environ: Mapping[str, str], *, shared: bool) -> int:
    """Carry out every step once, and write the build.ninja that does it again; how many processes."""
    folder.mkdir(parents=True)
    roots: dict[str, dict[str, _Node]] = {}
    nodes: list[_Node] = []
    for number, planned in enumerate(plans):
        found = sources(planned.variant)
        own = "" if shared else str(number)
        begins = json.dumps([own, planned.variant.toolchain.fingerprint, sorted(map(repr, found.items()))])
        level, parent = roots.setdefault(begins, {}), None
        for step in planned.steps:
            key = repr((step.command, step.reads, [part.command for part in step.parallel]))
            if step.command is None:
                key += step.model.model_dump_json(exclude={"claims"})
            if key not in level:
                level[key] = _carried_out(step, parent, found, folder, len(nodes), environ)
                nodes.append(level[key])
            parent = level[key]
            if not as_expected(step, parent.outcome):
                break
            level = parent.children
    return _write(nodes, folder)


def _carried_out(
    step: PlannedStep,
    parent: _Node | None,
    found: Mapping[str, bytes],
    folder: Path,
    number: int,
    environ: Mapping[str, str],
) -> _Node:
    workspace = Workspace(folder / str(number))
    context = Context(found, environ, {})
    if parent is None:
        for name, content in found.items():
            workspace.write_source(name, content)
    else:
        shutil.copytree(parent.workspace.root, workspace.root, symlinks=True, dirs_exist_ok=True)
        context.captured, context.umask = dict(parent.context.captured), parent.context.umask
    outcome, _ = execute(step, workspace, context)
    return _Node(step, workspace, context, outcome, number, parent)


def _write(nodes: list[_Node], folder: Path) -> int:
    lines = ["rule step", "  command = $line", ""]
    count = 0
    named: dict[int, str | None] = {}
    for node in nodes:
        before = named.get(node.parent.number) if node.parent else None
        commands = [part for part in (node.step.parallel or (node.step,)) if part.command is not None]
        if not commands:
            named[node.number] = before
            continue
        for part in commands:
            named[node.number] = f"step-{node.number}-{count}"
            count += 1
            after = f" | {before}" if before else ""
            lines += [f"build {named[node.number]}: step{after}", f"  line = {_line(part, node)}"]
    (folder / "build.ninja").write_text("\n".join([*lines, ""]))
    return count


def _line(part: PlannedStep, node: _Node) -> str:
    command = part.command
    assert command is not None  # noqa: S101 - only such are written
    words = arguments(command, node.workspace, node.context)
    env = environment(command, node.workspace, node.context)
    given = [f"{key}={shlex.quote(value)}" for key, value in env.items()]
    where = node.workspace.root / command.cwd
    given_to_it = None if command.stdin is None else node.context.filled(command.stdin, node.workspace)
    fed = [] if given_to_it is None else ["printf", "%s", shlex.quote(given_to_it), "|"]
    line = " ".join(["cd", shlex.quote(str(where)), "&&", *fed, *given, shlex.join(words)])
    return f"{line} >/dev/null 2>&1 || true".replace("$", "$$").replace("\n", " ")
