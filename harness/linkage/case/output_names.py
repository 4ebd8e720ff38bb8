"""What rustc and the C compiler call the files that a step asks them for.

rustc's rules are in `rustc_session::config::OutputFilenames` and `rustc_session::output`:
https://doc.rust-lang.org/nightly/nightly-rustc/rustc_session/config/struct.OutputFilenames.html
"""

from collections.abc import Callable
from pathlib import PurePosixPath

from linkage.case import steps
from linkage.case.output_kinds import EMIT_KINDS, LINK_KINDS
from linkage.case.resolution import ResolvedStep

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


def rustc_outputs(resolved: ResolvedStep, step: steps.RustcStep, linked: LinkedName) -> dict[str, str]:
    """The file of each role that the step asks rustc for; `linked` is the target's."""
    emits = [item for group in step.emit for item in group.split(",")] or ["link"]
    named = {kind: path for kind, equals, path in (item.partition("=") for item in emits) if equals}
    kinds = {role: emit for emit, role in EMIT_KINDS.items()}
    single = step.output if len(set(emits)) - len(named) == 1 else None  # else rustc adapts `-o`
    names = _Names(step, resolved.crate_name, linked)
    return {
        role: names.file(role)
        if role == "rlink"
        else named.get(kinds.get(role, "link")) or single or names.file(role)
        for role in resolved.roles
    }


class _Names:
    """The names that rustc derives from the crate's name, and from `-o` or else the source's stem."""

    def __init__(self, step: steps.RustcStep, given: str | None, linked: LinkedName) -> None:
        extra = _extra_filename(step.flags)
        crate = step.derived_name(given)
        output = PurePosixPath(step.output) if step.output else None
        stem = crate
        if output is not None:
            stem = output.stem
        elif step.rustc not in (None, "-") and given is None:
            stem = PurePosixPath(step.rustc).stem  # with hyphens, which a crate's name cannot have
        self._folder = output.parent if output else PurePosixPath(step.out_dir or step.cwd or ".")
        self._metadata = f"lib{stem if output else crate}{extra}.rmeta"
        self._crate = f"{crate}{extra}"
        self._stem = f"{stem}{extra}"
        self._linked = linked

    def file(self, role: str) -> str:
        return str(self._folder / self._name(role))

    def _name(self, role: str) -> str:
        if role == "rmeta":
            return self._metadata
        if role in LINK_KINDS:
            return self._linked(role, self._stem if role == "bin" else self._crate)
        return f"{self._stem}{_SUFFIXES[role]}"


def _extra_filename(flags: tuple[str, ...]) -> str:
    words = " ".join(flags).replace("-C extra-filename", "-Cextra-filename").split()
    found = [word.partition("=")[2] for word in words if word.startswith("-Cextra-filename=")]
    return found[-1] if found else ""


def cc_output(step: steps.CcStep, step_id: str) -> str:
    """The file that a step asks the C compiler for."""
    names = {"bin": step_id, "obj": f"{step_id}.o", "shared": f"lib{step_id}.so"}
    return step.output or names[step.kind]
