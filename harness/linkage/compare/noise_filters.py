"""Noise filters: differences between two builds that do not come from their compilers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from linkage.case.base import suggest
from linkage.errors import LinkageError
from linkage.store import recheck

NOISE_FILTERS: Mapping[str, str] = {
    "crate-hash": "crates' hashes in mangled names, legacy and v0, and in the names of metadata symbols",
    "mangling": "the mangling scheme, if the sides use different ones: demangled paths are compared",
    "anonymous": "numbers and hashes by which rustc and LLVM tell nameless constants and tables apart",
    "symbol-version": "a version behind a name in the symbol table, which bfd writes and others do not",
    "member-name": "hashes and numbers in the names of an archive's members and of object files",
    "codegen-unit": "which of a crate's codegen units has a symbol, and how many units refer to it",
    "incremental": "files of -Cincremental: sessions named by time and a random number, units by hashes",
    "file-hash": "hashes in file names: libstd-HASH.so, libfoo-HASH.rlib",
    "section-name": "sections that are named after the one symbol in them",
    "temporary-name": "names of temporary files, addresses, process ids and times in what programs print",
    "sanitizer-report": "stacks in a sanitizer's report, and which of two racing threads it names",
    "place": "the toolchain's path, and its path relative to an output with -Crpath",
    "version": "the compiler's and LLVM's version, if a text, metadata or bitcode names it",
    "build-id": "the build id, which is a hash of everything else",
    "order": "the order of symbols and of sections in their tables",
}
"""What each filter removes."""


@dataclass(frozen=True)
class NoiseFilters:
    """The noise filters of a comparison: all except the disabled ones."""

    disabled: frozenset[str] = frozenset()

    @classmethod
    def without(cls, names: Iterable[str]) -> "NoiseFilters":
        """All filters except these. Raises LinkageError for an unknown name."""
        disabled = frozenset(names)
        for name in sorted(disabled - NOISE_FILTERS.keys()):
            help = suggest(name, sorted(NOISE_FILTERS)) or f"one of {', '.join(NOISE_FILTERS)}"
            raise LinkageError(f"no noise filter is called `{name}`", where="--keep", help=help)
        return cls(disabled)

    def on(self, name: str) -> bool:
        return name not in self.disabled


@dataclass(frozen=True, slots=True)
class Replacement:
    """A part of a text that a noise filter replaces."""

    filter: str
    pattern: re.Pattern[str]
    replacement: str


def _filter(name: str, pattern: str, replacement: str, flags: re.RegexFlag = re.NOFLAG) -> Replacement:
    return Replacement(name, re.compile(pattern, re.ASCII | flags), replacement)


TEXT = (
    *(Replacement("temporary-name", one.pattern, one.stands) for one in recheck.TEXT_RULES),
    _filter(
        "sanitizer-report",
        r"(?s)(WARNING: ThreadSanitizer: [^\n]*\n).*?(?=^SUMMARY: |^={18}$|\Z)",
        r"\1",
        re.MULTILINE,
    ),
    _filter("sanitizer-report", r"^ +#\d+ .*\n?", "", re.MULTILINE),
    _filter("temporary-name", r"\+0x[0-9a-f]+\)", "+0xADDRESS)"),
    _filter("build-id", r"\(BuildId: [0-9a-f]+\)", "(BuildId)"),
    _filter("temporary-name", r"finished in \d+\.\d+s", "finished in TIME"),
    _filter("member-name", r"\.[0-9a-f]{16}-cgu\.\d+\b", ".cgu"),
    _filter("file-hash", r"(?<=[\w])-[0-9a-f]{16}(?=[.\s'\"`,)]|$)", "-HASH"),
    _filter("crate-hash", r"17h[0-9a-f]{16}E", "17hHASHE"),
    _filter("crate-hash", r"::h[0-9a-f]{16}\b", "::hHASH"),
    _filter("crate-hash", r"(?<=[CN])s[0-9A-Za-z]{9,12}_(?=\d)", ""),
    _filter("version", r"\brustc \d+\.\d+\.\d+\S*( \([^)]*\))?", "rustc VERSION"),
    _filter("version", r"`\d+\.\d+\.\d+\S* \([0-9a-f]{9} [\d-]+\)`", "`VERSION`"),
    _filter("version", r"/rustc/[0-9a-f]{40}/", "/rustc/COMMIT/"),
)
"""In streams, messages and text outputs."""

RENAMED = ".rsHASH"
"""At the end of a name that rustc made unique to a staticlib."""

SYMBOL = (
    _filter("symbol-version", r"(?<=.)@@?[A-Za-z][\w.]*$", ""),
    _filter("anonymous", r"\.llvm\.\d+(?=$|\.)", ""),
    _filter("anonymous", r"^anon\.[0-9a-f]+\.\d+$", "anon.*"),
    _filter("anonymous", r"^\.?L?anon\.[0-9a-f]+\.\d+", "anon.*"),
    _filter("anonymous", r"^\.L\S+$", ".L*"),
    _filter("anonymous", r"^alloc_[0-9a-f]{32}$", "alloc_*"),
    # LLVM names what covers a function by the hash of the function's mangled name.
    _filter("anonymous", r"^__covrec_[0-9A-F]+u?$", "__covrec_*"),
    _filter("anonymous", r"^GCC_except_table\d+$", "GCC_except_table*"),
    _filter("anonymous", r"^__unnamed_\d+$", "__unnamed_*"),
    _filter("anonymous", r"^(str|vtable|ref|const|byte_str|panic_loc)(\.[0-9a-z]+)+$", r"\1.*"),
    _filter("anonymous", r"^(switch\.table\.|cfi\.|\.Lswitch\.table\.).*$", r"\1*"),
    _filter("anonymous", r"^(completed|dtor_idx|object|frame_dummy)\.\d+$", r"\1.*"),
    # -Zstaticlib-rename-internal-symbols
    _filter("crate-hash", r"\.rs[0-9a-f]{16}$", RENAMED),
    _filter("crate-hash", r"^_rust_extern_with_linkage_[0-9a-f]{16}_", "_rust_extern_with_linkage_HASH_"),
    _filter("crate-hash", r"^rust_metadata_(\w+)_[0-9a-f]{8,16}$", r"rust_metadata_\1_HASH"),
    _filter("crate-hash", r"^__rustc_proc_macro_decls_[0-9a-f]+__$", "__rustc_proc_macro_decls_HASH__"),
)
"""In mangled symbol names."""

MEMBER = (
    _filter("member-name", r"\.[0-9a-z]+-cgu\.\d+(?=\.)", ".cgu"),
    _filter(
        "member-name", r"^([^.]+)\.(?=[a-z]*\d)[0-9a-z]{12,}(\.(?!cgu\.)[0-9a-z]+)?(?=\.rcgu\.)", r"\1.unit"
    ),
    _filter("member-name", r"-[0-9a-f]{16}(?=\.)", ""),
    _filter("member-name", r"^[0-9a-f]{16}-", ""),
)
"""In the names of archive members."""

SESSION = "/s-SESSION"
FILE = (
    # CRATE-ID/s-TIME-RANDOM-SVH: rustc_incremental's persist/fs.rs describes these names.
    _filter("incremental", r"-[0-9a-z]{8,}/s-[0-9a-z]+-[0-9a-z]+(-(working|[0-9a-z]+))?(?=[/.]|$)", SESSION),
    _filter("incremental", rf"(?<={SESSION}/)[0-9a-z]{{20,}}(?=\.)", "UNIT"),
)
"""In the names of files without a role."""


def without_noise(text: str, replacements: Iterable[Replacement], filters: NoiseFilters) -> str:
    """A text after these replacements, except those of disabled filters."""
    for one in replacements:
        if one.filter not in filters.disabled:
            text = one.pattern.sub(one.replacement, text)
    return text
