"""Claims about what rustc reports, and about what it asks of the linker."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Model, listed
from linkage.case.claims.names import Names
from linkage.case.claims.patterns import Comparison, Regex


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
    """What rustc asked of the linker, seen at the one that it called."""

    output: StrictStr | None = None
    """The role of the output that was linked; without it every call of the linker."""
    args: Names | None = None
    libraries: Names | None = None
    """Libraries by `-l` and by file, in their order."""
    inputs: Names | None = None
    """Object files and archives, by file name."""
    exports: Names | None = None
    """Names that the linker is asked to export: in a version script, a `.def` file or an export list, or by
    `--export` (WebAssembly)."""
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
