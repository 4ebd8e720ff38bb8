"""`run`: a built program, with the loader's search path set to the variant's libraries."""

from collections.abc import Mapping, Sequence

from linkage.case import steps as model
from linkage.plan.command import Word
from linkage.plan.steps.kind import ProcessKind
from linkage.plan.steps.scope import Scope
from linkage.plan.template import WORK, Template


class RunKind(ProcessKind[model.RunStep]):
    keys = model.RunStep
    program = "run"

    def argv(self, step: model.RunStep, scope: Scope) -> Sequence[Word | str]:
        return (*scope.each(step.runner), scope.program(step.run), *scope.each(step.args))

    def env(self, step: model.RunStep, scope: Scope) -> Mapping[str, Template]:
        if not step.library_path:
            return {}
        folders = (
            part
            for folder in scope.outputs.folders
            for part in (WORK, ":" if folder == "." else f"/{folder}:")
        )
        return {"LD_LIBRARY_PATH": Template.of(*folders, scope.variables["libdir"])}
