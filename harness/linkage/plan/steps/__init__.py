"""The kinds of steps: one table, in which each kind has a row. Pure."""

from typing import Any

from linkage.case import steps as model
from linkage.plan.steps.ar import ArKind
from linkage.plan.steps.cc import CcKind, CxxKind
from linkage.plan.steps.files import (
    ChmodKind,
    CleanKind,
    CopyKind,
    MkdirKind,
    RemoveKind,
    RenameKind,
    SymlinkKind,
    TruncateKind,
    UmaskKind,
    WriteKind,
)
from linkage.plan.steps.kind import OperationKind, ProcessKind, StepKind
from linkage.plan.steps.link_only import LinkOnlyKind
from linkage.plan.steps.parallel import ParallelKind
from linkage.plan.steps.run import RunKind
from linkage.plan.steps.rustc import RustcKind
from linkage.plan.steps.scope import Scope
from linkage.plan.steps.tool import ToolKind

__all__ = ["KINDS", "OperationKind", "ProcessKind", "Scope", "StepKind", "kind_of"]

_ALL: tuple[StepKind[Any], ...] = (
    RustcKind(), LinkOnlyKind(), RunKind(), CcKind(), CxxKind(), ArKind(), ToolKind(), RemoveKind(),
    MkdirKind(), WriteKind(), TruncateKind(), RenameKind(), SymlinkKind(), CopyKind(), ChmodKind(),
    UmaskKind(), CleanKind(), ParallelKind(),
)  # fmt: skip
KINDS: dict[str, StepKind[Any]] = {kind.keys.action: kind for kind in _ALL}
"""Every kind, by the key that names it in a case."""


def kind_of(step: model.Step) -> StepKind[Any]:
    """A step's kind."""
    return KINDS[step.action]
