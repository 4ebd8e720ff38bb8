"""Parallel steps write different files: it is random which of two writes last."""

import posixpath

from linkage.case import steps
from linkage.case.check.survey import Survey
from linkage.case.resolution import ResolvedStep, flat


def check_parallel(survey: Survey) -> None:
    """Report files that two parallel steps write."""
    for cell in survey.cells:
        for step in cell.steps:
            if isinstance(step.step, steps.ParallelStep):
                _writes(step, cell.names, survey)


def _writes(step: ResolvedStep, variants: tuple[str, ...], survey: Survey) -> None:
    written: dict[str, ResolvedStep] = {}
    for part in flat(step.parallel):
        for name in dict.fromkeys(map(posixpath.normpath, part.file_changes.written)):
            first = written.setdefault(name, part)
            if first is not part:
                what = f"two parallel steps write `{name}`"
                help = f"the other one is at {survey.doc.key(first.path)}; give one of them another output"
                survey.findings.add(what, survey.doc.key(part.path), variants, help)
