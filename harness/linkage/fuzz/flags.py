"""The flags that a generated crate can be built with: a table of flags, each with its values. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One flag."""

    values: tuple[str, ...]
    """The values that are drawn; without the flag, rustc's default."""
    key: str = ""
    """The key of a `rustc` step that sets it."""
    word: str = ""
    """What rustc's command line has if there is no key for it; `VALUE` is the value. Also what the second
    half gets.
    """
    percent: int = 20
    """How often it is drawn."""
    links: bool = False
    """Whether it is about linking, too, so that the second of two halves is told again."""


FLAGS: dict[str, FlagRow] = {
    "lto": FlagRow(("off", "thin", "fat", "fat"), "lto", "-Clto=VALUE", 35, links=True),
    "dylib-lto": FlagRow(("true",), "dylib-lto", "-Zdylib-lto", 0, links=True),
    "prefer-dynamic": FlagRow(("true",), "prefer-dynamic", "-Cprefer-dynamic", 30, links=True),
    "codegen-units": FlagRow(("1", "4"), "codegen-units", "-Ccodegen-units=VALUE"),
    "opt-level": FlagRow(("1", "2", "3", "s"), "opt-level", "-Copt-level=VALUE", 30),
    "debuginfo": FlagRow(("1", "2"), "debuginfo", "-Cdebuginfo=VALUE", 15, links=True),
    "strip": FlagRow(("debuginfo", "symbols"), "strip", "-Cstrip=VALUE", 12, links=True),
    "linker": FlagRow(("bfd", "lld"), "linker", "-Clink-arg=-fuse-ld=VALUE", 12, links=True),
    "embed-bitcode": FlagRow(("no",), word="-Cembed-bitcode=VALUE", percent=8),
    "mangling": FlagRow(("v0",), word="-Csymbol-mangling-version=VALUE", percent=12),
    "share-generics": FlagRow(("yes", "no"), word="-Zshare-generics=VALUE", percent=12),
    "dead-code": FlagRow(("yes",), word="-Clink-dead-code=VALUE", percent=6, links=True),
    "incremental": FlagRow(("inc",), word="-Cincremental=VALUE", percent=10),
    "emit": FlagRow(("obj", "asm"), percent=12),
    "undefined-version": FlagRow(
        ("no",), word="-Clink-arg=-Wl,--no-undefined-version", percent=6, links=True
    ),
    "export-executable": FlagRow(("yes",), word="-Zexport-executable-symbols", percent=0, links=True),
}
"""Each flag by its name. `emit` adds an output beside the linked one. `dylib-lto` and `export-executable` are
drawn where they say something: see generation.
"""
