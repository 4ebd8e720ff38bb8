"""A kind of step: its keys, its outputs, and its command or file operation. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from linkage.case import steps as model
from linkage.host.limits import StepLimits
from linkage.plan.command import Command, WatchedLinker, Word
from linkage.plan.operations import Operation
from linkage.plan.steps.scope import Scope
from linkage.plan.template import Template
from linkage.toolchain.recipes import RUST_LLD

S_contra = TypeVar("S_contra", bound=model.Step, contravariant=True)
P_contra = TypeVar("P_contra", bound=model.ProcessStep, contravariant=True)

LINK_INPUTS = "link-inputs/"
"""The folder of the object files that rustc gave to the linker, kept if a claim is about them."""


class StepKind(ABC, Generic[S_contra]):
    """A kind of step."""

    keys: ClassVar[type[model.Step]]
    """The model of its keys in a case."""
    by_one_toolchain: ClassVar[bool] = True
    """Whether its outcome depends on one toolchain alone, also in a variant that has another one."""

    def produce(self, step: S_contra, scope: Scope) -> tuple[str, ...]:
        """Note the step's outputs by role; return the files that must exist if it succeeds.

        Raises CaseError for a crate type that the target does not have.
        """
        _ = step, scope
        return ()


class ProcessKind(StepKind[P_contra]):
    """A kind that starts a process. Its shell form is its command line."""

    program: ClassVar[str]
    """See `Command.program`."""

    @abstractmethod
    def argv(self, step: P_contra, scope: Scope) -> Sequence[Word | str]:
        """The command line. Raises CaseError for a step that makes no sense."""

    def runner(self, step: P_contra, scope: Scope) -> Sequence[Word | str]:
        """The words at the beginning of the command line that run a built program."""
        _ = step, scope
        return ()

    def env(self, step: P_contra, scope: Scope) -> Mapping[str, Template]:
        """Variables that it sets unless the case does."""
        _ = step, scope
        return {}

    def path(self, scope: Scope) -> tuple[str, ...]:
        """Folders that are searched for its program before PATH."""
        _ = scope
        return ()

    def is_unstable(self, step: P_contra, argv: Sequence[Word]) -> bool:
        """Whether a stable rustc needs RUSTC_BOOTSTRAP=1 for it."""
        _ = step, argv
        return False

    def command(
        self, step: P_contra, scope: Scope, env: Mapping[str, str], timeout: int, limits: StepLimits
    ) -> Command:
        """The process; `env`, `timeout` and `limits` are the case's. Raises CaseError."""
        argv = _words(self.argv(step, scope))
        own = {key: scope.text(value) for key, value in {**env, **step.env}.items()}
        return Command(
            self.program,
            argv,
            _words(self.runner(step, scope)),
            own | {key: value for key, value in self.env(step, scope).items() if key not in own},
            scope.text(step.stdin) if step.stdin is not None else None,
            scope.cwd,
            step.timeout or timeout,
            limits,
            unstable=self.is_unstable(step, argv),
            watched=self.watched(step, scope),
            path=self.path(scope),
        )

    def watched(self, step: P_contra, scope: Scope) -> WatchedLinker | None:
        """The linker whose calls claims are about."""
        asked = bool(getattr(step, "link", ()))
        if not asked and not any(subject.startswith(LINK_INPUTS) for subject in step.claims):
            return None
        recipe = scope.tools.linker(scope.resolved.target, bare=scope.resolved.bare)
        own = scope.toolchain.capabilities.rust_lld
        return WatchedLinker(
            recipe.program if recipe is not None and recipe.is_default else "cc",
            {} if own is None else {RUST_LLD: str(own)},
        )


def _words(words: Sequence[Word | str]) -> tuple[Word, ...]:
    return tuple(Template.of(word) if isinstance(word, str) else word for word in words)


class OperationKind(StepKind[S_contra]):
    """A kind that works on files. Its shell form is that of its operation."""

    @abstractmethod
    def operation(self, step: S_contra, scope: Scope) -> Operation:
        """What it does. Raises CaseError for a step that makes no sense."""
