"""The invariants of a step and of its outputs: what is judged of them without a claim. Pure."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from linkage.case import steps as model
from linkage.case.document import KeyPath
from linkage.case.invariants import OF_KIND, OF_STEP, InvariantName, LiftedInvariants
from linkage.case.resolution import ResolvedStep

_INCREMENTAL = "-Cincremental="
_OF_FIRST_HALF = ("*.o", "*.rmeta", "*.rlink")
"""What -Zno-link leaves for -Zlink-only."""

_DEBUG_INFORMATION = ("*.dwo", "*.dwp")
"""What -Csplit-debuginfo leaves beside the outputs."""

_INTERFACE = ".rs"
"""What rustc writes beside an sdylib: its interface."""

_IMPORT_LIBRARY = ".lib"
"""What Microsoft's linker writes beside a program that exports something."""


@dataclass(frozen=True, slots=True)
class InvariantGroup:
    """The invariants of one file that a step links or archives, or of the step itself."""

    path: KeyPath
    """The place of the step in the case."""
    subject: str
    """The role of the file, or the id of the step."""
    file: str
    """Empty if they are about the step."""
    names: tuple[InvariantName, ...]
    writes: tuple[str, ...] = ()
    """Of a step: the files that it may write, by path or glob."""


def invariants(
    resolved: ResolvedStep, linked: tuple[str, ...], roles: Mapping[str, str], lifted: LiftedInvariants
) -> Iterator[InvariantGroup]:
    """The invariants of a step and of what it makes. `linked`: the roles that rustc links, in its order.

    Of several outputs with one file name, only the last is left.
    """
    made = _made(resolved, roles)
    found = {
        roles[role]: role
        for role in sorted(made, key=lambda role: linked.index(role) if role in linked else -1)
        if role in roles
    }
    for file, role in found.items():
        names = tuple(name for name in _of(resolved.step, role) if name not in lifted)
        if names:
            yield InvariantGroup(resolved.path, role, file, names)
    names = tuple(name for name in OF_STEP if name not in lifted)
    writes = _writes(resolved, roles)
    if names and writes:
        yield InvariantGroup(resolved.path, resolved.id, "", names, writes)


def _made(resolved: ResolvedStep, roles: Mapping[str, str]) -> tuple[str, ...]:
    """The roles of what the step links or archives; of the C compiler, what has an output of rustc in it."""
    step = resolved.step
    if isinstance(step, model.RustcStep) and not step.no_link:
        return tuple(f"{resolved.id}.{kind}" for kind in OF_KIND if kind != "shared")
    if isinstance(step, model.LinkOnlyStep):
        return tuple(f"{step.link_only}.{kind}" for kind in OF_KIND)
    if isinstance(step, model.CcStep) and step.kind in OF_KIND:
        rust = any(word in roles or word in roles.values() for word in step.link_with)
        return (f"{resolved.id}.{step.kind}",) if rust else ()
    return ()


def _of(step: model.Step, role: str) -> tuple[InvariantName, ...]:
    return OF_KIND["shared" if isinstance(step, model.CcStep) else role.rpartition(".")[2]]


def _writes(resolved: ResolvedStep, roles: Mapping[str, str]) -> tuple[str, ...]:
    """What a call of rustc may write; nothing if the case says it all, or if it is another program."""
    step = resolved.step
    if not isinstance(step, model.ProcessStep) or (step.produces and step.produces.only is not None):
        return ()
    stated = (*step.produces.all, *step.produces.any, *step.produces.order) if step.produces else ()
    if any(word.startswith("/") for word in stated):  # a regex
        return ()
    more: tuple[str, ...] = ()
    if isinstance(step, model.LinkOnlyStep):
        owner = step.link_only
    elif isinstance(step, model.RustcStep) and step.rustc is not None:
        owner, more = resolved.id, _OF_FIRST_HALF if step.no_link else ()
    else:
        return ()
    own = [file for role, file in roles.items() if role.rpartition(".")[0] == owner]
    own += [
        f"{posixpath.splitext(file)[0]}{_INTERFACE}"
        for role, file in roles.items()
        if role == f"{owner}.sdylib"
    ]
    own += [f"{file.removesuffix('.exe')}{_IMPORT_LIBRARY}" for file in own if file.endswith(".exe")]
    folders = (word.removeprefix(_INCREMENTAL) for word in step.flags if word.startswith(_INCREMENTAL))
    if any(word.startswith("-Csplit-debuginfo") for word in step.flags):
        more = (*more, *_DEBUG_INFORMATION)
    return (*own, *more, *stated, *(posixpath.join(folder, "*") for folder in folders))
