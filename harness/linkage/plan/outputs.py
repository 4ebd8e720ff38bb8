"""From roles to files: what a step's outputs are called on a target.

rustc answered for each crate type how the target names it (`--print file-names`).
"""

from pathlib import PurePosixPath

from linkage.case import steps as model
from linkage.case.resolution import ResolvedStep, crate_name
from linkage.case.roles import EMIT_KINDS, LINK_KINDS, is_role
from linkage.errors import CaseError
from linkage.toolchain.model import Toolchain

_EMIT_SUFFIXES = {
    "asm": ".s", "llvm-bc": ".bc", "llvm-ir": ".ll", "obj": ".o", "mir": ".mir", "dep-info": ".d",
    "thin-link-bitcode": ".indexing.o",
}  # fmt: skip


STREAM = "-"
"""As an output: what is made goes to stdout."""
_PRINTED_BESIDE = {"native-static-libs", "link-args"}  # rustc compiles, too, where it prints only these


class Outputs:
    """The files of a variant's steps by role, filled in the order of the steps."""

    def __init__(self, toolchain: Toolchain, target: str | None) -> None:
        self.toolchain = toolchain
        self.target = target
        self.roles: dict[str, str] = {}
        self.ids: set[str] = set()
        self.folders: list[str] = ["."]
        """Folders that later steps search for crates."""
        self.crate_types: dict[str, tuple[str, ...]] = {}

    def add(self, resolved: ResolvedStep) -> tuple[str, ...]:
        """Note what a step makes; the files that it must have made where it succeeds.

        Raises CaseError for a crate type that the target does not have.
        """
        self.ids.add(resolved.id)
        match resolved.step:
            case model.RustcStep() as step:
                return self._rustc(resolved, step)
            case model.LinkOnlyStep() as step:
                return self._link_only(step)
            case model.CcStep() as step:
                path = step.output or self._cc_name(resolved.id, step.kind)
                self.roles[f"{resolved.id}.{step.kind}"] = path
                return (path,)
            case _:
                return ()

    def _rustc(self, resolved: ResolvedStep, step: model.RustcStep) -> tuple[str, ...]:
        folder = step.out_dir or step.cwd or "."
        if folder not in self.folders:
            self.folders.append(folder)
        crate = crate_name(step)
        explicit = dict(
            item.partition("=")[::2] for group in step.emit for item in group.split(",") if "=" in item
        )
        self.crate_types[resolved.id] = resolved.crate_types
        paths: dict[str, str] = {}
        for kind in resolved.roles:
            emit = next((name for name, role in EMIT_KINDS.items() if role == kind), "link")
            if emit in explicit:
                paths[kind] = explicit[emit]
            elif step.output and kind == "rlink":
                paths[kind] = str(PurePosixPath(step.output).with_suffix(".rlink"))
            elif step.output and (kind in LINK_KINDS or len(resolved.roles) == 1):
                paths[kind] = step.output
            else:
                paths[kind] = _join(folder, self._file(step, crate, kind, resolved.axes.get("target")))
        paths = {kind: path for kind, path in paths.items() if path != STREAM}
        self.roles.update({f"{resolved.id}.{kind}": path for kind, path in paths.items()})
        if _makes_nothing(step):
            return ()
        promised = [path for kind, path in paths.items() if not (step.no_link and kind in LINK_KINDS)]
        return tuple(dict.fromkeys(promised))

    def _link_only(self, step: model.LinkOnlyStep) -> tuple[str, ...]:
        owned = {
            kind: path
            for kind in LINK_KINDS
            if (path := self.roles.get(f"{step.link_only}.{kind}")) is not None
        }
        if step.output or step.out_dir:
            for kind, path in owned.items():
                owned[kind] = step.output or _join(step.out_dir or ".", PurePosixPath(path).name)
                self.roles[f"{step.link_only}.{kind}"] = owned[kind]
        if step.out_dir and step.out_dir not in self.folders:
            self.folders.append(step.out_dir)
        return tuple(owned.values())

    def _file(self, step: model.RustcStep, crate: str, kind: str, triple: str | None) -> str:
        extra = _extra_filename(step)
        if kind == "rmeta":
            return f"lib{crate}{extra}.rmeta"
        # What is no library is called after the source, whose hyphens a crate's name cannot have.
        stem = crate if step.crate_name or step.rustc in (None, "-") else PurePosixPath(step.rustc).stem
        if kind == "rlink":
            return f"{stem}{extra}.rlink"
        if kind in _EMIT_SUFFIXES:
            return f"{stem}{extra}{_EMIT_SUFFIXES[kind]}"
        target = self.toolchain.target(triple)
        output = target.output(kind) if target else None
        if output is None:
            raise CaseError(
                f"{self.toolchain.name} has no crate type {kind} for {triple or self.toolchain.host}"
            )
        return output.file((stem if kind == "bin" else crate) + extra)

    def _cc_name(self, name: str, kind: str) -> str:
        return {"bin": name, "obj": f"{name}.o", "shared": f"lib{name}.so"}[kind]

    def path(self, name: str) -> str:
        """The file that a role or an id means; a text that is neither is a file or a glob itself.

        Raises CaseError for a role that no step of this variant makes.
        """
        if name in self.roles:
            return self.roles[name]
        if is_role(name, self.ids):
            raise CaseError(f"`{name}` is made by no step of this variant")
        return name

    def subject(self, name: str) -> str | None:
        """Like path, but None for a role that this variant does not have."""
        try:
            return self.path(name)
        except CaseError:
            return None

    def program(self, name: str) -> str:
        """The file of a program: an id stands for the bin that the step makes."""
        return self.roles.get(f"{name}.bin") or self.path(name)


def _makes_nothing(step: model.RustcStep) -> bool:
    """Whether the case says so, or rustc prints what it was asked for and stops there."""
    if step.produces is not None and step.produces.only == ():
        return True
    words = " ".join(step.flags).replace("--print ", "--print=").split()
    printed = {word.split("=")[1] for word in words if word.startswith("--print=")}
    return bool(printed - _PRINTED_BESIDE)


def _extra_filename(step: model.RustcStep) -> str:
    flags = " ".join(step.flags).replace("-C extra-filename", "-Cextra-filename").split()
    found = [flag.partition("=")[2] for flag in flags if flag.startswith("-Cextra-filename=")]
    return found[-1] if found else ""


def _join(folder: str, file: str) -> str:
    return str(PurePosixPath(folder, file))
