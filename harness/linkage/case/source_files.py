"""The source files that a case's steps name."""

from collections.abc import Iterator
from typing import NamedTuple

from linkage.case import steps
from linkage.case.document import KeyPath
from linkage.case.model import CaseModel


class NamedSource(NamedTuple):
    """A source that a step names."""

    name: str
    path: KeyPath
    """Where in the step it is named."""
    makeable: bool
    """Whether an earlier step may make it."""


def source_files(model: CaseModel) -> Iterator[tuple[str, KeyPath]]:
    """Every source that the case names, and where."""
    for index, name in enumerate(model.files):
        yield name, ("files", index)
    for step, path in steps.every_step(model.steps, ("steps",)):
        yield from ((source.name, (*path, *source.path)) for source in named_sources(step))


def named_sources(step: steps.Step) -> Iterator[NamedSource]:
    """The sources that one step names."""
    if isinstance(step, steps.RustcStep) and step.rustc not in (None, "-"):
        yield NamedSource(step.rustc, ("rustc",), makeable=True)
    if isinstance(step, steps.CxxStep):
        yield from (NamedSource(name, ("cxx", i), makeable=True) for i, name in enumerate(step.cxx))
    elif isinstance(step, steps.CcStep):
        yield from (NamedSource(name, ("cc", i), makeable=True) for i, name in enumerate(step.cc))
    if isinstance(step, steps.ProcessStep):
        for stream in ("stdout", "stderr"):
            text = getattr(step, stream)
            if text is not None and text.file is not None:
                yield NamedSource(text.file, (stream, "file"), makeable=False)
