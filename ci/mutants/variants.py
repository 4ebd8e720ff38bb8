"""The variants of the cases on one compiler, and what a fault changes in their plans. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import log
from pathlib import Path
from types import MappingProxyType

from linkage.case.case import Case
from linkage.case.claims import Names
from linkage.case.document import KeyPath
from linkage.case.steps import EXPECTATIONS, LinkOnlyStep, ProcessStep
from linkage.plan.plan import Plan, PlannedStep, Variant
from linkage.plan.template import Template
from linkage.run.session import Session
from linkage.toolchain import Toolchain
from mutants.faults.call import Call
from mutants.faults.fault import Fault
from mutants.faults.rustc_cache import ASKED

_EQUAL: Mapping[str, float] = MappingProxyType({})
_FEW = 2
_ALONE = {ASKED: Template.of("1")}


@dataclass(frozen=True)
class PlannedVariant:
    """A variant that can run here, with its plan."""

    variant: Variant
    id: str
    plan: Plan

    @property
    def case(self) -> Case:
        return self.variant.case

    @cached_property
    def calls(self) -> dict[KeyPath, tuple[Call, bool, frozenset[str]]]:
        """The command line of rustc at each step, whether it is expected to fail, and the claims there."""
        found: dict[KeyPath, tuple[Call, bool, frozenset[str]]] = {}
        types: dict[str, tuple[str, ...]] = {}
        for step in self.plan.flat():
            if step.command is None or step.command.program != "rustc":
                continue
            first = types.get(step.model.link_only, ()) if isinstance(step.model, LinkOnlyStep) else ()
            call = Call.of([str(word) for word in step.command.argv[1:] if isinstance(word, Template)], first)
            types[step.id] = call.crate_types
            found[step.path] = call, _is_refused(step), claimed_at(step)
        return found

    @cached_property
    def claimed(self) -> frozenset[str]:
        """The keys of all claims of the variant."""
        ends = (key for group in self.plan.end for key in group_keys(group.claims))
        return frozenset(ends).union(*(claimed_at(step) for step in self.plan.flat()))

    def affected(self, fault: Fault) -> frozenset[KeyPath]:
        """The steps at which the fault shows."""
        return frozenset(
            path
            for path, (call, refused, _) in self.calls.items()
            if _shows(fault, refused) and fault.applies(call)
        )

    def promise(self, fault: Fault, rarity: Mapping[str, float] = _EQUAL) -> float:
        """How likely the variant is to detect the fault: by the claims at these steps, and by all.

        A claim that few variants have counts for more: every step has an exit status, and few state what
        the linker is told.
        """
        affected = self.affected(fault)
        at = frozenset[str]().union(*(self.calls[path][2] for path in affected))
        found = sum(rarity.get(key, 1) * (3 * (key in at) + (key in self.claimed)) for key in fault.breaks)
        # What is wrong with an output shows in the steps that use it.
        ends = "exit" in fault.breaks or "stdout" in fault.breaks
        return found + (self._used(affected) if ends else 0)

    def _used(self, affected: frozenset[KeyPath]) -> int:
        """How many processes run after the first of these steps, up to a few."""
        paths = [step.path for step in self.plan.flat() if step.command is not None]
        first = next((at for at, path in enumerate(paths) if path in affected), len(paths))
        return min(_FEW, len(paths[first + 1 :]))


def rarity(cells: Sequence[PlannedVariant]) -> dict[str, float]:
    """How much each key of a claim says, from how many variants have it: 0 for one that all have."""
    count = Counter(key for cell in cells for key in cell.claimed)
    return {key: log(len(cells) / number) for key, number in count.items()}


def _is_refused(step: PlannedStep) -> bool:
    return isinstance(step.model, ProcessStep) and step.model.exit not in (0, "any")


def _shows(fault: Fault, refused: bool) -> bool:  # noqa: FBT001 - one of two columns of a table
    if fault.on == "failure":
        return refused
    # A flag that is ignored may also turn an expected error into a success.
    return not refused or fault.argv is not None


def claimed_at(step: PlannedStep) -> frozenset[str]:
    """The keys of the claims at a step; its exit status is always one of them."""
    process = {"exit"} if isinstance(step.model, ProcessStep) else set()
    for key in EXPECTATIONS:
        claim = getattr(step.model, key, None)
        if claim:
            process |= {key.replace("_", "-"), *_parts(key.replace("_", "-"), claim)}
    return frozenset(process).union(*(group_keys(group.claims) for group in step.claims))


def group_keys(claims: object) -> frozenset[str]:
    """The keys of claims about an artifact: `exports`, and its parts, `exports.only`."""
    fields = [name for name in getattr(claims, "model_fields_set", ()) if name != "when"]
    named = {name: name.rstrip("_").replace("_", "-") for name in fields}
    parts = (part for name, key in named.items() for part in _parts(key, getattr(claims, name)))
    return frozenset({*named.values(), *parts})


def _parts(key: str, claim: object) -> list[str]:
    return [f"{key}.{part}" for part in claim.model_fields_set] if isinstance(claim, Names) else []


def cells(cases: Sequence[Case], toolchain: Toolchain, session: Session) -> Iterator[PlannedVariant]:
    """The variants of these cases that this compiler and this machine can run."""
    for case in cases:
        for row, id_ in zip(case.rows, case.ids, strict=True):
            planned = session.planned(Variant(case, row, toolchain))
            if not isinstance(planned, str):
                # Its variant's toolchain was asked about the targets, too.
                yield PlannedVariant(planned.variant, id_, planned)


def faulted(planned: Plan, steps: frozenset[KeyPath], wrapper: Path) -> Plan:
    """The plan with the wrapper instead of rustc at these steps; the others share outputs of the real one."""
    return replace(planned, steps=tuple(_faulted(step, steps, wrapper) for step in planned.steps))


def _faulted(
    step: PlannedStep, steps: frozenset[KeyPath], wrapper: Path, env: Mapping[str, Template] = _ALONE
) -> PlannedStep:
    parts = tuple(_faulted(part, steps, wrapper, {}) for part in step.parallel)
    if step.path not in steps or step.command is None:
        return replace(step, parallel=parts)
    argv, env = (Template.of(str(wrapper)), *step.command.argv[1:]), {**step.command.env, **env}
    return replace(step, command=replace(step.command, argv=argv, env=env), parallel=parts)
