"""What a variant needs for targets other than the host: linkers, C compilers and runners. Pure."""

from collections.abc import Iterable, Iterator

from linkage.case.output_kinds import LINK_KINDS
from linkage.case.resolution import ResolvedStep, flat
from linkage.case.steps import CcStep, CxxStep, LinkOnlyStep, RunStep, RustcStep
from linkage.toolchain.model import Toolchain
from linkage.toolchain.recipes import CC, CXX, LINK, LINK_BARE, RUN

_CHOOSES = ("-Clinker=", "linker=", "-Zlink-self-contained")
_NOT_LINKED = {"rlib", "staticlib"}


def chooses_linker(flags: Iterable[str]) -> bool:
    """Whether flags of rustc name a linker."""
    return any(flag.startswith(_CHOOSES) for flag in flags)


def foreign_needs(
    steps: Iterable[ResolvedStep], toolchain: Toolchain, *, by_other: bool = False
) -> Iterator[tuple[str, str]]:
    """What each step of a toolchain needs that the host's own tools are not enough for: what it is, and the
    target. `by_other`: of the steps with `toolchain: other`, and not of the rest.
    """
    for resolved in flat(steps):
        if resolved.step.by_other is not by_other:
            continue
        triple = resolved.target
        if triple is None or _is_native(triple, toolchain):
            continue
        match resolved.step:
            case RustcStep(no_link=False) as step if step.rustc is not None:
                linked = set(resolved.roles) & LINK_KINDS - _NOT_LINKED
                if linked and not chooses_linker(step.flags):
                    yield (LINK_BARE if resolved.bare else LINK), triple
            case LinkOnlyStep() as step if not chooses_linker(step.flags):
                yield (LINK_BARE if resolved.bare else LINK), triple
            case CxxStep():
                yield CXX, triple
            case CcStep():
                yield CC, triple
            case RunStep(runner=()):
                yield RUN, triple


def _is_native(triple: str, toolchain: Toolchain) -> bool:
    """Whether the host runs the target's programs itself, and its C compiler links them."""
    target, host = toolchain.target(triple), toolchain.target()
    if triple == toolchain.host or target is None or host is None:
        return triple == toolchain.host
    return (target.os, target.arch) == (host.os, host.arch)
