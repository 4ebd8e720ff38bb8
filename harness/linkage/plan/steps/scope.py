"""The meaning of the words in a step: variables have values, roles are files, globs wait. Pure."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from linkage.case.resolution import ResolvedStep
from linkage.errors import CaseError
from linkage.plan.command import Glob, Word
from linkage.plan.outputs import Outputs
from linkage.plan.state import is_escaped, is_glob, unescaped
from linkage.plan.template import Template
from linkage.toolchain.model import Target, Toolchain
from linkage.toolchain.recipes import NO_TOOLS, ForeignTools


def toolchain_or_inside(path: str, variables: Mapping[str, str]) -> str:
    """A path or a glob that is relative or in the toolchain. Raises CaseError for any other."""
    places = tuple(f"{variables[place]}/" for place in ("sysroot", "libdir"))
    if path.startswith("/") and not path.startswith(places):
        raise CaseError(
            f"`{path}` leads outside the working folder and the toolchain",
            help="write it with ${sysroot} or ${libdir}"
            + (", or [*] for a * itself" if is_glob(path) else ""),
        )
    return path


@dataclass(frozen=True)
class Scope:
    """One step of a variant, and the meaning of its words.

    The value of a key (`path`, `file`) is a path in the working folder, wherever the step runs; it is made
    relative to the step's own folder. An argument (`word`) is unchanged, unless it is a role or has
    wildcards: then it is a glob, or a text if all of them are escaped.
    """

    resolved: ResolvedStep
    toolchain: Toolchain
    """What the step is for."""
    outputs: Outputs
    variables: Mapping[str, str]
    tools: ForeignTools = NO_TOOLS
    beside: tuple[Toolchain, ...] = ()
    """The variant's toolchain if the step is for the other one, and the reverse."""

    @property
    def libdirs(self) -> tuple[str, ...]:
        """The folders of the target's libraries: of the step's toolchain, then of the one beside it."""
        targets = (one.target(self.resolved.target) for one in (self.toolchain, *self.beside))
        return tuple(dict.fromkeys(str(one.libdir) for one in targets if one is not None))

    @property
    def target(self) -> Target | None:
        """The target of the step; None if the toolchain does not know it."""
        return self.toolchain.target(self.resolved.target)

    @property
    def cwd(self) -> str:
        """The step's folder, relative to the working folder."""
        return getattr(self.resolved.step, "cwd", None) or "."

    def text(self, text: str) -> Template:
        """A text with the variables of this variant filled in."""
        return Template.parse(text, self.variables)

    def subject(self, name: str) -> str:
        """The path that a file operation means, relative to the working folder."""
        return self.outputs.path(self.text(name).path)

    def toolchain_or_inside(self, path: str) -> str:
        """A path or a glob that is relative or in the toolchain. Raises CaseError for any other."""
        return toolchain_or_inside(path, self.variables)

    def relative(self, path: str) -> str:
        """A path in the working folder as the step's own folder sees it."""
        inside = self.cwd != "." and not path.startswith(("/", "-"))
        return posixpath.relpath(path, self.cwd) if inside else path

    def path(self, name: str) -> Template:
        """The file that a key names."""
        text = self.text(name)
        return text if text.is_absolute else self._file(text, self.outputs.path(str(text)))

    def source(self, name: str) -> Template:
        """The source file that a key names; never a role."""
        text = self.text(name)
        return text if text.is_absolute else self._file(text, str(text))

    def program(self, name: str) -> Template:
        """The program that a key names, as it is started."""
        text = self.text(name)
        if text.is_absolute:
            return text
        found = self._file(text, self.outputs.program(str(text)))
        return found if "/" in str(found) else Template.of("./", found)

    def file(self, name: str) -> Word:
        """The file or the files that a key names."""
        text = self.text(name)
        path = text.path if text.is_absolute else self.outputs.path(str(text))
        return self.glob(path) if is_glob(path) and not path.startswith("-") else self.path(name)

    def each(self, texts: Iterable[str]) -> tuple[Word, ...]:
        """Arguments."""
        return tuple(self.word(text) for text in texts)

    def word(self, text: str) -> Word:
        """An argument."""
        word = self.text(text)
        name = str(word)
        path = self.outputs.path(name)
        if name in self.outputs.roles:
            return Template.of(self.relative(path))
        if not is_glob(name) or name.startswith("-"):
            return word
        if is_escaped(name):
            return Template.of(*(unescaped(part) if isinstance(part, str) else part for part in word.parts))
        return self.glob(word.path if word.is_absolute else posixpath.join(self.cwd, name))

    def glob(self, pattern: str) -> Glob:
        return Glob(self.toolchain_or_inside(posixpath.normpath(pattern)))

    def _file(self, text: Template, path: str) -> Template:
        """`path` is the meaning of the text; a text with a placeholder is not a role, and is unchanged."""
        return text if text.literal is None else Template.of(self.relative(path))
