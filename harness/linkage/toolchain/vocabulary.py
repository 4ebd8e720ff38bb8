"""What some rustc knows, so that what a toolchain lacks can be told from what is misspelt.

`vocabulary.json` has the flags and targets of the compilers that it lists; `ci/vocabulary.py` writes it.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from linkage.toolchain.model import CRATE_TYPES, Toolchain
from linkage.toolchain.platform import OBJECT_FORMATS, PLATFORM, object_format

LINKERS = ("bfd", "gold", "lld", "mold", "wild")
"""Linkers that `-fuse-ld=` can choose."""
SANITIZERS = {
    "asan": "address",
    "lsan": "leak",
    "msan": "memory",
    "tsan": "thread",
    "hwasan": "hwaddress",
    "dfsan": "dataflow",
    "rtsan": "realtime",
    "safestack": "safestack",
}
"""Sanitizers by the name of their runtime."""

Vocabulary = Mapping[str, frozenset[str]]
"""Words by the key of the requirement that they fit; a flag starts with `-Z` or `-C`."""

FIXED: Vocabulary = {
    "crate-type": frozenset({*CRATE_TYPES, "lib"}),
    "linker": frozenset({*LINKERS, "cc"}),
    "object-format": frozenset(OBJECT_FORMATS),
    "sanitizer": frozenset(SANITIZERS.values()),
}
"""Words that do not depend on the compiler."""


@cache
def recorded() -> Vocabulary:
    """The words of the compilers that were asked once and for all."""
    text = files("linkage.toolchain").joinpath("vocabulary.json").read_text(encoding="utf-8")
    data = json.loads(text)
    platforms = [platform.split(" ") for platform in data["targets"].values()]
    return {
        **FIXED,
        "flag": _flags(data["unstable-flags"], data["codegen-flags"]),
        "target": frozenset(data["targets"]),
        "codegen-backend": frozenset({"llvm", "cranelift", "gcc"}),
        **{
            key: frozenset(column) - {""}
            for key, column in zip(("os", "arch", "libc"), zip(*platforms, strict=True), strict=True)
        },
    }


@cache
def platforms() -> Mapping[str, Mapping[str, str]]:
    """The platform of each target of those compilers, as conditions name it."""
    text = files("linkage.toolchain").joinpath("vocabulary.json").read_text(encoding="utf-8")
    found: dict[str, Mapping[str, str]] = {}
    for triple, platform in json.loads(text)["targets"].items():
        os, arch, libc = platform.split(" ")
        found[triple] = dict(zip(PLATFORM, (object_format(os, arch), os, arch, libc), strict=True))
    return found


@cache
def platform_words(key: str) -> frozenset[str]:
    """What targets have for a key of a condition; the empty text is none of them."""
    return frozenset(platform[key] for platform in platforms().values()) - {""}


def vocabulary(toolchains: Iterable[Toolchain]) -> Vocabulary:
    """The recorded words, and those of these toolchains."""
    found = {key: set(words) for key, words in recorded().items()}
    for toolchain in toolchains:
        can = toolchain.capabilities
        found["flag"] |= _flags(can.unstable_flags, can.codegen_flags)
        found["codegen-backend"] |= can.backends
        for target in can.targets:
            found["target"].add(target.triple)
            for key in ("os", "arch", "libc"):
                found[key] |= {getattr(target, key)} - {""}
    return {key: frozenset(words) for key, words in found.items()}


def _flags(unstable: Iterable[str], codegen: Iterable[str]) -> frozenset[str]:
    return frozenset({*(f"-Z{flag}" for flag in unstable), *(f"-C{flag}" for flag in codegen)})
