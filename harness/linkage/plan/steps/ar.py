"""`ar`: the archiver."""

from collections.abc import Iterable, Sequence

from linkage.case import steps as model
from linkage.plan.command import Glob, Word
from linkage.plan.steps.kind import ProcessKind
from linkage.plan.steps.scope import Scope

_NO_PLUGIN = "--plugin=/dev/null"
"""GNU ar would use an installed LLVM, and omit from the index what is too new for it."""


class ArKind(ProcessKind[model.ArStep]):
    keys = model.ArStep
    program = "ar"

    def argv(self, step: model.ArStep, scope: Scope) -> Sequence[Word | str]:
        archive = scope.path(step.ar)
        if step.delete:
            return ("ar", "d", _NO_PLUGIN, archive, *_members(step.ar, step.delete, scope))
        if step.extract:
            chosen = () if "*" in step.extract else _members(step.ar, step.extract, scope)
            return ("ar", "x", archive, *chosen)
        operation = "rc" + ("s" if step.index else "S")
        thin = ("--thin",) if step.thin else ()
        return ("ar", operation, _NO_PLUGIN, *thin, archive, *map(scope.file, step.members))


def _members(archive: str, names: Iterable[str], scope: Scope) -> Iterable[Glob]:
    return (Glob(str(scope.text(name)), scope.subject(archive)) for name in names)
