"""The files that steps make, as far as a case tells without a toolchain.

Names are those of a GNU/Linux target: what one step makes of another's is the same elsewhere.
"""

import fnmatch
import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from linkage.case import steps
from linkage.case.resolution import ResolvedStep, crate_name
from linkage.case.roles import EMIT_KINDS, LINK_KINDS

_LINKED = {
    "rlib": "lib{}.rlib", "rmeta": "lib{}.rmeta", "staticlib": "lib{}.a", "bin": "{}", "obj": "{}.o",
    "dylib": "lib{}.so", "cdylib": "lib{}.so", "proc-macro": "lib{}.so", "shared": "lib{}.so", "asm": "{}.s",
    "llvm-ir": "{}.ll", "llvm-bc": "{}.bc", "dep-info": "{}.d",
}  # fmt: skip


def outputs(resolved: ResolvedStep) -> Iterator[str]:
    """The files that a step writes, by name."""
    match resolved.step:
        case steps.RustcStep() as step:
            yield from _rustc(step, resolved.roles)
        case steps.CcStep() as step:
            yield step.output or _LINKED[step.kind].format(resolved.id)
        case steps.ArStep(ar=name) | steps.WriteStep(write=name) | steps.TruncateStep(truncate=name):
            yield name
        case steps.CopyStep(to=name) | steps.SymlinkStep(symlink=name):
            yield name
        case steps.RenameStep() as step:
            yield from (step.rename, step.to)


def _rustc(step: steps.RustcStep, roles: tuple[str, ...]) -> Iterator[str]:
    emits = [item for group in step.emit for item in group.split(",")]
    explicit = {kind: path for kind, equals, path in (item.partition("=") for item in emits) if equals}
    flags = " ".join(step.flags).replace("-C extra-filename", "-Cextra-filename").split()
    extra = [flag.partition("=")[2] for flag in flags if flag.startswith("-Cextra-filename=")]
    name = crate_name(step) + (extra[-1] if extra else "")
    for role in roles:
        emit = next((kind for kind, made in EMIT_KINDS.items() if made == role), "link")
        if emit in explicit:
            yield explicit[emit]
        elif step.output and (role in LINK_KINDS or len(roles) == 1):
            yield step.output
        elif not (step.no_link and role in LINK_KINDS):
            yield posixpath.join(step.out_dir or "", _LINKED.get(role, f"{{}}.{role}").format(name))


class PossibleFiles:
    """What the steps so far may have made; a program that does as it likes may have made anything."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._texts: list[str] = []
        self._anything = False

    def has(self, name: str) -> bool:
        """Whether a file or folder of this name may be there."""
        path = PurePosixPath(posixpath.normpath(name))
        return (
            self._anything
            or any(str(one) in self._files for one in (path, *path.parents))
            or any(name in text for text in self._texts)
        )

    def add(self, resolved: ResolvedStep) -> None:
        """Note what a step makes."""
        step = resolved.step
        if isinstance(step, steps.CleanStep):
            self._clean(step)
        self._files.update(posixpath.normpath(name) for name in outputs(resolved))
        if isinstance(step, (steps.ToolStep, steps.RunStep)) or (
            isinstance(step, steps.ArStep) and step.extract
        ):
            self._anything = True
        if isinstance(step, (steps.RustcOptions, steps.CcStep)):
            self._texts += step.flags  # `-o FILE` and the like

    def _clean(self, step: steps.CleanStep) -> None:
        self._anything = self._anything and bool(step.keep)
        self._texts = self._texts if step.keep else []
        self._files = {
            name for name in self._files if any(fnmatch.fnmatchcase(name, pattern) for pattern in step.keep)
        }
