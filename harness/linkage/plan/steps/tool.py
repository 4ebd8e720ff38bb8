"""`tool`: any other program, by its name on PATH or in the toolchain."""

import posixpath
from collections.abc import Sequence

from linkage.case import steps as model
from linkage.plan.command import Word
from linkage.plan.steps.kind import ProcessKind
from linkage.plan.steps.scope import Scope


class ToolKind(ProcessKind[model.ToolStep]):
    keys = model.ToolStep
    program = "tool"

    def argv(self, step: model.ToolStep, scope: Scope) -> Sequence[Word | str]:
        return (scope.text(step.tool), *scope.each(step.args))

    def path(self, scope: Scope) -> tuple[str, ...]:
        return (
            f"{scope.variables['sysroot']}/bin",
            posixpath.normpath(f"{scope.variables['libdir']}/../bin"),
        )
