"""Roles: the names of artifacts in a case, and where a step refers to them."""

from collections.abc import Collection, Iterator

from linkage.case import claims, steps
from linkage.case.document import KeyPath
from linkage.case.output_kinds import LINK_KINDS, ROLE_KINDS, SIDES
from linkage.case.steps import RoleReference


def is_role(text: str, ids: Collection[str]) -> bool:
    """Whether a text means a role (`lib.staticlib`) and not a file."""
    owner, dot, kind = text.rpartition(".")
    return (
        bool(dot)
        and kind in ROLE_KINDS
        and "/" not in text
        and (owner in ids or kind in LINK_KINDS - {"rlib", "bin"})
    )


def is_side(role: str) -> bool:
    """Whether a role is that of a file beside an output, which only some targets have."""
    return role.rpartition(".")[2] in SIDES


def role_references(step: steps.Step) -> Iterator[RoleReference]:
    """Everything in a step that may be a role."""
    yield from step.may_be_roles()
    yield from claim_references(step.claims, ("claims",))


def claim_references(found: claims.ClaimMap, path: KeyPath) -> Iterator[RoleReference]:
    """The subjects of claims; what the claims compare with is looked up when they are judged."""
    for subject in found:
        yield RoleReference(subject, (*path, subject), optional=True)
