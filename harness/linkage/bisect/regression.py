"""Trials that are bad for another reason than a failure: a success, a crash, a change, a person's answer.

`success`, `ice`, `non-ice` and `non-error` mean what they mean for cargo-bisect-rustc:
https://rust-lang.github.io/cargo-bisect-rustc/usage.html#regression-check.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from linkage.bisect.regress_option import CHANGED, OUTCOMES
from linkage.bisect.trial import Trial, TrialResult
from linkage.judge.verdict import Failure, Verdict, VerdictKind
from linkage.run.session import Session
from linkage.toolchain import Toolchain

Outputs = Callable[[Session, Toolchain], "Sequence[str] | Verdict"]
"""How the outputs of a toolchain differ from those of the older end, or why that is not known."""
Ask = Callable[[str, str], str]
"""Shows a toolchain's name and what was printed; returns `good`, `bad`, `skip` or `retry`."""


@dataclass(frozen=True, slots=True)
class OutcomeTrial:
    """A trial that is bad if it ends as `regress` says."""

    trial: Trial
    regress: str

    @property
    def holds_linker(self) -> bool:
        return self.trial.holds_linker

    def tried(self, session: Session, toolchain: Toolchain) -> TrialResult:
        found = self.trial.tried(session, toolchain)
        return TrialResult(regressed(self.regress, found), found.crashed, found.output)


def regressed(regress: str, found: TrialResult) -> Verdict:
    """The verdict if this outcome is what is searched: `fail` if it is seen."""
    verdict, crashed = found.verdict, found.crashed
    if verdict.outcome in (VerdictKind.SKIP, VerdictKind.ERROR) and not crashed:
        return verdict
    succeeded = verdict.outcome in (VerdictKind.PASS, VerdictKind.FIXED) and not crashed
    bad = {
        "success": succeeded,
        "ice": crashed,
        "non-ice": not crashed,
        "non-error": succeeded or crashed,
    }[regress]
    if not bad:
        return Verdict(VerdictKind.PASS, commands=verdict.commands)
    first = verdict.failures[0] if verdict.failures else None
    where = first.where if first else "--regress"
    told = OUTCOMES[regress] + (f"\n{first.found}" if first else "")
    failure = Failure("outcome", regress, where, "otherwise", told, wrong=OUTCOMES[regress])
    return Verdict(VerdictKind.FAIL, failures=(failure,), commands=verdict.commands)


@dataclass(frozen=True, slots=True)
class ChangedTrial:
    """A trial that is bad if its outputs differ from those of the older end."""

    where: str
    outputs: Outputs
    holds_linker: bool = True

    def tried(self, session: Session, toolchain: Toolchain) -> TrialResult:
        found = self.outputs(session, toolchain)
        if isinstance(found, Verdict):
            return TrialResult(found)
        if not found:
            return TrialResult(Verdict(VerdictKind.PASS))
        failure = Failure(
            "outputs",
            CHANGED,
            self.where,
            "the outputs of the older end",
            "\n".join(found),
            wrong=f"{found[0]}{f' (and {len(found) - 1} more)' if len(found) > 1 else ''}",
        )
        return TrialResult(Verdict(VerdictKind.FAIL, failures=(failure,)))


@dataclass(frozen=True, slots=True)
class PromptedTrial:
    """A trial that a person judges, once for each toolchain."""

    name: str
    trial: Trial
    ask: Ask
    answers: dict[Path, TrialResult] = field(default_factory=dict)
    holds_linker: bool = False

    def tried(self, session: Session, toolchain: Toolchain) -> TrialResult:
        if toolchain.rustc not in self.answers:
            self.answers[toolchain.rustc] = self._asked(session, toolchain)
        return self.answers[toolchain.rustc]

    def _asked(self, session: Session, toolchain: Toolchain) -> TrialResult:
        while True:
            found = self.trial.tried(session, toolchain)
            verdict = found.verdict
            told = found.output or "\n".join(
                [str(verdict.outcome), verdict.reason, *(one.found for one in verdict.failures)]
            )
            match self.ask(f"{toolchain.name} ({toolchain.version}): {self.name}", told):
                case "good":
                    return TrialResult(Verdict(VerdictKind.PASS), found.crashed, found.output)
                case "bad":
                    failure = Failure("prompt", "answer", self.name, "good", "bad, as you answered")
                    return TrialResult(
                        Verdict(VerdictKind.FAIL, failures=(failure,)), found.crashed, found.output
                    )
                case "skip":
                    return TrialResult(Verdict(VerdictKind.SKIP, "skipped by your answer"))
