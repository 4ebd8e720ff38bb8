"""Compilers and platforms that a case's conditions tell apart: the checks see every form of the case."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from linkage.case.check.conditions import every_condition
from linkage.case.condition import COMPILER, OTHER_COMPILER
from linkage.case.model import CaseModel
from linkage.case.other_toolchain import uses_other
from linkage.toolchain.platform import PLATFORM
from linkage.toolchain.release import CYCLE, FIRST_RELEASE, Channel, RustcVersion
from linkage.toolchain.version import VersionRange
from linkage.toolchain.vocabulary import platforms

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MINORS = 200
"""Releases that are tried: enough for years to come."""


def built_by(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], model: CaseModel
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each cell with its name; if conditions name compilers, once for each that they distinguish."""
    conditions = [placed.condition for placed in every_condition(model)]
    named = tuple(dict.fromkeys(text for one in conditions for text in one.ranges()))
    others = tuple(dict.fromkeys(text for one in conditions for text in one.other_ranges()))
    cells: Iterable[tuple[Mapping[str, Any], str]] = zip(rows, names, strict=True)
    if named:
        cells = list(_each_compiler(cells, COMPILER, told_apart(named, model.toolchains)))
    if not others:
        yield from cells
        return
    compilers = told_apart(others, model.other_toolchains)
    for row, name in cells:
        if uses_other(model, row):
            yield from _each_compiler([(row, name)], OTHER_COMPILER, compilers)
        else:
            yield row, name


def _each_compiler(
    cells: Iterable[tuple[Mapping[str, Any], str]], key: str, compilers: Sequence[RustcVersion]
) -> Iterator[tuple[Mapping[str, Any], str]]:
    listed = list(cells)
    for compiler in compilers:
        for row, name in listed:
            yield {**row, key: compiler}, f"{name} with {compiler}".lstrip()


def built_for(
    cells: Iterable[tuple[Mapping[str, Any], str]], model: CaseModel
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each cell with its name; if conditions name platforms, once for each that its target may have."""
    keys = {key for placed in every_condition(model) for key in placed.condition.names()}
    named = tuple(key for key in PLATFORM if key in keys)
    if not named:
        yield from cells
        return
    for row, name in cells:
        target = row.get("target")
        target = target.get("name") if isinstance(target, Mapping) else target
        for platform in _platforms(named, target if isinstance(target, str) else None):
            shown = " ".join(filter(None, platform.values())) if target is None else ""
            yield {**row, **platform}, f"{name} for {shown}".lstrip() if shown else name


@lru_cache(maxsize=1024)
def _platforms(keys: tuple[str, ...], target: str | None) -> tuple[Mapping[str, str], ...]:
    """The platforms that a target has, as far as these keys tell them apart: of an unknown one, all."""
    known = platforms()
    meant = [known[target]] if target is not None and target in known else known.values()
    found = ({key: platform[key] for key in keys} for platform in meant)
    return tuple({tuple(one.values()): one for one in found}.values())


@lru_cache(maxsize=64)
def told_apart(ranges: tuple[str, ...], limit: str | None) -> tuple[RustcVersion, ...]:
    """One compiler for each combination of the ranges that a compiler within the limit can have."""
    parsed = [VersionRange.parse(text) for text in ranges]
    try:
        within = VersionRange.parse(limit or "*")
    except ValueError:  # reported where it stands
        within = VersionRange.parse("*")
    found: dict[tuple[bool, ...], RustcVersion] = {}
    days = {date.fromisoformat(day) for text in ranges for day in _DAY.findall(text)}
    for version in (*_compilers(), *_around(days)):
        if within.contains(version):
            found.setdefault(tuple(one.contains(version) for one in parsed), version)
    return tuple(found.values())


def has_compilers(text: str) -> bool:
    """Whether some compiler is in a range; the numbers of betas are not told apart."""
    versions = VersionRange.parse(text)
    days = [date.fromisoformat(day) for day in _DAY.findall(text)]
    return "beta" in text or any(versions.contains(version) for version in (*_around(days), *_compilers()))


def _around(days: Iterable[date]) -> Iterator[RustcVersion]:
    for day in days:
        for near in (day - timedelta(days=1), day, day + timedelta(days=1)):
            minor = max(0, (near - FIRST_RELEASE) // CYCLE + 2)
            yield RustcVersion((1, minor, 0), Channel.NIGHTLY, commit_date=near - timedelta(days=1))


@lru_cache(maxsize=1)
def _compilers() -> tuple[RustcVersion, ...]:
    """Every release with its points, and a nightly of each week."""
    found = []
    for minor in range(_MINORS):
        found += [RustcVersion((1, minor, patch)) for patch in range(3)]
        found += [RustcVersion((1, minor, 0), channel) for channel in (Channel.BETA, Channel.DEV)]
        first = FIRST_RELEASE + CYCLE * (minor - 2)
        found += [
            RustcVersion((1, minor, 0), Channel.NIGHTLY, commit_date=first + timedelta(days=day))
            for day in range(0, CYCLE.days, 7)
            if first + timedelta(days=day) > date.min
        ]
    return tuple(found)
