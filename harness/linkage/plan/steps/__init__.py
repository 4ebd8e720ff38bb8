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

__all__ = ["KINDS", "OperationKind", "ProcessKind", "Scope", "StepKind", "key_of", "kind_of"]

KINDS: dict[str, StepKind[Any]] = {
    "rustc": RustcKind(),
    "link-only": LinkOnlyKind(),
    "run": RunKind(),
    "cc": CcKind(),
    "cxx": CxxKind(),
    "ar": ArKind(),
    "tool": ToolKind(),
    "remove": RemoveKind(),
    "mkdir": MkdirKind(),
    "write": WriteKind(),
    "truncate": TruncateKind(),
    "rename": RenameKind(),
    "symlink": SymlinkKind(),
    "copy": CopyKind(),
    "chmod": ChmodKind(),
    "umask": UmaskKind(),
    "clean": CleanKind(),
    "parallel": ParallelKind(),
}
"""Every kind, by the key that names it in a case."""


_KEYS = {kind.keys: key for key, kind in KINDS.items()}


def key_of(step: model.Step) -> str:
    """The key that names a step's kind in a case."""
    return _KEYS[type(step)]


def kind_of(step: model.Step) -> StepKind[Any]:
    """A step's kind."""
    return KINDS[key_of(step)]
