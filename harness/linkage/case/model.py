"""The model of a case file as a whole."""

import posixpath
import signal
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import NUL, Environment, Model, RelativePath, Texts, keys, listed, suggest
from linkage.case.claims import ClaimMap, Regex
from linkage.case.condition import Condition
from linkage.case.invariants import LiftedInvariants
from linkage.case.mini_core import MiniCore
from linkage.case.steps import MOST_STATUS, AnyStep
from linkage.errors import LinkageError
from linkage.host.limits import StepLimits
from linkage.host.size import SIZE, parse_size

IssueReference = Annotated[StrictStr, Field(pattern=r"^[\w.-]+/[\w.-]+#\d+$")]
"""An issue or a pull request: `rust-lang/rust#145962`."""

Tag = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _tuples(value: object) -> object:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


Rows = Annotated[
    tuple[dict[StrictStr, Any], ...],
    BeforeValidator(listed, json_schema_input_type=dict[str, Any] | list[dict[str, Any]]),
]
Conditions = Annotated[
    tuple[Condition, ...], BeforeValidator(listed, json_schema_input_type=Condition | list[Condition])
]


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(one) for one in (*value, *value.values()))
    return any(map(_has_nul, value)) if isinstance(value, list) else isinstance(value, str) and NUL in value


class Matrix(Model):
    """Axes by name, each with its values; `include` and `exclude` as in GitHub Actions."""

    model_config = {"extra": "allow"}

    rows: Rows = ()
    """Explicit cells, each combined with the product of the axes beside them."""
    include: Rows = ()
    exclude: Conditions = ()

    @model_validator(mode="before")
    @classmethod
    def _axes_are_lists(cls, data: Any) -> Any:  # noqa: ANN401
        if not isinstance(data, dict):
            return data
        if _has_nul(data):
            raise PydanticCustomError("nul", "a value has a NUL character", {"help": "remove the \\0"})
        reserved = ("rows", "include", "exclude")
        return {
            k: v if k in reserved else _tuples(v if isinstance(v, list) else [v]) for k, v in data.items()
        }

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """The axes in the file's order."""
        return dict(self.__pydantic_extra__ or {})


class Requirement(Model):
    """A capability that a variant needs; without it the variant is skipped, with that reason."""

    dynamic_std: Literal[True] | None = None
    profiler_runtime: Literal[True] | None = None
    std_bitcode: Literal[True] | None = None
    native: Literal[True] | None = None
    """The target is the host: a tool of the machine knows its files."""
    toolchain: StrictStr | None = None
    """A version range: `>=1.87, <1.91`."""
    target: StrictStr | None = None
    flag: StrictStr | None = None
    """`-Zdylib-lto` or `-Cembed-bitcode`."""
    sanitizer: StrictStr | None = None
    linker: StrictStr | None = None
    tool: StrictStr | None = None
    crate_type: StrictStr | None = None
    codegen_backend: StrictStr | None = None
    os: Texts = ()
    """The target's operating system, or one of several, as `--print cfg` names it: `linux`."""
    arch: Texts = ()
    """The target's architecture: `x86_64`."""
    libc: Texts = ()
    """The target's libc (rustc's `target_env`): `gnu`, `musl`."""
    object_format: Texts = ()
    """The format of the target's objects: `elf`, `coff`, `macho`, `wasm`, `xcoff`."""
    of: Literal["other"] | None = None
    """`other`: asked of the toolchain of the steps with `toolchain: other`, not of the variant's."""
    when: Condition | None = None
    shorthand = (
        {"enum": ["dynamic-std", "native", "profiler-runtime", "std-bitcode"]},
        {"type": "string", "pattern": "^-"},
    )

    @model_validator(mode="before")
    @classmethod
    def _text_means_true(cls, data: Any) -> Any:  # noqa: ANN401
        if isinstance(data, str):
            if data.startswith("-"):
                return {"flag": data}
            if data not in REQUIREMENTS:
                help = suggest(data, REQUIREMENTS)
                raise PydanticCustomError(
                    "requirement", "unknown requirement `{data}`", {"data": data, "help": help}
                )
            return {data: True}
        return data

    @model_validator(mode="after")
    def _one_capability(self) -> "Requirement":
        given = [
            name
            for name in type(self).model_fields
            if name not in ("when", "of") and getattr(self, name) not in (None, ())
        ]
        if len(given) != 1:
            raise PydanticCustomError(
                "requirement",
                "a requirement must name exactly one of: {known}",
                {"known": ", ".join(REQUIREMENTS)},
            )
        if self.flag is not None and not self.flag.startswith(("-Z", "-C")):
            raise PydanticCustomError(
                "flag", "`{flag}` is not a flag that can be required", {"flag": self.flag, "help": _FLAGS}
            )
        return self


_FLAGS = "write it as `-ZNAME` or `-CNAME`; for others, limit the range with `toolchain`"
REQUIREMENTS = tuple(sorted(keys(Requirement) - {"when", "of"}))


def _seen_exit(value: object) -> object:
    status = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_STATUS
    if not (status or value in ("ice", "timeout") or value in signal.Signals.__members__):
        help = f"write a number from 0 to {MOST_STATUS}, `ice`, `timeout`, or a signal such as `SIGABRT`"
        raise PydanticCustomError(
            "exit", "`{value}` is not how a process ends", {"value": value, "help": help}
        )
    return value


class BugSignature(Model):
    """How a known bug fails: a failure must match all that is given here."""

    step: StrictStr
    """The id of the step at which it occurs."""
    claim: Texts = ()
    """The claims that fail, all of them, by their keys: `lib.dylib.exports`, `exit`, `stdout`."""
    stdout: StrictStr | None = None
    """The step's stdout contains this."""
    stderr: StrictStr | None = None
    """The step's stderr contains this."""
    matches: Regex | None = None
    """The step's stderr matches this."""
    found: StrictStr | None = None
    """What the claim found contains this."""
    code: StrictStr | None = None
    """A diagnostic's code."""
    exit: Annotated[int | str, BeforeValidator(_seen_exit, json_schema_input_type=int | str)] | None = None
    """An exit status, `ice`, `timeout` or a signal's name."""

    @model_validator(mode="after")
    def _is_more_than_a_step(self) -> "BugSignature":
        given = [
            name
            for name in type(self).model_fields
            if name != "step" and getattr(self, name) not in (None, ())
        ]
        if not given:
            raise PydanticCustomError(
                "signature",
                "a signature needs more than a `step`",
                {"help": "add `claim`, `stderr`, `code` or `exit`"},
            )
        return self


class KnownBug(Model):
    """Claims that are known to fail, on a range of toolchains, in some cells."""

    issue: IssueReference | None = None
    unreported: StrictStr | None = None
    """If there is no issue: what is wrong, in one sentence."""
    report: RelativePath | None = None
    """For an unreported bug: a file beside the case with a report that can be filed."""
    when: Condition | None = None
    toolchains: StrictStr | None = None
    """A version range; by default every toolchain."""
    other_toolchains: StrictStr | None = None
    """Likewise of the toolchain of the steps with `toolchain: other`."""
    signature: BugSignature
    note: StrictStr | None = None

    @model_validator(mode="after")
    def _named(self) -> "KnownBug":
        if (self.issue is None) == (self.unreported is None):
            raise PydanticCustomError(
                "unnamed",
                "a known bug needs either `issue` or `unreported`",
                {"help": "write `issue: rust-lang/rust#N`, or `unreported:` and what is wrong"},
            )
        if self.report is not None and self.unreported is None:
            raise PydanticCustomError(
                "reported",
                "`report` is only for a bug without an `issue`",
                {"help": "remove it"},
            )
        return self

    @property
    def name(self) -> str:
        """The issue, or `unreported`."""
        return self.issue or "unreported"


def _files(sources: dict[str, str]) -> dict[str, str]:
    for name in sources:
        if posixpath.normpath(name) != name or name == ".":
            raise PydanticCustomError(
                "file",
                "`{name}` is not the name of a file",
                {"name": name, "help": "write it as `folder/file`"},
            )
        above = next((str(one) for one in PurePosixPath(name).parents if str(one) in sources), None)
        if above is not None:
            raise PydanticCustomError(
                "folder",
                "the source `{name}` is in `{above}`, which is a source, too",
                {"name": name, "above": above, "help": "rename one of them"},
            )
    return sources


def _size(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str):
        try:
            size = parse_size(text, "")
        except LinkageError:
            size = 0
        if 1 <= size <= _LARGEST:
            return size
    raise PydanticCustomError(
        "size",
        "`{value}` is not a size from 1 byte to 1T",
        {"value": value, "help": "write it as 500M or 2G"},
    )


_LARGEST = 1 << 40
Size = Annotated[
    int, BeforeValidator(_size, json_schema_input_type=Annotated[str, Field(pattern=SIZE)] | StrictInt)
]
"""Bytes, written as `500M` or `2G`."""


_LEAST_MEMORY = 16 << 20  # what starts the processes needs some


def _enough_memory(size: int) -> int:
    if size < _LEAST_MEMORY:
        raise PydanticCustomError(
            "memory", "`memory` must be at least 16M", {"help": "write it as 500M or 2G"}
        )
    return size


class CaseLimits(Model):
    """What the processes of each step may use of the machine."""

    memory: Annotated[Size, AfterValidator(_enough_memory)] = StepLimits.memory
    """Of all processes of a step together, the one that starts them too: at least 16M."""
    processes: StrictInt = Field(default=StepLimits.processes, ge=1, le=1_000_000)
    """How many processes and threads a step may have at once."""
    file_size: Size = StepLimits.file_size
    """Of each file that a step writes."""
    open_files: StrictInt = Field(default=StepLimits.open_files, ge=32, le=1_000_000)
    """How many files each process may have open."""
    output: Size = StepLimits.output
    """What a step may print to stdout and stderr together."""

    @property
    def limits(self) -> StepLimits:
        """The limits as processes are started with them."""
        return StepLimits(self.memory, self.processes, self.file_size, self.open_files, self.output)


class CaseModel(Model):
    """A case: one subject, its matrix, its steps and its claims."""

    summary: StrictStr = Field(min_length=1, max_length=120)
    description: StrictStr | None = None
    refs: Annotated[
        tuple[IssueReference, ...],
        BeforeValidator(listed, json_schema_input_type=IssueReference | list[IssueReference]),
    ] = ()
    tags: Annotated[tuple[Tag, ...], BeforeValidator(listed, json_schema_input_type=Tag | list[Tag])] = ()
    """pytest marks: `-m TAG` selects the case."""
    toolchains: StrictStr | None = None
    """The range of toolchains that the case is about; it is skipped on others."""
    other_toolchains: StrictStr | None = None
    """Likewise of the toolchain of the steps with `toolchain: other`."""
    matrix: Matrix = Matrix()
    mini_core: MiniCore | None = None
    """Three crates in place of core, alloc and std, for targets without a library."""
    requires: Annotated[
        tuple[Requirement, ...],
        BeforeValidator(listed, json_schema_input_type=Requirement | list[Requirement]),
    ] = ()
    sources: Annotated[dict[RelativePath, StrictStr], AfterValidator(_files)] = {}
    """Sources inline, by file name."""
    files: Annotated[
        tuple[RelativePath, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])
    ] = ()
    """Files or folders beside the case that the steps need and do not name (modules, headers)."""
    env: Environment = {}
    timeout: StrictInt = Field(default=180, ge=1, le=3600)
    """Of each step, in seconds."""
    limits: CaseLimits = CaseLimits()
    """What each step may use of the machine."""
    steps: Annotated[
        tuple[AnyStep, ...], BeforeValidator(listed, json_schema_input_type=AnyStep | list[AnyStep])
    ] = Field(min_length=1)
    claims: ClaimMap = {}
    """Claims about artifacts at the end."""
    invariants: LiftedInvariants = {}
    """Invariants that do not hold of what the steps link or archive, each with the reason why."""
    known_bugs: Annotated[
        tuple[KnownBug, ...], BeforeValidator(listed, json_schema_input_type=KnownBug | list[KnownBug])
    ] = ()
