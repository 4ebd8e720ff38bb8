"""A process that a step starts, before it is started. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from linkage.host.limits import StepLimits
from linkage.plan.template import Template

JSON_FLAG = Template.of("--error-format=json")


@dataclass(frozen=True, slots=True)
class Glob:
    """An argument that stands for the files, or an archive's members, that match it when the step runs.

    A pattern is relative to the working folder, or an absolute one in the toolchain's folders.
    """

    pattern: str
    archive: str | None = None

    def __str__(self) -> str:
        return self.pattern


Word = Template | Glob
"""An argument of a command."""


@dataclass(frozen=True, slots=True)
class WatchedLinker:
    """The linker of a rustc whose calls are recorded."""

    default: str = "cc"
    """The one that rustc calls if no flag names another."""
    own: Mapping[str, str] = field(default_factory=dict)
    """The paths of those that the toolchain itself has, which come before those on PATH, by name."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start. Paths are relative to the folder that it runs in, or absolute."""

    program: str
    """The meaning of the first argument: "rustc", "run", "cc", "cxx", "ar", "tool"."""
    argv: tuple[Word, ...]
    runner: tuple[Word, ...] = ()
    """The first words of `argv`, if they are a program that runs a built one."""
    env: Mapping[str, Template] = field(default_factory=dict)
    stdin: Template | None = None
    cwd: str = "."
    """Relative to the working folder."""
    timeout: int = 180
    limits: StepLimits = field(default_factory=StepLimits)
    unstable: bool = False
    """Whether a stable rustc needs RUSTC_BOOTSTRAP=1 for it."""
    watched: WatchedLinker | None = None
    """What of the linker is recorded; None if no claim is about it."""
    path: tuple[str, ...] = ()
    """Folders that are searched for a tool before PATH."""

    @property
    def typed(self) -> tuple[Word, ...]:
        """The arguments that a user would type: without those that only the harness needs."""
        return tuple(word for word in self.argv if word != JSON_FLAG)
