"""What differs between two builds and says nothing about their compilers: named rules."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from linkage.case.base import suggest
from linkage.errors import LinkageError
from linkage.store import recheck

RULES: Mapping[str, str] = {
    "crate-hash": "crates' hashes in mangled names, legacy and v0, and in the names of metadata symbols",
    "mangling": "how names are mangled, where the sides do it differently: their paths are compared",
    "anonymous": "numbers and hashes by which rustc and LLVM tell nameless constants and tables apart",
    "symbol-version": "a version behind a name in the symbol table, where bfd writes it and others do not",
    "member-name": "hashes and numbers in the names of an archive's members and of object files",
    "codegen-unit": "in which of a crate's codegen units a symbol stands, and how many units refer to it",
    "incremental": "what -Cincremental keeps: sessions named by time and chance, units named by hashes",
    "file-hash": "hashes in file names: libstd-HASH.so, libfoo-HASH.rlib",
    "section-name": "sections that are named for the one symbol that they hold",
    "temporary-name": "names of temporary files, addresses, process numbers and times in what programs print",
    "sanitizer-report": "stacks in a sanitizer's report, and which of two racing threads it is about",
    "place": "where the toolchain stands, and the way there from an output with -Crpath",
    "version": "the compiler's and LLVM's version, where a text, metadata or bitcode names it",
    "build-id": "the build id, which is a hash of all the rest",
    "order": "the order of symbols and of sections in their tables",
}
"""Every rule with what it takes out."""


@dataclass(frozen=True)
class Rules:
    """The rules of a comparison: all but those that were turned off."""

    off: frozenset[str] = frozenset()

    @classmethod
    def without(cls, names: Iterable[str]) -> "Rules":
        """All rules but these. Raises LinkageError for a name that is none."""
        off = frozenset(names)
        for name in sorted(off - RULES.keys()):
            help = suggest(name, sorted(RULES)) or f"one of {', '.join(RULES)}"
            raise LinkageError(f"there is no rule `{name}`", where="--keep", help=help)
        return cls(off)

    def on(self, name: str) -> bool:
        return name not in self.off


@dataclass(frozen=True, slots=True)
class Spelling:
    """A part of a text that a rule replaces."""

    rule: str
    pattern: re.Pattern[str]
    stands: str


def _spelling(rule: str, pattern: str, stands: str, flags: re.RegexFlag = re.NOFLAG) -> Spelling:
    return Spelling(rule, re.compile(pattern, re.ASCII | flags), stands)


TEXT = (
    *(Spelling("temporary-name", one.pattern, one.stands) for one in recheck.TEXT_RULES),
    _spelling(
        "sanitizer-report",
        r"(?s)(WARNING: ThreadSanitizer: [^\n]*\n).*?(?=^SUMMARY: |^={18}$|\Z)",
        r"\1",
        re.MULTILINE,
    ),
    _spelling("sanitizer-report", r"^ +#\d+ .*\n?", "", re.MULTILINE),
    _spelling("temporary-name", r"\+0x[0-9a-f]+\)", "+0xADDRESS)"),
    _spelling("build-id", r"\(BuildId: [0-9a-f]+\)", "(BuildId)"),
    _spelling("temporary-name", r"finished in \d+\.\d+s", "finished in TIME"),
    _spelling("member-name", r"\.[0-9a-f]{16}-cgu\.\d+\b", ".cgu"),
    _spelling("file-hash", r"(?<=[\w])-[0-9a-f]{16}(?=[.\s'\"`,)]|$)", "-HASH"),
    _spelling("crate-hash", r"17h[0-9a-f]{16}E", "17hHASHE"),
    _spelling("crate-hash", r"::h[0-9a-f]{16}\b", "::hHASH"),
    _spelling("crate-hash", r"(?<=[CN])s[0-9A-Za-z]{9,12}_(?=\d)", ""),
    _spelling("version", r"\brustc \d+\.\d+\.\d+\S*( \([^)]*\))?", "rustc VERSION"),
    _spelling("version", r"`\d+\.\d+\.\d+\S* \([0-9a-f]{9} [\d-]+\)`", "`VERSION`"),
    _spelling("version", r"/rustc/[0-9a-f]{40}/", "/rustc/COMMIT/"),
)
"""Of streams, messages and the texts of outputs."""

SYMBOL = (
    _spelling("symbol-version", r"(?<=.)@@?[A-Za-z][\w.]*$", ""),
    _spelling("anonymous", r"\.llvm\.\d+(?=$|\.)", ""),
    _spelling("anonymous", r"^anon\.[0-9a-f]+\.\d+$", "anon.*"),
    _spelling("anonymous", r"^\.?L?anon\.[0-9a-f]+\.\d+", "anon.*"),
    _spelling("anonymous", r"^\.L\S+$", ".L*"),
    _spelling("anonymous", r"^alloc_[0-9a-f]{32}$", "alloc_*"),
    # LLVM names what covers a function by the hash of the function's mangled name.
    _spelling("anonymous", r"^__covrec_[0-9A-F]+u?$", "__covrec_*"),
    _spelling("anonymous", r"^GCC_except_table\d+$", "GCC_except_table*"),
    _spelling("anonymous", r"^__unnamed_\d+$", "__unnamed_*"),
    _spelling("anonymous", r"^(str|vtable|ref|const|byte_str|panic_loc)(\.[0-9a-z]+)+$", r"\1.*"),
    _spelling("anonymous", r"^(switch\.table\.|cfi\.|\.Lswitch\.table\.).*$", r"\1*"),
    _spelling("anonymous", r"^(completed|dtor_idx|object|frame_dummy)\.\d+$", r"\1.*"),
    _spelling("crate-hash", r"^_rust_extern_with_linkage_[0-9a-f]{16}_", "_rust_extern_with_linkage_HASH_"),
    _spelling("crate-hash", r"^rust_metadata_(\w+)_[0-9a-f]{8,16}$", r"rust_metadata_\1_HASH"),
    _spelling("crate-hash", r"^__rustc_proc_macro_decls_[0-9a-f]+__$", "__rustc_proc_macro_decls_HASH__"),
)
"""Of symbols' names, before they are demangled."""

MEMBER = (
    _spelling("member-name", r"\.[0-9a-z]+-cgu\.\d+(?=\.)", ".cgu"),
    _spelling(
        "member-name", r"^([^.]+)\.(?=[a-z]*\d)[0-9a-z]{12,}(\.(?!cgu\.)[0-9a-z]+)?(?=\.rcgu\.)", r"\1.unit"
    ),
    _spelling("member-name", r"-[0-9a-f]{16}(?=\.)", ""),
    _spelling("member-name", r"^[0-9a-f]{16}-", ""),
)
"""Of the names of archive members."""

SESSION = "/s-SESSION"
FILE = (
    # CRATE-ID/s-TIME-RANDOM-SVH: rustc_incremental's persist/fs.rs says what stands in its names.
    _spelling(
        "incremental", r"-[0-9a-z]{8,}/s-[0-9a-z]+-[0-9a-z]+(-(working|[0-9a-z]+))?(?=[/.]|$)", SESSION
    ),
    _spelling("incremental", rf"(?<={SESSION}/)[0-9a-z]{{20,}}(?=\.)", "UNIT"),
)
"""Of the names of files that no role is known for."""


def spelled(text: str, spellings: Iterable[Spelling], rules: Rules) -> str:
    """A text with all that these spellings' rules take out of it."""
    for one in spellings:
        if one.rule not in rules.off:
            text = one.pattern.sub(one.stands, text)
    return text
