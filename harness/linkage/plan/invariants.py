"""The invariants of a step's outputs: what is judged of them without a claim. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from linkage.case import steps as model
from linkage.case.document import KeyPath
from linkage.case.invariants import OF_KIND, InvariantName, LiftedInvariants
from linkage.case.resolution import ResolvedStep


@dataclass(frozen=True, slots=True)
class InvariantGroup:
    """The invariants of one file that a step links or archives."""

    path: KeyPath
    """The place of the step in the case."""
    subject: str
    """The role of the file."""
    file: str
    names: tuple[InvariantName, ...]


def invariants(
    resolved: ResolvedStep, linked: tuple[str, ...], roles: Mapping[str, str], lifted: LiftedInvariants
) -> Iterator[InvariantGroup]:
    """The invariants of what a step makes. `linked`: the roles that rustc links, in its order.

    Of several outputs with one file name, only the last is left.
    """
    found = {
        roles[role]: role
        for role in sorted(
            _made(resolved, roles), key=lambda role: linked.index(role) if role in linked else -1
        )
        if role in roles
    }
    for file, role in found.items():
        names = tuple(name for name in OF_KIND[role.rpartition(".")[2]] if name not in lifted)
        if names:
            yield InvariantGroup(resolved.path, role, file, names)


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
