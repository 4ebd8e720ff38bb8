"""`rustc`: a call of the compiler."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BeforeValidator, StrictBool, StrictInt, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Argument, Arguments, FileName, RelativePath, listed, nearest
from linkage.case.document import KeyPath
from linkage.case.output_kinds import EMIT_KINDS, LINK_KINDS, CrateType
from linkage.case.output_names import STREAM, LinkedName, OutputNames, extra_filename, linux_name
from linkage.case.steps.expectations import RustcExpectations
from linkage.case.steps.process import ProcessStep
from linkage.case.steps.step import FileChanges, RoleReference, StepNames, each


def _crate_types(value: object) -> object:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        known = [member.value for member in CrateType]
        for item in value:
            if not (isinstance(item, str) and (item in known or item.startswith("${"))):
                near = nearest(str(item), known)
                raise PydanticCustomError(
                    "crate_type",
                    "unknown crate type `{item}`",
                    {
                        "item": item,
                        "help": f"did you mean `{near}`?" if near else f"expected one of {', '.join(known)}",
                    },
                )
        return tuple(value)
    return value


class RustcOptions(ProcessStep, RustcExpectations):
    """What `rustc` and `link-only` steps share."""

    reports_libraries = True

    flags: Arguments = ()
    """Any flags; an element that expands to nothing is dropped, one that is a list is spliced."""
    linker: Argument | None = None
    """`bfd`, `lld`, `mold`, `gold` or `default`."""
    unstable: StrictBool = False
    """The source uses unstable features: a stable compiler runs with RUSTC_BOOTSTRAP=1."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        for index, link in enumerate(self.link):
            if link.output:
                yield RoleReference(link.output, ("link", index, "output"), optional=True)


class RustcStep(RustcOptions):
    """A call of rustc. The matrix's built-in axes apply unless a key here says otherwise."""

    action = "rustc"

    rustc: RelativePath | None
    """The source; null for a call without one (`--print`)."""
    axes: Annotated[
        tuple[StrictStr, ...] | None,
        BeforeValidator(lambda v: () if v == "none" else listed(v), json_schema_input_type=list[str] | str),
    ] = None
    """The built-in axes that apply to this step, or `none`; by default all."""
    crate_name: Argument | None = None
    crate_type: Annotated[
        tuple[StrictStr, ...] | None, BeforeValidator(_crate_types, json_schema_input_type=str | list[str])
    ] = None
    edition: Argument | None = None
    emit: Arguments = ()
    out_dir: RelativePath | None = None
    output: RelativePath | None = None
    """rustc's `-o`."""
    extern: dict[Argument, FileName | None] = {}
    """Crates by name: a role or a file; null for `--extern NAME` alone."""
    cfg: Arguments = ()
    search_paths: StrictBool = True
    """Whether the working folder and the steps' out-dirs are searched (`-L`)."""
    no_link: StrictBool = False
    """-Zno-link: a later `link-only` step finishes it."""

    prefer_dynamic: StrictBool | StrictStr | None = None
    lto: Argument | None = None
    dylib_lto: StrictBool | StrictStr | None = None
    codegen_units: StrictInt | StrictStr | None = None
    opt_level: StrictInt | StrictStr | None = None
    panic: Argument | None = None
    debuginfo: StrictInt | StrictStr | None = None
    strip: Argument | None = None
    target: Argument | None = None

    @model_validator(mode="after")
    def _output_or_dir(self) -> "RustcStep":
        if self.output and self.out_dir:
            raise PydanticCustomError(
                "both", "`output` and `out-dir` cannot be combined", {"help": "remove one of them"}
            )
        return self

    def default_id(self, crate: str | None) -> str:
        return self.derived_name(self.crate_name or crate)

    def derived_name(self, given: str | None) -> str:
        """The crate's name as rustc derives it: given, or the source's stem with underscores."""
        if given:
            return given
        return "rust_out" if self.rustc == "-" else _derived(self.rustc or "rustc")

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield from (RoleReference(file, ("extern", name)) for name, file in self.extern.items() if file)
        yield from each(self.flags, "flags")
        yield from super().may_be_roles()

    def made_roles(self, crate_types: tuple[str, ...]) -> tuple[str, ...]:
        emits = [item.partition("=")[0] for item in self._emits()]
        linked = ["rlib" if kind == "lib" else kind for kind in crate_types or ("bin",)]
        roles = [EMIT_KINDS[kind] for kind in emits if kind in EMIT_KINDS]
        if self.rustc is not None and (not emits or "link" in emits):
            roles += [*linked, *(["rlink"] if self.no_link else [])]
        return tuple(dict.fromkeys(roles))

    def outputs(self, of: StepNames, linked: LinkedName) -> dict[str, str]:
        """The file of each role, or `-` for stdout; `linked` names what the target links."""
        emits = self._emits() or ["link"]
        named = {kind: path for kind, equals, path in (item.partition("=") for item in emits) if equals}
        kinds = {role: emit for emit, role in EMIT_KINDS.items()}
        single = self.output if len(set(emits)) - len(named) == 1 else None  # else rustc adapts `-o`
        name = self.derived_name(of.crate)
        stem = PurePosixPath(self.rustc).stem if self.rustc not in (None, "-") and of.crate is None else name
        folder = self.out_dir or self.cwd or "."
        names = OutputNames(name, stem, folder, self.output, extra_filename(self.flags))
        return {
            role: names.file(role, linked)
            if role == "rlink"
            else named.get(kinds.get(role, "link")) or single or names.file(role, linked)
            for role in of.roles
        }

    def linked_later(self, role: str) -> bool:
        """Whether a `link-only` step makes this output, and not this one."""
        return self.no_link and role in LINK_KINDS

    def file_changes(self, names: StepNames, /) -> FileChanges:
        files = self.outputs(names, linux_name)
        written = [path for role, path in files.items() if path != STREAM and not self.linked_later(role)]
        return FileChanges(written=tuple(written), named_in=self.flags)

    def _emits(self) -> list[str]:
        """The items of `--emit`: kinds, some with a file."""
        return [item for group in self.emit for item in group.split(",")]

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        if self.rustc not in (None, "-"):
            yield self.rustc, ("rustc",)


@lru_cache  # asked again for every cell of a matrix
def _derived(source: str) -> str:
    return PurePosixPath(source).stem.replace("-", "_")
