"""Demangling: Rust's legacy and v0 schemes, and C++.

Schemes: rustc book, chapter "Symbol Mangling" (v0: RFC 2603); the legacy scheme is documented by
rustc_symbol_mangling's `legacy.rs`; C++: the Itanium C++ ABI, chapter "External Names". The work
is done by multi-demangle, which wraps the crates rustc-demangle and cpp_demangle.
"""

import re
from functools import cache, lru_cache
from typing import Protocol

# Mach-O adds one more underscore before every name.
_MANGLED = re.compile(r"_{1,2}(?:Z|R[A-Z])")
_LEGACY = re.compile(r"(_{1,2}ZN.+)17h([0-9a-f]{16})E(?:\.|$)", re.DOTALL)


class _Library(Protocol):
    def __call__(self, mangled: str, /, *, language: str | None = None) -> str: ...


def demangle(name: str) -> str:
    """The whole readable name: a legacy name keeps its hash, every name its suffix (`.llvm.123`).

    A name that is not mangled, or by an unknown scheme, is returned as it is.
    """
    base, suffix = _split(name)
    path = _path(base)
    if path is None:
        return name
    legacy = _LEGACY.match(base)
    return path + (f"::h{legacy[2]}" if legacy else "") + suffix


def demangled_path(name: str) -> str:
    """The path alone, `std::io::stdio::_print`: no hash, no crate disambiguator, no suffix."""
    base, _ = _split(name)
    path = _path(base)
    return name if path is None else path


def _split(name: str) -> tuple[str, str]:
    """A mangled name and what LLVM or GCC appended to it: `.llvm.123`, `.cold`, `.0`."""
    legacy = _LEGACY.match(name)
    # A legacy path spells `..` for `::`, so that only a dot after its end begins a suffix.
    end = legacy.end(2) + 1 if legacy else name.find(".")
    return (name, "") if end < 0 or not _MANGLED.match(name) else (name[:end], name[end:])


@lru_cache(maxsize=1 << 16)
def _path(name: str) -> str | None:
    if not _MANGLED.match(name):
        return None
    rust = _LEGACY.match(name) or "R" in name[1:3]
    try:
        path = _library()(name, language="rust" if rust else "cpp")
    except UnicodeEncodeError:
        return None  # a lone surrogate: no compiler wrote that
    return None if path == name else path


@cache
def _library() -> _Library:
    """Imported when the first name is demangled: not every run does."""
    from multi_demangle import demangle_symbol  # noqa: PLC0415

    found: _Library = demangle_symbol
    return found
