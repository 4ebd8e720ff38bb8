"""One linker for every compiler: toolchains link with different ones by default. Pure."""

from dataclasses import replace

from linkage.plan.command import Command
from linkage.plan.plan import Plan, PlannedStep
from linkage.plan.steps.rustc import linker_choice
from linkage.plan.template import Template

_CHOOSES = ("-fuse-ld=", "-Clinker", "linker=", "linker-flavor", "-Zlink-self-contained")
"""In the arguments of a compiler that was told what to link with."""


def with_linker(planned: Plan, linker: str) -> Plan:
    """The plan with this linker for every rustc that links for the host, unless the case chooses one."""
    return replace(planned, steps=tuple(_step(step, linker) for step in planned.steps))


def _step(step: PlannedStep, linker: str) -> PlannedStep:
    parts = tuple(_step(part, linker) for part in step.parallel)
    command = step.command
    if command is None or command.program != "rustc" or not _may_choose(command, step.toolchain.host):
        return replace(step, parallel=parts)
    more = tuple(Template.of(word) for word in linker_choice(linker, step.toolchain))
    return replace(step, parallel=parts, command=replace(command, argv=(*command.argv, *more)))


def _may_choose(command: Command, host: str) -> bool:
    words = [str(word) for word in command.argv]
    if any(part in word for word in words for part in _CHOOSES):
        return False
    following = zip(words, [*words[1:], ""], strict=True)
    targets = [
        after if word == "--target" else word for word, after in following if word.startswith("--target")
    ]
    return all(target.removeprefix("--target=") == host for target in targets)
