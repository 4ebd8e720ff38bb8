"""What steps overwrite and cut is there, where the size of the file is known without running anything."""

from collections.abc import Mapping

from linkage.case import steps
from linkage.case.check.survey import Survey
from linkage.case.resolution import ResolvedStep


def check_sizes(survey: Survey, sources: Mapping[str, str]) -> None:
    """Report a `write` and a `truncate` beyond the end of a file that the case itself has written."""
    given = {name: len(text.encode()) for name, text in sources.items() if "${" not in text}
    for cell in survey.cells:
        sizes = dict(given)
        for step in cell.steps:
            _follow(step, sizes, cell.names, survey)


def _follow(step: ResolvedStep, sizes: dict[str, int], variants: tuple[str, ...], survey: Survey) -> None:
    match step.step:
        case steps.WriteStep(write=name, offset=None) as write:
            sizes.pop(name, None)
            if "${" not in (write.text or ""):
                sizes[name] = write.length
        case steps.WriteStep(write=name, offset=int(offset)) as write if name in sizes:
            size = sizes[name]
            if not -size <= offset <= size:
                what = f"`offset: {offset}` is outside `{name}`, of size {size}"
                survey.findings.add(what, survey.doc.key((*step.path, "offset")), variants)
                del sizes[name]
                return
            start = offset if offset >= 0 else size + offset
            sizes[name] = max(size, start + write.length)
        case steps.TruncateStep(truncate=name, size=size) if name in sizes:
            if abs(size) > sizes[name]:
                what = f"`size: {size}` is more than the size of `{name}`: {sizes[name]}"
                survey.findings.add(what, survey.doc.key((*step.path, "size")), variants)
                del sizes[name]
                return
            sizes[name] = size if size >= 0 else sizes[name] + size
        case steps.MkdirStep() | steps.ChmodStep() | steps.UmaskStep():
            pass
        case _:  # it may write any file
            sizes.clear()
