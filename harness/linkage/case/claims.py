"""The model of claims: what must hold of a step's streams or of an artifact.

A claim about a table, a stream or a file that is missing or empty does not hold, unless it asks for
exactly that.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case import regular_expression
from linkage.case.base import FileName, Mode, Model, RelativePath, Texts, listed
from linkage.case.condition import Condition
from linkage.errors import PatternError


def _refused(error: PatternError) -> PydanticCustomError:
    return PydanticCustomError("regex", "{what}", {"what": error.what, "help": error.help})


def _compiles(value: str) -> str:
    try:
        regular_expression.check(value)
    except PatternError as error:
        raise _refused(error) from None
    return value


def _pattern(value: str) -> str:
    if len(value) > 1 and value.startswith("/") and value.endswith("/"):
        _compiles(value[1:-1])
    return value


_MOST_DIGITS = 18


def _comparison(value: object) -> object:
    text = str(value)
    found = re.fullmatch(r"(?:==|=|>=|<=|>|<|!=)?\s*([0-9]+)", text)
    if isinstance(value, bool) or not found or len(found[1]) > _MOST_DIGITS:
        help = f"write at most {_MOST_DIGITS} digits" if found else "write `3`, `>=1` or `<100`"
        raise PydanticCustomError("comparison", "`{text}` is not a comparison", {"text": text, "help": help})
    return text


Regex = Annotated[StrictStr, AfterValidator(_compiles)]
Pattern = Annotated[StrictStr, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])]
Comparison = Annotated[StrictStr, BeforeValidator(_comparison, json_schema_input_type=int | str)]


class Names(Model):
    r"""A claim about a set of names. A plain list in its place means `all`.

    A name is exact (`foo`), a glob (`foo_*`), a regex (`/^foo_\d+$/`), a demangled path with
    globs (`path:alloc::*`) or a symbol group (`${allocator-shim}`). With an `@`, a symbol's version is part
    of its name: `foo@@V2` if the version is the default one, else `foo@V2`; without, any version matches.
    """

    all: Patterns = ()
    """Each of these is found at least once."""
    any: Patterns = ()
    """At least one of these is found."""
    none: Patterns = ()
    """Not one of these is found."""
    only: Patterns | None = None
    """Every name is one of these, and each of these is found; an empty list: no names at all."""
    within: Patterns = ()
    """The claim is about these names only."""
    except_: Patterns = ()
    """The claim is about all names but these."""
    count: Comparison | None = None
    """How many names there are, after `within` and `except`."""
    order: Patterns = ()
    """These are found in this order."""
    shorthand = ({"type": "string"}, {"type": "array", "items": {"type": "string"}})

    @model_validator(mode="before")
    @classmethod
    def _list_means_all(cls, data: Any) -> Any:  # noqa: ANN401
        if data == "none":
            return {"only": []}
        return {"all": data} if isinstance(data, (str, list)) else data

    @property
    def says_something(self) -> bool:
        """Whether it is a claim at all."""
        return self.about_names

    @property
    def about_names(self) -> bool:
        """Whether it claims something of the names."""
        return bool(self.all or self.any or self.none or self.order or self.only is not None or self.count)

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.says_something:
            raise PydanticCustomError(
                "says_nothing",
                "this claim is empty",
                {"help": "add `all`, `any`, `none`, `only`, `count` or `order`, or write `none`"},
            )
        return self

    @property
    def requires(self) -> bool:
        """Whether it says what is found, and not only what is not."""
        return bool(self.all or self.any or self.order or self.only is not None or self.count)


class SymbolVersions(Names):
    """A claim about versions, and about the symbols that carry them."""

    symbols: dict[Pattern, Names] = {}
    """The dynamic symbols that carry each of these versions, as `V2` or `GLIBC_2.*`."""

    @property
    def says_something(self) -> bool:
        return self.about_names or bool(self.symbols)


class SymbolKind(Model):
    """What the selected symbols are."""

    defined: StrictBool | None = None
    binding: Literal["local", "global", "weak", "unique"] | None = None
    visibility: Literal["default", "internal", "hidden", "protected"] | None = None
    type: Literal["notype", "object", "func", "tls", "ifunc", "common"] | None = None
    absolute: StrictBool | None = None
    size: Comparison | None = None
    """In bytes."""
    section: Pattern | None = None
    version: Pattern | None = None


class Symbols(Model):
    """The general claim about symbols: which are selected, what they are, and how many."""

    names: Patterns
    except_: Patterns = ()
    table: Literal["static", "dynamic"] = "static"
    where: SymbolKind | None = None
    """Select only symbols of this kind."""
    expect: SymbolKind | None = None
    """Every selected symbol is of this kind."""
    count: Comparison | None = None
    """How many are selected; by default at least one."""


class SectionClaim(Model):
    size: Comparison | None = None
    """In bytes."""
    contains: Texts = ()
    """Texts in the section's content."""
    not_contains: Texts = ()
    compressed: StrictBool | None = None
    flags: StrictStr | None = None
    """As readelf prints them: `AX`."""


class Number(Model):
    """A number in a text, itself or as a percentage of the one in another text."""

    matches: Regex
    """Finds the number: the only group of the first match; commas between digits are ignored."""
    is_: Comparison
    percent_of: StrictStr | None = None
    """The other text (`${captured.ID}`), in which the same regex finds the number that means 100 %."""

    @model_validator(mode="after")
    def _has_one_group(self) -> "Number":
        if regular_expression.groups(self.matches) != 1:
            raise PydanticCustomError(
                "groups",
                "`{regex}` must have exactly one group",
                {"regex": self.matches, "help": "put the digits, and nothing else, in parentheses"},
            )
        return self


class Text(Model):
    """A claim about a text. A plain text in its place means `equals`."""

    equals: StrictStr | None = None
    contains: Texts = ()
    not_contains: Texts = ()
    matches: Annotated[
        tuple[Regex, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])
    ] = ()
    order: Texts = ()
    """The text contains these in this order."""
    file: RelativePath | None = None
    """Equals this file's text, beside the case."""
    same_as: StrictStr | None = None
    """Equals the same stream of an earlier step to the last byte, by its id; `ID.stderr` names another."""
    lines: Comparison | None = None
    number: Number | None = None
    empty: StrictBool | None = None
    normalize: dict[Regex, StrictStr] = {}
    """Regexes and their replacements, applied before the comparison."""
    shorthand = ({"type": "string"},)

    def stream(self, own: str) -> str:
        """What `same-as` names in a claim about the stream `own`, as `ID.stdout` or `ID.stderr`."""
        name = self.same_as or ""
        return name if name.endswith((".stdout", ".stderr")) else f"{name}.{own}"

    @model_validator(mode="after")
    def _replacements_fit(self) -> "Text":
        for pattern, replacement in self.normalize.items():
            try:
                regular_expression.check_replacement(pattern, replacement)
            except PatternError as error:
                raise _refused(error) from None
        return self

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Text":
        if self.model_fields_set <= {"normalize"}:
            raise PydanticCustomError(
                "says_nothing",
                "this claim is empty",
                {
                    "help": "add `equals`, `contains`, `not-contains`, `matches`, `order`, `file`, `lines`, "
                    "`number`, `empty`, `same-as`"
                },
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _text_means_equals(cls, data: Any) -> Any:  # noqa: ANN401
        return {"equals": data} if isinstance(data, str) else data


class Content(Model):
    """Texts anywhere in the bytes of a file of any format."""

    contains: Texts = ()
    not_contains: Texts = ()

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Content":
        if not (self.contains or self.not_contains):
            raise PydanticCustomError(
                "says_nothing", "this claim is empty", {"help": "add `contains` or `not-contains`"}
            )
        return self


class ArtifactReference(Model):
    """Another artifact: of this variant, or of a sibling that differs in the axes given."""

    artifact: StrictStr | None = None
    """Its role or file; without it the same one as the claim's."""
    variant: dict[StrictStr, Any] = {}
    """The axes in which the other variant differs, with its values there."""
    compare: Literal["bytes", "text", "symbols", "exports", "size"] = "bytes"
    shorthand = ({"type": "string"},)

    @model_validator(mode="after")
    def _is_another(self) -> "ArtifactReference":
        if self.artifact is None and not self.variant:
            raise PydanticCustomError(
                "itself",
                "this compares the artifact with itself",
                {"help": "name another `artifact`, or a `variant` that differs in at least one axis"},
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _text_means_artifact(cls, data: Any) -> Any:  # noqa: ANN401
        return {"artifact": data} if isinstance(data, str) else data


class ExportsDiffer(ArtifactReference):
    """The exports differ from the other artifact's by exactly these names."""

    added: Patterns = ()
    removed: Patterns = ()


class ResolvedClaim(Model):
    """Every undefined symbol that one of `names` selects is defined within the link set."""

    names: Patterns
    link_set: Texts = ()
    """The other artifacts of the link set: roles, files or globs."""


ArtifactReferences = Annotated[
    tuple[ArtifactReference, ...],
    BeforeValidator(listed, json_schema_input_type=ArtifactReference | str | list[ArtifactReference | str]),
]


class ArtifactClaims(Model):
    """Claims about one artifact; under `each-member`, about an archive's members."""

    when: Condition | None = None
    """These claims hold in the cells of the matrix that this selects; without it in all."""
    where: Literal["symbols"] | None = None
    """Under `each-member`: only the members that have a symbol table are meant."""
    exists: StrictBool = True
    format: (
        Literal[
            "elf", "coff", "pe", "macho", "wasm", "xcoff",
            "archive", "bitcode", "metadata", "other", "empty",
        ]
        | None
    ) = None  # fmt: skip
    type: Literal["relocatable", "shared", "executable", "debug-only"] | None = None
    """`debug-only` is what `objcopy --only-keep-debug` writes."""

    defines: Names | None = None
    """Symbols defined in the symbol table, whatever their binding."""
    undefined: Names | None = None
    """Symbols that the symbol table leaves undefined (in an archive: in any member)."""
    unresolved: Names | None = None
    """Undefined symbols that no member of the same archive or object defines."""
    exports: Names | None = None
    """Dynamic symbols that are defined."""
    imports: Names | None = None
    """Dynamic symbols that are not defined."""
    weak: Names | None = None
    """Defined symbols with weak binding."""
    local: Names | None = None
    """Defined symbols with local binding."""
    global_: Names | None = None
    """Defined symbols with global binding."""
    hidden: Names | None = None
    """Defined symbols with hidden or internal visibility."""
    absolute: Names | None = None
    """Absolute symbols."""
    symbols: Annotated[
        tuple[Symbols, ...], BeforeValidator(listed, json_schema_input_type=Symbols | list[Symbols])
    ] = ()
    duplicates: Names | None = None
    """Names with more than one strong definition among an archive's members."""
    resolved: ResolvedClaim | None = None
    references: dict[StrictStr, Names] = {}
    """What each of these functions refers to: calls and addresses taken."""

    needed: Names | None = None
    soname: Names | None = None
    runpath: Names | None = None
    interpreter: Names | None = None
    pie: StrictBool | None = None
    relro: Literal["none", "partial", "full"] | None = None
    bind_now: StrictBool | None = None
    text_relocations: StrictBool | None = None
    executable_stack: StrictBool | None = None
    """What PT_GNU_STACK says; of an object file, its section .note.GNU-stack."""
    gnu_properties: Names | None = None
    """Bits of the GNU properties: `IBT`, `SHSTK`, `x86-64-v2`, `BTI`, `PAC`."""
    build_id: Names | None = None
    """The build id in hexadecimal digits: `{count: 1}` if there is one."""
    init_array: Comparison | None = None
    """How many functions are called when it is loaded."""
    fini_array: Comparison | None = None
    """How many functions are called when it is unloaded."""
    tls: StrictBool | None = None
    """Whether it has thread-local storage."""
    symbol_versions: SymbolVersions | None = None
    """Versions that dynamic symbols need or define, as `libc.so.6:GLIBC_2.34`."""

    sections: Names | None = None
    section: dict[StrictStr, SectionClaim] = {}
    members: Names | None = None
    crates: Names | None = None
    """Crates that an archive's members come from."""
    index: Names | None = None
    """Names in an archive's symbol index."""
    thin: StrictBool | None = None
    each_member: dict[Pattern, "ArtifactClaims"] = {}
    bitcode: StrictBool | None = None
    """LLVM bitcode, in the file itself or in any of its members."""
    metadata: StrictBool | None = None
    """rustc's crate metadata, in the file itself or in any of its members."""

    text: Text | None = None
    content: Content | None = None
    size: Comparison | None = None
    """In bytes."""
    mode: Mode | None = None
    """Permission bits, as `644`."""
    smaller_than: ArtifactReference | None = None
    same_as: ArtifactReferences = ()
    differs_from: ArtifactReferences = ()
    exports_differ: ExportsDiffer | None = None

    @model_validator(mode="after")
    def _text_is_no_stream(self) -> "ArtifactClaims":
        if self.text is not None and self.text.same_as is not None:
            raise PydanticCustomError(
                "stream",
                "`same-as` of a text compares the streams of steps",
                {"help": "write `same-as: {artifact: FILE, compare: text}` beside `text`"},
            )
        return self

    @model_validator(mode="after")
    def _members_are_no_files(self) -> "ArtifactClaims":
        for claims in self.each_member.values():
            for key in sorted(claims.model_fields_set & OF_FILES):
                raise PydanticCustomError(
                    "of_files",
                    "`{key}` does not apply to an archive's members",
                    {
                        "key": key.replace("_", "-"),
                        "help": "make the claim about the archive, or `extract` the member",
                    },
                )
        return self


OF_FILES = {
    "when", "exists", "resolved", "each_member", "content", "mode", "smaller_than", "same_as", "differs_from",
    "exports_differ",
}  # fmt: skip
"""Claims that cannot be made under `each-member`, by their fields."""


class DiagnosticPattern(Model):
    """One of rustc's diagnostics; what is left out matches any."""

    code: StrictStr | None = None
    level: Literal["error", "warning", "note", "help", "failure-note"] | None = None
    text: StrictStr | None = None
    """The rendered text, notes included, contains this."""
    matches: Regex | None = None
    shorthand = ({"type": "string"},)

    @model_validator(mode="before")
    @classmethod
    def _text_means_text(cls, data: Any) -> Any:  # noqa: ANN401
        if not isinstance(data, str):
            return data
        return {"code": data} if re.fullmatch(r"E\d{4}", data) else {"text": data}


Diagnostics = Annotated[
    tuple[DiagnosticPattern, ...],
    BeforeValidator(listed, json_schema_input_type=DiagnosticPattern | str | list[DiagnosticPattern | str]),
]


class DiagnosticClaim(Model):
    """Diagnostics that rustc reports, or does not. A plain list in its place means `all`."""

    all: Diagnostics = ()
    none: Diagnostics = ()
    shorthand = ({"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/DiagnosticPattern"}})

    @model_validator(mode="before")
    @classmethod
    def _list_means_all(cls, data: Any) -> Any:  # noqa: ANN401
        return {"all": data} if isinstance(data, (str, list)) else data

    @model_validator(mode="after")
    def _is_not_empty(self) -> "DiagnosticClaim":
        if not (self.all or self.none):
            raise PydanticCustomError("says_nothing", "this claim is empty", {"help": "add `all` or `none`"})
        return self


class LinkClaim(Model):
    """What rustc asked of the linker, seen at the `cc` that it called."""

    output: StrictStr | None = None
    """The role of the output that was linked; without it every call of the linker."""
    args: Names | None = None
    libraries: Names | None = None
    """Libraries by `-l` and by file, in their order."""
    inputs: Names | None = None
    """Object files and archives, by file name."""
    exports: Names | None = None
    """Names in the version script or export list."""
    export_list: StrictBool | None = None
    """Whether there was one."""
    count: Comparison | None = None
    """How often the linker was called."""

    @model_validator(mode="after")
    def _is_not_empty(self) -> "LinkClaim":
        if self.model_fields_set <= {"output"}:
            raise PydanticCustomError(
                "says_nothing",
                "this claim is empty",
                {"help": "add `args`, `libraries`, `inputs`, `exports`, `export-list` or `count`"},
            )
        return self


Subject = FileName


def _not_of_members(value: tuple[ArtifactClaims, ...]) -> tuple[ArtifactClaims, ...]:
    if any(claims.where is not None for claims in value):
        raise PydanticCustomError(
            "of_members", "`where` applies to an archive's members", {"help": "move it below `each-member`"}
        )
    return value


ClaimSets = Annotated[
    tuple[ArtifactClaims, ...],
    AfterValidator(_not_of_members),
    BeforeValidator(listed, json_schema_input_type=ArtifactClaims | list[ArtifactClaims]),
]
ClaimMap = dict[Subject, ClaimSets]
"""Claims by their subject: a role (`lib.staticlib`), a file or a glob."""
