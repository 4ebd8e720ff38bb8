"""The model of steps: one process or one file operation each, in the order of the file."""

from linkage.case.output_kinds import EMIT_KINDS, CrateType
from linkage.case.steps.ar import ArStep
from linkage.case.steps.cc import CcStep, CxxStep
from linkage.case.steps.expectations import (
    EXIT_WORDS,
    EXPECTATIONS,
    MOST_STATUS,
    Exit,
    ProcessExpectations,
    RustcExpectations,
)
from linkage.case.steps.files import (
    ChmodStep,
    CleanStep,
    CopyStep,
    MkdirStep,
    RemoveStep,
    RenameStep,
    SymlinkStep,
    TruncateStep,
    UmaskStep,
    WriteStep,
)
from linkage.case.steps.kinds import ACTIONS, AnyStep, ParallelStep, action_of, every_step
from linkage.case.steps.link_only import LinkOnlyStep
from linkage.case.steps.process import ProcessStep
from linkage.case.steps.run import RunStep
from linkage.case.steps.rustc import RustcOptions, RustcStep
from linkage.case.steps.step import FileChanges, RoleReference, Step, StepNames
from linkage.case.steps.tool import ToolStep

__all__ = [
    "ACTIONS",
    "EMIT_KINDS",
    "EXIT_WORDS",
    "EXPECTATIONS",
    "MOST_STATUS",
    "AnyStep",
    "ArStep",
    "CcStep",
    "ChmodStep",
    "CleanStep",
    "CopyStep",
    "CrateType",
    "CxxStep",
    "Exit",
    "FileChanges",
    "LinkOnlyStep",
    "MkdirStep",
    "ParallelStep",
    "ProcessExpectations",
    "ProcessStep",
    "RemoveStep",
    "RenameStep",
    "RoleReference",
    "RunStep",
    "RustcExpectations",
    "RustcOptions",
    "RustcStep",
    "Step",
    "StepNames",
    "SymlinkStep",
    "ToolStep",
    "TruncateStep",
    "UmaskStep",
    "WriteStep",
    "action_of",
    "every_step",
]
