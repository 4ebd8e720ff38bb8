"""Packages as an archive describes them: the compilers that it offers, and what each needs to run.

The fields are those of https://www.debian.org/doc/debian-policy/ch-controlfields.html.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

COMPILERS = ("rustc", "rustc-web", "rustc-mozilla")
_UPSTREAM = re.compile(r"(?:\d+:)?(\d+\.\d+\.\d+)(?:~(beta\.\d+))?(?![\d.])", re.ASCII)
_REBUILT = re.compile(r"\+b\d+$", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*", re.ASCII)
_OF_RUST = ("rustc", "libstd-rust")


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one package. Sizes are in bytes: of the file, and unpacked."""

    name: str
    version: str
    section: str
    depends: tuple[tuple[str, ...], ...]
    """Each a list of alternatives."""
    provides: tuple[str, ...]
    size: int
    unpacked: int

    @property
    def is_library(self) -> bool:
        """Whether a program loads it, rather than starts it or compiles against it."""
        return self.section.rpartition("/")[2] in ("libs", "oldlibs")


@dataclass(frozen=True, slots=True)
class Offer:
    """A compiler that a suite of the archive has."""

    package: str
    version: str
    suite: str

    @property
    def release(self) -> str:
        """The release of rustc, as `1.63.0` or `1.99.0-beta.3`; empty if the version has none."""
        return release_of(self.version) or ""


def release_of(version: str) -> str | None:
    """The release of rustc in a package's version: `1.63.0` of `1.63.0+dfsg1-2`."""
    found = _UPSTREAM.match(version)
    return found and "-".join(part for part in found.groups() if part)


def source_version(version: str) -> str:
    """The version of what a package was built from, of a binary-only rebuild: `1.96.0-1` of `1.96.0-1+b2`."""
    return _REBUILT.sub("", version)


def folder_name(package: str, release: str) -> str:
    """The name of a compiler's folder: its release, and the flavour of its package."""
    return release + package.removeprefix("rustc")


def newest_first(release: str, package: str) -> tuple[tuple[int, ...], int]:
    """A key for sorting: newer releases first, a plain `rustc` before its flavours."""
    number, _, beta = release.partition("-beta.")
    parts = (*map(int, number.split(".")), int(beta) if beta else 1 << 20)
    flavour = COMPILERS.index(package) if package in COMPILERS else len(COMPILERS)
    return tuple(-part for part in parts), flavour


def parse(text: str) -> list[Package]:
    """Read paragraphs of a Packages index, as `apt-cache show` prints them."""
    return [
        Package(
            name=fields["package"],
            version=fields["version"],
            section=fields.get("section", ""),
            depends=tuple(
                alternatives
                for field in ("pre-depends", "depends")
                for part in fields.get(field, "").split(",")
                if (alternatives := tuple(_names(part.split("|"))))
            ),
            provides=tuple(_names(fields.get("provides", "").split(","))),
            size=_number(fields.get("size")),
            unpacked=_number(fields.get("installed-size")) << 10,
        )
        for fields in paragraphs(text)
        if fields.get("package") and fields.get("version")
    ]


def paragraphs(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs of a control file: fields by their names in lower case, comments left out."""
    fields: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line[0] in " \t":
            if last:
                fields[last] += f"\n{line.strip()}"
        else:
            name, _, value = line.partition(":")
            last = name.strip().lower()
            fields[last] = value.strip()
    if fields:
        yield fields


def offers(madison: str, suite: str) -> list[Offer]:
    """The compilers of the suite among what `apt-cache madison` lists.

    A line is `package | version | address suite/component architecture Packages`.
    """
    found = []
    for line in madison.splitlines():
        package, _, rest = (part.strip() for part in line.partition("|"))
        version, _, source = (part.strip() for part in rest.partition("|"))
        words = source.split()
        if package in COMPILERS and suite in {word.rpartition("/")[0] for word in words[1:-1]}:
            found.append(Offer(package, version, suite))
    return [offer for offer in found if offer.release]


def needed(resolved: Iterable[Package], compiler: str) -> list[Package]:
    """Of all that apt would install, what the compiler loads: its own packages and libraries.

    The linker, which it starts, and the headers of the C library are the machine's.
    """
    by_name: dict[str, Package] = {}
    packages = list(resolved)
    for package in packages:
        by_name[package.name] = package
    for package in packages:
        for name in package.provides:
            by_name.setdefault(name, package)
    found: dict[str, Package] = {}
    waiting = [compiler]
    while waiting:
        package = by_name[waiting.pop()]
        if package.name in found:
            continue
        found[package.name] = package
        waiting += (name for name in _met(package.depends, by_name) if _counts(by_name[name]))
    return sorted(found.values(), key=lambda package: package.name)


def _met(depends: Sequence[tuple[str, ...]], by_name: dict[str, Package]) -> Iterator[str]:
    for alternatives in depends:
        yield from [name for name in alternatives if name in by_name][:1]


def _counts(package: Package) -> bool:
    return package.is_library or package.name.startswith(_OF_RUST)


def _names(parts: Iterable[str]) -> Iterator[str]:
    """Names without their versions and architectures: `libc6` of `libc6:any (>= 2.34)`."""
    return (found[0] for part in parts if (found := _NAME.match(part.strip())))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
