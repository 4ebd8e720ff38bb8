"""Claims about artifacts, by their subjects."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import FileName, Mode, Model, Texts, listed
from linkage.case.claims.names import LoaderNames, Names, SymbolVersions
from linkage.case.claims.patterns import Comparison, Pattern
from linkage.case.claims.references import ArtifactReference, ArtifactReferences, ExportsDiffer
from linkage.case.claims.symbols import ResolvedClaim, Symbols
from linkage.case.claims.text import Content, Text
from linkage.case.condition import Condition


class SectionClaim(Model):
    size: Comparison | None = None
    """In bytes."""
    contains: Texts = ()
    """Texts in the section's content."""
    not_contains: Texts = ()
    compressed: StrictBool | None = None
    flags: StrictStr | None = None
    """As readelf prints them: `AX`."""


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
    imports: LoaderNames | None = None
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

    needed: LoaderNames | None = None
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
