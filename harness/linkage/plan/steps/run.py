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
    by_one_toolchain = False

    def argv(self, step: model.RunStep, scope: Scope) -> Sequence[Word | str]:
        return (*self.runner(step, scope), scope.program(step.run), *scope.each(step.args))

    def runner(self, step: model.RunStep, scope: Scope) -> Sequence[Word | str]:
        """What the built program is given to: as the step says, or what runs programs of its target."""
        recipe = None if step.runner else scope.tools.runner(scope.resolved.target)
        if recipe is None:
            return scope.each(step.runner)
        libraries = _libraries(scope, recipe.separator, recipe.folders)
        more = recipe.library_arguments if step.library_path else ()
        return (recipe.program, *recipe.arguments, *(_with(word, libraries) for word in more))

    def env(self, step: model.RunStep, scope: Scope) -> Mapping[str, Template]:
        recipe = None if step.runner else scope.tools.runner(scope.resolved.target)
        if recipe is not None:
            libraries = _libraries(scope, recipe.separator, recipe.folders)
            asked = {
                key: value for key, value in recipe.env.items() if step.library_path or _PLACE not in value
            }
            return {key: _with(value, libraries) for key, value in asked.items()}
        if not step.library_path:
            return {}
        target = scope.target
        windows = target is not None and target.os == "windows"
        variable = scope.tools.loader_variables.get(
            target.os if target is not None else "", "LD_LIBRARY_PATH"
        )
        return {variable: _libraries(scope, ";" if windows else ":")}


_PLACE = "${libraries}"


def _libraries(scope: Scope, separator: str, more: Sequence[str] = ()) -> Template:
    """The folders of the variant's libraries and the toolchains', and those of a runner's recipe."""
    folders = (
        part
        for folder in scope.outputs.folders
        for part in (WORK, separator if folder == "." else f"/{folder}{separator}")
    )
    libdirs = scope.libdirs or (scope.variables["libdir"],)
    return Template.of(*folders, separator.join((*libdirs, *more)))


def _with(text: str, libraries: Template) -> Template:
    before, found, after = text.partition(_PLACE)
    return Template.of(before, *([libraries] if found else []), after)
