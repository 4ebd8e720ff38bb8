"""What rustc calls the files that it is asked for.

Its rules are in `rustc_session::config::OutputFilenames` and `rustc_session::output`:
https://doc.rust-lang.org/nightly/nightly-rustc/rustc_session/config/struct.OutputFilenames.html
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from linkage.case.output_kinds import LINK_KINDS, SIDE_KINDS

LinkedName = Callable[[str, str], str]
"""The file name of a linked output, from its crate type and its name."""

STREAM = "-"
"""As an output: stdout."""

_SUFFIXES = {
    "asm": ".s", "llvm-bc": ".bc", "llvm-ir": ".ll", "obj": ".o", "mir": ".mir", "dep-info": ".d",
    "thin-link-bitcode": ".indexing.o", "rlink": ".rlink",
}  # fmt: skip
_ON_LINUX = {
    "bin": "{}", "rlib": "lib{}.rlib", "staticlib": "lib{}.a", "dylib": "lib{}.so", "cdylib": "lib{}.so",
    "proc-macro": "lib{}.so", "sdylib": "lib{}.so",
}  # fmt: skip


def linux_name(crate_type: str, name: str) -> str:
    """What a linked output is called on GNU/Linux."""
    return _ON_LINUX[crate_type].format(name)


@dataclass(frozen=True, slots=True)
class OutputNames:
    """The names that rustc derives from the crate's name, and from `-o` or else the source's stem."""

    crate: str
    """The crate's name."""
    source: str
    """The stem of the source, which may have hyphens; the crate's name if that is given."""
    folder: str
    """Where the files are, unless `output` says so."""
    output: str | None
    """What `-o` says."""
    extra: str
    """What `-Cextra-filename` says."""

    def file(self, role: str, linked: LinkedName) -> str:
        """The file of a role; `linked` is the target's."""
        folder = PurePosixPath(self.output).parent if self.output else PurePosixPath(self.folder)
        return str(folder / self._name(role, linked))

    def _name(self, role: str, linked: LinkedName) -> str:
        stem = PurePosixPath(self.output).stem if self.output else self.source
        if role == "rmeta":
            return f"lib{stem if self.output else self.crate}{self.extra}.rmeta"
        if role in LINK_KINDS:
            return linked(role, f"{stem if role == 'bin' else self.crate}{self.extra}")
        return f"{stem}{self.extra}{_SUFFIXES[role]}"


def extra_filename(flags: Iterable[str]) -> str:
    """What flags say that rustc appends to names: the last one counts."""
    words = " ".join(flags).replace("-C extra-filename", "-Cextra-filename").split()
    found = [word.partition("=")[2] for word in words if word.startswith("-Cextra-filename=")]
    return found[-1] if found else ""


def side_outputs(kind: str, path: str, os: str, libc: str) -> dict[str, str]:
    """The files that a linker writes beside an output at this path, by role, on a target of this kind.

    `link_natively` in rustc_codegen_ssa's back/linker.rs names the import libraries; link.exe names the
    database after the output.
    """
    sides = SIDE_KINDS.get(kind, ())
    place = PurePosixPath(path)
    names = {}
    if os == "windows" and libc == "msvc":
        names = {"import": place.with_suffix(".dll.lib"), "pdb": place.with_suffix(".pdb")}
    elif os in ("windows", "cygwin"):
        names = {"import": place.with_name(f"lib{place.name}.a")}
    found = {side: names.get(side.rpartition("-")[2]) for side in sides}
    return {side: str(name) for side, name in found.items() if name is not None}
