"""Checks that the packages that linkage depends on are installed and new enough, before they are imported.

What is needed is read from linkage's own installed metadata. A checkout that is used through PYTHONPATH
has none, so nothing is checked there. This module imports none of the packages, except `packaging`, and
that only if the cheap check finds something.
"""

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from linkage.errors import LinkageError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISTRIBUTION = "rustc-linkage"
"""The name under which this package is installed."""

_MODULES = {"pyyaml": "yaml", "pytest-xdist": "xdist"}
"""Distributions whose module has another name."""


@dataclass(frozen=True, slots=True)
class _Unmet:
    name: str
    needed: str
    """A requirement as pip takes it, such as `pydantic>=2.10`."""
    found: str | None
    """The installed version; None if there is none."""
    by: str

    def __str__(self) -> str:
        found = f"{self.name} {self.found} is installed" if self.found else f"{self.name} is not installed"
        return f"{found}, but {self.by} needs {self.needed}"


def check_dependencies() -> None:
    """Raise LinkageError with one line if a package that linkage depends on is missing or too old."""
    if not _surely_met():
        _raise_if_any(_unmet(deep=False))


def explain_import_error() -> None:
    """After an import failed: raise LinkageError if a missing or old package, at any depth, explains it."""
    _raise_if_any(_unmet(deep=True))


def _raise_if_any(found: Iterable[_Unmet]) -> None:
    unmet = list(dict.fromkeys(found))
    if unmet:
        raise LinkageError("; ".join(map(str, unmet)), help=_install(one.needed for one in unmet))


def _install(needed: Iterable[str]) -> str:
    if find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install"]
    else:
        command = ["uv", "pip", "install", "--python", sys.executable]
    return shlex.join([*command, *needed])


def _surely_met() -> bool:
    """Whether the names of the metadata folders show that everything needed is there.

    That takes 1 ms; importing importlib.metadata and packaging takes 30. False if it is not certain.
    """
    installed = _metadata_folders()
    own = installed.get(DISTRIBUTION)
    if own is None:
        return False
    try:
        text = (own / "METADATA").read_text(encoding="utf-8")
    except OSError:
        return False
    return all(_surely(line, installed) for line in _requires(text))


def _requires(metadata: str) -> Iterator[str]:
    """What the metadata requires without any extra."""
    head, _, _ = metadata.partition("\n\n")
    for line in head.splitlines():
        key, _, value = line.partition(": ")
        if key == "Requires-Dist" and "extra ==" not in value:
            yield value


def _surely(requirement: str, installed: dict[str, Path]) -> bool:
    """Whether `NAME>=RELEASE` is met by a final release; anything else is for `packaging` to compare."""
    name, at_least, needed = requirement.partition(">=")
    folder = installed.get(_normal(name))
    if not at_least or folder is None:
        return False
    found = folder.name.removesuffix(".dist-info").partition("-")[2]
    return _is_release(needed) and _is_release(found) and _numbers(found) >= _numbers(needed)


def _is_release(version: str) -> bool:
    return all(number.isdecimal() for number in version.split("."))


def _metadata_folders() -> dict[str, Path]:
    """The `.dist-info` folder of each distribution, the one that Python finds first."""
    found: dict[str, Path] = {}
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - a Path for each name takes ten times as long
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                found.setdefault(_normal(name.partition("-")[0]), Path(place, name))
    return found


def _normal(name: str) -> str:
    return name.strip().replace("_", "-").replace(".", "-").lower()


def _numbers(version: str) -> tuple[int, ...]:
    """A release to compare: 5.0 is 5.0.0."""
    numbers = [int(number) for number in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _unmet(*, deep: bool) -> Iterator[_Unmet]:
    """What is missing or too old; with `deep`, also what the packages need that linkage depends on."""
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415 - it may be what is missing
    except ImportError:
        yield _Unmet("packaging", "packaging", None, "pytest")
        yield from _missing_by_name()
        return
    asked = [(DISTRIBUTION, "")]
    for by, extra in asked:
        for requirement in map(Requirement, _required_by(by)):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            if unmet := _compare(requirement, by):
                yield unmet
            if deep:
                new = [(_normal(requirement.name), one) for one in ("", *sorted(requirement.extras))]
                asked += [one for one in new if one not in asked]


def _compare(requirement: "Requirement", by: str) -> _Unmet | None:
    found = _version(requirement.name)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    unmet = _Unmet(requirement.name, f"{requirement.name}{extras}{requirement.specifier}", found, by)
    if found is None:
        return None if _has_module(requirement.name) else unmet
    return None if requirement.specifier.contains(found, prereleases=True) else unmet


def _missing_by_name() -> Iterator[_Unmet]:
    for requirement in _required_by(DISTRIBUTION):
        name = requirement.partition(">=")[0]
        if ";" not in requirement and _version(name) is None and not _has_module(name):
            yield _Unmet(name, requirement, None, DISTRIBUTION)


def _required_by(name: str) -> list[str]:
    from importlib.metadata import PackageNotFoundError, requires  # noqa: PLC0415 - slow to import

    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - as above

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _has_module(name: str) -> bool:
    """Whether the distribution's module is there, although its version is unknown."""
    spec = find_spec(_MODULES.get(_normal(name), _normal(name).replace("-", "_")))
    return spec is not None and spec.origin is not None
