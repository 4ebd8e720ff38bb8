"""Roles: the names of artifacts in a case, and where a step refers to them."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from linkage.case import claims, steps
from linkage.case.document import KeyPath

EMIT_KINDS = {
    "asm": "asm", "llvm-bc": "llvm-bc", "llvm-ir": "llvm-ir", "obj": "obj", "metadata": "rmeta", "mir": "mir",
    "dep-info": "dep-info", "thin-link-bitcode": "thin-link-bitcode",
}  # fmt: skip
"""rustc's emit kinds (except `link`) and the roles of their files."""

LINK_KINDS = frozenset(kind.value for kind in steps.CrateType) - {"lib"}
ROLE_KINDS = LINK_KINDS | set(EMIT_KINDS.values()) | {"rlink", "shared"}


class RoleReference(NamedTuple):
    """A text that may be a role; an optional one need not exist in every variant."""

    text: str
    path: KeyPath
    optional: bool = False


def is_role(text: str, ids: Collection[str]) -> bool:
    """Whether a text means a role (`lib.staticlib`) and not a file."""
    owner, dot, kind = text.rpartition(".")
    return (
        bool(dot)
        and kind in ROLE_KINDS
        and "/" not in text
        and (owner in ids or kind in LINK_KINDS - {"rlib", "bin"})
    )


def role_references(step: steps.Step) -> Iterator[RoleReference]:  # noqa: C901 - one case for each kind of step
    """Everything in a step that may be a role."""
    match step:
        case steps.RustcStep():
            yield from (
                RoleReference(value, ("extern", name)) for name, value in step.extern.items() if value
            )
            yield from _each(step.flags, "flags")
        case steps.RunStep():
            yield RoleReference(step.run, ("run",))
            yield from _each(step.args, "args")
        case steps.CcStep():
            yield from _each(step.link_with, "link-with")
        case steps.ArStep():
            yield RoleReference(step.ar, ("ar",))
            yield from _each(step.members, "members")
        case steps.ToolStep():
            yield from _each(step.args, "args")
        case steps.RemoveStep():
            yield from _each(step.remove, "remove")
        case steps.CleanStep():
            yield from _each(step.keep, "keep")
        case _:
            for action in ("write", "truncate", "rename", "copy_", "chmod"):
                if hasattr(step, action):
                    yield RoleReference(getattr(step, action), (action.strip("_"),))
            if isinstance(step, steps.SymlinkStep):
                yield RoleReference(step.to, ("to",))
    if isinstance(step, steps.RustcOptions):
        yield from (
            RoleReference(link.output, ("link", i, "output"), optional=True)
            for i, link in enumerate(step.link)
            if link.output
        )
    yield from claim_references(step.claims, ("claims",))


def _each(texts: Iterable[str], key: str) -> Iterator[RoleReference]:
    return (RoleReference(text, (key, index)) for index, text in enumerate(texts))


def claim_references(found: claims.ClaimMap, path: KeyPath) -> Iterator[RoleReference]:
    """The subjects of claims; what the claims compare with is looked up when they are judged."""
    for subject in found:
        yield RoleReference(subject, (*path, subject), optional=True)
