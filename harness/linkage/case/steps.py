"""The model of steps: one process or one file operation each, in the order of the file."""

import signal
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Union

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from linkage.case.base import (
    Argument,
    Arguments,
    Environment,
    FileName,
    FileNames,
    Mode,
    Model,
    Paths,
    RelativePath,
    listed,
    nearest,
)
from linkage.case.claims import ClaimMap, DiagnosticClaim, LinkClaim, Names, Text
from linkage.case.condition import Condition
from linkage.case.document import KeyPath


class CrateType(StrEnum):
    """rustc's crate types, as `--crate-type` spells them."""

    BIN = "bin"
    LIB = "lib"
    RLIB = "rlib"
    DYLIB = "dylib"
    CDYLIB = "cdylib"
    STATICLIB = "staticlib"
    PROC_MACRO = "proc-macro"
    SDYLIB = "sdylib"


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


EMIT_KINDS = {
    "asm": "asm", "llvm-bc": "llvm-bc", "llvm-ir": "llvm-ir", "obj": "obj", "metadata": "rmeta", "mir": "mir",
    "dep-info": "dep-info", "thin-link-bitcode": "thin-link-bitcode",
}  # fmt: skip
"""rustc's emit kinds (except `link`) and the roles of their files."""

EXIT_WORDS = ("fails", "fails-or-crashes", "ice", "any")
"""How a process may end, other than by a status or a signal."""
_LISTED_WORDS = ", ".join(f"`{word}`" for word in EXIT_WORDS)


MOST_STATUS = 255
_LONGEST_ID = 200


def _exit(value: object) -> object:
    allowed = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_STATUS
    named = isinstance(value, str) and (value in EXIT_WORDS or value in signal.Signals.__members__)
    if not (allowed or named):
        raise PydanticCustomError(
            "exit",
            "`{value}` is not an exit status",
            {
                "value": value,
                "help": f"write 0 to {MOST_STATUS}, {_LISTED_WORDS}, or a signal such as `SIGABRT`",
            },
        )
    return value


Exit = Annotated[int | str, BeforeValidator(_exit, json_schema_input_type=int | str)]


def _id(value: str) -> str:
    """An id: it becomes a part of file names and of messages."""
    if (
        not value.isprintable()
        or "/" in value
        or value in ("", ".", "..")
        or len(value.encode()) > _LONGEST_ID
    ):
        raise PydanticCustomError(
            "id",
            "`{id}` cannot be an id",
            {"id": value, "help": f"write at most {_LONGEST_ID} printable characters without `/`"},
        )
    return value


class RoleReference(NamedTuple):
    """A text that may be a role; an optional one need not exist in every variant."""

    text: str
    path: KeyPath
    """Where in the step it is."""
    optional: bool = False


def _each(texts: Iterable[str], key: str) -> Iterator[RoleReference]:
    return (RoleReference(text, (key, index)) for index, text in enumerate(texts))


class Step(Model):
    """What all steps share, and what each kind of step knows of itself."""

    action: ClassVar[str] = ""
    """The key that names the kind in a case; empty for what is not a kind."""

    id_: Annotated[StrictStr, AfterValidator(_id)] | None = None
    """The name by which other steps and claims refer to it; by default the source's stem."""
    when: Condition | None = None
    """Only the variants that this selects have the step."""
    claims: ClaimMap = {}
    """Claims about artifacts as they are right after this step."""

    def default_id(self, crate: str | None) -> str:
        """Its id if the case gives none; `crate` is the crate's name as its source says."""
        _ = crate
        return self.action

    def may_be_roles(self) -> Iterator[RoleReference]:
        """Everything in it that may be a role, but for its claims."""
        return iter(())

    def made_roles(self, crate_types: tuple[str, ...]) -> tuple[str, ...]:
        """The roles of what it makes, without the id; `crate_types` of a rustc step."""
        _ = crate_types
        return ()

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        """The source files that it names and that an earlier step may make, each with its place."""
        return iter(())


class ProcessExpectations(Model):
    """What a step that starts a process is expected to do."""

    exit: Exit = 0
    """`fails` is any non-zero status but a compiler's crash; `ice` is rustc's internal error;
    `fails-or-crashes` is both, or a signal."""
    stdout: Text | None = None
    stderr: Text | None = None
    produces: Names | None = None
    """Files that the step makes or changes, as paths relative to the working folder."""


class RustcExpectations(Model):
    """What rustc is expected to do, too."""

    diagnostics: DiagnosticClaim | None = None
    native_static_libs: Names | None = None
    """What `--print native-static-libs` reports."""
    link: Annotated[
        tuple[LinkClaim, ...], BeforeValidator(listed, json_schema_input_type=LinkClaim | list[LinkClaim])
    ] = ()
    """What rustc asked of the linker."""


EXPECTATIONS = (*ProcessExpectations.model_fields, *RustcExpectations.model_fields)


class ProcessStep(Step, ProcessExpectations):
    """What all steps that start a process share."""

    env: Environment = {}
    stdin: StrictStr | None = None
    cwd: RelativePath | None = None
    """Relative to the variant's working folder."""
    capture: Literal["stdout", "stderr", "native-static-libs"] | None = None
    """Keep this stream, stripped, for later steps: `${captured.ID}`; or, as the words of an argument that
    is this alone, what `--print native-static-libs` reported."""
    timeout: StrictInt | None = Field(default=None, ge=1, le=3600)
    """In seconds."""

    @model_validator(mode="after")
    def _captures_what_there_is(self) -> "ProcessStep":
        if self.capture == "native-static-libs" and not isinstance(self, RustcOptions):
            raise PydanticCustomError("capture", "only a rustc step can capture `native-static-libs`", {})
        return self


class RustcOptions(ProcessStep, RustcExpectations):
    """What `rustc` and `link-only` steps share."""

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
        yield from _each(self.flags, "flags")
        yield from super().may_be_roles()

    def made_roles(self, crate_types: tuple[str, ...]) -> tuple[str, ...]:
        emits = [item.partition("=")[0] for group in self.emit for item in group.split(",")]
        linked = ["rlib" if kind == "lib" else kind for kind in crate_types or ("bin",)]
        roles = [EMIT_KINDS[kind] for kind in emits if kind in EMIT_KINDS]
        if self.rustc is not None and (not emits or "link" in emits):
            roles += [*linked, *(["rlink"] if self.no_link else [])]
        return tuple(dict.fromkeys(roles))

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        if self.rustc not in (None, "-"):
            yield self.rustc, ("rustc",)


@lru_cache  # asked again for every cell of a matrix
def _derived(source: str) -> str:
    return PurePosixPath(source).stem.replace("-", "_")


class LinkOnlyStep(RustcOptions):
    """-Zlink-only: finish a `no-link: true` step from its .rlink file."""

    action = "link-only"

    link_only: FileName
    """The id of that step."""
    rlink: RelativePath | None = None
    """Another file in place of that step's .rlink."""
    out_dir: RelativePath | None = None
    output: RelativePath | None = None

    def default_id(self, crate: str | None) -> str:
        _ = crate
        return f"link-{self.link_only}"


class RunStep(ProcessStep):
    """Run a built program, which the loader finds the variant's libraries for."""

    action = "run"

    run: FileName
    """A step's id (its bin or program), a role, or a file."""
    args: Arguments = ()
    runner: Arguments = ()
    """A program, with its arguments, that runs the built program (`[valgrind, -q]`)."""
    library_path: StrictBool = True
    """Whether the loader finds the working folder and the toolchain's libraries."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.run, ("run",))
        yield from _each(self.args, "args")


class CcStep(ProcessStep):
    """The C compiler; with `cxx` the C++ compiler."""

    action = "cc"

    cc: Paths
    link_with: Arguments = ()
    """Artifacts by role or file, or `-l` flags, in order, after the objects."""
    flags: Arguments = ()
    kind: Literal["bin", "obj", "shared"] = "bin"
    output: RelativePath | None = None
    system_libraries: StrictBool = True
    """Whether the libraries that std needs on this platform are linked too."""

    def default_id(self, crate: str | None) -> str:
        _ = crate
        return PurePosixPath(next(self.sources())[0]).stem

    def may_be_roles(self) -> Iterator[RoleReference]:
        return _each(self.link_with, "link-with")

    def made_roles(self, crate_types: tuple[str, ...]) -> tuple[str, ...]:
        _ = crate_types
        return (self.kind,)

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        yield from ((name, ("cc", index)) for index, name in enumerate(self.cc))


class CxxStep(CcStep):
    action = "cxx"
    cc: Paths = ()
    cxx: Paths

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        yield from ((name, ("cxx", index)) for index, name in enumerate(self.cxx))


class ArStep(ProcessStep):
    """The archiver."""

    action = "ar"

    ar: FileName
    """The archive: a file to make, or a role to change."""
    members: Arguments = ()
    """Files or roles to add or replace, in order."""
    delete: Arguments = ()
    """Member names or globs over them to delete."""
    extract: Arguments = ()
    """Members to extract into the working folder; `*` for all."""
    thin: StrictBool = False
    index: StrictBool = True

    @model_validator(mode="after")
    def _one_operation(self) -> "ArStep":
        if sum(map(bool, (self.members, self.delete, self.extract))) > 1:
            raise PydanticCustomError(
                "operation",
                "`members`, `delete` and `extract` cannot be combined",
                {"help": "split the step"},
            )
        return self

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.ar, ("ar",))
        yield from _each(self.members, "members")


class ToolStep(ProcessStep):
    """Any other program by its name on PATH or in the toolchain."""

    action = "tool"

    tool: Annotated[FileName, Field(min_length=1)]
    args: Arguments = ()

    def may_be_roles(self) -> Iterator[RoleReference]:
        return _each(self.args, "args")


class RemoveStep(Step):
    action = "remove"
    remove: FileNames
    """Files, folders, roles or globs; each must select something."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        return _each(self.remove, "remove")


class MkdirStep(Step):
    action = "mkdir"
    mkdir: Paths


class WriteStep(Step):
    """Write a file; exactly one of `text` and `hex`."""

    action = "write"

    write: FileName
    text: StrictStr | None = None
    hex_: StrictStr | None = None
    offset: StrictInt | None = None
    """Overwrite the file from this byte on, which it must have; negative: from the end."""

    @property
    def length(self) -> int:
        """The bytes that it writes, but for those of variables."""
        return len((self.text or "").encode()) if self.hex_ is None else len(bytes.fromhex(self.hex_))

    @model_validator(mode="after")
    def _one_content(self) -> "WriteStep":
        if (self.text is None) == (self.hex_ is None):
            raise PydanticCustomError("content", "`write` needs exactly one of `text` and `hex`", {})
        try:
            bytes.fromhex(self.hex_ or "")
        except ValueError:
            raise PydanticCustomError("hex", "`hex` must be pairs of hexadecimal digits", {}) from None
        return self

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.write, ("write",))


class TruncateStep(Step):
    action = "truncate"
    truncate: FileName
    size: StrictInt
    """Bytes to keep; negative: bytes to cut off the end. The file must have as many."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.truncate, ("truncate",))


class RenameStep(Step):
    action = "rename"
    rename: FileName
    to: RelativePath

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.rename, ("rename",))


class SymlinkStep(Step):
    action = "symlink"
    symlink: RelativePath
    """The link to make."""
    to: FileName
    """What it points at: a role or a path inside the working folder."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.to, ("to",))


class CopyStep(Step):
    action = "copy"
    copy_: FileName
    to: RelativePath

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.copy_, ("copy",))


class ChmodStep(Step):
    action = "chmod"
    chmod: FileName
    mode: Mode

    def may_be_roles(self) -> Iterator[RoleReference]:
        yield RoleReference(self.chmod, ("chmod",))


class UmaskStep(Step):
    """The umask of the steps that follow."""

    action = "umask"

    umask: Mode


class CleanStep(Step):
    """An empty working folder from here on, with the case's sources only."""

    action = "clean"

    clean: Literal[True]
    keep: FileNames = ()
    """Files, globs or roles that stay."""

    def may_be_roles(self) -> Iterator[RoleReference]:
        return _each(self.keep, "keep")


class ParallelStep(Step):
    """Steps that run at the same time."""

    action = "parallel"

    parallel: tuple["AnyStep", ...] = Field(min_length=2)

    @model_validator(mode="before")
    @classmethod
    def _tuple(cls, data: Any) -> Any:  # noqa: ANN401
        if isinstance(data, dict) and isinstance(data.get("parallel"), list):
            return {**data, "parallel": tuple(data["parallel"])}
        return data


_KINDS = (
    RustcStep, LinkOnlyStep, RunStep, CcStep, CxxStep, ArStep, ToolStep, RemoveStep, MkdirStep, WriteStep,
    TruncateStep, RenameStep, SymlinkStep, CopyStep, ChmodStep, UmaskStep, CleanStep, ParallelStep,
)  # fmt: skip
ACTIONS: dict[str, type[Step]] = {kind.action: kind for kind in _KINDS}
"""Every kind of step, by the key that names it in a case."""


def action_of(data: Any) -> str | None:  # noqa: ANN401 - whatever stands in the file
    """The step's action, as a tag that differs from every key."""
    if isinstance(data, Step):
        return f"a {data.action} step"
    if not isinstance(data, dict):
        return None
    found = [name for name in ACTIONS if name in data]
    return f"a {found[0]} step" if len(found) == 1 else None


if TYPE_CHECKING:
    AnyStep = Step
else:
    AnyStep = Annotated[
        Union[tuple(Annotated[model, Tag(f"a {name} step")] for name, model in ACTIONS.items())],  # noqa: UP007 - of a tuple
        Discriminator(
            action_of,
            custom_error_type="action",
            custom_error_message="a step needs exactly one of: " + ", ".join(ACTIONS),
        ),
    ]

ParallelStep.model_rebuild()


def every_step(steps: Iterable[Step], base: KeyPath) -> Iterator[tuple[Step, KeyPath]]:
    """Every step at any depth, with its path."""
    for index, step in enumerate(steps):
        path = (*base, index)
        yield step, path
        if isinstance(step, ParallelStep):
            yield from every_step(step.parallel, (*path, "parallel"))
