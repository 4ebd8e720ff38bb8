"""The files that steps make, as far as a case tells without a toolchain.

Their names are those on GNU/Linux: two steps that write one file there do so elsewhere.
"""

import fnmatch
import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from linkage.case import steps
from linkage.case.output_kinds import LINK_KINDS
from linkage.case.output_names import STREAM, cc_output, linux_name, rustc_outputs
from linkage.case.resolution import ResolvedStep


def outputs(resolved: ResolvedStep) -> Iterator[str]:
    """The files that a step writes, by name."""
    match resolved.step:
        case steps.RustcStep() as step:
            yield from _rustc(step, resolved)
        case steps.CcStep() as step:
            yield cc_output(step, resolved.id)
        case steps.ArStep(ar=name) | steps.WriteStep(write=name) | steps.TruncateStep(truncate=name):
            yield name
        case steps.CopyStep(to=name) | steps.SymlinkStep(symlink=name):
            yield name
        case steps.RenameStep() as step:
            yield from (step.rename, step.to)


def _rustc(step: steps.RustcStep, resolved: ResolvedStep) -> Iterator[str]:
    for role, path in rustc_outputs(resolved, step, linux_name).items():
        if path != STREAM and not (step.no_link and role in LINK_KINDS):
            yield path


class PossibleFiles:
    """The files that the steps so far may have made; a program may make any file."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._texts: list[str] = []
        self._anything = False

    def has(self, name: str) -> bool:
        """Whether a file or folder of this name may exist."""
        path = PurePosixPath(posixpath.normpath(name))
        return (
            self._anything
            or any(str(one) in self._files for one in (path, *path.parents))
            or any(name in text for text in self._texts)
        )

    def add(self, resolved: ResolvedStep) -> None:
        """Add what a step makes."""
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
