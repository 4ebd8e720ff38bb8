"""Symbol names without noise: demangled paths, the same for both mangling schemes. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache

from linkage.artifact.demangle import demangled_path
from linkage.compare.noise_filters import RENAMED, SYMBOL, NoiseFilters, without_noise

C, C_WANTED = "c_libraries", "c_libraries_undefined"
"""In a snapshot: a C library or runtime that is linked in, and the undefined names of one that is not.
"""
RUNTIME = frozenset({
    "std", "core", "alloc", "compiler_builtins", "panic_unwind", "panic_abort", "unwind", "proc_macro",
    "test", "hashbrown",
    "gimli", "addr2line", "object", "miniz_oxide", "adler", "adler2", "rustc_demangle", "memchr",
    "libc", "cfg_if", "std_detect", "getopts", "unicode_width", "rustc_std_workspace_core",
    "rustc_std_workspace_alloc", "rustc_std_workspace_std", "profiler_builtins", "rustc_literal_escaper",
    C, C_WANTED,
})  # fmt: skip
"""The crates of a toolchain's own libraries: their changes are summed up."""

_MANGLED = re.compile(r"_(?:ZN.+17h[0-9a-f]{16}E|R[A-Z])")
_AROUND = re.compile(
    # LLVM's counters of a function; a private function has its codegen unit in front.
    r"(__prof(?:bm|c|d|n|r|vn|vp)_)?(?:\w+\.[0-9a-z]+[-_]cgu\.\d+[_:;])?(_[RZ].+?)"
    # mold's entries of a symbol in the global offset table and the procedure linkage table
    r"(\$(?:got|plt|pltgot|gottp|tlsgd|tlsdesc))?$"
)
_CRATE = re.compile(r"(?<![\w:}>])([a-z]\w*|_\w+)::")
_PRIMITIVE = frozenset({
    "bool", "char", "str", "f16", "f32", "f64", "f128", "i8", "i16", "i32", "i64", "i128", "isize", "u8",
    "u16", "u32", "u64", "u128", "usize",
})  # fmt: skip
_KEPT = 1 << 18
"""How many names are cached."""
_IMPL = re.compile(r"(?:^|.*?::)<impl (.+)>((?:::.+)?)$")
_PRIMITIVE_SELF = re.compile(r"^(<)?(?:(\[)[^][<>]*(\])|(\*const |\*mut )[^:<>]*?)(?(1)>)::")
_CLOSURE = re.compile(r"\{\{?(closure|shim|vtable|constant|impl)[^}]*\}?\}")
_CONSTANT = re.compile(r"\{K(?::[^}]*)?#\d+\}")


def scheme(name: str) -> str | None:
    """The scheme by which rustc mangled a name; None if it is not mangled."""
    if not name.startswith("_") or not _MANGLED.match(name):
        return None
    return "v0" if name[1] == "R" else "legacy"


class Namer:
    """Names as they are compared; each is computed once."""

    def __init__(self, filters: NoiseFilters) -> None:
        self.filters = filters
        self._known: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[name] = self._canonical(name)
        return found

    def _canonical(self, name: str) -> str:
        plain = without_noise(name, SYMBOL, self.filters)
        if not self.filters.on("crate-hash"):
            return plain
        around = _AROUND.match(plain)
        before, inside, after = around.groups("") if around else ("", plain, "")
        if not scheme(inside):
            return plain
        if inside.endswith(RENAMED):
            after = RENAMED + after
        # After the path, so that the name still begins with its crate.
        return f"{demangled_path(inside)}{after}" + (f" ({before})" if before else "")


def crate(name: str) -> str | None:
    """The crate of the first path in a demangled name; None if it has no path."""
    if "::" not in name:
        return None
    # Only primitive types have methods without a crate.
    return next((found[1] for found in _CRATE.finditer(name) if found[1] not in _PRIMITIVE), "core")


def is_anonymous(name: str) -> bool:
    """Whether a name stands for a series that rustc or LLVM numbered: `anon.*`."""
    return name.endswith("*") and "::" not in name and " " not in name


def is_runtime(name: str) -> bool:
    """Whether a name is in the toolchain's own libraries."""
    return crate(name) in RUNTIME


@lru_cache(maxsize=1 << 17)  # every output has the same names of std
def skeleton(name: str) -> str:
    """A path without what only one mangling scheme has: generic arguments, numbers of closures."""
    return _PRIMITIVE_SELF.sub(r"\2\4_\3::", _skeleton(name)) if "::" in name else name


def _skeleton(name: str) -> str:
    name = _CLOSURE.sub(r"{\1}", _CONSTANT.sub("{constant}", name))
    found = _IMPL.match(name)
    if found:
        trait, joined, of = found[1].partition(" for ")
        name = f"<{of} as {trait}>{found[2]}" if joined else f"{trait}{found[2]}"
    if name.startswith("<"):
        inside, rest = _bracketed(name)
        of, joined, trait = inside.partition(" as ")
        head = f"<{_plain(of)} as {_plain(trait)}>" if joined else _plain(of)
        return head + _plain(rest)
    return _plain(name)


def without_self(name: str) -> str:
    """A path in an implementation as the trait's own method, as legacy names have it for default methods."""
    if not name.startswith("<"):
        return name
    inside, rest = _bracketed(name)
    return inside.rpartition(" as ")[2] + rest


def _bracketed(name: str) -> tuple[str, str]:
    """The text between the first bracket and its partner, and what follows."""
    depth = 0
    for at, depth in _depths(name):
        if depth == 0:
            return name[1:at], name[at + 1 :]
    return name[1:], ""


def _plain(name: str) -> str:
    """A path without anything in angle brackets."""
    if "<" not in name:
        return name
    kept: list[str] = []
    last = 0
    for at, depth in _depths(name):
        if depth == 1 and name[at] == "<":
            kept.append(name[last:at].removesuffix("::"))
        if depth == 0:
            last = at + 1
    return "".join([*kept, name[last:]]) if _balanced(name) else name


def _balanced(name: str) -> bool:
    depths = [depth for _, depth in _depths(name)]
    return not depths or depths[-1] == 0


def _depths(name: str) -> Iterator[tuple[int, int]]:
    """Every angle bracket with the depth after it, except in arrows."""
    depth = 0
    for at, char in enumerate(name):
        if char == "<":
            depth += 1
            yield at, depth
        elif char == ">" and name[at - 1 : at] != "-":
            depth -= 1
            yield at, depth
