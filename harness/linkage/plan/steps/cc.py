"""`cc` and `cxx`: the C and the C++ compiler, with the system libraries that std needs at the end."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from linkage.case import steps as model
from linkage.plan.command import Glob, Word
from linkage.plan.steps.kind import ProcessKind
from linkage.plan.steps.scope import Scope
from linkage.plan.template import Captured, Template
from linkage.toolchain.recipes import CC, CXX

_GNU = ("-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc")
SYSTEM_LIBRARIES = {
    "macos": ("-lSystem", "-lc", "-lm"),
    "windows": ("-lkernel32", "-lntdll", "-luserenv", "-lws2_32", "-ldbghelp"),
}
"""What a staticlib with std needs (`rustc --print native-static-libs`) on other systems than GNU/Linux."""

_HOST_COMPILERS = {CC: "cc", CXX: "c++"}
_FLAGS = {"bin": (), "obj": ("-c",), "shared": ("-shared", "-fPIC")}

C_contra = TypeVar("C_contra", bound=model.CcStep, contravariant=True)


class _CompilerKind(ProcessKind[C_contra], Generic[C_contra]):
    by_one_toolchain = False

    def produce(self, step: C_contra, scope: Scope) -> tuple[str, ...]:
        target = scope.target
        path = step.output_file(scope.resolved.id, target.os if target is not None else "linux")
        scope.outputs.roles[f"{scope.resolved.id}.{step.kind}"] = path
        return (path,)

    def _argv(
        self, need: str, sources: Sequence[str], step: model.CcStep, scope: Scope
    ) -> tuple[Word | str, ...]:
        recipe = scope.tools.compiler(scope.resolved.target, need)
        compiler = _HOST_COMPILERS[need]
        if recipe is not None:
            compiler = recipe.cxx if need == CXX else recipe.program
        output = scope.relative(scope.outputs.roles[f"{scope.resolved.id}.{step.kind}"])
        files = map(scope.file, sources)
        flags = scope.each(step.flags)
        own = scope.toolchain.capabilities.gcc_ld if "-fuse-ld=lld" in map(str, flags) else None
        brought = (f"-B{own}",) if own else ()  # the same LLD as in rustc's steps
        # A linker takes from a library what the objects before it need.
        place = next((i for i, word in enumerate(flags) if _names_libraries(word)), len(flags))
        own_flags = recipe.arguments if recipe is not None else ()
        argv = (compiler, *own_flags, *_FLAGS[step.kind], *brought, *flags[:place], *files, "-o", output)
        if step.kind == "obj":
            return (*argv, *flags[place:])
        usual = SYSTEM_LIBRARIES.get(scope.target.os if scope.target is not None else "", _GNU)
        system = usual if recipe is None else recipe.libraries
        linked = [*flags[place:], *_linked(step, scope, system)]
        by_name = any(_names_libraries(word) for word in (*flags, *map(scope.file, step.link_with)))
        folders = [f"-L{folder}" for folder in map(scope.relative, scope.outputs.folders)] if by_name else []
        searched = [folder for folder in folders if folder not in linked]
        return (*argv, *searched, *linked)


class CcKind(_CompilerKind[model.CcStep]):
    keys = model.CcStep
    program = "cc"

    def argv(self, step: model.CcStep, scope: Scope) -> Sequence[Word | str]:
        return self._argv(CC, step.cc, step, scope)


class CxxKind(_CompilerKind[model.CxxStep]):
    keys = model.CxxStep
    program = "cxx"

    def argv(self, step: model.CxxStep, scope: Scope) -> Sequence[Word | str]:
        return self._argv(CXX, step.cxx, step, scope)


def _names_libraries(word: Word | str) -> bool:
    """Whether it is `-lNAME`, or what an earlier step captured, such as native-static-libs."""
    captured = isinstance(word, Template) and isinstance(next(iter(word.parts), None), Captured)
    return captured or str(word).startswith("-l")


def _linked(step: model.CcStep, scope: Scope, libraries: Sequence[str]) -> list[Word | str]:
    argv: list[Word | str] = []
    shared = False
    for file in map(scope.file, step.link_with):
        path = str(file)
        # By name and search path, so that the program needs `libx.so` and not `./libx.so`.
        if not isinstance(file, Glob) and path.endswith(".so") and not path.startswith("-"):
            folder, _, name = path.rpartition("/")
            argv += [f"-L{folder or '.'}", f"-l:{name}"]
            shared = True
        else:
            argv.append(file)
    if shared:
        # bfd searches for the libraries that shared libraries need
        libdirs = scope.libdirs if scope.beside else (scope.variables["libdir"],)
        folders = (*map(scope.relative, scope.outputs.folders), *libdirs)
        argv += [f"-Wl,-rpath-link,{folder}" for folder in folders if folder]
    if step.system_libraries and step.link_with:
        argv += libraries
    return argv
