"""Steps at the same time write different files: which of two comes last is chance."""

import posixpath

from linkage.case import steps
from linkage.case.check.outputs import outputs
from linkage.case.check.survey import Survey
from linkage.case.resolution import ResolvedStep, flat


def check_parallel(survey: Survey) -> None:
    """Note files that two steps write at the same time."""
    for cell in survey.cells:
        for step in cell.steps:
            if isinstance(step.step, steps.ParallelStep):
                _writes(step, cell.names, survey)


def _writes(step: ResolvedStep, variants: tuple[str, ...], survey: Survey) -> None:
    written: dict[str, ResolvedStep] = {}
    for part in flat(step.parallel):
        for name in dict.fromkeys(posixpath.normpath(name) for name in outputs(part)):
            first = written.setdefault(name, part)
            if first is not part:
                what = f"two steps at the same time write `{name}`"
                help = f"the other is at {survey.doc.key(first.path)}; give one an output of its own"
                survey.findings.add(what, survey.doc.key(part.path), variants, help)
