"""The files that steps may have made, as far as a case tells without a toolchain."""

import fnmatch
import posixpath
from pathlib import PurePosixPath

from linkage.case.resolution import ResolvedStep


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

    def add(self, step: ResolvedStep) -> None:
        """Add what a step makes."""
        changes = step.file_changes
        if changes.kept is not None:
            self._keep(changes.kept)
        self._files.update(map(posixpath.normpath, changes.written))
        self._texts += changes.named_in
        self._anything = self._anything or changes.any_file

    def _keep(self, patterns: tuple[str, ...]) -> None:
        self._anything = self._anything and bool(patterns)
        self._texts = self._texts if patterns else []
        self._files = {
            name for name in self._files if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
        }
