"""Going through the steps of a case, and through those of one variant."""

from collections.abc import Iterable, Iterator

from linkage.case import steps
from linkage.case.document import Path
from linkage.case.resolution import Resolved


def every_step(listed: Iterable[steps.Step], base: Path) -> Iterator[tuple[steps.Step, Path]]:
    """Every step at any depth, with its path."""
    for index, step in enumerate(listed):
        path = (*base, index)
        yield step, path
        if isinstance(step, steps.TogetherStep):
            yield from every_step(step.together, (*path, "together"))


def flat(resolved: Iterable[Resolved]) -> Iterator[Resolved]:
    """Every step of a variant, those that run together too."""
    for step in resolved:
        yield step
        yield from flat(step.together)
