"""An observation: the outcomes of a variant's steps. Judging sees nothing else; a cached outcome is the
same data as a fresh one.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from linkage.artifact.facts import Facts
from linkage.host.system import SIGBUS, SIGHUP, SIGKILL, SIGXCPU, SIGXFSZ
from linkage.plan.template import CapturedText

_FROM_OUTSIDE = {
    SIGKILL, signal.SIGTERM, signal.SIGINT, SIGHUP,  # out of memory, a shutdown
    SIGBUS, SIGXCPU, SIGXFSZ,  # a full disk under a mapped file, limits
}  # fmt: skip

_NATIVE_LIBS = "native-static-libs: "


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One of rustc's diagnostics, from `--error-format=json`."""

    level: str
    message: str
    code: str | None
    rendered: str


@dataclass(frozen=True, slots=True)
class LinkerCall:
    """One call of the linker by rustc, as recorded by the one that it called."""

    args: tuple[str, ...]
    output: str | None
    """The output's file name."""
    exports: tuple[str, ...] | None
    """The names that it is to export, from whatever list its format has; None if there was none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one step: its exit status, its streams, the files that it produced and their facts.

    `status` is the exit status, negative for a signal; `limit` is "time" or "output" if the
    process was killed for it; `problem` says why the step could not be run at all.
    Paths are relative to the working folder.
    """

    status: int | None = None
    stdout: str = ""
    stderr: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    ice: bool = False
    limit: str | None = None
    problem: str | None = None
    produced: tuple[str, ...] = ()
    """Files that it created or changed, sorted."""
    older: tuple[str, ...] = ()
    """Those of them that have a time before the step."""
    removed: tuple[str, ...] = ()
    linker_calls: tuple[LinkerCall, ...] = ()
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """What the readers found in the files that claims at this step are about; one that is
    not there has no entry."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """The permission bits of those files."""
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The texts, among those that claims look for in those files' bytes, that are there."""
    others: Mapping[str, str] = field(default_factory=dict)
    """What is in the place of a file that claims are about: a folder, a FIFO, ..."""
    parts: tuple["Outcome", ...] = ()
    """Of a `parallel` step: the outcome of each of its parts."""
    seconds: float = 0.0
    obtained: str = ""
    """When and where this outcome was first obtained."""

    @property
    def lasting(self) -> bool:
        """Whether it depends on the compiler, not on the state of this machine at this moment."""
        return (
            self.problem is None
            and self.limit is None
            and (self.status is None or -self.status not in _FROM_OUTSIDE)
            and all(part.lasting for part in self.parts)
        )


def native_static_libs(stderr: str) -> list[str] | None:
    """The libraries that rustc reported for a staticlib's users, in order."""
    for line in stderr.splitlines():
        if _NATIVE_LIBS in line:
            return line.partition(_NATIVE_LIBS)[2].split()
    return None


def captured_text(outcome: Outcome, capture: str) -> CapturedText:
    """What a step captured for later ones, from a stream or as the words of a list."""
    if capture == "native-static-libs":
        return tuple(native_static_libs(outcome.stderr) or ())
    return (outcome.stdout if capture == "stdout" else outcome.stderr).strip()


def claim_variables(captured: Mapping[str, CapturedText]) -> dict[str, str]:
    """What steps captured, as the variables of later claims."""
    return {
        f"captured.{name}": text if isinstance(text, str) else " ".join(text)
        for name, text in captured.items()
    }


@dataclass(frozen=True, slots=True)
class StepObservation:
    """A planned step and its outcome; None if an earlier step ended the variant."""

    id: str
    argv: tuple[str, ...]
    outcome: Outcome
    stored: bool = False
    """Whether the outcome came from the store."""
    rechecked: bool = False
    """Whether it was cached, and the step was run again to compare."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The steps of a variant with their outcomes, in order, up to the one that ended it."""

    steps: tuple[StepObservation, ...]
    folder: str = ""
    """The working folder in which all steps were run."""

    def step(self, name: str) -> StepObservation | None:
        """A step's observation by its id."""
        return next((step for step in self.steps if step.id == name), None)
