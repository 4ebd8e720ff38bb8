"""What a variant needs from its toolchain and machine, and what is missing. Pure.

A variant is skipped if a capability is missing, which the reason names; nothing is assumed of a toolchain.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from linkage.case.base import suggest
from linkage.case.check.requirements import CHECK_SPELLING, spelled_flag
from linkage.case.mini_core import RANGE
from linkage.case.model import Requirement
from linkage.case.resolution import TrackedRow, flat, resolve
from linkage.case.steps import RustcStep, every_step
from linkage.errors import CaseError
from linkage.plan.plan import Plan, PlannedStep, Variant
from linkage.toolchain.machine import Machine
from linkage.toolchain.model import Toolchain
from linkage.toolchain.version import VersionRange
from linkage.toolchain.vocabulary import Vocabulary

HasProgram = Callable[[str, Sequence[Path]], bool]
"""Whether a program of this name is in one of these folders or on PATH."""

_MINI_CORE = VersionRange.parse(RANGE)
_PLATFORM = {
    "os": "operating system",
    "arch": "architecture",
    "libc": "libc",
    "object_format": "object format",
}
_FLAG = re.compile(r"-Z\s*([\w-]+)")


def in_range(variant: Variant) -> bool:
    """Whether the case is about the variant's compiler, and about the other one if it has one."""
    return _outside_range(variant) is None


def _outside_range(variant: Variant) -> str | None:
    model = variant.case.model
    about = [(model.toolchains, variant.toolchain, "the case is about {}, this is {}")]
    if variant.other is not None:
        text = f"the case is about {{}} as the other toolchain, {variant.other.name} is {{}}"
        about.append((model.other_toolchains, variant.other, text))
    for limit, toolchain, why in about:
        if limit is not None and not VersionRange.parse(limit).contains(toolchain.version):
            return why.format(limit, toolchain.version)
    return None


def missing_before_plan(variant: Variant, machine: Machine, has_program: HasProgram) -> str | None:
    """The first capability that the case requires and that is missing, in words."""
    model, toolchain = variant.case.model, variant.toolchain
    outside = _outside_range(variant)
    if outside is not None:
        return outside
    mini = model.mini_core
    if mini is not None and mini.used_in(variant.cell) and not _MINI_CORE.contains(toolchain.version):
        return f"the crates of mini-core are for compilers {RANGE}, this is {toolchain.version}"
    target = variant.target
    for one in variant.toolchains:
        if target is not None and (known := one.target(target)) is not None and not known.known:
            return f"{one.name} does not know the target {target}"
        absent = [triple for triple, bare in absent_targets(variant, one).items() if not bare]
        if absent:
            return f"{one.name} has no std for {absent[0]}"
    linker = variant.row.get("linker")
    if linker not in (None, "default") and not _has_linker(str(linker), toolchain, machine):
        return f"this machine has no linker {linker}"
    for requirement in model.requires:
        if requirement.when is None or requirement.when.holds(variant.cell):
            asked = variant.other if requirement.of is not None and variant.other is not None else toolchain
            lacking = _lacking(requirement, asked, target, machine, has_program)
            if lacking is not None:
                return lacking
    return None


def absent_targets(variant: Variant, toolchain: Toolchain) -> dict[str, bool]:
    """The targets for which one of the variant's toolchains lacks a library that its steps may need, each
    with whether no crate for it needs one.

    Such a crate is `#![no_core]`: it needs only a compiler that knows the target. A crate that is not
    `#![no_std]` needs std, which some targets do not have, unless it is to fail.
    """
    triples = {
        one.target for one, _ in every_step(variant.case.model.steps, ()) if isinstance(one, RustcStep)
    }
    if triples <= {None} and variant.target is None:
        return {}
    found: dict[str, bool] = {}
    if variant.target is not None and toolchain.target(variant.target) is None:
        found[variant.target] = True
    for step in flat(resolve(variant.case, TrackedRow(variant.cell, set()))):
        triple = step.axes.get("target")
        if triple is None or not isinstance(step.step, RustcStep) or step.step.rustc is None:
            continue
        if variant.toolchain_of(step.step) is not toolchain:
            continue
        target = toolchain.target(str(triple))
        if target is None or not target.has_core:
            found[str(triple)] = found.get(str(triple), True) and step.attributes.no_core
        elif not (target.has_std or step.attributes.no_std or step.attributes.no_core or step.step.exit):
            found[str(triple)] = False
    return found


def missing_after_plan(plan: Plan, known: Vocabulary, *, bootstrap: bool) -> str | None:
    """The first capability that the commands need and that is missing, in words.

    Raises CaseError for a flag that no known compiler has.
    """
    for toolchain in plan.variant.toolchains:
        if plan.unstable and toolchain.needs_bootstrap and not bootstrap:
            return (
                f"{toolchain.name} needs RUSTC_BOOTSTRAP=1 for unstable flags, which --no-bootstrap forbids"
            )
    lacking = [
        (step, flag)
        for step, flag in _unstable_flags(plan)
        if not step.toolchain.has_unstable(flag) and flag != "help"
    ]
    for step, flag in lacking:
        if (spelled := spelled_flag(f"-Z{flag}")) not in known["flag"]:
            where = plan.variant.case.position(step.path)
            help = suggest(spelled, sorted(known["flag"]), CHECK_SPELLING)
            raise CaseError(f"no known rustc has `{spelled}`", where=where, help=help)
    return f"{lacking[0][0].toolchain.name} has no -Z{lacking[0][1]}" if lacking else None


def _unstable_flags(plan: Plan) -> Iterator[tuple[PlannedStep, str]]:
    for step in plan.flat():
        if step.command is not None and step.command.program == "rustc":
            words = " ".join(map(str, step.command.argv))
            yield from ((step, flag) for flag in _FLAG.findall(words))


def _lacking(
    requirement: Requirement,
    toolchain: Toolchain,
    target: str | None,
    machine: Machine,
    has_program: HasProgram,
) -> str | None:
    where = f" for {target}" if target else ""
    checks: Mapping[str, tuple[object, Callable[[str], bool], str]] = {
        "dynamic-std": (requirement.dynamic_std, lambda _: toolchain.dynamic_std(target), "a dynamic std"),
        "profiler-runtime": (
            requirement.profiler_runtime,
            lambda _: toolchain.profiler(target),
            "a profiler runtime",
        ),
        "std-bitcode": (
            requirement.std_bitcode,
            lambda _: toolchain.std_bitcode(target),
            "bitcode in its std",
        ),
        "toolchain": (
            requirement.toolchain,
            lambda text: VersionRange.parse(text).contains(toolchain.version),
            "a version in {}",
        ),
        "target": (requirement.target, lambda name: toolchain.target(name) is not None, "a std for {}"),
        "flag": (requirement.flag, lambda flag: _has_flag(toolchain, flag), "{}"),
        "sanitizer": (
            requirement.sanitizer,
            lambda name: toolchain.has_sanitizer(name, target),
            "the {} sanitizer's runtime",
        ),
        "crate-type": (
            requirement.crate_type,
            lambda kind: toolchain.supports_crate_type(kind, target),
            "the crate type {}",
        ),
        "codegen-backend": (requirement.codegen_backend, toolchain.has_backend, "the codegen backend {}"),
    }
    for value, has, name in checks.values():
        if value is not None and not has(str(value)):
            return f"{toolchain.name} lacks {name.format(value)}{where}"
    if requirement.native and target not in (None, toolchain.host):
        return f"the case uses tools of the host, and {target} is another target"
    found = toolchain.target(target)
    for key, name in _PLATFORM.items():
        value = getattr(requirement, key)
        actual = getattr(found, key, "")
        if value and actual not in value:
            of = f"the {name} of {target or toolchain.host}"
            return f"{of} is {actual or 'none'}, not {' or '.join(value)}"
    if requirement.linker is not None and not _has_linker(requirement.linker, toolchain, machine):
        return f"this machine has no linker {requirement.linker}"
    if requirement.tool is not None and not has_program(requirement.tool, _tool_folders(toolchain, target)):
        return f"this machine has no {requirement.tool}"
    return None


def _has_linker(linker: str, toolchain: Toolchain, machine: Machine) -> bool:
    return machine.has_linker(linker) or toolchain.brings_linker(linker)


def _tool_folders(toolchain: Toolchain, target: str | None) -> list[Path]:
    """The folders of the toolchain's own programs, in which a `tool` step finds them."""
    found = toolchain.target(target)
    return [toolchain.sysroot / "bin", *([found.libdir.parent / "bin"] if found else [])]


def _has_flag(toolchain: Toolchain, flag: str) -> bool:
    name = flag[2:].partition("=")[0]
    known = toolchain.has_unstable if flag.startswith("-Z") else toolchain.has_codegen
    return known(name)
