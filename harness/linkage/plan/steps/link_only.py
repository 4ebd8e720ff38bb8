"""`link-only`: finish a `no-link: true` step from its .rlink file."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from linkage.case import steps as model
from linkage.case.output_kinds import LINK_KINDS
from linkage.errors import CaseError
from linkage.plan.command import JSON_FLAG, Word
from linkage.plan.outputs import join
from linkage.plan.steps.kind import ProcessKind
from linkage.plan.steps.rustc import foreign_linker, linker_choice, placement, sides
from linkage.plan.steps.scope import Scope


class LinkOnlyKind(ProcessKind[model.LinkOnlyStep]):
    keys = model.LinkOnlyStep
    program = "rustc"

    def produce(self, step: model.LinkOnlyStep, scope: Scope) -> tuple[str, ...]:
        roles = scope.outputs.roles
        owned = {role: path for kind in LINK_KINDS if (path := roles.get(role := f"{step.link_only}.{kind}"))}
        if step.output or step.out_dir:
            for role, path in owned.items():
                owned[role] = step.output or join(step.out_dir or ".", PurePosixPath(path).name)
            roles.update(owned)
            roles.update(
                sides(step.link_only, {role.rpartition(".")[2]: path for role, path in owned.items()}, scope)
            )
        if step.out_dir:
            scope.outputs.search(step.out_dir)
        return tuple(owned.values())

    def argv(self, step: model.LinkOnlyStep, scope: Scope) -> Sequence[Word | str]:
        roles, target = scope.outputs.roles, scope.resolved.target
        rlink = step.rlink or roles.get(f"{step.link_only}.rlink")
        if rlink is None:
            raise CaseError(
                f"step `{step.link_only}` makes no .rlink file", help="give that step `no-link: true`"
            )
        argv: list[Word | str] = [str(scope.toolchain.rustc), JSON_FLAG, "-Zlink-only", scope.relative(rlink)]
        return (
            *argv,
            *placement(step, scope),
            *([f"--target={target}"] if target else []),
            *foreign_linker(
                scope, [kind for kind in LINK_KINDS if f"{step.link_only}.{kind}" in roles], step.flags
            ),
            *linker_choice(step.linker, scope.toolchain),
            *scope.each(step.flags),
        )

    def is_unstable(self, step: model.LinkOnlyStep, argv: Sequence[Word]) -> bool:
        _ = step, argv
        return True
