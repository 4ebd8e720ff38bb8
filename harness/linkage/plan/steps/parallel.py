"""`parallel`: steps that run at the same time; the plan and the runner handle its parts."""

from linkage.case import steps as model
from linkage.plan.steps.kind import StepKind


class ParallelKind(StepKind[model.ParallelStep]):
    keys = model.ParallelStep
    by_one_toolchain = False
