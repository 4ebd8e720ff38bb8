"""`rustc`: a call of the compiler.

It adds what a user would pass every time: the edition, the search path, the target.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from linkage.case import steps as model
from linkage.case.output_names import STREAM, side_outputs
from linkage.case.variables import text
from linkage.plan.command import JSON_FLAG, Word
from linkage.plan.foreign_needs import chooses_linker
from linkage.plan.steps.kind import ProcessKind
from linkage.plan.steps.scope import Scope
from linkage.plan.template import Template
from linkage.toolchain.model import Toolchain
from linkage.toolchain.version import VersionRange

_HAS_2021 = VersionRange.parse(">=1.56")
_HAS_CHECK_CFG = VersionRange.parse(">=1.80")

_PRINTED_BESIDE = {"native-static-libs", "link-args"}
"""What rustc prints while it also compiles."""


class RustcKind(ProcessKind[model.RustcStep]):
    keys = model.RustcStep
    program = "rustc"

    def produce(self, step: model.RustcStep, scope: Scope) -> tuple[str, ...]:
        outputs, resolved = scope.outputs, scope.resolved
        folder = step.out_dir or step.cwd or "."
        outputs.search(folder)
        triple = resolved.axes.get("target")
        named = step.outputs(
            resolved.names, lambda kind, name: outputs.linked(kind, name, triple, scope.toolchain)
        )
        paths = {role: path for role, path in named.items() if path != STREAM}
        outputs.roles.update({f"{resolved.id}.{role}": path for role, path in paths.items()})
        outputs.roles.update(sides(resolved.id, paths, scope))
        outputs.note_linked(resolved)
        if _produces_nothing(step):
            return ()
        promised = [path for role, path in paths.items() if not step.linked_later(role)]
        return tuple(dict.fromkeys(promised))

    def argv(self, step: model.RustcStep, scope: Scope) -> Sequence[Word | str]:
        axes = scope.resolved.axes
        argv: list[Word | str] = [str(scope.toolchain.rustc), JSON_FLAG]
        if step.rustc is not None:
            argv.append(scope.source(step.rustc))
            default_edition = "2021" if _HAS_2021.contains(scope.toolchain.version) else "2018"
            argv.append(f"--edition={axes.get('edition', default_edition)}")
        if step.crate_name:
            argv.append(f"--crate-name={step.crate_name}")
        if axes.get("crate-type"):
            argv += [f"--crate-type={kind}" for kind in scope.resolved.crate_types]
        argv += _codegen(axes)
        if "allocator" in axes:
            argv += ["--cfg", f'allocator="{text(axes["allocator"])}"']
            if _HAS_CHECK_CFG.contains(scope.toolchain.version):
                argv += ["--check-cfg", "cfg(allocator, values(any()))"]
        argv += [word for name in step.cfg for word in ("--cfg", scope.text(name))]
        argv += [f"--emit={_emit(group, scope)}" for group in step.emit]
        argv += placement(step, scope)
        if step.search_paths and step.rustc is not None:
            argv += [word for folder in scope.outputs.folders for word in ("-L", scope.relative(folder))]
        if not step.no_link:
            argv += foreign_linker(scope, scope.resolved.crate_types, step.flags)
        argv += linker_choice(axes.get("linker"), scope.toolchain)
        for name, value in step.extern.items():
            argv += ["--extern", name if value is None else Template.of(f"{name}=", scope.path(value))]
        if step.no_link:
            argv.append("-Zno-link")
        return (*argv, *scope.each(step.flags))

    def is_unstable(self, step: model.RustcOptions, argv: Sequence[Word]) -> bool:
        return step.unstable or any(str(word).startswith("-Z") for word in argv)


def sides(step_id: str, paths: Mapping[str, str], scope: Scope) -> dict[str, str]:
    """The roles of what the linker writes beside these outputs."""
    target = scope.target
    if target is None:
        return {}
    return {
        f"{step_id}.{side}": file
        for kind, path in paths.items()
        for side, file in side_outputs(kind, path, target.os, target.libc).items()
    }


def foreign_linker(scope: Scope, kinds: Collection[str], flags: Iterable[str]) -> tuple[str, ...]:
    """The flags for a linker of another target than the host, unless the step's own flags choose one."""
    recipe = scope.tools.linker(scope.resolved.target, bare=scope.resolved.bare)
    if recipe is None or chooses_linker(flags):
        return ()
    program = "bin" in kinds
    library = any(kind in kinds for kind in ("dylib", "cdylib", "sdylib"))
    return recipe.flags(program=program, library=library) if program or library else ()


def placement(step: model.RustcStep | model.LinkOnlyStep, scope: Scope) -> list[str]:
    """The flags for the place of rustc's output."""
    out_dir = ["--out-dir", scope.relative(step.out_dir)] if step.out_dir else []
    return [*out_dir, *(["-o", scope.relative(step.output)] if step.output else [])]


def linker_choice(linker: object, toolchain: Toolchain) -> list[str]:
    """The flags that choose a linker, unless it is the default one; the toolchain's own LLD comes first."""
    if linker in (None, "default"):
        return []
    own = toolchain.capabilities.gcc_ld if toolchain.brings_linker(str(linker)) else None
    return [*([f"-Clink-arg=-B{own}"] if own else []), f"-Clink-arg=-fuse-ld={linker}"]


def _codegen(axes: Mapping[str, object]) -> list[str]:
    argv: list[str] = []
    if axes.get("prefer-dynamic"):
        argv.append("-Cprefer-dynamic")
    if axes.get("lto") not in (None, "thin-local", "default"):
        argv.append(f"-Clto={axes['lto']}")
    if axes.get("dylib-lto"):
        argv.append("-Zdylib-lto")
    plain = ("codegen-units", "opt-level", "panic", "debuginfo", "strip")
    argv += [f"-C{axis}={axes[axis]}" for axis in plain if axes.get(axis) is not None]
    if axes.get("target"):
        argv.append(f"--target={axes['target']}")
    return argv


def _emit(group: str, scope: Scope) -> str:
    parts = (item.partition("=") for item in group.split(","))
    return ",".join(f"{kind}={scope.relative(path)}" if equals else kind for kind, equals, path in parts)


def _produces_nothing(step: model.RustcStep) -> bool:
    """Whether the case says so, or rustc prints what it was asked for and stops there."""
    if step.produces is not None and step.produces.only == ():
        return True
    words = " ".join(step.flags).replace("--print ", "--print=").split()
    printed = {word.split("=")[1] for word in words if word.startswith("--print=")}
    return bool(printed - _PRINTED_BESIDE)
