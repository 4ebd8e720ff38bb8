"""Steps at the same time write different files: which of two comes last is chance."""

import posixpath

from linkage.case import steps
from linkage.case.check.cells import Cells
from linkage.case.check.outputs import outputs
from linkage.case.check.steps import flat
from linkage.case.resolution import Resolved


def check_together(cells: Cells) -> None:
    """Note files that two steps write at the same time."""
    for cell in cells.cells:
        for step in cell.steps:
            if isinstance(step.step, steps.TogetherStep):
                _writes(step, cell.names, cells)


def _writes(step: Resolved, variants: tuple[str, ...], cells: Cells) -> None:
    written: dict[str, Resolved] = {}
    for part in flat(step.together):
        for name in dict.fromkeys(posixpath.normpath(name) for name in outputs(part)):
            first = written.setdefault(name, part)
            if first is not part:
                what = f"two steps at the same time write `{name}`"
                help = f"the other is at {cells.doc.key(first.path)}; give one an output of its own"
                cells.findings.add(what, cells.doc.key(part.path), variants, help)
